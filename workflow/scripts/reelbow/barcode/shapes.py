"""Bends a barcode into a ring, a spiral or rows, with smooth edges.

A shape says of every point of its picture which part of the barcode lies there. A pixel
is the average of `SAMPLES` x `SAMPLES` points. It depends on nothing but its own place,
so that any strip of a picture has the same bits as the whole, and a large picture needs
no more memory than a small one.
"""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelbow.arguments import check_whole
from reelbow.errors import ReelbowError

SHAPES = ("line", "ring", "spiral", "rows")
BACKGROUNDS = ("white", "transparent")

# Pixels of a shape's side.
LEAST_SIDE = 16
MOST_SIDE = 32_768

# Points of a pixel, across and down. docs/pictures.md says what more would gain.
SAMPLES = 4

# Of the radius of a ring, its hole.
_HOLE = 0.5

# Between rows, or the turns of a spiral: a part of the distance from one to the next.
_GAP = 0.06

# A spiral's turn for every so many minutes, within limits.
_TURN_MINUTES = 10.0
_TURNS = (3, 12)

# Rows are this high, in pixels, or higher.
_LEAST_ROW = 8

# Points that are looked up at a time.
_SOME_POINTS = 1 << 20


class _Points(NamedTuple):
    """Points of a picture that show the barcode.

    Attributes
    ----------
    shown : (n,) int64, which of all points these are, ascending
    along : (n,) float, where in the barcode's width each lies, [0, 1)
    up : (n,) float, where in its height from the bottom up, [0, 1)
    """

    shown: NDArray[np.int64]
    along: NDArray[np.floating]
    up: NDArray[np.floating]


class Shape:
    """A shape of a side in pixels, for a film of so many minutes.

    Parameters
    ----------
    name : {"ring", "spiral", "rows"}
        A ring reads clockwise from the top, with the barcode's upper edge outside. A
        spiral does so, too, from the middle on: a turn for ten minutes, of 3 to 12, and
        every minute as long as any other. Rows read like a text, one a minute, if they
        are 8 pixels high, and fill the square.
    side : width and height of the picture, [16, 32768]
    minutes : how long the film is, of which the number of turns and rows comes
    background : {"white", "transparent"}

    Raises
    ------
    ReelbowError
        If the name, the side or the background is another one.
    """

    def __init__(
        self, name: str, *, side: int, minutes: float, background: str = "white"
    ) -> None:
        if name not in SHAPES[1:]:
            raise ReelbowError(
                f"Unknown shape of barcode '{name}': it is one of "
                f"{', '.join(SHAPES[1:])}."
            )
        check_whole("A shape's side", side, LEAST_SIDE, MOST_SIDE)
        if background not in BACKGROUNDS:
            raise ReelbowError(
                f"Unknown background of a shape '{background}': it is one of "
                f"{', '.join(BACKGROUNDS)}."
            )
        self.name, self.side, self.background = name, side, background
        self.minutes = minutes
        turns = round(minutes / _TURN_MINUTES)
        self.turns = min(max(turns, _TURNS[0]), _TURNS[1])
        most_rows = max(1, side // _LEAST_ROW)
        self.rows = min(max(round(minutes), 1), most_rows)

    def measure(self) -> tuple[int, int]:
        """Find how long the barcode is in pixels where it is longest, and how high."""
        if self.name == "ring":
            return math.ceil(math.pi * self.side), math.ceil(self.side / 2 * _HOLE)
        if self.name == "spiral":
            pitch = 1 / (self.turns + 2)
            length = math.pi * self.side * _measure_spiral(self.turns, pitch)
            return math.ceil(length), math.ceil(self.side / 2 * pitch)
        return self.rows * self.side, math.ceil(self.side / self.rows)

    def find(self, x: NDArray[np.float32], y: NDArray[np.float32]) -> _Points:
        """Find what lies at points (n,), in pixels from the picture's upper left."""
        if self.name == "rows":
            return self._find_in_rows(x, y)
        half = np.float32(self.side / 2)
        right, above = x / half - 1, 1 - y / half
        squares = right * right + above * above
        innermost = _HOLE if self.name == "ring" else 1 / (self.turns + 2)
        shown = np.flatnonzero((squares >= innermost**2) & (squares < 1))
        right, above = right[shown], above[shown]
        radius = np.sqrt(squares[shown])
        # Clockwise from the top, a turn as 1.
        angle = np.arctan2(right, above) / np.float32(2 * np.pi)
        angle[angle < 0] += 1
        if self.name == "ring":
            up = (radius - _HOLE) / (1 - _HOLE)
            return _Points(shown, angle, up)
        return self._find_in_spiral(shown, radius, angle)

    def _find_in_rows(self, x: NDArray[np.float32], y: NDArray[np.float32]) -> _Points:
        # On whole pixels, so that edges are sharp; below the last row there is no gap.
        gap = max(1, round(_GAP * self.side / self.rows)) if self.rows > 1 else 0
        tops = np.rint(np.arange(self.rows + 1) * (self.side + gap) / self.rows)
        row = np.searchsorted(tops, y, side="right") - 1
        down = (y - tops[row]) / (np.diff(tops) - gap)[row]
        shown = np.flatnonzero(down < 1)
        along = (row[shown] + x[shown] / self.side) / self.rows
        return _Points(shown, along, 1 - down[shown])

    def place_label(self, along: float) -> tuple[float, float, str, str] | None:
        """Place what is written beside a part of the barcode; None: there is no room.

        Returns
        -------
        x, y : from the lower left, of the picture's side
        ha, va : where the text lies to this point, as matplotlib has it
        """
        if self.name == "ring":
            right, above = math.sin(2 * math.pi * along), math.cos(2 * math.pi * along)
            ha = "center" if abs(right) < 0.2 else "left" if right > 0 else "right"
            va = "center" if abs(above) < 0.8 else "bottom" if above > 0 else "top"
            return 0.5 + 0.51 * right, 0.5 + 0.51 * above, ha, va
        if self.name == "rows":
            return -0.008, 1 - (along * self.rows + 0.47) / self.rows, "right", "center"
        return None

    def _find_in_spiral(
        self,
        shown: NDArray[np.int64],
        radius: NDArray[np.floating],
        angle: NDArray[np.floating],
    ) -> _Points:
        pitch = 1 / (self.turns + 2)
        # From the hole's edge on, in turns; the ribbon moves outward as it turns.
        outward = radius / pitch - 1 - angle
        turn = np.floor(outward)
        up = (outward - turn) / (1 - _GAP)
        turned = turn + angle
        on_ribbon = (turn >= 0) & (turned < self.turns) & (up < 1)
        length = _measure_spiral(turned[on_ribbon], pitch)
        along = length / _measure_spiral(self.turns, pitch)
        return _Points(shown[on_ribbon], along, up[on_ribbon])


def _measure_spiral(turns: Any, pitch: float) -> Any:
    """Measure a spiral's middle line up to so many turns, in turns of the radius 1."""
    return turns * (pitch + pitch * (1 - _GAP) / 2 + pitch * turns / 2)


def bend_barcode(
    pixels: NDArray[np.uint8],
    shape: str,
    *,
    side: int,
    minutes: float = 60.0,
    background: str = "white",
) -> NDArray[np.uint8]:
    """Bend a barcode into a ring, a spiral or rows.

    Parameters
    ----------
    pixels : (height, width, 3) uint8, sRGB, as `draw_barcode` gives it
    shape, side, minutes : as of `Shape`
    background : {"white", "transparent"}

    Returns
    -------
    (side, side, 3) uint8, sRGB; or (side, side, 4), the last being how opaque it is

    Raises
    ------
    ReelbowError
        If the shape, the side or the background is another one.
    """
    bent = Shape(shape, side=side, minutes=minutes, background=background)
    return np.concatenate(list(bend_strips(pixels, bent)))


def bend_strips(
    pixels: NDArray[np.uint8],
    shape: Shape,
    *,
    strip: int | None = None,
    samples: int = SAMPLES,
) -> Iterator[NDArray[np.uint8]]:
    """Bend a barcode strip by strip, from the top; `bend_barcode` gives them joined.

    Parameters
    ----------
    strip : rows of a strip; None: as many as fit some MB
    samples : points of a pixel, across and down, [1, 8]
    """
    colors = _pack(_shrink(pixels, *shape.measure()))
    side = shape.side
    strip = strip or max(1, _SOME_POINTS // (side * samples**2))
    across = _place_points(0, side, samples)
    for top in range(0, side, strip):
        n_rows = min(strip, side - top)
        down = _place_points(top, top + n_rows, samples)
        points = shape.find(np.tile(across, len(down)), np.repeat(down, len(across)))
        sampled = np.zeros(len(down) * len(across), np.uint32)
        sampled[points.shown] = _look_up(colors, points)
        yield _average(
            sampled.reshape(len(down), len(across)), samples, shape.background
        )


def _place_points(first: int, end: int, samples: int) -> NDArray[np.float32]:
    """Place the points of the pixels from the first one on, evenly."""
    numbers = np.arange(first * samples, end * samples, dtype=np.float32)
    return np.asarray((numbers + np.float32(0.5)) / np.float32(samples))


def _shrink(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Average columns and rows that are more than there are pixels for."""
    import cv2

    size = min(pixels.shape[1], width), min(pixels.shape[0], height)
    shrunk = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return np.asarray(shrunk, np.uint8)


def _pack(pixels: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Pack (h, w, 3) into (h, w) of four bytes: red, green, blue and 255."""
    opaque = np.full((*pixels.shape[:2], 4), 255, np.uint8)
    opaque[..., :3] = pixels
    return np.asarray(opaque.view(np.uint32)[..., 0])


def _look_up(colors: NDArray[np.uint32], points: _Points) -> NDArray[np.uint32]:
    height, width = colors.shape
    columns = (points.along * width).astype(np.int64)
    rows = height - 1 - (points.up * height).astype(np.int64)
    # In 32 bits, what is just below 1 may become 1.
    places = rows.clip(0, height - 1) * width + columns.clip(0, width - 1)
    return np.asarray(colors.ravel().take(places))


def _average(
    sampled: NDArray[np.uint32], samples: int, background: str
) -> NDArray[np.uint8]:
    """Average points (h * samples, w * samples) of packed colors; 0: background."""
    parts = sampled.view(np.uint8).reshape(*sampled.shape, 4)
    # Sums of whole numbers: the same in any strip, on any machine.
    lines = parts[::samples].astype(np.uint16)
    for first in range(1, samples):
        lines += parts[first::samples]
    sums = lines[:, ::samples].copy()
    for first in range(1, samples):
        sums += lines[:, first::samples]
    n_points = samples**2
    opaque = sums[..., 3:] // 255
    if background == "white":
        sums = sums[..., :3] + 255 * (n_points - opaque)
        return ((2 * sums + n_points) // (2 * n_points)).astype(np.uint8)
    shown = np.maximum(opaque, 1)
    sums[..., :3] = (2 * sums[..., :3] + shown) // (2 * shown)
    sums[..., 3:] = (2 * sums[..., 3:] + n_points) // (2 * n_points)
    return sums.astype(np.uint8)
