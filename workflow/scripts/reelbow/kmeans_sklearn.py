"""k-means engine sklearn: scikit-learn on every pixel; slow, the reference."""

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from reelbow.color_spaces import SPACES


def find(
    frames: NDArray[np.uint8], n_colors: int, n_init: int, seed: int, color_space: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cluster the pixels of every frame; all were validated before.

    Parameters
    ----------
    frames : (n, p, 3) uint8, sRGB

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
    # One thread: scikit-learn's sums, and so its labels, vary with the number.
    with threadpool_limits(limits=1):
        for i, pixels in enumerate(frames):
            packed = pixels.astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])
            distinct, first, inverse, counts = np.unique(
                packed, return_index=True, return_inverse=True, return_counts=True
            )
            points = from_srgb(pixels[first])
            # Each distinct color is a cluster then; scikit-learn would warn about it.
            if len(distinct) <= n_colors:
                colors[i, : len(distinct)] = points
                weights[i, : len(distinct)] = counts
                continue
            points = points[inverse]
            labels = _label_points(points, n_colors, n_init, seed)
            members = np.bincount(labels, minlength=n_colors)
            weights[i] = members
            for channel in range(3):
                sums = np.bincount(labels, points[:, channel], minlength=n_colors)
                colors[i, :, channel] = sums / np.maximum(members, 1)
    return colors, weights


def _label_points(
    points: NDArray[np.float64], n_colors: int, n_init: int, seed: int
) -> NDArray[np.intp]:
    """Give each point (p, 3) its cluster."""
    kmeans = KMeans(n_colors, n_init=n_init, random_state=seed)
    labels: NDArray[np.int32] = kmeans.fit(points.astype(np.float32)).labels_
    return labels.astype(np.intp)
