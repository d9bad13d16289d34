import csv

import pytest

from reelbow.database.opening import open_new
from reelbow.database.schema import FilmRow
from reelbow.database.writing import add_film
from summarize_films import summarize_films


def test_films_and_skipped_pictures_are_tables(tmp_path):
    path = tmp_path / "palettes.sqlite"
    about = {"source": "a.tar", "width": 64, "height": 48, "duration_s": None}
    row = FilmRow(film="a", title="Ä\tfilm", crop=None, **about)
    with open_new(path) as connection:
        add_film(connection, 1, row)
        sheet = '{"director": "Kon", "width": "4K", "+1": "-2"}'
        add_film(connection, 2, row._replace(film="b", title="b", sheet=sheet))
        connection.execute(
            "INSERT INTO skipped (film_id, shard, name, reason) "
            "VALUES (1, '00001', '=HYPERLINK(1).jpg', 'cut off')"
        )
    summarize_films(path, tmp_path / "films.tsv", tmp_path / "skipped.tsv")

    def read(name):
        with (tmp_path / name).open(newline="", encoding="utf-8") as stream:
            return list(csv.DictReader(stream, delimiter="\t"))

    films = read("films.tsv")
    assert [film["film"] for film in films] == ["a", "b"]
    assert films[0]["title"] == "Ä\tfilm"
    assert [(film["frames"], film["skipped"]) for film in films] == [
        ("0", "1"),
        ("0", "0"),
    ]
    assert "film_id" not in films[0]
    # The sheet's own columns; one of them has the name of another.
    assert [(film["director"], film["sheet_width"]) for film in films] == [
        ("", ""),
        ("Kon", "4K"),
    ]
    assert films[1]["width"] == "64"
    assert films[1]["'+1"] == "'-2"
    assert read("skipped.tsv") == [
        {
            **{"film": "a", "shard": "00001", "reason": "cut off"},
            # No formula.
            "name": "'=HYPERLINK(1).jpg",
        }
    ]


def test_a_database_that_cannot_be_opened_is_told_by_its_name(tmp_path):
    path = tmp_path / "palettes.sqlite"
    with pytest.raises(OSError, match="No such file") as error:
        summarize_films(path, tmp_path / "films.tsv", tmp_path / "skipped.tsv")
    assert error.value.filename == str(path)
