"""Sorts colors by hue, by lightness, or so that neighbors are alike."""

import numpy as np
from numpy.typing import NDArray

from reelbow.color.spaces import srgb_to_oklab

SORTINGS = ("hue", "lightness", "hilbert")

# Below this chroma, in OKLab, nobody would say which hue it is.
_GRAY = 0.02

# In radians, between pink and red.
_FIRST_HUE = 0.3

# Of a Hilbert curve through OKLab: cells along each axis, as a power of two, and the
# range of a and b that sRGB has.
_BITS = 10
_WIDEST = 0.4


def sort_colors(colors: NDArray[np.uint8], by: str) -> NDArray[np.intp]:
    """Find the order of colors.

    Parameters
    ----------
    colors : (n, 3) uint8, sRGB
    by : {"hue", "lightness", "hilbert"}
        The hue of OKLab from red on, after the grays, which are sorted from black to
        white; the lightness of OKLab; or a Hilbert curve through OKLab, which passes by
        colors that are alike one soon after the other.

    Returns
    -------
    (n,) indices; of equal colors the first one comes first
    """
    oklab = srgb_to_oklab(colors)
    lightness, a, b = oklab.T
    if by == "lightness":
        return np.argsort(lightness, kind="stable")
    if by == "hilbert":
        return np.argsort(_follow_curve(oklab), kind="stable")
    hue = (np.arctan2(b, a) - _FIRST_HUE) % (2 * np.pi)
    is_gray = np.hypot(a, b) < _GRAY
    return np.lexsort((np.where(is_gray, lightness, hue), ~is_gray))


def _follow_curve(oklab: NDArray[np.float64]) -> NDArray[np.int64]:
    """Find how far along a Hilbert curve colors (n, 3) lie.

    References
    ----------
    J. Skilling, "Programming the Hilbert curve", AIP Conference Proceedings 707, 2004.
    """
    least = np.array([0, -_WIDEST, -_WIDEST])
    span = np.array([1, 2 * _WIDEST, 2 * _WIDEST])
    cells = ((oklab - least) / span * (1 << _BITS)).astype(np.int64)
    axes = list(cells.clip(0, (1 << _BITS) - 1).T.copy())
    # From cells to the transposed index: undo excess turns, ...
    for bit in range(_BITS - 1, 0, -1):
        below = (1 << bit) - 1
        for i in range(3):
            is_set = axes[i] >> bit & 1 == 1
            swapped = (axes[0] ^ axes[i]) & below
            axes[0] = np.where(is_set, axes[0] ^ below, axes[0] ^ swapped)
            axes[i] = np.where(is_set, axes[i], axes[i] ^ swapped) if i else axes[0]
    # ... then Gray-encode.
    axes[1] = axes[1] ^ axes[0]
    axes[2] = axes[2] ^ axes[1]
    turned = np.zeros_like(axes[0])
    for bit in range(_BITS - 1, 0, -1):
        turned = np.where(axes[2] >> bit & 1 == 1, turned ^ ((1 << bit) - 1), turned)
    index = np.zeros_like(turned)
    for bit in range(_BITS - 1, -1, -1):
        for axis in axes:
            index = index << 1 | (axis ^ turned) >> bit & 1
    return np.asarray(index)
