"""Fonts of figures: those that come with matplotlib, and this machine's others."""

import difflib
import functools
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelbow.errors import ReelbowError

if TYPE_CHECKING:
    from matplotlib.font_manager import FontEntry


# They come with matplotlib, so that pages look alike everywhere.
OWN_FAMILIES = ("STIXGeneral", "DejaVu Sans")

# A font that has a box for everything.
_BOXES = "LastResort"
_SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")
_REGULAR_WEIGHT = 400

NO_FONT_FILE = "font is {!r}, but there is no such file"


def find_families(
    text: str, own_families: tuple[str, ...] = OWN_FAMILIES
) -> tuple[tuple[str, ...], str]:
    """Find the fonts that together have the letters of a text, as few as may be.

    Parameters
    ----------
    own_families : those that are wanted, Reelbow's own if nothing else is said

    Returns
    -------
    families : the wanted ones, then those of this machine that have what they lack
    missing : the letters that no font of this machine has, each once, in their order
    """
    letters = _list_letters(text)
    own = frozenset[int]().union(*map(_list_own_letters, own_families))
    missing = set(letters) - own
    found: list[str] = []
    # Those that have most of what is missing, and of these the plainest.
    while missing:
        most: frozenset[int] = frozenset()
        for name, there in _list_installed():
            if len(there & missing) > len(most):
                most, best = there & missing, name
        if not most:
            break
        found.append(best)
        missing -= most
    # Reelbow's own have one letter of Hiragana: then another font has all of the text.
    wide = any(unicodedata.east_asian_width(chr(each)) == "W" for each in own & letters)
    families = (*found, *own_families) if wide else (*own_families, *found)
    told = dict.fromkeys(letter for letter in text if ord(letter) in missing)
    return families, "".join(told)


def load_font(font: str) -> tuple[str, dict[str, Any]]:
    """Make a font ready to be drawn with.

    Parameters
    ----------
    font : a file, if it has a folder or a suffix of fonts, or the name of a family

    Returns
    -------
    family : as matplotlib names it
    about : weight, style and stretch of the file, as FontProperties takes them

    Raises
    ------
    ReelbowError
        If the file or the family is not there, or the file is no font.
    """
    from matplotlib.font_manager import fontManager

    if not is_font_file(font):
        families = {entry.name for entry in _list_entries()}
        by_name = {family.lower(): family for family in families}
        if font.lower() in by_name:
            return by_name[font.lower()], {}
        close = difflib.get_close_matches(font, families, n=1)
        advice = f"did you mean {close[0]!r}?" if close else "name its file instead"
        raise ReelbowError(
            f"font is {font!r}, which this machine does not have; {advice}"
        )
    if not Path(font).is_file():
        raise ReelbowError(NO_FONT_FILE.format(font))
    known = len(fontManager.ttflist)
    try:
        fontManager.addfont(font)
    except (OSError, RuntimeError, ValueError):
        raise ReelbowError(
            f"font is {font!r}, which is no font that can be read; give a .ttf or .otf"
        ) from None
    # Before one of the same name that is installed.
    added = fontManager.ttflist[known:]
    fontManager.ttflist[:] = [*added, *fontManager.ttflist[:known]]
    (entry, *_) = added
    about = {name: getattr(entry, name) for name in ("weight", "style", "stretch")}
    return entry.name, about


def is_font_file(font: str) -> bool:
    """Whether a font is named by its file, not by its family."""
    return Path(font).name != font or Path(font).suffix.lower() in _SUFFIXES


def describe_missing(letters: str) -> str:
    """Say in one sentence which letters have no font."""
    names = [
        unicodedata.name(letter, "").lower() or f"U+{ord(letter):04X}"
        for letter in letters
    ]
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return (
        f"no font of this machine has {', '.join(names[:2])}{more}: install one, such "
        "as Noto, delete this picture and run again"
    )


def _list_letters(text: str) -> set[int]:
    """List what needs a glyph: not spaces, joiners and other marks without a shape."""
    return {
        ord(letter)
        for letter in text
        if unicodedata.category(letter) not in ("Cf", "Zs", "Cc")
        # Variation selectors.
        and not 0xFE00 <= ord(letter) <= 0xFE0F
    }


@functools.cache
def _list_own_letters(family: str) -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset(get_font(findfont(family)).get_charmap())


@functools.cache
def _list_installed() -> tuple[tuple[str, frozenset[int]], ...]:
    """List this machine's font families with their letters, the plainest first."""
    found: dict[str, frozenset[int]] = {}
    for entry in sorted(_list_entries(), key=_order):
        if entry.name not in found:
            found[entry.name] = _read_letters(entry)
    return tuple(found.items())


def _list_entries() -> Iterator["FontEntry"]:
    from matplotlib.font_manager import findSystemFonts, fontManager

    # matplotlib keeps a list for ever: of what was installed since, it does not know.
    known = {entry.fname for entry in fontManager.ttflist}
    for path in findSystemFonts():
        if path not in known:
            try:
                fontManager.addfont(path)
            except (OSError, RuntimeError, ValueError):
                continue
    yield from fontManager.ttflist


def _order(entry: "FontEntry") -> tuple[bool, int, bool, str, int]:
    weight = entry.weight if isinstance(entry.weight, int) else _REGULAR_WEIGHT
    return (
        entry.style != "normal",
        abs(weight - _REGULAR_WEIGHT),
        # As Reelbow's own has them.
        "Serif" not in entry.name,
        entry.fname,
        entry.index,
    )


def _read_letters(entry: "FontEntry") -> frozenset[int]:
    from matplotlib.font_manager import FontPath, get_font

    if _BOXES in entry.fname:
        return frozenset()
    try:
        font = get_font(FontPath(entry.fname, entry.index))
    except (OSError, RuntimeError):
        return frozenset()
    # Colored emoji are pictures of one size, which matplotlib cannot draw.
    return frozenset(font.get_charmap()) if font.scalable else frozenset()
