"""Black bars: where a film's picture ends and its letterbox or pillarbox begins.

Bars are found from frames spread over the film, and only where four things agree:
lines that stay black in nearly all frames, on both sides alike, with the picture
beginning at the same line in many frames, by a step and not by a slope. A night scene
may pass one of these tests, hardly all.
"""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from .pictures import Crop

# Levels, of the largest channel, [0, 255].
BRIGHT = 48  # a frame tells where its picture ends if enough of it is brighter
BLACKEST_BAR = 32  # what is brighter at the border is no bar
ABOVE_BLACK = 12  # noise and lossy coding lift black by less
STEP = 16  # between the last lines of a bar and the first ones of the picture

BRIGHT_PIXELS = 0.05  # part of a frame's pixels
LIT_PIXELS = 0.04  # part of a line's pixels above black that makes it lit
LIT_FRAMES = 0.1  # part of the frames in which a line of the picture is lit
SAME_LINE = 0.25  # part of the frames in which the picture begins at that very line

# Bars are alike to this part of the picture's size, and no thinner than that.
TOLERANCE = 0.02
THINNEST = 0.01


def find_letterbox(frames: Iterable[NDArray[np.uint8]], most: int) -> Crop | None:
    """Find what black bars leave of the pictures.

    Parameters
    ----------
    frames : (h, w, 3) uint8 each, spread over the film; no more are taken than it needs
        to see that there are no bars
    most : how many there are at most

    Returns
    -------
    What to keep; None if there are no bars, nothing but black, or several sizes.
    """
    bright = []
    # Frames in which the outermost lines are surely lit, of columns and of rows.
    lit = np.zeros((2, 4))
    for frame in frames:
        largest = _find_largest(frame)
        if np.count_nonzero(largest > BRIGHT) <= BRIGHT_PIXELS * largest.size:
            continue
        bright.append(largest)
        for i, lines in enumerate((largest.T, _cut_sides(largest))):
            outermost = lines.take([0, 1, -2, -1], axis=0, mode="wrap")
            light = outermost > BLACKEST_BAR + ABOVE_BLACK
            lit[i] += light.mean(axis=1) > LIT_PIXELS
        if np.all(lit.max(axis=1) >= LIT_FRAMES * most):
            return None
    if len({value.shape for value in bright}) != 1:
        return None
    stack = np.stack(bright)
    height, width = stack.shape[1:]
    left, right = _find_bars(stack.transpose(0, 2, 1))
    stack = stack[:, :, left : width - right]
    top, bottom = _find_bars(_cut_sides(stack))
    if not left + right + top + bottom:
        return None
    return Crop(width - left - right, height - top - bottom, left, top)


def _find_largest(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Find each pixel's largest channel: (h, w)."""
    # Ten times as fast as NumPy's maximum over the last axis.
    red, green, blue = cv2.split(frame)
    return np.asarray(cv2.max(cv2.max(red, green), blue), np.uint8)


def _cut_sides(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Cut the outer quarters of rows: subtitles stand in the middle of a bar."""
    quarter = max(1, pictures.shape[-1] // 4)
    return np.concatenate([pictures[..., :quarter], pictures[..., -quarter:]], axis=-1)


def _find_bars(frames: NDArray[np.uint8]) -> tuple[int, int]:
    """Find the bars before the first and behind the last line of the picture.

    Parameters
    ----------
    frames : (n, lines, pixels) uint8, the largest channel

    Returns
    -------
    Their lines; (0, 0) if there are none.
    """
    lines = frames.shape[1]
    before = _find_edge(frames)
    behind = _find_edge(frames[:, ::-1])
    tolerance = max(2, round(TOLERANCE * lines))
    if min(before, behind) < max(2, THINNEST * lines):
        return 0, 0
    if abs(before - behind) > tolerance or before + behind > 0.75 * lines:
        return 0, 0
    return before, behind


def _find_edge(frames: NDArray[np.uint8]) -> int:
    """Find how many lines from the first on are a bar."""
    black = float(np.median(frames[:, :2]))
    if black > BLACKEST_BAR:
        return 0
    lit = (frames > black + ABOVE_BLACK).mean(axis=2) > LIT_PIXELS
    picture = np.flatnonzero(lit.mean(axis=0) >= LIT_FRAMES)
    if not len(picture) or picture[0] < 2:
        return 0
    edge = int(picture[0])
    firsts = np.where(lit.any(axis=1), lit.argmax(axis=1), -1)
    same = np.abs(firsts - edge) <= 2
    levels = frames.mean(axis=2)
    steps = levels[:, edge + 1 : edge + 3].mean(axis=1) - levels[:, :edge].mean(axis=1)
    if same.mean() < SAME_LINE or np.percentile(steps, 90) < STEP:
        return 0
    # Lossy coding smears the picture over a line or two of the bar.
    bright = np.percentile(levels, 90, axis=0)
    while edge < picture[0] + 2 and bright[edge] < bright[edge + 2] / 2:
        edge += 1
    return edge
