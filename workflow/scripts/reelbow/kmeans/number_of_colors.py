"""How many colors a frame needs: each must take enough off the error, in OKLab.

The number k that is chosen has nearly the least E(k) + COST k, as in DP-means. E(k) is
the mean squared distance, in OKLab, of the frame's pixels from their colors: a color is
worth having if it lowers E by more than COST.

E(k) is not found by clustering anew with every k. The colors of one palette, of the
most colors, are merged pair by pair, each time the pair whose merger raises E least
(Ward): of the shares s and t, at the distance d, by d^2 s t / (s + t). No merger raises
E by less than the one before. So colors are merged as long as none costs over COST.

COST is absolute. The knee of E(k), or a part of the variance to be explained, would
find as many colors in the noise of a plain sky as in a street.

References
----------
B. Kulis and M. Jordan, "Revisiting k-means: new algorithms via Bayesian
nonparametrics", 2012.
J. Ward, "Hierarchical grouping to optimize an objective function", 1963.
"""

import numpy as np
from numpy.typing import NDArray

from reelbow.color.spaces import srgb_to_oklab

# Chosen by docs/color.md. Half a frame that differs from the other half by 0.035 has a
# color of its own, as has a fiftieth that differs from the rest by 0.13.
COST = 0.0003

# Of frames that are looked at together, in pairs of colors.
_MOST_PAIRS = 1 << 18


def choose_numbers(
    colors: NDArray[np.float32], shares: NDArray[np.float32]
) -> NDArray[np.intp]:
    """Choose the number of colors of every frame, at most those of its palette.

    Parameters
    ----------
    colors : (n, k, 3) float32, sRGB, [0, 255]
    shares : (n, k) float32, [0, 1]; 0 where missing

    Returns
    -------
    (n,) whole numbers, [1, k]
    """
    n, k = shares.shape
    numbers = np.empty(n, np.intp)
    step = max(1, _MOST_PAIRS // k**2)
    for first in range(0, n, step):
        part = slice(first, first + step)
        losses = find_losses(srgb_to_oklab(colors[part]), shares[part])
        numbers[part] = k - (losses <= COST).sum(axis=1)
    return numbers


def find_losses(
    points: NDArray[np.float64], shares: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Merge each palette's colors, pair by pair, until one is left.

    Parameters
    ----------
    points : (n, k, 3) in OKLab
    shares : (n, k); 0 where missing, and merged at no loss

    Returns
    -------
    (n, k - 1) float64, by how much each merger raises the mean squared distance
    """
    points, weights = points.copy(), shares.astype(np.float64)
    n, k = weights.shape
    rows = np.arange(n)
    losses = np.full((n, k, k), np.inf)
    for j in range(1, k):
        new = _find_loss(points[:, :j], weights[:, :j], points[:, j], weights[:, j])
        losses[:, :j, j] = losses[:, j, :j] = new
    least = np.empty((n, k - 1))
    for step in range(k - 1):
        pair = losses.reshape(n, -1).argmin(axis=1)
        kept, gone = np.divmod(pair, k)
        least[:, step] = losses[rows, kept, gone]
        # In no pair any more.
        losses[rows, gone] = losses[rows, :, gone] = np.inf
        a, b = weights[rows, kept], weights[rows, gone]
        both = a + b
        part = (b / np.where(both > 0, both, 1))[:, None]
        points[rows, kept] += part * (points[rows, gone] - points[rows, kept])
        weights[rows, kept] = both
        new = _find_loss(points, weights, points[rows, kept], both)
        new[np.isinf(losses[rows, kept])] = np.inf
        losses[rows, kept] = losses[rows, :, kept] = new
    return least


def _find_loss(
    points: NDArray[np.float64],
    weights: NDArray[np.float64],
    point: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Find the loss by merging a color (n, 3) with each of (n, m, 3)."""
    apart = points - point[:, None]
    # Added one by one: the order of a sum over an axis is the machine's.
    squared = apart[..., 0] ** 2 + apart[..., 1] ** 2 + apart[..., 2] ** 2
    both = weights + weight[:, None]
    return squared * weights * weight[:, None] / np.where(both > 0, both, 1)
