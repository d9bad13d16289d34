"""What every job does around its work: log, fail in one sentence, leave no halves."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .errors import ReelbowError

# The run's end looks for this in the logs of failed jobs.
ERROR_MARK = "ERROR: "


def run(
    function: Callable[..., None],
    *,
    log: str,
    mem_mb: int | None = None,
    **arguments: Any,
) -> None:
    """Run a rule's function with stderr in its log; end the job if it fails.

    A `ReelbowError` becomes one line in the log and exit status 1, and so do a full
    disk and the want of more memory than `mem_mb`. Anything else keeps its traceback,
    since it is a fault of Reelbow's and not of the user's.
    """
    log_to(log)
    if mem_mb is not None:
        limit_memory(mem_mb)
    try:
        function(**arguments)
    except ReelbowError as error:
        print(f"{ERROR_MARK}{error}", file=sys.stderr)
        sys.exit(1)
    except MemoryError:
        print(
            f"{ERROR_MARK}needs more than the {mem_mb} MB that its rule asks for; "
            "raise the rule's mem_mb, as by --set-resources",
            file=sys.stderr,
        )
        sys.exit(1)
    except OSError as error:
        if error.strerror is None:
            raise
        where = f"{error.filename}: " if error.filename else ""
        print(f"{ERROR_MARK}{where}{error.strerror}", file=sys.stderr)
        sys.exit(1)


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


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path` that becomes `path` if all goes well.

    So whoever finds `path` finds it whole: a job that dies leaves nothing that could
    be taken for its result. The suffix is kept, since some writers go by it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
