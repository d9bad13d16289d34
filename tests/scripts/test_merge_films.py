import sqlite3
from contextlib import closing

import pytest

from merge_films import merge_films
from reelbow.database.schema import ONLY_FILM, FilmRow, open_new
from reelbow.database.writing import add_film, finish
from reelbow.errors import ReelbowError


def write_film(path, film, n_colors=2):
    row = FilmRow(film, film, f"{film}.mkv")
    with open_new(path) as connection:
        add_film(connection, ONLY_FILM, row)
        finish(connection, {"settings": film}, n_colors=n_colors)
    return path


def test_films_stand_in_the_order_given(tmp_path):
    films = [write_film(tmp_path / f"{name}.sqlite", name) for name in ["z", "a"]]
    palettes = tmp_path / "out" / "palettes.sqlite"
    merge_films(films, palettes, n_colors=2)
    with closing(sqlite3.connect(palettes)) as connection:
        rows = connection.execute("SELECT * FROM films ORDER BY 1").fetchall()
        columns = connection.execute("SELECT * FROM images").description
    assert [row[:2] for row in rows] == [(1, "z"), (2, "a")]
    assert [column[0] for column in columns] == [
        *["imgname", "film", "frame", "time_s"],
        *["color0", "color1", "hex0", "hex1"],
    ]


def test_a_damaged_film_leaves_nothing(tmp_path):
    damaged = tmp_path / "a.sqlite"
    damaged.write_bytes(b"no database" * 100)
    with pytest.raises(ReelbowError, match=r"a\.sqlite: the film is damaged"):
        merge_films([damaged], tmp_path / "out" / "palettes.sqlite", n_colors=2)
    assert list((tmp_path / "out").iterdir()) == []
