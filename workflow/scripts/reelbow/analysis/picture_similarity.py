"""How alike two barcodes are as pictures: the three figures that KALMUS has.

They are computed as they are defined; docs/comparison.md says where KALMUS differs.

References
----------
Y. Chen, E. Faden and N. C. Ryan, "KALMUS: tools for color analysis of films", 2021.
Z. Wang, A. C. Bovik, H. R. Sheikh and E. P. Simoncelli, "Image quality assessment: from
error visibility to structural similarity", 2004.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Columns and rows of the window in which structure is compared.
WINDOW = 7


class Similarity(NamedTuple):
    """Each is 1 for the same picture; None where it is not defined."""

    # Structural similarity, brought from [-1, 1] to [0, 1].
    ssim_similarity: float | None
    # 1 - root of the mean squared error / the larger range of values.
    nrmse_similarity: float | None
    # Of values less each channel's mean, [-1, 1].
    cross_correlation: float | None


def measure_similarity(
    first: NDArray[np.uint8], second: NDArray[np.uint8]
) -> Similarity:
    """Measure how alike two pictures (height, width, 3) of one size are.

    A picture of fewer than 7 columns has no structure, one of a single value no range,
    and one whose channels are each of a single value no correlation.
    """
    if not first.size:
        return Similarity(None, None, None)
    ssim = None
    if min(first.shape[:2]) >= WINDOW:
        from skimage.metrics import structural_similarity

        found = structural_similarity(  # type: ignore[no-untyped-call]
            first, second, win_size=WINDOW, channel_axis=2, data_range=255
        )
        ssim = (float(found) + 1) / 2
    one, two = first.astype(np.float64), second.astype(np.float64)
    error = np.sqrt(((one - two) ** 2).mean())
    value_range = max(np.ptp(one), np.ptp(two))
    nrmse = 1 - error / value_range if value_range else None
    one -= one.mean(axis=(0, 1))
    two -= two.mean(axis=(0, 1))
    energy = np.sqrt((one**2).sum() * (two**2).sum())
    correlation = (one * two).sum() / energy if energy else None
    return Similarity(
        ssim,
        None if nrmse is None else float(nrmse),
        None if correlation is None else float(correlation),
    )
