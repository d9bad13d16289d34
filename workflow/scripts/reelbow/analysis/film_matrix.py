"""Many films compared by their palettes: all distances, a tree and a map of them.

References
----------
J. C. Gower, "Some distance properties of latent root and vector methods used in
multivariate analysis", 1966 (classical multidimensional scaling).
R. R. Sokal and C. D. Michener, "A statistical method for evaluating systematic
relationships", 1958 (average linkage).
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelbow.analysis.palette_distance import FilmPalette, measure_palettes

Floats = NDArray[np.float64]


class FilmMatrix(NamedTuple):
    """Films and how far apart they are, in CIEDE2000."""

    films: list[str]
    # (n, n), symmetric, 0 on the diagonal.
    earth_movers_distance: Floats
    minimum_color_difference: Floats
    # (n - 1, 4) of SciPy: which two are joined, at which distance, films in them.
    tree: Floats
    # (n, 2) places of the films, whose distances are about those of their palettes.
    places: Floats


def compare_palettes(palettes: Mapping[str, FilmPalette]) -> FilmMatrix:
    """Compare two films or more, each with each; tree and map by the first distance."""
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import squareform
    from sklearn.manifold import ClassicalMDS

    films = list(palettes)
    moved, nearest = np.zeros((2, len(films), len(films)))
    for i, film in enumerate(films):
        for j in range(i):
            distance = measure_palettes(palettes[film], palettes[films[j]])
            moved[i, j] = moved[j, i] = distance.earth_movers_distance
            nearest[i, j] = nearest[j, i] = distance.minimum_color_difference
    tree = linkage(squareform(moved), "average", optimal_ordering=True)
    places = np.zeros((len(films), 2))
    if moved.any():
        # Two films have one dimension.
        n = min(2, len(films) - 1)
        scaling = ClassicalMDS(n_components=n, metric="precomputed")
        with np.errstate(invalid="ignore"):
            found = scaling.fit_transform(moved)
        # CIEDE2000 is no metric: an axis of a negative eigenvalue has no root.
        places[:, :n] = np.nan_to_num(found)
    return FilmMatrix(films, moved, nearest, tree, places)
