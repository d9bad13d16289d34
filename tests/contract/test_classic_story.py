"""The tables of the classic story are those of the measured figures."""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def script(monkeypatch):
    # At the end: tests and benchmarks both have a films.py.
    monkeypatch.setattr(sys, "path", [*sys.path, str(ROOT / "benchmarks")])
    import classic_story

    return classic_story


@pytest.fixture
def figures(script):
    return json.loads(script.FIGURES.read_text())


def test_the_page_has_every_measured_table(script, figures):
    page = script.PAGE.read_text()
    for name, table in script.render_tables(figures).items():
        assert page.count(f"<!-- {name} -->\n{table}\n<!-- /{name} -->") == 1


def test_every_step_was_measured_and_has_its_words(script, figures):
    with script.WORDS.open(newline="") as file:
        words = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        named = [f"{line['table']}.{line['row']}" for line in words if line["row"]]
    named += [f"threads.{what}.{n}" for what in script.THREADS for n in (1, 2)]
    assert sorted(named) == sorted(figures["steps"])


def test_a_step_that_could_not_be_measured_has_a_row_that_says_so(script, figures):
    del figures["steps"]["averages.cython"]
    rows = script.render_tables(figures)["story_averages"].splitlines()
    (row,) = [row for row in rows if "Cython" in row]
    assert row.endswith("| - | - | - | not installed |")


def test_errors_are_told_against_averages_over_areas(script, monkeypatch):
    monkeypatch.setattr(script, "ROWS", 2)
    monkeypatch.setattr(script, "COLUMNS", 2)
    # The line in the middle belongs to both rows by half.
    picture = np.array([[0, 0], [30, 60], [90, 90]])[..., None].repeat(3, 2)
    exact = script.average_exactly(picture)
    np.testing.assert_allclose(exact[..., 0], [[10, 20], [70, 80]])
    assert script.judge_thumbnails([exact])([exact + np.array([3, 0, -1])]) == "3.0 / 3"


def test_inertia_is_that_of_the_nearest_color(script):
    picture = np.array([[[0, 0, 0], [10, 0, 0], [255, 255, 250]]], np.uint8)
    colors = np.array([[2, 0, 0], [255, 255, 255]], float)
    assert script.measure_inertia(picture, colors) == 4 + 64 + 25


def test_the_loop_averages_all_pixels(script):
    names: dict = {}
    exec(script.FUSED, names)
    picture = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    strip, area = np.empty((4, 3), int), np.zeros((2, 3, 3), int)
    names["fuse"](picture.astype(int), strip, area)
    assert (strip == picture.sum(1)).all()
    assert (area == picture.reshape(2, 2, 3, 2, 3).sum((1, 3))).all()


def test_clusters_found_together_are_those_of_each_frame(script):
    dice = np.random.default_rng(1)
    colors = dice.permutation(np.linspace(0, 255, script.K, dtype=np.uint8))
    gray = np.stack([np.tile(colors, 50), np.tile(colors[::-1] // 2, 50)])
    frames = gray.reshape(2, -1, script.K, 1).repeat(3, 3)
    found = script.cluster_together(frames)
    for frame, centers in zip(frames, found, strict=True):
        inertia = script.measure_inertia(frame, centers)
        assert inertia <= 0.2 * ((frame - frame.mean((0, 1))) ** 2).sum()
