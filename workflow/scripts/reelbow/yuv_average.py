"""From 8-bit Y'CbCr straight to a small sRGB picture and its row means, in one pass.

The same as converting to RGB at full size and averaging over areas, without ever
holding or rounding the full-size picture, and in a third of the time. All in whole
numbers, so the same bits on every machine.
"""

from typing import NamedTuple

import av
import numba
import numpy as np
from numpy.typing import NDArray

from .colors import Coding

_compile = numba.njit(nogil=True, cache=True)

# Levels are counted in parts this fine, and parts of a pixel in these.
_LEVEL = 64
_PIXEL = 256

# More lines to a row of the result would pass what 32 bits hold.
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
    """Find the factors from Y'CbCr to RGB, times 65536.

    Returns
    -------
    (6,) int32: of luma, black's code, Cr to red, Cb to green, Cr to green, Cb to blue

    References
    ----------
    Recommendations ITU-R BT.601-7, BT.709-6 and BT.2020-2.
    """
    red, blue = WEIGHTS[matrix]
    green = 1 - red - blue
    luma, chroma = (1.0, 1.0) if full_range else (255 / 219, 255 / 224)
    to_red, to_blue = 2 * (1 - red) * chroma, 2 * (1 - blue) * chroma
    gains = [luma, 0, to_red, -to_blue * blue / green, -to_red * red / green, to_blue]
    whole: NDArray[np.int32] = np.rint(np.array(gains) * 65536).astype(np.int32)
    whole[1] = 0 if full_range else 16
    return whole


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
    _average(planes, gains, x, y, width, small, sums)
    return small, sums / (_LEVEL * width)


@_compile
def _average(
    planes: Planes,
    gains: NDArray[np.int32],
    left: int,
    top: int,
    width: int,
    small: NDArray[np.uint8],
    sums: NDArray[np.int64],
) -> None:
    """Fill `small` (h, w, 3), and `sums` (rows, 3) of levels; all was validated."""
    height = len(sums)
    rows = len(small)
    pixels = np.empty((3, width), np.int32)
    chroma = np.empty((2, width), np.int32)
    area = np.zeros((3, width), np.int32)
    row = 0
    for line in range(height):
        source = top + line
        near = source >> planes.shift_y
        # Halved chroma lies between its two lines, a quarter of a line from each.
        step = (2 * (source & 1) - 1) * planes.shift_y
        far = min(max(near + step, 0), planes.chroma_lines - 1)
        _spread(planes.cb[near], planes.cb[far], left, planes.shift_x, chroma[0])
        _spread(planes.cr[near], planes.cr[far], left, planes.shift_x, chroma[1])
        _convert(planes.luma[source, left : left + width], chroma, gains, pixels)
        for channel in range(3):
            sums[line, channel] = pixels[channel].sum()
        # A line may lie in two rows of the result or more, each with its part.
        start = line * _PIXEL
        end = start + _PIXEL
        while start < end:
            edge = (row + 1) * height * _PIXEL // rows
            part = min(edge, end) - start
            for channel in range(3):
                for i in range(width):
                    area[channel, i] += np.int32(part) * pixels[channel, i]
            start += part
            if start == edge:
                _finish_row(area, edge - row * height * _PIXEL // rows, small[row])
                area[:] = 0
                row += 1


@_compile
def _spread(
    near: NDArray[np.uint8],
    far: NDArray[np.uint8],
    left: int,
    shift: int,
    chroma: NDArray[np.int32],
) -> None:
    """Give every pixel of a line its chroma, in quarters, with 0 for none."""
    width = len(chroma)
    if shift == 0:
        for i in range(width):
            chroma[i] = _mix(near[left + i], far[left + i])
        return
    # Pairs, so that the loop over them can be vectors.
    odd = left & 1
    if odd:
        chroma[0] = _mix(near[left >> 1], far[left >> 1])
    first = (left + odd) >> 1
    pairs = (width - odd) >> 1
    for j in range(pairs):
        mixed = _mix(near[first + j], far[first + j])
        chroma[odd + 2 * j] = mixed
        chroma[odd + 2 * j + 1] = mixed
    if odd + 2 * pairs < width:
        chroma[width - 1] = _mix(near[first + pairs], far[first + pairs])


@_compile
def _mix(near: np.uint8, far: np.uint8) -> np.int32:
    """Mix chroma of two lines three to one, in quarters, with 0 for none."""
    mixed: np.int32 = np.int32(3) * np.int32(near) + np.int32(far) - np.int32(512)
    return mixed


@_compile
def _convert(
    luma: NDArray[np.uint8],
    chroma: NDArray[np.int32],
    gains: NDArray[np.int32],
    pixels: NDArray[np.int32],
) -> None:
    """Convert a line to RGB, in parts of a level, clipped to what there is."""
    gain, black, cr_red, cb_green, cr_green, cb_blue = gains
    white = np.int32(255 * _LEVEL)
    for i in range(len(luma)):
        # In quarters, as chroma is, and half of what the shift cuts off.
        gray = (np.int32(luma[i]) - black) * (np.int32(4) * gain) + np.int32(2048)
        cb = chroma[0, i]
        cr = chroma[1, i]
        red = (gray + cr_red * cr) >> 12
        green = (gray + cb_green * cb + cr_green * cr) >> 12
        blue = (gray + cb_blue * cb) >> 12
        pixels[0, i] = min(max(red, np.int32(0)), white)
        pixels[1, i] = min(max(green, np.int32(0)), white)
        pixels[2, i] = min(max(blue, np.int32(0)), white)


@_compile
def _finish_row(area: NDArray[np.int32], lines: int, row: NDArray[np.uint8]) -> None:
    """Average `area` (3, width), a sum over `lines` parts of lines, into a row."""
    width = area.shape[1]
    columns = len(row)
    for column in range(columns):
        start = column * width * _PIXEL // columns
        end = (column + 1) * width * _PIXEL // columns
        first = start // _PIXEL
        last = min((end - 1) // _PIXEL, width - 1)
        parts = np.int64(lines) * (end - start) * _LEVEL
        for channel in range(3):
            total = np.int64(0)
            for i in range(first + 1, last):
                total += area[channel, i]
            total *= _PIXEL
            total += (min(end, (first + 1) * _PIXEL) - start) * np.int64(
                area[channel, first]
            )
            if last > first:
                total += (end - last * _PIXEL) * np.int64(area[channel, last])
            row[column, channel] = (2 * total + parts) // (2 * parts)
