/* Shows which frame each tile of a mosaic is. */

/**
 * @typedef {object} About
 * @property {number} rows
 * @property {number} columns
 * @property {{title: string, page: string}[]} films
 * @property {number[]} film place in films, of each cell, row by row
 * @property {number[]} frame
 * @property {(number | null)[]} time_s
 * @property {number[]} view 0: the whole frame; else a place in DETAILS, from 1
 * @property {number[]} mirrored
 * @property {number[]} difference
 */

/** @param {string} id @returns {HTMLElement} */
function find(id) {
  const found = document.getElementById(id);
  if (!found) {
    throw new Error(`The page has no ${id}.`);
  }
  return found;
}

/** @type {About} */
const about = JSON.parse(find("about").textContent ?? "");
const view = find("view");
const sheet = find("sheet");
const mark = find("mark");
const told = find("told");

const MOST_ZOOM = 32;

/** Where in its frame a detail is, row by row. */
const DETAILS = [
  ...["upper left", "top", "upper right"],
  ...["left", "middle", "right"],
  ...["lower left", "bottom", "lower right"],
];

let zoom = 1;
let cell = -1;
let isHeld = false;

/** Zoom, so that what is at a place of the view, from 0 to 1, stays there. */
function setZoom(/** @type {number} */ wanted, x = 0.5, y = 0.5) {
  const box = view.getBoundingClientRect();
  const left = box.left + x * box.width;
  const top = box.top + y * box.height;
  const before = sheet.getBoundingClientRect();
  zoom = Math.min(MOST_ZOOM, Math.max(1, wanted));
  fit();
  const after = sheet.getBoundingClientRect();
  const across = (left - before.left) / before.width;
  const down = (top - before.top) / before.height;
  view.scrollLeft += after.left + across * after.width - left;
  view.scrollTop += after.top + down * after.height - top;
}

/** Fit the whole picture into the view, and then as much larger as it is zoomed. */
function fit() {
  const picture = /** @type {HTMLImageElement} */ (find("picture"));
  const aspect =
    Number(picture.getAttribute("width")) / Number(picture.getAttribute("height"));
  const width = Math.min(view.clientWidth, view.clientHeight * aspect);
  sheet.style.width = `${width * zoom}px`;
}

/** Say which frame a cell is; -1: none. */
function show(/** @type {number} */ wanted) {
  cell = wanted;
  mark.hidden = cell < 0;
  if (cell < 0) {
    return;
  }
  const row = Math.floor(cell / about.columns);
  const column = cell % about.columns;
  mark.style.left = `${(100 * column) / about.columns}%`;
  mark.style.top = `${(100 * row) / about.rows}%`;
  mark.style.width = `${100 / about.columns}%`;
  mark.style.height = `${100 / about.rows}%`;
  const film = about.films[about.film[cell]];
  const time_s = about.time_s[cell];
  const link = document.createElement("a");
  link.href = `${film.page}#t=${time_s ?? about.frame[cell]}`;
  link.textContent = film.title;
  const words = [
    ...(time_s === null ? [] : [formatTime(time_s)]),
    `frame ${about.frame[cell].toLocaleString("en")}`,
    ...(about.view[cell] ? [`detail: ${DETAILS[about.view[cell] - 1]}`] : []),
    ...(about.mirrored[cell] ? ["mirrored"] : []),
    `row ${row + 1}, column ${column + 1}`,
    `difference ${about.difference[cell].toFixed(3)}`,
    ...(isHeld ? ["held"] : []),
  ];
  told.replaceChildren(link, ` · ${words.join(" · ")}`);
}

/** Find the cell at a place of the window. */
function locate(/** @type {MouseEvent} */ event) {
  const box = sheet.getBoundingClientRect();
  const column = Math.floor(((event.clientX - box.left) / box.width) * about.columns);
  const row = Math.floor(((event.clientY - box.top) / box.height) * about.rows);
  const isInside =
    column >= 0 && column < about.columns && row >= 0 && row < about.rows;
  return isInside ? row * about.columns + column : -1;
}

/** Go to a neighbor, and bring it into view. */
function step(/** @type {number} */ down, /** @type {number} */ across) {
  const row = Math.max(0, Math.floor(cell / about.columns)) + (cell < 0 ? 0 : down);
  const column = cell < 0 ? 0 : (cell % about.columns) + across;
  if (row < 0 || row >= about.rows || column < 0 || column >= about.columns) {
    return;
  }
  isHeld = true;
  show(row * about.columns + column);
  mark.scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** @type {Record<string, () => void>} */
const KEYS = {
  ArrowUp: () => step(-1, 0),
  ArrowDown: () => step(1, 0),
  ArrowLeft: () => step(0, -1),
  ArrowRight: () => step(0, 1),
  "+": () => setZoom(zoom * 1.5),
  "-": () => setZoom(zoom / 1.5),
  0: () => setZoom(1),
  Escape: () => {
    isHeld = false;
    show(-1);
  },
};

sheet.addEventListener("pointermove", (event) => {
  if (!isHeld) {
    show(locate(event));
  }
});
sheet.addEventListener("click", (event) => {
  const at = locate(event);
  isHeld = !(isHeld && at === cell);
  show(at);
});
addEventListener("keydown", (event) => {
  const act = KEYS[event.key];
  const isTaken =
    event.target instanceof Element && event.target.matches("select, input");
  if (act && !isTaken && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    act();
  }
});
view.addEventListener(
  "wheel",
  (event) => {
    // Without a key the page scrolls, as anywhere.
    if (event.ctrlKey || event.metaKey || event.altKey) {
      event.preventDefault();
      const box = view.getBoundingClientRect();
      const x = (event.clientX - box.left) / box.width;
      const y = (event.clientY - box.top) / box.height;
      setZoom(zoom * 1.002 ** -event.deltaY, x, y);
    }
  },
  { passive: false },
);
find("zoom-in").addEventListener("click", () => setZoom(zoom * 1.5));
find("zoom-out").addEventListener("click", () => setZoom(zoom / 1.5));
find("whole").addEventListener("click", () => setZoom(1));
addEventListener("resize", fit);
fit();
