/* Words as all pages write them. */

/** @param {number} n @param {string} noun */
function pluralize(n, noun) {
  return `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
}
