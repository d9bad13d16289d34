"""What is opened, what is refused, and what old files still give."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from databases import N_COLORS, ROW, change, merge, query, refuse, write_shard
from reelbow.barcode import draw_barcode
from reelbow.barcode.film_record import read_film
from reelbow.database.merging import merge_films
from reelbow.database.opening import connect, open_database
from reelbow.database.reading import count_fallbacks, count_skipped, read_row
from reelbow.database.schema import FilmRow
from reelbow.errors import DamagedError, ReelbowError
from reelbow.explorer.film_data import read_film_data
from reelbow.export.tables import export_film

VERSION_1 = Path(__file__).parent / "palettes_version_1.sql"
VERSION_2 = Path(__file__).parent / "palettes_version_2.sql"
VERSION_3 = Path(__file__).parent / "palettes_version_3.sql"
VERSION_4 = Path(__file__).parent / "palettes_version_4.sql"


def test_a_reader_cannot_write(two):
    with (
        closing(connect(two[0])) as connection,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        connection.execute("DELETE FROM frames")


def test_a_name_with_signs_of_a_uri_is_only_a_name(tmp_path):
    path = write_shard(tmp_path / "a?mode=memory#%41.sqlite", [0])
    assert query(path, "SELECT count(*) FROM frames") == [(1,)]


def read_dump(path: Path, dump: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(dump.read_text(encoding="utf-8"))
    return path


@pytest.fixture
def first(tmp_path):
    """The database of a film as version 0.1.0 made it."""
    return read_dump(tmp_path / "first.sqlite", VERSION_1)


@pytest.fixture
def second(tmp_path):
    """The database of a film as version 0.2.0 made it."""
    return read_dump(tmp_path / "second.sqlite", VERSION_2)


def test_a_file_says_that_it_is_reelbow_s_and_of_which_schema(two, result):
    merge(two, [2, 2], result)
    for path in [*two, result]:
        assert query(path, "PRAGMA user_version") == [(5,)]
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
        r"made by an older Reelbow \(its schema is 1, now it is 5\); delete it and run"
    )
    assert re.search(why, refuse([first, two[1]], [None, None], result))
    result.unlink()
    with pytest.raises(ReelbowError, match=why):
        merge_films([first], result, n_colors=N_COLORS)
    with pytest.raises(ReelbowError, match=why):
        open_database(first)


def test_of_the_second_schema_all_is_read_and_nothing_merged(second, result):
    assert read_film(second).settings["cluster.n_colors"] == 4
    colors = draw_barcode(second, "dominant", height=1)
    assert colors[0, 0].tolist() == [0x65, 0x65, 0x65]
    # Several frames in a column.
    assert draw_barcode(second, "stacked", height=8, width=2).shape == (8, 2, 3)
    with pytest.raises(ReelbowError, match=r"its schema is 2, now it is 5\); delete"):
        merge_films([second], result, n_colors=4)


def test_of_the_third_schema_all_is_read_and_nothing_merged(tmp_path, result):
    third = read_dump(tmp_path / "third.sqlite", VERSION_3)
    assert read_film(third).settings["cluster.accents"] == 1
    colors = draw_barcode(third, "stacked", height=1)
    assert colors.tolist() == [[[0xBD, 0x33, 0x1F], [0x84, 0x33, 0x60], [76, 51, 162]]]
    with pytest.raises(ReelbowError, match=r"its schema is 3, now it is 5\); delete"):
        merge_films([third], result, n_colors=2)


def test_a_film_of_the_fourth_schema_is_read_and_merged_as_any_other(
    two, tmp_path, result
):
    """It lacks nothing but the tables of what only some films have."""
    fourth = read_dump(tmp_path / "fourth.sqlite", VERSION_4)
    assert [len(read_film_data(fourth).record.frames)] == [4]
    export_film(fourth, tmp_path / "tables", ["csv"])
    header = (tmp_path / "tables/frames.csv").read_text().splitlines()[0]
    assert header.endswith(",palette_entropy")
    film = write_shard(tmp_path / "film.sqlite", [0], row=ROW._replace(film="other"))
    assert merge_films([fourth, film], result, n_colors=N_COLORS) == []
    found = query(result, "SELECT film_id, count(*) FROM frames GROUP BY film_id")
    assert found == [(1, 3), (2, 1)]
    assert query(result, "PRAGMA user_version") == [(5,)]
    # Its rows are known as they were written.
    change(fourth, "UPDATE frames SET luma = 1 WHERE frame = 1")
    with pytest.raises(DamagedError, match="not those that were written"):
        merge_films([fourth], result.with_name("again.sqlite"), n_colors=N_COLORS)


def test_a_newer_schema_is_refused_by_every_reader(two, result):
    change(two[0], "PRAGMA user_version = 6")
    why = (
        r"0\.sqlite: .* newer Reelbow \(its schema is 6, this one reads up to 5\); use"
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


def test_who_draws_from_a_damaged_file_is_told(two):
    data = bytearray(two[0].read_bytes())
    data[8192 + 100 :] = bytes(len(data) - 8192 - 100)
    two[0].write_bytes(data)
    for read in (read_film, lambda path: draw_barcode(path, "mean", height=1)):
        with pytest.raises(ReelbowError, match=r"0\.sqlite: the database is damaged"):
            read(two[0])


def test_what_sqlite_quotes_of_a_damaged_file_is_one_line(two):
    data = two[0].read_bytes()
    two[0].write_bytes(
        data.replace(b"CREATE TABLE skipped (", b"CREATE TABLE\n\x1b\n((((")
    )
    with pytest.raises(
        ReelbowError, match=r"0\.sqlite: the database is damaged"
    ) as told:
        read_film(two[0])
    assert str(told.value).isprintable()


def test_a_database_of_another_program_is_refused(two):
    change(two[0], "PRAGMA application_id = 7")
    with pytest.raises(ReelbowError, match="is not a Reelbow database; give"):
        open_database(two[0])
