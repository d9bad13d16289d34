"""Films of which black and titles at the ends are left out, through the whole way."""

import json

import pytest

from blank_films import END_S, NAMES, START_S, write_blank_ends
from projects import NO_PICTURES, make_project, write_tarball

SHEET = "film\tsource\ttrim\nasked\tfilm.mp4\tauto\nplain\tfilm.mp4\t\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory, code):
    project = make_project(tmp_path_factory.mktemp("trim") / "project", code)
    write_blank_ends(project.folder / "film.mp4")
    (project.folder / "films.tsv").write_text(SHEET)
    return project


@pytest.fixture(scope="module")
def result(project):
    return project.make(films="films.tsv", provenance=True, **NO_PICTURES)


def test_what_is_left_out_is_told_and_recorded(project, result):
    before, after = NAMES
    sentence = (
        f"Reelbow: asked: trim leaves out what is before 0:07 ({before}) and all from "
        f"0:27 on ({after})."
    )
    assert result.stderr.count(sentence) == 1
    assert "plain: trim" not in result.stderr
    columns = "film, start_s, end_s, trim_asked, trimmed_start, trimmed_end, duration_s"
    assert project.query(f"SELECT {columns} FROM films ORDER BY film_id") == [
        ("asked", START_S, END_S, "auto", before, after, 37.0),
        ("plain", 0.0, None, "none", None, None, 37.0),
    ]
    planned = json.loads((project.folder / "results/asked/plan.json").read_text())
    assert planned["trimmed_start"] == before
    methods = (project.folder / "results/methods.md").read_text()
    assert "In *asked*, only the stretch from 0:07 to 0:27 was sampled." in methods
    assert "black, and titles and credits on black, were to be left out" in methods
    header, asked, _ = (project.folder / "results/films.tsv").read_text().splitlines()
    row = dict(zip(header.split("\t"), asked.split("\t"), strict=True))
    assert (row["start_s"], row["trimmed_end"]) == ("7.0", after)


def test_frames_are_those_of_the_whole_film_without_its_ends(project, result):
    frames = """SELECT {}, time_s, mean_color, luma
        FROM frames JOIN films USING (film_id) WHERE film = '{}' ORDER BY frame"""
    whole = project.query(frames.format("frame", "plain"))
    assert len(whole) == 37
    assert project.query(frames.format("frame + 7", "asked")) == whole[7:27]


def test_tarballs_are_told_to_stay_as_they_are_or_refused(project, result):
    write_tarball(project.folder / "tape.tar", [0, 0xC02020])
    dry = project.make("--dry-run", films="tape.tar", trim="auto")
    sentence = "Reelbow: trim: auto is for videos; of tape every image counts."
    assert dry.stderr.count(sentence) == 1
    sheet = project.folder / "tapes.tsv"
    sheet.write_text("film\tsource\ttrim\ntape\ttape.tar\tauto\n")
    refused = project.run("--dry-run", films="tapes.tsv")
    assert refused.status == 1
    assert refused.told == [
        "Reelbow: tapes.tsv line 2: trim is for videos, and tape.tar is of tarballs, "
        "of which every image counts; leave it empty"
    ]
    sheet.write_text("film\tsource\ttrim\ntape\ttape.tar\tnone\n")
    project.make("--dry-run", films="tapes.tsv")


def test_a_wrong_word_is_refused(project):
    refused = project.run("--dry-run", films="film.mp4", trim="always")
    assert refused.status == 1
    assert refused.told[-1].endswith("trim is 'always', should be one of auto, none")
