"""Pictures that show nothing of a film: black ones, and titles and credits on black.

A picture is black if no part of it is lit, but for specks. Noise that is as strong as
grain is averaged away before that is asked. It is text on black if

1. little of it is lit;
2. what is lit stands off the left and the right edge, as titles do;
3. it is drawn: sharply set off from black as the strokes of letters are, and of one
   even color where it is large, as a flat logo is. What light falls on has shades and
   soft borders;
4. it goes together to words and lines, or is large: a sky of stars does not.

Of what is too dim to be read one often cannot tell: it may be a title that fades in, or
night.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from reelbow.pictures.letterbox import find_largest

BLACK, TEXT = "black", "text on black"
DIM = "dim"

# Rows to look at a picture with: letters are still letters, and looking takes 1 ms.
ROWS = 240

# Levels, of the largest channel, [0, 255].
LIT = 24  # brighter than black, its noise and what coding leaves in it
READABLE = 64  # text that stands is as bright as that
SHARP = 24  # the least step of what is drawn

# Pixels, along a side, over which grain is averaged.
GRAIN = 4

# Parts of the picture's pixels.
SPECKS = 0.001  # lit in a black picture, or in a margin
MOST_LIT = 0.35  # in text

# Parts of the lit pixels.
BRIGHTEST = 0.05  # tell how bright the text is
DRAWN = 0.8  # sharply set off or of one color
SET_OFF = 0.7  # of those near black, sharply set off
TOGETHER = 0.7  # in something as wide as a word

# Parts of how bright the text is: of a step, and of what differs within one color.
STEP = 1 / 3
EVEN = 1 / 12

# Part of the picture's width, on either side.
MARGIN = 1 / 40

# Parts of the picture's height: what lies that near to a pixel, half the gap between
# letters, and how wide a word is.
NEAR = 1 / 80
HALF_GAP = 1 / 48
WORD = 1 / 16


def name_blank(picture: NDArray[np.uint8]) -> str | None:
    """Say what there is on the screen in place of a picture of the film.

    Parameters
    ----------
    picture : (h, w, 3) uint8 sRGB, best of `ROWS` rows

    Returns
    -------
    `BLACK`, `TEXT`, `DIM`: too dark to tell, or None: it is a picture of the film
    """
    light = find_largest(picture)
    if _is_black(picture, light):
        return BLACK
    lit = light > LIT
    if lit.mean() > MOST_LIT:
        return None
    bright = float(np.quantile(light[lit], 1 - BRIGHTEST))
    if _has_margins(lit) and _is_drawn(light, lit, bright) and _goes_together(lit):
        return TEXT
    return DIM if bright < READABLE else None


def _is_black(picture: NDArray[np.uint8], light: NDArray[np.uint8]) -> bool:
    """Whether nothing is lit where grain is averaged away, nor bright where not."""
    height, width = light.shape
    size = (max(1, width // GRAIN), max(1, height // GRAIN))
    # Each channel by itself: the largest of three that have noise is above their means.
    coarse = find_largest(
        np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    )
    return bool(np.mean(coarse > LIT) <= SPECKS and np.mean(light > READABLE) <= SPECKS)


def _has_margins(lit: NDArray[np.bool_]) -> bool:
    """Whether nothing is lit at the left and at the right edge."""
    margin = max(1, round(MARGIN * lit.shape[1]))
    sides = (lit[:, :margin], lit[:, -margin:])
    return all(float(side.mean()) <= SPECKS for side in sides)


def _is_drawn(light: NDArray[np.uint8], lit: NDArray[np.bool_], bright: float) -> bool:
    """Whether what is lit has the edges and the even insides of what is drawn."""
    near = max(2, round(NEAR * len(light)))
    window = np.ones((2 * near + 1, 2 * near + 1), np.uint8)
    darkest, brightest = cv2.erode(light, window), cv2.dilate(light, window)
    step = (brightest - darkest)[lit]
    is_near_black = (darkest <= LIT)[lit]
    is_edge = is_near_black & (step >= max(SHARP, STEP * bright))
    is_even = step <= EVEN * bright
    return bool(
        np.mean(is_edge | is_even) >= DRAWN
        and np.count_nonzero(is_edge) >= SET_OFF * np.count_nonzero(is_near_black)
    )


def _goes_together(lit: NDArray[np.bool_]) -> bool:
    """Whether most of what is lit is in something as wide as a word."""
    rows = len(lit)
    # Odd, since an even one would move what it joins.
    gap = np.ones((1, 2 * max(1, round(HALF_GAP * rows)) + 1), np.uint8)
    joined = cv2.morphologyEx(lit.astype(np.uint8), cv2.MORPH_CLOSE, gap)
    _, labels, found, _ = cv2.connectedComponentsWithStats(joined)
    is_wide = found[:, cv2.CC_STAT_WIDTH] >= WORD * rows
    return bool(np.mean(is_wide[labels[lit]]) >= TOGETHER)
