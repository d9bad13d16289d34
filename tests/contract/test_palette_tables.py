"""The tables of palettes in the documents are those of the measured figures."""

import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEASURED = json.loads((ROOT / "benchmarks" / "palette_quality.json").read_text())


@pytest.fixture
def script(monkeypatch):
    # At the end: tests and benchmarks both have a films.py.
    monkeypatch.setattr(sys, "path", [*sys.path, str(ROOT / "benchmarks")])
    import palette_quality

    return palette_quality


def read_between(path: Path) -> str:
    parts = re.findall(
        r"<!-- palettes -->\n(.*)<!-- /palettes -->", path.read_text(), re.DOTALL
    )
    assert len(parts) == 1
    return parts[0]


def test_the_performance_page_has_every_measured_table(script):
    text = read_between(ROOT / "docs" / "performance.md")
    assert text == script.format_performance(MEASURED)
    assert text.count("| numba |") == len(script.TABLES)


def test_the_measured_figures_are_of_all_tables_and_engines(script):
    assert list(MEASURED) == list(script.TABLES)
    for one in MEASURED.values():
        assert list(one["engines"]) == list(script.ENGINES)


def test_the_page_names_the_command(script):
    assert script.COMMAND in (ROOT / "docs" / "performance.md").read_text()


def test_a_missing_engine_says_how_to_install_it(script):
    one = MEASURED["k8"]
    others = {each: row for each, row in one["engines"].items() if each != "faiss"}
    text = script.format_table("k8", one | {"engines": others})
    assert f"| faiss | not installed: `{script.COMMAND}` |" in text


def divide_seconds(name: str) -> float:
    rows = MEASURED[name]["engines"]
    return rows["scikit-learn"]["cpu_s"] / rows["numba"]["cpu_s"]


def test_the_measured_palettes_of_thumbnails_are_as_good_and_fast_as_asked():
    numba = MEASURED["k8"]["engines"]["numba"]
    assert MEASURED["k8"]["frames"] == 597
    assert numba["mean"] <= 1.002
    assert numba["percentile_95"] <= 1.012
    assert divide_seconds("k8") >= 40


def test_the_measured_palettes_of_full_frames_are_as_good_and_fast_as_asked():
    numba = MEASURED["full"]["engines"]["numba"]
    assert (MEASURED["full"]["width"], MEASURED["full"]["height"]) == (1920, 1080)
    assert numba["mean"] <= 1.01
    assert divide_seconds("full") >= 300
