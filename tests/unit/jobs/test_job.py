import errno
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

import reelbow
from reelbow.jobs.files import atomic_write, handing_on

SCRIPTS = Path(reelbow.__file__).parents[1]

# A job redirects the stderr of its whole process, so each test has its own process.
PREAMBLE = "import os, sys\nfrom reelbow.errors import ReelbowError\n"
PREAMBLE += "from reelbow.jobs.job import run\ndef work(**arguments):\n    "


def run_job(
    body: str, log: Path, *, profile: bool = False, second: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a job whose function has this body."""
    code = f"from pathlib import *\n{PREAMBLE}{body}\n"
    code += (
        f"run(work, log={str(log)!r}, second_log={second!r}, profile={profile}, n=3)"
    )
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("raise ReelbowError('a.mkv: no film')", "a.mkv: no film"),
        ("open('/nowhere/a.mkv')", "/nowhere/a.mkv: No such file or directory"),
        # A library that stumbles over what it left half done.
        (
            "try: open('/dev/full', 'w').write('a' * 99999)\n    finally: None.tell()",
            "No space left on device",
        ),
    ],
)
def test_a_known_error_is_one_line_in_the_log_and_status_1(tmp_path, body, sentence):
    log = tmp_path / "logs" / "job.log"
    job = run_job(body, log)
    assert job.returncode == 1
    assert log.read_text() == f"ERROR: {sentence}\n"
    assert job.stderr == ""


@pytest.mark.parametrize(
    "body",
    [
        "raise MemoryError",
        "import errno; raise OSError(errno.ENOMEM, 'Cannot allocate memory')",
        "import av.error; av.error.err_check(-12)",
        # As functions of OpenCV hand it on, and Pillow where zlib has none.
        "raise SystemError('error return') from MemoryError()",
        "raise OSError('codec configuration error when writing image file')",
        # More than any machine would even promise.
        "import cv2, numpy as np\n"
        "    cv2.resize(np.zeros((1, 1), np.uint8), (2**20, 2**20))",
    ],
)
def test_the_want_of_memory_is_one_line_whoever_tells_it(tmp_path, body):
    job = run_job(body, tmp_path / "job.log")
    assert job.returncode == 1
    log = (tmp_path / "job.log").read_text()
    # Libraries may have had a word of their own before.
    assert log.endswith("ERROR: needs more memory than this machine has free\n")
    assert "Traceback" not in log


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
    lines = (tmp_path / "job.log").read_text().splitlines()
    assert lines[:-1] == ["from C", "from Python"]
    assert job.stderr == ""


def test_the_function_gets_its_arguments(tmp_path):
    job = run_job("print(arguments)", tmp_path / "job.log")
    assert job.stdout == "{'n': 3}\n"


# Uses a third of a CPU second.
BURN = """
import time
start = time.process_time()
while time.process_time() < start + 1/3:
    pass
"""


def read_usage(log: Path) -> tuple[float, float]:
    """Read the CPU seconds and MB that a job says it used."""
    last = log.read_text().splitlines()[-1]
    found = re.fullmatch(r"USED: ([\d.]+) CPU s, at most ([\d.]+) MB", last)
    assert found, last
    return float(found[1]), float(found[2])


def test_it_says_how_much_cpu_time_it_and_its_children_used(tmp_path):
    body = f"import subprocess; burn = {BURN!r}; exec(burn)\n"
    body += "    subprocess.run([sys.executable, '-c', burn], check=True)"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    job = run_job(body, tmp_path / "job.log")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert job.returncode == 0
    whole_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    cpu_s, _ = read_usage(tmp_path / "job.log")
    # The times of children come in hundredths.
    assert 2 / 3 - 0.02 <= cpu_s <= whole_s + 0.02


def test_it_says_the_most_memory_it_had_and_not_what_started_it_had(tmp_path):
    ballast = bytearray(os.urandom(1) * (300 << 20))
    run_job("data = bytearray(b'x' * (50 << 20)); del data", tmp_path / "job.log")
    _, peak_mb = read_usage(tmp_path / "job.log")
    assert len(ballast) == 300 << 20
    assert 50 < peak_mb < 250


def test_a_profile_is_left_when_asked_for(tmp_path):
    job = run_job(f"exec({BURN!r})", tmp_path / "job.log", profile=True)
    assert job.returncode == 0
    page = (tmp_path / "job.profile.html").read_text()
    assert re.search(r"\bwork\b", page)
    assert {path.suffix for path in tmp_path.iterdir()} == {".log", ".html"}
    read_usage(tmp_path / "job.log")


@pytest.mark.parametrize(
    "body", ["raise ReelbowError('a.mkv: no film')", "os.kill(os.getpid(), 9)"]
)
def test_a_log_with_a_second_name_outlives_its_deletion(tmp_path, body):
    log, second = tmp_path / "job.log", tmp_path / "job.gpu"
    second.write_text("of a run before")
    body = "print('begun', file=sys.stderr)\n    " + body
    job = run_job(body, log, second=second)
    assert job.returncode
    said = log.read_text()
    log.unlink()
    assert second.read_text() == said
    assert said.startswith("begun\n")


def test_a_job_that_fails_leaves_no_profile(tmp_path):
    body = "raise ReelbowError('a.mkv: no film')"
    job = run_job(body, tmp_path / "job.log", profile=True)
    assert job.returncode == 1
    assert (tmp_path / "job.log").read_text() == "ERROR: a.mkv: no film\n"
    assert list(tmp_path.iterdir()) == [tmp_path / "job.log"]


def test_replacing_gives_the_name_when_all_is_done(tmp_path):
    path = tmp_path / "new" / "result.png"
    with atomic_write(path) as temporary:
        temporary.write_text("whole")
        assert temporary.suffix == ".png"
        assert temporary.parent == path.parent
        assert not path.exists()
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("old", [[], ["old"]])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_replacing_leaves_what_was_there_on_failure(tmp_path, old, error):
    path = tmp_path / "result.png"
    for text in old:
        path.write_text(text)

    def fail():
        with atomic_write(path) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert [each.read_text() for each in tmp_path.iterdir()] == old


def test_replacing_clears_away_what_a_killed_attempt_left(tmp_path):
    (tmp_path / ".00001.4321.sqlite").write_text("half")
    others = {tmp_path / ".00002.4321.sqlite", tmp_path / "00002.sqlite"}
    for other in others:
        other.write_text("of another job")
    with atomic_write(tmp_path / "00001.sqlite") as temporary:
        temporary.write_text("whole")
    assert set(tmp_path.iterdir()) == {tmp_path / "00001.sqlite", *others}


@pytest.fixture
def steps(monkeypatch) -> list[str]:
    """What is asked of the disk, in its order."""
    steps = []
    fsync, replace = os.fsync, Path.replace

    def wait(descriptor):
        steps.append(f"wait for {Path(f'/proc/self/fd/{descriptor}').readlink()}")
        fsync(descriptor)

    def rename(path, target):
        steps.append(f"name {target}")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", wait)
    monkeypatch.setattr(Path, "replace", rename)
    return steps


def test_a_file_is_on_the_disk_before_it_has_its_name_and_so_is_the_name(
    tmp_path, steps
):
    path = tmp_path / "result.png"
    with atomic_write(path) as temporary:
        temporary.write_text("whole")
    told = [f"wait for {temporary}", f"name {path}", f"wait for {tmp_path}"]
    assert steps == told


@pytest.mark.parametrize(("scratch_mb", "n_waits"), [(0, 2), (1, 0)])
def test_only_what_is_kept_waits_for_the_disk(tmp_path, steps, scratch_mb, n_waits):
    with handing_on(tmp_path / "00000.npz", scratch_mb) as temporary:
        temporary.write_text("whole")
    assert len(steps) == 1 + n_waits


def test_a_disk_that_cannot_keep_a_file_gives_it_no_name(tmp_path, monkeypatch):
    def fail(descriptor):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fail)
    path = tmp_path / "result.png"
    path.write_text("old")
    with (
        pytest.raises(OSError, match="Input/output") as error,
        atomic_write(path) as new,
    ):
        new.write_text("new")
    assert error.value.filename == str(path)
    assert [each.read_text() for each in tmp_path.iterdir()] == ["old"]


def test_a_disk_that_cannot_be_waited_for_is_no_failure(tmp_path, monkeypatch):
    def fail(descriptor):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(os, "fsync", fail)
    with atomic_write(tmp_path / "result.png") as temporary:
        temporary.write_text("whole")
    assert (tmp_path / "result.png").read_text() == "whole"
