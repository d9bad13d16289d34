import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from reelbow.runs import compiling

SCRIPTS = Path(compiling.__file__).parents[2]


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """A folder of its own for compiled code."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(compiling, "_QUIET_S", 0.0)
    return tmp_path / "cache"


def compile_pictures(said: list[str]) -> bool:
    """Compile what is compiled soonest; say whether there was something to do."""
    thread = compiling.start_compiling(["pictures"], at_once=2, say=said.append)
    if thread:
        thread.join()
    return thread is not None


def test_what_is_missing_is_compiled_once(cache):
    said: list[str] = []
    assert compile_pictures(said)
    assert said[0] == "compiling for this machine, once: 0 of 1 done"
    assert said[-1].startswith("compiled in ")
    (code,) = cache.rglob("*.nbc")
    (note,) = cache.glob("reelbow-*")
    assert json.loads(note.read_text()) == [str(code.relative_to(cache))]
    assert not compile_pictures(said)
    # What somebody deletes is missing.
    code.unlink()
    assert compile_pictures(said)
    assert code.exists()


def test_a_damaged_note_is_none(cache):
    assert compile_pictures([])
    (note,) = cache.glob("reelbow-*")
    note.write_text("[")
    assert compile_pictures([])
    assert json.loads(note.read_text())


def test_what_was_there_but_for_its_note_is_not_told(cache, monkeypatch):
    compile_pictures([])
    (note,) = cache.glob("reelbow-*")
    note.unlink()
    monkeypatch.setattr(compiling, "_QUIET_S", 60.0)
    said: list[str] = []
    assert compile_pictures(said)
    assert said == []
    assert note.exists()


def test_other_versions_of_numba_and_other_processors_have_other_notes(monkeypatch):
    before = compiling._digest(Path())
    monkeypatch.setattr(compiling.importlib.metadata, "version", lambda name: "0")
    other = compiling._digest(Path())
    monkeypatch.setattr(compiling.platform, "machine", lambda: "abacus")
    assert len({before, other, compiling._digest(Path())}) == 3


def test_with_no_folder_for_it_nothing_is_compiled(cache, tmp_path, monkeypatch):
    cache.write_text("")
    monkeypatch.setattr(compiling, "_LIBRARY", cache)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setattr(compiling.tempfile, "tempdir", str(cache))
    said: list[str] = []
    assert not compile_pictures(said)
    assert said == []


def test_a_run_that_ends_earlier_ends_it(cache):
    script = """
import time
import psutil
from reelbow.runs import compiling
compiling.start_compiling(["palettes"], at_once=1, say=print)
while not (children := psutil.Process().children()):
    pass
time.sleep(0.2)
print(children[0].pid)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        check=True,
    )
    psutil.wait_procs([p for p in psutil.process_iter() if is_of(p, done.stdout)], 10)
    assert not any(is_of(process, done.stdout) for process in psutil.process_iter())
    assert not list(cache.glob("reelbow-*"))


def is_of(process: psutil.Process, stdout: str) -> bool:
    """Whether it is the process whose number was printed last, and still runs."""
    is_it = process.pid == int(stdout.split()[-1])
    return is_it and process.status() != psutil.STATUS_ZOMBIE


def test_modules_in_the_users_folder_are_left_alone(cache, tmp_path, monkeypatch):
    (tmp_path / "numba.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    assert compile_pictures([])
    assert list(cache.rglob("*.nbc"))


def test_snakemake_itself_does_not_load_numba():
    script = "import reelbow.runs.compiling, sys; print('numba' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"
