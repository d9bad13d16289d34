"""Names of colors: of each the nearest of a list, in CIEDE2000; and colors by name.

The lists are those that matplotlib ships: the 949 names that people gave most often in
XKCD's survey of 2010, and CSS's 148. Only that file of matplotlib is loaded, since all
of it takes half a second.
"""

import functools
import importlib.util
import re
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from reelbow.color.difference import measure_ciede2000, weigh_lightness
from reelbow.color.spaces import srgb_to_cielab

Names = Literal["xkcd", "css"]

# Names that are offered for one that is on no list.
_OFFERED = 3

# Colors that are compared with all names at a time.
_SOME = 512


@functools.cache
def load_names(names: Names = "xkcd") -> dict[str, int]:
    """Load a list: names, as `teal`, and their colors, 0xRRGGBB."""
    package = importlib.util.find_spec("matplotlib")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("names of colors need matplotlib", name="matplotlib")
    path = Path(package.origin).with_name("_color_data.py")
    spec = importlib.util.spec_from_file_location("reelbow_color_data", path)
    assert spec is not None
    assert spec.loader is not None
    data = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(data)
    colors = {"xkcd": data.XKCD_COLORS, "css": data.CSS4_COLORS}[names]
    return {name.removeprefix("xkcd:"): int(at[1:], 16) for name, at in colors.items()}


@functools.cache
def list_names() -> dict[str, int]:
    """List all names by which colors are found: XKCD's, and CSS's that are no others.

    `grey` is `gray`, and `light blue` is `lightblue`: so CSS has few that XKCD has not.
    """
    listed = dict(load_names("xkcd"))
    known = {_squeeze(name) for name in listed}
    for name, color in load_names("css").items():
        if _squeeze(name) not in known:
            known.add(_squeeze(name))
            listed[name] = color
    return listed


def describe_names() -> dict[str, Any]:
    """Give the names as pages have them: all, and how many of the first are XKCD's."""
    return {"listed": list_names(), "n_xkcd": len(load_names("xkcd"))}


def find_color(name: str) -> int | None:
    """Find the color of a name, 0xRRGGBB; None: it is not listed.

    Case, spaces, hyphens and other signs do not matter, but where they alone tell
    names apart (`blue green`, `blue/green`) the one that is written so is found.
    """
    keys = _list_keys()
    as_written = name.strip().lower()
    for key in (as_written, re.sub(r"[\s_-]+", " ", as_written), _squeeze(name)):
        if key in keys:
            return keys[key]
    return None


def suggest_names(name: str) -> list[str]:
    """Suggest the names that are written most alike: with the fewest slips."""
    wanted = _squeeze(name)
    return sorted(
        list_names(), key=lambda other: _count_slips(wanted, _squeeze(other))
    )[:_OFFERED]


def _count_slips(one: str, other: str) -> int:
    """Count letters that are missing, too many, wrong or exchanged with the next one.

    As `explorer/names.js` does, so that pages and servers suggest the same.
    """
    before: list[int] = []
    above: list[int] = [*range(len(other) + 1)]
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, wanted in enumerate(other, 1):
            least = min(above[j] + 1, row[-1] + 1, above[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and (letter, one[i - 2]) == (other[j - 2], wanted):
                least = min(least, before[j - 2] + 1)
            row.append(least)
        before, above = above, row
    return above[-1]


@functools.cache
def _list_keys() -> dict[str, int]:
    """List names as they are and squeezed; of those that are the same so the first."""
    keys = dict(list_names())
    for name, color in list_names().items():
        keys.setdefault(_squeeze(name), color)
    return keys


def _squeeze(name: str) -> str:
    """Leave out what people write differently."""
    return re.sub("[^a-z0-9]", "", name.lower()).replace("grey", "gray")


def name_colors(colors: NDArray[np.integer], names: Names = "xkcd") -> list[str]:
    """Find the nearest name of each color, (n,) 0xRRGGBB; of two alike the first."""
    listed = load_names(names)
    words = list(listed)
    known = _remember(names)
    new = np.unique(colors[known[colors] == 0])
    there = _to_lab(np.array([*listed.values()]))
    for start in range(0, len(new), _SOME):
        some = new[start : start + _SOME]
        known[some] = _find(_to_lab(some), there) + 1
    return [words[place - 1] for place in known[colors].tolist()]


@functools.cache
def _remember(names: Names) -> NDArray[np.uint16]:
    """Keep the place of the name of every color that was asked for, from 1.

    A film has the same colors again and again. It takes 32 MiB at most.
    """
    return np.zeros(1 << 24, np.uint16)


def _to_lab(colors: NDArray[np.integer]) -> NDArray[np.float64]:
    rgb = np.stack([colors >> 16, colors >> 8 & 255, colors & 255], axis=1)
    return srgb_to_cielab(rgb)


def _find(colors: NDArray[np.float64], names: NDArray[np.float64]) -> NDArray[np.intp]:
    """Find the nearest of names (m, 3), for each of colors (n, 3), both CIE L*a*b*.

    The difference in lightness alone is never more than the whole difference: chroma
    and hue add to it, whatever the rotation term. So only those names are measured
    whose lightness is no farther than that of a good guess is as a whole.
    """
    guesses = _guess(colors, names)
    most = measure_ciede2000(colors, names[guesses]) * (1 + 1e-9) + 1e-9
    first, second = colors[:, :1], names[:, 0]
    apart = np.abs(first - second) / weigh_lightness((first + second) / 2)
    # Each color with at least its guess, in the order of the colors.
    of_color, of_name = np.nonzero(apart <= most[:, np.newaxis])
    differences = measure_ciede2000(colors[of_color], names[of_name])
    starts = np.flatnonzero(np.diff(of_color, prepend=-1))
    least = np.minimum.reduceat(differences, starts)
    is_least = np.flatnonzero(differences == least[of_color])
    _, at = np.unique(of_color[is_least], return_index=True)
    nearest: NDArray[np.intp] = of_name[is_least[at]]
    return nearest


def _guess(colors: NDArray[np.float64], names: NDArray[np.float64]) -> NDArray[np.intp]:
    """Find the nearest by the square distance in L*a*b*."""
    squares = (names**2).sum(axis=1) - 2 * (colors @ names.T)
    nearest: NDArray[np.intp] = squares.argmin(axis=1)
    return nearest
