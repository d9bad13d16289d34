"""Gives every cell a tile of its own, so that all their distances add up to the least.

Linear sum assignment by auction (Bertsekas 1988). Tiles have prices, zero at first. A
cell that has none bids for the tile whose distance and price are least together: so
much that it would be as well off with the second best, and a step more. Who had it
before bids again. No cell then is more than a step from what is best for it at these
prices, so that the sum is at most as many steps above the least as there are cells.

All are whole numbers: every machine gives the same tiles.
"""

import numpy as np
from numpy.typing import NDArray

from reelbow.machine.compiled import cached_njit
from reelbow.mosaic.matching import LARGEST_DISTANCE, find_nearest

# How far the sum may be above the least. (A step is 1 at least: where the least is next
# to nothing, each cell may be that far from it, which nobody sees.)
GAP = 0.01

# Tiles in the list of a cell at first. A cell for which one that is not listed may be
# better gets a new list, so many times as long as the last ones, up to the longest, and
# in all lists up to so many.
_FIRST = 48
_GROWTH = 4
_LONGEST = 1024
_IN_ALL = 4_000_000

# Lists that are made at a time at least: of fewer most of the time would go into
# getting ready.
_AT_A_TIME = 64

# What a cell whose list has all tiles is told of others: more than any can cost.
_NEVER = np.int32(1 << 30)


def give_tiles(
    cells: NDArray[np.uint8],
    tiles: NDArray[np.uint8],
    max_use: int,
    *,
    mirrors: bool = False,
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Give each cell a tile, so that the distances add up to about the least.

    Parameters
    ----------
    cells : (n_cells, 18) uint8
    tiles : (n_tiles, n_views, 18) uint8, of which the nearest view counts
    max_use : how often each may be given, all together at least as often as there are
        cells
    mirrors : whether tiles may be swapped left to right

    Returns
    -------
    given : (n_cells,) the tile of each cell
    prices : (n_tiles,) of one more use of a tile. With these a cell finds tiles that
        are good for it without harm to others; 0: it may be used once more

    Notes
    -----
    At any prices the sum of what is best for each cell, less all prices, is no more
    than the least sum: so it says how large a step may be.

    Prices only rise. What a cell could do best with a tile that is not in its list is
    thus known when the list is made, which is of the least distances and prices
    together: cells that are alike, as in a plain sky, do not crowd around tiles that
    others have long had.
    """
    n_cells = len(cells)
    lists = _Lists(cells, tiles, max_use, mirrors=mirrors)
    owners = np.full(len(lists.prices), -1, np.int64)
    given = np.full(n_cells, -1, np.int64)
    # The last one bids first.
    bidding = np.arange(n_cells)[::-1].copy()
    wanting = np.empty(n_cells, np.int64)
    counts = np.array([n_cells, 0, 0])
    longest = max(_FIRST, min(_LONGEST, _IN_ALL // lists.n))
    n, step, until = _FIRST, 1, 0
    lists.renew(np.arange(lists.n), n)
    while counts[:2].any():
        if not counts[0]:
            wants = np.sort(wanting[: counts[1]])
            n = min(_GROWTH * n, longest)
            lists.renew(lists.choose(wants), n)
            bidding[: len(wants)] = wants[::-1]
            counts[:2] = len(wants), 0
        if counts[2] >= until:
            step = max(step, int(GAP * lists.find_bound()) // n_cells)
            until = 2 * until + n_cells
        _bid(
            *lists.arrays,
            max_use,
            step,
            until,
            lists.kinds,
            owners,
            given,
            bidding,
            wanting,
            counts,
        )
    # Only what is bid for the last tile of all may be more than any distance.
    return given // max_use, np.minimum(lists.find_prices(), LARGEST_DISTANCE)


_Arrays = tuple[
    NDArray[np.int32],
    NDArray[np.int64],
    NDArray[np.int64],
    NDArray[np.int32],
    NDArray[np.int32],
]


class _Lists:
    """The best tiles of each kind of cell, and the prices of all tiles.

    Cells that are the same, as in a plain graphic, are of one kind.

    Attributes
    ----------
    n : kinds
    kinds : (n_cells,) of each cell
    prices : (n_tiles * max_use,) int32, of each use of each tile
    """

    def __init__(
        self,
        cells: NDArray[np.uint8],
        tiles: NDArray[np.uint8],
        max_use: int,
        *,
        mirrors: bool,
    ) -> None:
        self._cells, self.kinds, self._numbers = np.unique(
            cells, axis=0, return_inverse=True, return_counts=True
        )
        self.n = len(self._cells)
        self._all, self._max_use, self._mirrors = tiles, max_use, mirrors
        # All lists, one after the other, with room for more: tiles, their distances,
        # and with their prices of when the list was made, by which it is sorted.
        self._listed = np.empty((3, 0), np.int32)
        self._used = 0
        # Of each kind: where its list is, and what others cost at least.
        self._starts, self._ends = np.zeros((2, self.n), np.int64)
        self._others = np.empty(self.n, np.int32)
        self.prices = np.zeros(len(tiles) * max_use, np.int32)

    @property
    def arrays(self) -> _Arrays:
        """What compiled functions take of them."""
        return self._listed, self._starts, self._ends, self._others, self.prices

    def choose(self, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """Choose kinds for new lists: those of some cells, and some that will want one.

        These are those for which others cost little more than what is best of the list.
        """
        wants = np.unique(self.kinds[cells])
        margins = self._others - self._find_best()
        margins[wants] = np.iinfo(np.int32).min
        n = max(len(wants), min(_AT_A_TIME, self.n))
        return np.sort(np.argsort(margins, kind="stable")[:n])

    def renew(self, kinds: NDArray[np.int64], n: int) -> None:
        """Find the n tiles that are best for some kinds at today's prices."""
        prices = self.find_prices()
        tiles, costs = find_nearest(
            self._cells[kinds], self._all, n, mirrors=self._mirrors, prices=prices
        )
        n = tiles.shape[1]
        self._ends[kinds] = self._starts[kinds]
        if self._used + tiles.size > self._listed.shape[1]:
            self._make_room(tiles.size)
        new = slice(self._used, self._used + tiles.size)
        self._listed[:, new] = [
            array.ravel() for array in (tiles, costs - prices[tiles], costs)
        ]
        self._starts[kinds] = self._used + n * np.arange(len(kinds))
        self._ends[kinds] = self._starts[kinds] + n
        self._others[kinds] = costs[:, -1] if n < len(self._all) else _NEVER
        self._used = new.stop

    def _make_room(self, n: int) -> None:
        """Drop lists that no kind has, and make room for n and as much as there is."""
        lengths = self._ends - self._starts
        ends = np.cumsum(lengths)
        used = int(ends[-1])
        listed = np.empty((3, 2 * (used + n)), np.int32)
        moved = np.repeat(self._starts - ends + lengths, lengths)
        np.take(self._listed, moved + np.arange(used), axis=1, out=listed[:, :used])
        self._listed, self._used = listed, used
        self._starts, self._ends = ends - lengths, ends

    def find_prices(self) -> NDArray[np.int32]:
        """Find what each tile costs where it is cheapest, (n_tiles,)."""
        cheapest: NDArray[np.int32] = self.prices.reshape(-1, self._max_use).min(axis=1)
        return cheapest

    def find_bound(self) -> int:
        """Find what no assignment's distances can add up to less than."""
        best = self._find_best().astype(np.int64)
        return int(best @ self._numbers - self.prices.sum(dtype=np.int64))

    def _find_best(self) -> NDArray[np.int32]:
        """Find what is best for each kind, or what no tile costs less than."""
        best = self._others.copy()
        _find_best(*self.arrays, self._max_use, best)
        return best


@cached_njit
def _bid(
    listed: NDArray[np.int32],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    others: NDArray[np.int32],
    prices: NDArray[np.int32],
    max_use: int,
    step: int,
    until: int,
    kinds: NDArray[np.int64],
    owners: NDArray[np.int64],
    given: NDArray[np.int64],
    bidding: NDArray[np.int64],
    wanting: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> None:
    """Let cells bid, the last one first, until there have been so many bids.

    A cell for which a tile that is not in its list may be better does not bid: it goes
    to those that want another list.

    prices, owners : of each use of each tile, -1: nobody has it
    given : of each cell the use that it has, -1: none
    counts : cells that are to bid, those that want a list, and bids until now
    """
    tiles, distances, costs = listed[0], listed[1], listed[2]
    while counts[0] > 0 and counts[2] < until:
        counts[2] += 1
        last = counts[0] - 1
        cell = bidding[last]
        kind = kinds[cell]
        best = second = others[kind]
        found = -1
        for place in range(starts[kind], ends[kind]):
            if costs[place] >= second:
                # Prices only rise: neither this one nor those after it cost less.
                break
            first = tiles[place] * max_use
            for use in range(first, first + max_use):
                cost = distances[place] + prices[use]
                if cost < best:
                    second = best
                    best = cost
                    found = use
                elif cost < second:
                    second = cost
        if found < 0:
            wanting[counts[1]] = cell
            counts[1] += 1
            counts[0] = last
            continue
        prices[found] += second - best + step
        before = owners[found]
        owners[found] = cell
        given[cell] = found
        if before < 0:
            counts[0] = last
        else:
            given[before] = -1
            bidding[last] = before


@cached_njit
def _find_best(
    listed: NDArray[np.int32],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    others: NDArray[np.int32],
    prices: NDArray[np.int32],
    max_use: int,
    best: NDArray[np.int32],
) -> None:
    """Find the least cost in each list, where it is less than the best."""
    tiles, distances, costs = listed[0], listed[1], listed[2]
    for kind in range(len(starts)):
        for place in range(starts[kind], ends[kind]):
            if costs[place] >= best[kind]:
                break
            first = tiles[place] * max_use
            for use in range(first, first + max_use):
                best[kind] = min(best[kind], distances[place] + prices[use])
