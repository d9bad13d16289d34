"""The contrast of what a page shows, as WCAG 2 computes it."""

from typing import NamedTuple

from playwright.sync_api import Page


class Contrast(NamedTuple):
    """What stands before what in a page, and the ratio of their luminances."""

    what: str
    ratio: float
    least: float


# Text against the nearest background that is painted, 4.5 to 1, and the edge or the
# inside of a control, whichever is told better, against what is around it, 3 to 1.
_MEASURE = """() => {
  const parse = (text) => {
    const numbers = text.match(/[\\d.]+/g).map(Number);
    return numbers.length > 3 ? numbers : [...numbers, 1];
  };
  const luminance = (color) => color.slice(0, 3)
    .map((level) => level / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const compare = (one, other) => {
    const [a, b] = [luminance(one), luminance(other)].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  };
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const color = parse(getComputedStyle(each).backgroundColor);
      if (color[3] === 1) return color;
    }
    return [255, 255, 255, 1];
  };
  const found = [];
  for (const element of document.body.querySelectorAll("*")) {
    const style = getComputedStyle(element);
    if (!element.checkVisibility() || element.matches(":disabled, option")) continue;
    const name = `${element.tagName} ${element.id || element.className}`;
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    const isField = element.matches("input:not([type=range], [type=color]), select");
    if (own || isField) {
      found.push([name, compare(parse(style.color), behind(element)), 4.5]);
    }
    if (element.placeholder) {
      const color = parse(getComputedStyle(element, "::placeholder").color);
      found.push([`${name} placeholder`, compare(color, behind(element)), 4.5]);
    }
    if (element.matches("button, select, input:not([type=range], [type=checkbox])")) {
      const around = behind(element.parentElement);
      const own = [parse(style.borderTopColor), behind(element)];
      const most = Math.max(...own.map((color) => compare(color, around)));
      found.push([`${name} edge`, most, 3]);
    }
  }
  return found;
}"""


def measure_contrasts(page: Page) -> list[Contrast]:
    """Measure all texts, and the edges of all controls, that can be seen."""
    return [Contrast(*each) for each in page.evaluate(_MEASURE)]
