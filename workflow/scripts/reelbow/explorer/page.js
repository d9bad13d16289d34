// The page: one film or two, and what is done with them.

/** @template {HTMLElement} T @param {string} id @param {new () => T} type @returns {T} */
function getById(id, type) {
  const element = document.getElementById(id);
  if (!(element instanceof type)) {
    throw new Error(`no #${id}`);
  }
  return element;
}

const KINDS = {
  mean: "mean color",
  strip: "strip",
  dominant: "dominant color",
  stacked: "stacked palettes",
  equal: "palettes in equal bands",
  rarest: "rarest color",
};
const ORDERS = {
  share: "by share",
  luminance: "by luminance",
  hue: "by hue",
  track: "by track",
};

/** Frames that the narrowest view shows, and previews of a search that are shown at once. */
const LEAST_VIEW = 8;
const FIRST_CARDS = 48;

/** Milliseconds without a change after which what is found is listed. */
const PAUSE_MS = 150;

class Page {
  /** @param {Film} film */
  constructor(film) {
    /** @type {Timeline[]} */
    this.lines = [];
    /** @type {[number, number]} places of the first film */
    this.view = [0, Math.max(1, film.n)];
    /** @type {number[] | null} the color that is searched for */
    this.wanted = null;
    /** @type {Timeline | null} whose stretch is selected */
    this.selectedIn = null;
    this.shown = FIRST_CARDS;
    /** @type {string | null} the second film's page, where the address says it */
    this.secondPath = null;
    this.add(film);
    this.#setUp();
  }

  get first() {
    return this.lines[0];
  }

  /** @param {Film} film */
  add(film) {
    const line = new Timeline(film, {
      hover: (each, place) => this.look(each, place),
      hold: (each, place) => this.hold(each, place),
      see: (each, view) =>
        this.see(this.#fromLine(each, view[0]), this.#fromLine(each, view[1])),
      select: (each, first, last) => this.select(each, first, last),
      search: (_, rgb) => this.search(rgb),
      tell: (sentence) => this.tell(sentence),
      press: (each, event) => this.#press(each, event),
    });
    this.lines.push(line);
    Object.assign(line, {
      kind: this.first.kind,
      order: this.first.order,
      isHeld: this.first.isHeld,
      selects: this.first.selects,
    });
    if (line.root) {
      getById("films", HTMLElement).append(line.root);
      new ResizeObserver(() => this.#drawLater(line)).observe(line.over);
    }
    document.body.classList.toggle("with-two", this.lines.length > 1);
    getById("two", HTMLElement).hidden = this.lines.length < 2;
    this.#sendView();
    this.look(this.first, this.first.place);
  }

  /** Take the second film away. */
  drop() {
    const line = this.lines.splice(1, 1)[0];
    if (this.selectedIn === line) {
      this.unselect();
    }
    line.root?.remove();
    this.secondPath = null;
    document.body.classList.remove("with-two");
    getById("two", HTMLElement).hidden = true;
    this.see(...this.view);
    this.#showFound();
  }

  // --- where both films are ---------------------------------------------------------

  get isShared() {
    return getById("axis", HTMLSelectElement).value === "shared";
  }

  /** Where what can be seen begins and ends, in places of the first film. */
  get whole() {
    const { n } = this.first.film;
    const begins = this.lines.map((line) => this.#fromLine(line, 0));
    const ends = this.lines.map((line) => this.#fromLine(line, line.film.n));
    return this.isShared
      ? { begin: Math.min(...begins), end: Math.max(1, ...ends) }
      : { begin: 0, end: Math.max(1, n) };
  }

  seeAll() {
    const { begin, end } = this.whole;
    this.see(begin, end);
  }

  /**
   * A position of the first film in another one: at the same time, or at the same part.
   * @param {Timeline} line
   * @param {number} position
   */
  #toLine(line, position) {
    const { film } = this.first;
    if (line === this.first) {
      return position;
    }
    if (!this.isShared) {
      return (position / Math.max(1, film.n)) * line.film.n;
    }
    return film.isTimed && line.film.isTimed
      ? line.film.positionAt(film.timeAt(position))
      : position;
  }

  /**
   * The other way round.
   * @param {Timeline} line
   * @param {number} position
   */
  #fromLine(line, position) {
    const { film } = this.first;
    if (line === this.first) {
      return position;
    }
    if (!this.isShared) {
      return (position / Math.max(1, line.film.n)) * film.n;
    }
    return film.isTimed && line.film.isTimed
      ? film.positionAt(line.film.timeAt(position))
      : position;
  }

  /**
   * Show what lies between two positions, as far as there is something.
   * @param {number} start
   * @param {number} end
   */
  see(start, end) {
    const whole = this.whole;
    const widest = whole.end - whole.begin;
    const width = Math.min(widest, Math.max(LEAST_VIEW, end - start));
    // Zoomed in as far as it goes, the middle stays where it is.
    const middle = (start + end) / 2;
    const left = Math.min(whole.end - width, Math.max(whole.begin, middle - width / 2));
    this.view = [left, left + width];
    this.#sendView();
    this.#keep();
  }

  #sendView() {
    const { begin, end } = this.whole;
    for (const line of this.lines) {
      line.view = [this.#toLine(line, this.view[0]), this.#toLine(line, this.view[1])];
      line.wholeView = [this.#toLine(line, begin), this.#toLine(line, end)];
      this.#drawLater(line);
    }
  }

  /** @param {number} factor */
  zoom(factor) {
    const [start, end] = this.view;
    const center = Math.min(end, Math.max(start, this.first.place + 0.5));
    this.see(center - (center - start) * factor, center + (end - center) * factor);
  }

  // --- a frame ----------------------------------------------------------------------

  /**
   * Look at a place of one film, and at the same in the other.
   * @param {Timeline} line
   * @param {number} place
   */
  look(line, place) {
    const middle = this.#fromLine(line, place + 0.5);
    for (const each of this.lines) {
      const position = each === line ? place : Math.floor(this.#toLine(each, middle));
      each.place = Math.max(0, Math.min(each.film.n - 1, position));
      this.#later(`frame ${this.lines.indexOf(each)}`, () => each.showFrame());
    }
    this.#keep();
  }

  /**
   * @param {Timeline} line
   * @param {number} place
   */
  hold(line, place) {
    const isHeld = !(line.isHeld && line.place === place);
    for (const each of this.lines) {
      each.isHeld = isHeld;
    }
    this.look(line, place);
  }

  /**
   * @param {Timeline} line
   * @param {KeyboardEvent} event
   */
  #press(line, event) {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const step = event.shiftKey ? 10 : 1;
    const page = Math.max(1, Math.round((line.view[1] - line.view[0]) / 10));
    const last = line.film.n - 1;
    /** @type {Record<string, () => void>} */
    const doings = {
      ArrowLeft: () => this.#go(line, line.place - step),
      ArrowRight: () => this.#go(line, line.place + step),
      PageUp: () => this.#go(line, line.place - page),
      PageDown: () => this.#go(line, line.place + page),
      Home: () => this.#go(line, 0),
      End: () => this.#go(line, last),
      "+": () => this.zoom(1 / 1.5),
      "=": () => this.zoom(1 / 1.5),
      "-": () => this.zoom(1.5),
      0: () => this.seeAll(),
      ",": () => this.#go(line, line.findShot(-1)),
      ".": () => this.#go(line, line.findShot(1)),
      s: () => line.selectShot(),
      Enter: () => this.hold(line, line.place),
      " ": () => this.hold(line, line.place),
      "[": () =>
        this.select(line, line.place, Math.max(line.place, line.stretch?.[1] ?? last)),
      "]": () =>
        this.select(line, Math.min(line.place, line.stretch?.[0] ?? 0), line.place),
      Escape: () => this.#letGo(line),
    };
    if (Object.hasOwn(doings, event.key)) {
      event.preventDefault();
      doings[event.key]();
    }
  }

  /** Let go of the frame, then of the stretch, then of the search. */
  #letGo(/** @type {Timeline} */ line) {
    if (line.isHeld) {
      this.hold(line, line.place);
    } else if (this.selectedIn) {
      this.unselect();
    } else {
      this.search(null);
    }
  }

  /**
   * Look at a place, and see to it that it is in view.
   * @param {Timeline} line
   * @param {number} place
   */
  #go(line, place) {
    const to = Math.max(0, Math.min(line.film.n - 1, place));
    this.look(line, to);
    const position = this.#fromLine(line, to + 0.5);
    const [start, end] = this.view;
    if (position < start || position >= end) {
      this.see(position - (end - start) / 2, position + (end - start) / 2);
    }
  }

  // --- search -----------------------------------------------------------------------

  /**
   * Find a color in all films; null: no more.
   * @param {number[] | null} rgb
   * @param {number} [pauseMs] before what is found is listed
   */
  search(rgb, pauseMs = 0) {
    this.wanted = rgb;
    this.shown = FIRST_CARDS;
    if (rgb) {
      const field = getById("hex", HTMLInputElement);
      getById("picker", HTMLInputElement).value = formatColor(rgb);
      // A name stays as it was written.
      const written = getNames().read(field.value);
      if (!written || formatColor(written) !== formatColor(rgb)) {
        field.value = formatColor(rgb);
      }
    }
    this.#showFound(pauseMs);
    this.#keep();
  }

  #showFound(pauseMs = 0) {
    const tolerance = Number(getById("tolerance", HTMLInputElement).value);
    const share = Number(getById("share", HTMLInputElement).value) / 100;
    getById("tolerance-value", HTMLElement).textContent = tolerance.toFixed(3);
    getById("share-value", HTMLElement).textContent = share
      ? `${Math.round(100 * share)} %`
      : "any";
    getById("clear", HTMLButtonElement).disabled = !this.wanted;
    for (const line of this.lines) {
      line.setFound(this.wanted ? line.film.find(this.wanted, tolerance, share) : null);
      this.#drawLater(line);
    }
    clearTimeout(this.listing);
    this.listing = setTimeout(() => {
      const found = getById("found", HTMLElement);
      found.replaceChildren();
      for (const line of this.lines) {
        if (line.found) {
          this.#listFound(line, found);
        }
      }
    }, pauseMs);
  }

  /**
   * @param {Timeline} line
   * @param {HTMLElement} into
   */
  #listFound(line, into) {
    const { film } = line;
    const runs = findRuns(line.found ?? new Uint8Array(0));
    const n = runs.reduce((sum, [first, last]) => sum + last - first + 1, 0);
    const sentence = document.createElement("p");
    const lengthS = runs.reduce((sum, [first, last]) => {
      return sum + film.timeOf(last) + film.lengthOf(last) - film.timeOf(first);
    }, 0);
    const part = film.n ? formatShare(n / film.n) : "0 %";
    sentence.className = "number";
    sentence.setAttribute("role", "status");
    sentence.textContent = [
      `${this.lines.length > 1 ? `${film.about.title}: ` : ""}${countFrames(film, n)}`,
      ...(film.isTimed ? [formatTime(lengthS)] : []),
      `${part} of the film`,
      `in ${pluralize(runs.length, "place")}`,
    ].join(" · ");
    const list = document.createElement("ul");
    list.className = "previews";
    const append = () => {
      const cards = runs
        .slice(list.children.length, this.shown)
        .map(([first, last]) => this.#makeCard(line, first, last));
      list.append(...cards);
      return cards[0];
    };
    append();
    into.append(sentence, list);
    if (runs.length > this.shown) {
      const more = document.createElement("button");
      more.type = "button";
      const tell = () => {
        const n = list.children.length;
        more.textContent = `More: ${n} of ${runs.length.toLocaleString("en")} are shown`;
        more.hidden = n === runs.length;
      };
      more.addEventListener("click", () => {
        this.shown *= 4;
        append()?.querySelector("button")?.focus();
        tell();
      });
      tell();
      into.append(more);
    }
  }

  /**
   * Frames in a row that are found, by the middle one: a click goes there and holds it.
   * @param {Timeline} line
   * @param {number} first
   * @param {number} last
   */
  #makeCard(line, first, last) {
    const { film } = line;
    const place = (first + last) >> 1;
    const item = document.createElement("li");
    const button = document.createElement("button");
    const label = document.createElement("span");
    button.type = "button";
    label.className = "number";
    label.textContent = film.nameTime(first);
    const length = document.createElement("span");
    length.className = "quiet number";
    length.textContent = countFrames(film, last - first + 1);
    const size = film.previews.sizeOf(place);
    if (size) {
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = size;
      canvas.setAttribute("aria-hidden", "true");
      button.append(canvas);
      film.previews.draw(canvas, place, () => canvas.isConnected);
    } else {
      const chip = document.createElement("span");
      chip.className = "swatch";
      chip.style.backgroundColor = formatColor(
        film.means.subarray(3 * place, 3 * place + 3),
      );
      button.append(chip);
    }
    button.append(label, length);
    button.addEventListener("click", () => {
      for (const each of this.lines) {
        each.isHeld = true;
      }
      this.#go(line, place);
    });
    item.append(button);
    return item;
  }

  // --- a stretch --------------------------------------------------------------------

  /**
   * @param {Timeline} line
   * @param {number} first
   * @param {number} last
   */
  select(line, first, last) {
    if (this.selectedIn && this.selectedIn !== line) {
      this.selectedIn.stretch = null;
      this.selectedIn.drawCursor();
    }
    this.selectedIn = line;
    line.stretch = [first, last];
    line.drawCursor();
    this.#later("stretch", () => this.#showStretch());
    this.#keep();
  }

  unselect() {
    if (this.selectedIn) {
      this.selectedIn.stretch = null;
      this.selectedIn.drawCursor();
    }
    this.selectedIn = null;
    this.#showStretch();
    this.#keep();
  }

  #showStretch() {
    const into = getById("selected", HTMLElement);
    const line = this.selectedIn;
    into.replaceChildren();
    getById("unselect", HTMLButtonElement).disabled = !line;
    if (!line?.stretch) {
      getById("from", HTMLInputElement).value = getById("to", HTMLInputElement).value =
        "";
      return;
    }
    const { film } = line;
    const [first, last] = line.stretch;
    const stretch = describeStretch(film, first, last, line.columns.k);
    const end = film.isTimed
      ? formatTime(film.timeOf(last) + film.lengthOf(last))
      : String(film.frameOf(last));
    getById("from", HTMLInputElement).value = film.isTimed
      ? film.nameTime(first)
      : String(film.frameOf(first));
    getById("to", HTMLInputElement).value = end;
    const sentence = document.createElement("p");
    sentence.className = "number";
    sentence.setAttribute("role", "status");
    const missing = last - first + 1 - stretch.frames;
    sentence.textContent = [
      ...(this.lines.length > 1 ? [film.about.title] : []),
      countFrames(film, stretch.frames),
      ...(missing ? [`${missing.toLocaleString("en")} missing`] : []),
      ...(film.isTimed ? [formatTime(stretch.lengthS)] : []),
    ].join(" · ");
    const list = document.createElement("ul");
    list.className = "palette";
    for (const color of stretch.palette) {
      const item = makeSwatch(line.listener, line);
      setSwatch(item, color);
      list.append(item);
    }
    into.append(sentence);
    if (stretch.mean) {
      const mean = document.createElement("ul");
      mean.className = "palette";
      const item = makeSwatch(line.listener, line);
      setSwatch(item, { rgb: stretch.mean, share: 1 });
      item.querySelector(".share")?.replaceChildren("mean");
      mean.append(item);
      into.append(mean);
    }
    into.append(list, this.#makeExports(line, stretch));
  }

  /**
   * @param {Timeline} line
   * @param {Stretch} stretch
   */
  #makeExports(line, stretch) {
    const { film } = line;
    const row = document.createElement("p");
    row.className = "row exports";
    row.append("Save as");
    const name = [
      film.about.film,
      `${film.frameOf(stretch.first)}-${film.frameOf(stretch.last)}`,
    ].join("_");
    /** @param {string} ending @param {() => void} save */
    const add = (ending, save) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = ending.toUpperCase();
      button.addEventListener("click", save);
      row.append(button);
    };
    for (const [ending, { type, write }] of Object.entries(FORMATS)) {
      add(ending, () =>
        save(new Blob([write(film, stretch)], { type }), `${name}.${ending}`),
      );
    }
    add("png", async () => {
      const picture = await line.makePicture(stretch.first, stretch.last);
      picture.toBlob((blob) => {
        if (blob) {
          save(blob, `${name}_${line.kind}.png`);
        } else {
          this.tell("The browser could not make this picture: select less.");
        }
      });
    });
    return row;
  }

  // --- the page ---------------------------------------------------------------------

  /** @param {string} sentence */
  tell(sentence) {
    getById("told", HTMLElement).textContent = sentence;
    const shown = getById("shown", HTMLElement);
    shown.textContent = sentence;
    shown.hidden = false;
    clearTimeout(this.telling);
    this.telling = setTimeout(() => {
      shown.hidden = true;
    }, 4000);
  }

  /** @param {string} kind @param {string} order */
  setKind(kind, order) {
    for (const line of this.lines) {
      line.kind = kind;
      line.order = order;
      this.#drawLater(line);
    }
    getById("kind", HTMLSelectElement).value = kind;
    getById("order", HTMLSelectElement).value = order;
    getById("order", HTMLSelectElement).disabled = !isBanded(kind);
    const { subtitles, step } = this.first.film.about;
    getById("subtitle", HTMLElement).textContent =
      subtitles[kind] + (step > 1 ? ` · this page shows one in ${step}` : "");
    this.#keep();
  }

  #setUp() {
    const { about } = this.first.film;
    for (const [id, choices] of /** @type {[string, Record<string, string>][]} */ ([
      ["kind", KINDS],
      ["order", ORDERS],
    ])) {
      getById(id, HTMLSelectElement).append(
        ...Object.entries(choices).map(([value, text]) => new Option(text, value)),
      );
      getById(id, HTMLSelectElement).addEventListener("change", () => {
        this.setKind(
          getById("kind", HTMLSelectElement).value,
          getById("order", HTMLSelectElement).value,
        );
      });
    }
    getById("making", HTMLElement).textContent = about.making;
    showSkipped(about);
    /** @param {string} id @param {() => void} doing */
    const onClick = (id, doing) =>
      getById(id, HTMLElement).addEventListener("click", doing);
    onClick("zoom-in", () => this.zoom(1 / 1.5));
    onClick("zoom-out", () => this.zoom(1.5));
    onClick("whole", () => this.seeAll());
    onClick("clear", () => this.search(null));
    onClick("unselect", () => this.unselect());
    onClick("only", () => this.drop());
    getById("theme", HTMLSelectElement).addEventListener("change", () => {
      this.#setTheme(getById("theme", HTMLSelectElement).value);
      this.#keep();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
      this.#recolor(),
    );
    onClick("selecting", () => {
      const button = getById("selecting", HTMLElement);
      const selects = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(selects));
      for (const line of this.lines) {
        line.selects = selects;
      }
    });
    getById("picker", HTMLInputElement).addEventListener("input", () => {
      this.search(parseColor(getById("picker", HTMLInputElement).value), PAUSE_MS);
    });
    for (const id of ["tolerance", "share"]) {
      getById(id, HTMLInputElement).addEventListener("input", () => {
        this.#later("found", () => this.#showFound(PAUSE_MS));
        this.#keep();
      });
    }
    getNames().offer(getById("hex", HTMLInputElement));
    getById("search", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      const hex = getById("hex", HTMLInputElement);
      const rgb = hex.value
        ? getNames().read(hex.value)
        : parseColor(getById("picker", HTMLInputElement).value);
      hex.setAttribute("aria-invalid", String(!rgb));
      if (rgb) {
        this.search(rgb);
      } else {
        this.tell(getNames().refuse(hex.value));
      }
    });
    getById("stretch", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#selectTyped();
    });
    getById("second", HTMLInputElement).addEventListener("change", () =>
      this.#readSecond(),
    );
    getById("layout", HTMLSelectElement).addEventListener("change", () => {
      this.#lay();
      this.#keep();
    });
    getById("axis", HTMLSelectElement).addEventListener("change", () => {
      this.seeAll();
      this.look(this.first, this.first.place);
    });
    document.addEventListener("keydown", (event) => {
      // In fields keys write, and on buttons they press.
      if (event.target === document.body) {
        this.#press(this.first, event);
      }
    });
    addEventListener("hashchange", () => this.restore());
    this.restore();
  }

  /** @param {string} theme */
  #setTheme(theme) {
    getById("theme", HTMLSelectElement).value = theme;
    document.documentElement.dataset.theme = theme;
    this.#recolor();
  }

  #recolor() {
    knownColors.clear();
    for (const line of this.lines) {
      this.#drawLater(line);
    }
  }

  #lay() {
    document.body.classList.toggle(
      "beside",
      getById("layout", HTMLSelectElement).value === "beside",
    );
  }

  /** Select what is written into the two fields: times, or numbers of frames. */
  #selectTyped() {
    const line = this.selectedIn ?? this.first;
    const { film } = line;
    /** @param {string} id */
    const read = (id) => {
      const text = getById(id, HTMLInputElement).value;
      return film.isTimed ? parseTime(text) : Number(text.trim() || Number.NaN);
    };
    const [from, to] = [read("from"), read("to")];
    if (!(from < to || (!film.isTimed && from === to))) {
      this.tell(
        film.isTimed
          ? "Write two times, the earlier one first, such as 0:01:30 and 0:02:00."
          : "Write the numbers of two frames, the smaller one first.",
      );
      return;
    }
    if (!(from < film.endS)) {
      const end = film.isTimed ? formatTime(film.endS) : `frame ${film.endS - 1}`;
      this.tell(`The film ends at ${end}.`);
      return;
    }
    const first = film.placeAt(from);
    // What begins as the stretch ends is not in it.
    const last = film.isTimed
      ? Math.ceil(film.positionAt(to) - 1e-6) - 1
      : film.placeAt(to);
    this.select(line, first, Math.max(first, Math.min(film.n - 1, last)));
  }

  async #readSecond() {
    const input = getById("second", HTMLInputElement);
    const file = input.files?.[0];
    input.value = "";
    if (!file) {
      return;
    }
    try {
      // Scripts of what is parsed so never run.
      const parsed = new DOMParser().parseFromString(await file.text(), "text/html");
      await this.addSecond(readParcel(parsed, null));
    } catch {
      this.tell(
        `${file.name} is no page of a film made by this version of Reelbow: choose an explorer.html.`,
      );
    }
  }

  /** @param {Parcel} parcel */
  async addSecond(parcel) {
    const film = await Film.read(parcel);
    if (this.lines.length > 1) {
      this.drop();
    }
    this.add(film);
    this.seeAll();
    this.#showFound();
  }

  // --- the address ------------------------------------------------------------------

  /** Keep the view in the address, so that it can be sent. */
  #keep() {
    if (this.isRestoring) {
      return;
    }
    clearTimeout(this.keeping);
    this.keeping = setTimeout(
      () => history.replaceState(null, "", `#${this.#describe()}`),
      150,
    );
  }

  #describe() {
    const { first } = this;
    const { film } = first;
    const state = new URLSearchParams();
    state.set(
      "t",
      film.isTimed
        ? film.timeOf(first.place).toFixed(3)
        : String(film.frameOf(first.place)),
    );
    state.set("kind", first.kind);
    state.set("order", first.order);
    if (first.isHeld) {
      state.set("held", "1");
    }
    const { begin, end } = this.whole;
    if (this.view[0] > begin || this.view[1] < end) {
      state.set("view", this.view.map((position) => position.toFixed(2)).join("_"));
    }
    if (this.selectedIn?.stretch) {
      state.set(
        "stretch",
        [...this.selectedIn.stretch, this.lines.indexOf(this.selectedIn)].join("-"),
      );
    }
    if (this.wanted) {
      state.set("color", formatColor(this.wanted).slice(1));
      state.set("tolerance", getById("tolerance", HTMLInputElement).value);
      state.set("share", getById("share", HTMLInputElement).value);
    }
    if (this.secondPath) {
      state.set("with", this.secondPath);
      state.set("layout", getById("layout", HTMLSelectElement).value);
      state.set("axis", getById("axis", HTMLSelectElement).value);
    }
    const { theme } = document.documentElement.dataset;
    if (theme) {
      state.set("theme", theme);
    }
    return state.toString();
  }

  /** Show what the address says; what it says wrongly is left as it is. */
  restore() {
    const restored = ++this.restored;
    const state = new URLSearchParams(location.hash.slice(1));
    const { first } = this;
    clearTimeout(this.keeping);
    this.isRestoring = true;
    const theme = state.get("theme") ?? "";
    this.#setTheme(["light", "dark"].includes(theme) ? theme : "");
    const kind = state.get("kind") ?? "";
    const order = state.get("order") ?? "";
    this.setKind(
      Object.hasOwn(KINDS, kind) ? kind : first.kind,
      Object.hasOwn(ORDERS, order) ? order : first.order,
    );
    for (const id of ["layout", "axis"]) {
      const select = getById(id, HTMLSelectElement);
      const value = state.get(id);
      if ([...select.options].some((option) => option.value === value)) {
        select.value = /** @type {string} */ (value);
      }
    }
    for (const id of ["tolerance", "share"]) {
      const value = state.get(id);
      if (value && Number.isFinite(Number(value))) {
        getById(id, HTMLInputElement).value = value;
      }
    }
    this.#lay();
    const second = state.get("with");
    if (this.lines.length > 1 && second !== this.secondPath) {
      this.drop();
    }
    this.search(getNames().read(state.get("color") ?? ""));
    this.#restorePlaces(state);
    if (second && this.lines.length < 2) {
      this.secondPath = second;
      this.#fetchSecond(second, () => restored === this.restored).then((isThere) => {
        if (isThere) {
          this.#restorePlaces(state);
        }
      });
    }
    this.isRestoring = false;
    if (location.hash) {
      this.#keep();
    }
  }

  /**
   * Show the view, the stretch and the frame that the address says.
   * @param {URLSearchParams} state
   */
  #restorePlaces(state) {
    const { first } = this;
    const [start, end] = (state.get("view") ?? "").split("_").map(Number);
    const hasView = start < end;
    if (hasView) {
      this.see(start, end);
    } else {
      this.seeAll();
    }
    const [from, to, number] = (state.get("stretch") ?? "").split("-").map(Number);
    const line = this.lines[number];
    const isStretch = Number.isInteger(from) && Number.isInteger(to) && 0 <= from;
    if (line && isStretch && from <= to && to < line.film.n) {
      this.select(line, from, to);
    } else if (this.selectedIn) {
      this.unselect();
    }
    for (const each of this.lines) {
      each.isHeld = state.get("held") === "1";
    }
    // Times are those of whole milliseconds, as the page has them.
    const time = Math.round(Number(state.get("t") ?? 0) * 1000) / 1000;
    const place = first.film.placeAt(Number.isFinite(time) ? time : 0);
    if (first.film.n && hasView) {
      this.look(first, place);
    } else if (first.film.n) {
      this.#go(first, place);
    }
  }

  /**
   * Have another film's page hand its film over.
   * @param {string} path of the page, from this one
   * @param {() => boolean} isWanted when it is there
   * @returns {Promise<boolean>} whether it is shown
   */
  async #fetchSecond(path, isWanted) {
    try {
      const parcel = await askForParcel(path);
      if (!isWanted()) {
        return false;
      }
      await this.addSecond(parcel);
      this.secondPath = path;
      return true;
    } catch {
      if (isWanted()) {
        this.secondPath = null;
        this.tell(
          `The second film's page, ${path}, cannot be read; choose its explorer.html.`,
        );
      }
      return false;
    }
  }

  /** @param {Timeline} line */
  #drawLater(line) {
    this.#later(line, () => line.draw());
  }

  /**
   * Do something once before the next frame of the screen.
   * @param {unknown} key what is the same work
   * @param {() => void} doing
   */
  #later(key, doing) {
    if (this.waiting.size === 0) {
      requestAnimationFrame(() => {
        const doings = [...this.waiting.values()];
        this.waiting.clear();
        for (const each of doings) {
          each();
        }
      });
    }
    this.waiting.set(key, doing);
  }

  /** @type {Map<unknown, () => void>} */
  waiting = new Map();
  isRestoring = false;
  /** How often the address was read. */
  restored = 0;
}

/**
 * Count places, which of a very long film stand for several frames each.
 * @param {Film} film
 * @param {number} n
 */
function countFrames(film, n) {
  return film.step > 1
    ? `${pluralize(n, "column")} of ${film.step} frames`
    : pluralize(n, "frame");
}

/**
 * The first and last place of each run of what is found.
 * @param {Uint8Array} found
 */
function findRuns(found) {
  /** @type {[number, number][]} */
  const runs = [];
  for (let place = 0; place < found.length; place++) {
    if (found[place] && found[place - 1]) {
      runs[runs.length - 1][1] = place;
    } else if (found[place]) {
      runs.push([place, place]);
    }
  }
  return runs;
}

/** @param {About} about */
function showSkipped(about) {
  if (!about.n_skipped) {
    return;
  }
  const into = getById("skipped", HTMLElement);
  const sentence = document.createElement("p");
  sentence.textContent = `${pluralize(about.n_skipped, "picture")} could not be read:`;
  const list = document.createElement("ul");
  for (const [name, reason] of about.skipped) {
    const item = document.createElement("li");
    item.textContent = `${name}: ${reason}`;
    list.append(item);
  }
  into.append(sentence, list);
  if (about.skipped.length < about.n_skipped) {
    const more = document.createElement("p");
    more.textContent = `and ${(about.n_skipped - about.skipped.length).toLocaleString("en")} more, in the database`;
    into.append(more);
  }
}

/**
 * Take a film out of a page.
 * @param {Document} page
 * @param {string | null} folder where the page lies, from this one; null: nobody knows
 * @returns {Parcel}
 */
function readParcel(page, folder) {
  /** @param {string} id */
  const read = (id) => page.getElementById(id)?.textContent ?? "";
  return {
    about: JSON.parse(read("about")),
    arrays: read("arrays"),
    sheets: [...page.querySelectorAll("script.sheet")].map(
      (sheet) => sheet.textContent ?? "",
    ),
    folder,
  };
}

const HAND_OVER = "reelbow: hand the film over";

/**
 * Open another page out of sight and ask for its film.
 * @param {string} path
 * @returns {Promise<Parcel>}
 */
function askForParcel(path) {
  const url = new URL(path, location.href);
  if (url.protocol !== location.protocol || url.host !== location.host) {
    return Promise.reject(new Error("elsewhere"));
  }
  const frame = document.createElement("iframe");
  frame.hidden = true;
  return new Promise((resolve, reject) => {
    /** @param {MessageEvent} event */
    const take = ({ source, data }) => {
      if (source === frame.contentWindow && data?.about) {
        finish();
        resolve({ ...data, folder: path.slice(0, path.lastIndexOf("/") + 1) });
      }
    };
    const finish = () => {
      clearTimeout(waiting);
      removeEventListener("message", take);
      frame.remove();
    };
    const waiting = setTimeout(() => {
      finish();
      reject(new Error("no answer"));
    }, 8000);
    addEventListener("message", take);
    frame.addEventListener("load", () =>
      frame.contentWindow?.postMessage(HAND_OVER, "*"),
    );
    frame.src = url.href;
    document.body.append(frame);
  });
}

if (window.parent === window) {
  Film.read(readParcel(document, "")).then((film) => {
    const page = new Page(film);
    document.documentElement.dataset.ready = String(page.lines.length);
  });
} else {
  // In another film's page: nothing is drawn, the film is handed over.
  addEventListener("message", ({ source, data }) => {
    if (data === HAND_OVER && source === window.parent) {
      window.parent.postMessage(readParcel(document, ""), "*");
    }
  });
}
