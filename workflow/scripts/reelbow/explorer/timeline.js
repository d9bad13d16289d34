// A film on the page: overview, marks, barcode, time axis and the frame that is looked at.

/** Of the picture of a stretch; where there are more frames, some share a column. */
const PICTURE_WIDTH = 1200;
const PICTURE_HEIGHT = 300;
const WIDEST = 16_384;

/** Pixels from one tick of a shot to the next. */
const LEAST_APART_PX = 4;

/** Pixels that a pointer may move in a click. */
const CLICK_PX = 4;

/** What labels of the time axis are apart, in seconds or frames. */
const STEPS = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120,
  300, 600, 900, 1800, 3600, 7200, 14400, 36000, 86400,
];
const COUNTS = [1, 2, 5];

/**
 * What a timeline tells the page: each takes the timeline and what it is about.
 * @typedef {object} Listener
 * @property {(line: Timeline, place: number) => void} hover
 * @property {(line: Timeline, place: number) => void} hold
 * @property {(line: Timeline, view: [number, number]) => void} see
 * @property {(line: Timeline, first: number, last: number) => void} select
 * @property {(line: Timeline, rgb: number[]) => void} search
 * @property {(sentence: string) => void} tell
 * @property {(line: Timeline, event: KeyboardEvent) => void} press
 */

class Timeline {
  /**
   * @param {Film} film
   * @param {Listener} listener
   */
  constructor(film, listener) {
    this.film = film;
    this.columns = new Columns(film);
    this.listener = listener;
    const template = /** @type {HTMLTemplateElement} */ (
      document.getElementById("film")
    );
    this.root = /** @type {HTMLElement} */ (
      template.content.cloneNode(true)
    ).firstElementChild;
    /** @type {[number, number]} places at the left and right edge */
    this.view = [0, film.n];
    /** The place that is looked at. */
    this.place = 0;
    /** @type {[number, number] | null} first and last place of the selected stretch */
    this.stretch = null;
    /** @type {Uint8Array | null} of a search */
    this.found = null;
    /** @type {Int32Array | null} how many are found before each place */
    this.foundBefore = null;
    this.kind = film.about.kind;
    this.order = "luminance";
    this.isHeld = false;
    this.selects = false;
    /** @type {Map<number, {x: number, y: number}>} */
    this.pointers = new Map();
    this.overview = this.#get(".overview", HTMLCanvasElement);
    this.marks = this.#get(".marks", HTMLCanvasElement);
    this.drawn = this.#get(".drawn", HTMLCanvasElement);
    this.over = this.#get(".over", HTMLCanvasElement);
    this.cuts = this.#get(".cuts", HTMLCanvasElement);
    this.cuts.hidden = !film.about.n_shots;
    this.axis = this.#get(".axis", HTMLCanvasElement);
    this.previewCanvas = this.#get(".preview canvas", HTMLCanvasElement);
    this.swatches = this.#get(".palette", HTMLElement);
    this.measured = film.about.measures.map(({ label }) => {
      const name = document.createElement("dt");
      name.textContent = label;
      const value = document.createElement("dd");
      value.className = "number";
      const pair = document.createElement("div");
      pair.append(name, value);
      this.#get(".measured", HTMLElement).append(pair);
      return value;
    });
    for (const name of this.root?.querySelectorAll(".name") ?? []) {
      name.textContent = film.about.title;
    }
    this.over.setAttribute("aria-valuemax", String(Math.max(0, film.n - 1)));
    this.over.setAttribute("aria-label", `Barcode of ${film.about.title}: frame`);
    this.#listen();
  }

  /**
   * @template {Element} T
   * @param {string} selector
   * @param {new () => T} type
   * @returns {T}
   */
  #get(selector, type) {
    const element = this.root?.querySelector(selector);
    if (!(element instanceof type)) {
      throw new Error(`no ${selector}`);
    }
    return element;
  }

  /** How many places a screen's pixel stands for. */
  get perPixel() {
    return (this.view[1] - this.view[0]) / (this.over.clientWidth || 1);
  }

  /**
   * The place below a point of the barcode; null: beside the film.
   * @param {number} x CSS pixels from the left
   */
  placeAt(x) {
    const place = Math.floor(this.view[0] + x * this.perPixel);
    return place >= 0 && place < this.film.n ? place : null;
  }

  /** Say which frames a search has found; null: there is none. */
  setFound(/** @type {Uint8Array | null} */ found) {
    this.found = found;
    this.foundBefore = null;
    if (found) {
      this.foundBefore = new Int32Array(found.length + 1);
      for (let i = 0; i < found.length; i++) {
        this.foundBefore[i + 1] = this.foundBefore[i] + found[i];
      }
    }
  }

  /** Draw everything, in the size that the page gives. */
  draw() {
    if (!this.over.clientWidth) {
      return;
    }
    const drawn = fit(this.drawn);
    this.#drawBarcode(drawn, this.view, this.drawn.width, this.drawn.height);
    this.#dimOthers(drawn);
    this.#drawMarks();
    this.#drawOverview();
    this.#drawCuts();
    this.#drawAxis();
    this.drawCursor();
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {[number, number]} view
   * @param {number} width
   * @param {number} height
   */
  #drawBarcode(context, view, width, height) {
    const perPixel = (view[1] - view[0]) / width;
    const level = findLevel(perPixel);
    const bin = 2 ** level;
    const span = bin * Columns.TILE;
    context.imageSmoothingEnabled = false;
    context.clearRect(0, 0, width, height);
    const last = Math.min(this.film.n, view[1]);
    for (
      let number = Math.max(0, Math.floor(view[0] / span));
      number * span < last;
      number++
    ) {
      const tile = this.columns.getTile(this.kind, this.order, level, number);
      const left = Math.round((number * span - view[0]) / perPixel);
      const right = Math.round(
        (Math.min(this.film.n, number * span + tile.width * bin) - view[0]) / perPixel,
      );
      context.drawImage(
        tile,
        0,
        0,
        tile.width,
        tile.height,
        left,
        0,
        right - left,
        height,
      );
    }
    if (isBanded(this.kind) && this.order === "track") {
      this.#waitForTracks(level);
    }
  }

  /**
   * A picture of a stretch as it is drawn, a column or more a frame.
   * @param {number} first
   * @param {number} last
   */
  async makePicture(first, last) {
    const n = last - first + 1;
    const canvas = document.createElement("canvas");
    canvas.width = Math.min(WIDEST, n * Math.max(1, Math.floor(PICTURE_WIDTH / n)));
    canvas.height = PICTURE_HEIGHT;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const level = findLevel(n / canvas.width);
    if (isBanded(this.kind) && this.order === "track") {
      await followColors(this.columns, this.columns.getLevel(level));
    }
    this.#drawBarcode(context, [first, last + 1], canvas.width, canvas.height);
    return canvas;
  }

  /**
   * Tracks take a while: until they are there, bands are drawn by share.
   * @param {number} level
   */
  #waitForTracks(level) {
    const bins = this.columns.getLevel(level);
    if (!bins.tracks && !this.waiting) {
      this.waiting = followColors(this.columns, bins).then(() => {
        this.waiting = null;
        this.draw();
      });
    }
  }

  /** Dim what a search has not found; the row of marks says the same without color. */
  #dimOthers(/** @type {CanvasRenderingContext2D} */ context) {
    if (!this.foundBefore) {
      return;
    }
    context.fillStyle = getColor("--page");
    context.globalAlpha = 0.78;
    for (const [left, right] of this.#runs(this.drawn.width, (n) => n === 0)) {
      context.fillRect(left, 0, right - left, this.drawn.height);
    }
    context.globalAlpha = 1;
  }

  #drawMarks() {
    const context = fit(this.marks);
    context.clearRect(0, 0, this.marks.width, this.marks.height);
    context.fillStyle = getColor("--text");
    for (const [left, right] of this.#runs(this.marks.width, (n) => n > 0)) {
      context.fillRect(left, 0, Math.max(right - left, 2), this.marks.height - 2);
    }
  }

  /**
   * Runs of pixels by how many of their frames are found.
   * @param {number} width
   * @param {(n: number) => boolean} isWanted
   * @returns {Generator<[number, number]>}
   */
  *#runs(width, isWanted) {
    const before = this.foundBefore;
    if (!before) {
      return;
    }
    const perPixel = (this.view[1] - this.view[0]) / width;
    /** @param {number} x */
    const placeOf = (x) => Math.floor(this.view[0] + x * perPixel);
    /** @param {number} place */
    const clip = (place) => Math.max(0, Math.min(this.film.n, place));
    let start = -1;
    for (let x = 0; x <= width; x++) {
      const first = placeOf(x);
      const wanted =
        x < width &&
        isWanted(
          before[clip(Math.max(placeOf(x + 1), first + 1))] - before[clip(first)],
        );
      if (wanted && start < 0) {
        start = x;
      } else if (!wanted && start >= 0) {
        yield [start, x];
        start = -1;
      }
    }
  }

  #drawOverview() {
    const context = fit(this.overview);
    const { width, height } = this.overview;
    const whole = this.wholeView;
    this.#drawBarcode(context, whole, width, height);
    const scale = width / (whole[1] - whole[0]);
    const left = (this.view[0] - whole[0]) * scale;
    const right = (this.view[1] - whole[0]) * scale;
    context.fillStyle = getColor("--page");
    context.globalAlpha = 0.6;
    context.fillRect(0, 0, left, height);
    context.fillRect(right, 0, width - right, height);
    context.globalAlpha = 1;
    context.strokeStyle = getColor("--accent");
    context.lineWidth = 2 * devicePixelRatio;
    context.strokeRect(left + 1, 1, Math.max(2, right - left - 2), height - 2);
    this.overview.setAttribute(
      "aria-label",
      `The whole film; ${this.film.nameTime(this.#clip(this.view[0]))} to ${this.film.nameTime(this.#clip(this.view[1] - 1))} is in view`,
    );
  }

  /** @param {number} position */
  #clip(position) {
    return Math.max(0, Math.min(this.film.n - 1, Math.floor(position)));
  }

  /** @type {[number, number]} what the overview shows */
  wholeView = [0, 1];

  /** A tick where each shot begins; of those that are too close to be told apart some. */
  #drawCuts() {
    if (this.cuts.hidden) {
      return;
    }
    const context = fit(this.cuts);
    const { width, height } = this.cuts;
    const scale = width / (this.view[1] - this.view[0]);
    const apart = (LEAST_APART_PX * devicePixelRatio) / scale;
    context.clearRect(0, 0, width, height);
    context.fillStyle = getColor("--text");
    // From the film's first one on: a view that moves leaves out the same ones.
    let last = Number.NEGATIVE_INFINITY;
    for (const place of this.film.shots.places) {
      if (place - last >= apart) {
        last = place;
        const x = Math.round((place - this.view[0]) * scale);
        context.fillRect(x, 0, devicePixelRatio, height);
      }
    }
  }

  #drawAxis() {
    const { film } = this;
    const context = fit(this.axis);
    const { width } = this.axis;
    context.clearRect(0, 0, width, this.axis.height);
    context.fillStyle = getColor("--text");
    context.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
    context.textBaseline = "bottom";
    const start = film.timeAt(this.view[0]);
    const end = film.timeAt(this.view[1]);
    const least = ((end - start) * 92 * devicePixelRatio) / width;
    const step = findStep(least, film.isTimed);
    for (let time = Math.ceil(start / step - 1e-9) * step; time <= end; time += step) {
      const position = film.positionAt(time);
      if (position < -1e-6 || position > film.n + 1e-6) {
        continue;
      }
      const x = ((position - this.view[0]) / (this.view[1] - this.view[0])) * width;
      context.fillRect(Math.round(x), 0, devicePixelRatio, 5 * devicePixelRatio);
      const label = film.isTimed
        ? formatShortTime(time, step)
        : String(Math.round(time));
      const half = context.measureText(label).width / 2;
      context.fillText(
        label,
        Math.max(0, Math.min(width - 2 * half, x - half)),
        this.axis.height,
      );
    }
  }

  /** Select the shot of the place that is looked at. */
  selectShot() {
    const shot = this.film.shotAt(this.place);
    if (shot >= 0) {
      this.listener.select(this, ...this.film.placesOf(shot));
    }
  }

  /**
   * Where the shot before or after this one begins; before: first where this one does.
   * @param {1 | -1} way
   */
  findShot(way) {
    const { film, place } = this;
    const shot = film.shotAt(place);
    const { places } = film.shots;
    if (way > 0) {
      return places[shot + 1] ?? place;
    }
    return places[places[shot] === place ? shot - 1 : shot] ?? place;
  }

  /** Draw what moves with the pointer, over the barcode. */
  drawCursor() {
    const context = fit(this.over);
    const { width, height } = this.over;
    context.clearRect(0, 0, width, height);
    const scale = width / (this.view[1] - this.view[0]);
    if (this.stretch) {
      const left = (this.stretch[0] - this.view[0]) * scale;
      const right = (this.stretch[1] + 1 - this.view[0]) * scale;
      // A search dims what it has not found: to dim more would hide it.
      if (!this.found) {
        context.fillStyle = getColor("--page");
        context.globalAlpha = 0.45;
        context.fillRect(0, 0, left, height);
        context.fillRect(right, 0, width - right, height);
        context.globalAlpha = 1;
      }
      this.#outline(context, left, right - left);
    }
    const left = (this.place - this.view[0]) * scale;
    this.#outline(context, left, Math.max(scale, 2 * devicePixelRatio));
  }

  /** A light frame in a dark one is seen on every color. */
  #outline(
    /** @type {CanvasRenderingContext2D} */ context,
    /** @type {number} */ left,
    /** @type {number} */ width,
  ) {
    const line = devicePixelRatio * (this.isHeld ? 2 : 1);
    context.lineWidth = line;
    context.strokeStyle = "#000";
    context.strokeRect(
      left - 1.5 * line,
      -line,
      width + 3 * line,
      this.over.height + 2 * line,
    );
    context.strokeStyle = "#fff";
    context.strokeRect(
      left - 0.5 * line,
      -line,
      width + line,
      this.over.height + 2 * line,
    );
  }

  /** Show the frame that is looked at. */
  showFrame() {
    const { film, place } = this;
    this.over.setAttribute("aria-valuenow", String(place));
    if (!film.n) {
      this.over.setAttribute("aria-valuetext", "no frame");
      return;
    }
    // Before any text changes: it asks for sizes, which would lay out all anew.
    this.drawCursor();
    const time = film.nameTime(place);
    const palette = film.paletteOf(place);
    const first = palette.length
      ? `, mostly ${formatColor(palette[0].rgb)}`
      : ", which is missing";
    this.over.setAttribute(
      "aria-valuetext",
      `${time}, frame ${film.frameOf(place)}${first}`,
    );
    this.#get(".time", HTMLElement).textContent = time;
    const name = film.about.names?.[place];
    this.#get(".place", HTMLElement).textContent =
      `frame ${film.frameOf(place).toLocaleString("en")} of ${film.about.n_frames.toLocaleString("en")}${name ? ` · ${name}` : ""}`;
    this.#showShot(place);
    this.#get(".held", HTMLElement).hidden = !this.isHeld;
    const measures = film.present[place]
      ? `mean ${formatColor(film.means.subarray(3 * place, 3 * place + 3))} · luma ${(film.luma[place] / 256).toFixed(1)} of 255`
      : "missing: it could not be read, or has no picture in the file";
    this.#get(".measures", HTMLElement).textContent = measures;
    this.#showMeasures(place);
    this.#linkFilm(place);
    this.#showPreview(place);
    this.#showPalette(palette);
  }

  /** @param {number} place */
  #showShot(place) {
    const { film } = this;
    const shot = film.shotAt(place);
    const told = this.#get(".shot", HTMLElement);
    told.hidden = shot < 0;
    if (shot >= 0) {
      const { numbers, frames, lengthsMs } = film.shots;
      const length =
        lengthsMs[shot] < 0
          ? pluralize(frames[shot], "frame")
          : formatLength(lengthsMs[shot] / 1000);
      const n = film.about.n_shots.toLocaleString("en");
      this.#get(".shot span", HTMLElement).textContent =
        `shot ${numbers[shot].toLocaleString("en")} of ${n}, ${length}`;
    }
  }

  /** @param {number} place */
  #showMeasures(place) {
    const { film } = this;
    this.#get(".measured", HTMLElement).hidden = !film.present[place];
    film.about.measures.forEach(({ largest }, i) => {
      this.measured[i].textContent = film.present[place]
        ? formatMeasure(film.measureOf(i, place), largest)
        : "";
    });
  }

  /** @param {number} place */
  #linkFilm(place) {
    const link = this.#get(".link", HTMLAnchorElement);
    const { link: address } = this.film.about;
    // From a server no browser opens what lies on disk.
    const isBlocked = location.protocol !== "file:" && !/^https?:/.test(address ?? "");
    link.hidden = !address || !this.film.isTimed || isBlocked;
    if (address && !link.hidden) {
      // A player shows the frame before a time that was rounded down.
      const time = this.film.timeOf(place) + 0.001;
      link.href = address.replace("{time_s}", time.toFixed(3));
    }
  }

  /** @param {number} place */
  #showPreview(place) {
    const canvas = this.previewCanvas;
    const none = this.#get(".none", HTMLElement);
    const size = this.film.previews.sizeOf(place);
    canvas.hidden = !size;
    none.hidden = Boolean(size);
    canvas.setAttribute("aria-label", `Preview of ${this.film.nameTime(place)}`);
    if (size) {
      this.film.previews
        .draw(canvas, place, () => this.place === place)
        .then((isDrawn) => {
          if (this.place === place) {
            canvas.hidden = !isDrawn;
            none.hidden = isDrawn;
          }
        });
    }
  }

  /** @param {{rgb: number[], share: number, accent: boolean}[]} palette */
  #showPalette(palette) {
    while (this.swatches.children.length < palette.length) {
      this.swatches.append(makeSwatch(this.listener, this));
    }
    [...this.swatches.children].forEach((item, i) => {
      /** @type {HTMLElement} */ (item).hidden = i >= palette.length;
      if (i < palette.length) {
        setSwatch(/** @type {HTMLElement} */ (item), palette[i]);
      }
    });
  }

  #listen() {
    const { over, listener } = this;
    let moved = 0;
    /** @type {number | null} */
    let selectedFrom = null;
    over.addEventListener("pointerdown", (event) => {
      if (event.button) {
        return;
      }
      over.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
      // What two fingers do is no click.
      moved = this.pointers.size > 1 ? Number.POSITIVE_INFINITY : 0;
      const selects = this.pointers.size === 1 && (event.shiftKey || this.selects);
      selectedFrom = selects
        ? this.#clip(this.view[0] + event.offsetX * this.perPixel)
        : null;
    });
    over.addEventListener("pointermove", (event) => {
      const before = this.pointers.get(event.pointerId);
      if (!before) {
        this.#hover(event.offsetX);
        return;
      }
      const now = { x: event.offsetX, y: event.offsetY };
      moved += Math.abs(now.x - before.x);
      if (selectedFrom !== null) {
        const to = this.#clip(this.view[0] + now.x * this.perPixel);
        if (moved > CLICK_PX) {
          listener.select(this, Math.min(selectedFrom, to), Math.max(selectedFrom, to));
        }
      } else if (this.pointers.size === 1) {
        if (moved > CLICK_PX) {
          const by = (before.x - now.x) * this.perPixel;
          listener.see(this, [this.view[0] + by, this.view[1] + by]);
        }
      } else {
        this.#pinch(event.pointerId, now);
      }
      this.pointers.set(event.pointerId, now);
    });
    over.addEventListener("pointerup", (event) => {
      const isClick = this.pointers.size === 1 && moved <= CLICK_PX;
      this.pointers.delete(event.pointerId);
      const place = this.placeAt(event.offsetX);
      if (isClick && place !== null) {
        listener.hold(this, place);
      }
    });
    for (const kind of /** @type {const} */ (["pointercancel", "lostpointercapture"])) {
      over.addEventListener(kind, (event) => this.pointers.delete(event.pointerId));
    }
    over.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        const width = this.view[1] - this.view[0];
        const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
        if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
          const by = event.deltaX * unit * this.perPixel;
          listener.see(this, [this.view[0] + by, this.view[1] + by]);
          return;
        }
        const factor = 1.0015 ** (event.deltaY * unit);
        const center = this.view[0] + event.offsetX * this.perPixel;
        const before = (center - this.view[0]) * factor;
        listener.see(this, [center - before, center - before + width * factor]);
      },
      { passive: false },
    );
    over.addEventListener("keydown", (event) => listener.press(this, event));
    this.#get(".whole-shot", HTMLElement).addEventListener("click", () =>
      this.selectShot(),
    );
    this.overview.addEventListener("pointerdown", (event) => {
      this.overview.setPointerCapture(event.pointerId);
      this.#center(event.offsetX);
    });
    this.overview.addEventListener("pointermove", (event) => {
      if (event.buttons) {
        this.#center(event.offsetX);
      }
    });
  }

  /** @param {number} x */
  #hover(x) {
    const place = this.placeAt(x);
    if (place !== null && place !== this.place && !this.isHeld) {
      this.listener.hover(this, place);
    }
  }

  /**
   * @param {number} moving
   * @param {{x: number, y: number}} now
   */
  #pinch(moving, now) {
    const still = [...this.pointers].find(([id]) => id !== moving)?.[1];
    const before = this.pointers.get(moving);
    if (!still || !before) {
      return;
    }
    const apart = Math.max(1, Math.abs(now.x - still.x));
    const factor = Math.max(1, Math.abs(before.x - still.x)) / apart;
    const anchor = this.view[0] + ((before.x + still.x) / 2) * this.perPixel;
    const width = (this.view[1] - this.view[0]) * factor;
    const left =
      anchor - ((now.x + still.x) / 2 / (this.over.clientWidth || 1)) * width;
    this.listener.see(this, [left, left + width]);
  }

  /** Bring a place of the overview to the middle. */
  #center(/** @type {number} */ x) {
    const [start, end] = this.wholeView;
    const center = start + (x / (this.overview.clientWidth || 1)) * (end - start);
    const half = (this.view[1] - this.view[0]) / 2;
    this.listener.see(this, [center - half, center + half]);
  }
}

/**
 * The level whose bins are at least a pixel wide.
 * @param {number} perPixel places
 */
function findLevel(perPixel) {
  return Math.max(0, Math.ceil(Math.log2(perPixel) - 1e-9));
}

/**
 * Give a canvas as many pixels as the screen has where it is.
 * @param {HTMLCanvasElement} canvas
 */
function fit(canvas) {
  const across = Math.round(canvas.clientWidth * devicePixelRatio);
  const down = Math.round(canvas.clientHeight * devicePixelRatio);
  if (canvas.width !== across || canvas.height !== down) {
    canvas.width = across;
    canvas.height = down;
  }
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
}

/** @type {Map<string, string>} */
const knownColors = new Map();

/**
 * A color of the style sheet, as the page shows it now.
 * @param {string} name
 */
function getColor(name) {
  let color = knownColors.get(name);
  if (!color) {
    // Custom properties are not resolved: a property that uses them is.
    const probe = document.createElement("span");
    probe.style.color = `var(${name})`;
    document.body.append(probe);
    color = getComputedStyle(probe).color;
    probe.remove();
    knownColors.set(name, color);
  }
  return color;
}

/** @param {number} least @param {boolean} isTimed */
function findStep(least, isTimed) {
  if (isTimed) {
    const step = STEPS.find((each) => each >= least);
    return step ?? Math.ceil(least / 86400) * 86400;
  }
  const power = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, least))));
  return (COUNTS.find((each) => each * power >= least) ?? 10) * power;
}

/**
 * A measure with the most that it may be; of 1 that is a share.
 * @param {number} value
 * @param {number} largest
 */
function formatMeasure(value, largest) {
  if (largest === 1) {
    return formatShare(value);
  }
  const digits = largest < 1 ? 3 : largest < 10 ? 2 : 1;
  const most = largest.toFixed(digits).replace(/\.?0+$/, "");
  return `${value.toFixed(digits)} of ${most}`;
}

/** @param {number} seconds */
function formatLength(seconds) {
  return seconds < 60 ? `${seconds.toFixed(1)} s` : formatTime(seconds);
}

/** @param {number} time @param {number} step */
function formatShortTime(time, step) {
  if (step >= 86400) {
    return `${Math.round(time / 86400).toLocaleString("en")} d`;
  }
  const text = formatTime(time);
  return step >= 1 ? text.slice(0, -4) : text;
}

/**
 * A color's button, which copies it, and one that searches for it.
 * @param {Listener} listener
 * @param {Timeline} line
 */
function makeSwatch(listener, line) {
  const item = document.createElement("li");
  const copy = document.createElement("button");
  const chip = document.createElement("span");
  chip.className = "swatch";
  const hex = document.createElement("code");
  copy.className = "copy";
  copy.append(chip, hex);
  const told = document.createElement("span");
  told.className = "swatch-text";
  const name = document.createElement("span");
  name.className = "color-name";
  const share = document.createElement("span");
  share.className = "share number quiet";
  told.append(name, share);
  const find = document.createElement("button");
  find.className = "find";
  find.textContent = "find";
  copy.type = find.type = "button";
  item.append(copy, told, find);
  copy.addEventListener("click", async () => {
    const color = hex.textContent ?? "";
    listener.tell(
      (await copyText(color)) ? `${color} is copied.` : `${color} could not be copied.`,
    );
  });
  find.addEventListener("click", () => {
    const rgb = parseColor(hex.textContent ?? "");
    if (rgb) {
      listener.search(line, rgb);
    }
  });
  return item;
}

/**
 * @param {HTMLElement} item
 * @param {{rgb: number[], share: number, accent?: boolean}} color
 */
function setSwatch(item, { rgb, share, accent }) {
  const [copy, told, find] = /** @type {HTMLElement[]} */ ([...item.children]);
  const [chip, code] = /** @type {HTMLElement[]} */ ([...copy.children]);
  const [name, part] = /** @type {HTMLElement[]} */ ([...told.children]);
  const hex = formatColor(rgb);
  if (code.textContent !== hex) {
    chip.style.backgroundColor = hex;
    code.textContent = hex;
    copy.setAttribute("aria-label", `Copy ${hex}`);
    const word = getNames().nameOf(rgb);
    name.textContent = word;
    name.title = word;
    find.setAttribute("aria-label", `Find ${hex}, ${word}`);
  }
  part.textContent = formatShare(share) + (accent ? " · accent" : "");
}

/** @param {string} text */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Where a page may not, a selected text can still be copied.
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const isCopied = document.execCommand("copy");
    area.remove();
    return isCopied;
  }
}
