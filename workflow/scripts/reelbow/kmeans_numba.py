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
same steps (kmeans_batches.cu, which must follow what is changed here). Loops in float32
add up in an order that the code fixes, not the width of the machine's vectors, so no
fastmath: it would make machines disagree. Roots are taken as in `color_spaces`, to the
same bits, not by the machine's library.

References
----------
D. Arthur and S. Vassilvitskii, "k-means++: the advantages of careful seeding", 2007.
S. Lloyd, "Least squares quantization in PCM", 1982.
G. Morton, "A computer oriented geodetic data base", 1966.
G. Steele et al., "Fast splittable pseudorandom number generators", 2014 (splitmix64).
"""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from reelbow import color_spaces
from reelbow.compiled import compile_once

_compile = numba.njit(nogil=True)

N_BINS = 1 << 18
# Below this many bins of 6 bits, every color is a bin of its own.
FEW_BINS = 512
# A space of cube roots tells levels apart in the dark that would share a bin of 6 bits:
# there are more frames of which every color counts, and of these the coarse histogram
# is finer.
FEW_BINS_BY_ROOTS = 2048
MIN_COARSE_BY_ROOTS = 2048
# The coarse histogram has at least so many points, also for every color asked for.
MIN_COARSE = 256
MIN_COARSE_PER_COLOR = 32
# Seedings behind every start: cheap on the coarse histogram, and the worst starts go.
SEEDINGS = 3
MAX_ITERATIONS = 300
# A start that gains less than this part of the whole scatter is known well enough to be
# compared; the best one then goes on until nothing moves.
TOLERANCE = 1e-4
# The curve of sRGB is a table of so many values a level, and straight in between: right
# to 1e-7, and exact at whole levels.
CURVE_STEPS = 8
# No coordinate of a color is larger than 2 to this power.
_RANGE_BITS = {"srgb": 8, "linear": 0, "oklab": 1, "cielab": 8}
# Halley's steps of a cube root, enough for float64. Here and not in `Space`, to be
# unrolled; not imported, for the cache of compiled code would not see it change.
ROOT_STEPS = 3
ONE_BITS = 0x3FF0000000000000
# Stands for "no center here" where centers are taken four at a time.
_FAR_AWAY = np.float32(1e9)


def _spread_bits() -> NDArray[np.uint32]:
    """Move bit i of every byte to bit 3 i: the table behind Morton order."""
    table = np.zeros(256, np.uint32)
    for bit in range(8):
        table |= ((np.arange(256, dtype=np.uint32) >> bit) & 1) << (3 * bit)
    return table


_BLUE = _spread_bits()
_GREEN = _BLUE << 1
_RED = _BLUE << 2


class _Histogram(NamedTuple):
    """Weighted points; the first n rows of every array are in use.

    Attributes
    ----------
    keys : (m,) int64, Morton numbers, ascending
    moments : (m, 4) float64, weight and weight times color
    points : (3, m) float32, mean colors
    weights : (m,) float32
    """

    keys: NDArray[np.int64]
    moments: NDArray[np.float64]
    points: NDArray[np.float32]
    weights: NDArray[np.float32]


class Space(NamedTuple):
    """How to leave sRGB; all that compiled code must not take for constant.

    Attributes
    ----------
    curve : (255 * 8 + 1,) float64, linear light of sRGB; empty for sRGB itself
    from_linear : (3, 3) float64; empty for linear light itself
    epsilon, slope, offset : up to epsilon, the straight line that stands for the root
    from_roots : (3, 3) float64, from the cube roots
    origin : (3,) float64, added at last
    parts : moments are whole multiples of 1 / parts, so that their sums are exact
    """

    curve: NDArray[np.float64]
    from_linear: NDArray[np.float64]
    epsilon: float
    slope: float
    offset: float
    from_roots: NDArray[np.float64]
    origin: NDArray[np.float64]
    parts: float


class _Scratch(NamedTuple):
    """What the search writes to, made once per call.

    Attributes
    ----------
    nearest : (m,) float32, squared distance of each point to its center
    potential : (m,) float32, the same times weight
    cumulative : (m,) float64, its running sums in each of nine segments
    segments : (9,) float64, the sum of each segment
    labels, previous : (m,) int32, center of each point, now and in the step before
    members : (k,) int64, points of each cluster
    sums : (k, 4) float64, moments of each cluster
    state : (1,) uint64, of the random numbers
    """

    nearest: NDArray[np.float32]
    potential: NDArray[np.float32]
    cumulative: NDArray[np.float64]
    segments: NDArray[np.float64]
    labels: NDArray[np.int32]
    previous: NDArray[np.int32]
    members: NDArray[np.int64]
    sums: NDArray[np.float64]
    state: NDArray[np.uint64]


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
    sums = np.zeros((len(frames), n_colors, 4))
    space = describe_space(color_space, frames.shape[1])
    _find_all(frames, n_init, seed, space, sums)
    return split_moments(sums)


def find_weighted(
    points: NDArray[np.float64],
    weights: NDArray[np.float64],
    n_colors: int,
    n_init: int,
    seed: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cluster weighted points; all were validated before.

    Points that agree to 1/256 level are one point.

    Parameters
    ----------
    points : (m, 3) float64, sRGB, [0, 255]
    weights : (m,) float64, above 0

    Returns
    -------
    colors : (1, k, 3) float64, in any order
    weights : (1, k) float64; 0 where missing
    """
    fixed = np.rint(points * 256).astype(np.int64)
    red, green, blue = (fixed >> 8).T
    keys = (_RED[red] | _GREEN[green] | _BLUE[blue]).astype(np.int64)
    keys = (keys << 24) | ((fixed & 255) @ np.array([1 << 16, 1 << 8, 1]))
    order = np.argsort(keys, kind="stable")
    moments = np.concatenate([weights[:, None], weights[:, None] * points], axis=1)
    sums = np.zeros((1, n_colors, 4))
    _find_one(keys[order], moments[order], n_init, seed, sums[0])
    return split_moments(sums)


def describe_space(color_space: str, n_pixels: int) -> Space:
    """Gather the numbers of a color space, for frames of so many pixels."""
    if color_space == "srgb":
        curve = np.empty(0)
    else:
        levels = np.arange(255 * CURVE_STEPS + 1) / CURVE_STEPS
        curve = color_spaces.srgb_to_linear(levels)
    # No sum of moments needs more than the 53 bits of float64.
    bits = 52 - n_pixels.bit_length() - _RANGE_BITS[color_space]
    space = Space(
        curve,
        np.empty((0, 0)),
        0.0,
        0.0,
        0.0,
        np.empty((0, 0)),
        np.zeros(3),
        2.0**bits,
    )
    if color_space == "oklab":
        return space._replace(
            from_linear=color_spaces.OKLAB_FROM_LINEAR,
            from_roots=color_spaces.OKLAB_FROM_ROOTS,
        )
    if color_space == "cielab":
        return space._replace(
            from_linear=color_spaces.CIELAB_FROM_LINEAR,
            epsilon=color_spaces.CIE_EPSILON,
            slope=color_spaces.CIE_SLOPE,
            offset=color_spaces.CIE_OFFSET,
            from_roots=color_spaces.CIELAB_FROM_ROOTS,
            origin=color_spaces.CIELAB_ORIGIN,
        )
    return space


def split_moments(
    sums: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Turn moments (n, k, 4) into mean colors and weights."""
    weights = sums[..., 0]
    colors = sums[..., 1:] / np.where(weights > 0, weights, 1)[..., None]
    return colors, weights


@compile_once
def _find_all(
    frames: NDArray[np.uint8],
    n_init: int,
    seed: int,
    space: Space,
    sums: NDArray[np.float64],
) -> None:
    """Fill sums (n, k, 4) with the moments of every frame's clusters."""
    n_pixels = frames.shape[1]
    n_colors = sums.shape[1]
    by_roots = len(space.from_linear) > 0
    few_bins = FEW_BINS_BY_ROOTS if by_roots else FEW_BINS
    size = max(min(n_pixels, N_BINS), few_bins * 64)
    slots = np.full(N_BINS, -1, np.int32)
    counts = np.empty((size, 4), np.int64)
    unsorted = np.empty(size, np.int64)
    half_sorted = np.empty(size, np.int64)
    fine = _make_histogram(size)
    middle = _make_histogram(size)
    coarse = _make_histogram(size)
    scratch = _make_scratch(size, n_colors)
    for i in range(len(frames)):
        n = _count_bins(frames[i], slots, unsorted, counts)
        _sort_keys(unsorted, n, half_sorted, fine.keys)
        bits = 6
        min_coarse = MIN_COARSE
        if n < few_bins:
            n = _count_colors(frames[i], slots, n, unsorted, counts, fine)
            bits = 8
            if by_roots:
                min_coarse = MIN_COARSE_BY_ROOTS
        else:
            _empty_slots(slots, n, counts, fine)
        if len(space.curve) > 0:
            _leave_srgb(fine, n, space)
        scratch.state[0] = np.uint64(seed)
        _search(fine, n, 3 * bits, middle, coarse, min_coarse, n_init, scratch, sums[i])


@compile_once
def _find_one(
    keys: NDArray[np.int64],
    moments: NDArray[np.float64],
    n_init: int,
    seed: int,
    sums: NDArray[np.float64],
) -> None:
    """Fill sums (k, 4) with the moments of the clusters of sorted points.

    Keys are Morton numbers of 8 bits a channel, then 24 bits for what is behind the
    point.
    """
    size = len(keys)
    given = _Histogram(
        keys, moments, np.empty((3, 0), np.float32), np.empty(0, np.float32)
    )
    fine = _make_histogram(size)
    middle = _make_histogram(size)
    coarse = _make_histogram(size)
    scratch = _make_scratch(size, len(sums))
    scratch.state[0] = np.uint64(seed)
    n = _coarsen(given, size, 0, fine)
    _search(fine, n, 48, middle, coarse, MIN_COARSE, n_init, scratch, sums)


@_compile
def _make_histogram(size: int) -> _Histogram:
    """Make room for points."""
    return _Histogram(
        np.empty(size, np.int64),
        np.empty((size, 4), np.float64),
        np.empty((3, size), np.float32),
        np.empty(size, np.float32),
    )


@_compile
def _make_scratch(size: int, n_colors: int) -> _Scratch:
    """Make room for the search."""
    return _Scratch(
        np.empty(size, np.float32),
        np.empty(size, np.float32),
        np.empty(size, np.float64),
        np.empty(9, np.float64),
        np.empty(size, np.int32),
        np.empty(size, np.int32),
        np.empty(n_colors, np.int64),
        np.empty((n_colors, 4), np.float64),
        np.empty(1, np.uint64),
    )


@_compile
def _count_bins(
    pixels: NDArray[np.uint8],
    slots: NDArray[np.int32],
    keys: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> int:
    """Count pixels (p, 3) in bins of 6 bits a channel, in the order of their coming.

    Leaves each bin's place in `slots`, and in `counts` its pixels and their sums.
    """
    n = 0
    for p in range(len(pixels)):
        red = pixels[p, 0]
        green = pixels[p, 1]
        blue = pixels[p, 2]
        key = (_RED[red] | _GREEN[green] | _BLUE[blue]) >> 6
        slot = slots[key]
        if slot < 0:
            slot = n
            slots[key] = n
            keys[n] = key
            for channel in range(4):
                counts[n, channel] = 0
            n += 1
        counts[slot, 0] += 1
        counts[slot, 1] += red
        counts[slot, 2] += green
        counts[slot, 3] += blue
    return n


@_compile
def _sort_keys(
    keys: NDArray[np.int64],
    n: int,
    half_sorted: NDArray[np.int64],
    out: NDArray[np.int64],
) -> None:
    """Sort n keys of 18 bits: by their low nine bits, then by their high nine."""
    starts = np.zeros(513, np.int64)
    for i in range(n):
        starts[(keys[i] & 511) + 1] += 1
    for digit in range(512):
        starts[digit + 1] += starts[digit]
    for i in range(n):
        digit = keys[i] & 511
        half_sorted[starts[digit]] = keys[i]
        starts[digit] += 1
    starts[:] = 0
    for i in range(n):
        starts[(half_sorted[i] >> 9) + 1] += 1
    for digit in range(512):
        starts[digit + 1] += starts[digit]
    for i in range(n):
        digit = half_sorted[i] >> 9
        out[starts[digit]] = half_sorted[i]
        starts[digit] += 1


@_compile
def _empty_slots(
    slots: NDArray[np.int32], n: int, counts: NDArray[np.int64], fine: _Histogram
) -> None:
    """Bring the counts into the order of the keys, and leave `slots` as it was."""
    for i in range(n):
        slot = slots[fine.keys[i]]
        slots[fine.keys[i]] = -1
        for channel in range(4):
            fine.moments[i, channel] = counts[slot, channel]
    _place_points(fine, n)


@_compile
def _count_colors(
    pixels: NDArray[np.uint8],
    slots: NDArray[np.int32],
    n: int,
    keys: NDArray[np.int64],
    counts: NDArray[np.int64],
    fine: _Histogram,
) -> int:
    """Count pixels again, every color in a bin of its own.

    The bins of 6 bits are known: `fine.keys` has their n sorted keys. `slots` is left
    as it was.
    """
    for i in range(n):
        slots[fine.keys[i]] = i
        keys[i] = fine.keys[i]
    counts[: n * 64] = 0
    for p in range(len(pixels)):
        red = pixels[p, 0]
        green = pixels[p, 1]
        blue = pixels[p, 2]
        key = _RED[red] | _GREEN[green] | _BLUE[blue]
        place = slots[key >> 6] * 64 + (key & 63)
        counts[place, 0] += 1
        counts[place, 1] += red
        counts[place, 2] += green
        counts[place, 3] += blue
    found = 0
    for i in range(n):
        slots[keys[i]] = -1
        for place in range(i * 64, i * 64 + 64):
            if counts[place, 0] > 0:
                fine.keys[found] = keys[i] * 64 + (place - i * 64)
                for channel in range(4):
                    fine.moments[found, channel] = counts[place, channel]
                found += 1
    _place_points(fine, found)
    return found


@_compile
def _leave_srgb(histogram: _Histogram, n: int, space: Space) -> None:
    """Move points to the color space, each with its weight."""
    linear = np.empty(3)
    roots = np.empty(3)
    for i in range(n):
        weight = histogram.moments[i, 0]
        for channel in range(3):
            at = histogram.moments[i, channel + 1] / weight * CURVE_STEPS
            below = min(int(at), len(space.curve) - 2)
            low = space.curve[below]
            linear[channel] = low + (at - below) * (space.curve[below + 1] - low)
        if len(space.from_linear) == 0:
            for channel in range(3):
                moment = np.rint(weight * linear[channel] * space.parts)
                histogram.moments[i, channel + 1] = moment / space.parts
            continue
        for j in range(3):
            row = space.from_linear[j]
            value = row[0] * linear[0] + row[1] * linear[1] + row[2] * linear[2]
            if value > space.epsilon:
                roots[j] = _take_cube_root(value)
            else:
                roots[j] = value * space.slope + space.offset
        for j in range(3):
            row = space.from_roots[j]
            value = row[0] * roots[0] + row[1] * roots[1] + row[2] * roots[2]
            moment = np.rint(weight * (value + space.origin[j]) * space.parts)
            histogram.moments[i, j + 1] = moment / space.parts
    _place_points(histogram, n)


@_compile
def _take_cube_root(value: float) -> float:
    """Take the cube root of a number above 0, as `color_spaces` does."""
    bits = (np.float64(value).view(np.int64) - ONE_BITS) // 3 + ONE_BITS
    root = np.int64(bits).view(np.float64)
    for _ in range(ROOT_STEPS):
        power = root * root * root
        root = root * ((2.0 * power + 4.0 * value) / (4.0 * power + 2.0 * value))
    return float(root)


@_compile
def _coarsen(fine: _Histogram, n: int, shift: int, coarse: _Histogram) -> int:
    """Add up the runs of points whose keys agree but for the last `shift` bits."""
    found = -1
    last = np.int64(-1)
    for i in range(n):
        key = fine.keys[i] >> shift
        if key != last:
            last = key
            found += 1
            coarse.keys[found] = key
            for channel in range(4):
                coarse.moments[found, channel] = 0.0
        for channel in range(4):
            coarse.moments[found, channel] += fine.moments[i, channel]
    _place_points(coarse, found + 1)
    return found + 1


@_compile
def _place_points(histogram: _Histogram, n: int) -> None:
    """Fill in points and weights from the moments."""
    for i in range(n):
        weight = histogram.moments[i, 0]
        histogram.weights[i] = weight
        for channel in range(3):
            histogram.points[channel, i] = histogram.moments[i, channel + 1] / weight


@_compile
def _search(
    fine: _Histogram,
    n: int,
    key_bits: int,
    middle: _Histogram,
    coarse: _Histogram,
    min_coarse: int,
    n_init: int,
    scratch: _Scratch,
    sums: NDArray[np.float64],
) -> None:
    """Fill sums (k, 4) with the moments of the best clusters of n points.

    Rows of missing clusters are left as they are. `middle` and `coarse` are room for
    coarser histograms.
    """
    n_colors = len(sums)
    if n <= n_colors:
        sums[:n] = fine.moments[:n]
        return
    # From 4 bits a channel on, one bit more until there are enough points.
    shift = key_bits - 12
    enough = max(min_coarse, MIN_COARSE_PER_COLOR * n_colors)
    n_coarse = _coarsen(fine, n, shift, coarse)
    while n_coarse < enough and shift > 0:
        shift -= 3
        n_coarse = _coarsen(fine, n, shift, coarse)
    n_middle = _coarsen(fine, n, shift - 3, middle) if shift > 0 else 0

    tolerance = TOLERANCE * _measure_scatter(coarse, n_coarse)
    padded = (n_colors + 3) // 4 * 4
    centers = np.empty((padded, 3), np.float32)
    start = np.empty((padded, 3), np.float32)
    best = np.empty((padded, 3), np.float32)
    best_inertia = np.inf
    for _ in range(n_init):
        start_inertia = np.inf
        for _ in range(SEEDINGS):
            _seed_centers(coarse, n_coarse, n_colors, centers, scratch)
            inertia = _move_centers(coarse, n_coarse, centers, tolerance, scratch)
            if inertia < start_inertia:
                start_inertia = inertia
                start[:] = centers
        if n_middle > 0:
            start_inertia = _move_centers(middle, n_middle, start, tolerance, scratch)
        if start_inertia < best_inertia:
            best_inertia = start_inertia
            best[:] = start
    _move_centers(fine, n, best, 0.0, scratch)
    for j in range(n_colors):
        if scratch.members[j] > 0:
            sums[j] = scratch.sums[j]


@_compile
def _measure_scatter(histogram: _Histogram, n: int) -> float:
    """Sum the weighted squared distances of the points to their common mean."""
    total = np.zeros(4)
    squares = 0.0
    for i in range(n):
        weight = histogram.moments[i, 0]
        total[0] += weight
        for channel in range(1, 4):
            moment = histogram.moments[i, channel]
            total[channel] += moment
            squares += moment * moment / weight
    mean = (total[1] ** 2 + total[2] ** 2 + total[3] ** 2) / total[0]
    return float(max(squares - mean, 0.0))


@_compile
def _seed_centers(
    histogram: _Histogram,
    n: int,
    n_colors: int,
    centers: NDArray[np.float32],
    scratch: _Scratch,
) -> None:
    """Choose points as first centers: greedy k-means++.

    Each center is the best of some points drawn with the chance of their potential, as
    in scikit-learn. Rows of `centers` that no color needs are put far away.
    """
    reds = histogram.points[0, :n]
    greens = histogram.points[1, :n]
    blues = histogram.points[2, :n]
    weights = histogram.weights[:n]
    nearest = scratch.nearest[:n]
    potential = scratch.potential[:n]
    trials = 2 + int(np.log(n_colors))
    centers[:] = _FAR_AWAY
    nearest[:] = np.inf
    potential[:] = weights
    for j in range(n_colors):
        total = _add_up(potential, scratch.cumulative, scratch.segments)
        if total <= 0:
            # Every point is a center: the rest stay far away, empty, for good.
            return
        chosen = 0
        least = np.float32(np.inf)
        for _ in range(trials if j > 0 else 1):
            drawn = _draw(n, total, scratch)
            red = reds[drawn]
            green = greens[drawn]
            blue = blues[drawn]
            for i in range(n):
                distance = _measure(reds[i], greens[i], blues[i], red, green, blue)
                nearer = distance if distance < nearest[i] else nearest[i]
                potential[i] = nearer * weights[i]
            left = _fold(potential)
            if left < least:
                least = left
                chosen = drawn
        red = reds[chosen]
        green = greens[chosen]
        blue = blues[chosen]
        centers[j, 0] = red
        centers[j, 1] = green
        centers[j, 2] = blue
        for i in range(n):
            distance = _measure(reds[i], greens[i], blues[i], red, green, blue)
            nearest[i] = distance if distance < nearest[i] else nearest[i]
            potential[i] = nearest[i] * weights[i]


@_compile
def _measure(
    red: np.float32,
    green: np.float32,
    blue: np.float32,
    center_red: np.float32,
    center_green: np.float32,
    center_blue: np.float32,
) -> np.float32:
    """Square the distance of two colors; products, for ** would go to float64."""
    by_red = red - center_red
    by_green = green - center_green
    by_blue = blue - center_blue
    return by_red * by_red + by_green * by_green + by_blue * by_blue


@_compile
def _fold(values: NDArray[np.float32]) -> np.float32:
    """Add up values, which are overwritten, by adding the upper half to the lower.

    Fast as vectors of any width, and the same sum on all of them.
    """
    n = len(values)
    while n > 1:
        half = n >> 1
        upper = n - half
        for i in range(half):
            values[i] += values[upper + i]
        n = upper
    total: np.float32 = values[0]
    return total


@_compile
def _add_up(
    values: NDArray[np.float32],
    cumulative: NDArray[np.float64],
    segments: NDArray[np.float64],
) -> float:
    """Make running sums of eight equal segments and the few values left over.

    Eight sums at a time: each must wait for its last addition, not for the others'.
    """
    q = len(values) >> 3
    a = b = c = d = e = f = g = h = 0.0
    for i in range(q):
        a += values[i]
        b += values[i + q]
        c += values[i + 2 * q]
        d += values[i + 3 * q]
        e += values[i + 4 * q]
        f += values[i + 5 * q]
        g += values[i + 6 * q]
        h += values[i + 7 * q]
        cumulative[i] = a
        cumulative[i + q] = b
        cumulative[i + 2 * q] = c
        cumulative[i + 3 * q] = d
        cumulative[i + 4 * q] = e
        cumulative[i + 5 * q] = f
        cumulative[i + 6 * q] = g
        cumulative[i + 7 * q] = h
    rest = 0.0
    for i in range(8 * q, len(values)):
        rest += values[i]
        cumulative[i] = rest
    for segment, total in enumerate((a, b, c, d, e, f, g, h, rest)):
        segments[segment] = total
    return float(segments.sum())


@_compile
def _draw(n: int, total: float, scratch: _Scratch) -> int:
    """Draw one of n points with the chance of its part in the running sums."""
    at = _next_random(scratch.state) * total
    segment = 0
    while segment < 8 and at >= scratch.segments[segment]:
        at -= scratch.segments[segment]
        segment += 1
    q = n >> 3
    low = segment * q
    high = n - 1 if segment == 8 else low + q - 1
    # Rounding may lead past the end of an empty rest.
    low = min(low, high)
    while low < high:
        half = (low + high) >> 1
        if scratch.cumulative[half] > at:
            high = half
        else:
            low = half + 1
    return low


@_compile
def _next_random(state: NDArray[np.uint64]) -> float:
    """Draw from [0, 1): splitmix64."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) * 2.0**-53


@_compile
def _move_centers(
    histogram: _Histogram,
    n: int,
    centers: NDArray[np.float32],
    tolerance: float,
    scratch: _Scratch,
) -> float:
    """Move centers to the means of their points until it gains no more: Lloyd.

    Stops when a step gains no more than `tolerance`, and leaves the clusters in
    `scratch.members` and `scratch.sums`. A center without points starts anew.

    Returns
    -------
    The clusters' inertia, less what is the same for all clusterings of these points
    """
    labels = scratch.labels[:n]
    previous = scratch.previous[:n]
    previous[:] = -1
    moments = histogram.moments
    sums = scratch.sums
    members = scratch.members
    sums[:] = 0.0
    members[:] = 0
    last_inertia = np.inf
    inertia = np.inf
    for _ in range(MAX_ITERATIONS):
        _label_points(histogram.points, centers, scratch.nearest[:n], labels)
        for i in range(n):
            new = labels[i]
            old = previous[i]
            if new == old:
                continue
            previous[i] = new
            members[new] += 1
            for channel in range(4):
                sums[new, channel] += moments[i, channel]
            if old >= 0:
                members[old] -= 1
                for channel in range(4):
                    sums[old, channel] -= moments[i, channel]
        inertia = 0.0
        moved = False
        reseeded = False
        for j in range(len(sums)):
            if members[j] > 0:
                for channel in range(3):
                    moment = sums[j, channel + 1]
                    mean = moment / sums[j, 0]
                    inertia -= moment * mean
                    rounded = np.float32(mean)
                    if rounded != centers[j, channel]:
                        centers[j, channel] = rounded
                        moved = True
            elif _reseed(histogram, n, j, centers, scratch.nearest):
                reseeded = True
        settled = not moved or last_inertia - inertia <= tolerance
        if settled and not reseeded:
            break
        last_inertia = inertia
    return inertia


@_compile
def _reseed(
    histogram: _Histogram,
    n: int,
    j: int,
    centers: NDArray[np.float32],
    nearest: NDArray[np.float32],
) -> bool:
    """Put the center of an empty cluster on the point of most potential, if any."""
    farthest = 0
    most = np.float32(0.0)
    for i in range(n):
        potential = nearest[i] * histogram.weights[i]
        if potential > most:
            most = potential
            farthest = i
    if most <= 0:
        return False
    # Not again for the next empty cluster.
    nearest[farthest] = 0.0
    for channel in range(3):
        centers[j, channel] = histogram.points[channel, farthest]
    return True


@_compile
def _label_points(
    points: NDArray[np.float32],
    centers: NDArray[np.float32],
    nearest: NDArray[np.float32],
    labels: NDArray[np.int32],
) -> None:
    """Find each point's nearest center, four centers at a time.

    Parameters
    ----------
    points : (3, m) float32, the first n in use
    centers : (k, 3) float32; k is a multiple of 4, those not in use far away
    nearest : (n,) float32, filled with squared distances
    labels : (n,) int32, filled with rows of `centers`
    """
    n = len(labels)
    reds = points[0, :n]
    greens = points[1, :n]
    blues = points[2, :n]
    for j in range(0, len(centers), 4):
        r0, g0, b0 = centers[j, 0], centers[j, 1], centers[j, 2]
        r1, g1, b1 = centers[j + 1, 0], centers[j + 1, 1], centers[j + 1, 2]
        r2, g2, b2 = centers[j + 2, 0], centers[j + 2, 1], centers[j + 2, 2]
        r3, g3, b3 = centers[j + 3, 0], centers[j + 3, 1], centers[j + 3, 2]
        for i in range(n):
            red = reds[i]
            green = greens[i]
            blue = blues[i]
            least = _measure(red, green, blue, r0, g0, b0)
            d1 = _measure(red, green, blue, r1, g1, b1)
            d2 = _measure(red, green, blue, r2, g2, b2)
            d3 = _measure(red, green, blue, r3, g3, b3)
            label = np.int32(j)
            if d1 < least:
                least = d1
                label = np.int32(j + 1)
            if d2 < least:
                least = d2
                label = np.int32(j + 2)
            if d3 < least:
                least = d3
                label = np.int32(j + 3)
            nearer = j == 0 or least < nearest[i]
            nearest[i] = least if nearer else nearest[i]
            labels[i] = label if nearer else labels[i]
