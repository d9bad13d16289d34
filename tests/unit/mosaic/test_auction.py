import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from mosaics import make_features, make_views
from reelbow.mosaic import auction, matching
from reelbow.mosaic.auction import give_tiles
from reelbow.mosaic.features import mirror, weigh


def measure(cells, tiles):
    steps = weigh(cells)[:, None, None].astype(float) - weigh(tiles)[None]
    return np.square(steps).sum(axis=-1).min(axis=-1)


@pytest.mark.parametrize("mirrors", [False, True])
@pytest.mark.parametrize("max_use", [1, 3])
@pytest.mark.parametrize(
    ("n_uses", "alike"), [(900, 0), (900, 0.4), (309, 0.4), (300, 0.4)]
)
def test_distances_add_up_to_the_least(n_uses, alike, max_use, mirrors):
    n_tiles = n_uses // max_use
    cells, tiles = make_features(300, alike=alike), make_views(n_tiles, 2, seed=1)
    given, prices = give_tiles(cells, tiles, max_use, mirrors=mirrors)
    uses = np.bincount(given, minlength=n_tiles)
    assert uses.max() <= max_use
    # Exactly those that may be used once more are free.
    assert ((prices == 0) == (uses < max_use)).all()
    distances = measure(cells, tiles)
    if mirrors:
        distances = np.minimum(distances, measure(mirror(cells), tiles))
    best = np.tile(distances, max_use)
    least = best[linear_sum_assignment(best)].sum()
    found = distances[np.arange(300), given].sum()
    assert least <= found <= 1.01 * least


@pytest.mark.parametrize(("n_tiles", "alike"), [(400, 0.5), (200, 1)])
def test_they_do_by_short_lists_too(n_tiles, alike, monkeypatch):
    monkeypatch.setattr(auction, "_FIRST", 2)
    monkeypatch.setattr(auction, "_LONGEST", 5)
    monkeypatch.setattr(auction, "_AT_A_TIME", 1)
    cells, tiles = make_features(200, alike=alike), make_views(n_tiles, 2, seed=1)
    given, _ = give_tiles(cells, tiles, 1)
    assert len({*given.tolist()}) == 200
    distances = measure(cells, tiles)
    least = distances[linear_sum_assignment(distances)].sum()
    assert distances[np.arange(200), given].sum() <= 1.01 * least


def test_cells_that_are_the_same_have_the_best_tiles_together():
    cells, tiles = np.full((40, 18), 128, np.uint8), make_views(70, seed=1)
    given, _ = give_tiles(cells, tiles, 1)
    distances = measure(cells[:1], tiles)[0]
    assert distances[given].sum() <= 1.01 * np.sort(distances)[:40].sum()
    # Of all tiles each has one.
    given, _ = give_tiles(cells, tiles[:40], 1)
    assert sorted(given.tolist()) == list(range(40))
    given, _ = give_tiles(cells[:1], tiles[:1], 1)
    assert given.tolist() == [0]


def test_tiles_that_are_as_cells_are_theirs():
    tiles = make_views(500, seed=0)
    given, _ = give_tiles(tiles[::2, 0], tiles, 1)
    assert given.tolist() == list(range(0, 500, 2))


def test_it_is_the_same_in_whatever_blocks(monkeypatch):
    cells, tiles = make_features(300, alike=0.4), make_views(900, seed=1)
    before = give_tiles(cells, tiles, 2)
    for name, value in (("_TILES", 130), ("_CELLS", 7), ("_SAMPLE", 50)):
        monkeypatch.setattr(matching, name, value)
    after = give_tiles(cells, tiles, 2)
    assert all((one == other).all() for one, other in zip(before, after, strict=True))
