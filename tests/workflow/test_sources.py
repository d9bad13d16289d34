"""Films' files that change, go or cannot be read between two runs."""

import os
import shutil

import pytest

from projects import (
    ALL_FILMS,
    COLORS,
    NO_PICTURES,
    close_to,
    make_project,
    name_jobs,
    name_merges,
    write_colors,
    write_tarball,
)
from reelbow.shards.names import STAGES

PAST = 10**9
CONFIG = {"films": "films.tsv", **NO_PICTURES}


@pytest.fixture(scope="module")
def made_once(tmp_path_factory, code):
    """Films of a video and of tarballs that are made, and older files beside them."""
    project = make_project(tmp_path_factory.mktemp("made") / "project", code)
    folder = project.folder
    for name in ("a", "z"):
        write_colors(folder / f"{name}.mp4", COLORS[:1])
    for name in "xy":
        write_tarball(folder / f"t/{name}.tar", {"0.jpg": COLORS[1]})
    write_colors(folder / "old.mp4", COLORS[2:4])
    write_tarball(folder / "old.tar", {"0.jpg": COLORS[4]})
    for name in ("old.mp4", "old.tar"):
        os.utime(folder / name, (PAST, PAST))
    write_sheet(project, "a", "t", "z")
    project.make(**CONFIG)
    return project


@pytest.fixture
def made(made_once, tmp_path):
    """A copy of them."""
    return made_once.copy(tmp_path / "project")


def write_sheet(project, *films: str) -> None:
    sources = [f"{film}.mp4" if film != "t" else "t/*.tar" for film in films]
    rows = [f"{film}\t{source}" for film, source in zip(films, sources, strict=True)]
    text = "\n".join(["film\tsource", *rows]) + "\n"
    (project.folder / "films.tsv").write_text(text)


def films(project) -> list[str]:
    return [
        film for _, film in project.query("SELECT film_id, film FROM films ORDER BY 1")
    ]


def test_a_file_in_whose_place_an_older_one_comes_is_made_again(made):
    folder = made.folder
    assert made.run(**CONFIG).jobs == set()
    shutil.copy2(folder / "old.mp4", folder / "a.mp4")
    (folder / "old.tar").replace(folder / "t/y.tar")
    result = made.make(**CONFIG)
    chain = {"plan_shards/a"} | name_jobs(STAGES, "a", "00000") | name_merges("a")
    chain |= name_jobs(STAGES, "t", "y") | name_merges("t")
    assert result.jobs == chain
    found = [
        color
        for (color,) in made.query(
            "SELECT mean_color FROM frames WHERE film_id < 3 ORDER BY film_id, frame"
        )
    ]
    wanted = [*COLORS[2:4], COLORS[1], COLORS[4]]
    assert len(found) == len(wanted)
    assert all(map(close_to, found, wanted))
    assert made.run(**CONFIG).jobs == set()

    # The same content at an older time.
    for path in ["a.mp4", "z.mp4", "t/x.tar", "t/y.tar"]:
        os.utime(folder / path, (PAST - 5, PAST - 5))
    assert made.run(**CONFIG).jobs == set()

    # In another order the films have other numbers.
    write_sheet(made, "z", "a", "t")
    assert made.run(**CONFIG).jobs == ALL_FILMS
    assert films(made) == ["z", "a", "t"]


def test_what_cannot_be_read_any_more_fails_alone_and_keeps_its_results(made):
    folder, before = made.folder, made.rows()
    (folder / "z.mp4").rename(folder / "away.mp4")
    os.utime(folder / "t/x.tar", (4 * PAST, 4 * PAST))
    (folder / "empty.mp4").touch()
    (folder / "link.mp4").symlink_to("nowhere.mp4")
    write_colors(folder / "new.mp4", COLORS[:1])
    write_sheet(made, "a", "t", "z", "empty", "link", "new")
    result = made.run(**CONFIG)
    assert result.status == 1
    told = {(row["film"], row["stage"]): row["ended"] for row in made.failures()}
    stays = "; what was made of it stays in results"
    future = told.pop(("t", "find_source"))
    assert future.startswith("t/x.tar was changed in the future, 2096-10-0")
    assert future.endswith(f"or set the clock{stays}/t")
    assert told == {
        ("z", "find_source"): "z.mp4 is gone; bring it back, or take z out of the films"
        f"{stays}/z",
        ("empty", "plan_shards"): "empty.mp4 is empty; copy or download it again",
        ("link", "plan_shards"): "link.mp4 is a link to nowhere.mp4, which is not "
        "there; mend it",
    }
    # Those that can be read are done; the others are there as they were.
    assert films(made) == ["a", "new", "t", "z"]
    assert "palettes.sqlite has t, z as an earlier run left it." in result.stderr
    assert "Traceback" not in result.stderr
    assert "WorkflowError" not in result.stderr

    # When they are back nothing is made again of what was made.
    (folder / "away.mp4").rename(folder / "z.mp4")
    os.utime(folder / "t/x.tar", (PAST, PAST))
    write_sheet(made, "a", "t", "z")
    shutil.rmtree(folder / "results/new")
    result = made.run(**CONFIG)
    assert result.jobs == ALL_FILMS
    assert made.rows() == before
    assert not made.failures()

    # Without any film there is nothing to do.
    for path in ["a.mp4", "z.mp4", "t/x.tar", "t/y.tar"]:
        (folder / path).unlink()
    result = made.run(**CONFIG)
    assert result.status == 1
    assert result.stderr.splitlines()[-1] == (
        "Reelbow: none of the films can be read: z.mp4 is gone; bring it back, or take "
        "z out of the films"
    )
    assert made.rows() == before


def test_results_that_are_no_folder_are_told_in_one_sentence(project):
    write_colors(project.folder / "a.mp4", COLORS[:1])
    (project.folder / "results").write_text("mine")
    result = project.run(films="a.mp4", **NO_PICTURES)
    assert result.status == 1
    assert result.stderr.splitlines()[-1] == (
        "Reelbow: results is a file; rename it, since results go into a folder of that "
        "name"
    )
