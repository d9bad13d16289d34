"""Orders the colors of a stacked barcode: bands by share, luminance, hue or track."""

import numpy as np
from numpy.typing import NDArray

from reelbow.color.spaces import LUMA_WEIGHTS, srgb_to_linear

ORDERS = ("share", "luminance", "hue", "track")

# Below this difference of the largest and smallest channel, of 255, a hue is noise.
GREY_CHROMA = 24


def stack_colors(
    colors: NDArray[np.uint8],
    shares: NDArray[np.floating],
    *,
    height: int,
    order: str = "luminance",
    equal: bool = False,
) -> NDArray[np.uint8]:
    """Draw one palette as a column of bands, the first in order at the bottom.

    Parameters
    ----------
    colors : (k, 3) uint8, sRGB, most frequent first
    shares : (k,) float, not negative, with a positive sum
    height : rows of the column
    order : {"share", "luminance", "hue", "track"}, as for `draw_barcode`; "track" takes
        the colors as they come, from the bottom up
    equal : give all colors that have a share bands of the same height

    Returns
    -------
    (height, 3) uint8, sRGB; bands meet at the rounded cumulative shares, so that the
    column is always full and no band is more than one row off its share
    """
    if equal:
        shares = (shares > 0).astype(np.float64)
    ranked = _order_colors(colors, order)
    heights = np.cumsum(shares[ranked], dtype=np.float64)
    edges = np.rint(heights / heights[-1] * height).astype(np.int64)
    column = np.repeat(colors[ranked], np.diff(edges, prepend=0), axis=0)
    return column[::-1]


def _order_colors(colors: NDArray[np.uint8], order: str) -> NDArray[np.int64]:
    if order in ("share", "track"):
        return np.arange(len(colors))
    luminance = srgb_to_linear(colors) @ LUMA_WEIGHTS
    if order == "luminance":
        return np.argsort(luminance, kind="stable")
    hue, chroma = _hue(colors)
    grey = chroma < GREY_CHROMA
    return np.lexsort((np.where(grey, luminance, hue), ~grey))


def _hue(colors: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """HSV hue angle in [0, 360) and chroma (largest minus smallest channel)."""
    red, green, blue = colors.astype(np.int64).T
    largest = np.maximum(np.maximum(red, green), blue)
    chroma = largest - np.minimum(np.minimum(red, green), blue)
    span = np.maximum(chroma, 1)
    sextant = np.select(
        [largest == red, largest == green],
        [(green - blue) / span % 6, (blue - red) / span + 2],
        (red - green) / span + 4,
    )
    return 60.0 * sextant, chroma
