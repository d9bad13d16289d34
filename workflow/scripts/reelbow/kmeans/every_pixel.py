"""What the reference engines share: k-means on every pixel, by another's library."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbow.color.spaces import SPACES


def find_by_labels(
    frames: NDArray[np.uint8], n_colors: int, color_space: str, kmeans: Any
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cluster the pixels of every frame; all were validated before.

    Parameters
    ----------
    frames : (n, p, 3) uint8, sRGB
    kmeans : scikit-learn's KMeans, or one with its face; its seed is a number, so that
        no frame depends on those before it

    Returns
    -------
    colors : (n, k, 3) float64, the exact mean of each cluster's pixels in the color
        space, in any order
    weights : (n, k) float64, pixels in each cluster; 0 where missing
    """
    n = len(frames)
    colors = np.zeros((n, n_colors, 3))
    weights = np.zeros((n, n_colors))
    from_srgb = SPACES[color_space].from_srgb
    for i, pixels in enumerate(frames):
        packed = pixels.astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])
        distinct, first, inverse, counts = np.unique(
            packed, return_index=True, return_inverse=True, return_counts=True
        )
        points = from_srgb(pixels[first])
        # Each distinct color is a cluster then; the libraries would warn about it.
        if len(distinct) <= n_colors:
            colors[i, : len(distinct)] = points
            weights[i, : len(distinct)] = counts
            continue
        points = points[inverse]
        labels = kmeans.fit(points.astype(np.float32)).labels_.astype(np.intp)
        members = np.bincount(labels, minlength=n_colors)
        weights[i] = members
        for channel in range(3):
            sums = np.bincount(labels, points[:, channel], minlength=n_colors)
            colors[i, :, channel] = sums / np.maximum(members, 1)
    return colors, weights
