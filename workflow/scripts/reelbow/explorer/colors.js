/* Colors as all pages compute with them. */

/** @typedef {[number, number, number]} Triple */

/** Linear light of each level of sRGB. */
const LINEAR = Float64Array.from({ length: 256 }, (_, level) => {
  const value = level / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
});

/**
 * Read a color as people write it, with or without #, as #abc or #aabbcc.
 * @param {string} text
 * @returns {Triple | null} red, green, blue, 0 to 255
 */
function parseColor(text) {
  const found = /^\s*#?([0-9a-f]{3}|[0-9a-f]{6})\s*$/i.exec(text);
  if (!found) {
    return null;
  }
  const digits = found[1].length === 3 ? found[1].replace(/./g, "$&$&") : found[1];
  const packed = Number.parseInt(digits, 16);
  return [packed >> 16, (packed >> 8) & 255, packed & 255];
}

/**
 * Write a color as #aabbcc.
 * @param {ArrayLike<number>} rgb red, green, blue, whole numbers, 0 to 255
 */
function formatColor(rgb) {
  const packed = (rgb[0] << 16) | (rgb[1] << 8) | rgb[2];
  return `#${packed.toString(16).padStart(6, "0")}`;
}

/**
 * Convert a color to OKLab (B. Ottosson, 2020).
 * @param {number} red whole, 0 to 255
 * @param {number} green
 * @param {number} blue
 * @returns {Triple} L in [0, 1], a and b in about [-0.4, 0.4]
 */
function toOklab(red, green, blue) {
  const r = LINEAR[red];
  const g = LINEAR[green];
  const b = LINEAR[blue];
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

/**
 * OKLab to sRGB of 0 to 255, rounded; what no screen shows is clipped.
 * @param {number} L
 * @param {number} a
 * @param {number} b
 * @returns {Triple}
 */
function fromOklab(L, a, b) {
  const l = (L + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (L - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (L - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    toByte(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    toByte(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    toByte(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

/** @param {number} linear */
function toByte(linear) {
  const value =
    linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
  return Math.round(255 * Math.min(1, Math.max(0, value)));
}
