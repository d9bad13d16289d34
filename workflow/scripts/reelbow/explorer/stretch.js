// A stretch of a film: its palette and mean color.

const CELLS = 32;
const ROUNDS = 30;

/**
 * @typedef {object} Stretch
 * @property {number} first place
 * @property {number} last place, which belongs to it
 * @property {number} lengthS
 * @property {number} frames that are there
 * @property {number[] | null} mean sRGB; null: no frame is there
 * @property {{rgb: number[], share: number}[]} palette
 */

/**
 * Sum up the frames of a stretch, every frame with the time it stands for.
 *
 * The palette is that of k-means over all colors of the frames' palettes, weighted by
 * share and time, in OKLab.
 * @param {Film} film
 * @param {number} first
 * @param {number} last
 * @param {number} k
 * @returns {Stretch}
 */
function describeStretch(film, first, last, k) {
  const sum = [0, 0, 0];
  let frames = 0;
  let total = 0;
  let lengthS = 0;
  // Colors of a cell of 8 levels a side are one point at their mean.
  /** @type {Map<number, number[]>} weight, L, a, b */
  const cells = new Map();
  const lab = film.oklab;
  for (let place = first; place <= last; place++) {
    const weight = film.lengthOf(place);
    lengthS += weight;
    if (!film.present[place]) {
      continue;
    }
    frames++;
    total += weight;
    for (let i = 0; i < 3; i++) {
      sum[i] += film.means[3 * place + i] * weight;
    }
    for (let i = film.starts[place]; i < film.starts[place + 1]; i++) {
      const [red, green, blue] = film.colors.subarray(3 * i, 3 * i + 3);
      const key = ((red >> 3) * CELLS + (green >> 3)) * CELLS + (blue >> 3);
      let cell = cells.get(key);
      if (!cell) {
        cell = [0, 0, 0, 0];
        cells.set(key, cell);
      }
      const share = (film.shares[i] / 65535) * weight;
      cell[0] += share;
      for (let axis = 0; axis < 3; axis++) {
        cell[axis + 1] += lab[3 * i + axis] * share;
      }
    }
  }
  const points = [...cells.values()]
    .filter(([weight]) => weight > 0)
    .map(([weight, L, a, b]) => ({
      weight,
      lab: /** @type {Triple} */ ([L / weight, a / weight, b / weight]),
    }));
  return {
    first,
    last,
    lengthS,
    frames,
    mean: total ? sum.map((each) => Math.round(each / total)) : null,
    palette: cluster(points, k).map(({ lab: center, weight }) => ({
      rgb: fromOklab(...center),
      share: weight / total,
    })),
  };
}

/**
 * k-means of weighted points, begun at the heaviest and then at what is worst served.
 * @param {{weight: number, lab: Triple}[]} points
 * @param {number} k
 */
function cluster(points, k) {
  const loss = points.map(({ weight }) => weight);
  const nearest = points.map(() => Number.POSITIVE_INFINITY);
  /** @type {Triple[]} */
  let centers = [];
  while (centers.length < Math.min(k, points.length)) {
    const worst = loss.indexOf(loss.reduce((a, b) => Math.max(a, b), 0));
    if (!loss[worst]) {
      break;
    }
    const center = points[worst].lab;
    centers.push(center);
    points.forEach(({ weight, lab }, i) => {
      nearest[i] = Math.min(nearest[i], square(lab, center));
      loss[i] = weight * nearest[i];
    });
  }
  /** @type {number[][]} */
  let sums = [];
  for (let round = 0; round < ROUNDS; round++) {
    sums = centers.map(() => [0, 0, 0, 0]);
    for (const { weight, lab } of points) {
      let best = 0;
      for (let i = 1; i < centers.length; i++) {
        if (square(lab, centers[i]) < square(lab, centers[best])) {
          best = i;
        }
      }
      sums[best][0] += weight;
      for (let axis = 0; axis < 3; axis++) {
        sums[best][axis + 1] += weight * lab[axis];
      }
    }
    const moved = sums.map(([weight, L, a, b], i) =>
      weight
        ? /** @type {Triple} */ ([L / weight, a / weight, b / weight])
        : centers[i],
    );
    const isDone = moved.every((center, i) => square(center, centers[i]) < 1e-12);
    centers = moved;
    if (isDone) {
      break;
    }
  }
  return centers
    .map((lab, i) => ({ lab, weight: sums[i][0] }))
    .filter(({ weight }) => weight > 0)
    .sort((one, other) => other.weight - one.weight);
}
