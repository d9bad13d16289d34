import pytest

from databases import ROW, query, write_shard
from merge_films import merge_films
from reelbow.errors import ReelbowError


def test_films_stand_in_the_order_given(tmp_path):
    films = [
        write_shard(tmp_path / f"{film}.sqlite", row=ROW._replace(film=film))
        for film in "za"
    ]
    palettes = tmp_path / "out" / "palettes.sqlite"
    merge_films(films, palettes, n_colors=2)
    numbered = query(palettes, "SELECT film_id, film FROM films ORDER BY film_id")
    assert numbered == [(1, "z"), (2, "a")]
    columns = query(palettes, "SELECT name FROM pragma_table_info('images')")
    assert [name for (name,) in columns] == [
        *["imgname", "film", "frame", "time_s"],
        *["color0", "color1", "hex0", "hex1"],
    ]


def test_a_damaged_film_leaves_nothing(tmp_path):
    damaged = tmp_path / "a.sqlite"
    damaged.write_bytes(b"no database" * 100)
    with pytest.raises(ReelbowError, match=r"a\.sqlite: the film is damaged"):
        merge_films([damaged], tmp_path / "out" / "palettes.sqlite", n_colors=2)
    assert list((tmp_path / "out").iterdir()) == []
