"""Several runs in one folder: what stays in the database of all films."""

import os
import shutil
import sqlite3
import threading
import time
from contextlib import closing

import pytest

from projects import (
    ALL_FILMS,
    COLORS,
    FINISHED,
    NO_PICTURES,
    make_project,
    name_jobs,
    name_merges,
    write_colors,
    write_tarball,
)
from reelbow.shards.names import STAGES


@pytest.fixture
def project(tmp_path, code):
    project = make_project(tmp_path / "project", code)
    write_both(project)
    return project


def write_both(project) -> None:
    for film, colors in (("x", COLORS[:2]), ("y", COLORS[2:4])):
        write_tarball(project.folder / f"{film}.tar", colors)


@pytest.fixture(scope="module")
def both_made(tmp_path_factory, code):
    """Both films, which are done."""
    project = make_project(tmp_path_factory.mktemp("both") / "project", code)
    write_both(project)
    project.make(films=["x.tar", "y.tar"], **NO_PICTURES)
    return project


@pytest.fixture
def both(both_made, tmp_path):
    """A copy of them."""
    return both_made.copy(tmp_path / "project")


def films(project) -> list[str]:
    rows = project.query("SELECT film FROM films ORDER BY film_id")
    assert project.query("SELECT DISTINCT film_id FROM frames ORDER BY 1") == [
        (number + 1,) for number in range(len(rows))
    ]
    return [film for (film,) in rows]


def test_what_was_made_before_with_the_same_settings_stays(project):
    project.make(films="y.tar", **NO_PICTURES)
    result = project.make(films="x.tar", **NO_PICTURES)
    assert films(project) == ["x", "y"]
    assert "also has what was made before with the same settings: y." in result.stderr
    # As if both had been given at once.
    both = project.copy(project.folder.with_name("both"))
    assert both.run(films=["x.tar", "y.tar"], **NO_PICTURES).jobs == ALL_FILMS
    assert both.rows() == project.rows()

    result = project.make(films="x.tar", cluster={"n_colors": 2}, **NO_PICTURES)
    assert films(project) == ["x"]
    sentence = "leaves out what was made before with other settings or by another"
    assert f"{sentence} version, or is damaged: y;" in result.stderr


def test_a_film_named_alike_does_not_take_another_one_s_place(project):
    for folder in "ab":
        (project.folder / folder).mkdir()
    write_colors(project.folder / "a/film.mp4", COLORS[:1])
    write_colors(project.folder / "b/film.mp4", COLORS[1:2])
    project.make(films="a/film.mp4", **NO_PICTURES)
    before = project.rows()
    result = project.run(films="b/film.mp4", **NO_PICTURES)
    assert result.status == 1
    assert result.jobs == set()
    assert result.stderr.splitlines()[-1] == (
        "Reelbow: films: b/film.mp4 would take the place of a/film.mp4 in "
        "results/film, since both are named 'film'; give each an id of its own in a "
        "sheet, or delete results/film"
    )
    # The same film, moved.
    (project.folder / "a/film.mp4").rename(project.folder / "film.mp4")
    project.make(films="film.mp4", **NO_PICTURES)
    before["films"] = [
        tuple("film.mp4" if cell == "a/film.mp4" else cell for cell in row)
        for row in before["films"]
    ]
    assert project.rows() == before
    # In a sheet the user says what it is.
    sheet = project.folder / "films.tsv"
    sheet.write_text("film\tsource\nfilm\tb/film.mp4\n")
    project.make(films="films.tsv", **NO_PICTURES)
    assert project.query("SELECT source FROM films") == [("b/film.mp4",)]


def test_a_film_that_fails_withholds_no_other(project):
    (project.folder / "bad.mp4").write_bytes(b"no film" * 1000)
    given = ["bad.mp4", "y.tar", "x.tar"]
    result = project.run(films=given, **NO_PICTURES)
    assert result.status != 0
    assert films(project) == ["y", "x"]
    assert (
        "results/palettes.sqlite has 2 of this run's 3 films; bad will be in it when "
        "mended." in result.stderr
    )
    assert "Traceback" not in result.stderr

    # A film that was there before stays, and the rest is new.
    write_colors(project.folder / "bad.mp4", COLORS[:1])
    result = project.make(films=given, **NO_PICTURES)
    assert result.jobs >= {"merge_film/bad", "merge_films"}
    assert films(project) == ["bad", "y", "x"]
    good = project.rows()
    (project.folder / "x.tar").write_bytes(b"no tarball")
    result = project.run(films=given, **NO_PICTURES)
    assert result.status != 0
    assert project.rows() == good
    assert "palettes.sqlite has x as an earlier run left it." in result.stderr


def test_readers_find_a_database_all_the_time(project):
    config = {"films": "x.tar", **NO_PICTURES}
    project.make(**config)
    found = []
    done = threading.Event()

    def read():
        while not done.is_set():
            try:
                found.append(
                    project.query("SELECT count(*), max(title) FROM films")
                    + project.query("SELECT title FROM films", "x/palettes.sqlite")
                )
            except sqlite3.Error as error:
                found.append(str(error))
            time.sleep(0.002)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        sheet = project.folder / "films.tsv"
        sheet.write_text("film\tsource\ttitle\nx\tx.tar\tNew\ny\ty.tar\tOther\n")
        result = project.make(**config | {"films": "films.tsv"})
    finally:
        done.set()
        reader.join()
    assert result.jobs >= {"merge_film/x", "merge_films"}
    before, after = [(1, "x"), ("x",)], [(2, "Other"), ("New",)]
    between = [(1, "x"), ("New",)]
    assert found[0] == before
    assert found[-1] == after
    assert [each for each in found if each not in (before, between, after)] == []


def test_a_merge_that_fails_leaves_the_old_one_and_runs_again(both):
    # No input is newer, only their order is another.
    project, config = both, {"films": ["y.tar", "x.tar"], **NO_PICTURES}
    before = project.rows()
    film = project.folder / "results/x/palettes.sqlite"
    whole, when = film.read_bytes(), film.stat().st_mtime_ns
    with closing(sqlite3.connect(film)) as other:
        other.execute("PRAGMA user_version = 999")
    os.utime(film, ns=(when, when))
    result = project.run(**config)
    film.write_bytes(whole)
    os.utime(film, ns=(when, when))
    assert result.status != 0
    (row,) = project.failures()
    assert "made by a newer Reelbow" in row["ended"]
    assert "results/palettes.sqlite is as an earlier run left it." in result.stderr
    assert project.rows() == before
    result = project.make(**config)
    assert result.jobs == ALL_FILMS
    assert films(project) == ["y", "x"]


def test_damaged_databases_are_told_and_made_again(both):
    project, config = both, {"films": ["x.tar", "y.tar"], **NO_PICTURES}
    good = project.rows()
    results = project.folder / "results"
    whole, film = results / "palettes.sqlite", results / "x/palettes.sqlite"
    shard = results / "y/palettes/y.sqlite"
    left = whole.read_bytes()[:5000]

    # Cut off: of all films, of a film.
    for path, jobs in {whole: ALL_FILMS, film: name_merges("x")}.items():
        path.write_bytes(left)
        result = project.make(**config)
        assert (
            f"Reelbow: {path.relative_to(project.folder)} is damaged: it is cut off, "
            "or no database; it is made again." in result.stderr
        )
        assert result.jobs == jobs
        assert project.rows() == good

    # A bit of a row: of a film, then of a shard; the merge finds it.
    for path, merged, jobs in [
        (film, whole, name_merges("x")),
        (
            shard,
            results / "y/palettes.sqlite",
            name_jobs(STAGES, "y", "y") | name_merges("y"),
        ),
    ]:
        path.write_bytes(path.read_bytes().replace(b"0.jpg", b"1.jpg", 1))
        merged.unlink()
        result = project.run("--retries", "1", **config)
        assert result.status != 0
        (row,) = project.failures()
        assert f"{path.relative_to(project.folder)}: " in row["ended"]
        assert "give the same command again, which makes it anew" in row["ended"]
        assert "Traceback" not in result.stderr
        result = project.make(**config)
        assert result.jobs == jobs
        assert project.rows() == good
        assert project.run(**config).jobs == set()


def test_a_damaged_plan_is_told_and_made_again_once_deleted(both):
    project, config = both, {"films": ["x.tar", "y.tar"], **NO_PICTURES}
    plan, good = project.folder / "results/x/plan.json", project.rows()
    plan.write_bytes(plan.read_bytes()[:-20])
    result = project.run(**config)
    assert result.status != 0
    assert "x/plan.json: the plan is damaged; delete it and run again" in result.stderr
    plan.unlink()
    project.make(**config)
    assert project.rows() == good


def test_a_dry_run_changes_nothing_and_sees_what_is_to_be_made_again(copied):
    results = copied.folder / "results"
    good = copied.rows()
    whole = results / "palettes.sqlite"
    whole.write_bytes(whole.read_bytes()[:5000])
    # What a killed job left on a node.
    link = results / "colors/thumbnails/00000.npz"
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(f"/dev/shm/reelbow-{os.getuid()}/gone.npz")
    # Nobody has seen this film before.
    shutil.rmtree(copied.folder / ".snakemake/sources")

    before = look(copied)
    result = copied.make("--dry-run", **FINISHED)
    assert "results/palettes.sqlite is damaged: it is cut off" in result.stderr
    assert result.counts["total"] == len([*ALL_FILMS, "all"])
    shard = "results/colors/palettes/00000.sqlite"
    result = copied.make("--dry-run", "--force", shard, **FINISHED)
    assert result.counts["downsample_frames"] == 1
    assert look(copied) == before

    result = copied.make(**FINISHED)
    assert result.jobs == ALL_FILMS
    assert copied.rows() == good
    assert not link.is_symlink()
    assert (copied.folder / ".snakemake/sources/results.json").exists()


def look(project) -> dict[str, tuple[int, int]]:
    """What lies in a project's folder, without what Snakemake and the test write."""
    return {
        str(path): (path.lstat().st_mtime_ns, path.lstat().st_size)
        for path in project.folder.rglob("*")
        if (".snakemake" not in path.parts or "sources" in path.parts)
        and path.name != "own.yaml"
    }
