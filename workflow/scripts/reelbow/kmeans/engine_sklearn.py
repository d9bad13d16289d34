"""k-means engine sklearn: scikit-learn on every pixel; slow, the reference."""

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from reelbow.kmeans.every_pixel import find_by_labels


def find(
    frames: NDArray[np.uint8], n_colors: int, n_init: int, seed: int, color_space: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cluster the pixels of every frame, as `find_by_labels` says."""
    kmeans = KMeans(n_colors, n_init=n_init, random_state=seed)
    # One thread: scikit-learn's sums, and so its labels, vary with the number.
    with threadpool_limits(limits=1):
        return find_by_labels(frames, n_colors, color_space, kmeans)
