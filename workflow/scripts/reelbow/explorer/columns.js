// A film's columns, as wide as a frame or as 2, 4, 8 ... of them, and pictures of them.

/**
 * Palettes of bins of 2^level places.
 * @typedef {object} Level
 * @property {number} n bins
 * @property {Uint16Array} nColors (n,)
 * @property {Uint8Array} rgb (n * k * 3,)
 * @property {Float32Array} lab (n * k * 3,)
 * @property {Float32Array} shares (n * k,) of 1 a bin
 * @property {Uint8Array} accents (n * k,)
 * @property {Float32Array} weights (n,) how many of a bin's frames are there
 * @property {Uint8Array} means (n * 3,)
 * @property {Uint8Array} strips (n * rows * 3,)
 * @property {Uint16Array | null} tracks (n * k,) bands from the bottom up; null: not found yet
 */

class Columns {
  static TILE = 512;
  static HEIGHT = 256;
  static #KEPT = 64;
  /** Colors of a bin of several frames, at most: to join more takes long. */
  static #JOINED = 12;

  /** @param {Film} film */
  constructor(film) {
    this.film = film;
    this.k = film.nColors.reduce((a, b) => Math.max(a, b), 1);
    /** @type {Level[]} */
    this.levels = [this.#getFrames()];
    /** @type {Map<string, HTMLCanvasElement>} the latest last */
    this.tiles = new Map();
    this.gap = parseColor(film.about.gap_color) ?? [217, 217, 217];
  }

  /**
   * The palettes of bins of 2^level places.
   * @param {number} level
   */
  getLevel(level) {
    while (this.levels.length <= level) {
      this.levels.push(this.#join(this.levels[this.levels.length - 1]));
    }
    return this.levels[level];
  }

  /**
   * A picture of TILE columns, one pixel a bin.
   * @param {string} kind
   * @param {string} order
   * @param {number} level
   * @param {number} number
   */
  getTile(kind, order, level, number) {
    const bins = this.getLevel(level);
    const isWaiting = isBanded(kind) && order === "track" && !bins.tracks;
    const key = [kind, isBanded(kind) ? order + isWaiting : "", level, number].join();
    let tile = this.tiles.get(key);
    if (tile) {
      this.tiles.delete(key);
    } else {
      tile = this.#drawTile(kind, order, bins, number * Columns.TILE);
    }
    this.tiles.set(key, tile);
    if (this.tiles.size > Columns.#KEPT) {
      this.tiles.delete(/** @type {string} */ (this.tiles.keys().next().value));
    }
    return tile;
  }

  /**
   * @param {string} kind
   * @param {string} order
   * @param {Level} bins
   * @param {number} first bin
   */
  #drawTile(kind, order, bins, first) {
    const width = Math.min(Columns.TILE, bins.n - first);
    const height =
      kind === "strip" ? this.film.rows : isBanded(kind) ? Columns.HEIGHT : 1;
    const image = new ImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    for (let x = 0; x < width; x++) {
      const bin = first + x;
      if (!bins.weights[bin]) {
        fill(pixels, x, width, 0, height, this.gap, 0);
      } else if (kind === "mean") {
        fill(pixels, x, width, 0, height, bins.means, 3 * bin);
      } else if (kind === "dominant") {
        fill(pixels, x, width, 0, height, bins.rgb, 3 * bin * this.k);
      } else if (kind === "rarest") {
        const last = bin * this.k + bins.nColors[bin] - 1;
        fill(pixels, x, width, 0, height, bins.rgb, 3 * last);
      } else if (kind === "strip") {
        for (let y = 0; y < height; y++) {
          fill(pixels, x, width, y, y + 1, bins.strips, 3 * (bin * height + y));
        }
      } else {
        this.#stack(pixels, x, width, bins, bin, order, kind === "equal");
      }
    }
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    canvas.getContext("2d")?.putImageData(image, 0, 0);
    return canvas;
  }

  /**
   * Draw a palette as bands, the first in order at the bottom, as stack_colors does.
   * @param {Uint32Array} pixels
   * @param {number} x
   * @param {number} width
   * @param {Level} bins
   * @param {number} bin
   * @param {string} order
   * @param {boolean} isEqual whether all are as high
   */
  #stack(pixels, x, width, bins, bin, order, isEqual) {
    const start = bin * this.k;
    /** @param {number} i */
    const getShare = (i) => (isEqual ? 1 : bins.shares[start + i]);
    let sum = 0;
    for (let i = 0; i < bins.nColors[bin]; i++) {
      sum += getShare(i);
    }
    let share = 0;
    let bottom = 0;
    for (const i of this.#order(bins, bin, order)) {
      share += getShare(i);
      const top = Math.round((share / sum) * Columns.HEIGHT);
      fill(
        pixels,
        x,
        width,
        Columns.HEIGHT - top,
        Columns.HEIGHT - bottom,
        bins.rgb,
        3 * (start + i),
      );
      bottom = top;
    }
  }

  /**
   * A palette's colors from the bottom up, as _order_colors has them.
   * @param {Level} bins
   * @param {number} bin
   * @param {string} order
   */
  #order(bins, bin, order) {
    const n = bins.nColors[bin];
    const start = bin * this.k;
    const places = Array.from({ length: n }, (_, i) => i);
    if (order === "track" && bins.tracks) {
      return places.map((i) => /** @type {Uint16Array} */ (bins.tracks)[start + i]);
    }
    if (order === "luminance" || order === "hue") {
      const keys = places.map((i) => {
        const rgb = bins.rgb.subarray(3 * (start + i), 3 * (start + i) + 3);
        const luminance =
          0.2126 * LINEAR[rgb[0]] + 0.7152 * LINEAR[rgb[1]] + 0.0722 * LINEAR[rgb[2]];
        // The greys first, darkest first; then by hue.
        return order === "luminance" ? luminance : (getHue(rgb) ?? luminance - 2);
      });
      places.sort((i, j) => keys[i] - keys[j]);
    }
    return places;
  }

  /** @returns {Level} */
  #getFrames() {
    const { film, k } = this;
    const level = this.#makeLevel(film.n);
    const lab = film.oklab;
    for (let place = 0; place < film.n; place++) {
      const start = film.starts[place];
      const n = film.nColors[place];
      level.nColors[place] = n;
      level.weights[place] = n ? film.present[place] : 0;
      level.rgb.set(film.colors.subarray(3 * start, 3 * (start + n)), 3 * place * k);
      level.lab.set(lab.subarray(3 * start, 3 * (start + n)), 3 * place * k);
      level.accents.set(film.accents.subarray(start, start + n), place * k);
      for (let i = 0; i < n; i++) {
        level.shares[place * k + i] = film.shares[start + i] / 65535;
      }
    }
    level.means = /** @type {Uint8Array} */ (film.means);
    level.strips = /** @type {Uint8Array} */ (film.strips);
    return level;
  }

  /**
   * @param {number} n
   * @returns {Level}
   */
  #makeLevel(n) {
    return {
      n,
      nColors: new Uint16Array(n),
      rgb: new Uint8Array(n * this.k * 3),
      lab: new Float32Array(n * this.k * 3),
      shares: new Float32Array(n * this.k),
      accents: new Uint8Array(n * this.k),
      weights: new Float32Array(n),
      means: new Uint8Array(0),
      strips: new Uint8Array(0),
      tracks: null,
    };
  }

  /**
   * Join bins by two: means and strips are averaged, of two palettes the nearest colors
   * become one until there are k, accents among themselves (Ward's criterion, OKLab).
   * @param {Level} below
   * @returns {Level}
   */
  #join(below) {
    const level = this.#makeLevel(Math.ceil(below.n / 2));
    level.means = averagePairs(below.means, 3, below.weights);
    level.strips = averagePairs(below.strips, 3 * this.film.rows, below.weights);
    for (let bin = 0; bin < level.n; bin++) {
      const left = below.weights[2 * bin];
      const right = below.weights[2 * bin + 1] ?? 0;
      level.weights[bin] = left + right;
      /** @type {Entry[]} */
      const entries = [];
      this.#collect(entries, below, 2 * bin, left / (left + right || 1));
      this.#collect(entries, below, 2 * bin + 1, right / (left + right || 1));
      const joined = joinNearest(entries, Math.min(this.k, Columns.#JOINED));
      level.nColors[bin] = joined.length;
      joined.forEach(({ lab, rgb, share, accent }, i) => {
        const at = bin * this.k + i;
        level.lab.set(lab, 3 * at);
        level.rgb.set(rgb ?? fromOklab(...lab), 3 * at);
        level.shares[at] = share;
        level.accents[at] = accent;
      });
    }
    return level;
  }

  /**
   * @param {Entry[]} entries
   * @param {Level} bins
   * @param {number} bin
   * @param {number} weight
   */
  #collect(entries, bins, bin, weight) {
    const start = bin * this.k;
    for (let i = start; weight && i < start + bins.nColors[bin]; i++) {
      const entry = {
        lab: /** @type {Triple} */ ([...bins.lab.subarray(3 * i, 3 * i + 3)]),
        rgb: bins.rgb.subarray(3 * i, 3 * i + 3),
        share: bins.shares[i] * weight,
        accent: bins.accents[i],
      };
      const last = entries.length - 1;
      if (i < start + Columns.#JOINED) {
        entries.push(entry);
      } else {
        // The smallest of many colors go to the nearest of the others at once.
        const nearest = entries
          .slice(last + 1 - Columns.#JOINED)
          .reduce((a, b) =>
            square(a.lab, entry.lab) <= square(b.lab, entry.lab) ? a : b,
          );
        nearest.share += entry.share;
      }
    }
  }
}

/**
 * A color with its share. rgb: as it was found; null: it is a mean of several.
 * @typedef {{lab: Triple, rgb: Uint8Array | null, share: number, accent: number}} Entry
 */

/** @param {Triple} one @param {Triple} other */
function square(one, other) {
  return (one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2 + (one[2] - other[2]) ** 2;
}

/**
 * Join the nearest two colors, weighted by their shares, until there are k.
 * @param {Entry[]} entries changed
 * @param {number} k
 */
function joinNearest(entries, k) {
  while (entries.length > k) {
    let least = Number.POSITIVE_INFINITY;
    let first = 0;
    let second = 1;
    for (let i = 0; i < entries.length; i++) {
      const { lab, share, accent } = entries[i];
      for (let j = i + 1; j < entries.length; j++) {
        const other = entries[j];
        const apart = square(lab, other.lab);
        // An accent and another only where nothing else is left.
        const cost =
          (apart * share * other.share) / (share + other.share) +
          (accent === other.accent ? 0 : 1);
        if (cost < least) {
          [least, first, second] = [cost, i, j];
        }
      }
    }
    const [one, other] = [entries[first], entries[second]];
    const share = one.share + other.share;
    /** @param {0 | 1 | 2} i */
    const mix = (i) => (one.lab[i] * one.share + other.lab[i] * other.share) / share;
    const isSame =
      one.rgb !== null &&
      other.rgb !== null &&
      formatColor(one.rgb) === formatColor(other.rgb);
    entries[first] = {
      lab: [mix(0), mix(1), mix(2)],
      rgb: isSame ? one.rgb : null,
      share,
      accent: Math.min(one.accent, other.accent),
    };
    entries.splice(second, 1);
  }
  return entries.sort((one, other) => other.share - one.share);
}

/**
 * Average rows by two, each with its weight.
 * @param {Uint8Array} rows
 * @param {number} width
 * @param {Float32Array} weights
 */
function averagePairs(rows, width, weights) {
  const n = weights.length;
  const averaged = new Uint8Array(Math.ceil(n / 2) * width);
  for (let row = 0; 2 * row < n; row++) {
    const left = weights[2 * row];
    const right = weights[2 * row + 1] ?? 0;
    const scale = 1 / (left + right || 1);
    for (let i = 0; i < width; i++) {
      const first = 2 * row * width + i;
      const sum = rows[first] * left + (right ? rows[first + width] * right : 0);
      averaged[row * width + i] = sum * scale + 0.5;
    }
  }
  return averaged;
}

/**
 * Fill rows of a column with a color, opaque; browsers run on little-endian machines.
 * @param {Uint32Array} pixels
 * @param {number} x
 * @param {number} width
 * @param {number} top
 * @param {number} bottom
 * @param {ArrayLike<number>} colors
 * @param {number} at
 */
function fill(pixels, x, width, top, bottom, colors, at) {
  const color =
    ((255 << 24) | (colors[at + 2] << 16) | (colors[at + 1] << 8) | colors[at]) >>> 0;
  for (let i = top * width + x; i < bottom * width; i += width) {
    pixels[i] = color;
  }
}

/**
 * Whether a kind is drawn as bands, which have an order.
 * @param {string} kind
 */
function isBanded(kind) {
  return kind === "stacked" || kind === "equal";
}

/**
 * HSV hue in degrees; null: near grey, as GREY_CHROMA has it.
 * @param {ArrayLike<number>} rgb
 */
function getHue(rgb) {
  const [red, green, blue] = [rgb[0], rgb[1], rgb[2]];
  const largest = Math.max(red, green, blue);
  const chroma = largest - Math.min(red, green, blue);
  if (chroma < 24) {
    return null;
  }
  if (largest === red) {
    return 60 * (((green - blue) / chroma + 6) % 6);
  }
  return largest === green
    ? 60 * ((blue - red) / chroma + 2)
    : 60 * ((red - green) / chroma + 4);
}
