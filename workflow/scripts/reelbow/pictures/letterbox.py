"""Black bars: where a film's picture ends and its letterbox or pillarbox begins.

1. Frames spread over the film are laid over each other. Dark ones tell nothing. Lines
   are cut into 48 pieces and each counts by its mean, since noise lifts few means above
   black. Of each piece the light counts that it has in a tenth of the frames or more.
2. Each piece across the border tells at which line its light begins. Coding smears the
   picture over a block of the bar, so light begins where it is half of the most that
   follows within 12 lines: a block of 8 and what smooths it. It must begin sharply: two
   lines further out there is at most a third of it. Slopes do not vote.
3. The bar ends where a third of the pieces agree, to a line. Subtitles take up the
   middle half of a bar at most, and a logo or two, or dark corners, a few pieces more.
   A dark scene, whose light begins here and there, has no such line.
4. It is no bar if it has light at the very border, or in more than a third of the
   pieces beside where subtitles stand; if what follows has lines of black, as between
   text or the columns of a chart, or goes on getting lighter; if the first line behind
   it is dark in most frames; or if the other side has no bar like it.
"""

import math
from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from reelbow.pictures.geometry import Crop

# Levels, of the largest channel, [0, 255].
BRIGHT = 48  # a frame tells where its picture ends if enough of it is brighter
BLACKEST_BAR = 32  # what is brighter at the border is no bar
ABOVE_BLACK = 12  # noise and lossy coding lift the mean of a piece by less
STEP = 16  # between a bar and the first lines of the picture
BRIGHT_PIXELS = 0.05  # part of a frame's pixels
LIT_FRAMES = 0.1  # part of the frames in which a piece is lit
SAME_LINE = 0.25  # part of the frames in which the picture's first line is lit

# Of a line. A logo takes 5 of 48; small films have fewer, of no fewer pixels.
PIECES = 48
PIECE_PIXELS = 4

# Parts of the pieces, or of their votes.
AGREED = 1 / 3  # whose light begins at one line
MIDDLE = 1 / 2  # the vote of pieces in the middle of rows, where subtitles begin too
BUSY = 1 / 3  # that have something in the bar, beside its middle half
LIT_PIECES = 0.1  # that make a line lit

# Lines, and parts of the light within these.
SMEARED_LINES, BEGUN = 12, 1 / 2
EDGE_LINES, FAINT = 2, 1 / 3

# The picture begins behind the edge. In an eighth of the film's lines from there on:
DEPTH = 1 / 8
SOLID = 0.25  # part of the pieces lit in each line: of films 0.9, between text none
EVEN = 0.5  # light of the first lines through that of all: of films 0.7, of slopes 0.4

# Bars are alike to this part of the picture's size, and no thinner than that; together
# they take up no more than that of it.
TOLERANCE = 0.02
THINNEST = 0.01
LARGEST = 0.75


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
    shapes = set()
    columns, rows = [], []
    # Frames in which the outermost lines are surely lit, of columns and of rows.
    lit = np.zeros((2, 4))
    for frame in frames:
        largest = find_largest(frame)
        if np.count_nonzero(largest > BRIGHT) <= BRIGHT_PIXELS * largest.size:
            continue
        shapes.add(largest.shape)
        columns.append(_cut_columns(largest))
        rows.append(_cut_rows(largest))
        for i, lines in enumerate((columns[-1], rows[-1])):
            outermost = lines.take([0, 1, -2, -1], axis=0, mode="wrap")
            light = outermost > BLACKEST_BAR + ABOVE_BLACK
            lit[i] += light.mean(axis=1) > LIT_PIECES
        if np.all(lit.max(axis=1) >= LIT_FRAMES * most):
            return None
    if len(shapes) != 1:
        return None
    height, width = shapes.pop()
    top = bottom = 0
    for _ in range(2):
        # Within the rows that are left, once they are known; and subtitles stand in the
        # middle of rows.
        part = _cut_ends(np.stack(columns), top / height, bottom / height)
        left, right = _find_bars(part, outer=1)
        part = _cut_ends(np.stack(rows), left / width, right / width)
        top, bottom = _find_bars(part, outer=0.5)
        if not top + bottom:
            break
    if not left + right + top + bottom:
        return None
    return Crop(width - left - right, height - top - bottom, left, top)


def find_largest(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Find each pixel's largest channel: (h, w)."""
    # Ten times as fast as NumPy's maximum over the last axis.
    red, green, blue = cv2.split(frame)
    return np.asarray(cv2.max(cv2.max(red, green), blue), np.uint8)


def _cut_rows(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Cut rows into pieces: (h, w) to (h, pieces), the mean of each."""
    height, width = picture.shape
    size = (max(1, min(PIECES, width // PIECE_PIXELS)), height)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _cut_columns(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Cut columns into pieces: (h, w) to (w, pieces), the mean of each."""
    height, width = picture.shape
    size = (width, max(1, min(PIECES, height // PIECE_PIXELS)))
    pieces = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.asarray(pieces, np.uint8).T


def _cut_ends(
    frames: NDArray[np.uint8], first: float, last: float
) -> NDArray[np.uint8]:
    """Cut parts of the length off the lines of (n, lines, pieces), by whole pieces."""
    pieces = frames.shape[2]
    return frames[:, :, int(first * pieces) : pieces - int(last * pieces)]


def _find_bars(frames: NDArray[np.uint8], outer: float) -> tuple[int, int]:
    """Find the bars before the first and behind the last line of the picture.

    Parameters
    ----------
    frames : (n, lines, pieces) uint8, the largest channel
    outer : part of the pieces, half of it at each end, where no subtitles are

    Returns
    -------
    Their lines; (0, 0) if there are none.
    """
    n, lines, pieces = frames.shape
    dark = n - math.ceil(LIT_FRAMES * n)
    light = np.partition(frames, dark, axis=0)[dark].astype(np.float32)
    from_middle = np.abs(np.arange(pieces) - (pieces - 1) / 2)
    beside = from_middle >= min((1 - outer) * pieces / 2, from_middle.max())
    before = _find_edge(light, frames, beside)
    behind = _find_edge(light[::-1], frames[:, ::-1], beside) if before else 0
    if min(before, behind) < max(2, THINNEST * lines):
        return 0, 0
    tolerance = max(2, round(TOLERANCE * lines))
    if abs(before - behind) > tolerance or before + behind > LARGEST * lines:
        return 0, 0
    return before, behind


def _find_edge(
    light: NDArray[np.float32], frames: NDArray[np.uint8], beside: NDArray[np.bool_]
) -> int:
    """Find how many lines from the first on are a bar.

    Parameters
    ----------
    light : (lines, pieces), [0, 255], of the frames laid over each other
    frames : (n, lines, pieces)
    beside : (pieces,) those that no subtitle is in
    """
    lines = len(light)
    black = float(np.median(light[:2]))
    if black > BLACKEST_BAR:
        return 0
    light = light - black
    if np.mean(light[:2].max(axis=0) > ABOVE_BLACK) > LIT_PIECES:
        return 0
    begins, sharp = _find_beginnings(light)
    weights = np.where(beside, 1, MIDDLE)
    votes = np.bincount(begins[sharp], weights[sharp], minlength=lines + 2)
    # Of two lines that share the votes the one with more of them, or the outer one.
    around = votes[:-2] + votes[1:-1] + votes[2:]
    first = int(around.argmax())
    edge = first + int(votes[first : first + 3].argmax())
    if around[first] < AGREED * weights.sum() or edge + 1 >= lines:
        return 0
    if np.mean(begins[beside] < edge - 1) > BUSY:
        return 0
    agree = sharp & (np.abs(begins - edge) <= 1)
    behind = light[edge : edge + math.ceil(DEPTH * lines), agree]
    if np.mean(behind > ABOVE_BLACK, axis=1).min() < SOLID:
        return 0
    faint = behind[:2].mean(axis=0) < EVEN * behind.mean(axis=0)
    if faint.mean() > 1 / 2:
        return 0
    lit = np.mean(frames[:, edge + 1] > black + STEP, axis=1) >= LIT_PIECES
    return edge if lit.mean() >= SAME_LINE else 0


def _find_beginnings(
    light: NDArray[np.float32],
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Find the line at which the light of each piece begins, and whether sharply.

    Parameters
    ----------
    light : (lines, pieces), levels above black

    Returns
    -------
    (pieces,) lines, as many as there are where there is no light; (pieces,)
    """
    lines, pieces = light.shape
    padded = np.pad(light, ((EDGE_LINES, SMEARED_LINES - 1), (0, 0)), "edge")
    windows = np.lib.stride_tricks.sliding_window_view(
        padded[EDGE_LINES:], SMEARED_LINES, axis=0
    )
    most = windows.max(axis=-1)
    lit = (light > ABOVE_BLACK) & (light >= BEGUN * most)
    begins = np.where(lit.any(axis=0), lit.argmax(axis=0), lines)
    places = np.minimum(begins, lines - 1), np.arange(pieces)
    sharp = (padded[places] <= FAINT * most[places]) & (most[places] >= STEP)
    return begins, sharp & (begins < lines)
