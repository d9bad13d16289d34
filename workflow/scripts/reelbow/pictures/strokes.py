"""Draws strokes: lines on white with round caps and joins, as wide everywhere.

Of each pixel 8 by 8 points are looked at, whether any line covers them: the picture is
that of supersampling, at a fraction of the cost, since a line covers a stretch of each
row of points, of which only the ends are computed.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from reelbow.errors import ReelbowError
from reelbow.machine.compiled import cached_njit

# Points of a pixel, across and down; in a byte of each row of points.
_POINTS = 8

# Left free at each side, as a share of the picture.
_MARGIN = 0.04

# By how many of a pixel's points are covered.
_COUNTS = np.arange(_POINTS**2 + 1, dtype=np.uint8)
_LEVELS = np.rint(255 * (1 - _COUNTS / _POINTS**2)).astype(np.uint8)

# Strokes of a drawing that has more share colors, so that drawing it ends.
_MAX_COLORS = 64


def draw_strokes(
    strokes: Sequence[NDArray[np.float64]], *, size: int, thickness: float
) -> NDArray[np.uint8]:
    """Draw a sketch, centered and as large as its square allows with a margin.

    Parameters
    ----------
    strokes : (n, 2) each, x to the right and y down, in any unit; one point is a dot
    size : pixels of a side of the picture
    thickness : of the lines, as a share of the side, in (0, 0.5]

    Returns
    -------
    (size, size) uint8, [0, 255]: what lines cover of a pixel is black, all else white

    Raises
    ------
    ReelbowError
        If there is no point, one is no number, or all of them are one.
    """
    segments, _ = _find_segments(strokes, size, thickness)
    return _cover(segments, thickness * size / 2, _LEVELS, size)


def draw_colored_strokes(
    strokes: Sequence[NDArray[np.float64]], *, size: int, thickness: float
) -> NDArray[np.uint8]:
    """Draw a sketch as `draw_strokes`, its strokes in the colors of Turbo in turn.

    The first is dark violet, and the last of several is dark red. Later ones lie on
    earlier ones. Of more than 64 strokes, neighbors share a color.

    Returns
    -------
    (size, size, 3) uint8 sRGB
    """
    segments, starts = _find_segments(strokes, size, thickness)
    n_colors = min(len(starts), _MAX_COLORS)
    scale = np.linspace(0, 255, n_colors).round().astype(np.uint8)
    bgr = cv2.applyColorMap(scale, cv2.COLORMAP_TURBO).reshape(-1, 3)
    colors = bgr[:, ::-1].astype(np.uint16)
    # White where nothing is drawn; 64 times what a pixel gets.
    total = np.full((size * size, 3), 255 * _POINTS**2, np.uint16)
    later = np.zeros(size * size, np.uint8)
    for k in reversed(range(n_colors)):
        # Of the points that these and all later strokes cover, the rest is later ones'.
        start = starts[-(-k * len(starts) // n_colors)]
        counts = _cover(segments[start:], thickness * size / 2, _COUNTS, size).ravel()
        at = np.flatnonzero(counts != later)
        total[at] -= (counts[at] - later[at])[:, None] * (255 - colors[k])
        later = counts
    half = _POINTS**2 // 2
    return ((total + half) // _POINTS**2).astype(np.uint8).reshape(size, size, 3)


def _find_segments(
    strokes: Sequence[NDArray[np.float64]], size: int, thickness: float
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Place strokes in their square; give (n, 4) x, y, x, y, and each one's first."""
    lengths = [len(stroke) for stroke in strokes if len(stroke)]
    if not lengths:
        raise ReelbowError("an empty drawing: it has no point")
    points = np.concatenate([stroke for stroke in strokes if len(stroke)])
    if not np.isfinite(points).all():
        raise ReelbowError("a coordinate of it is NaN or infinite")
    low, high = points.min(axis=0), points.max(axis=0)
    with np.errstate(over="ignore", divide="ignore"):
        scale = (size * (1 - 2 * _MARGIN) - thickness * size) / (high - low).max()
    if not 0 < scale < np.inf:
        raise ReelbowError(
            f"no extent: its {len(points)} points are one, or immensely far apart"
        )
    points = (points - (low / 2 + high / 2)) * scale + size / 2
    # Of a stroke of n points, n - 1 segments; of a single one a segment to itself.
    is_last = np.zeros(len(points), np.bool_)
    is_last[np.cumsum(lengths) - 1] = True
    first = np.flatnonzero(~is_last | np.repeat(np.equal(lengths, 1), lengths))
    second = first + ~is_last[first]
    segments = np.ascontiguousarray(np.hstack([points[first], points[second]]))
    counts = np.maximum(1, np.array(lengths) - 1)
    return segments, np.cumsum(counts) - counts


def _cover(
    segments: NDArray[np.float64], radius: float, levels: NDArray[np.uint8], size: int
) -> NDArray[np.uint8]:
    """Make a picture of how much of each pixel segments cover, in these levels."""
    picture = np.empty((size, size), np.uint8)
    # Whole words of 8 bytes, seen as both.
    words = np.zeros((_POINTS, -(-size // 8)), np.uint64)
    counts = np.zeros(words.shape[1], np.uint64)
    _draw(
        segments,
        radius,
        levels,
        words.view(np.uint8),
        words,
        counts.view(np.uint8),
        counts,
        picture,
    )
    return picture


@cached_njit
def _draw(
    segments: NDArray[np.float64],
    radius: float,
    levels: NDArray[np.uint8],
    covered: NDArray[np.uint8],
    words: NDArray[np.uint64],
    counts: NDArray[np.uint8],
    counted: NDArray[np.uint64],
    picture: NDArray[np.uint8],
) -> None:
    """Fill `picture` (size, size) with what segments (n, 4), x, y, x, y, cover.

    Parameters
    ----------
    radius : half the width of the lines, in pixels
    levels : (65,) by how many points of a pixel are covered
    covered : (8, size) or a little more, room for one row of pixels: bits of points
    words : the same as `covered`, 8 bytes each
    counts, counted : (size,) and as words, room for the number of points of each pixel
    """
    size = len(picture)
    ones = np.uint64(0x0101010101010101)
    pairs, fours = np.uint64(0x55) * ones, np.uint64(0x33) * ones
    nibbles = np.uint64(0x0F) * ones
    for row in range(size):
        words[:, :] = 0
        is_blank = True
        for k in range(len(segments)):
            ax, ay, bx, by = segments[k]
            if max(ay, by) + radius < row or min(ay, by) - radius > row + 1:
                continue
            is_blank = False
            dx, dy = bx - ax, by - ay
            length = np.sqrt(dx * dx + dy * dy)
            # From the segment to the long sides of what it covers.
            nx = ny = 0.0
            if length > 0:
                nx, ny = -dy / length * radius, dx / length * radius
            for line in range(8):
                y = row + (line + 0.5) / 8
                left, right = np.inf, -np.inf
                # The two round caps, and the long sides: their outermost points.
                for end in range(2):
                    x = ax if end == 0 else bx
                    off = y - (ay if end == 0 else by)
                    under = radius * radius - off * off
                    if under >= 0:
                        half = np.sqrt(under)
                        left, right = min(left, x - half), max(right, x + half)
                if dy != 0:
                    for side in range(-1, 2, 2):
                        part = (y - ay - side * ny) / dy
                        if 0 <= part <= 1:
                            x = ax + side * nx + part * dx
                            left, right = min(left, x), max(right, x)
                if left > right:
                    continue
                # The points from there to there, at (i + 0.5) / 8.
                first = max(0, int(np.ceil(left * 8 - 0.5)))
                last = min(8 * size - 1, int(np.floor(right * 8 - 0.5)))
                if first > last:
                    continue
                begin, end = first >> 3, last >> 3
                head = 0xFF >> (first & 7)
                tail = 0xFF & (0xFF << (7 - (last & 7)))
                if begin == end:
                    covered[line, begin] |= np.uint8(head & tail)
                    continue
                covered[line, begin] |= np.uint8(head)
                for pixel in range(begin + 1, end):
                    covered[line, pixel] = 0xFF
                covered[line, end] |= np.uint8(tail)
        if is_blank:
            picture[row, :] = levels[0]
            continue
        # How many bits each byte has, of eight bytes at once.
        for i in range(len(counted)):
            total = np.uint64(0)
            for line in range(8):
                bits = words[line, i]
                bits -= (bits >> np.uint64(1)) & pairs
                bits = (bits & fours) + ((bits >> np.uint64(2)) & fours)
                total += (bits + (bits >> np.uint64(4))) & nibbles
            counted[i] = total
        for column in range(size):
            picture[row, column] = levels[counts[column]]
