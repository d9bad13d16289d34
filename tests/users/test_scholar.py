"""A film scholar: four films, a spreadsheet, numbers to cite."""

import json

from films import numbered_film
from projects import COLORS, close_to, write_colors, write_tarball

# As a German Excel saves it: semicolons, decimal commas, cp1252.
SHEET = """film;source;title;start_s;end_s;Regie
amelie;films/a.mp4;Die fabelhafte Welt der Amélie;0:01;0:05;Jean-Pierre Jeunet
paprika;films/b.mp4;Paprika;0,5;;Satoshi Kon
tar;films/tars/*.tar;Standbilder;;;
"""

SMALL = {"barcodes": {"kinds": ["strip", "stacked"], "height": 60, "formats": ["png"]}}


def test_four_films_of_a_folder_one_of_them_broken(desk):
    films = desk.folder / "films"
    films.mkdir()
    for number in range(3):
        write_colors(films / f"film{number}.mp4", COLORS[: 3 + number])
    (films / "film3.mp4").write_bytes(b"a download that broke off")

    result = desk.run(films="films", **SMALL)

    assert result.status != 0
    (row,) = desk.failures()
    assert row["film"] == "film3"
    assert row["ended"].startswith("films/film3.mp4: ")
    # The others are done, and in the database of all.
    assert desk.query("SELECT count(*) FROM films") == [(3,)]
    assert all(
        (desk.folder / f"results/film{n}/barcodes/stacked.png").exists()
        for n in range(3)
    )
    # She gets the film again, and gives the same command.
    write_colors(films / "film3.mp4", COLORS[:3])
    result = desk.run(films="films", **SMALL)
    assert result.status == 0, result.stderr
    assert not any("film0" in job for job in result.jobs)
    assert desk.query("SELECT count(*) FROM films") == [(4,)]
    assert desk.run(films="films", **SMALL).jobs == set()


def test_a_sheet_from_a_spreadsheet_with_columns_of_her_own(desk):
    films = desk.folder / "films"
    films.mkdir()
    for name in "ab":
        write_colors(films / f"{name}.mp4")
    write_tarball(films / "tars/stills.tar", {"1.jpg": COLORS[0], "2.jpg": COLORS[1]})
    (desk.folder / "corpus.csv").write_bytes(SHEET.encode("cp1252"))

    result = desk.run(films="corpus.csv", **SMALL)

    assert result.status == 0, result.stderr
    rows = desk.query("SELECT film, title, start_s, end_s, sheet FROM films")
    assert [row[:4] for row in rows] == [
        ("amelie", "Die fabelhafte Welt der Amélie", 1.0, 5.0),
        ("paprika", "Paprika", 0.5, None),
        ("tar", "Standbilder", None, None),
    ]
    assert json.loads(rows[0][4]) == {"Regie": "Jean-Pierre Jeunet"}
    table = (desk.folder / "results/films.tsv").read_text(encoding="utf-8")
    assert table.splitlines()[0].endswith("\tRegie")
    assert table.splitlines()[2].endswith("\tSatoshi Kon")
    ((first,),) = desk.query(
        "SELECT mean_color FROM frames JOIN films USING (film_id) "
        "WHERE film = 'amelie' AND frame = 0"
    )
    assert close_to(first, COLORS[1])


def test_what_made_a_figure_can_be_told_years_later(desk):
    numbered_film(desk.folder / "film.mp4", 48)
    config = {"films": "film.mp4", "sampling": {"every": 0.5}, **SMALL}
    assert desk.run(**config).status == 0

    columns = "film, sampling, every, n_frames, n_pictures, digest, made_at"
    ((*row, digest, made_at),) = desk.query(f"SELECT {columns} FROM films")
    assert row == ["film", "interval", 0.5, 4, 48]
    assert digest
    assert made_at.startswith("20")
    assert desk.query("SELECT count(*) FROM images WHERE hex0 LIKE '#______'") == [(4,)]


def test_a_second_film_does_not_empty_the_place_of_the_first(desk):
    for name in ["first", "second"]:
        write_colors(desk.folder / f"{name}.mp4", COLORS[:2])
        assert desk.run(films=f"{name}.mp4", **SMALL).status == 0
    films = desk.query("SELECT film FROM films ORDER BY film")
    assert films == [("first",), ("second",)]
