import fcntl
import importlib.util
import os
import resource
import subprocess
import sys
import tempfile
from errno import ENOLCK
from pathlib import Path

import numba
import numpy as np
import pytest

from reelbow.machine import compiled

LIBRARY = Path(compiled.__file__).parents[2]

MODULE = """
import numba
import numpy as np
from reelbow.machine.compiled import cached_njit

@numba.njit
def square(number):
    return number * number

@cached_njit
def square_all(numbers, squares):
    for i in range(len(numbers)):
        squares[i] = square(numbers[i])

if __name__ == "__main__":
    squares = np.zeros(3)
    square_all(np.arange(3.0), squares)
    print(squares.tolist())
"""


def start(module: Path, **environment: str) -> subprocess.Popen[str]:
    """Start a module as a job does."""
    return subprocess.Popen(
        [sys.executable, module],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(LIBRARY), **environment},
        text=True,
    )


class Place:
    """A module with a function to compile, and all folders where its code may go."""

    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.module = folder / "code" / "squares.py"
        self.module.parent.mkdir()
        self.module.write_text(MODULE)
        self.beside = self.module.with_name("__pycache__")
        self.user = folder / "user"
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self._capfd = capfd

    def call(self) -> tuple[str, list[Path]]:
        """Call the function as a new job would, and check what it gives.

        Returns whether the code was saved, loaded or neither, and the files with it.
        """
        self._capfd.readouterr()
        spec = importlib.util.spec_from_file_location("squares", self.module)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        squares = np.zeros(3)
        module.square_all(np.array([1.0, 3.0, 2.0]), squares)
        assert squares.tolist() == [1.0, 9.0, 4.0]
        log = self._capfd.readouterr().out
        did = [verb for verb in ("saved", "loaded") if f"data {verb}" in log]
        files = sorted(self.module.parents[1].rglob("*.nbc"))
        return " ".join(did), files

    def forget(self) -> Path:
        """Call the function, delete what that left, and return where its lock was."""
        self.call()
        (lock,) = self.beside.glob("*.lock")
        for file in self.beside.iterdir():
            file.unlink()
        return lock

    def close(self, folder: Path) -> None:
        """Put a file in a folder's place: not even root can write to that."""
        folder.write_text("")


@pytest.fixture
def place(tmp_path, monkeypatch, capfd):
    made = Place(tmp_path, capfd)
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")
    monkeypatch.setenv("NUMBA_DEBUG_CACHE", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(made.user))
    monkeypatch.setattr(tempfile, "tempdir", str(made.temporary))
    numba.config.reload_config()
    yield made
    monkeypatch.undo()
    numba.config.reload_config()


def test_code_is_kept_beside_the_library_and_found_again(place):
    did, (file,) = place.call()
    assert did == "saved"
    assert file.parent == place.beside
    assert place.call() == ("loaded", [file])


def test_changed_code_is_compiled_again(place):
    place.call()
    place.module.write_text(MODULE.replace("return number", "return 1.0 * number"))
    did, files = place.call()
    assert did == "saved"
    assert len(files) == 2


def test_the_folder_that_the_user_says_comes_first(place, monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "own"))
    numba.config.reload_config()
    _, (file,) = place.call()
    assert file.is_relative_to(tmp_path / "own")


def test_beside_a_library_that_is_read_only_the_user_has_a_cache(place):
    place.close(place.beside)
    _, (file,) = place.call()
    assert file.is_relative_to(place.user)


def test_after_it_comes_a_folder_for_temporary_files_of_this_user_alone(place):
    place.close(place.beside)
    place.close(place.user)
    did, (file,) = place.call()
    assert did == "saved"
    assert file.is_relative_to(place.temporary)
    (folder,) = place.temporary.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert place.call() == ("loaded", [file])


@pytest.mark.parametrize("is_there", [True, False])
def test_a_temporary_folder_that_is_not_this_users_alone_is_left_alone(place, is_there):
    """As one that others can write to; then code is compiled all the same."""
    place.close(place.beside)
    place.close(place.user)
    theirs = place.temporary / f"reelbow-{os.getuid()}"
    if is_there:
        theirs.mkdir()
        theirs.chmod(0o777)
    else:
        place.close(theirs)
    with pytest.warns(UserWarning, match="compiled code is not kept"):
        assert place.call() == ("", [])


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
def test_a_file_cut_short_ends_no_job(place, suffix):
    place.call()
    (file,) = place.beside.glob(f"*.{suffix}")
    file.write_bytes(file.read_bytes()[:5])
    with pytest.warns(UserWarning, match="compiled code is not kept"):
        place.call()


def test_a_full_disk_ends_no_job(place):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.warns(UserWarning, match="compiled code is not kept"):
            assert place.call() == ("", [])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert place.call()[0] == "saved"


def test_jobs_that_start_together_compile_once(place):
    # So much takes long to compile, so that all would.
    line = "        squares[i] = square(numbers[i])\n"
    slow = MODULE.replace(line, 200 * line)
    place.module.write_text(slow)
    jobs = [start(place.module) for _ in range(3)]
    logs = [job.communicate()[0] for job in jobs]
    assert all("[0.0, 1.0, 4.0]" in log for log in logs)
    assert sum(log.count("data saved") for log in logs) == 1


def test_with_the_code_there_nobody_waits(place, monkeypatch):
    place.call()
    monkeypatch.setattr(compiled, "_wait_for_turn", pytest.fail)
    assert place.call()[0] == "loaded"


def test_a_job_that_holds_the_lock_for_ever_is_not_waited_for(place, monkeypatch):
    with place.forget().open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        monkeypatch.setattr(compiled, "_LONGEST_WAIT_S", 0.3)
        assert place.call()[0] == "saved"


def test_a_job_that_dies_leaves_the_lock_to_others(place):
    hold = (
        "import fcntl, sys; lock = open(sys.argv[1], 'a'); "
        "fcntl.flock(lock, fcntl.LOCK_EX); print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, place.forget()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as job:
        job.stdout.readline()
        job.kill()
    assert place.call()[0] == "saved"


def test_disks_without_locks_are_no_trap(place, monkeypatch):
    def refuse(file, operation):
        raise OSError(ENOLCK, os.strerror(ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert place.call()[0] == "saved"
    assert place.call()[0] == "loaded"


def test_each_kind_of_cpu_has_its_own_files(place):
    """As on a cluster of several: numba compiles for the CPU that it is told."""
    did, host = place.call()
    generic = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    logs = [start(place.module, **generic).communicate()[0] for _ in range(2)]
    assert ["data saved" in log for log in logs] == [True, False]
    assert all("[0.0, 1.0, 4.0]" in log for log in logs)
    assert len(list(place.beside.glob("*.nbi"))) == 2
    assert len(list(place.beside.glob("*.lock"))) == 2
    did, files = place.call()
    assert did == "loaded"
    assert len(files) == 2
    assert set(host) < set(files)


def test_code_is_compiled_anew_when_what_it_calls_has_changed(tmp_path: Path) -> None:
    inner, outer = tmp_path / "inner.py", tmp_path / "outer.py"
    outer.write_text(
        "from inner import grow\n"
        "from reelbow.machine.compiled import cached_njit\n"
        "@cached_njit\n"
        "def call(number):\n"
        "    return grow(number)\n"
        "print(call(3))\n"
    )
    # Not of the same length: Python tells its files apart by second and size.
    for grown, expected in (("number + 3", "6"), ("number * 3 * 1", "9")):
        inner.write_text(
            "from reelbow.machine.compiled import njit\n"
            "@njit\n"
            "def grow(number):\n"
            f"    return {grown}\n"
        )
        job = start(outer, NUMBA_CACHE_DIR=str(tmp_path / "cache"))
        assert job.communicate()[0].strip() == expected


def test_scipy_is_not_loaded_for_it_and_can_be_afterwards(tmp_path: Path) -> None:
    module = tmp_path / "square.py"
    module.write_text(
        "import sys\n"
        "from reelbow.machine.compiled import cached_njit\n"
        "@cached_njit\n"
        "def call(number):\n"
        "    return number * number\n"
        "print(call(3), 'scipy.linalg' in sys.modules)\n"
        "from scipy.linalg import cython_blas, inv\n"
        "print(inv([[2.0]]))\n"
    )
    job = start(module, NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    assert job.communicate()[0].splitlines() == ["9 False", "[[0.5]]"]
