// The search over all films: what is wanted, as the address has it, and what is found.

/**
 * @typedef {{path: string, x: number, y: number, width: number, height: number,
 *   sheet_width: number, sheet_height: number}} Preview
 * @typedef {{film: string, title: string, frame: number, time_s: number | null,
 *   color: string, share: number, distance: number, preview: Preview | null,
 *   page: boolean}} Frame
 * @typedef {{color: string, radius: number, share: number, together: boolean}} Wanted
 */

/** Milliseconds without a change after which a search begins. */
const PAUSE_MS = 60;
const LIMIT = 120;
/** Pixels of a preview that is shown, if its film has none. */
const SWATCH = { width: 128, height: 72 };

/** @type {{wanted: Wanted, waiting: number, asked: AbortController | null, names: ColorNames, refusal: string | null}} */
const state = {
  wanted: { color: "#c02020", radius: 0.05, share: 0, together: false },
  waiting: 0,
  asked: null,
  // Until they are there.
  names: new ColorNames({ listed: {}, n_xkcd: 0 }),
  // Why what stands in the field is no color; null: it is one.
  refusal: null,
};

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @returns {T}
 */
function get(id) {
  return /** @type {T} */ (document.getElementById(id));
}

/**
 * @param {string} id
 * @returns {HTMLInputElement}
 */
function getInput(id) {
  return get(id);
}

/**
 * Make an element with a class and a text, which is never markup.
 * @param {string} name
 * @param {string} kind
 * @param {string} [text]
 */
function make(name, kind, text = "") {
  const element = document.createElement(name);
  element.className = kind;
  element.textContent = text;
  return element;
}

/**
 * Write a color, or a name's, as #rrggbb; null: it is none.
 * @param {string} text
 */
function readColor(text) {
  const rgb = state.names.read(text);
  return rgb && formatColor(rgb);
}

/**
 * Write seconds as h:mm:ss.
 * @param {number} seconds
 */
function formatTime(seconds) {
  const whole = Math.floor(seconds);
  const parts = [Math.floor(whole / 60) % 60, whole % 60];
  const [minutes, rest] = parts.map((part) => String(part).padStart(2, "0"));
  return `${Math.floor(whole / 3600)}:${minutes}:${rest}`;
}

/** Take what the address says, and search for it; a wrong color is told. */
function searchAsAddressed() {
  const given = new URLSearchParams(location.hash.slice(1));
  const wanted = state.wanted;
  const named = given.get("color") ?? wanted.color;
  const color = readColor(named);
  wanted.color = color ?? wanted.color;
  const radius = Number(given.get("radius") ?? wanted.radius);
  wanted.radius = radius >= 0 && radius <= 0.3 ? radius : wanted.radius;
  const share = Number(given.get("share") ?? wanted.share);
  wanted.share = share >= 0 && share <= 1 ? share : wanted.share;
  wanted.together = given.get("together") === "1";
  refuse(color === null ? state.names.refuse(named) : null);
  showWanted();
  if (color === null) {
    getInput("color").value = named;
  } else {
    search();
  }
}

function writeAddress() {
  const { color, radius, share, together } = state.wanted;
  const said = new URLSearchParams({
    color: color.slice(1),
    radius: String(radius),
    share: String(share),
    ...(together ? { together: "1" } : {}),
  });
  history.replaceState(null, "", `#${said}`);
}

/** Show what is wanted in the form; what is being typed stays as it is. */
function showWanted() {
  const { color, radius, share, together } = state.wanted;
  getInput("picker").value = color;
  // A name stays as it was written.
  const field = getInput("color");
  if (document.activeElement !== field && readColor(field.value) !== color) {
    field.value = color;
  }
  getInput("radius").value = String(radius);
  get("radius-shown").textContent = radius.toFixed(3);
  if (document.activeElement !== get("share")) {
    getInput("share").value = String(Math.round(share * 1000) / 10);
  }
  getInput("together").checked = together;
}

/**
 * Take what the form says. While its color is none nothing is searched, and it is told.
 * @param {Event} event
 */
function readForm(event) {
  const wanted = state.wanted;
  const typed =
    event.target === get("picker") ? getInput("picker").value : getInput("color").value;
  const color = readColor(typed);
  refuse(color === null ? state.names.refuse(typed) : null);
  wanted.color = color ?? wanted.color;
  wanted.radius = Number(getInput("radius").value);
  wanted.share = Math.min(Math.max(Number(getInput("share").value) / 100, 0), 1);
  wanted.together = getInput("together").checked;
  if (color !== null) {
    searchSoon();
  }
}

function searchSoon() {
  showWanted();
  writeAddress();
  window.clearTimeout(state.waiting);
  state.waiting = window.setTimeout(search, PAUSE_MS);
}

/**
 * Say that what stands in the field is no color, until it is one.
 * @param {string | null} sentence
 */
function refuse(sentence) {
  state.refusal = sentence;
  get("color").setAttribute("aria-invalid", String(sentence !== null));
  if (sentence !== null) {
    showFault(null);
  }
}

/** Ask for frames; what was asked before is given up. */
async function search() {
  state.asked?.abort();
  const asked = new AbortController();
  state.asked = asked;
  const { color, radius, share, together } = state.wanted;
  const query = new URLSearchParams({
    color,
    radius: String(radius),
    share: String(share),
    limit: String(LIMIT),
    together: together ? "1" : "0",
  });
  try {
    const answer = await fetch(`/search?${query}`, { signal: asked.signal });
    const content = await answer.json();
    if (!answer.ok) {
      throw new Error(content.error);
    }
    showFrames(content.frames);
    showFault(content.outdated);
  } catch (error) {
    if (!asked.signal.aborted) {
      showFault(error instanceof Error ? error.message : String(error));
    }
  }
}

/**
 * Show what is wrong, first of all with the color.
 * @param {string | null} sentence
 */
function showFault(sentence) {
  const shown = state.refusal ?? sentence;
  get("fault").textContent = shown ?? "";
  get("fault").hidden = !shown;
}

/** @param {Frame[]} frames */
function showFrames(frames) {
  const more = frames.length === LIMIT ? "the most of more: " : "";
  get("told").textContent = `${more}${pluralize(frames.length, "frame")}`;
  get("frames").replaceChildren(...frames.map(makeItem));
}

/** @param {Frame} frame */
function makeItem(frame) {
  const item = document.createElement("li");
  const time =
    frame.time_s === null ? `frame ${frame.frame}` : formatTime(frame.time_s);
  const inside = make(frame.page ? "a" : "div", "frame");
  if (inside instanceof HTMLAnchorElement) {
    const film = encodeURIComponent(frame.film);
    const place = frame.time_s === null ? "" : `#t=${frame.time_s}`;
    inside.href = `/${film}/explorer.html${place}`;
  }
  const about = make("span", "about");
  const swatch = make("span", "swatch");
  swatch.style.backgroundColor = frame.color;
  const percent = (frame.share * 100).toFixed(1);
  about.append(swatch, `${frame.color} ${percent} %`, make("span", "time", time));
  const name = make("span", "name", frame.title);
  name.title = frame.title;
  const word = state.names.nameOf(parseColor(frame.color) ?? [0, 0, 0]);
  inside.append(makePicture(frame), name, make("span", "name quiet", word), about);
  item.append(inside);
  return item;
}

/**
 * Show a frame's preview out of its sheet; of a film without, its color.
 * @param {Frame} frame
 */
function makePicture(frame) {
  const picture = make("div", "picture");
  const preview = frame.preview;
  const { width, height } = preview ?? SWATCH;
  picture.style.aspectRatio = `${width} / ${height}`;
  if (!preview) {
    picture.style.backgroundColor = frame.color;
    return picture;
  }
  const path = preview.path.split("/").map(encodeURIComponent).join("/");
  picture.style.backgroundImage = `url("/${path}")`;
  // In parts of what the sheet is larger than the preview, so that it may grow.
  const { sheet_width: across, sheet_height: down, x, y } = preview;
  picture.style.backgroundSize = `${(across / width) * 100}% ${(down / height) * 100}%`;
  const left = across > width ? (x / (across - width)) * 100 : 0;
  const top = down > height ? (y / (down - height)) * 100 : 0;
  picture.style.backgroundPosition = `${left}% ${top}%`;
  return picture;
}

async function tellFilms() {
  const answer = await fetch("/films");
  /** @type {{films: {n_frames: number | null}[]}} */
  const { films } = await answer.json();
  const frames = films.reduce((sum, film) => sum + (film.n_frames ?? 0), 0);
  get("films").textContent =
    `${pluralize(films.length, "film")}, ${pluralize(frames, "frame")}`;
}

function start() {
  get("wanted").addEventListener("input", readForm);
  get("wanted").addEventListener("submit", (event) => event.preventDefault());
  // What is no color gives way to the one that is searched for.
  get("color").addEventListener("blur", () => {
    if (state.refusal === null) {
      showWanted();
      return;
    }
    refuse(null);
    showFault(null);
    // By what other fields were changed to meanwhile.
    searchSoon();
  });
  window.addEventListener("hashchange", searchAsAddressed);
  searchAsAddressed();
  tellFilms().catch((error) => showFault(String(error)));
}

/** Names first: the address may have one. */
async function readNames() {
  const answer = await fetch("/names");
  state.names = new ColorNames(await answer.json());
  state.names.offer(getInput("color"));
}

readNames()
  .catch((error) => showFault(String(error)))
  .then(start);
