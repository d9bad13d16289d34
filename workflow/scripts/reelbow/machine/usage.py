"""Memory and CPU time of this process: a limit, and what it used."""

import contextlib
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path


def limit_memory(mem_mb: int) -> None:
    """Let this process take no more than `mem_mb` (MiB) of memory, where it is Linux.

    What is reserved and not in use, as for the threads of libraries, does not count.
    """
    sizes_kb = _read_sizes_kb()
    if not sizes_kb:
        return
    import resource

    more_kb = max(0, (mem_mb << 10) - sizes_kb["VmRSS"])
    most = (sizes_kb["VmData"] + more_kb) << 10
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or most < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


@contextlib.contextmanager
def bounding_memory(more: int) -> Iterator[None]:
    """Let this process take only so many bytes more than it has, where it is Linux.

    For what a stranger's file makes C code reserve, whatever the size of the file. What
    wants more raises a MemoryError.
    """
    sizes_kb = _read_sizes_kb()
    if not sizes_kb:
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = (sizes_kb["VmData"] << 10) + more
    if soft == resource.RLIM_INFINITY or most < soft:
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


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
    # Linux's ru_maxrss would count what started this process too.
    peak_kb = _read_sizes_kb().get("VmHWM")
    if peak_kb is not None:
        return peak_kb / 1024
    import resource

    # In bytes on macOS, in KiB elsewhere.
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def _read_sizes_kb() -> dict[str, int]:
    """Read what Linux tells of this process's memory, in KiB; elsewhere nothing."""
    status = Path("/proc/self/status")
    if not status.exists():
        return {}
    sizes = re.findall(r"^(Vm\w+):\s*(\d+) kB$", status.read_text(), re.M)
    return {name: int(size_kb) for name, size_kb in sizes}
