import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelbow.mosaic import matching
from reelbow.mosaic.features import mirror, weigh
from reelbow.mosaic.matching import find_nearest, match_tiles


def measure(cells, tiles):
    """Squared distances of all cells to all tiles, (n_cells, n_tiles)."""
    steps = weigh(cells)[:, None].astype(int) - weigh(tiles)[None]
    return np.square(steps).sum(axis=-1)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 1000),
    n_tiles=st.integers(1, 300),
    n_groups=st.integers(1, 40),
    n_best=st.integers(1, 20),
    mirrors=st.booleans(),
)
def test_the_best_tiles_of_each_group_are_those_of_all_distances(
    seed, n_tiles, n_groups, n_best, mirrors
):
    random = np.random.default_rng(seed)
    # Of few values, so that some are as near.
    cells = random.integers(100, 110, (5, 18)).astype(np.uint8)
    tiles = random.integers(100, 110, (n_tiles, 18)).astype(np.uint8)
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
        is_mirrored = found.mirrored[cell, :n]
        sides = np.where(is_mirrored, swapped[cell, chosen], straight[cell, chosen])
        assert sides.tolist() == wanted
        assert (found.tiles[cell, n:] == -1).all()


def test_it_is_the_same_in_whatever_blocks(monkeypatch):
    random = np.random.default_rng(1)
    cells = random.integers(0, 256, (9, 18)).astype(np.uint8)
    tiles = random.integers(0, 256, (500, 18)).astype(np.uint8)
    groups = (np.arange(500) // 3).astype(np.int32)
    before = match_tiles(cells, tiles, groups, n_best=7)
    monkeypatch.setattr(matching, "_TILES", 130)
    monkeypatch.setattr(matching, "_CELLS", 2)
    after = match_tiles(cells, tiles, groups, n_best=7)
    assert all((one == other).all() for one, other in zip(before, after, strict=True))


@pytest.mark.parametrize("n", [3, 12, 40])
@pytest.mark.parametrize("mirrors", [False, True])
@pytest.mark.parametrize("short", [0, 64])
def test_the_nearest_are_those_of_all_distances(n, mirrors, short, monkeypatch):
    monkeypatch.setattr(matching, "_SHORT", short)
    random = np.random.default_rng(2)
    cells, tiles = (
        random.integers(0, 256, (n_all, 18)).astype(np.uint8) for n_all in (6, 30)
    )
    distances = measure(cells, tiles)
    if mirrors:
        distances = np.minimum(distances, measure(mirror(cells), tiles))
    found, weights = find_nearest(cells, tiles, n, mirrors=mirrors)
    assert (np.take_along_axis(distances, found, axis=1) == weights).all()
    assert (np.sort(weights) == np.sort(distances)[:, :n]).all()
