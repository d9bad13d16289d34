"""Chooses one tile for every cell, so that none is seen again beside itself."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelbow.mosaic.features import mirror, weigh
from reelbow.mosaic.matching import find_nearest, match_tiles

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# Tiles in the list of a cell, of as many groups; or as many as may be around it, so
# that one is left. Cells of a plain sky want the same tiles.
_N_BEST = 64

# Where each tile may be used but so often: tiles in the list of a cell at first, or as
# many more as there are then in all lists; and at most, and in all lists.
_FEWEST, _MOST = 24, 1500
_IN_ALL, _MOST_IN_ALL = 100_000, 3_000_000

# A tile that may be used more often is given to whoever comes first.
_MOST_COPIES = 8

# How often all cells look again for a better tile, while those around them keep theirs.
_ROUNDS = 3

# Tiles whose distances to one cell are found at a time.
_BATCH = 1 << 16


class Assignment(NamedTuple):
    """The tile of each cell; all (n_cells,), row by row.

    Attributes
    ----------
    tiles : int64
    mirrored : bool
    distances : float64, squared, of weighed features
    """

    tiles: NDArray[np.int64]
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
        self._of_tiles = groups
        self._apart = apart
        self._max_use = max_use

    def put(self, cell: int, tile: int) -> None:
        """Put a tile into a cell, in the place of that which is there."""
        self.take(cell)
        self.tiles.flat[cell] = tile
        self.groups.flat[cell] = self._of_tiles[tile]
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
        return self.uses[tile] < self._max_use and int(self._of_tiles[tile]) not in near

    def find_free(self, tiles: NDArray[np.int32], near: set[int]) -> int:
        """Find the first tile that may be put where these groups are near; -1: none."""
        return next((tile for tile in tiles.tolist() if self.is_free(tile, near)), -1)

    def list_free(self, near: set[int]) -> NDArray[np.bool_]:
        """Tell of all tiles whether they may be put where these groups are near."""
        return (self.uses < self._max_use) & ~np.isin(self._of_tiles, list(near))


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
    tiles : (n_tiles, 18) uint8
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
    sum of their distances is least: linear sum assignment, among the nearest tiles of
    each cell. Then cells choose again, one after the other, so that groups are apart;
    what one leaves may be better for another, so that they do so several times.
    """
    n_cells = len(cells)
    most = n_cells if max_use is None else min(max_use, n_cells)
    places = _Places((n_cells // columns, columns), groups, apart, most)
    if most * len(tiles) < n_cells:
        raise ValueError(
            f"{n_cells} cells, but {len(tiles)} tiles, {max_use} times each"
        )
    listed: Sequence[NDArray[np.int32]]
    if most > _MOST_COPIES:
        n_best = max(_N_BEST, (2 * apart + 1) ** 2)
        matches = match_tiles(cells, tiles, groups, n_best=n_best, mirrors=mirrors)
        listed = [row[row >= 0] for row in matches.tiles]
    else:
        listed, given = _solve(cells, tiles, most, mirrors=mirrors)
        for cell, tile in enumerate(given.tolist()):
            places.put(cell, tile)
    n_groups = len(np.unique(groups))
    order = np.random.default_rng(seed).permutation(n_cells).tolist()
    for _ in range(_ROUNDS):
        changed = False
        for cell in order:
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
    chosen = places.tiles.ravel()
    straight = _measure(cells, tiles[chosen])
    swapped = _measure(mirror(cells), tiles[chosen]) if mirrors else straight
    return Assignment(chosen, swapped < straight, np.minimum(straight, swapped))


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


def _measure(cells: NDArray[np.uint8], tiles: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Find the squared distance of each cell to its tile."""
    steps = weigh(cells) - weigh(tiles)
    return np.asarray(np.square(steps).sum(axis=1, dtype=np.float64))


def _find_nearest(
    cell: NDArray[np.uint8],
    tiles: NDArray[np.uint8],
    free: NDArray[np.bool_],
    *,
    mirrors: bool,
) -> int:
    """Find the tile nearest to a cell, (1, 18), among those that are free."""
    sides = [cell, mirror(cell)] if mirrors else [cell]
    nearest, least = -1, np.inf
    for first in range(0, len(tiles), _BATCH):
        places = first + np.flatnonzero(free[first : first + _BATCH])
        for side in sides if len(places) else []:
            distances = _measure(side, tiles[places])
            best = int(distances.argmin())
            if distances[best] < least:
                nearest, least = int(places[best]), distances[best]
    return nearest


def _solve(
    cells: NDArray[np.uint8], tiles: NDArray[np.uint8], max_use: int, *, mirrors: bool
) -> tuple[list[NDArray[np.int32]], NDArray[np.integer]]:
    """Give all cells the tiles whose distances add up to about the least.

    Among the nearest tiles of each cell: cells that are alike crowd around the same
    ones, and are given so many more that all can have one.

    Returns
    -------
    The nearest tiles of each cell, and the tile that each one is given
    """
    from scipy.sparse.csgraph import (
        maximum_bipartite_matching,
        min_weight_full_bipartite_matching,
    )

    n_cells = len(cells)
    nearest = _Nearest(cells, tiles, max_use, mirrors=mirrors)
    n = max(_FEWEST, _IN_ALL // n_cells) // max_use
    most = max(1, min(_MOST, _MOST_IN_ALL // n_cells) // max_use)
    nearest.extend(np.arange(n_cells), max(1, min(n, most)))
    while True:
        graph = nearest.make_graph()
        given = maximum_bipartite_matching(graph, perm_type="column")
        left = np.flatnonzero(given < 0)
        if not len(left):
            _, given = min_weight_full_bipartite_matching(graph)
            return nearest.sort(), given // max_use
        extended = False
        for crowd in _part_crowds(graph, _find_crowd(graph, given, left)):
            n = min(-(-len(crowd) // max_use) + _FEWEST, most, len(tiles))
            extended |= nearest.extend(crowd, n)
        if not extended:
            # Lists are at their end: the others are solved, and these get what is left.
            some = np.flatnonzero(given >= 0)
            _, found = min_weight_full_bipartite_matching(graph[some])
            given[some] = found
            uses = np.bincount(found // max_use, minlength=len(tiles))
            chosen = np.where(given >= 0, given // max_use, -1)
            _give_left(cells, tiles, chosen, max_use - uses, most, mirrors=mirrors)
            return nearest.sort(), chosen


def _give_left(
    cells: NDArray[np.uint8],
    tiles: NDArray[np.uint8],
    chosen: NDArray[np.integer],
    uses_left: NDArray[np.integer],
    most: int,
    *,
    mirrors: bool,
) -> None:
    """Give cells that have no tile, -1, the nearest that are left, best pairs first.

    chosen : is filled
    uses_left : (n_tiles,) how often each may still be used, is counted down
    most : tiles that are looked at for each cell at a time
    """
    while len(left := np.flatnonzero(chosen < 0)):
        free = np.flatnonzero(uses_left > 0)
        nearest, distances = find_nearest(
            cells[left], tiles[free], most, mirrors=mirrors
        )
        for pair in np.argsort(distances, axis=None, kind="stable"):
            place, number = divmod(int(pair), nearest.shape[1])
            tile = free[nearest[place, number]]
            if chosen[left[place]] < 0 and uses_left[tile] > 0:
                chosen[left[place]] = tile
                uses_left[tile] -= 1


class _Nearest:
    """The nearest tiles of each cell, as edges between them."""

    def __init__(
        self,
        cells: NDArray[np.uint8],
        tiles: NDArray[np.uint8],
        max_use: int,
        *,
        mirrors: bool,
    ) -> None:
        self.tiles = [np.empty(0, np.int32)] * len(cells)
        self._weights = [np.empty(0, np.float32)] * len(cells)
        self._cells = cells
        self._all = tiles
        self._max_use = max_use
        self._mirrors = mirrors

    def extend(self, cells: NDArray[np.int64], n: int) -> bool:
        """Find the n nearest tiles of some cells; return whether any has got more."""
        few = np.array([cell for cell in cells if len(self.tiles[cell]) < n], np.int64)
        tiles, distances = find_nearest(
            self._cells[few], self._all, n, mirrors=self._mirrors
        )
        for cell, own, steps in zip(few, tiles, distances, strict=True):
            # An edge without a weight would be none.
            self.tiles[cell], self._weights[cell] = own, steps + 1
        return len(few) > 0

    def sort(self) -> list[NDArray[np.int32]]:
        """Give the tiles of each cell, the nearest first."""
        return [
            tiles[np.argsort(weights, kind="stable")]
            for tiles, weights in zip(self.tiles, self._weights, strict=True)
        ]

    def make_graph(self) -> "csr_array":
        """Make a graph of cells and tiles, each of these as often as it may be used."""
        from scipy.sparse import csr_array

        uses = np.arange(self._max_use)
        columns = (
            np.concatenate(self.tiles)[:, None].astype(np.int64) * len(uses) + uses
        )
        weights = np.repeat(np.concatenate(self._weights), len(uses)).astype(float)
        starts = np.cumsum([0, *(len(tiles) * len(uses) for tiles in self.tiles)])
        shape = (len(self._cells), len(self._all) * len(uses))
        return csr_array((weights, columns.ravel(), starts), shape=shape)


def _part_crowds(
    graph: "csr_array", cells: NDArray[np.int64]
) -> Iterator[NDArray[np.int64]]:
    """Part cells into crowds that want no tile together."""
    from scipy.sparse import block_array
    from scipy.sparse.csgraph import connected_components

    wanted = graph[cells]
    both = block_array([[None, wanted], [wanted.T, None]])
    _, labels = connected_components(both, directed=False)
    order = np.argsort(labels[: len(cells)], kind="stable")
    borders = np.flatnonzero(np.diff(labels[order])) + 1
    yield from np.split(cells[order], borders)


def _find_crowd(
    graph: "csr_array", given: NDArray[np.int32], left: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Find the cells that have what cells without a tile want, and what those want."""
    owners = np.full(graph.shape[1], -1)
    owners[given[given >= 0]] = np.flatnonzero(given >= 0)
    in_crowd = np.zeros(graph.shape[0], bool)
    new = left
    while len(new):
        in_crowd[new] = True
        wanted = [graph.indices[slice(*graph.indptr[cell : cell + 2])] for cell in new]
        found = owners[np.unique(np.concatenate(wanted))]
        found = found[found >= 0]
        new = found[~in_crowd[found]]
    return np.flatnonzero(in_crowd)
