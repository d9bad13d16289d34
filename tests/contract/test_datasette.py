"""What is said to Datasette: its queries, and the real thing where it is installed.

uv run --with datasette==0.65.5 pytest tests/contract/test_datasette.py
"""

import importlib.util
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from corpora import make_corpus
from reelbow.database.opening import connect

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "config" / "datasette"
ABOUT = yaml.safe_load((CONFIG / "metadata.yaml").read_text())["databases"]["palettes"]
GIVEN = {"film": "a", "frame": 3, "red": 255, "green": 0, "blue": 0, "apart": 200}
COMMAND = (
    "uv run --with datasette==0.65.5 datasette config/datasette "
    "-i results/palettes.sqlite"
)


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    films = {"b": (5, 1), "a": (12, 2)}
    return make_corpus(tmp_path_factory.mktemp("datasette"), films)


@pytest.mark.parametrize("name", ABOUT["queries"])
def test_its_queries_are_such_as_the_database_answers(name, database):
    query = ABOUT["queries"][name]
    given = {key: GIVEN[key] for key in query.get("params", [])}
    assert set(re.findall(r":(\w+)", query["sql"])) == set(given)
    with closing(connect(database)) as connection:
        rows = connection.execute(query["sql"], given).fetchall()
    assert len(rows) > 0 or name == "skipped_pictures"


def test_the_page_has_the_command():
    text = (ROOT / "docs" / "explorer.md").read_text()
    assert " ".join(text.replace("\\\n", " ").split()).count(COMMAND) == 1


@pytest.fixture(scope="module")
def datasette(database):
    """Datasette, as the page says to start it."""
    if importlib.util.find_spec("datasette") is None:
        assert "REELBOW_NEEDS_DATASETTE" not in os.environ
        pytest.skip("datasette is not installed")
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "datasette", CONFIG, "-i", database]
    with subprocess.Popen([*command, "--port", str(port)]) as process:
        try:
            base = f"http://127.0.0.1:{port}"
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                try:
                    ask(base)
                    break
                except urllib.error.URLError:
                    time.sleep(0.2)
            yield base
        finally:
            process.terminate()


def ask(url: str, status: int = 200) -> str:
    """Ask, and expect this status."""
    try:
        answer = urllib.request.urlopen(url, timeout=30)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        text = answer.read().decode()
    assert answer.status == status, text
    return text


@pytest.mark.parametrize("name", ABOUT["queries"])
def test_the_real_one_answers_them(name, datasette):
    given = {key: GIVEN[key] for key in ABOUT["queries"][name].get("params", [])}
    page = ask(f"{datasette}/palettes/{name}?{urllib.parse.urlencode(given)}")
    assert ABOUT["queries"][name]["title"] in page


def test_the_real_one_shows_swatches(datasette, database):
    with closing(connect(database)) as connection:
        (color,) = connection.execute(
            "SELECT color FROM palettes WHERE film_id = 2 AND frame = 3 AND rank = 0"
        ).fetchone()
    page = ask(f"{datasette}/palettes/a_frame?film=a&frame=3")
    assert f'background:#{color:06x}"></span> #{color:06x}' in page


def test_the_real_one_has_limits(datasette):
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
    sql = urllib.parse.quote(endless + "SELECT max(i) FROM n")
    told = ask(f"{datasette}/palettes.json?sql={sql}", 400)
    assert "took too long" in told
    ask(f"{datasette}/palettes.db", 403)
