"""The schema, and what a shard's database holds and refuses."""

import sqlite3
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from databases import change, merge, query, refuse, write_shard
from reelbow.database.opening import connect
from reelbow.database.schema import FilmRow

# What is in a database


def test_the_tables_are_those_of_the_design(tmp_path):
    path = write_shard(tmp_path / "a.sqlite")
    columns = {
        table: [row[1] for row in query(path, f"PRAGMA table_info({table})")]
        for table in [
            *["films", "frames", "palettes", "film_palettes", "color_sums"],
            *["shots", "shot_palettes", "sketches", "drawing_sums"],
            *["skipped", "shards", "metadata"],
        ]
    }
    assert columns == {
        "films": [
            *["film_id", "film", "title", "source", "digest", "start_s", "end_s"],
            *["stream", "sampling", "every", "n_frames", "n_pictures"],
            *["width", "height", "duration_s", "crop", "crop_asked"],
            *["trim_asked", "trimmed_start", "trimmed_end"],
            *["matrix", "color_range", "transfer", "primaries", "assumed"],
            *["sheet", "made_at"],
        ],
        "frames": [
            *["film_id", "frame", "time_s", "name", "shard"],
            *["mean_color", "luma", "strip"],
            *["lightness", "lightness_deviation", "contrast", "chroma", "saturation"],
            *["colorfulness", "warm_share", "black_share", "white_share"],
            *["strip_sharpness", "palette_entropy"],
        ],
        "palettes": ["film_id", "frame", "rank", "color", "share", "accent"],
        "film_palettes": ["film_id", "rank", "color", "share"],
        "color_sums": ["film_id", "sums"],
        "shots": [
            *["film_id", "shot", "first_frame", "last_frame", "start_s", "end_s"]
        ],
        "shot_palettes": ["film_id", "shot", "rank", "color", "share"],
        "sketches": [
            *["film_id", "frame", "word", "n_strokes", "n_points", "recognized"]
        ],
        "drawing_sums": [
            *["film_id", "word", "n_drawings", "rows", "n_channels", "sums"]
        ],
        "skipped": ["film_id", "shard", "name", "reason"],
        "shards": [
            *["film_id", "shard", "engine", "version", "gpu_fallback"],
            *["path", "digest", "made_at", "lost"],
        ],
        "metadata": ["key", "value"],
    }
    strict = query(
        path, "SELECT name, strict FROM pragma_table_list WHERE type='table'"
    )
    assert {name for name, is_strict in strict if is_strict} == columns.keys()


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO films (film_id, film, title, source) VALUES (2, 'demo', '', '')",
        "INSERT INTO frames SELECT * FROM frames",
        "INSERT INTO palettes SELECT * FROM palettes",
        "UPDATE palettes SET color = 'red'",
        "UPDATE frames SET strip = NULL",
        "UPDATE frames SET luma = NULL",
    ],
)
def test_the_tables_refuse_doubles_and_wrong_types(tmp_path, sql):
    path = write_shard(tmp_path / "a.sqlite", [0])
    with pytest.raises(sqlite3.IntegrityError):
        change(path, sql)


@pytest.mark.parametrize(
    ("palette", "rows"),
    [
        pytest.param(
            [((254.6, 127.5, 0.4), 0.75), ((0, 0, 255), 0.25)],
            [(0, 0xFF8000, 0.75), (1, 0x0000FF, 0.25)],
            id="packed and rounded",
        ),
        pytest.param(
            [((1, 1, 1), 0.375), ((9, 9, 9.2), 0.375), ((9, 9, 8.8), 0.25)],
            [(0, 0x090909, 0.625), (1, 0x010101, 0.375)],
            id="one where they are equal in 24 bits",
        ),
        pytest.param(
            [((1, 1, 1), 1.0), ((2, 2, 2), 0.0), ((3, 3, 3), 0.0)],
            [(0, 0x010101, 1.0)],
            id="not there without a share",
        ),
        pytest.param(
            [((2, 2, 2), 0.5), ((1, 1, 1), 0.5)],
            [(0, 0x010101, 0.5), (1, 0x020202, 0.5)],
            id="ranked by color where shares are equal",
        ),
    ],
)
def test_how_colors_of_a_palette_are_stored(tmp_path, palette, rows):
    path = write_shard(tmp_path / "a.sqlite", [0], palettes={0: palette})
    assert query(path, "SELECT rank, color, share FROM palettes ORDER BY rank") == rows


def test_which_colors_are_accents_is_stored_and_merged(tmp_path):
    red, gray, blue = (200, 30, 30), (90, 90, 90), (30, 60, 210)
    palettes = {
        0: [(gray, 0.75, False), (red, 0.25, True)],
        # Ranked with the others; one where it is as another color in 24 bits.
        1: [(red, 0.5, True), (gray, 0.25, False), (blue, 0.125, False)],
    }
    palettes[1].append(((30, 60, 210.2), 0.125, True))
    path = write_shard(tmp_path / "a.sqlite", [0, 1], palettes=palettes)
    rows = [
        *[(0, 0, 0x5A5A5A, 0.75, 0), (0, 1, 0xC81E1E, 0.25, 1)],
        *[(1, 0, 0xC81E1E, 0.5, 1), (1, 1, 0x1E3CD2, 0.25, 1)],
        (1, 2, 0x5A5A5A, 0.25, 0),
    ]
    columns = "SELECT frame, rank, color, share, accent FROM palettes"
    assert query(path, columns) == rows
    merged = merge([path], [2], tmp_path / "merged.sqlite")
    assert query(merged, columns) == rows
    # Of the shard's digest it is a part.
    change(path, "UPDATE palettes SET accent = 1 - accent WHERE frame = 0")
    assert "its rows are not those that were written" in refuse(
        [path], [2], tmp_path / "refused.sqlite"
    )


def test_frames_keep_their_number_time_name_luma_and_strip(tmp_path):
    path = write_shard(tmp_path / "a.sqlite", [7])
    columns = "film_id, frame, time_s, name, shard, mean_color, luma, strip"
    rows = query(path, f"SELECT {columns} FROM frames")
    mean = 0x070000
    assert rows == [(1, 7, 3.5, "00000007.jpg", "00000", mean, 7.25, b"\x07" * 6)]


def test_an_unknown_time_is_null(tmp_path):
    path = write_shard(tmp_path / "a.sqlite", [0], times_s=np.nan)
    assert query(path, "SELECT time_s FROM frames") == [(None,)]


@given(
    palette=st.lists(
        st.tuples(
            st.tuples(*[st.floats(0, 255, width=32)] * 3),
            st.floats(2**-10, 1, width=32),
        ),
        min_size=1,
        max_size=8,
    )
)
@settings(max_examples=30, deadline=None)
def test_shares_sum_to_1_and_fall_with_the_rank(tmp_path_factory, palette):
    path = tmp_path_factory.mktemp("shares") / "a.sqlite"
    write_shard(path, [0], palettes={0: palette})
    rows = query(path, "SELECT rank, share, color FROM palettes ORDER BY rank")
    ranks, shares, colors = zip(*rows, strict=True)
    assert sum(shares) == pytest.approx(1, abs=1e-12)
    assert list(ranks) == list(range(len(rows)))
    assert sorted(shares, reverse=True) == list(shares)
    assert len(set(colors)) == len(colors)


def test_the_view_images_has_colors_as_columns(tmp_path):
    path = write_shard(tmp_path / "a.sqlite", [1, 0])
    with closing(connect(path)) as connection:
        cursor = connection.execute("SELECT * FROM images")
        names = [column[0] for column in cursor.description]
        rows = cursor.fetchall()
    assert names == [
        *["imgname", "film", "frame", "time_s"],
        *["color0", "color1", "color2", "hex0", "hex1", "hex2"],
    ]
    colors = [(0x000102, 0x030405, None, "#000102", "#030405", None)]
    colors += [(0x010102, 0x030405, None, "#010102", "#030405", None)]
    assert rows == [
        ("00000000.jpg", "demo", 0, 0.0, *colors[0]),
        ("00000001.jpg", "demo", 1, 0.5, *colors[1]),
    ]


def test_how_colors_were_read_is_taken_from_the_plan():
    names = {"film": "f", "title": "t", "source": "s"}
    told = {
        **{"start_s": 0.5, "end_s": None, "stream": 1, "crop_asked": "auto"},
        **{"width": 4, "height": 3, "duration_s": 1.0, "crop": None},
        **{"digest": "d", "n_frames": 2, "n_pictures": 24},
    }
    coding = {
        **{"matrix": "bt601", "color_range": "full", "transfer": "sdr"},
        **{"primaries": "bt709", "assumed": "matrix"},
    }
    video = {"coding": {**coding, "peak": 1000.0}}
    plan = {**told, "video": video, "sampling": {"mode": "interval", "every": 0.5}}
    expected = FilmRow(
        **names,
        **told,
        **coding,
        sampling="interval",
        every=0.5,
        sheet='{"Regie": "M\N{LATIN SMALL LETTER U WITH DIAERESIS}ller"}',
    )
    own = {"Regie": "M\N{LATIN SMALL LETTER U WITH DIAERESIS}ller"}
    assert FilmRow.from_plan(plan, **names, own=own) == expected
    images = FilmRow.from_plan({**plan, "video": None, "sampling": None}, **names)
    assert images == FilmRow(**names, **told)
