"""k-means engine numba: weighted k-means over a histogram of colors.

Pixels are counted in bins of 6 bits a channel. A bin counts as one point: the exact
mean of its pixels, weighted by their number. A frame with few bins (a fade, a night)
is counted again with a bin for every color, so that coarse bins never hide it.

Bins are numbered in Morton order: red, green and blue bits interleaved. Bins that share
the first bits of their numbers are then neighbors, and a coarser histogram is made by
adding up runs. The many steps of the search go over some hundred points of a coarse
histogram, fewer over a finer one, and only the best start is finished on all points.

To cluster in another color space, the bins' points are moved there once per frame; all
that follows asks only for their moments. A bin is narrow: the mean of its pixels in the
space lies nearly where their mean in sRGB does.

Sums over pixels are whole numbers, or in another space whole multiples of a power of
two, exact in float64: their order does not matter, and a GPU finds the same bits by the
same steps (batches.cu, which must follow what is changed here). Loops in float32
add up in an order that the code fixes, not the width of the machine's vectors, so no
fastmath: it would make machines disagree. Roots are taken as in `color.spaces`, to the
same bits, not by the machine's library.

References
----------
D. Arthur and S. Vassilvitskii, "k-means++: the advantages of careful seeding", 2007.
S. Lloyd, "Least squares quantization in PCM", 1982.
G. Morton, "A computer oriented geodetic data base", 1966.
G. Steele et al., "Fast splittable pseudorandom number generators", 2014 (splitmix64).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelbow.kmeans.histogram import (
    BLUE,
    GREEN,
    N_BINS,
    RED,
    Histogram,
    coarsen,
    count_bins,
    count_colors,
    empty_slots,
    make_histogram,
    sort_keys,
)
from reelbow.kmeans.search import Scratch, make_scratch, search_centers
from reelbow.kmeans.space import Space, describe_space, leave_srgb
from reelbow.machine.compiled import cached_njit

# Below this many bins of 6 bits, every color is a bin of its own.
FEW_BINS = 512

# A space of cube roots tells levels apart in the dark that would share a bin of 6 bits:
# there are more frames of which every color counts, and of these the coarse histogram
# is finer.
FEW_BINS_BY_ROOTS = 2048
MIN_COARSE_BY_ROOTS = 2048

# The coarse histogram has at least so many points, also for every color asked for.
MIN_COARSE = 256


def find(
    frames: NDArray[np.uint8], n_colors: int, n_init: int, seed: int, color_space: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cluster the pixels of every frame; all were validated before.

    Parameters
    ----------
    frames : (n, p, 3) uint8, sRGB, contiguous

    Returns
    -------
    colors : (n, k, 3) float64, the mean of each cluster's pixels in the color space, in
        any order; exact for sRGB
    weights : (n, k) float64, pixels in each cluster; 0 where missing
    """
    n_pixels = frames.shape[1]
    space = describe_space(color_space, n_pixels)
    few_bins = FEW_BINS_BY_ROOTS if len(space.from_linear) > 0 else FEW_BINS
    size = max(min(n_pixels, N_BINS), few_bins * 64)
    room = _make_room(size, n_colors, n_bins=N_BINS)
    sums = np.zeros((len(frames), n_colors, 4))
    _find_all(frames, make_histogram(0), n_init, seed, space, room, sums)
    return split_moments(sums)


def find_weighted(
    points: NDArray[np.float64],
    weights: NDArray[np.float64],
    n_colors: int,
    n_init: int,
    seed: int,
    color_space: str = "srgb",
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cluster weighted points; all were validated before.

    Points that agree to 1/256 level are one point.

    Parameters
    ----------
    points : (m, 3) float64, sRGB, [0, 255]
    weights : (m,) float64, above 0; their sum is at most 1 in another space than srgb

    Returns
    -------
    colors : (1, k, 3) float64, in the color space, in any order
    weights : (1, k) float64; 0 where missing
    """
    fixed = np.rint(points * 256).astype(np.int64)
    red, green, blue = (fixed >> 8).T
    keys = (RED[red] | GREEN[green] | BLUE[blue]).astype(np.int64)
    keys = (keys << 24) | ((fixed & 255) @ np.array([1 << 16, 1 << 8, 1]))
    order = np.argsort(keys, kind="stable")
    moments = np.concatenate([weights[:, None], weights[:, None] * points], axis=1)
    given = make_histogram(len(keys))
    given.keys[:] = keys[order]
    given.moments[:] = moments[order]
    frames = np.empty((0, 0, 3), np.uint8)
    space = describe_space(color_space, 1)
    room = _make_room(len(keys), n_colors, n_bins=0)
    sums = np.zeros((1, n_colors, 4))
    _find_all(frames, given, n_init, seed, space, room, sums)
    return split_moments(sums)


def split_moments(
    sums: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Turn moments (n, k, 4) into mean colors and weights."""
    weights = sums[..., 0]
    colors = sums[..., 1:] / np.where(weights > 0, weights, 1)[..., None]
    return colors, weights


class _Room(NamedTuple):
    """What is written to, made once per call.

    Attributes
    ----------
    slots : (`N_BINS`,) int32, the place of each bin of 6 bits in `counts`; -1: none
    counts : (m, 4) int64, pixels of a bin and their sums
    starts : (513,) int64, for sorting
    fine, middle, coarse : m points
    scratch : of the search
    """

    slots: NDArray[np.int32]
    counts: NDArray[np.int64]
    starts: NDArray[np.int64]
    fine: Histogram
    middle: Histogram
    coarse: Histogram
    scratch: Scratch


def _make_room(size: int, n_colors: int, *, n_bins: int) -> _Room:
    return _Room(
        np.full(n_bins, -1, np.int32),
        np.empty((size, 4), np.int64),
        np.empty(513, np.int64),
        make_histogram(size),
        make_histogram(size),
        make_histogram(size),
        make_scratch(size, n_colors),
    )


@cached_njit
def _find_all(
    frames: NDArray[np.uint8],
    given: Histogram,
    n_init: int,
    seed: int,
    space: Space,
    room: _Room,
    sums: NDArray[np.float64],
) -> None:
    """Fill sums (n, k, 4) with the moments of every frame's clusters.

    Or, if any are given, with those of sorted points. Their keys are Morton numbers of
    8 bits a channel, then 24 bits for what is behind the point. One function for both,
    so that the search is compiled once.
    """
    slots, counts, starts, fine, middle, coarse, scratch = room
    # Room for keys: the coarser histograms are made later.
    unsorted, half_sorted = coarse.keys, middle.keys
    by_roots = len(space.from_linear) > 0
    few_bins = FEW_BINS_BY_ROOTS if by_roots else FEW_BINS
    for i in range(len(sums)):
        min_coarse = MIN_COARSE
        if len(given.keys) > 0:
            n = coarsen(given, len(given.keys), 0, fine)
            bits = 16
        else:
            n = count_bins(frames[i], slots, unsorted, counts)
            sort_keys(unsorted, n, half_sorted, starts, fine.keys)
            if n < few_bins:
                n = count_colors(frames[i], slots, n, unsorted, counts, fine)
                bits = 8
                if by_roots:
                    min_coarse = MIN_COARSE_BY_ROOTS
            else:
                empty_slots(slots, n, counts, fine)
                bits = 6
        if len(space.curve) > 0:
            leave_srgb(fine, n, space)
        scratch.state[0] = np.uint64(seed)
        search_centers(
            fine, n, 3 * bits, middle, coarse, min_coarse, n_init, scratch, sums[i]
        )
