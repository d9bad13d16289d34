"""Results that are verified, and shards that are made anew to be compared."""

import csv
import sqlite3
from contextlib import closing

import pytest

from databases import write_anew
from photos import write_photo
from projects import (
    COLORS,
    ONE_PICTURE,
    make_project,
    write_colors,
    write_tarball,
)

CONFIG = {
    "films": "films.tsv",
    "shards": {"frames": 2},
    **ONE_PICTURE,
    "provenance": True,
}

# SQLite has no exclusive or.
FLIP = (
    "UPDATE palettes SET color = (color | 1) - (color & 1) "
    "WHERE frame = {} AND rank = 0"
)


@pytest.fixture(scope="module")
def done(tmp_path_factory, code):
    project = make_project(tmp_path_factory.mktemp("verified") / "project", code)
    folder = project.folder
    write_colors(folder / "film.mp4", COLORS[:4])
    write_tarball(folder / "tape.tar", COLORS[:2])
    for name in "abc":
        write_photo(folder / f"photos/{name}.jpg", color=(90, 200, 50))
    films = ["film\tsource", "film\tfilm.mp4", "tape\ttape.tar", "photos\tphotos"]
    (folder / "films.tsv").write_text("\n".join(films))
    project.make(**CONFIG)
    return project


@pytest.fixture
def project(done, tmp_path):
    return done.copy(tmp_path / "project")


def read_wrong(project, table="verified"):
    with (project.folder / f"results/{table}.tsv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    key = "reason" if table == "verified" else "difference"
    return rows, [row for row in rows if row[key]]


def change(path, sql):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(sql)


def test_results_as_they_were_made_pass(project):
    result = project.make("--", "verify", **CONFIG)
    rows, wrong = read_wrong(project)
    assert not wrong
    assert f"Reelbow: {len(rows)} files: all are what they were." in result.told
    files = {row["file"] for row in rows}
    assert {
        "film.mp4",
        "tape.tar",
        "photos/a.jpg to photos/b.jpg",
        "photos/c.jpg",
        "results/palettes.sqlite",
        "results/film/palettes.sqlite",
        "results/film/palettes/00001.sqlite",
        "results/film/previews/00001.jpg",
        "results/film/barcodes/mean.png",
        "results/films.tsv",
        "results/tape/README.md",
    } <= files
    # Nothing else is done, and it is done again each time.
    assert result.jobs == {"verify"}
    assert project.run("--", "verify", **CONFIG).jobs == {"verify"}
    assert project.run(**CONFIG).jobs == set()


def test_all_that_is_wrong_is_told_in_one_table(project):
    folder = project.folder
    results = folder / "results"
    # A flipped bit, which SQLite takes for as good as any.
    shard = results / "film/palettes/00000.sqlite"
    change(shard, FLIP.format(1))
    # Frames that are gone, with a digest that fits what is left.
    write_anew(results / "tape/palettes.sqlite", "DELETE FROM frames WHERE frame = 1")
    change(results / "palettes.sqlite", "UPDATE frames SET luma = 1 WHERE film_id = 3")
    page = results / "film/previews/00001.jpg"
    page.write_bytes(page.read_bytes()[:50])
    (results / "film/barcodes/mean.png").write_bytes(b"another picture")
    (results / "photos/palettes/00001.sqlite").unlink()
    write_photo(folder / "photos/b.jpg", color=(90, 20, 50))
    (folder / "tape.tar").unlink()
    result = project.run("--", "verify", **CONFIG)
    assert result.status != 0
    _, wrong = read_wrong(project)
    told = {(row["film"], row["file"]): row["reason"] for row in wrong}
    rest = {
        key: reason
        for key, reason in told.items()
        if "not what results/ro" not in reason
    }
    assert rest == {
        ("film", "results/film/palettes/00000.sqlite"): (
            "the database is damaged (its rows are not those that were written)"
        ),
        ("film", "results/film/previews/00001.jpg"): (
            "is no sheet of previews, or is damaged; delete it and run again"
        ),
        ("photos", "results/photos/palettes/00001.sqlite"): "not there",
        ("photos", "photos/a.jpg to photos/b.jpg"): (
            "has changed since palettes were made of it"
        ),
        ("photos", "results/palettes.sqlite"): (
            "not as in the film's own: frames, row 0: another luma"
        ),
        ("tape", "results/tape/palettes.sqlite"): (
            "shard tape has 1 frames, and should have 2"
        ),
        ("tape", "results/palettes.sqlite"): (
            "not as in the film's own: frames has more rows"
        ),
        ("tape", "tape.tar"): "tape.tar is not there",
    }
    assert ("", "results/film/barcodes/mean.png") in told
    assert f"{len(wrong)} of " in result.stderr
    assert "results/verified.tsv lists them" in result.stderr


def test_what_was_never_made_is_told(project):
    (project.folder / "results/photos/plan.json").unlink()
    (project.folder / "results/photos/palettes.sqlite").unlink()
    (project.folder / "results/palettes.sqlite").unlink()
    assert project.run("--", "verify", **CONFIG).status != 0
    _, wrong = read_wrong(project)
    assert {row["file"] for row in wrong} >= {
        "results/photos/plan.json",
        "results/photos/palettes.sqlite",
        "results/palettes.sqlite",
    }


def test_an_audit_finds_a_planted_bit(project):
    shares = {"share": 1.0}
    result = project.make("--", "audit", **CONFIG, audit=shares)
    rows, wrong = read_wrong(project, "audit")
    assert (len(rows), wrong) == (5, [])
    assert "Reelbow: 5 shards made anew: all the same." in result.told
    shard = project.folder / "results/film/palettes/00001.sqlite"
    # With a digest that fits it, so that nothing else would find it.
    write_anew(shard, FLIP.format(2))
    result = project.run("--", "audit", **CONFIG, audit=shares)
    assert result.status != 0
    rows, wrong = read_wrong(project, "audit")
    assert [(row["film"], row["shard"], row["difference"]) for row in wrong] == [
        ("film", "00001", "palettes, row 0: another color")
    ]
    assert len(rows) == 5
    assert "1 of 5 shards came out differently" in result.stderr
    assert not [*(project.folder / "results").glob("*/audit")]


def test_an_audit_at_full_size_is_of_a_share(project):
    config = {**CONFIG, "downsample": {"height": None}, "provenance": False}
    result = project.make("--", "audit", **config, audit={"share": 0.3})
    rows, wrong = read_wrong(project, "audit")
    assert (len(rows), wrong) == (2, [])
    assert {job.partition("/")[0] for job in result.jobs} >= {"audit_palettes", "audit"}
