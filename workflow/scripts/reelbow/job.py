"""What every job does around its work: log, fail in one sentence, leave no halves."""

import contextlib
import errno
import glob
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from . import scratch
from .errors import ReelbowError

# The run's end looks for this in the logs of failed jobs.
ERROR_MARK = "ERROR: "

# The table of a run looks for this in the logs of finished jobs.
USAGE_MARK = "USED: "

# Seconds between two samples of a profile: shards work for seconds to minutes, and a
# sample each millisecond would take memory that the shard needs.
SAMPLING_INTERVAL_S = 0.005


def run(
    function: Callable[..., None],
    *,
    log: str,
    second_log: Path | None = None,
    mem_mb: int | None = None,
    profile: bool = False,
    **arguments: Any,
) -> None:
    """Run a rule's function with stderr in its log; end the job if it fails.

    The last line of a finished job's log says what it used. With `profile` a sampling
    profile lies beside the log, as {log's name}.profile.html. Without `mem_mb` the job
    may take what memory there is.

    `second_log` is another name for the log, under which it is still there in the next
    attempt, before which Snakemake deletes it.

    A `ReelbowError` becomes one line in the log and exit status 1, and so do a full
    disk and the want of more memory than `mem_mb`. Anything else keeps its traceback,
    since it is a fault of Reelbow's and not of the user's.
    """
    log_to(log)
    # Leaves no temporary file when it is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    if second_log:
        second_log.unlink(missing_ok=True)
        # A disk that knows no second names is no reason to fail.
        with contextlib.suppress(OSError):
            second_log.hardlink_to(log)
    if mem_mb is not None:
        limit_memory(mem_mb)
    page = Path(log).with_suffix(".profile.html") if profile else None
    try:
        with sampling(page):
            function(**arguments)
    except Exception as error:
        sentence = _explain(error, mem_mb)
        if sentence is None:
            raise
        print(f"{ERROR_MARK}{sentence}", file=sys.stderr)
        sys.exit(1)
    print(f"{USAGE_MARK}{tell_usage()}", file=sys.stderr)


def _explain(error: Exception, mem_mb: int | None) -> str | None:
    """Say in a sentence why a job failed; None if it is a fault of Reelbow's."""
    if isinstance(error, ReelbowError):
        return str(error)
    if _is_out_of_memory(error):
        if mem_mb is None:
            return "needs more memory than this machine has free"
        return (
            f"needs more than the {mem_mb} MB that its rule asks for; raise the "
            "rule's mem_mb, as by --set-resources"
        )
    if isinstance(error, OSError) and error.strerror is not None:
        return (
            f"{error.filename}: {error.strerror}" if error.filename else error.strerror
        )
    return None


def _is_out_of_memory(error: Exception) -> bool:
    """Whether an error is the want of memory, by whatever name a library gives it."""
    return (
        isinstance(error, MemoryError)
        or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
        # OpenCV's own; it is not imported for jobs that do without.
        or (type(error).__module__ == "cv2" and "Insufficient memory" in str(error))
    )


def log_to(log: str) -> None:
    """Send stderr, of Python and of the C libraries beneath it, to the file `log`."""
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    with Path(log).open("w") as stream:
        os.dup2(stream.fileno(), sys.stderr.fileno())


def limit_memory(mem_mb: int) -> None:
    """Let this process take no more than `mem_mb` (MiB) of memory, where it is Linux.

    What is reserved and not in use, as for the threads of libraries, does not count.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return
    import resource

    sizes = {
        name: int(value.split()[0]) << 10
        for name, _, value in (
            line.partition(":") for line in status.read_text().splitlines()
        )
        if name in ("VmData", "VmRSS")
    }
    most = sizes["VmData"] + max(0, (mem_mb << 20) - sizes["VmRSS"])
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or most < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


def tell_usage() -> str:
    """Say what this process, from its start, and its children used.

    Snakemake's benchmark samples CPU time and memory each half second, later each half
    minute: it misses most of a short job, and the end of a long one.
    """
    children = os.times()
    cpu_s = time.process_time() + children.children_user + children.children_system
    return f"{cpu_s:.3f} CPU s, at most {find_peak_memory():.1f} MB"


def find_peak_memory() -> float:
    """Find the most memory that this process had in use at any time, in MB (MiB)."""
    status = Path("/proc/self/status")
    if status.exists():
        # Linux's ru_maxrss would count what started this process too.
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    import resource

    # In bytes on macOS, in KiB elsewhere.
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


@contextlib.contextmanager
def sampling(page: Path | None) -> Iterator[None]:
    """Write a sampling profile of what is done inside to an HTML page, if one is named.

    A job that fails leaves none.
    """
    if page is None:
        yield
        return
    from pyinstrument import Profiler

    profiler = Profiler(interval=SAMPLING_INTERVAL_S)
    with profiler:
        yield
    with replacing(page) as temporary:
        profiler.write_html(temporary)


@contextlib.contextmanager
def handing_on(path: Path, scratch_mb: int) -> Iterator[Path]:
    """Yield a temporary name for what the shard's next job reads, as `replacing` does.

    In a job of a cluster the file may come to lie in the node's scratch, with a link to
    it at `path`; `taking_over` says when it is no longer needed.

    Parameters
    ----------
    scratch_mb : how large it may be; 0: it is to be kept, at `path` itself
    """
    place = scratch.find_place(path, scratch_mb)
    with replacing(place or path) as temporary:
        yield temporary
    if place:
        scratch.link(path, place)


@contextlib.contextmanager
def taking_over(path: Path, *, used_up: bool = False) -> Iterator[None]:
    """Delete what `path` leads to in the node's scratch when all inside is done.

    Snakemake itself deletes the link only. After a failure both are deleted: the shard
    starts over, maybe on another node.

    Parameters
    ----------
    used_up : whether to delete the file itself too, wherever it is. Snakemake would,
        but not as long as there are films that are not planned yet
    """
    try:
        yield
    except BaseException:
        scratch.release(path, with_link=True)
        raise
    scratch.release(path)
    if used_up:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path` that becomes `path` if all goes well.

    So whoever finds `path` finds it whole: a job that dies leaves nothing that could
    be taken for its result. The suffix is kept, since some writers go by it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # What killed attempts left.
    for left in path.parent.glob(f".{glob.escape(path.stem)}.[0-9]*{path.suffix}"):
        # And not what another job is about to write, as for a shard `tape.1` of `tape`.
        if left.stem.removeprefix(f".{path.stem}.").isdecimal():
            left.unlink(missing_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
