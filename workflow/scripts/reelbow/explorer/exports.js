// A stretch of a film as files for other programs.

/**
 * @typedef {{type: string, write: (film: Film, stretch: Stretch) => BlobPart}} Format
 */

/** @type {Record<string, Format>} by the names' endings */
const FORMATS = {
  csv: { type: "text/csv", write: writeCsv },
  json: { type: "application/json", write: writeJson },
  ase: { type: "application/octet-stream", write: (_, stretch) => writeAse(stretch) },
  gpl: { type: "text/plain", write: writeGpl },
  css: { type: "text/css", write: writeCss },
};

/** @param {number} share */
function roundShare(share) {
  return Number(share.toFixed(5));
}

/**
 * A row a color of every frame: frame,time_s,rank,color,share,accent
 * @param {Film} film
 * @param {Stretch} stretch
 */
function writeCsv(film, { first, last }) {
  const rows = ["frame,time_s,rank,color,share,accent"];
  for (let place = first; place <= last; place++) {
    film.paletteOf(place).forEach(({ rgb, share, accent }, rank) => {
      const time = film.isTimed ? film.timeOf(place).toFixed(3) : "";
      rows.push(
        [
          film.frameOf(place),
          time,
          rank,
          formatColor(rgb),
          roundShare(share),
          Number(accent),
        ].join(","),
      );
    });
  }
  return `${rows.join("\n")}\n`;
}

/**
 * @param {Film} film
 * @param {Stretch} stretch
 */
function writeJson(film, stretch) {
  const { first, last, lengthS, mean, palette } = stretch;
  /** @param {{rgb: number[], share: number}} color */
  const describe = ({ rgb, share }) => ({
    color: formatColor(rgb),
    share: roundShare(share),
  });
  const places = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const about = {
    film: film.about.film,
    title: film.about.title,
    every_nth_frame: film.step,
    first_frame: film.frameOf(first),
    last_frame: film.frameOf(last),
    start_s: film.isTimed ? film.timeOf(first) : null,
    length_s: film.isTimed ? Number(lengthS.toFixed(3)) : null,
    mean_color: mean && formatColor(mean),
    palette: palette.map(describe),
    frames: places
      .filter((place) => film.present[place])
      .map((place) => ({
        frame: film.frameOf(place),
        time_s: film.isTimed ? film.timeOf(place) : null,
        palette: film
          .paletteOf(place)
          .map((color) => ({ ...describe(color), accent: color.accent })),
      })),
  };
  return `${JSON.stringify(about, null, 1)}\n`;
}

/**
 * Adobe Swatch Exchange: big-endian blocks of named colors.
 * @param {Stretch} stretch
 */
function writeAse({ palette }) {
  /** @type {number[]} */
  const bytes = [];
  /** @param {number} value @param {number} n */
  const put = (value, n) => {
    for (let shift = 8 * (n - 1); shift >= 0; shift -= 8) {
      bytes.push((value >>> shift) & 255);
    }
  };
  bytes.push(...new TextEncoder().encode("ASEF"));
  put(1, 2);
  put(0, 2);
  put(palette.length, 4);
  for (const { rgb } of palette) {
    const name = formatColor(rgb);
    put(1, 2);
    put(2 + 2 * (name.length + 1) + 4 + 12 + 2, 4);
    put(name.length + 1, 2);
    for (const sign of `${name}\0`) {
      put(sign.charCodeAt(0), 2);
    }
    bytes.push(...new TextEncoder().encode("RGB "));
    for (const level of rgb) {
      const view = new DataView(new ArrayBuffer(4));
      view.setFloat32(0, level / 255);
      put(view.getUint32(0), 4);
    }
    put(0, 2);
  }
  return Uint8Array.from(bytes);
}

/**
 * A palette of GIMP, Inkscape and Krita.
 * @param {Film} film
 * @param {Stretch} stretch
 */
function writeGpl(film, { palette }) {
  // A name is one line.
  const name = film.about.title.replace(/\s+/g, " ");
  const rows = palette.map(({ rgb, share }) => {
    const levels = rgb.map((level) => String(level).padStart(3)).join(" ");
    return `${levels}\t${formatColor(rgb)} ${formatShare(share)}`;
  });
  return [
    "GIMP Palette",
    `Name: ${name}`,
    `Columns: ${palette.length}`,
    "#",
    ...rows,
    "",
  ].join("\n");
}

/**
 * @param {Film} _
 * @param {Stretch} stretch
 */
function writeCss(_, { mean, palette }) {
  const colors = palette.map(
    ({ rgb }, i) => `  --color-${i + 1}: ${formatColor(rgb)};`,
  );
  const lines = mean ? [`  --mean-color: ${formatColor(mean)};`, ...colors] : colors;
  return `:root {\n${lines.join("\n")}\n}\n`;
}

/** @param {number} share */
function formatShare(share) {
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
}

/**
 * Have the browser save a file.
 * @param {Blob} blob
 * @param {string} name
 */
function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
