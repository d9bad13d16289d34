// Follows a color from column to column, as reelbow.barcode.tracks does.

const DIFFERENT = 0.2;
const GONE = 0.15;
const CUT = 0.09;

/** Columns between two looks at the clock, and how long one stretch of work may be. */
const LOOK_AFTER = 64;
const WORK_MS = 8;

/**
 * Find the order of all bins' bands, a little at a time.
 * @param {Columns} columns
 * @param {Level} bins
 */
async function followColors(columns, bins) {
  const k = columns.k;
  const found = new Uint16Array(bins.n * k);
  let tracks = new Tracks();
  /** @type {number[]} */
  let shot = [];
  const finish = () => {
    tracks.order().forEach((order, i) => {
      found.set(order, shot[i] * k);
    });
    tracks = new Tracks();
    shot = [];
  };
  let started = performance.now();
  for (let bin = 0; bin < bins.n; bin++) {
    if (bin % LOOK_AFTER === 0 && performance.now() - started > WORK_MS) {
      await new Promise((resolve) => setTimeout(resolve));
      started = performance.now();
    }
    // Missing frames are in no shot.
    if (!bins.weights[bin]) {
      continue;
    }
    const start = bin * k;
    const lab = bins.lab.subarray(3 * start, 3 * (start + bins.nColors[bin]));
    const shares = bins.shares.subarray(start, start + bins.nColors[bin]);
    if (!tracks.add(lab, shares)) {
      finish();
      tracks.add(lab, shares);
    }
    shot.push(bin);
  }
  finish();
  bins.tracks = found;
}

/** Of a color that is matched with no track. */
const NONE = { column: -1, distance: Number.POSITIVE_INFINITY };

/** The tracks between two cuts. */
class Tracks {
  constructor() {
    /** @type {number[]} OKLab as last seen, three a track */
    this.lab = [];
    /** @type {number[]} as last seen */
    this.shares = [];
    /** @type {number[]} of all columns */
    this.totals = [];
    /** @type {number[]} tracks of the last column's colors */
    this.now = [];
    /** @type {number[][]} `now` of every column */
    this.given = [];
  }

  /**
   * Give a column's colors to the tracks; false, and nothing done, at a cut.
   * @param {Float32Array} lab
   * @param {Float32Array} shares
   */
  add(lab, shares) {
    const sum = shares.reduce((a, b) => a + b, 0);
    const weights = Array.from(shares, (share) => share / sum);
    if (this.given.length) {
      const saved = this.now.map((track) => GONE * this.shares[track]);
      const { cost } = match(lab, weights, this.lab, this.shares, this.now, saved);
      if (cost > CUT) {
        return false;
      }
    }
    const all = this.shares.map((_, track) => track);
    // To take up a track that is missing now saves nothing.
    const saved = new Array(all.length).fill(0);
    for (const track of this.now) {
      saved[track] = GONE * this.shares[track];
    }
    const { matched } = match(lab, weights, this.lab, this.shares, all, saved);
    this.now = weights.map((weight, i) => {
      const { column, distance } = matched[i] ?? NONE;
      const track = distance < DIFFERENT ? column : this.shares.length;
      this.lab.splice(3 * track, 3, lab[3 * i], lab[3 * i + 1], lab[3 * i + 2]);
      this.shares[track] = weight;
      this.totals[track] = (this.totals[track] ?? 0) + weight;
      return track;
    });
    this.given.push(this.now);
    return true;
  }

  /** The order of the colors of each column that was added. */
  order() {
    const ranked = this.totals
      .map((_, track) => track)
      .sort((a, b) => this.totals[b] - this.totals[a]);
    /** @type {number[]} */
    const place = [];
    ranked.forEach((track, i) => {
      place[track] = i;
    });
    return this.given.map((tracks) =>
      tracks.map((_, i) => i).sort((i, j) => place[tracks[i]] - place[tracks[j]]),
    );
  }
}

/**
 * Match colors one to one with some of the tracks at the least cost.
 * @param {Float32Array} lab (n * 3,)
 * @param {number[]} weights (n,)
 * @param {number[]} otherLab of all tracks
 * @param {number[]} otherShares of all tracks
 * @param {number[]} columns (m,) the tracks that may be matched
 * @param {number[]} saved (m,) what it saves to match each
 */
function match(lab, weights, otherLab, otherShares, columns, saved) {
  const n = weights.length;
  const m = columns.length;
  const distances = new Float64Array(n * m);
  const costs = new Float64Array(n * m);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      const at = 3 * columns[j];
      const distance = Math.hypot(
        lab[3 * i] - otherLab[at],
        lab[3 * i + 1] - otherLab[at + 1],
        lab[3 * i + 2] - otherLab[at + 2],
      );
      const share = otherShares[columns[j]];
      distances[i * m + j] = distance;
      costs[i * m + j] =
        Math.min(distance, DIFFERENT) * Math.min(weights[i], share) +
        GONE * Math.abs(weights[i] - share) -
        (GONE * weights[i] + saved[j]);
    }
  }
  let cost =
    GONE * weights.reduce((a, b) => a + b, 0) + saved.reduce((a, b) => a + b, 0);
  /** @type {({column: number, distance: number} | undefined)[]} */
  const matched = new Array(n);
  assign(costs, n, m).forEach((j, i) => {
    if (j >= 0) {
      matched[i] = { column: columns[j], distance: distances[i * m + j] };
      cost += costs[i * m + j];
    }
  });
  return { matched, cost };
}

/**
 * Linear assignment by shortest augmenting paths (Jonker and Volgenant 1987).
 * @param {Float64Array} costs (n * m,)
 * @param {number} n
 * @param {number} m
 * @returns {number[]} each row's column, -1: none
 */
function assign(costs, n, m) {
  if (n > m) {
    const turned = new Float64Array(n * m);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < m; j++) {
        turned[j * n + i] = costs[i * m + j];
      }
    }
    const rows = new Array(n).fill(-1);
    assign(turned, m, n).forEach((i, j) => {
      rows[i] = j;
    });
    return rows;
  }
  const u = new Float64Array(n + 1);
  const v = new Float64Array(m + 1);
  // Of each column, from 1, its row; 0: none. Column 0 is that of the row that is added.
  const rowOf = new Int32Array(m + 1);
  const before = new Int32Array(m + 1);
  for (let row = 1; row <= n; row++) {
    const least = new Float64Array(m + 1).fill(Number.POSITIVE_INFINITY);
    const used = new Uint8Array(m + 1);
    let column = 0;
    rowOf[0] = row;
    do {
      used[column] = 1;
      const i = rowOf[column];
      let delta = Number.POSITIVE_INFINITY;
      let next = 0;
      for (let j = 1; j <= m; j++) {
        if (used[j]) {
          continue;
        }
        const reduced = costs[(i - 1) * m + j - 1] - u[i] - v[j];
        if (reduced < least[j]) {
          least[j] = reduced;
          before[j] = column;
        }
        if (least[j] < delta) {
          delta = least[j];
          next = j;
        }
      }
      for (let j = 0; j <= m; j++) {
        if (used[j]) {
          u[rowOf[j]] += delta;
          v[j] -= delta;
        } else {
          least[j] -= delta;
        }
      }
      column = next;
    } while (rowOf[column]);
    while (column) {
      rowOf[column] = rowOf[before[column]];
      column = before[column];
    }
  }
  const columns = new Array(n).fill(-1);
  for (let j = 1; j <= m; j++) {
    if (rowOf[j]) {
      columns[rowOf[j] - 1] = j - 1;
    }
  }
  return columns;
}
