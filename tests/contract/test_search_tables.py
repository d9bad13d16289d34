"""The tables of searches in the documents are those of the measured figures."""

import importlib
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["search", "serve_load"])
def test_the_page_has_the_measured_table(name, monkeypatch):
    # At the end: tests and benchmarks both have a films.py.
    monkeypatch.setattr(sys, "path", [*sys.path, str(ROOT / "benchmarks")])
    script = importlib.import_module(name)
    table = script.render_table(json.loads(script.FIGURES.read_text()))
    part = f"<!-- {name} -->\n{table}\n<!-- /{name} -->"
    assert script.PAGE.read_text().count(part) == 1


def test_searches_are_as_fast_and_the_index_as_small_as_asked():
    measured = json.loads((ROOT / "benchmarks" / "search.json").read_text())
    assert measured["top 50"]["median_ms"] < 3
    assert measured["top 50"]["p95_ms"] < 30
    assert measured["top 50"]["most_ms"] < measured["scan of a box"]["median_ms"]
    assert measured["index_mb"] < measured["database_mb"] / 2


def test_no_request_failed():
    measured = json.loads((ROOT / "benchmarks" / "serve_load.json").read_text())
    assert not [row for row in measured["rows"] if row["failed"]]
