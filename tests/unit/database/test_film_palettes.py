"""The palette of a whole film: what each frame counts for, and what is found."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from databases import PALETTE, change, merge, query, write_shard
from reelbow.database import film_palettes
from reelbow.database.film_palettes import weigh_frames
from reelbow.database.merging import merge_films
from reelbow.database.schema import FilmRow, PaletteSettings
from reelbow.errors import DamagedError

ROWS = "SELECT rank, color, share FROM film_palettes ORDER BY rank"
RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


@pytest.mark.parametrize(
    ("frames", "times_s", "weights"),
    [
        pytest.param([0, 1, 2], [0, 0.5, 2.5], [0.5, 2, 1.25], id="until the next"),
        pytest.param([0, 1, 4], [0, 1, 4], [1, 1, 1], id="missing ones have their own"),
        pytest.param([3], [9], [1], id="one frame"),
        pytest.param([], [], [], id="no frames"),
        pytest.param([0, 1, 2], [0, np.nan, 9], [1, 1, 1], id="an unknown time"),
        pytest.param([0, 1, 2], [0, 5, 5], [1, 1, 1], id="times that stand still"),
        pytest.param([0, 1, 2], [0, 5, 3], [1, 1, 1], id="times that go back"),
    ],
)
def test_a_frame_counts_by_the_time_that_it_stands_for(frames, times_s, weights):
    found = weigh_frames(np.array(frames, np.int64), np.array(times_s, np.float64))
    np.testing.assert_array_equal(found, weights)


def write_film(tmp_path, palettes, times_s=None, **how):
    """Make a film of a shard a frame, each with its time."""
    times_s = times_s or [float(frame) for frame in palettes]
    folder = Path(tempfile.mkdtemp(dir=tmp_path))
    shards = [
        write_shard(
            folder / f"{frame}.sqlite", [frame], times_s=time_s, palettes=palettes
        )
        for frame, time_s in zip(palettes, times_s, strict=True)
    ]
    return merge(shards, [1] * len(shards), folder / "film.sqlite", **how)


def test_few_colors_are_all_kept_with_their_shares_of_the_time(tmp_path):
    palettes = {0: [(RED, 1.0)], 1: [(RED, 0.5), (BLUE, 0.5)], 2: [(GREEN, 1.0)]}
    # Of one second, of three, and of two, the median of these.
    path = write_film(tmp_path, palettes, times_s=[0.0, 1.0, 4.0])
    rows = query(path, ROWS)
    assert [row[:2] for row in rows] == [(0, 0xFF0000), (1, 0x00FF00), (2, 0x0000FF)]
    assert [row[2] for row in rows] == pytest.approx([2.5 / 6, 2 / 6, 1.5 / 6])
    assert sum(row[2] for row in rows) == pytest.approx(1, abs=1e-12)


def test_near_colors_are_one(tmp_path):
    palettes = {0: [((10, 0, 0), 0.75), (BLUE, 0.25)]}
    palettes[1] = [((14, 0, 0), 0.25), (BLUE, 0.75)]
    how = PALETTE._replace(n_colors=2)
    path = write_film(tmp_path, palettes, palette=how)
    # (10 x 0.75 + 14 x 0.25) / 1
    assert query(path, ROWS) == [(0, 0x0000FF, 0.5), (1, 0x0B0000, 0.5)]


def test_colors_are_averaged_in_the_color_space_of_the_palettes(tmp_path):
    palettes = {0: [((0, 0, 0), 0.5), ((255, 255, 255), 0.5)]}
    found = {}
    for space in ["srgb", "linear", "oklab", "cielab"]:
        how = PaletteSettings(1, n_init=5, seed=0, color_space=space)
        path = write_film(tmp_path, palettes, palette=how)
        ((_, found[space], _),) = query(path, ROWS)
    # Half of the light is #bcbcbc; OKLab's L of 0.5 is #636363, L* of 50 is #777777.
    assert found == {
        **{"srgb": 0x808080, "linear": 0xBCBCBC},
        **{"oklab": 0x636363, "cielab": 0x777777},
    }


def test_a_film_without_frames_has_none(tmp_path):
    shard = write_shard(tmp_path / "a.sqlite", [], skipped=[("0", "broken")])
    assert query(merge([shard], [1], tmp_path / "film.sqlite"), ROWS) == []


def make_palettes(n_frames, n_colors=40):
    """Palettes around five colors, by a fixed seed."""
    random = np.random.default_rng(3)
    middles = random.integers(20, 235, (5, 3))
    palettes = {}
    for frame in range(n_frames):
        near = middles[random.integers(0, 5, n_colors)]
        colors = near + random.normal(0, 30, near.shape)
        shares = random.dirichlet(np.ones(n_colors))
        palettes[frame] = [*zip(colors.clip(0, 255), shares, strict=True)]
    return palettes


def test_many_colors_are_averaged_in_bins(tmp_path, monkeypatch):
    # Three of one bin of 6 bits a channel, and one beside it.
    palettes = {0: [((8, 0, 0), 0.25), ((9, 0, 3), 0.25)]}
    palettes[0] += [((11, 2, 0), 0.25), ((12, 0, 0), 0.25)]
    how = PALETTE._replace(n_colors=4)
    path = write_film(tmp_path, palettes, palette=how)
    assert [row[1] for row in query(path, ROWS)] == [
        *[0x080000, 0x090003, 0x0B0200, 0x0C0000]
    ]
    monkeypatch.setattr(film_palettes, "MOST_POINTS", 3)
    path = write_film(tmp_path, palettes, palette=how)
    # (8 + 9 + 11) / 3, 2 / 3, 3 / 3
    assert query(path, ROWS) == [(0, 0x090101, 0.75), (1, 0x0C0000, 0.25)]


@given(cuts=st.sets(st.integers(1, 11)), some=st.integers(1, 50))
@settings(max_examples=15, deadline=None)
def test_however_a_film_is_sharded_and_read_it_has_the_same_rows(
    tmp_path_factory, cuts, some
):
    folder = tmp_path_factory.mktemp("sharded")
    palettes = make_palettes(12)

    def film(name, bounds):
        shards = [
            write_shard(
                folder / f"{name}{i}.sqlite",
                range(*bounds[i : i + 2]),
                palettes=palettes,
            )
            for i in range(len(bounds) - 1)
        ]
        planned = np.diff(bounds).tolist()
        return query(merge(shards, planned, folder / f"{name}.sqlite"), ROWS)

    whole = film("whole", [0, 12])
    assert len(whole) == PALETTE.n_colors
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(film_palettes, "SOME_ROWS", some)
        assert film("parts", [0, *sorted(cuts), 12]) == whole


def test_the_database_of_all_films_has_those_of_each(tmp_path):
    films = []
    for film, color in [("a", RED), ("b", BLUE)]:
        row = FilmRow(film, film, film)
        films.append(write_film(tmp_path, {0: [(color, 1.0)]}, row=row))
    merge_films(films, tmp_path / "all.sqlite", n_colors=1)
    rows = query(tmp_path / "all.sqlite", "SELECT * FROM film_palettes")
    assert rows == [(1, 0, 0xFF0000, 1.0), (2, 0, 0x0000FF, 1.0)]


def test_a_changed_row_is_found_when_films_are_merged(tmp_path):
    film = write_film(tmp_path, {0: [(RED, 1.0)]})
    change(film, "UPDATE film_palettes SET color = 0")
    with pytest.raises(DamagedError, match="not those that were written"):
        merge_films([film], tmp_path / "all.sqlite", n_colors=1)
