"""Shots in the database of a film: their frames, times and palettes."""

import pytest

from databases import change, merge, query, write_anew, write_shard
from reelbow.database import film_palettes
from reelbow.database.merging import merge_films
from reelbow.database.shots import Shot
from reelbow.errors import DamagedError

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
PALETTES = {
    0: [(RED, 1.0)],
    1: [(RED, 0.5), (BLUE, 0.5)],
    2: [(GREEN, 1.0)],
    4: [(BLUE, 1.0)],
}
# Frames are half a second apart; in the third shot is none, frame 3 is missing.
SHOTS = [Shot(0, 24, 0.0, 1.0), Shot(24, 36, 1.0, 1.5), Shot(36, 48, 1.5, 2.0)]
SHOTS.append(Shot(48, 70, 2.0, 3.0))


@pytest.fixture
def film(tmp_path):
    parts = [
        write_shard(tmp_path / "a.sqlite", [0, 1], palettes=PALETTES),
        write_shard(
            tmp_path / "b.sqlite", [2, 4], palettes=PALETTES, skipped=[("3", "gone")]
        ),
    ]
    return merge(
        parts, [2, 3], tmp_path / "film.sqlite", shots=SHOTS, about={"shots": "{}"}
    )


def test_a_shot_has_the_frames_of_its_time(film):
    assert query(film, "SELECT * FROM shots") == [
        (1, 0, 0, 1, 0.0, 1.0),
        (1, 1, 2, 2, 1.0, 1.5),
        (1, 2, None, None, 1.5, 2.0),
        (1, 3, 4, 4, 2.0, 3.0),
    ]
    (about,) = query(film, "SELECT value FROM metadata WHERE key = 'shots'")
    assert about == ("{}",)


def test_a_shot_has_the_palette_of_its_frames(film):
    rows = query(film, "SELECT * FROM shot_palettes")
    assert [row[1:] for row in rows] == [
        (0, 0, 0xFF0000, pytest.approx(0.75)),
        (0, 1, 0x0000FF, pytest.approx(0.25)),
        (1, 0, 0x00FF00, 1.0),
        (3, 0, 0x0000FF, 1.0),
    ]


def test_shots_without_times_have_frames_by_their_numbers(tmp_path):
    part = write_shard(
        tmp_path / "a.sqlite", [0, 1, 2, 4], palettes=PALETTES, skipped=[("3", "gone")]
    )
    write_anew(part, "UPDATE frames SET time_s = NULL")
    shots = [Shot(0, 2, None, None), Shot(2, 5, None, None)]
    path = merge([part], [None], tmp_path / "film.sqlite", shots=shots)
    rows = query(path, "SELECT * FROM shots")
    assert rows == [(1, 0, 0, 1, None, None), (1, 1, 2, 4, None, None)]


def test_shots_go_into_the_database_of_all_films_and_its_check(film, tmp_path):
    path = tmp_path / "all.sqlite"
    merge_films([film], path, n_colors=2)
    for table in ("shots", "shot_palettes"):
        sql = f"SELECT * FROM {table}"
        assert query(path, sql) == query(film, sql) != []
    change(film, "UPDATE shots SET last_frame = 3 WHERE shot = 1")
    with pytest.raises(DamagedError):
        merge_films([film], tmp_path / "again.sqlite", n_colors=2)


def test_a_palette_is_the_same_whether_its_rows_come_at_once(
    film, tmp_path, monkeypatch
):
    sql = "SELECT * FROM shot_palettes UNION ALL SELECT 0, * FROM film_palettes"
    before = query(film, sql)
    monkeypatch.setattr(film_palettes, "SOME_ROWS", 1)
    parts = [tmp_path / "a.sqlite", tmp_path / "b.sqlite"]
    again = merge(parts, [2, 3], tmp_path / "again.sqlite", shots=SHOTS)
    assert query(again, sql) == before
