"""Finds the best tiles for every cell of a target, by looking at all of them.

Tiles that are alike, such as frames of one shot, are of one group. Of each group a cell
needs but the best tile: else its list would be full of neighbors of one frame.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelbow.machine.compiled import cached_njit
from reelbow.mosaic.features import mirror, weigh

# Tiles and cells whose distances are found at a time: they stay in a core's cache.
_TILES = 1024
_CELLS = 256

# Lists that are sorted as they are found; of longer ones all distances are looked at,
# of so many cells at a time.
_SHORT = 64
_FEW_CELLS = 16


class Matches(NamedTuple):
    """The best tiles of each cell, the nearest first; all (n_cells, n_best).

    Attributes
    ----------
    distances : float32, whole numbers: squared, of weighed features, less the cell's
        own sum of squares, which is the same in all of a row
    tiles : int32, -1 where there are not so many
    mirrored : bool, whether the tile is better swapped left to right
    """

    distances: NDArray[np.float32]
    tiles: NDArray[np.int32]
    mirrored: NDArray[np.bool_]


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
    tiles : (n_tiles, 18) uint8
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
    # Twice the tile, and 1 where it is mirrored.
    codes = np.full((n_cells, n_best), -1, np.int32)
    of_groups = np.full((n_cells, n_best), -1, np.int32)
    sides = [_prepare_cells(cells)]
    if mirrors:
        # As far from a tile as it is from the mirrored tile.
        sides.append(_prepare_cells(mirror(cells)))
    for first in range(0, len(tiles), _TILES):
        part = slice(first, first + _TILES)
        weighed = weigh(tiles[part])
        own = np.einsum("ij,ij->i", weighed, weighed)[:, None]
        right = np.concatenate([weighed, own], axis=1).T
        for top in range(0, n_cells, _CELLS):
            rows = slice(top, top + _CELLS)
            for is_mirrored, side in enumerate(sides):
                _keep_best(
                    side[rows] @ right,
                    2 * first + is_mirrored,
                    groups[part],
                    best[rows],
                    codes[rows],
                    of_groups[rows],
                )
    return Matches(best, np.where(codes < 0, -1, codes >> 1), (codes & 1) > 0)


def find_nearest(
    cells: NDArray[np.uint8],
    tiles: NDArray[np.uint8],
    n: int,
    *,
    mirrors: bool = False,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Find the n nearest tiles of each cell, whatever their groups.

    Returns
    -------
    The tiles and their squared distances, both (n_cells, n), long lists in no order
    """
    n = min(n, len(tiles))
    own_cells = np.square(weigh(cells)).sum(axis=1)[:, None]
    if n <= _SHORT:
        groups = np.arange(len(tiles), dtype=np.int32)
        matches = match_tiles(cells, tiles, groups, n_best=n, mirrors=mirrors)
        return matches.tiles, matches.distances + own_cells
    nearest = np.empty((len(cells), n), np.int32)
    found = np.empty((len(cells), n), np.float32)
    weighed = weigh(tiles)
    own = np.einsum("ij,ij->i", weighed, weighed)
    for first in range(0, len(cells), _FEW_CELLS):
        rows = slice(first, first + _FEW_CELLS)
        sides = [cells[rows], mirror(cells[rows])] if mirrors else [cells[rows]]
        distances = np.minimum.reduce(
            [own - 2 * weigh(side) @ weighed.T for side in sides]
        )
        distances += own_cells[rows]
        nearest[rows] = [_find_least(of_cell, n) for of_cell in distances]
        found[rows] = np.take_along_axis(distances, nearest[rows], axis=1)
    return nearest, found


def _find_least(values: NDArray[np.float32], n: int) -> NDArray[np.int64]:
    """Find the places of the n least values; of equal ones the first.

    `argpartition` would take any of these, and others on another machine.
    """
    largest = np.partition(values, n - 1)[n - 1]
    places = np.flatnonzero(values <= largest)
    too_many = len(places) - n
    if too_many:
        last = np.flatnonzero(values[places] == largest)[-too_many:]
        places = np.delete(places, last)
    return places


def _prepare_cells(cells: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Write cells so that their product with a tile and its square is a distance."""
    ones = np.ones((len(cells), 1), np.float32)
    return np.concatenate([-2 * weigh(cells), ones], axis=1)


@cached_njit
def _keep_best(
    distances: NDArray[np.float32],
    first_code: int,
    groups: NDArray[np.int32],
    best: NDArray[np.float32],
    codes: NDArray[np.int32],
    of_groups: NDArray[np.int32],
) -> None:
    """Put what is nearer into the rows of the best, which stay sorted.

    distances : (n_cells, n_tiles), of which tile i has the code first_code + 2 i
    """
    n_cells, n_tiles = distances.shape
    last = best.shape[1] - 1
    for cell in range(n_cells):
        for start in range(0, n_tiles, 64):
            end = min(start + 64, n_tiles)
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
                    codes[cell, place] = codes[cell, place - 1]
                    of_groups[cell, place] = of_groups[cell, place - 1]
                    place -= 1
                best[cell, place] = distance
                codes[cell, place] = first_code + 2 * tile
                of_groups[cell, place] = groups[tile]
