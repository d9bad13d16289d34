"""Runs of commands and of the workflow, measured with all processes they start."""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What of it Snakemake needs.
WORKFLOW = ("Snakefile", "config", "workflow", "envs", "profiles")


@dataclass
class Cost:
    """What a command took, with all processes that it started and waited for."""

    cpu_s: float  # user and system
    wall_s: float
    peak_mb: float  # of the largest single process, in MiB


class CommandError(Exception):
    """A command that is not there, or that failed; with what it printed."""


def measure(command: Sequence[str | Path], folder: Path) -> tuple[Cost, str]:
    """Run a command in a folder; give its cost and what it printed.

    Raises
    ------
    CommandError
        If there is no such command, or its exit status is not 0.
    """
    parts = [str(part) for part in command]
    with tempfile.TemporaryFile() as printed:
        began = time.perf_counter()
        try:
            process = subprocess.Popen(
                parts,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
            )
        except FileNotFoundError:
            raise CommandError(f"{Path(parts[0]).name} is not installed") from None
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        text = printed.read().decode(errors="replace")
    if process.returncode:
        raise CommandError(f"fails with status {process.returncode}\n{text}")
    # The kernel counts in KiB, but macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    cpu_s = usage.ru_utime + usage.ru_stime
    return Cost(cpu_s, wall_s, usage.ru_maxrss * unit / 2**20), text


def by_turns(runs: int, **steps: Callable[[], Cost]) -> dict[str, dict[str, float]]:
    """Run steps in turn, so that all see the same machine; take each one's medians."""
    costs: dict[str, list[Cost]] = {name: [] for name in steps}
    for _ in range(runs):
        for name, step in steps.items():
            costs[name].append(step())
            cost = costs[name][-1]
            print(f"{name}: {cost.cpu_s:.2f} CPU s, {cost.wall_s:.2f} s", flush=True)
    return {
        name: {
            key: statistics.median(getattr(cost, key) for cost in some)
            for key in asdict(some[0])
        }
        for name, some in costs.items()
    }


def copy_workflow(folder: Path) -> None:
    """Copy the workflow, without what was ever compiled.

    Raises
    ------
    OSError
        If a file cannot be copied.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in WORKFLOW:
        if (ROOT / name).is_dir():
            unwanted = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, ignore=unwanted)
        else:
            shutil.copy2(ROOT / name, folder)


class Project:
    """A folder with this workflow in it, where a user runs Snakemake."""

    def __init__(self, folder: Path, code: Path = ROOT) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        for name in WORKFLOW:
            (folder / name).symlink_to(code / name)

    def run(
        self, *arguments: str | Path, start: Sequence[str] = ("-m", "snakemake")
    ) -> tuple[Cost, str]:
        """Run Snakemake with this Python."""
        return measure([sys.executable, *start, *arguments], self.folder)
