"""The README of a film's folder."""

import re
import sqlite3
from contextlib import closing

import pandas
import pytest

from databases import merge, write_shard
from makings import describe
from reelbow.provenance import film_readme
from reelbow.provenance.film_readme import write_readme


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "barcodes").mkdir()
    (tmp_path / "palettes").mkdir()
    shard = write_shard(tmp_path / "palettes" / "00000.sqlite", range(2))
    merge([shard], [2], tmp_path / "palettes.sqlite")
    (tmp_path / "plan.json").write_text("{}")
    return tmp_path


def test_it_says_what_is_there_and_what_only_reelbow_needs(folder):
    text = write_readme(describe({"title": "A *b*"}), folder)
    assert text.startswith("# A \\*b\\*\n\n| file | what it is | how to open it |\n")
    assert re.findall(r"^\| `(.*?)`", text, re.M) == [
        *("barcodes/", "palettes.sqlite", "README.md", "palettes/", "plan.json"),
    ]
    assert "Only Reelbow needs `palettes/` and `plan.json`" in text
    assert "one frame was taken every second" in text
    assert "- Lloyd, Stuart P. (1982): " in text
    # The same when it is written anew.
    (folder / "README.md").write_text(text)
    assert write_readme(describe({"title": "A *b*"}), folder) == text


def test_its_example_runs(folder, monkeypatch):
    monkeypatch.chdir(folder)
    (code,) = re.findall(r"```python\n(.*?)```", film_readme._OPENING, re.S)
    found: dict = {}
    exec(code, found)
    assert found["frames"]["hex0"].tolist() == ["#000102", "#010102"]
    assert isinstance(found["frames"], pandas.DataFrame)
    with closing(sqlite3.connect("palettes.sqlite")) as connection:
        names = connection.execute("SELECT name FROM pragma_table_info('images')")
        assert {"time_s", "hex0", "hex1"} <= {name for (name,) in names}
