/* The page of all films: sorted, filtered, and two of them chosen to be compared. */

/**
 * What the page is told of a film; write_page in index_page.py says how it is found.
 * @typedef {object} Film
 * @property {string} film its folder beside this page
 * @property {string} title
 * @property {boolean} page whether it has a page of its own
 * @property {string} [fault] why there is nothing else
 * @property {string} [note] what else is to be said
 * @property {number} [frames]
 * @property {number} [skipped] frames that could not be read
 * @property {number | null} [seconds]
 * @property {string | null} [made] ISO 8601, UTC
 * @property {Record<string, string>} [own] further columns of the sheet
 * @property {number} [lightness] 0 to 1
 * @property {number | null} [hue] degrees
 * @property {string} [mean] #rrggbb
 * @property {string} [colors] base64: R, G, B, share (2 bytes) of each
 * @property {string} [picture] base64 of a WebP
 */

/**
 * A film on the wall.
 * @typedef {object} Card
 * @property {Film} film
 * @property {number} place in the order of the sheet
 * @property {string} text in lower case, that is searched
 * @property {number} near share of the color that is looked for, 0 to 1
 * @property {HTMLElement} element
 * @property {{lab: Float64Array, shares: Float64Array} | null} colors
 */

/** What the address keeps, and what it is if the address says nothing. */
const USUAL = {
  text: "",
  sort: "",
  down: false,
  color: "",
  near: 0.1,
  share: 5,
  with: /** @type {string[]} */ ([]),
  theme: "",
};

const state = structuredClone(USUAL);

const SORTS = [
  ["", "order of the sheet"],
  ["title", "title"],
  ["length", "length"],
  ["lightness", "mean lightness"],
  ["hue", "hue"],
  ["date", "date made"],
  ["near", "share of the color"],
];

const collator = new Intl.Collator(undefined, { numeric: true });

/**
 * Find an element of the page by its id.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 */
function get(id) {
  return /** @type {T} */ (document.getElementById(id));
}

/** @type {(id: string) => HTMLInputElement} */
const getInput = get;
/** @type {(id: string) => HTMLSelectElement} */
const getSelect = get;

/** @type {Film[]} */
const films = JSON.parse(get("films").textContent ?? "[]");
/** @type {Card[]} */
const cards = films.map(makeCard);
/** @type {WeakMap<Element, Film>} */
const pictures = new WeakMap();

// Pictures are decoded when they come near the window.
const watcher = new IntersectionObserver(
  (seen) => {
    for (const { target, isIntersecting } of seen) {
      const film = pictures.get(target);
      if (isIntersecting && film) {
        /** @type {HTMLImageElement} */ (target).src =
          `data:image/webp;base64,${film.picture}`;
        watcher.unobserve(target);
      }
    }
  },
  { rootMargin: "800px" },
);

/**
 * Make a film's card, of texts alone.
 * @param {Film} film
 * @param {number} place
 * @returns {Card}
 */
function makeCard(film, place) {
  const template = /** @type {HTMLTemplateElement} */ (get("film"));
  const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
  const element = /** @type {HTMLElement} */ (copy.firstElementChild);
  const own = Object.entries(film.own ?? {});
  /** @param {string} selector @param {string} text */
  const write = (selector, text) => {
    const found = /** @type {HTMLElement} */ (element.querySelector(selector));
    found.textContent = text;
    return found;
  };
  write(".title", film.title).dir = "auto";
  write(".own", own.map((pair) => pair.join(": ")).join(" · "));
  write(".note", film.fault ? `Not made: ${film.fault}` : (film.note ?? ""));
  write(".choose .hidden", ` ${film.title}`);
  showFacts(/** @type {HTMLElement} */ (element.querySelector(".facts")), film);
  const link = /** @type {HTMLAnchorElement} */ (element.querySelector(".link"));
  if (film.page) {
    link.href = `${encodeURIComponent(film.film)}/explorer.html`;
  }
  const box = /** @type {HTMLInputElement} */ (element.querySelector("input"));
  box.dataset.film = film.film;
  box.closest("label")?.toggleAttribute("hidden", !film.page);
  element.querySelector("img")?.toggleAttribute("hidden", !film.picture);
  const text = [film.title, film.film, film.fault, film.note, ...own.flat()];
  return {
    film,
    place,
    text: text.join("\n").toLowerCase(),
    near: 0,
    element,
    colors: null,
  };
}

/**
 * Say what can be said of a film in figures.
 * @param {HTMLElement} place
 * @param {Film} film
 */
function showFacts(place, film) {
  if (film.frames === undefined || film.fault) {
    return;
  }
  const facts = [pluralize(film.frames, "frame")];
  if (film.seconds != null) {
    facts.unshift(formatTime(film.seconds));
  }
  if (film.skipped) {
    facts.push(`${film.skipped.toLocaleString("en")} missing`);
  }
  if (film.made) {
    facts.push(`made ${film.made.slice(0, 10)}`);
  }
  place.textContent = facts.join(" · ");
  if (film.mean !== undefined && film.lightness !== undefined) {
    const swatch = document.createElement("span");
    swatch.className = "swatch";
    swatch.style.background = film.mean;
    const hue = film.hue == null ? "gray" : `hue ${Math.round(film.hue)}°`;
    const lightness = `lightness ${Math.round(film.lightness * 100)} %`;
    const share = document.createElement("span");
    share.className = "near";
    place.append(
      document.createElement("br"),
      swatch,
      [film.mean, lightness, hue].join(" · "),
      share,
    );
  }
}

/**
 * Write seconds as h:mm:ss.
 * @param {number} seconds
 */
function formatTime(seconds) {
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 60) % 60, whole % 60];
  const clock = parts.map((part) => String(part).padStart(2, "0"));
  return [Math.floor(whole / 3600), ...clock].join(":");
}

/**
 * Find how much of a film is near a color: of all its palettes, 0 to 1.
 * @param {Card} card
 * @param {[number, number, number]} wanted OKLab
 */
function findShare(card, wanted) {
  card.colors ??= readColors(card.film.colors ?? "");
  const { lab, shares } = card.colors;
  const most = state.near ** 2;
  let sum = 0;
  for (let i = 0; i < shares.length; i++) {
    const l = lab[3 * i] - wanted[0];
    const a = lab[3 * i + 1] - wanted[1];
    const b = lab[3 * i + 2] - wanted[2];
    if (l * l + a * a + b * b <= most) {
      sum += shares[i];
    }
  }
  return sum;
}

/**
 * Read the colors of a film.
 * @param {string} text
 */
function readColors(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const n = bytes.length / 5;
  const lab = new Float64Array(3 * n);
  const shares = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const [r, g, b, high, low] = bytes.subarray(5 * i, 5 * i + 5);
    lab.set(toOklab(r, g, b), 3 * i);
    shares[i] = (256 * high + low) / 65535;
  }
  return { lab, shares };
}

/**
 * What a film is sorted by; null comes last, whichever way the others go.
 * @param {Card} card
 * @returns {string | number | null}
 */
function getSortValue({ film, place, near }) {
  switch (state.sort) {
    case "":
      return place;
    case "title":
      return film.title;
    case "length":
      return film.seconds ?? null;
    case "lightness":
      return film.lightness ?? null;
    case "hue":
      return film.hue ?? null;
    case "date":
      return film.made ?? null;
    case "near":
      // The most first.
      return film.colors === undefined ? null : -near;
    default:
      return film.own?.[state.sort.slice("own.".length)] || null;
  }
}

/**
 * Compare two films by what they are sorted by.
 * @param {Card} one
 * @param {Card} other
 */
function compareCards(one, other) {
  const [a, b] = [getSortValue(one), getSortValue(other)];
  if (a === null || b === null) {
    return Number(a === null) - Number(b === null) || one.place - other.place;
  }
  const order =
    typeof a === "number" && typeof b === "number"
      ? a - b
      : collator.compare(String(a), String(b));
  return (state.down ? -order : order) || one.place - other.place;
}

/** Show the films that are asked for, in their order. */
function showWall() {
  const rgb = getNames().read(state.color);
  const wanted = rgb && toOklab(...rgb);
  const words = state.text.toLowerCase().split(/\s+/).filter(Boolean);
  for (const card of cards) {
    card.near = wanted ? findShare(card, wanted) : 0;
    const share = card.element.querySelector(".near");
    if (share) {
      const percent = (100 * card.near).toFixed(1);
      share.textContent = wanted ? ` · ${percent} % near ${state.color}` : "";
    }
  }
  const shown = cards.filter(
    (card) =>
      words.every((word) => card.text.includes(word)) &&
      (!wanted || (card.near > 0 && 100 * card.near >= state.share)),
  );
  shown.sort(compareCards);
  get("wall").replaceChildren(...shown.map((card) => card.element));
  get("none").hidden = shown.length > 0 || cards.length === 0;
  const all = cards.length.toLocaleString("en");
  const noun = cards.length === 1 ? "film" : "films";
  get("count").textContent =
    shown.length === cards.length
      ? `${all} ${noun}`
      : `${shown.length.toLocaleString("en")} of ${all} ${noun}`;
}

/** Show in the controls what the state is. */
function showControls() {
  const rgb = getNames().read(state.color);
  setValue("text", state.text);
  getSelect("sort").value = state.sort;
  get("down").setAttribute("aria-pressed", String(state.down));
  setValue("color", state.color);
  if (rgb) {
    setValue("pick", formatColor(rgb));
  }
  setValue("near", String(state.near));
  get("near-value").textContent = state.near.toFixed(2);
  setValue("share", String(state.share));
  getSelect("theme").value = state.theme;
  document.documentElement.dataset.theme = state.theme;
  const isWrong = state.color !== "" && !rgb;
  getInput("color").setAttribute("aria-invalid", String(isWrong));
  get("color-fault").textContent = isWrong
    ? `${getNames().refuse(state.color)} Until then all colors count.`
    : "";
  for (const option of getSelect("sort").options) {
    option.disabled = option.value === "near" && !rgb;
  }
}

/**
 * Set an input's value, unless the user is writing it.
 * @param {string} id
 * @param {string} value
 */
function setValue(id, value) {
  if (getInput(id) !== document.activeElement) {
    getInput(id).value = value;
  }
}

/** Show the two films that are to be compared, and lead to them. */
function showCompared() {
  const chosen = state.with.flatMap((id) => films.filter((each) => each.film === id));
  for (const { element } of cards) {
    const box = /** @type {HTMLInputElement} */ (element.querySelector("input"));
    box.checked = state.with.includes(box.dataset.film ?? "");
  }
  get("compare").hidden = chosen.length === 0;
  const [one, other] = chosen;
  const names = chosen.map((film) => `\u2068${film.title}\u2069`);
  get("compared").textContent = other
    ? names.join(" and ")
    : `${names[0]}: choose another film to compare it with.`;
  const open = /** @type {HTMLAnchorElement} */ (get("open"));
  open.hidden = !other;
  if (other) {
    // A path within an address that is itself read as one.
    const path = encodeURIComponent(encodeURIComponent(other.film));
    open.href = `${encodeURIComponent(one.film)}/explorer.html#with=../${path}/explorer.html`;
  }
}

/** Read the state from the address; what cannot be read is as usual. */
function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  const near = Number(given.get("near") ?? Number.NaN);
  const share = Number(given.get("share") ?? Number.NaN);
  const sorts = [...getSelect("sort").options].map((option) => option.value);
  const sort = given.get("sort") ?? "";
  state.text = given.get("text") ?? "";
  state.sort = sorts.includes(sort) ? sort : "";
  state.down = given.get("down") === "1";
  state.color = given.get("color") ?? "";
  state.near = near >= 0.02 && near <= 0.3 ? near : USUAL.near;
  state.share = share >= 0 && share <= 100 ? share : USUAL.share;
  state.with = given
    .getAll("with")
    .filter((id) => films.some((film) => film.page && film.film === id))
    .slice(-2);
  state.theme = ["light", "dark"].find((each) => each === given.get("theme")) ?? "";
}

/** Keep the state in the address, so that it can be sent. */
function writeAddress() {
  const kept = new URLSearchParams();
  for (const [name, value] of Object.entries(state)) {
    if (Array.isArray(value)) {
      for (const each of value) {
        kept.append(name, each);
      }
    } else if (value !== USUAL[/** @type {keyof typeof USUAL} */ (name)]) {
      kept.set(name, value === true ? "1" : String(value));
    }
  }
  history.replaceState(null, "", `#${kept}`);
}

/** Show all anew. */
function show() {
  showControls();
  showWall();
  showCompared();
}

let waiting = 0;

/**
 * Take a change of the user's.
 * @param {Partial<typeof state>} change
 */
function update(change) {
  Object.assign(state, change);
  showControls();
  if ("with" in change) {
    showCompared();
  } else if (!("theme" in change)) {
    showWall();
  }
  // Browsers refuse an address that changes with every step of a slider.
  clearTimeout(waiting);
  waiting = setTimeout(writeAddress, 150);
}

/** Offer the columns of the sheet too. */
function listSorts() {
  const own = new Set(films.flatMap((film) => Object.keys(film.own ?? {})));
  const offered = [...SORTS, ...[...own].map((name) => [`own.${name}`, name])];
  for (const [value, text] of offered) {
    getSelect("sort").append(new Option(text, value));
  }
}

/** Let the controls do what they say. */
function listen() {
  getInput("text").oninput = () => update({ text: getInput("text").value });
  getSelect("sort").onchange = () => update({ sort: getSelect("sort").value });
  get("down").onclick = () => update({ down: !state.down });
  getInput("pick").oninput = () => update({ color: getInput("pick").value });
  getInput("color").oninput = () => update({ color: getInput("color").value.trim() });
  getNames().offer(getInput("color"));
  getInput("near").oninput = () => update({ near: Number(getInput("near").value) });
  getInput("share").oninput = () => {
    const share = getInput("share").valueAsNumber;
    update({ share: share >= 0 && share <= 100 ? share : USUAL.share });
  };
  get("clear").onclick = () =>
    update({ color: "", sort: state.sort === "near" ? "" : state.sort });
  get("all").onclick = () => {
    update({ text: "", color: "" });
    getInput("text").focus();
  };
  get("drop").onclick = () => {
    update({ with: [] });
    getInput("text").focus();
  };
  getSelect("theme").onchange = () => update({ theme: getSelect("theme").value });
  get("wall").onchange = ({ target }) => {
    const box = /** @type {HTMLInputElement} */ (target);
    const id = box.dataset.film ?? "";
    const others = state.with.filter((each) => each !== id);
    // Of three the first one goes.
    update({ with: box.checked ? [...others, id].slice(-2) : others });
  };
  window.onhashchange = () => {
    readAddress();
    show();
  };
}

/** Let a film's picture be shown when it comes near. */
function watchPictures() {
  for (const { film, element } of cards) {
    const image = element.querySelector("img");
    if (image && film.picture) {
      pictures.set(image, film);
      watcher.observe(image);
    }
  }
}

listSorts();
listen();
readAddress();
show();
watchPictures();
