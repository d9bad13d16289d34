"""k-means engine sklearn: scikit-learn on every pixel; slow, the reference."""

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits


def find(
    frames: NDArray[np.uint8], n_colors: int, n_init: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cluster the pixels of every frame; all were validated before.

    Parameters
    ----------
    frames : (n, p, 3) uint8, sRGB

    Returns
    -------
    colors : (n, k, 3) float64, the exact mean of each cluster's pixels, in any order
    weights : (n, k) float64, pixels in each cluster; 0 where missing
    """
    n = len(frames)
    colors = np.zeros((n, n_colors, 3))
    weights = np.zeros((n, n_colors))
    # One thread: scikit-learn's sums, and so its labels, vary with the number.
    with threadpool_limits(limits=1):
        for i, pixels in enumerate(frames):
            labels = _label_pixels(pixels, n_colors, n_init, seed)
            counts = np.bincount(labels, minlength=n_colors)
            weights[i] = counts
            for channel in range(3):
                sums = np.bincount(labels, pixels[:, channel], minlength=n_colors)
                colors[i, :, channel] = sums / np.maximum(counts, 1)
    return colors, weights


def _label_pixels(
    pixels: NDArray[np.uint8], n_colors: int, n_init: int, seed: int
) -> NDArray[np.intp]:
    """Give each pixel (p, 3) its cluster."""
    packed = pixels.astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])
    distinct, labels = np.unique(packed, return_inverse=True)
    # Each distinct color is a cluster then; scikit-learn would warn about it.
    if len(distinct) <= n_colors:
        return labels
    kmeans = KMeans(n_colors, n_init=n_init, random_state=seed)
    fitted: NDArray[np.int32] = kmeans.fit(pixels.astype(np.float32)).labels_
    return fitted.astype(np.intp)
