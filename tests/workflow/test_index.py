"""The page of all films in whole runs."""

import shutil

import pytest

from projects import (
    ALL_FILMS,
    COLORS,
    NO_PICTURES,
    Project,
    make_project,
    name_merges,
    write_colors,
    write_tarball,
)
from reelbow.explorer.index_page import _read_entries

PAGES = {**NO_PICTURES, "explorer": {"page": True}}
INDEX = {"write_index"}


def read_page(project: Project) -> dict:
    entries = _read_entries(project.folder / "results/index.html")
    return {entry["film"]: entry for entry in entries}


@pytest.fixture(scope="module")
def made_once(tmp_path_factory, code) -> Project:
    """Two tarballs that are done, with their page."""
    project = make_project(tmp_path_factory.mktemp("made") / "project", code)
    for name, colors in {"x": COLORS[:2], "y": COLORS[2:4]}.items():
        write_tarball(project.folder / f"{name}.tar", colors)
    result = project.make(films=["x.tar", "y.tar"], **PAGES)
    assert result.jobs >= INDEX
    return project


@pytest.fixture
def made(made_once, tmp_path) -> Project:
    """A copy of them."""
    return made_once.copy(tmp_path / "project")


def test_a_run_makes_the_page_once_and_says_so(made):
    page = made.folder / "results/index.html"
    films = read_page(made)
    assert [films[film]["frames"] for film in films] == [2, 2]
    assert list(films) == ["x", "y"]
    again = made.make(films=["x.tar", "y.tar"], **PAGES)
    assert again.jobs == set()
    assert "pages     results/index.html" in again.stderr
    page.unlink()
    assert made.make(films=["x.tar", "y.tar"], **PAGES).jobs == INDEX


def test_without_pages_there_is_none_at_no_cost(project):
    write_tarball(project.folder / "x.tar", COLORS[:2])
    off = {**PAGES, "explorer": {"page": False}}
    assert not INDEX & project.make(films="x.tar", **off).jobs
    assert "index.html" not in project.results()
    # Asked for by its name it is made all the same.
    named = project.make("--", "results/index.html", films="x.tar", **off)
    assert named.jobs == INDEX


def test_of_films_in_turn_all_are_on_the_page(made):
    write_tarball(made.folder / "z.tar", COLORS[4:])
    before = read_page(made)
    result = made.make(films=["z.tar"], **PAGES)
    assert result.jobs >= INDEX
    films = read_page(made)
    assert list(films) == ["z", "x", "y"]
    assert films["x"] == before["x"]
    # Without its own page it leads nowhere.
    (made.folder / "results/x/explorer.html").unlink()
    made.make("--forcerun", "write_index", films=["z.tar"], **PAGES)
    assert read_page(made)["x"] == {**before["x"], "page": False}
    shutil.rmtree(made.folder / "results/x")
    made.make(films=["z.tar"], **PAGES)
    assert list(read_page(made)) == ["z", "y"]


def test_films_that_failed_are_on_the_page_with_their_reason_until_mended(project):
    write_colors(project.folder / "good.mp4", COLORS[:2])
    whole = (project.folder / "good.mp4").read_bytes()
    (project.folder / "bad.mp4").write_bytes(whole[: len(whole) // 4])
    config = {"films": ["bad.mp4", "good.mp4"], **PAGES}
    result = project.run(**config)
    assert result.status == 1
    films = read_page(project)
    (failure,) = project.failures()
    assert films["bad"] == {
        "film": "bad",
        "title": "bad",
        "fault": failure["ended"],
        "page": False,
    }
    assert films["good"]["frames"] == 2
    (project.folder / "bad.mp4").write_bytes(whole)
    assert project.make(**config).jobs > {*name_merges("bad"), *INDEX}
    assert read_page(project)["bad"]["frames"] == 2
    # What was made stays when its source goes, and the page says so.
    (project.folder / "bad.mp4").unlink()
    # As earlier versions left its previews.
    for sheet in (project.folder / "results/bad/previews").glob("*.jpg"):
        sheet.rename(sheet.with_suffix(".webp"))
    gone = project.run(**config)
    assert gone.status == 1
    film = read_page(project)["bad"]
    assert film["frames"] == 2
    assert "bad.mp4 is gone" in film["note"]


def test_films_without_frames_say_why_if_a_run_goes_on(project):
    write_colors(project.folder / "good.mp4", COLORS[:2])
    (project.folder / "bad.mp4").write_bytes(b"no film at all" * 100)
    project.make(films="*.mp4", errors={"missing_shards": "skip"}, **PAGES)
    films = read_page(project)
    assert "bad.mp4" in films["bad"]["fault"]
    assert films["bad"]["page"] is False
    assert films["good"]["page"] is True


def test_the_barcode_is_drawn_as_pictures_are(made):
    before = read_page(made)
    strip = {**PAGES, "barcodes": {"kinds": ["strip"], "formats": []}}
    result = made.make(films=["x.tar", "y.tar"], **strip)
    assert result.jobs > {"render_barcodes/x", "render_barcodes/y", *INDEX}
    assert read_page(made)["x"]["key"] != before["x"]["key"]
    assert not result.jobs & ALL_FILMS
