"""k-means engine cuml: RAPIDS cuML on every pixel, frame by frame; a reference too."""

import numpy as np
from cuml.cluster import KMeans
from numpy.typing import NDArray

from reelbow.kmeans.every_pixel import find_by_labels
from reelbow.machine.gpu import open_device


def find(
    frames: NDArray[np.uint8], n_colors: int, n_init: int, seed: int, color_space: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cluster the pixels of every frame, as `find_by_labels` says."""
    open_device()
    kmeans = KMeans(
        n_clusters=n_colors, n_init=n_init, random_state=seed, output_type="numpy"
    )
    return find_by_labels(frames, n_colors, color_space, kmeans)
