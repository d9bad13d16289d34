import os
import subprocess
import sys
from pathlib import Path

import pytest

import reelbow
from reelbow.job import replacing

SCRIPTS = Path(reelbow.__file__).parents[1]

# A job redirects the stderr of its whole process, so each test has its own process.
PREAMBLE = "import os, sys\nfrom reelbow.errors import ReelbowError\n"
PREAMBLE += "from reelbow.job import run\ndef work(**arguments):\n    "


def run_job(body: str, log: Path) -> subprocess.CompletedProcess[str]:
    """Run a job whose function has this body."""
    code = f"{PREAMBLE}{body}\nrun(work, log={str(log)!r}, n=3)"
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_known_error_is_one_line_in_the_log_and_status_1(tmp_path):
    log = tmp_path / "logs" / "job.log"
    job = run_job("raise ReelbowError('a.mkv: no film; give another')", log)
    assert job.returncode == 1
    assert log.read_text() == "ERROR: a.mkv: no film; give another\n"
    assert job.stderr == ""


def test_an_error_of_the_system_is_one_line_that_names_the_file(tmp_path):
    job = run_job("open('/nowhere/a.mkv')", tmp_path / "job.log")
    assert job.returncode == 1
    log = (tmp_path / "job.log").read_text()
    assert log == "ERROR: /nowhere/a.mkv: No such file or directory\n"


def test_another_error_keeps_its_traceback(tmp_path):
    job = run_job("raise KeyError('oops')", tmp_path / "job.log")
    assert job.returncode == 1
    log = (tmp_path / "job.log").read_text()
    assert log.startswith("Traceback")
    assert log.endswith("KeyError: 'oops'\n")
    assert job.stderr == ""


def test_what_c_libraries_write_is_in_the_log_too(tmp_path):
    body = "os.write(2, b'from C\\n'); print('from Python', file=sys.stderr)"
    job = run_job(body, tmp_path / "job.log")
    assert job.returncode == 0
    assert (tmp_path / "job.log").read_text().splitlines() == ["from C", "from Python"]
    assert job.stderr == ""


def test_the_function_gets_its_arguments(tmp_path):
    job = run_job("print(arguments)", tmp_path / "job.log")
    assert job.stdout == "{'n': 3}\n"


def test_replacing_gives_the_name_when_all_is_done(tmp_path):
    path = tmp_path / "new" / "result.png"
    with replacing(path) as temporary:
        temporary.write_text("whole")
        assert temporary.suffix == ".png"
        assert temporary.parent == path.parent
        assert not path.exists()
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_replacing_leaves_nothing_on_failure(tmp_path):
    def fail():
        with replacing(tmp_path / "result.png") as temporary:
            temporary.write_text("half")
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 (it is our own)
        fail()
    assert list(tmp_path.iterdir()) == []


def test_replacing_leaves_the_old_file_on_failure(tmp_path):
    path = tmp_path / "result.png"
    path.write_text("old")

    def fail():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert [each.read_text() for each in tmp_path.iterdir()] == ["old"]
