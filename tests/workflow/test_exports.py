"""Tables of films in whole runs."""

import csv

from projects import ALL_FILMS, COLORS, NO_PICTURES, write_tarball

TABLES = {**NO_PICTURES, "tables": {"formats": ["csv"]}}
EXPORTS = {"export_tables/x", "export_films"}
OF_FILM = {
    *(f"{name}.csv" for name in ["frames", "palettes"]),
    *(f"film.{suffix}" for suffix in ["json", "ase", "gpl", "aco", "css"]),
}


def test_a_run_makes_tables_once_and_what_is_deleted_again(project):
    write_tarball(project.folder / "x.tar", COLORS[:2])
    sheet = project.folder / "films.tsv"
    sheet.write_text("film\tsource\tdirector\nx\tx.tar\tMurnau\n")
    asked = {"films": "films.tsv", **TABLES}
    assert project.make(**asked).jobs > EXPORTS
    folder = project.folder / "results/x/tables"
    assert {path.name for path in folder.iterdir()} == OF_FILM
    with (folder / "palettes.csv").open() as stream:
        colors = [row["color"] for row in csv.DictReader(stream)]
    assert colors == [f"#{color:06x}" for color in COLORS[:2]]
    with (project.folder / "results/tables/films.csv").open() as stream:
        (film,) = csv.DictReader(stream)
    assert (film["film"], film["director"], film["n_read"]) == ("x", "Murnau", "2")
    assert {film["color_1"], film["color_2"]} == set(colors)

    again = project.make(**asked)
    assert again.jobs == set()
    assert "films     results/tables/films.csv" in again.stderr
    (folder / "film.aco").unlink()
    assert project.make(**asked).jobs == {"export_tables/x"}
    # Another column of the sheet is another row of the film, and no other frames.
    sheet.write_text("film\tsource\tdirector\nx\tx.tar\tF. W. Murnau\n")
    assert project.make(**asked).jobs == {"merge_film/x", *EXPORTS, *ALL_FILMS}


def test_without_formats_there_are_none_at_no_cost(project):
    write_tarball(project.folder / "x.tar", COLORS[:2])
    off = {**NO_PICTURES, "tables": {"formats": []}}
    jobs = project.make(films="x.tar", **off).jobs
    assert not EXPORTS & jobs
    assert not list(project.folder.glob("results/**/tables"))
