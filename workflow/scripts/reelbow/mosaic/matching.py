"""Finds the best tiles for every cell of a target, by looking at all of them.

Tiles that are alike, such as frames of one shot, are of one group. Of each group a cell
needs but the best tile: else its list would be full of neighbors of one frame.
"""

import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelbow.machine.compiled import cached_njit, njit
from reelbow.mosaic.features import CHROMA_FACTOR, PARTS, mirror, weigh

# Tiles and cells whose distances are found at a time: they stay in a core's cache.
_TILES = 1024
_CELLS = 256

# Of these those that are asked at a time whether they are near enough.
_BLOCK = 64

# Every so manyth tile is looked at first, or so many, to guess what is near enough.
_STEP = 8
_SAMPLE = 4096

# A distance and a tile in one number: so many bits are the tile's.
_TILE_BITS = 32

# Of weighed features, squared: lightness of all parts, a and b.
LARGEST_DISTANCE = 255**2 * (PARTS**2 + 2 * CHROMA_FACTOR**2)


class Matches(NamedTuple):
    """The best tiles of each cell, the nearest first; all (n_cells, n_best).

    Attributes
    ----------
    distances : float32, whole numbers: squared, of weighed features, less the cell's
        own sum of squares, which is the same in all of a row
    tiles : int32, -1 where there are not so many
    """

    distances: NDArray[np.float32]
    tiles: NDArray[np.int32]


def match_tiles(
    cells: NDArray[np.uint8],
    tiles: NDArray[np.uint8],
    groups: NDArray[np.int32],
    *,
    n_best: int,
    mirrors: bool = False,
) -> Matches:
    """Find the best tiles of each cell, of each group at most one.

    Parameters
    ----------
    cells : (n_cells, 18) uint8, the features of the target's parts
    tiles : (n_tiles, n_views, 18) uint8, of which the nearest view counts
    groups : (n_tiles,) of each tile
    mirrors : whether tiles may be swapped left to right

    Notes
    -----
    A squared distance is what a cell and a tile have by themselves, less twice their
    product: of all cells and tiles that is a product of matrices. Of tiles that are as
    near the first one is taken.
    """
    n_cells = len(cells)
    n_best = max(1, min(n_best, len(tiles)))
    best = np.full((n_cells, n_best), np.inf, np.float32)
    found = np.full((n_cells, n_best), -1, np.int32)
    of_groups = np.full((n_cells, n_best), -1, np.int32)
    sides = _prepare_sides(cells, mirrors=mirrors)
    for first in range(0, len(tiles), _TILES):
        part = slice(first, first + _TILES)
        views = _prepare_views(tiles[part])
        for top in range(0, n_cells, _CELLS):
            rows = slice(top, top + _CELLS)
            _keep_best(
                _multiply(sides, rows, views),
                first,
                groups[part],
                best[rows],
                found[rows],
                of_groups[rows],
            )
    return Matches(best, found)


def find_nearest(
    cells: NDArray[np.uint8],
    tiles: NDArray[np.uint8],
    n: int,
    *,
    mirrors: bool = False,
    prices: NDArray[np.int32] | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Find the n nearest tiles of each cell, whatever their groups.

    Parameters
    ----------
    cells, tiles, mirrors : as `match_tiles` takes them
    prices : (n_tiles,) in [0, LARGEST_DISTANCE], which are added to distances; None: 0

    Returns
    -------
    The tiles and their squared distances and prices, both (n_cells, n), the nearest
    first. Of tiles that are as near the first ones are taken.
    """
    n = min(n, len(tiles))
    sides = _prepare_sides(cells, mirrors=mirrors)
    if prices is None:
        prices = np.zeros(len(tiles), np.int32)
    least = np.empty((len(cells), 2 * n + _BLOCK), np.int64)
    counts = np.zeros(len(cells), np.int64)
    limits = _guess_limits(sides, tiles, prices, n)
    left = np.arange(len(cells))
    while len(left):
        for first in range(0, len(tiles), _TILES):
            part = slice(first, first + _TILES)
            views = _prepare_views(tiles[part], prices[part])
            for top in range(0, len(left), _CELLS):
                rows = left[top : top + _CELLS]
                distances = _multiply(sides, rows, views)
                _keep_least(distances, rows, first, least, counts, limits)
        left = np.flatnonzero(counts < n)
        # The limit was too low: now there is none.
        counts[left], limits[left] = 0, np.inf
    for row, count in zip(least, counts, strict=True):
        row[:count].sort()
    least = least[:, :n]
    own = np.square(weigh(cells)).sum(axis=1).astype(np.int64)
    nearest = (least & ((1 << _TILE_BITS) - 1)).astype(np.int32)
    return nearest, ((least >> _TILE_BITS) + own[:, None]).astype(np.int32)


def _guess_limits(
    sides: list[NDArray[np.float32]],
    tiles: NDArray[np.uint8],
    prices: NDArray[np.int32],
    n: int,
) -> NDArray[np.float32]:
    """Guess from a few tiles what the n nearest of all to each cell are nearer than."""
    limits = np.full(len(sides[0]), np.inf, np.float32)
    step = max(_STEP, len(tiles) // _SAMPLE)
    # As many as are expected among them, and what these may be more by chance.
    rank = int(n / step + 3 * (n / step) ** 0.5 + 3)
    if rank < len(tiles) // step:
        views = _prepare_views(tiles[::step], prices[::step])
        for top in range(0, len(limits), _CELLS):
            rows = slice(top, top + _CELLS)
            distances = _multiply(sides, rows, views)
            distances.partition(rank, axis=1)
            limits[rows] = distances[:, rank]
    return limits


def _multiply(
    sides: list[NDArray[np.float32]],
    rows: slice | NDArray[np.int64],
    views: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Find the distances of some cells, or of these mirrored, to the nearest views."""
    pairs = itertools.product([side[rows] for side in sides], views)
    cells, view = next(pairs)
    distances: NDArray[np.float32] = cells @ view
    for cells, view in pairs:
        np.minimum(distances, cells @ view, out=distances)
    return distances


def _prepare_sides(
    cells: NDArray[np.uint8], *, mirrors: bool
) -> list[NDArray[np.float32]]:
    """Write cells so that their product with a view and its square is a distance.

    A mirrored cell is as far from a view as it is from the mirrored view.
    """
    sides = [cells, mirror(cells)] if mirrors else [cells]
    ones = np.ones((len(cells), 1), np.float32)
    return [np.concatenate([-2 * weigh(side), ones], axis=1) for side in sides]


def _prepare_views(
    tiles: NDArray[np.uint8], prices: NDArray[np.int32] | None = None
) -> NDArray[np.float32]:
    """Write tiles so that the product of a cell and one is its distance and price.

    Returns
    -------
    (n_views, 19, n_tiles) float32
    """
    weighed = weigh(tiles).transpose(1, 2, 0)
    own = np.square(weighed).sum(axis=1, keepdims=True)
    if prices is not None:
        own += prices
    return np.concatenate([weighed, own], axis=1)


@cached_njit
def _keep_best(
    distances: NDArray[np.float32],
    first: int,
    groups: NDArray[np.int32],
    best: NDArray[np.float32],
    found: NDArray[np.int32],
    of_groups: NDArray[np.int32],
) -> None:
    """Put what is nearer into the rows of the best, which stay sorted.

    distances : (n_cells, n_tiles), to tiles from the first on
    """
    n_cells, n_tiles = distances.shape
    last = best.shape[1] - 1
    for cell in range(n_cells):
        for start in range(0, n_tiles, _BLOCK):
            end = min(start + _BLOCK, n_tiles)
            # Most are too far. Counting them at once is faster than asking each.
            n_near = 0
            for tile in range(start, end):
                n_near += distances[cell, tile] < best[cell, last]
            if n_near == 0:
                continue
            for tile in range(start, end):
                distance = distances[cell, tile]
                if not distance < best[cell, last]:
                    continue
                # What goes for it: the group's own tile, else the last one.
                place = last
                for i in range(last):
                    if of_groups[cell, i] == groups[tile]:
                        place = i
                        break
                if not distance < best[cell, place]:
                    continue
                while place > 0 and distance < best[cell, place - 1]:
                    best[cell, place] = best[cell, place - 1]
                    found[cell, place] = found[cell, place - 1]
                    of_groups[cell, place] = of_groups[cell, place - 1]
                    place -= 1
                best[cell, place] = distance
                found[cell, place] = first + tile
                of_groups[cell, place] = groups[tile]


@cached_njit
def _keep_least(
    distances: NDArray[np.float32],
    rows: NDArray[np.int64],
    first: int,
    least: NDArray[np.int64],
    counts: NDArray[np.int64],
    limits: NDArray[np.float32],
) -> None:
    """Put what is nearer into the rows of the least, each with room for twice n.

    When a row is full, all but its n least go, and from then on only what is nearer
    than these is put into it.

    distances : of some rows, to tiles from the first on
    least : distance and tile in one number, so that it is less where the distance is,
        or where that is the same and the tile comes before
    counts, limits : of each row what is in it, and what it takes only less than
    """
    n_cells, n_tiles = distances.shape
    n = (least.shape[1] - _BLOCK) // 2
    for i in range(n_cells):
        cell = rows[i]
        row = least[cell]
        count, limit = counts[cell], limits[cell]
        for start in range(0, n_tiles, _BLOCK):
            end = min(start + _BLOCK, n_tiles)
            # Most are too far. Counting them at once is faster than asking each.
            n_near = 0
            for tile in range(start, end):
                n_near += distances[i, tile] < limit
            if n_near == 0:
                continue
            for tile in range(start, end):
                distance = distances[i, tile]
                row[count] = (np.int64(distance) << _TILE_BITS) | (first + tile)
                count += distance < limit
            if count >= 2 * n:
                limit = np.float32(_select(row, count, n) >> _TILE_BITS)
                count = n
        counts[cell], limits[cell] = count, limit


@njit
def _select(values: NDArray[np.int64], count: int, n: int) -> np.int64:
    """Bring the n least of the first values, all different, to the start of an array.

    Returns
    -------
    The largest of these
    """
    low, high = 0, count - 1
    while low < high:
        pivot = values[(low + high) // 2]
        left, right = low, high
        while left <= right:
            while values[left] < pivot:
                left += 1
            while values[right] > pivot:
                right -= 1
            if left <= right:
                values[left], values[right] = values[right], values[left]
                left += 1
                right -= 1
        if n - 1 <= right:
            high = right
        elif n - 1 >= left:
            low = left
        else:
            break
    largest: np.int64 = values[n - 1]
    return largest
