"""Chooses one tile for every cell, so that none is seen again beside itself."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelbow.mosaic.auction import give_tiles
from reelbow.mosaic.features import mirror, weigh
from reelbow.mosaic.matching import find_nearest, match_tiles

# Tiles in the list of a cell, of as many groups; or as many as may be around it, so
# that one is left. Cells of a plain sky want the same tiles.
_N_BEST = 64

# Where each tile may be used but so often: tiles of whatever groups in the list of a
# cell at most, and in all lists.
_N_FREE = 512
_IN_ALL = 4_000_000

# A tile that may be used more often is given to whoever comes first.
_MOST_COPIES = 8

# How often all cells look again for a better tile, while those around them keep theirs.
_ROUNDS = 3

# Tiles whose distances to one cell are found at a time.
_BATCH = 1 << 14


class Assignment(NamedTuple):
    """The tile of each cell; all (n_cells,), row by row.

    Attributes
    ----------
    tiles : int64
    views : int64, of each tile the nearest
    mirrored : bool
    distances : float64, squared, of weighed features
    """

    tiles: NDArray[np.int64]
    views: NDArray[np.int64]
    mirrored: NDArray[np.bool_]
    distances: NDArray[np.float64]


class _Places:
    """Which tile is where, and what each cell may have beside the others."""

    def __init__(
        self,
        shape: tuple[int, int],
        groups: NDArray[np.int32],
        apart: int,
        max_use: int,
    ) -> None:
        self.tiles = np.full(shape, -1, np.int64)
        self.groups = np.full(shape, -1, np.int64)
        self.uses = np.zeros(len(groups), np.int32)
        self.of_tiles = groups
        self._apart = apart
        self._max_use = max_use

    def put(self, cell: int, tile: int) -> None:
        """Put a tile into a cell, in the place of that which is there."""
        self.take(cell)
        self.tiles.flat[cell] = tile
        self.groups.flat[cell] = self.of_tiles[tile]
        self.uses[tile] += 1

    def take(self, cell: int) -> None:
        """Empty a cell."""
        old = self.tiles.flat[cell]
        if old >= 0:
            self.uses[old] -= 1
            self.tiles.flat[cell] = self.groups.flat[cell] = -1

    def list_near(self, cell: int) -> set[int]:
        """List the groups that are around a cell, which is empty."""
        row, column = divmod(cell, self.tiles.shape[1])
        above, left = max(0, row - self._apart), max(0, column - self._apart)
        around = self.groups[
            above : row + self._apart + 1, left : column + self._apart + 1
        ]
        return set(around.ravel().tolist())

    def is_free(self, tile: int, near: set[int]) -> bool:
        """Whether a tile may be put where these groups are near."""
        return self.uses[tile] < self._max_use and int(self.of_tiles[tile]) not in near

    def find_free(self, tiles: NDArray[np.int32], near: set[int]) -> int:
        """Find the first tile that may be put where these groups are near; -1: none."""
        return next((tile for tile in tiles.tolist() if self.is_free(tile, near)), -1)

    def list_free(self, near: set[int]) -> NDArray[np.bool_]:
        """Tell of all tiles whether they may be put where these groups are near."""
        return (self.uses < self._max_use) & ~np.isin(self.of_tiles, list(near))


def assign_tiles(
    cells: NDArray[np.uint8],
    columns: int,
    tiles: NDArray[np.uint8],
    groups: NDArray[np.int32],
    *,
    apart: int = 2,
    max_use: int | None = None,
    mirrors: bool = False,
    seed: int = 0,
) -> Assignment:
    """Choose the tile of each cell.

    Parameters
    ----------
    cells : (n_cells, 18) uint8, the features of the target's cells, row by row
    columns : cells in a row
    tiles : (n_tiles, n_views, 18) uint8
    groups : (n_tiles,) of each tile: of a group none is again within `apart` cells, to
        the sides, up and down, or slantwise. Where there are too few groups for that, a
        cell has the best of those that `max_use` leaves
    max_use : how often a tile may be used; None: as often as may be. There must be so
        many that each cell can have one
    mirrors : whether tiles may be swapped left to right
    seed : of the order in which cells choose

    Notes
    -----
    With a `max_use` of up to 8 all cells together are given the tiles with which the
    sum of their distances is within 1 % of the least. Then cells choose again, one
    after the other, so that groups are apart; what one leaves may be better for
    another, so that they do so several times.
    """
    n_cells = len(cells)
    most = n_cells if max_use is None else min(max_use, n_cells)
    places = _Places((n_cells // columns, columns), groups, apart, most)
    if most * len(tiles) < n_cells:
        raise ValueError(
            f"{n_cells} cells, but {len(tiles)} tiles, {max_use} times each"
        )
    prices = None
    if most <= _MOST_COPIES:
        given, prices = give_tiles(cells, tiles, most, mirrors=mirrors)
        for cell, tile in enumerate(given.tolist()):
            places.put(cell, tile)
    if apart or prices is None:
        listed = _list_best(cells, tiles, groups, prices, apart=apart, mirrors=mirrors)
        order = np.random.default_rng(seed).permutation(n_cells)
        _choose(cells, tiles, places, listed, order, mirrors=mirrors)
    chosen = places.tiles.ravel()
    distances = _measure(cells, tiles[chosen], mirrors=mirrors)
    nearest = distances.argmin(axis=1)
    views, mirrored = nearest % tiles.shape[1], nearest >= tiles.shape[1]
    return Assignment(chosen, views, mirrored, distances.min(axis=1))


def _list_best(
    cells: NDArray[np.uint8],
    tiles: NDArray[np.uint8],
    groups: NDArray[np.int32],
    prices: NDArray[np.int32] | None,
    *,
    apart: int,
    mirrors: bool,
) -> list[NDArray[np.int32]]:
    """List tiles for each cell, the nearest first.

    prices : with these many of the tiles are such as no cell has; None: all are free
    """
    if prices is None:
        n_best = max(_N_BEST, (2 * apart + 1) ** 2)
        matches = match_tiles(cells, tiles, groups, n_best=n_best, mirrors=mirrors)
        return [row[row >= 0] for row in matches.tiles]
    n_best = max(_N_BEST, min(_N_FREE, _IN_ALL // len(cells)))
    best, costs = find_nearest(cells, tiles, n_best, mirrors=mirrors, prices=prices)
    order = np.argsort(costs - prices[best], axis=1, kind="stable")
    return list(np.take_along_axis(best, order, axis=1))


def _choose(
    cells: NDArray[np.uint8],
    tiles: NDArray[np.uint8],
    places: _Places,
    listed: list[NDArray[np.int32]],
    order: NDArray[np.int64],
    *,
    mirrors: bool,
) -> None:
    """Let each cell choose, one after the other, several times."""
    n_groups = len(np.unique(places.of_tiles))
    for _ in range(_ROUNDS):
        changed = False
        for cell in order.tolist():
            old = int(places.tiles.flat[cell])
            places.take(cell)
            near = places.list_near(cell)
            tile = places.find_free(listed[cell], near)
            if tile < 0 and old >= 0 and places.is_free(old, near):
                # It is none of the best only because an earlier cell had these.
                tile = old
            if tile < 0 and n_groups > len(near):
                free = places.list_free(near)
                tile = _find_nearest(
                    cells[cell : cell + 1], tiles, free, mirrors=mirrors
                )
            if tile < 0:
                tile = places.find_free(listed[cell], set())
            if tile < 0:
                free = places.list_free(set())
                tile = _find_nearest(
                    cells[cell : cell + 1], tiles, free, mirrors=mirrors
                )
            places.put(cell, tile)
            changed |= tile != old
        if not changed:
            break


def count_repeats(
    assignment: Assignment, columns: int, groups: NDArray[np.int32], apart: int
) -> int:
    """Count the cells that have their group again within `apart` cells."""
    grid = groups[assignment.tiles].reshape(-1, columns)
    repeats = np.zeros(grid.shape, bool)
    for down in range(apart + 1):
        for across in range(-apart, apart + 1):
            if (down, across) <= (0, 0) or down >= len(grid) or abs(across) >= columns:
                continue
            left, right = max(0, -across), columns - max(0, across)
            here = (slice(0, len(grid) - down), slice(left, right))
            there = (slice(down, None), slice(left + across, right + across))
            same = grid[here] == grid[there]
            repeats[here] |= same
            repeats[there] |= same
    return int(repeats.sum())


def _measure(
    cells: NDArray[np.uint8], tiles: NDArray[np.uint8], *, mirrors: bool
) -> NDArray[np.float64]:
    """Find the squared distance of each cell to all views of its tile.

    Returns
    -------
    (n_cells, n_views), or with mirrors (n_cells, 2 * n_views), first as they are
    """
    sides = [cells, mirror(cells)] if mirrors else [cells]
    weighed = weigh(tiles)
    return np.concatenate(
        [
            np.square(weigh(side)[:, None] - weighed).sum(axis=-1, dtype=np.float64)
            for side in sides
        ],
        axis=1,
    )


def _find_nearest(
    cell: NDArray[np.uint8],
    tiles: NDArray[np.uint8],
    free: NDArray[np.bool_],
    *,
    mirrors: bool,
) -> int:
    """Find the tile nearest to a cell, (1, 18), among those that are free."""
    nearest, least = -1, np.inf
    for first in range(0, len(tiles), _BATCH):
        places = first + np.flatnonzero(free[first : first + _BATCH])
        if not len(places):
            continue
        distances = _measure(cell, tiles[places], mirrors=mirrors).min(axis=1)
        best = int(distances.argmin())
        if distances[best] < least:
            nearest, least = int(places[best]), distances[best]
    return nearest
