"""How films were made, in whole runs."""

import json
import re

from projects import (
    COLORS,
    NO_PICTURES,
    ROOT,
    Project,
    write_colors,
    write_tarball,
)

TOLD = {**NO_PICTURES, "provenance": True}
OUTPUTS = {"methods.md", "CITATION.bib", "ro-crate-metadata.json"}
JOB = {"write_provenance"}


def read(project: Project, name: str) -> str:
    return (project.folder / "results" / name).read_text(encoding="utf-8")


def test_a_run_says_how_its_films_were_made_once(project):
    write_colors(project.folder / "colors.mp4")
    write_tarball(project.folder / "x.tar", COLORS[:2])
    config = {"films": ["colors.mp4", "x.tar"], **TOLD}
    result = project.make(**config)
    assert result.jobs >= JOB
    listed = "methods   results/CITATION.bib, methods.md, ro-crate-metadata.json"
    assert listed in result.stderr
    assert {*OUTPUTS, "colors/README.md", "x/README.md"} <= project.results()
    text = read(project, "methods.md")
    assert "8 frames of *colors* and *x* (2 to 6 of each)" in text
    assert "In *colors*, the video was decoded by FFmpeg" in text
    assert "In *x*, every image in 1 tarball counts as a frame" in text
    (version,) = re.findall(r"Snakemake ([\d.]+) ", text)
    assert version.startswith("9.")
    graph = json.loads(read(project, "ro-crate-metadata.json"))["@graph"]
    entities = {entity["@id"]: entity for entity in graph}
    ((digest,),) = project.query("SELECT digest FROM films WHERE film = 'colors'")
    assert entities["#film/colors"]["identifier"] == digest
    parts = {part["@id"] for part in entities["./"]["hasPart"]}
    assert {"films.tsv", "x/palettes.sqlite", "x/README.md"} <= parts
    assert project.make(**config).jobs == set()
    # What is made anew is told anew, and nothing else is done for it.
    named = {**config, "barcodes": {"kinds": ["mean"], "formats": []}}
    jobs = project.make(**named).jobs
    assert jobs == {*JOB, "render_barcodes/colors", "render_barcodes/x"}
    assert "`barcodes/`" in read(project, "x/README.md")


def test_what_is_handed_on_does_not_say_where_films_lie(project, tmp_path):
    away = tmp_path / "some where" / "ann"
    write_tarball(away / "tapes" / "a" / "1.tar", COLORS[:2])
    write_colors(away / "colors.mp4", COLORS[:2])
    sheet = project.folder / "films.tsv"
    sheet.write_text(
        f"film\tsource\ncolors\t{away}/colors.mp4\ntapes\t{away}/tapes/*/*.tar\n"
    )
    project.make(
        films="films.tsv",
        provenance=True,
        barcodes={"kinds": ["mean"], "formats": ["png", "svg", "pdf"]},
        explorer={"page": True},
    )
    assert project.query("SELECT source FROM films ORDER BY film_id") == [
        ("colors.mp4",),
        ("tapes/*/*.tar",),
    ]
    paths = project.query("SELECT path FROM shards ORDER BY film_id")
    assert paths == [("colors.mp4",), ("tapes/a/1.tar",)]
    # The page's link is the way from it to the film.
    page = read(project, "colors/explorer.html")
    assert '"../../../some%20where/ann/colors.mp4#t={time_s}"' in page
    for name in project.results():
        if not name.endswith("/plan.json"):
            data = (project.folder / "results" / name).read_bytes()
            for folder in (tmp_path, ROOT):
                assert str(folder).encode() not in data, name


def test_by_default_nothing_of_it_is_made(finished):
    assert not OUTPUTS & finished.results()


def test_of_films_that_could_be_made_it_is_told_though_others_failed(project):
    write_colors(project.folder / "good.mp4", COLORS[:2])
    whole = (project.folder / "good.mp4").read_bytes()
    (project.folder / "bad.mp4").write_bytes(whole[: len(whole) // 4])
    config = {"films": ["bad.mp4", "good.mp4"], **TOLD}
    assert project.run(**config).status == 1
    assert "2 frames of *good* were" in read(project, "methods.md")
    (project.folder / "bad.mp4").write_bytes(whole)
    assert project.make(**config).jobs >= JOB
    assert "4 frames of *bad* and *good* were" in read(project, "methods.md")
