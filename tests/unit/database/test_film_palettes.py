"""The palette of a whole film: what each frame counts for, and what is found."""

import itertools
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from databases import PALETTE, change, merge, query, write_shard
from reelbow.database import film_palettes
from reelbow.database.film_palettes import FilmPixels, FrameTimes, weigh_frames
from reelbow.database.frames import pack_colors
from reelbow.database.merging import merge_films
from reelbow.database.schema import FilmRow, PaletteSettings
from reelbow.errors import DamagedError
from reelbow.pictures.color_sums import LONGEST

ROWS = "SELECT rank, color, share FROM film_palettes ORDER BY rank"
TOLD = "SELECT value FROM metadata WHERE key = 'film_palette'"
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


def write_film(tmp_path, palettes, times_s=None, pictures=None, **how):
    """Make a film of a shard a frame, each with its time."""
    times_s = times_s or [float(frame) for frame in palettes]
    folder = Path(tempfile.mkdtemp(dir=tmp_path))
    shards = [
        write_shard(
            folder / f"{frame}.sqlite",
            [frame],
            times_s=time_s,
            palettes=palettes,
            pictures=pictures,
        )
        for frame, time_s in zip(palettes, times_s, strict=True)
    ]
    return merge(shards, [1] * len(shards), folder / "film.sqlite", **how)


# How films are told whose pixels are counted, and those where they are not.
BOTH = pytest.mark.parametrize("pictures", [None, {}], ids=["pixels", "palettes"])


@BOTH
def test_few_colors_are_all_kept_with_their_shares_of_the_time(tmp_path, pictures):
    palettes = {0: [(RED, 1.0)], 1: [(RED, 0.5), (BLUE, 0.5)], 2: [(GREEN, 1.0)]}
    # Of one second, of three, and of two, the median of these.
    path = write_film(tmp_path, palettes, times_s=[0.0, 1.0, 4.0], pictures=pictures)
    rows = query(path, ROWS)
    assert [row[:2] for row in rows] == [(0, 0xFF0000), (1, 0x00FF00), (2, 0x0000FF)]
    assert [row[2] for row in rows] == pytest.approx([2.5 / 6, 2 / 6, 1.5 / 6])
    assert sum(row[2] for row in rows) == pytest.approx(1, abs=1e-12)


@BOTH
def test_near_colors_are_one(tmp_path, pictures):
    palettes = {0: [((10, 0, 0), 0.75), (BLUE, 0.25)]}
    palettes[1] = [((14, 0, 0), 0.25), (BLUE, 0.75)]
    how = PALETTE._replace(n_colors=2)
    path = write_film(tmp_path, palettes, palette=how, pictures=pictures)
    # (10 x 0.75 + 14 x 0.25) / 1
    assert query(path, ROWS) == [(0, 0x0000FF, 0.5), (1, 0x0B0000, 0.5)]


@BOTH
def test_colors_are_averaged_in_the_color_space_of_the_palettes(tmp_path, pictures):
    palettes = {0: [((0, 0, 0), 0.5), ((255, 255, 255), 0.5)]}
    found = {}
    for space in ["srgb", "linear", "oklab", "cielab"]:
        how = PaletteSettings(1, n_init=5, seed=0, color_space=space)
        path = write_film(tmp_path, palettes, palette=how, pictures=pictures)
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
    path = write_film(tmp_path, palettes, palette=how, pictures={})
    assert [row[1] for row in query(path, ROWS)] == [
        *[0x080000, 0x090003, 0x0B0200, 0x0C0000]
    ]
    monkeypatch.setattr(film_palettes, "MOST_POINTS", 3)
    path = write_film(tmp_path, palettes, palette=how, pictures={})
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
                pictures={},
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


# Of all pixels

# Each in a bin of its own.
COLORS = np.stack(np.meshgrid(*[[0, 90, 255]] * 3), -1).reshape(-1, 3).astype(np.uint8)


def make_picture(frame):
    """Draw one of two sizes, whose pixels are some of `COLORS`, by a fixed seed."""
    random = np.random.default_rng(frame)
    shares = random.dirichlet(np.ones(len(COLORS)) / 3)
    return random.choice(COLORS, (6, 10 - frame % 5 // 4), p=shares)


def merge_frames(folder, frames, times_s, cuts=(), fps=None):
    """Merge shards of these frames, cut before each of `cuts`; give the palette.

    fps : of tarballs, whose shards count their frames from 0; "video": it is none
    """
    folder = Path(tempfile.mkdtemp(dir=folder))
    shards, planned = [], []
    bounds = [0, *sorted(cuts), len(times_s)]
    times_s = [np.nan if time_s is None else time_s for time_s in times_s]
    for i, (begin, end) in enumerate(itertools.pairwise(bounds)):
        first = 0 if fps != "video" else begin
        own = [frame for frame in range(begin, end) if frame in frames]
        shards.append(
            write_shard(
                folder / f"{i}.sqlite",
                [frame - begin + first for frame in own],
                times_s=[0.0] * first + times_s[begin:end],
                pictures={f - begin + first: make_picture(f) for f in own},
                skipped=[(str(f), "no") for f in range(begin, end) if f not in own],
            )
        )
        planned.append(end - begin if fps == "video" else None)
    path = folder / "film.sqlite"
    palette = PALETTE._replace(n_colors=len(COLORS))
    merge(shards, planned, path, palette=palette, fps=None if fps == "video" else fps)
    told = query(path, TOLD)
    assert query(path, "SELECT * FROM color_sums") == []
    return query(path, ROWS), told


def count_straight(frames, durations_s):
    """Count all pixels, each by its part of the time of its frame."""
    amounts = dict.fromkeys(pack_colors(COLORS), 0.0)
    for frame, duration_s in zip(frames, durations_s, strict=True):
        pixels = make_picture(frame).reshape(-1, 3)
        for color in pack_colors(pixels):
            amounts[color] += duration_s / len(pixels)
    total = sum(amounts.values())
    return {color: amount / total for color, amount in amounts.items() if amount}


def check(found, frames, durations_s):
    rows, told = found
    assert told == []
    straight = count_straight(frames, durations_s)
    assert {color: share for _, color, share in rows} == pytest.approx(straight)


VARYING = [0.0, 0.04, 0.08, 0.5, 0.54, 1.7, 1.701, 1.9, 4.0, 4.04, 4.08, 5.0]


@given(
    cuts=st.sets(st.integers(1, 11)),
    skipped=st.sets(st.integers(0, 11), max_size=11),
    times_s=st.sampled_from([VARYING, [0.04 * i for i in range(12)]]),
)
@settings(max_examples=12, deadline=None)
def test_all_pixels_count_by_time_the_same_bits_however_a_film_is_sharded(
    tmp_path_factory, cuts, skipped, times_s
):
    folder = tmp_path_factory.mktemp("pixels")
    frames = [frame for frame in range(12) if frame not in skipped]
    durations_s = weigh_frames(np.array(frames), np.array(times_s)[frames])
    whole = merge_frames(folder, frames, times_s, fps="video")
    check(whole, frames, durations_s)
    assert merge_frames(folder, frames, times_s, cuts, fps="video") == whole
    # Of tarballs that tell times.
    assert merge_frames(folder, frames, times_s, cuts) == whole


@pytest.mark.parametrize("fps", [None, 29.97])
@pytest.mark.parametrize("cuts", [(), (1, 2, 7)])
def test_frames_of_tarballs_that_tell_no_times_count_alike(tmp_path, fps, cuts):
    frames = [0, 1, 4, 5, 6, 7, 9]
    found = merge_frames(tmp_path, frames, [None] * 10, cuts, fps=fps)
    check(found, frames, [1] * len(frames))


@pytest.mark.parametrize("cuts", [(), (3,), (4,), (6,)])
@pytest.mark.parametrize(
    "times_s",
    [[0, 1, 2, 3, None, 5, 9], [0, 1, 2, 3, 2.5, 5, 9], [0, 1, 2, 3, 3, 5, 9]],
    ids=["one is unknown", "they go back", "they stand still"],
)
def test_times_that_are_no_good_anywhere_count_nowhere(tmp_path, cuts, times_s):
    check(merge_frames(tmp_path, range(7), times_s, cuts), range(7), [1] * 7)


@pytest.mark.parametrize("cuts", [(), (2,), (1, 2, 3)])
@pytest.mark.parametrize(
    ("times_s", "fps"),
    [([0, 0.5, None, None], 2.0), ([0, 1, 2, LONGEST + 1], None)],
    ids=["some told and some by fps", "a year"],
)
def test_what_sums_cannot_tell_is_found_of_palettes_and_said(
    tmp_path, cuts, times_s, fps
):
    rows, told = merge_frames(tmp_path, range(4), times_s, cuts, fps=fps)
    assert told == [("of the palettes of its frames, not of all pixels",)]
    # The usual palettes of `write_shard`.
    assert 0x030405 in [color for _, color, _ in rows]


def test_if_one_shard_has_no_sums_the_palette_is_found_of_palettes(tmp_path):
    shards = [
        write_shard(tmp_path / f"{frame}.sqlite", [frame], pictures=pictures)
        for frame, pictures in enumerate([None, {}])
    ]
    path = merge(shards, [1, 1], tmp_path / "film.sqlite")
    assert query(path, TOLD) == [("of the palettes of its frames, not of all pixels",)]
    assert [row[1] for row in query(path, ROWS)] == [0x000102, 0x010102, 0x030405]


def test_a_shard_of_before_has_no_sums(tmp_path):
    shard = write_shard(tmp_path / "a.sqlite", [0])
    one = np.ones(1)
    times = FrameTimes(np.zeros(1, np.int64), 0 * one, one)

    def count():
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.execute("ATTACH ? AS part", (str(shard),))
            pixels = FilmPixels()
            pixels.add_part(connection, 0)
        return pixels.finish(times)

    assert count() is not None
    change(shard, "DROP TABLE color_sums")
    assert count() is None


def test_one_frame_is_all(tmp_path):
    check(merge_frames(tmp_path, [0], [3.0], fps="video"), [0], [1])
    check(merge_frames(tmp_path, [2], [0, 1.0, 2, 9], (2,), fps="video"), [2], [1])


def test_a_palette_of_many_colors_is_as_good_as_scikit_learn_s(tmp_path):
    random = np.random.default_rng(0)
    middles = random.uniform(40, 215, (6, 3))
    pictures = [
        random.normal(middles[random.integers(0, 6, (40, 50))], 30)
        .clip(0, 255)
        .astype(np.uint8)
        for _ in range(4)
    ]
    points = np.concatenate(pictures).reshape(-1, 3).astype(float)

    def find_inertia(colors):
        return ((points[:, None] - colors) ** 2).sum(axis=-1).min(axis=1).mean()

    shard = write_shard(
        tmp_path / "a.sqlite", range(4), pictures=dict(enumerate(pictures))
    )
    how = PALETTE._replace(n_colors=6)
    path = merge([shard], [4], tmp_path / "film.sqlite", palette=how)
    colors = np.array([row[1] for row in query(path, ROWS)])
    own = np.stack([colors >> 16, colors >> 8 & 255, colors & 255], axis=1)
    best = KMeans(6, n_init=5, random_state=0).fit(points).cluster_centers_
    assert find_inertia(own) < 1.005 * find_inertia(best)


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
