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
    picture = np.full((size, size), levels[0])
    _draw(
        segments,
        radius,
        np.empty((len(segments), 4)),
        np.empty((2, _POINTS)),
        levels,
        np.zeros((_POINTS, -(-size // _POINTS)), np.uint64),
        picture,
    )
    return picture


@cached_njit
def _draw(
    segments: NDArray[np.float64],
    radius: float,
    about: NDArray[np.float64],
    ends: NDArray[np.float64],
    levels: NDArray[np.uint8],
    covered: NDArray[np.uint64],
    picture: NDArray[np.uint8],
) -> None:
    """Draw in `picture` (size, size) what segments (n, 4), x, y, x, y, cover.

    Parameters
    ----------
    radius : half the width of the lines, in pixels
    about, ends : (n, 4) and (2, 8), room for what is the same in all rows, and for the
        first and the last point in each of a row's lines of points
    levels : (65,) by how many points of a pixel are covered; `picture` is of the first
    covered : (8, size / 8) zeros, room for the points of one row of pixels, a bit each
    """
    size = len(picture)
    full = np.uint64(0xFFFFFFFFFFFFFFFF)
    ones = np.uint64(0x0101010101010101)
    pairs, fours = np.uint64(0x55) * ones, np.uint64(0x33) * ones
    nibbles = np.uint64(0x0F) * ones
    for k in range(len(segments)):
        ax, ay, bx, by = segments[k]
        length = np.sqrt((bx - ax) * (bx - ax) + (by - ay) * (by - ay))
        # From the segment to the long sides of what it covers.
        about[k, 0] = -(by - ay) / length * radius if length > 0 else 0.0
        about[k, 1] = (bx - ax) / length * radius if length > 0 else 0.0
        # Where that begins and ends.
        about[k, 2] = min(ay, by) - radius
        about[k, 3] = max(ay, by) + radius
    for row in range(size):
        low, high = size, -1
        for k in range(len(segments)):
            nx, ny, top, bottom = about[k]
            if row + 1 < top or row > bottom:
                continue
            ax, ay, bx, by = segments[k]
            dx, dy = bx - ax, by - ay
            # Without branches: eight lines are reckoned at once.
            for line in range(8):
                y = row + (line + 0.5) / 8
                # The two round caps, and the long sides: their outermost points.
                above, below = y - ay, y - by
                under = radius * radius - above * above
                half = np.sqrt(max(under, 0.0))
                left = ax - half if under >= 0 else np.inf
                right = ax + half if under >= 0 else -np.inf
                under = radius * radius - below * below
                half = np.sqrt(max(under, 0.0))
                left = min(left, bx - half if under >= 0 else np.inf)
                right = max(right, bx + half if under >= 0 else -np.inf)
                part = (above + ny) / dy
                x = ax - nx + part * dx
                is_in = (part >= 0) & (part <= 1)
                left = min(left, x if is_in else np.inf)
                right = max(right, x if is_in else -np.inf)
                part = (above - ny) / dy
                x = ax + nx + part * dx
                is_in = (part >= 0) & (part <= 1)
                left = min(left, x if is_in else np.inf)
                right = max(right, x if is_in else -np.inf)
                # The points from there to there, at (i + 0.5) / 8.
                ends[0, line] = np.ceil(max(left, 0.0) * 8 - 0.5)
                ends[1, line] = np.floor(min(right, size) * 8 - 0.5)
            for line in range(8):
                if ends[0, line] > ends[1, line]:
                    continue
                first, last = int(ends[0, line]), int(ends[1, line])
                begin, end = first >> 6, last >> 6
                low, high = min(low, begin), max(high, end)
                head = full << np.uint64(first & 63)
                tail = full >> np.uint64(63 - (last & 63))
                if begin == end:
                    covered[line, begin] |= head & tail
                    continue
                covered[line, begin] |= head
                for i in range(begin + 1, end):
                    covered[line, i] = full
                covered[line, end] |= tail
        for i in range(low, high + 1):
            found = np.uint64(0)
            for line in range(8):
                found |= covered[line, i]
            if found == 0:
                continue
            # How many bits each byte has, of eight bytes at once.
            total = np.uint64(0)
            for line in range(8):
                bits = covered[line, i]
                covered[line, i] = 0
                bits -= (bits >> np.uint64(1)) & pairs
                bits = (bits & fours) + ((bits >> np.uint64(2)) & fours)
                total += (bits + (bits >> np.uint64(4))) & nibbles
            for column in range(8 * i, min(8 * i + 8, size)):
                picture[row, column] = levels[total & np.uint64(0xFF)]
                total >>= np.uint64(8)
