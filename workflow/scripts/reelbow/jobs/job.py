"""What every job does around its work: log, fail in one sentence, leave no halves."""

import contextlib
import errno
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from reelbow.errors import ReelbowError
from reelbow.jobs.files import atomic_write
from reelbow.jobs.log import ERROR_MARK, USAGE_MARK, log_to
from reelbow.machine.usage import limit_memory, tell_usage


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
        sentence = _explain(_find_want(error), mem_mb)
        if sentence is None:
            raise
        print(f"{ERROR_MARK}{sentence}", file=sys.stderr)
        sys.exit(1)
    print(f"{USAGE_MARK}{tell_usage()}", file=sys.stderr)


# What a disk says that has no room or fails; of files and folders it tells nothing.
DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE})


def _find_want(error: BaseException) -> BaseException:
    """Find the want of memory or disk that a library ran into, and then into another.

    Matplotlib closes a PDF that it could not begin, OpenCV takes an error for a result.
    """
    if isinstance(error, ReelbowError):
        # It says already what it is, as of a GPU's memory.
        return error
    found: BaseException | None = error
    while found:
        if _is_out_of_memory(found):
            return found
        if isinstance(found, OSError) and found.errno in DISK:
            return found
        found = found.__cause__ or found.__context__
    return error


def _explain(error: BaseException, mem_mb: int | None) -> str | None:
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


def _is_out_of_memory(error: BaseException) -> bool:
    """Whether an error is the want of memory, by whatever name a library gives it."""
    return (
        isinstance(error, MemoryError)
        # Pillow's, if zlib has none: how it is to code is always the same.
        or (isinstance(error, OSError) and str(error).startswith("codec configuration"))
        or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
        # OpenCV's own; it is not imported for jobs that do without.
        or (type(error).__module__ == "cv2" and "Insufficient memory" in str(error))
    )


# Seconds between two samples of a profile: shards work for seconds to minutes, and a
# sample each millisecond would take memory that the shard needs.
SAMPLING_INTERVAL_S = 0.005


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
    with atomic_write(page) as temporary:
        profiler.write_html(temporary)
