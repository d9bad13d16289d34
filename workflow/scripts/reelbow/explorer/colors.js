/* Colors as all pages compute with them. */

/** Linear light of each level of sRGB. */
const LINEAR = Float64Array.from({ length: 256 }, (_, level) => {
  const value = level / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
});

/**
 * Read a color as people write it, with or without #, as #abc or #aabbcc.
 * @param {string} text
 * @returns {[number, number, number] | null} red, green, blue, 0 to 255
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
 * @returns {[number, number, number]} L in [0, 1], a and b in about [-0.4, 0.4]
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
