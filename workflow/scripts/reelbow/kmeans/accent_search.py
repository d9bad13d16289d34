"""Compiled code that looks for accents among the colors of a frame.

Colors are compared in OKLab with their lightness halved: shade and highlight change a
thing's lightness most, and are no colors of their own. What lies between two colors of
the palette is a mixture, as pixels on an edge are, or a shade between two: no accent.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelbow.kmeans.histogram import (
    N_BINS,
    Histogram,
    count_bins,
    make_histogram,
    place_points,
)
from reelbow.kmeans.space import Space, leave_srgb
from reelbow.machine.compiled import cached_njit, njit

# What distances have of the lightness; docs/palettes.md says how all these were chosen.
LIGHTNESS = 0.5

# An accent's pixels lie farther than this from every color of the palette, ...
FAR = 0.08

# ... farther than this from every mixture of two, ...
UNMIXED = 0.06

# ... and have at least this chroma, for which channels must differ by so many levels.
LEAST_CHROMA = 0.1
LEAST_SPREAD = 40

# Fewer are noise: of a frame's pixels, and at least.
LEAST_SHARE = 0.001
LEAST_PIXELS = 8

# Cells of 4 bits a channel.
N_CELLS = 1 << 12

# What a bin is that no accent has, by its number from 0.
CANDIDATE = -2
NOBODY = -1

# Steps of the mean to where candidates lie densest.
N_STEPS = 4


class _Room(NamedTuple):
    """What is written to, made once per call.

    Attributes
    ----------
    slots : (`N_BINS`,) int32, the place of each bin of 6 bits in `counts`; -1: none
    keys, counts : (m,) and (m, 4) int64, the bins that are there
    bins : m points
    cells : `N_CELLS` points
    places, owners : (m,) int64, of each saturated bin its place in `counts`, and the
        accent whose it is
    known : (3, k + a) float64, the colors of a palette, then its accents
    """

    slots: NDArray[np.int32]
    keys: NDArray[np.int64]
    counts: NDArray[np.int64]
    bins: Histogram
    cells: Histogram
    places: NDArray[np.int64]
    owners: NDArray[np.int64]
    known: NDArray[np.float64]


def make_room(n_pixels: int, n_colors: int) -> _Room:
    """Make room to search pictures of so many pixels for so many colors in all."""
    size = min(n_pixels, N_BINS)
    return _Room(
        np.full(N_BINS, -1, np.int32),
        np.empty(size, np.int64),
        np.empty((size, 4), np.int64),
        make_histogram(size),
        make_histogram(N_CELLS),
        np.empty(size, np.int64),
        np.empty(size, np.int64),
        np.empty((3, n_colors)),
    )


@cached_njit
def search_accents(
    frames: NDArray[np.uint8],
    palettes: NDArray[np.float64],
    points: NDArray[np.float64],
    n_present: NDArray[np.int64],
    oklab: Space,
    space: Space,
    room: _Room,
    sums: NDArray[np.float64],
) -> None:
    """Fill sums (n, k + a, 4) with moments in `space`, of frames that have an accent.

    First those of the palette's colors without the accents' pixels, then the accents'.

    Parameters
    ----------
    frames : (n, p, 3)
    palettes : (n, k, 3) OKLab with its lightness halved; of each n_present are there
    points : (n, k, 3) the same in `space`
    """
    n_pixels = frames.shape[1]
    n_colors = palettes.shape[1]
    n_accents = sums.shape[1] - n_colors
    slots, keys, counts, bins, cells, places, owners, known = room
    least = max(LEAST_SHARE * n_pixels, LEAST_PIXELS)
    for i in range(len(frames)):
        n = count_bins(frames[i], slots, keys, counts)
        for j in range(n):
            slots[keys[j]] = -1
        n_known = n_present[i]
        for k in range(n_known):
            for channel in range(3):
                known[channel, k] = palettes[i, k, channel]
        n_saturated = _take_saturated(counts, keys, n, oklab, bins, places)
        rest = 0.0
        for j in range(n_saturated):
            owners[j] = NOBODY
            if _is_apart(bins.points, j, known, 0, n_known):
                owners[j] = CANDIDATE
                rest += bins.moments[j, 0]
        n_found = 0
        while n_found < n_accents and rest >= least:
            weight = _find_densest(bins, owners, n_saturated, cells, known, n_known)
            if weight < least:
                break
            accept = _is_apart(known, n_known, known, 0, n_known)
            for j in range(n_saturated):
                if owners[j] != CANDIDATE:
                    continue
                if _is_near(bins.points, j, known, n_known):
                    owners[j] = n_found if accept else NOBODY
                elif accept and not _is_apart(
                    bins.points, j, known, n_known, n_known + 1
                ):
                    owners[j] = NOBODY
                if owners[j] != CANDIDATE:
                    rest -= bins.moments[j, 0]
            if accept:
                n_found += 1
                n_known += 1
        if n_found > 0:
            _take_all(counts, n, space, bins, places, owners, n_saturated)
            for j in range(n):
                owner = owners[j]
                if owner == NOBODY:
                    owner = _find_nearest(bins.points, j, points[i], n_present[i])
                else:
                    owner += n_colors
                for channel in range(4):
                    sums[i, owner, channel] += bins.moments[j, channel]


@njit
def _take_saturated(
    counts: NDArray[np.int64],
    keys: NDArray[np.int64],
    n: int,
    oklab: Space,
    bins: Histogram,
    places: NDArray[np.int64],
) -> int:
    """Bring the saturated ones of n counted bins to OKLab; say how many these are."""
    found = 0
    for place in range(n):
        red, green, blue = counts[place, 1], counts[place, 2], counts[place, 3]
        spread = max(red, green, blue) - min(red, green, blue)
        if spread >= LEAST_SPREAD * counts[place, 0]:
            places[found] = place
            for channel in range(4):
                bins.moments[found, channel] = counts[place, channel]
            found += 1
    leave_srgb(bins, found, oklab)
    n_saturated = 0
    for j in range(found):
        a, b = bins.points[1, j], bins.points[2, j]
        if a * a + b * b >= LEAST_CHROMA * LEAST_CHROMA:
            places[n_saturated] = places[j]
            bins.keys[n_saturated] = keys[places[j]]
            for channel in range(4):
                bins.moments[n_saturated, channel] = bins.moments[j, channel]
            bins.moments[n_saturated, 1] *= LIGHTNESS
            n_saturated += 1
    place_points(bins, n_saturated)
    return n_saturated


@njit
def _is_near(
    points: NDArray[np.floating], i: int, others: NDArray[np.floating], j: int
) -> bool:
    """Whether two colors, of (3, n) and (3, m), are not far from each other."""
    square = 0.0
    for channel in range(3):
        away = points[channel, i] - others[channel, j]
        square += away * away
    return square <= FAR * FAR


@njit
def _is_apart(
    points: NDArray[np.floating],
    i: int,
    known: NDArray[np.float64],
    first: int,
    n: int,
) -> bool:
    """Whether a color is far from n known ones, and no mixture of two of them.

    Those before `first` are looked at for mixtures with later ones only.
    """
    for k in range(first, n):
        if _is_near(points, i, known, k):
            return False
    for k in range(first, n):
        for j in range(k):
            along, length = 0.0, 1e-12
            for channel in range(3):
                step = known[channel, k] - known[channel, j]
                along += (points[channel, i] - known[channel, j]) * step
                length += step * step
            part = min(max(along / length, 0.0), 1.0)
            square = 0.0
            for channel in range(3):
                step = known[channel, k] - known[channel, j]
                away = points[channel, i] - known[channel, j] - part * step
                square += away * away
            if square <= UNMIXED * UNMIXED:
                return False
    return True


@njit
def _find_densest(
    bins: Histogram,
    owners: NDArray[np.int64],
    n: int,
    cells: Histogram,
    known: NDArray[np.float64],
    place: int,
) -> float:
    """Put at `place` the mean of where candidates lie densest; give its weight."""
    # In cells of 4 bits a channel: few, however many bins there are.
    for cell in range(N_CELLS):
        for channel in range(4):
            cells.moments[cell, channel] = 0.0
    for j in range(n):
        if owners[j] == CANDIDATE:
            for channel in range(4):
                cells.moments[bins.keys[j] >> 6, channel] += bins.moments[j, channel]
    n_cells = 0
    for cell in range(N_CELLS):
        if cells.moments[cell, 0] > 0:
            for channel in range(4):
                cells.moments[n_cells, channel] = cells.moments[cell, channel]
            n_cells += 1
    place_points(cells, n_cells)
    heaviest = 0.0
    for cell in range(n_cells):
        weight = 0.0
        for other in range(n_cells):
            if _is_near(cells.points, cell, cells.points, other):
                weight += cells.moments[other, 0]
        if weight > heaviest:
            heaviest = weight
            for channel in range(3):
                known[channel, place] = cells.points[channel, cell]
    weight = heaviest
    for _ in range(N_STEPS):
        for channel in range(4):
            cells.moments[0, channel] = 0.0
        for j in range(n):
            if owners[j] == CANDIDATE and _is_near(bins.points, j, known, place):
                for channel in range(4):
                    cells.moments[0, channel] += bins.moments[j, channel]
        weight = cells.moments[0, 0]
        if weight == 0:
            break
        for channel in range(3):
            known[channel, place] = cells.moments[0, channel + 1] / weight
    return weight


@njit
def _take_all(
    counts: NDArray[np.int64],
    n: int,
    space: Space,
    bins: Histogram,
    places: NDArray[np.int64],
    owners: NDArray[np.int64],
    n_saturated: int,
) -> None:
    """Bring all n counted bins to the palettes' space, and owners to their places."""
    for j in range(n_saturated, n):
        owners[j] = NOBODY
    # Places ascend, so none is filled before it was read.
    for j in range(n_saturated - 1, -1, -1):
        owner = owners[j]
        owners[j] = NOBODY
        owners[places[j]] = max(owner, NOBODY)
    for j in range(n):
        for channel in range(4):
            bins.moments[j, channel] = counts[j, channel]
    place_points(bins, n)
    if len(space.curve) > 0:
        leave_srgb(bins, n, space)


@njit
def _find_nearest(
    points: NDArray[np.float32], j: int, colors: NDArray[np.float64], n: int
) -> int:
    """Find the nearest of n colors (n, 3) to one of points (3, m)."""
    nearest, least = 0, np.inf
    for k in range(n):
        square = 0.0
        for channel in range(3):
            away = points[channel, j] - colors[k, channel]
            square += away * away
        if square < least:
            nearest, least = k, square
    return nearest
