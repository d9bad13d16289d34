// A film as its page holds it: places (one for each frame, also of missing ones), their
// times, means, strips and palettes; and its previews.

/**
 * What reelbow.explorer.film_data packs.
 * @typedef {object} About
 * @property {string} film
 * @property {string} title
 * @property {Record<string, string>} subtitles
 * @property {string} making
 * @property {number} n_places
 * @property {number} n_frames
 * @property {number} step frames from one place to the next
 * @property {number | null} end_s
 * @property {Measure[]} measures
 * @property {number} n_shots also those of which no frame is shown
 * @property {[string, string][]} skipped
 * @property {number} n_skipped
 * @property {string[]} [names]
 * @property {string | null} link
 * @property {string} kind
 * @property {string} gap_color
 * @property {Sheet[]} sheets
 * @property {Record<string, [string, number, number]>} arrays
 */

/**
 * A measure of each frame; its array has whole numbers of 65535 in the largest.
 * @typedef {{name: string, label: string, largest: number}} Measure
 */

/**
 * Where previews are: cells of a sheet, row by row, of runs of frames (first, last).
 * @typedef {object} Sheet
 * @property {string} file
 * @property {boolean} embedded
 * @property {[number, number]} cell
 * @property {[number, number]} pitch
 * @property {number} columns
 * @property {[number, number][]} frames
 */

/**
 * A film on its way from one page to another. folder: of its page, from this one; null: it
 * is not known, and sheets that are not in the page cannot be shown.
 * @typedef {{about: About, arrays: string, sheets: string[], folder: string | null}} Parcel
 */

const ARRAY_TYPES = { uint8: Uint8Array, uint16: Uint16Array, int32: Int32Array };

class Film {
  /**
   * Read a film's parcel.
   * @param {Parcel} parcel
   * @returns {Promise<Film>}
   */
  static async read(parcel) {
    const bytes = Uint8Array.from(atob(parcel.arrays), (sign) => sign.charCodeAt(0));
    const inflated = new Blob([bytes])
      .stream()
      .pipeThrough(new DecompressionStream("deflate"));
    return new Film(parcel, await new Response(inflated).arrayBuffer());
  }

  /**
   * @param {Parcel} parcel
   * @param {ArrayBuffer} buffer
   */
  constructor(parcel, buffer) {
    const about = parcel.about;
    /** @param {string} name */
    const get = (name) => {
      const [type, start, length] = about.arrays[name];
      return new ARRAY_TYPES[/** @type {keyof typeof ARRAY_TYPES} */ (type)](
        buffer,
        start,
        length,
      );
    };
    /** @param {string} name */
    const bytes = (name) => /** @type {Uint8Array} */ (get(name));
    this.about = about;
    this.n = about.n_places;
    this.step = about.step;
    this.present = bytes("present");
    this.means = bytes("means");
    this.luma = get("luma");
    this.measures = get("measures");
    this.nColors = /** @type {Uint16Array} */ (get("n_colors"));
    this.colors = bytes("colors");
    this.shares = get("shares");
    this.accents = bytes("accents");
    const shots = /** @type {Int32Array} */ (get("shots"));
    /** Of each shot that has a place; all are empty if shots were not looked for. */
    this.shots = {
      numbers: shots.subarray(0, shots.length / 4),
      places: shots.subarray(shots.length / 4, shots.length / 2),
      frames: shots.subarray(shots.length / 2, (3 * shots.length) / 4),
      lengthsMs: shots.subarray((3 * shots.length) / 4),
    };
    this.timesMs = "times_ms" in about.arrays ? get("times_ms") : null;
    this.strips = bytes("strips");
    this.rows = this.n ? this.strips.length / 3 / this.n : 1;
    const width = 3 * this.rows;
    for (let i = width; i < this.strips.length; i++) {
      this.strips[i] += this.strips[i - width];
    }
    // Where each place's colors begin.
    this.starts = new Int32Array(this.n + 1);
    for (let place = 0; place < this.n; place++) {
      this.starts[place + 1] = this.starts[place] + this.nColors[place];
    }
    this.previews = new Previews(parcel);
    /** @type {Float32Array | null} */
    this.lab = null;
  }

  /** All palettes' colors in OKLab, found once. */
  get oklab() {
    if (!this.lab) {
      this.lab = new Float32Array(this.colors.length);
      for (let i = 0; i < this.colors.length; i += 3) {
        this.lab.set(
          toOklab(this.colors[i], this.colors[i + 1], this.colors[i + 2]),
          i,
        );
      }
    }
    return this.lab;
  }

  /** Whether its frames have times. */
  get isTimed() {
    return this.timesMs !== null && this.n > 0;
  }

  /** Seconds between two frames at the film's end. */
  get stepS() {
    const last = this.n - 1;
    return last > 0 ? this.timeOf(last) - this.timeOf(last - 1) || 1 : this.step;
  }

  /**
   * Seconds of a place; of one without a time its frame's number.
   * @param {number} place
   */
  timeOf(place) {
    return this.timesMs ? this.timesMs[place] / 1000 : place * this.step;
  }

  /** When the last frame gives way. */
  get endS() {
    return this.timesMs ? (this.about.end_s ?? 0) : this.n * this.step;
  }

  /**
   * How long a place's frame stands, in seconds, or frames.
   * @param {number} place
   */
  lengthOf(place) {
    return (
      (place + 1 < this.n ? this.timeOf(place + 1) : this.endS) - this.timeOf(place)
    );
  }

  /**
   * Time at an edge or between two of them, straight on beyond the ends.
   * @param {number} position in places, [0, n]
   */
  timeAt(position) {
    const place = Math.floor(position);
    if (place < 0 || !this.n) {
      return this.n ? this.timeOf(0) + position * this.stepS : 0;
    }
    if (place >= this.n) {
      return this.endS + (position - this.n) * this.stepS;
    }
    return this.timeOf(place) + (position - place) * this.lengthOf(place);
  }

  /**
   * The position at a time: what `timeAt` turns around.
   * @param {number} timeS
   */
  positionAt(timeS) {
    if (!this.n || timeS < this.timeOf(0)) {
      return this.n ? (timeS - this.timeOf(0)) / this.stepS : 0;
    }
    if (timeS >= this.endS) {
      return this.n + (timeS - this.endS) / this.stepS;
    }
    let low = 0;
    let high = this.n;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.timeOf(middle) <= timeS) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return low + (timeS - this.timeOf(low)) / (this.lengthOf(low) || 1);
  }

  /**
   * The place of the frame on the screen at a time.
   * @param {number} timeS
   */
  placeAt(timeS) {
    return Math.min(this.n - 1, Math.max(0, Math.floor(this.positionAt(timeS) + 1e-6)));
  }

  /**
   * A place's number in the film.
   * @param {number} place
   */
  frameOf(place) {
    return place * this.step;
  }

  /**
   * A place's time as people write it, or its number.
   * @param {number} place
   */
  nameTime(place) {
    return this.timesMs
      ? formatTime(this.timeOf(place))
      : `frame ${this.frameOf(place)}`;
  }

  /**
   * A place's palette, most frequent color first.
   * @param {number} place
   */
  paletteOf(place) {
    const palette = [];
    for (let i = this.starts[place]; i < this.starts[place + 1]; i++) {
      palette.push({
        rgb: [...this.colors.subarray(3 * i, 3 * i + 3)],
        share: this.shares[i] / 65535,
        accent: this.accents[i] === 1,
      });
    }
    return palette;
  }

  /**
   * The shot that a place is of, of those that have one; -1: none.
   * @param {number} place
   */
  shotAt(place) {
    const { places } = this.shots;
    let low = -1;
    let high = places.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (places[middle] <= place) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /**
   * The first and the last place of a shot.
   * @param {number} shot as of `shotAt`
   * @returns {[number, number]}
   */
  placesOf(shot) {
    const { places } = this.shots;
    return [places[shot], (places[shot + 1] ?? this.n) - 1];
  }

  /**
   * A place's measure.
   * @param {number} number of the measure
   * @param {number} place
   */
  measureOf(number, place) {
    const { largest } = this.about.measures[number];
    return (this.measures[number * this.n + place] / 65535) * largest;
  }

  /**
   * Find the frames in which colors near one have a share in all.
   * @param {number[]} rgb
   * @param {number} tolerance distance in OKLab
   * @param {number} leastShare 0: any
   * @returns {Uint8Array} (n,) 0 or 1
   */
  find(rgb, tolerance, leastShare) {
    const lab = this.oklab;
    const [L, a, b] = toOklab(rgb[0], rgb[1], rgb[2]);
    // A color within its own rounding is at no distance.
    const most = (tolerance + 1e-6) ** 2;
    const found = new Uint8Array(this.n);
    for (let place = 0; place < this.n; place++) {
      let share = 0;
      for (let i = this.starts[place]; i < this.starts[place + 1]; i++) {
        const d =
          (lab[3 * i] - L) ** 2 + (lab[3 * i + 1] - a) ** 2 + (lab[3 * i + 2] - b) ** 2;
        if (d <= most) {
          share += this.shares[i];
        }
      }
      // Shares are whole numbers: half of one is the rounding of a sum.
      found[place] = Number(share > 0 && share + 4 >= leastShare * 65535);
    }
    return found;
  }
}

/** Small pictures of frames, each sheet decoded when the first of its frames is asked for. */
class Previews {
  static #KEPT = 4;

  /** @param {Parcel} parcel */
  constructor(parcel) {
    const { n_places: n, step } = parcel.about;
    this.parcel = parcel;
    this.sheetOf = new Int32Array(n).fill(-1);
    this.cellOf = new Int32Array(n);
    /** @type {Map<number, Promise<ImageBitmap>>} the latest last */
    this.decoded = new Map();
    /** @type {Promise<unknown>} of the sheet that was begun last */
    this.decoding = Promise.resolve();
    parcel.about.sheets.forEach((sheet, number) => {
      let cell = 0;
      for (const [first, last] of sheet.frames) {
        for (let frame = first; frame <= last; frame++, cell++) {
          // Of those that a place stands for the first one that has a preview.
          const place = Math.floor(frame / step);
          if (this.sheetOf[place] < 0 && this.#isThere(sheet)) {
            this.sheetOf[place] = number;
            this.cellOf[place] = cell;
          }
        }
      }
    });
  }

  /** @param {Sheet} sheet */
  #isThere(sheet) {
    return sheet.embedded || this.parcel.folder !== null;
  }

  /**
   * The size of a place's preview; null: it has none.
   * @param {number} place
   */
  sizeOf(place) {
    const number = this.sheetOf[place];
    return number < 0 ? null : this.parcel.about.sheets[number].cell;
  }

  /**
   * Draw a preview when it is there, unless by then `isWanted` says no.
   * @param {HTMLCanvasElement} canvas
   * @param {number} place
   * @param {() => boolean} isWanted
   * @returns {Promise<boolean>} false: it has none, or its sheet cannot be read
   */
  async draw(canvas, place, isWanted = () => true) {
    const number = this.sheetOf[place];
    if (number < 0) {
      return false;
    }
    const { cell, pitch, columns } = this.parcel.about.sheets[number];
    let bitmap;
    try {
      // One sheet after the other: many at once would take a browser's memory.
      if (!this.decoded.has(number)) {
        await this.decoding;
        if (!isWanted()) {
          return false;
        }
      }
      bitmap = await this.#decode(number);
    } catch {
      return false;
    }
    if (isWanted()) {
      const x = (this.cellOf[place] % columns) * pitch[0];
      const y = Math.floor(this.cellOf[place] / columns) * pitch[1];
      if (canvas.width !== cell[0] || canvas.height !== cell[1]) {
        canvas.width = cell[0];
        canvas.height = cell[1];
      }
      canvas
        .getContext("2d")
        ?.drawImage(bitmap, x, y, cell[0], cell[1], 0, 0, cell[0], cell[1]);
    }
    return true;
  }

  /** @param {number} number */
  #decode(number) {
    let bitmap = this.decoded.get(number);
    if (!bitmap) {
      bitmap = this.#load(number);
      this.decoding = bitmap.catch(() => {});
    }
    this.decoded.delete(number);
    this.decoded.set(number, bitmap);
    for (const [oldest, old] of this.decoded) {
      if (this.decoded.size <= Previews.#KEPT) {
        break;
      }
      this.decoded.delete(oldest);
      old.then(
        (each) => each.close(),
        () => {},
      );
    }
    return bitmap;
  }

  /** @param {number} number */
  async #load(number) {
    const sheet = this.parcel.about.sheets[number];
    const image = new Image();
    image.src = sheet.embedded
      ? `data:image/jpeg;base64,${this.parcel.sheets[number]}`
      : (this.parcel.folder ?? "") + sheet.file;
    await image.decode();
    return createImageBitmap(image);
  }
}

/**
 * Read h:mm:ss.mmm, m:ss or seconds; NaN: it is none of them.
 * @param {string} text
 */
function parseTime(text) {
  const found = /^(?:(?:(\d+):)?(\d+):)?(\d+(?:[.,]\d*)?)$/.exec(text.trim());
  if (!found) {
    return Number.NaN;
  }
  const [hours, minutes, seconds] = found
    .slice(1)
    .map((part) => Number((part ?? "0").replace(",", ".")));
  return 3600 * hours + 60 * minutes + seconds;
}
