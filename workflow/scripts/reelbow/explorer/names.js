/* Names of colors, as reelbow.color.names has them: of each color the nearest of XKCD's
   in CIEDE2000, and the color of each name. */

/**
 * What reelbow.color.names.describe_names gives.
 * @typedef {{listed: Record<string, number>, n_xkcd: number}} NameList
 */

class ColorNames {
  static #OFFERED = 3;

  /** @param {NameList} list */
  constructor({ listed, n_xkcd }) {
    this.words = Object.keys(listed);
    const colors = Object.values(listed);
    /** @type {Triple[]} of those that colors are named by */
    this.labs = colors.slice(0, n_xkcd).map((color) => toCielab(unpackColor(color)));
    /** @type {Map<string, number>} by names as they are, and squeezed */
    this.keys = new Map(this.words.map((word, i) => [word, colors[i]]));
    this.words.forEach((word, i) => {
      const key = squeeze(word);
      if (!this.keys.has(key)) {
        this.keys.set(key, colors[i]);
      }
    });
    /** @type {Map<number, string>} names that were found, by color */
    this.found = new Map();
  }

  /**
   * The nearest name of a color.
   * @param {ArrayLike<number>} rgb
   */
  nameOf(rgb) {
    const packed = (rgb[0] << 16) | (rgb[1] << 8) | rgb[2];
    let name = this.found.get(packed);
    if (name === undefined) {
      name = this.words[this.#findNearest(toCielab(rgb))] ?? "";
      this.found.set(packed, name);
    }
    return name;
  }

  /**
   * The difference in lightness alone is never more than the whole one: what is farther
   * by it than the nearest so far is not measured. The first one is a guess.
   * @param {Triple} lab
   */
  #findNearest(lab) {
    const { labs } = this;
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < labs.length; i++) {
      const [L, a, b] = labs[i];
      const apart = (lab[0] - L) ** 2 + (lab[1] - a) ** 2 + (lab[2] - b) ** 2;
      if (apart < least) {
        least = apart;
        best = i;
      }
    }
    least = best < 0 ? least : measureCiede2000(lab, labs[best]);
    for (let i = 0; i < labs.length; i++) {
      const [L] = labs[i];
      if (Math.abs(lab[0] - L) <= (least + 1e-9) * weighLightness((lab[0] + L) / 2)) {
        const apart = measureCiede2000(lab, labs[i]);
        // Of two alike the first.
        if (apart < least || (apart === least && i < best)) {
          least = apart;
          best = i;
        }
      }
    }
    return best;
  }

  /**
   * The color of a name; null: it is not listed. Case, spaces and signs do not matter,
   * unless they alone tell names apart.
   * @param {string} text
   * @returns {Triple | null}
   */
  find(text) {
    const asWritten = text.trim().toLowerCase();
    for (const key of [asWritten, asWritten.replace(/[\s_-]+/g, " "), squeeze(text)]) {
      const color = this.keys.get(key);
      if (color !== undefined) {
        return unpackColor(color);
      }
    }
    return null;
  }

  /**
   * The names that are written most alike.
   * @param {string} text
   */
  suggest(text) {
    const wanted = squeeze(text);
    return this.words
      .map((word) => ({ word, slips: countSlips(wanted, squeeze(word)) }))
      .sort((one, other) => one.slips - other.slips)
      .slice(0, ColorNames.#OFFERED)
      .map(({ word }) => word);
  }

  /**
   * Say in a sentence that something is no color, and what would be one.
   * @param {string} text
   */
  refuse(text) {
    const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
    const offered = this.suggest(text.slice(0, 40)).join(", ");
    return `“${shown}” is no color; write one like #c00000, or a name; names like it are ${offered}.`;
  }

  /**
   * Read a color as people write it, or its name.
   * @param {string} text
   */
  read(text) {
    return parseColor(text) ?? this.find(text);
  }

  /**
   * Offer all names to a field when it is first used.
   * @param {HTMLInputElement} field
   */
  offer(field) {
    field.addEventListener(
      "focus",
      () => field.list?.append(...this.words.map((word) => new Option("", word))),
      { once: true },
    );
  }
}

/** @type {ColorNames | null} */
let namesOfPage = null;

/** The names that a page has in its element #names, read once. */
function getNames() {
  namesOfPage ??= new ColorNames(
    JSON.parse(document.getElementById("names")?.textContent ?? ""),
  );
  return namesOfPage;
}

/**
 * Leave out what people write differently.
 * @param {string} text
 */
function squeeze(text) {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]/g, "")
    .replaceAll("grey", "gray");
}

/**
 * How many letters are missing, too many, wrong or exchanged with the next one.
 * @param {string} one
 * @param {string} other
 */
function countSlips(one, other) {
  const rows = [Array.from({ length: other.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= one.length; i++) {
    rows.push([i]);
    for (let j = 1; j <= other.length; j++) {
      const isSame = one[i - 1] === other[j - 1];
      let least = Math.min(
        rows[i - 1][j] + 1,
        rows[i][j - 1] + 1,
        rows[i - 1][j - 1] + Number(!isSame),
      );
      if (
        i > 1 &&
        j > 1 &&
        one[i - 1] === other[j - 2] &&
        one[i - 2] === other[j - 1]
      ) {
        least = Math.min(least, rows[i - 2][j - 2] + 1);
      }
      rows[i].push(least);
    }
  }
  return rows[one.length][other.length];
}

/**
 * @param {number} packed 0xRRGGBB
 * @returns {Triple}
 */
function unpackColor(packed) {
  return [packed >> 16, (packed >> 8) & 255, packed & 255];
}

/**
 * Convert a color to CIE L*a*b* under D65.
 * @param {ArrayLike<number>} rgb whole, 0 to 255
 * @returns {Triple}
 */
function toCielab(rgb) {
  const r = LINEAR[rgb[0]];
  const g = LINEAR[rgb[1]];
  const b = LINEAR[rgb[2]];
  // Each relative to white's.
  const x = takeCieRoot(X_ROW[0] * r + X_ROW[1] * g + X_ROW[2] * b);
  const y = takeCieRoot(Y_ROW[0] * r + Y_ROW[1] * g + Y_ROW[2] * b);
  const z = takeCieRoot(Z_ROW[0] * r + Z_ROW[1] * g + Z_ROW[2] * b);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** @param {Triple} row of linear sRGB to X, Y or Z @returns {Triple} */
function relateToWhite(row) {
  const white = row[0] + row[1] + row[2];
  return [row[0] / white, row[1] / white, row[2] / white];
}

const X_ROW = relateToWhite([506752 / 1228815, 87881 / 245763, 12673 / 70218]);
const Y_ROW = relateToWhite([87098 / 409605, 175762 / 245763, 12673 / 175545]);
const Z_ROW = relateToWhite([7918 / 409605, 87881 / 737289, 1001167 / 1053270]);

/** @param {number} relative */
function takeCieRoot(relative) {
  return relative > (6 / 29) ** 3
    ? Math.cbrt(relative)
    : (relative * (29 / 6) ** 2) / 3 + 4 / 29;
}

/**
 * How different two colors look: CIEDE2000 (Sharma, Wu and Dalal, 2005).
 * @param {Triple} first CIE L*a*b*
 * @param {Triple} second
 */
function measureCiede2000([l1, a1, b1], [l2, a2, b2]) {
  const radians = Math.PI / 180;
  const before = (Math.hypot(a1, b1) + Math.hypot(a2, b2)) / 2;
  const stretch = 1.5 - 0.5 * Math.sqrt(before ** 7 / (before ** 7 + 25 ** 7));
  const c1 = Math.hypot(a1 * stretch, b1);
  const c2 = Math.hypot(a2 * stretch, b2);
  const h1 = findHue(a1 * stretch, b1);
  const h2 = findHue(a2 * stretch, b2);
  const isGray = c1 * c2 === 0;
  let turn = isGray ? 0 : h2 - h1;
  let mean = isGray ? h1 + h2 : (h1 + h2) / 2;
  if (Math.abs(turn) > 180) {
    mean += h1 + h2 < 360 ? 180 : -180;
    turn += turn > 0 ? -360 : 360;
  }
  const chroma = (c1 + c2) / 2;
  const tint =
    1 -
    0.17 * Math.cos((mean - 30) * radians) +
    0.24 * Math.cos(2 * mean * radians) +
    0.32 * Math.cos((3 * mean + 6) * radians) -
    0.2 * Math.cos((4 * mean - 63) * radians);
  const rotation =
    -Math.sin(60 * Math.exp(-(((mean - 275) / 25) ** 2)) * radians) *
    2 *
    Math.sqrt(chroma ** 7 / (chroma ** 7 + 25 ** 7));
  const lightness = (l2 - l1) / weighLightness((l1 + l2) / 2);
  const saturation = (c2 - c1) / (1 + 0.045 * chroma);
  const hue =
    (2 * Math.sqrt(c1 * c2) * Math.sin((turn / 2) * radians)) /
    (1 + 0.015 * chroma * tint);
  return Math.sqrt(
    Math.max(
      0,
      lightness ** 2 + saturation ** 2 + hue ** 2 + rotation * saturation * hue,
    ),
  );
}

/** The hue's angle in degrees, from 0. @param {number} a @param {number} b */
function findHue(a, b) {
  const angle = (Math.atan2(b, a) * 180) / Math.PI;
  return angle < 0 ? angle + 360 : angle;
}

/** What divides a difference of L*, by the mean of both. @param {number} mean */
function weighLightness(mean) {
  const squares = (mean - 50) ** 2;
  return 1 + (0.015 * squares) / Math.sqrt(20 + squares);
}
