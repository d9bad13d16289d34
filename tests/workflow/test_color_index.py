"""The index of colors in runs: made, kept up with the films, and left out if asked."""

import time

import pytest

from projects import NO_PICTURES, make_project, write_tarball
from reelbow.database.search import find_frames

INDEXED = {**NO_PICTURES, "search": {"index": True}}
RED, GREEN, BLUE = 0xC02020, 0x20C020, 0x2020C0


def find(project, color):
    found = find_frames(project.folder / "results/palettes.sqlite", color, radius=0.1)
    return [(each.film, each.frame) for each in found]


def count_read(project) -> str:
    """What the last job said of how many films it read."""
    return (project.folder / "logs/index_colors.log").read_text().splitlines()[0]


@pytest.fixture(scope="module")
def indexed(tmp_path_factory, code):
    """Two films, one of which has red in its second frame."""
    project = make_project(tmp_path_factory.mktemp("indexed") / "project", code)
    write_tarball(project.folder / "x.tar", [GREEN, RED])
    write_tarball(project.folder / "y.tar", [BLUE])
    project.make(films=["x.tar", "y.tar"], **INDEXED)
    return project


@pytest.fixture
def archive(indexed, tmp_path):
    """A copy of them."""
    return indexed.copy(tmp_path / "project")


def test_the_index_is_kept_up_with_the_films(archive):
    assert find(archive, RED) == [("x", 1)]
    assert count_read(archive) == "films read: 2"

    # A film comes: only it is read.
    write_tarball(archive.folder / "z.tar", [RED])
    films = ["x.tar", "y.tar", "z.tar"]
    archive.make(films=films, **INDEXED)
    assert count_read(archive) == "films read: 1"
    assert find(archive, RED) == [("x", 1), ("z", 0)]

    # Nothing to do.
    assert archive.make(films=films, **INDEXED).jobs == set()

    # A film changes.
    time.sleep(0.01)
    write_tarball(archive.folder / "x.tar", [RED, GREEN])
    archive.make(films=films, **INDEXED)
    assert count_read(archive) == "films read: 1"
    assert find(archive, RED) == [("x", 0), ("z", 0)]

    # A film goes, with its folder.
    for path in sorted((archive.folder / "results/x").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    (archive.folder / "results/x").rmdir()
    archive.make(films=films[1:], **INDEXED)
    assert count_read(archive) == "films read: 0"
    assert find(archive, RED) == [("z", 0)]
    assert find(archive, GREEN) == []

    # One that is cut off is made again.
    index = archive.folder / "results/colors.sqlite"
    index.write_bytes(index.read_bytes()[:5000])
    result = archive.make(films=films[1:], **INDEXED)
    assert result.jobs == {"index_colors"}
    assert "results/colors.sqlite is damaged" in result.stderr
    assert find(archive, RED) == [("z", 0)]


def test_what_could_be_made_is_indexed_if_a_film_fails(archive):
    (archive.folder / "bad.tar").write_bytes(b"no tarball" * 1000)
    result = archive.run("--keep-going", films=["x.tar", "bad.tar"], **INDEXED)
    assert result.status != 0
    assert find(archive, RED) == [("x", 1)]


def test_who_wants_no_index_has_none(project):
    write_tarball(project.folder / "x.tar", [GREEN])
    without = {"films": "x.tar", **NO_PICTURES}
    assert "index_colors" not in project.make(**without).jobs
    assert "colors.sqlite" not in project.results()
