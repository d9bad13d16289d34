"""From 8-bit Y'CbCr straight to a small sRGB picture and its row means, in one pass.

The same as converting to RGB at full size and averaging over areas, without ever
holding or rounding the full-size picture, and in a fifth of the time. All in whole
numbers, so the same bits on every machine.
"""

from typing import NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from reelbow.film.coding import Coding
from reelbow.machine.compiled import cached_njit, njit

# Sums are whole numbers: a level is counted in 64ths, a part of a pixel in 256ths.
_LEVEL = 64
_PIXEL = 256

# With more lines to a row of the result its sum would not fit into 32 bits.
MAX_LINES = 500

# Luma weights of red and blue.
WEIGHTS = {
    "bt601": (0.299, 0.114),
    "bt709": (0.2126, 0.0722),
    "bt2020": (0.2627, 0.0593),
}

# Pixel formats, with how often their chroma is halved across and down.
SHIFTS = {
    f"yuv{full}{name}": shifts
    for full in ("", "j")
    for name, shifts in {"420p": (1, 1), "422p": (1, 0), "444p": (0, 0)}.items()
}


class _Lines(NamedTuple):
    """A line of luma, and the nearer and the farther one of its chroma: uint8."""

    luma: NDArray[np.uint8]
    cb_near: NDArray[np.uint8]
    cb_far: NDArray[np.uint8]
    cr_near: NDArray[np.uint8]
    cr_far: NDArray[np.uint8]


class Planes(NamedTuple):
    """The planes of a picture.

    Attributes
    ----------
    luma : (lines, bytes) uint8
    cb, cr : (lines, bytes) uint8
    shift_x, shift_y : how often chroma is halved across and down
    chroma_lines : lines of chroma; the arrays may have more
    """

    luma: NDArray[np.uint8]
    cb: NDArray[np.uint8]
    cr: NDArray[np.uint8]
    shift_x: int
    shift_y: int
    chroma_lines: int


def find_gains(matrix: str, *, full_range: bool) -> NDArray[np.int32]:
    """Find the factors from Y'CbCr to RGB, whose sums are in 4096ths of a level's part.

    Returns
    -------
    (3, 4) int32: for red, green and blue the factor of luma, what to add, and the
    factors of Cb and Cr, which are taken in quarters with 0 for none

    References
    ----------
    Recommendations ITU-R BT.601-7, BT.709-6 and BT.2020-2.
    """
    red, blue = WEIGHTS[matrix]
    green = 1 - red - blue
    black, luma, chroma = (0, 1.0, 1.0) if full_range else (16, 255 / 219, 255 / 224)
    to_red, to_blue = 2 * (1 - red) * chroma, 2 * (1 - blue) * chroma
    of_chroma = np.array(
        [[0, to_red], [-to_blue * blue / green, -to_red * red / green], [to_blue, 0]]
    )
    unit = 4096 * _LEVEL
    gains = np.empty((3, 4), np.int32)
    gains[:, 0] = round(luma * unit)
    # 2048 is half of the 4096 that a shift divides by at last: it rounds.
    gains[:, 1] = 2048 - black * gains[:, 0]
    gains[:, 2:] = np.rint(of_chroma * (unit / 4))
    return gains


def average_frame(
    frame: av.VideoFrame,
    coding: Coding,
    *,
    crop: tuple[int, int, int, int],
    size: tuple[int, int],
) -> tuple[NDArray[np.uint8], NDArray[np.float64]] | None:
    """Average a decoded frame as `average_planes` does, if it is of a kind it knows.

    Returns
    -------
    None if it is not: more than 8 bits, not planar, not sRGB but for its matrix, or to
    be made larger
    """
    _, _, width, height = crop
    if (
        frame.format.name not in SHIFTS
        or coding.matrix not in WEIGHTS
        or not coding.is_srgb
        or not height / MAX_LINES <= size[0] <= height
        or size[1] > width
    ):
        return None
    luma, cb, cr = (
        np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        for plane in frame.planes
    )
    planes = Planes(luma, cb, cr, *SHIFTS[frame.format.name], frame.planes[1].height)
    gains = find_gains(coding.matrix, full_range=coding.color_range == "full")
    return average_planes(planes, gains, crop=crop, size=size)


def average_planes(
    planes: Planes,
    gains: NDArray[np.int32],
    *,
    crop: tuple[int, int, int, int],
    size: tuple[int, int],
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Average a picture over areas, and over its width.

    Parameters
    ----------
    gains : of `find_gains`
    crop : (x, y, width, height) to keep, in pixels
    size : (height, width) of the result, neither larger than the crop's

    Returns
    -------
    (height, width, 3) uint8 sRGB, and the means of the crop's rows (rows, 3), [0, 255]
    """
    x, y, width, height = crop
    small = np.empty((*size, 3), np.uint8)
    sums = np.empty((height, 3), np.int64)
    # Sums over the lines of one row of the result. Even and odd pixels lie apart: a
    # pair shares its chroma, and loops over pairs can then be vectors.
    area = np.zeros((3, 2, (width >> 1) + 2), np.int32)
    running = np.zeros(2 * area.shape[2], np.int64)
    # Where the columns of the result begin and end, counted from the first pair.
    columns = np.arange(size[1] + 1)
    edges = (x & 1) * _PIXEL + columns * (width * _PIXEL) // size[1]
    _average(planes, gains, x, y, width, area, running, edges, small, sums)
    return small, sums / (_LEVEL * width)


@cached_njit
def _average(
    planes: Planes,
    gains: NDArray[np.int32],
    left: int,
    top: int,
    width: int,
    area: NDArray[np.int32],
    running: NDArray[np.int64],
    edges: NDArray[np.int64],
    small: NDArray[np.uint8],
    sums: NDArray[np.int64],
) -> None:
    """Fill `small` (h, w, 3), and `sums` (rows, 3) of levels; all was validated."""
    height = len(sums)
    rows = len(small)
    row = 0
    for line in range(height):
        source = top + line
        near = source >> planes.shift_y
        # Halved chroma lies between its two lines, a quarter of a line from each.
        step = (2 * (source & 1) - 1) * planes.shift_y
        far = min(max(near + step, 0), planes.chroma_lines - 1)
        lines = _Lines(
            planes.luma[source],
            planes.cb[near],
            planes.cb[far],
            planes.cr[near],
            planes.cr[far],
        )
        # A line may lie in two rows of the result or more, each with its part.
        start = line * _PIXEL
        end = start + _PIXEL
        while start < end:
            edge = (row + 1) * height * _PIXEL // rows
            part = min(edge, end) - start
            for channel in range(3):
                sums[line, channel] = _add_line(
                    lines,
                    planes.shift_x,
                    gains[channel],
                    left,
                    left + width,
                    np.int32(part),
                    area[channel],
                )
            start += part
            if start == edge:
                weight = edge - row * height * _PIXEL // rows
                for channel in range(3):
                    _finish_row(
                        area[channel], edges, weight, running, small[row, :, channel]
                    )
                area[:] = 0
                row += 1


@njit
def _add_line(
    lines: _Lines,
    shift: int,
    gains: NDArray[np.int32],
    left: int,
    right: int,
    part: np.int32,
    area: NDArray[np.int32],
) -> np.int32:
    """Add a line's pixels from left to right, converted to a color of RGB, to `area`.

    Parameters
    ----------
    gains : (4,) of the color
    part : how much of the line counts, in 256ths
    area : (2, pairs) of even and of odd pixels, from the pair of `left` on

    Returns
    -------
    The sum of the pixels, in parts of a level
    """
    luma, cb_near, cb_far, cr_near, cr_far = lines
    gain, add, cb_gain, cr_gain = gains
    origin = left >> 1
    # The pairs of pixels that share their chroma, both of them wanted. They are cut out
    # as slices: an index like `i - origin` could be negative as far as the compiler
    # knows, and such loops it does not make vectors of.
    first = (left + 1) >> 1
    last = max(first, right >> 1) if shift else first
    even = area[0, first - origin :]
    odd = area[1, first - origin :]
    pairs = luma[2 * first : 2 * last]
    cb0, cb1 = cb_near[first:last], cb_far[first:last]
    cr0, cr1 = cr_near[first:last], cr_far[first:last]
    total = np.int32(0)
    for i in range(last - first):
        both = add + cb_gain * _mix(cb0[i], cb1[i]) + cr_gain * _mix(cr0[i], cr1[i])
        one = _convert(gain, pairs[2 * i], both)
        two = _convert(gain, pairs[2 * i + 1], both)
        even[i] += part * one
        odd[i] += part * two
        total += one + two
    # The pixels before and after the pairs, one by one.
    for begin, end in ((left, 2 * first), (2 * last, right)):
        for pixel in range(begin, end):
            i = pixel >> shift
            cb = _mix(cb_near[i], cb_far[i])
            cr = _mix(cr_near[i], cr_far[i])
            one = _convert(gain, luma[pixel], add + cb_gain * cb + cr_gain * cr)
            area[pixel & 1, (pixel >> 1) - origin] += part * one
            total += one
    return total


@njit
def _mix(near: np.uint8, far: np.uint8) -> np.int32:
    """Mix chroma of two lines three to one, in quarters, with 0 for none."""
    mixed: np.int32 = np.int32(3) * np.int32(near) + np.int32(far) - np.int32(512)
    return mixed


@njit
def _convert(gain: np.int32, luma: np.uint8, add: np.int32) -> np.int32:
    """Convert to a color of RGB, in parts of a level, clipped to what there is."""
    color: np.int32 = (gain * np.int32(luma) + add) >> np.int32(12)
    return min(max(color, np.int32(0)), np.int32(255 * _LEVEL))


@njit
def _finish_row(
    area: NDArray[np.int32],
    edges: NDArray[np.int64],
    weight: int,
    running: NDArray[np.int64],
    row: NDArray[np.uint8],
) -> None:
    """Average `area` (2, pairs), a sum over `weight` parts of lines, into a row.

    Parameters
    ----------
    edges : (columns + 1,) where columns begin and end, in parts of a pixel
    running : (2 pairs,) room for the sums of all pixels before each
    """
    even, odd = area
    total = np.int64(0)
    for i in range(len(even)):
        running[2 * i] = total
        total += even[i]
        running[2 * i + 1] = total
        total += odd[i]
    before = np.int64(0)
    for column in range(len(row) + 1):
        pixel = edges[column] // _PIXEL
        share = edges[column] % _PIXEL
        after = running[pixel] * _PIXEL
        if share:
            after += share * np.int64(area[pixel & 1, pixel >> 1])
        if column:
            parts = np.float64(weight * (edges[column] - edges[column - 1]) * _LEVEL)
            # float64 divides these whole numbers (below 2 to the 53rd) so exactly that
            # a quotient just below n + 0.5 is never rounded up to it.
            row[column - 1] = np.uint8((after - before) / parts + 0.5)
        before = after
