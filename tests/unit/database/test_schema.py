"""The schema, and what a shard's database holds and refuses."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from databases import N_COLORS, change, merge, query, refuse, write_shard
from reelbow.barcode import draw_barcode
from reelbow.barcode.film_record import read_film
from reelbow.database.merging import merge_films
from reelbow.database.reading import count_fallbacks, count_skipped, read_row
from reelbow.database.schema import (
    FilmRow,
    connect,
    open_database,
)
from reelbow.errors import ReelbowError

VERSION_1 = Path(__file__).parent / "palettes_version_1.sql"


# What is in a database


def test_the_tables_are_those_of_the_design(tmp_path):
    path = write_shard(tmp_path / "a.sqlite")
    columns = {
        table: [row[1] for row in query(path, f"PRAGMA table_info({table})")]
        for table in ["films", "frames", "palettes", "skipped", "shards", "metadata"]
    }
    assert columns == {
        "films": [
            *["film_id", "film", "title", "source", "digest", "start_s", "end_s"],
            *["stream", "sampling", "every", "n_frames", "n_pictures"],
            *["width", "height", "duration_s", "crop", "crop_asked"],
            *["matrix", "color_range", "transfer", "primaries", "assumed"],
            *["sheet", "made_at"],
        ],
        "frames": [
            *["film_id", "frame", "time_s", "name", "shard"],
            *["mean_color", "luma", "strip"],
        ],
        "palettes": ["film_id", "frame", "rank", "color", "share"],
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


def test_frames_keep_their_number_time_name_luma_and_strip(tmp_path):
    path = write_shard(tmp_path / "a.sqlite", [7])
    rows = query(path, "SELECT * FROM frames")
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


def test_a_reader_cannot_write(two):
    with (
        closing(connect(two[0])) as connection,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        connection.execute("DELETE FROM frames")


def test_a_name_with_signs_of_a_uri_is_only_a_name(tmp_path):
    path = write_shard(tmp_path / "a?mode=memory#%41.sqlite", [0])
    assert query(path, "SELECT count(*) FROM frames") == [(1,)]


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


# Schemas


@pytest.fixture
def first(tmp_path):
    """The database of a film as version 0.1.0 made it."""
    path = tmp_path / "first.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_1.read_text(encoding="utf-8"))
    return path


def test_a_file_says_that_it_is_reelbow_s_and_of_which_schema(two, result):
    merge(two, [2, 2], result)
    for path in [*two, result]:
        assert query(path, "PRAGMA user_version") == [(2,)]
        assert query(path, "PRAGMA application_id") == [(0x524C4257,)]


def test_of_the_first_schema_all_that_is_there_is_read(first):
    assert count_skipped(first) == (
        *(1, 2),
        "2.jpg: not an image, or a damaged one",
    )
    assert count_fallbacks(first) == (0, 1, "")
    assert read_film(first).source == "pictures/a.tar"
    colors = draw_barcode(first, "stacked", height=1)
    # Between them is the gap of one that could not be read.
    assert colors[:, [0, 2]].tolist() == [[[0xC0, 0x20, 0x20], [0x20, 0x20, 0xC0]]]
    assert colors.shape == (1, 3, 3)
    with closing(open_database(first, oldest=1)) as connection:
        row = read_row(connection, 1)
    assert row == FilmRow("a", "a", "pictures/a.tar", width=64, height=48)


def test_of_the_first_schema_nothing_is_merged(first, two, result):
    why = (
        r"made by an older Reelbow \(its schema is 1, now it is 2\); delete it and run"
    )
    assert re.search(why, refuse([first, two[1]], [None, None], result))
    result.unlink()
    with pytest.raises(ReelbowError, match=why):
        merge_films([first], result, n_colors=N_COLORS)
    with pytest.raises(ReelbowError, match=why):
        open_database(first)


def test_a_newer_schema_is_refused_by_every_reader(two, result):
    change(two[0], "PRAGMA user_version = 3")
    why = (
        r"0\.sqlite: .* newer Reelbow \(its schema is 3, this one reads up to 2\); use"
    )
    for read in [
        count_skipped,
        count_fallbacks,
        read_film,
        lambda path: draw_barcode(path, "mean", height=1),
        lambda path: merge_films([path], result, n_colors=N_COLORS),
    ]:
        with pytest.raises(ReelbowError, match=why):
            read(two[0])
    result.unlink()
    assert re.search(why, refuse(two, [2, 2], result))


def test_a_database_of_another_program_is_refused(two):
    change(two[0], "PRAGMA application_id = 7")
    with pytest.raises(ReelbowError, match="is not a Reelbow database; give"):
        open_database(two[0])
