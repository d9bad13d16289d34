"""Memory and CPU time of this process: a limit, and what it used."""

import os
import sys
import time
from pathlib import Path


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
