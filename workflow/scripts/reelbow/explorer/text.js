/* Words as all pages write them. */

/** @param {number} n @param {string} noun */
function pluralize(n, noun) {
  return `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
}

/**
 * h:mm:ss.mmm
 * @param {number} seconds
 */
function formatTime(seconds) {
  const ms = Math.round(Math.abs(seconds) * 1000);
  /** @param {number} value @param {number} digits */
  const pad = (value, digits) => String(Math.floor(value)).padStart(digits, "0");
  const sign = seconds < 0 && ms ? "-" : "";
  return `${sign}${Math.floor(ms / 3600000)}:${pad((ms / 60000) % 60, 2)}:${pad((ms / 1000) % 60, 2)}.${pad(ms % 1000, 3)}`;
}
