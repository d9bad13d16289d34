import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelbow.mosaic import matching
from reelbow.mosaic.features import mirror, weigh
from reelbow.mosaic.matching import LARGEST_DISTANCE, find_nearest, match_tiles


def measure(cells, tiles):
    """Squared distances of all cells to all tiles, (n_cells, n_tiles)."""
    steps = weigh(cells)[:, None, None].astype(int) - weigh(tiles)[None]
    return np.square(steps).sum(axis=-1).min(axis=-1)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 1000),
    n_tiles=st.integers(1, 300),
    n_groups=st.integers(1, 40),
    n_best=st.integers(1, 20),
    n_views=st.integers(1, 3),
    mirrors=st.booleans(),
)
def test_the_best_tiles_of_each_group_are_those_of_all_distances(
    seed, n_tiles, n_groups, n_best, n_views, mirrors
):
    random = np.random.default_rng(seed)
    # Of few values, so that some are as near.
    cells = random.integers(100, 110, (5, 18)).astype(np.uint8)
    tiles = random.integers(100, 110, (n_tiles, n_views, 18)).astype(np.uint8)
    groups = np.sort(random.integers(0, n_groups, n_tiles)).astype(np.int32)
    found = match_tiles(cells, tiles, groups, n_best=n_best, mirrors=mirrors)
    straight, swapped = measure(cells, tiles), measure(mirror(cells), tiles)
    distances = np.minimum(straight, swapped) if mirrors else straight
    own = np.square(weigh(cells)).sum(axis=1)
    for cell in range(len(cells)):
        nearest = {}
        for tile in np.argsort(distances[cell], kind="stable"):
            nearest.setdefault(groups[tile], distances[cell, tile])
        wanted = list(nearest.values())[:n_best]
        n = len(wanted)
        chosen = found.tiles[cell, :n]
        assert (found.distances[cell, :n] + own[cell]).tolist() == wanted
        assert len({*groups[chosen].tolist()}) == n
        assert distances[cell, chosen].tolist() == wanted
        assert (found.tiles[cell, n:] == -1).all()


def test_it_is_the_same_in_whatever_blocks(monkeypatch):
    random = np.random.default_rng(1)
    cells = random.integers(0, 256, (9, 18)).astype(np.uint8)
    tiles = random.integers(0, 256, (500, 2, 18)).astype(np.uint8)
    groups = (np.arange(500) // 3).astype(np.int32)
    before = match_tiles(cells, tiles, groups, n_best=7)
    monkeypatch.setattr(matching, "_TILES", 130)
    monkeypatch.setattr(matching, "_CELLS", 2)
    after = match_tiles(cells, tiles, groups, n_best=7)
    assert all((one == other).all() for one, other in zip(before, after, strict=True))


def find_all(cells, tiles, prices, *, mirrors):
    """The tiles of each cell, the nearest first, with what they cost."""
    costs = measure(cells, tiles)
    if mirrors:
        costs = np.minimum(costs, measure(mirror(cells), tiles))
    costs = costs + prices
    order = np.argsort(costs, axis=1, kind="stable")
    return order, np.take_along_axis(costs, order, axis=1)


@pytest.mark.parametrize("n", [1, 12, 250, 400])
@pytest.mark.parametrize("mirrors", [False, True])
@pytest.mark.parametrize("alike", [False, True])
def test_the_nearest_are_those_of_all_distances(n, mirrors, alike, monkeypatch):
    monkeypatch.setattr(matching, "_TILES", 130)
    monkeypatch.setattr(matching, "_CELLS", 4)
    random = np.random.default_rng(2)
    # Of few values many are as near.
    values = (100, 103) if alike else (0, 256)
    cells, tiles = (
        random.integers(*values, (*n_all, 18)).astype(np.uint8)
        for n_all in ((6,), (300, 2))
    )
    for most in (1, 1000, LARGEST_DISTANCE):
        prices = random.integers(0, most, 300).astype(np.int32)
        order, costs = find_all(cells, tiles, prices, mirrors=mirrors)
        found, own = find_nearest(cells, tiles, n, mirrors=mirrors, prices=prices)
        assert found.tolist() == order[:, :n].tolist()
        assert own.tolist() == costs[:, :n].tolist()


def test_the_nearest_are_found_where_the_guess_of_how_near_is_wrong():
    # Only those that are looked at first are near.
    tiles = np.full((400, 1, 18), 100, np.uint8)
    tiles[::8] = 0
    tiles[1::8] = 99
    cells = np.zeros((3, 18), np.uint8)
    cells[1] = 100
    order, costs = find_all(cells, tiles, 0, mirrors=False)
    for n in (4, 30, 52):
        found, own = find_nearest(cells, tiles, n)
        assert found.tolist() == order[:, :n].tolist()
        assert own.tolist() == costs[:, :n].tolist()
