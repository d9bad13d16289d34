"""The colors of a frame, counted: a histogram whose bins are colors, or nearly."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelbow.machine.compiled import njit

N_BINS = 1 << 18


def _spread_bits() -> NDArray[np.uint32]:
    """Move bit i of every byte to bit 3 i: the table behind Morton order."""
    table = np.zeros(256, np.uint32)
    for bit in range(8):
        table |= ((np.arange(256, dtype=np.uint32) >> bit) & 1) << (3 * bit)
    return table


BLUE = _spread_bits()
GREEN = BLUE << 1
RED = BLUE << 2


class Histogram(NamedTuple):
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


def make_histogram(size: int) -> Histogram:
    """Make room for points."""
    return Histogram(
        np.empty(size, np.int64),
        np.empty((size, 4), np.float64),
        np.empty((3, size), np.float32),
        np.empty(size, np.float32),
    )


@njit
def count_bins(
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
        key = (RED[red] | GREEN[green] | BLUE[blue]) >> 6
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


@njit
def sort_keys(
    keys: NDArray[np.int64],
    n: int,
    half_sorted: NDArray[np.int64],
    starts: NDArray[np.int64],
    out: NDArray[np.int64],
) -> None:
    """Sort n keys of 18 bits: by their low nine bits, then by their high nine."""
    for digit in range(513):
        starts[digit] = 0
    for i in range(n):
        starts[(keys[i] & 511) + 1] += 1
    for digit in range(512):
        starts[digit + 1] += starts[digit]
    for i in range(n):
        digit = keys[i] & 511
        half_sorted[starts[digit]] = keys[i]
        starts[digit] += 1
    for digit in range(513):
        starts[digit] = 0
    for i in range(n):
        starts[(half_sorted[i] >> 9) + 1] += 1
    for digit in range(512):
        starts[digit + 1] += starts[digit]
    for i in range(n):
        digit = half_sorted[i] >> 9
        out[starts[digit]] = half_sorted[i]
        starts[digit] += 1


@njit
def empty_slots(
    slots: NDArray[np.int32], n: int, counts: NDArray[np.int64], fine: Histogram
) -> None:
    """Bring the counts into the order of the keys, and leave `slots` as it was."""
    for i in range(n):
        slot = slots[fine.keys[i]]
        slots[fine.keys[i]] = -1
        for channel in range(4):
            fine.moments[i, channel] = counts[slot, channel]
    place_points(fine, n)


@njit
def count_colors(
    pixels: NDArray[np.uint8],
    slots: NDArray[np.int32],
    n: int,
    keys: NDArray[np.int64],
    counts: NDArray[np.int64],
    fine: Histogram,
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
        key = RED[red] | GREEN[green] | BLUE[blue]
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
    place_points(fine, found)
    return found


@njit
def coarsen(fine: Histogram, n: int, shift: int, coarse: Histogram) -> int:
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
    place_points(coarse, found + 1)
    return found + 1


@njit
def place_points(histogram: Histogram, n: int) -> None:
    """Fill in points and weights from the moments."""
    for i in range(n):
        weight = histogram.moments[i, 0]
        histogram.weights[i] = weight
        for channel in range(3):
            histogram.points[channel, i] = histogram.moments[i, channel + 1] / weight


@njit
def measure_scatter(histogram: Histogram, n: int) -> float:
    """Sum the weighted squared distances of the points to their common mean."""
    weights = reds = greens = blues = squares = 0.0
    moments = histogram.moments
    for i in range(n):
        weight = moments[i, 0]
        red, green, blue = moments[i, 1], moments[i, 2], moments[i, 3]
        weights += weight
        reds += red
        greens += green
        blues += blue
        squares += red * red / weight
        squares += green * green / weight
        squares += blue * blue / weight
    mean = (reds * reds + greens * greens + blues * blues) / weights
    return max(squares - mean, 0.0)
