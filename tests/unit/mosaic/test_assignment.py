import numpy as np
import pytest

from mosaics import make_features, make_views
from reelbow.mosaic.assignment import assign_tiles, count_repeats
from reelbow.mosaic.features import mirror, weigh


def measure(cells, tiles):
    steps = weigh(cells)[:, None, None].astype(float) - weigh(tiles)[None]
    return np.square(steps).sum(axis=-1).min(axis=-1)


@pytest.mark.parametrize("apart", [1, 3])
@pytest.mark.parametrize("max_use", [None, 2])
def test_no_group_is_again_within_so_many_cells(apart, max_use):
    cells = make_features(20 * 15, alike=0.3)
    tiles, groups = make_views(1200, seed=1), (np.arange(1200) // 6).astype(np.int32)
    found = assign_tiles(cells, 20, tiles, groups, apart=apart, max_use=max_use)
    grid = groups[found.tiles].reshape(15, 20)
    for row in range(15):
        for column in range(20):
            rows = slice(max(0, row - apart), row + apart + 1)
            columns = slice(max(0, column - apart), column + apart + 1)
            assert (grid[rows, columns] == grid[row, column]).sum() == 1
    if max_use:
        assert np.bincount(found.tiles).max() <= max_use
    assert count_repeats(found, 20, groups, apart) == 0
    own = np.square(weigh(cells) - weigh(tiles[found.tiles, 0])).sum(axis=1)
    assert found.distances.tolist() == own.tolist()


def test_where_all_may_be_used_each_cell_has_its_nearest():
    cells, tiles = make_features(60), make_views(200, seed=1)
    groups = np.arange(200, dtype=np.int32)
    found = assign_tiles(cells, 10, tiles, groups, apart=0)
    assert found.distances.tolist() == measure(cells, tiles).min(axis=1).tolist()


def test_where_groups_are_apart_few_cells_have_a_tile_that_is_much_worse():
    cells, tiles = make_features(300, alike=0.3), make_views(450, seed=1)
    groups = (np.arange(450) // 3).astype(np.int32)
    least, parted = (
        assign_tiles(cells, 20, tiles, groups, apart=apart, max_use=1)
        for apart in (0, 2)
    )
    assert np.bincount(parted.tiles).max() == 1
    assert count_repeats(parted, 20, groups, 2) == 0
    assert parted.distances.sum() < 1.2 * least.distances.sum()


@pytest.mark.parametrize("max_use", [9, 200, 10**6])
def test_a_frame_that_may_be_used_often_is_used_no_more_often(max_use):
    cells = np.full((60, 18), 128, np.uint8)
    tiles, groups = make_views(70, seed=1), np.arange(70, dtype=np.int32)
    found = assign_tiles(cells, 10, tiles, groups, apart=0, max_use=max_use)
    order = np.argsort(measure(cells[:1], tiles)[0], kind="stable")
    assert np.bincount(found.tiles).max() == min(max_use, 60)
    assert {*found.tiles.tolist()} == {*order[: -(-60 // min(max_use, 60))].tolist()}


def test_of_too_few_groups_the_best_are_taken_and_counted():
    tiles = make_views(6, seed=0)
    groups = np.array([0, 0, 0, 1, 1, 1], np.int32)
    found = assign_tiles(make_features(30, seed=2), 6, tiles, groups, apart=2)
    assert count_repeats(found, 6, groups, 2) == 30
    # Of one row, and farther apart than there are cells.
    assert count_repeats(found, 30, groups, 40) == 30


def test_another_seed_is_another_order_and_the_same_one_the_same_picture():
    cells = make_features(100, alike=0.8)
    tiles, groups = make_views(300, seed=1), np.arange(300, dtype=np.int32)
    one, again, other = (
        assign_tiles(cells, 10, tiles, groups, apart=2, seed=seed).tiles.tolist()
        for seed in (0, 0, 1)
    )
    assert one == again != other


@pytest.mark.parametrize("max_use", [None, 1])
def test_the_nearest_view_of_a_tile_counts_and_is_told(max_use):
    cells, tiles = make_features(40), make_views(90, 4, seed=1)
    groups = np.arange(90, dtype=np.int32)
    found = assign_tiles(
        cells, 8, tiles, groups, apart=0, max_use=max_use, mirrors=True
    )
    sides = np.where(found.mirrored[:, None], mirror(cells), cells)
    chosen = tiles[found.tiles, found.views]
    own = np.square(weigh(sides) - weigh(chosen)).sum(axis=1)
    assert found.distances.tolist() == own.tolist()
    all_of_tiles = np.minimum(measure(cells, tiles), measure(mirror(cells), tiles))
    assert own.tolist() == all_of_tiles[np.arange(40), found.tiles].tolist()
    assert len({*found.views.tolist()}) == 4
    # A tile is used once, whatever its view.
    assert not max_use or len({*found.tiles.tolist()}) == 40


def test_mirrored_tiles_are_told():
    cells = np.full((1, 18), 128, np.uint8)
    cells[0, :16:4] = 200
    tiles = np.full((2, 1, 18), 128, np.uint8)
    tiles[1, :, 3:16:4] = 200
    groups = np.arange(2, dtype=np.int32)
    found = assign_tiles(cells, 1, tiles, groups, mirrors=True)
    assert (found.tiles, found.mirrored, found.distances) == (1, True, 0)
    assert assign_tiles(cells, 1, tiles, groups).tiles == 0
