"""Which moments of two films belong together: their shift, and dynamic time warping.

Colors are compared relative to their mean over what the films share, so that another
grading of a film is found to be the same film.

References
----------
H. Sakoe and S. Chiba, "Dynamic programming algorithm optimization for spoken word
recognition", 1978.
D. Padfield, "Masked object registration in the Fourier domain", 2012.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Pairs = tuple[NDArray[np.intp], NDArray[np.intp]]

# Of the columns of the film that has fewer: they have to lie within the other film.
LEAST_OVERLAP = 0.5

# What films may run ahead or behind of each other, of what they share, and in columns.
BAND = 0.05
LEAST_BAND = 3

# What it costs, in OKLab, to hold one film for a column: a difference that is just
# seen. Without it films would be held and hurried on by their noise, where little
# happens.
HOLDING = 0.02

# Variance in OKLab of what is all one color, but for the noise of its coding.
FLAT = 1e-6


class Shift(NamedTuple):
    """How far films are apart in time, in columns, if both run at the same pace."""

    # Column i + columns of the first film is column i of the second.
    columns: int
    # How much alike their courses are there: 2 cov(a, b) / (var(a) + var(b)), of which
    # 1 is the same course. None: a film is all of one color.
    agreement: float | None


def find_shift(first: Floats, second: Floats) -> Shift:
    """Find the shift at which two courses are most alike.

    Parameters
    ----------
    first, second : (n, 3) and (m, 3) OKLab; NaN: missing

    Notes
    -----
    All shifts are tried at once, by Fourier transforms, at which half of the shorter
    film lies within the other. A constant difference of color counts for nothing.
    """
    from scipy.signal import correlate

    known = [~np.isnan(course[:, 0]) for course in (first, second)]
    weights = [each.astype(np.float64) for each in known]
    # About 0, so that sums of squares keep their digits.
    centered = [
        np.where(each[:, np.newaxis], course - np.nanmean(course, axis=0), 0.0)
        for course, each in zip((first, second), known, strict=True)
    ]

    def sum_products(one: Floats, other: Floats) -> Floats:
        sums: Floats = correlate(one, other, mode="full", method="fft")
        return sums

    shared = np.rint(sum_products(*weights))
    pairs = np.maximum(shared, 1)
    covariance, variance = np.zeros_like(pairs), np.zeros_like(pairs)
    for one, other in zip(centered[0].T, centered[1].T, strict=True):
        sum_of_one = sum_products(one, weights[1])
        sum_of_other = sum_products(weights[0], other)
        covariance += sum_products(one, other) - sum_of_one * sum_of_other / pairs
        variance += sum_products(one**2, weights[1]) - sum_of_one**2 / pairs
        variance += sum_products(weights[0], other**2) - sum_of_other**2 / pairs
    least = max(1.0, LEAST_OVERLAP * min(weights[0].sum(), weights[1].sum()))
    usable = (shared >= least) & (variance > FLAT * pairs)
    if not usable.any():
        return Shift(0, None)
    agreements = np.where(usable, 2 * covariance / np.maximum(variance, FLAT), -np.inf)
    shifts = np.arange(len(shared)) - (len(second) - 1)
    # Of shifts that are as good, the one at which most is shared, then the smallest.
    best = np.flatnonzero(agreements > agreements.max() - 1e-9)
    chosen = min(best, key=lambda place: (-shared[place], abs(shifts[place])))
    return Shift(int(shifts[chosen]), float(np.clip(agreements[chosen], -1, 1)))


def align_shifted(first: Floats, second: Floats, shift: int) -> tuple[Pairs, int]:
    """Align what two films share at a shift, within a band of Sakoe and Chiba.

    Columns that are missing in one of the films are left out in both.

    Returns
    -------
    The columns of both that belong together, and the band in columns
    """
    begin, other_begin = max(shift, 0), max(-shift, 0)
    length = min(len(first) - begin, len(second) - other_begin)
    columns = np.arange(max(0, length))
    stretch, other = first[columns + begin], second[columns + other_begin]
    columns = columns[~(np.isnan(stretch) | np.isnan(other)).any(axis=1)]
    band = max(LEAST_BAND, round(BAND * len(columns)))
    # What belongs together lies less than the window apart.
    one, two = _warp(stretch[columns], other[columns], band + 1)
    return (columns[one] + begin, columns[two] + other_begin), band


def align_whole(first: Floats, second: Floats) -> Pairs:
    """Align two films from their beginnings to their ends, at whatever pace."""
    known, other = (
        np.flatnonzero(~np.isnan(course[:, 0])) for course in (first, second)
    )
    one, two = _warp(first[known], second[other], None)
    return known[one], other[two]


def _warp(first: Floats, second: Floats, window: int | None) -> Pairs:
    from dtaidistance import dtw

    if not len(first) or not len(second):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    pairs = dtw.warping_path_fast(
        np.ascontiguousarray(first - first.mean(axis=0)),
        np.ascontiguousarray(second - second.mean(axis=0)),
        window=window,
        penalty=HOLDING,
        use_ndim=True,
    )
    one, two = np.array(pairs, np.intp).T
    return one, two
