"""Paper of posters: sizes and margins as people write them, in millimeters."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reelbow.barcode.drawing import MAX_SIDE
from reelbow.barcode.fonts import NO_FONT_FILE, is_font_file, load_font
from reelbow.errors import ReelbowError

MM_PER_INCH = 25.4

_UNITS_MM = {"mm": 1.0, "cm": 10.0, "in": MM_PER_INCH}
_SERIES_MM = {"A": (841, 1189), "B": (1000, 1414)}
_NUMBER = r"(\d{1,5}(?:\.\d{1,3})?)"
_SHEET = re.compile(rf"{_NUMBER}x{_NUMBER}(mm|cm|in)")
_LENGTH = re.compile(rf"{_NUMBER}(mm|cm|in)")
_SIZES = (
    "A0 to A10 or B0 to B10, a width and a height as 24x36in or 500x700mm, or the "
    "width of a column as 85mm"
)

# Of the shorter side of a poster.
_MARGIN = 0.08

# Of a poster that is smaller no letter could be read.
_LEAST_MM = 20.0

# A page of a PDF has no longer side.
_MOST_MM = 200 * MM_PER_INCH


@dataclass(frozen=True)
class Paper:
    """A sheet, or the width of a column, with margins; all in millimeters."""

    width: float
    # None: as high as what stands in the column.
    height: float | None
    top: float
    right: float
    bottom: float
    left: float

    def count_pixels(self, dpi: int) -> tuple[int, int]:
        """Count the pixels across and down; 0 down where that is not known yet."""
        return tuple(  # type: ignore[return-value]
            round(side / MM_PER_INCH * dpi) for side in (self.width, self.height or 0)
        )


def check_posters(posters: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse posters that cannot be, before anything is drawn.

    Raises
    ------
    ReelbowError
        If a size or margins are written in another way, or leave no room, or a poster
        has more than 32,768 pixels on a side, or has an axis of what is sorted; the
        sentence names the key.
    """
    for name, settings in posters.items():
        font = settings["font"]
        try:
            parse_paper(settings)
            if settings["kind"] == "sorted" and settings["axis"]:
                raise ReelbowError(
                    "axis is true, but in a poster of kind sorted no place has a time; "
                    "leave it out"
                )
            if font is not None and is_font_file(font) and not Path(font).is_file():
                raise ReelbowError(NO_FONT_FILE.format(font))
        except ReelbowError as error:
            raise ReelbowError(f"config: posters.{name}.{error}") from None
        # The names of files, which on some disks are the same in capitals.
        for other in posters:
            if other != name and other.lower() == name.lower():
                raise ReelbowError(
                    f"config: posters has {name!r} and {other!r}, which differ only in "
                    "capitals; give one of them another name"
                )


def check_fonts(posters: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse fonts of posters that this machine does not have, or cannot read.

    Raises
    ------
    ReelbowError
        If there is one; the sentence names the key.
    """
    for name, settings in posters.items():
        if settings["font"] is not None:
            try:
                load_font(settings["font"])
            except ReelbowError as error:
                raise ReelbowError(f"config: posters.{name}.{error}") from None


def parse_paper(settings: Mapping[str, Any]) -> Paper:
    """Read a poster's size, orientation and margins.

    Raises
    ------
    ReelbowError
        If one of them cannot be; the sentence begins with its key.
    """
    width, height = _parse_size(settings["size"], settings["orientation"])
    margins = settings["margins"]
    if margins is None:
        margins_mm = [0.0 if height is None else _MARGIN * min(width, height)] * 4
    else:
        margins_mm = _parse_margins(margins)
    paper = Paper(width, height, *margins_mm)
    size = _write_size(paper)
    for side in (width, height or width):
        if not _LEAST_MM <= side <= _MOST_MM:
            raise ReelbowError(
                f"size is {settings['size']!r}, should have sides of {_LEAST_MM:.0f} "
                f"to {_MOST_MM:.0f} mm"
            )
    # Of both, half has to be left for what is printed.
    if (
        paper.left + paper.right > width / 2
        or paper.top + paper.bottom > (height or _MOST_MM) / 2
    ):
        raise ReelbowError(
            f"margins is {margins!r}, which takes more than half of {size}; "
            "give smaller ones"
        )
    most = max(paper.count_pixels(settings["dpi"]))
    if most > MAX_SIDE:
        dpi = int(settings["dpi"] * MAX_SIDE / most)
        raise ReelbowError(
            f"dpi is {settings['dpi']}, which makes {most:,} pixels of {size}, more "
            f"than {MAX_SIDE:,}; give at most {dpi}"
        )
    return paper


def _parse_size(size: str, orientation: str) -> tuple[float, float | None]:
    """Read a size as (width, height) in millimeters; a column has no height."""
    if found := re.fullmatch(r"([ABab])(\d|10)", size):
        shorter, longer = _SERIES_MM[found[1].upper()]
        for _ in range(int(found[2])):
            shorter, longer = longer // 2, shorter
        # Time runs from left to right, and wants the longer side.
        width, height = float(longer), float(shorter)
    elif found := _SHEET.fullmatch(size):
        width, height = (
            float(side) * _UNITS_MM[found[3]] for side in found.groups()[:2]
        )
    elif found := _LENGTH.fullmatch(size):
        if orientation != "auto":
            raise ReelbowError(
                f"orientation is {orientation!r}, but {size} is the width of a column, "
                "as high as it comes out; leave it out"
            )
        return float(found[1]) * _UNITS_MM[found[2]], None
    else:
        raise ReelbowError(f"size is {size!r}, should be {_SIZES}")
    if orientation == "portrait":
        return min(width, height), max(width, height)
    if orientation == "landscape":
        return max(width, height), min(width, height)
    return width, height


def _parse_margins(margins: str) -> list[float]:
    """Read margins as CSS has them, as [top, right, bottom, left] in millimeters."""
    lengths = [_LENGTH.fullmatch(part) for part in margins.split()]
    sides = [float(each[1]) * _UNITS_MM[each[2]] for each in lengths if each]
    places = {1: (0, 0, 0, 0), 2: (0, 1, 0, 1), 4: (0, 1, 2, 3)}.get(len(lengths))
    if len(sides) < len(lengths) or places is None:
        raise ReelbowError(
            f"margins is {margins!r}, should be one length, as 30mm or 1.5in, or two "
            "(top and bottom, left and right) or four (top, right, bottom, left)"
        )
    return [sides[place] for place in places]


def _write_size(paper: Paper) -> str:
    if paper.height is None:
        return f"a column of {paper.width:g} mm"
    return f"{paper.width:g} x {paper.height:g} mm"
