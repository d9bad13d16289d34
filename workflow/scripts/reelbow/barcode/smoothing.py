"""Blends the columns of a barcode with their neighbors, but not across cuts."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from reelbow.barcode.film_record import FilmRecord
from reelbow.barcode.shot_marks import ShotMarks
from reelbow.color.spaces import linear_to_srgb, srgb_to_linear

# Rows that are blended at a time: in floating point a barcode is large.
_SOME_ROWS = 16


def smooth_barcode(
    pixels: NDArray[np.uint8],
    reach: float,
    *,
    cuts: NDArray[np.integer] | None = None,
    gap: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """Blend every column with those within a reach, in linear light.

    A column's own weight is the largest; it falls evenly to none at the reach, of which
    in columns the nearest odd number is taken. Near cuts it falls less.

    Parameters
    ----------
    pixels : (height, width, 3) uint8, sRGB
    reach : columns, 0 or more; 1 and less blends nothing
    cuts : columns that are the first of a shot, ascending; nothing is blended across
    gap : (3,) color of the columns without frames: they stay, and blend with nothing

    Returns
    -------
    (height, width, 3) uint8, sRGB
    """
    width = pixels.shape[1]
    size = 2 * round((min(reach, width) - 1) / 2) + 1
    if size <= 1:
        return pixels
    there = np.ones(width)
    if gap is not None:
        there[(pixels == gap).all(axis=(0, 2))] = 0
    inner = [] if cuts is None else [cut for cut in cuts.tolist() if 0 < cut < width]
    shots = list(pairwise([0, *inner, width]))
    smooth = pixels.copy()
    for first in range(0, len(pixels), _SOME_ROWS):
        rows = pixels[first : first + _SOME_ROWS]
        light = srgb_to_linear(rows) * there[:, np.newaxis]
        for start, end in shots:
            weights = _blend(there[start:end], size)
            shown = there[start:end] > 0
            blended = _blend(light[:, start:end], size, axis=1)[:, shown]
            blended /= weights[shown, np.newaxis]
            colors = np.rint(linear_to_srgb(blended.clip(0, 1)))
            smooth[first : first + _SOME_ROWS, start:end][:, shown] = colors
    return smooth


def smooth_in_time(
    pixels: NDArray[np.uint8],
    smooth_s: float,
    film: FilmRecord,
    *,
    shots: ShotMarks | None,
    gap_color: str,
) -> NDArray[np.uint8]:
    """Blend a film's barcode within so many seconds, as `smooth_barcode` does.

    Parameters
    ----------
    smooth_s : 0: nothing is blended
    shots : of which the cuts stay sharp; None: they are not known
    gap_color : #rrggbb
    """
    n_frames, width = len(film.frames), pixels.shape[1]
    if not smooth_s or not film.minutes:
        return pixels
    cuts = None
    if shots is not None:
        # Rounded as `draw_barcode` does: columns of frames, or frames of columns.
        places = np.ceil(shots.borders) * width / n_frames
        first = np.floor(places) if width <= n_frames else np.ceil(places)
        cuts = np.unique(first.astype(np.int64))
    gap = np.frombuffer(bytes.fromhex(gap_color[1:]), np.uint8)
    reach = smooth_s * width / (60 * film.minutes)
    return smooth_barcode(pixels, reach, cuts=cuts, gap=gap)


def _blend(
    values: NDArray[np.float64], size: int, *, axis: int = 0
) -> NDArray[np.float64]:
    """Sum up with weights that fall evenly; beyond the ends there is nothing."""
    # Deferred: who asks for no blending does not pay for this import.
    from scipy.ndimage import uniform_filter1d

    # Two averages of a length are one with weights like a roof.
    for _ in range(2):
        values = uniform_filter1d(values, size, axis=axis, mode="constant")
    return np.asarray(values)
