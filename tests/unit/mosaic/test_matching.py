import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from reelbow.mosaic import matching
from reelbow.mosaic.features import mirror, weigh
from reelbow.mosaic.matching import match_tiles


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


def test_without_groups_each_tile_is_one_by_itself():
    tiles = np.full((4, 18), 100, np.uint8)
    found = match_tiles(tiles[:1], tiles, n_best=10)
    assert found.tiles.tolist() == [[0, 1, 2, 3]]
