"""The search for centers: seeding, moving, reseeding, labels; k-means itself."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelbow.kmeans.histogram import Histogram, coarsen, measure_scatter
from reelbow.machine.compiled import njit

MIN_COARSE_PER_COLOR = 32

# Each start is the best of so many seedings, which are cheap on the coarse histogram.
SEEDINGS = 3
MAX_ITERATIONS = 300

# A start whose inertia falls by less than this part of the whole scatter is compared
# with the other starts; only the best one then goes on until no center moves.
TOLERANCE = 1e-4

# Coordinates of a center that is not there: distances are taken four centers at a time.
_FAR_AWAY = np.float32(1e9)


class Scratch(NamedTuple):
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
    centers, start, best : (k, rounded up to fours, 3) float32, three sets of centers
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
    centers: NDArray[np.float32]
    start: NDArray[np.float32]
    best: NDArray[np.float32]


def make_scratch(size: int, n_colors: int) -> Scratch:
    """Make room for the search."""
    padded = (n_colors + 3) // 4 * 4
    return Scratch(
        np.empty(size, np.float32),
        np.empty(size, np.float32),
        np.empty(size, np.float64),
        np.empty(9, np.float64),
        np.empty(size, np.int32),
        np.empty(size, np.int32),
        np.empty(n_colors, np.int64),
        np.empty((n_colors, 4), np.float64),
        np.empty(1, np.uint64),
        *(np.empty((padded, 3), np.float32) for _ in range(3)),
    )


@njit
def search_centers(
    fine: Histogram,
    n: int,
    key_bits: int,
    middle: Histogram,
    coarse: Histogram,
    min_coarse: int,
    n_init: int,
    scratch: Scratch,
    sums: NDArray[np.float64],
) -> None:
    """Fill sums (k, 4) with the moments of the best clusters of n points.

    Rows of missing clusters are left as they are. `middle` and `coarse` are room for
    coarser histograms.
    """
    n_colors = len(sums)
    if n <= n_colors:
        for i in range(n):
            for channel in range(4):
                sums[i, channel] = fine.moments[i, channel]
        return
    # From 4 bits a channel on, one bit more until there are enough points.
    shift = key_bits - 12
    enough = max(min_coarse, MIN_COARSE_PER_COLOR * n_colors)
    n_coarse = coarsen(fine, n, shift, coarse)
    while n_coarse < enough and shift > 0:
        shift -= 3
        n_coarse = coarsen(fine, n, shift, coarse)
    n_middle = coarsen(fine, n, shift - 3, middle) if shift > 0 else 0

    tolerance = TOLERANCE * measure_scatter(coarse, n_coarse)
    centers, start, best = scratch.centers, scratch.start, scratch.best
    best_inertia = np.inf
    for _ in range(n_init):
        start_inertia = np.inf
        for _ in range(SEEDINGS):
            _seed_centers(coarse, n_coarse, n_colors, centers, scratch)
            inertia = _move_centers(coarse, n_coarse, centers, tolerance, scratch)
            if inertia < start_inertia:
                start_inertia = inertia
                _copy(centers, start)
        if n_middle > 0:
            start_inertia = _move_centers(middle, n_middle, start, tolerance, scratch)
        if start_inertia < best_inertia:
            best_inertia = start_inertia
            _copy(start, best)
    _move_centers(fine, n, best, 0.0, scratch)
    for j in range(n_colors):
        if scratch.members[j] > 0:
            for channel in range(4):
                sums[j, channel] = scratch.sums[j, channel]


@njit
def _copy(centers: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    """Copy centers (k, 3): numba takes seconds to compile `out[:] = centers`."""
    for j in range(len(centers)):
        for channel in range(3):
            out[j, channel] = centers[j, channel]


@njit
def _seed_centers(
    histogram: Histogram,
    n: int,
    n_colors: int,
    centers: NDArray[np.float32],
    scratch: Scratch,
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
    trials = 2 + int(math.log(n_colors))
    centers[:] = _FAR_AWAY
    nearest[:] = np.inf
    # Not `potential[:] = weights`: see `_copy`.
    for i in range(n):
        potential[i] = weights[i]
    for j in range(n_colors):
        total = _add_up(potential, scratch.cumulative, scratch.segments)
        if total <= 0:
            # Every point is a center by now; the other centers stay empty.
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


@njit
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


@njit
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


@njit
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
    total = 0.0
    for segment, part in enumerate((a, b, c, d, e, f, g, h, rest)):
        segments[segment] = part
        total += part
    return total


@njit
def _draw(n: int, total: float, scratch: Scratch) -> int:
    """Draw one of n points with the chance of its part in the running sums."""
    at = _next_random(scratch.state) * total
    segment = 0
    while segment < 8 and at >= scratch.segments[segment]:
        at -= scratch.segments[segment]
        segment += 1
    q = n >> 3
    low = segment * q
    high = n - 1 if segment == 8 else low + q - 1
    # By rounding, the sum may end before `at` is reached: take the last point.
    low = min(low, high)
    while low < high:
        half = (low + high) >> 1
        if scratch.cumulative[half] > at:
            high = half
        else:
            low = half + 1
    return low


@njit
def _next_random(state: NDArray[np.uint64]) -> float:
    """Draw from [0, 1): splitmix64."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) * 2.0**-53


@njit
def _move_centers(
    histogram: Histogram,
    n: int,
    centers: NDArray[np.float32],
    tolerance: float,
    scratch: Scratch,
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


@njit
def _reseed(
    histogram: Histogram,
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
    # The next empty cluster is to take another point.
    nearest[farthest] = 0.0
    for channel in range(3):
        centers[j, channel] = histogram.points[channel, farthest]
    return True


@njit
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
