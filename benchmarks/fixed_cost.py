"""What a job costs beyond its work: CPU seconds with next to nothing to do.

Runs the workflow on a film of two tiny frames, keeps the scripts as Snakemake makes
them, with its preamble, and runs each again alone: interpreter, preamble, imports and
compiled code are then nearly all there is. Then cluster_shard with caches that are
cold, shared, read-only or missing; its palettes must be the same with all.

    uv run python benchmarks/fixed_cost.py --runs 5
"""

import argparse
import json
import os
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
# First: there are films beside this file, too.
sys.path.insert(0, str(ROOT / "tests" / "helpers"))

from machine import name_machine, write_between  # noqa: E402 (the path comes first)
from measuring import copy_workflow  # noqa: E402

from films import write_film  # noqa: E402

FIGURES = ROOT / "benchmarks" / "fixed_cost.json"
PAGE = ROOT / "docs" / "performance.md"
RULES = (
    "plan_shards",
    "downsample_frames",
    "cluster_shard",
    "merge_film",
    "render_barcodes",
)
# What a job imports counts for the first of these that asks for it.
PACKAGES = ("snakemake", "numpy", "cv2", "av", "PIL", "numba", "scipy", "matplotlib")
LIBRARY = "reelbow"
AT_ONCE = 8
CONFIG = """
films: film.mp4
downsample: {keep: true}
"""


class Project:
    """A folder with a copy of the workflow, a film, and all places of the cache.

    Attributes
    ----------
    beside : numba's first choice, the `__pycache__` of each of the library's rooms
    user : the second, the user's cache
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.code = folder / "code"
        copy_workflow(self.code)
        rooms = (self.code / "workflow" / "scripts" / LIBRARY).glob("*/__init__.py")
        self.beside = [room.with_name("__pycache__") for room in rooms]
        self.user = folder / "user"
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self.environment = {
            **os.environ,
            "XDG_CACHE_HOME": str(self.user),
            "TMPDIR": str(self.temporary),
            "NUMBA_CACHE_DIR": "",
            # Bytecode is compiled at the installation, wherever the rest may go.
            "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
            "PYTHONDONTWRITEBYTECODE": "",
        }

    def run(self) -> dict[str, Path]:
        """Run the workflow; return each rule's script as its job ran it."""
        # A frame of few colors would be clustered without compiled code.
        noise = np.random.default_rng(0).integers(0, 256, (24, 64, 96, 3), np.uint8)
        write_film(self.folder / "film.mp4", noise, rate=12)
        (self.folder / "own.yaml").write_text(CONFIG, encoding="utf-8")
        subprocess.run(
            [
                *[sys.executable, "-m", "snakemake", "--cores", "1"],
                *["--snakefile", self.code / "Snakefile", "--configfile", "own.yaml"],
                "--skip-script-cleanup",
            ],
            cwd=self.folder,
            env=self.environment,
            check=True,
            capture_output=True,
        )
        scripts = self.folder / ".snakemake" / "scripts"
        return {rule: next(scripts.glob(f"*.{rule}.py")) for rule in RULES}

    def start(self, folder: Path, *command: str | Path) -> subprocess.Popen[bytes]:
        """Start Python in a folder."""
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=folder,
            env=self.environment,
            stderr=(self.folder / "stderr").open("w"),
        )

    def measure(self, *command: str | Path, at_once: int = 1) -> float:
        """Run Python, several times at once, and return the CPU seconds in all."""
        folders = [self.folder]
        if at_once > 1:
            # Of jobs that make the same file, a new one takes an old one for dead.
            folders = [self.folder / f"beside_{i}" for i in range(at_once)]
            for folder in folders:
                shutil.copytree(
                    self.folder / "results", folder / "results", dirs_exist_ok=True
                )
        jobs = [self.start(folder, *command) for folder in folders]
        total = 0.0
        for job in jobs:
            _, status, usage = os.wait4(job.pid, 0)
            job.returncode = os.waitstatus_to_exitcode(status)
            if job.returncode:
                raise subprocess.CalledProcessError(job.returncode, command)
            total += usage.ru_utime + usage.ru_stime
        return total

    def read_palettes(self) -> list[tuple[object, ...]]:
        """Read what cluster_shard has found."""
        (path,) = self.folder.glob("results/*/palettes/*.sqlite")
        with closing(sqlite3.connect(path)) as connection:
            return connection.execute(
                "SELECT * FROM palettes ORDER BY 1, 2, 3"
            ).fetchall()

    def clear(self, *, beside: bool = True, user: bool = True) -> None:
        """Empty the caches; where one is not to be, put a file in its place.

        So nobody can write there, not even root, whom no permission hinders.
        """
        temporary = self.temporary / f"reelbow-{os.getuid()}"
        for folder, usable in (
            *((each, beside) for each in self.beside),
            (self.user, user),
            (temporary, user),
        ):
            if folder.is_dir():
                shutil.rmtree(folder)
            folder.unlink(missing_ok=True)
            if not usable:
                folder.write_text("", encoding="utf-8")


def split_imports(project: Project, script: Path, rule: str) -> dict[str, float]:
    """Sum the seconds of a job's imports by package."""
    project.measure("-X", "importtime", script)
    # The job sends stderr to its log.
    (log,) = project.folder.glob(f"logs/{rule}/**/*.log")
    lines = [*_read_times(project.folder / "stderr"), *_read_times(log)]
    seconds: Counter[str] = Counter()
    # A module comes after those that it imports: backwards, it comes before them.
    owners: list[tuple[int, str]] = []
    for microseconds, depth, module in reversed(lines):
        while owners and owners[-1][0] >= depth:
            owners.pop()
        top = module.partition(".")[0]
        outer = owners[-1][1] if owners else "others"
        owner = top if top in (*PACKAGES, LIBRARY) else outer
        owners.append((depth, owner))
        seconds[owner] += microseconds / 1e6
    return {name: round(value, 3) for name, value in seconds.items()}


def _read_times(log: Path) -> Iterator[tuple[int, int, str]]:
    """Read a module's own microseconds, its depth and its name."""
    pattern = re.compile(r"import time: +(\d+) \| +\d+ \|( +)(\S+)")
    for found in pattern.finditer(log.read_text(encoding="utf-8")):
        yield int(found[1]), len(found[2]), found[3]


def measure_caches(project: Project, script: Path, runs: int) -> dict[str, float]:
    """Measure a job with caches of every kind."""
    expected = project.read_palettes()
    seconds = {}

    def measure(name: str, *, times: int = 1, at_once: int = 1) -> None:
        taken = [project.measure(script, at_once=at_once) for _ in range(times)]
        seconds[name] = round(statistics.median(taken), 2)
        if project.read_palettes() != expected:
            raise ValueError(f"{name}: the palettes differ")

    project.clear()
    measure("cold")
    measure("warm", times=runs)
    project.clear()
    measure(f"cold, {AT_ONCE} jobs at once", at_once=AT_ONCE)
    measure(f"warm, {AT_ONCE} jobs at once", at_once=AT_ONCE)
    project.clear(beside=False)
    measure("library read-only, first job")
    measure("library read-only, later jobs", times=runs)
    project.clear(beside=False, user=False)
    measure("no folder at all, every job")
    return seconds


def main() -> None:
    """Print the tables and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--runs", type=int, default=5, help="of each; the median counts"
    )
    parser.add_argument("--redraw", action="store_true", help="measure nothing")
    arguments = parser.parse_args()
    if not arguments.redraw:
        text = json.dumps(measure_all(arguments.runs), indent=2)
        FIGURES.write_text(f"{text}\n", encoding="utf-8")
    table = render_tables(json.loads(FIGURES.read_text(encoding="utf-8")))
    print(table)
    write_between(PAGE, "fixed_cost", table)


def measure_all(runs: int) -> dict[str, Any]:
    """Measure every rule's script, and the caches."""
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder))
        scripts = project.run()
        totals: dict[str, list[float]] = {rule: [] for rule in ("python", *RULES)}
        for _ in range(runs):
            totals["python"].append(project.measure("-c", "pass"))
            for rule, script in scripts.items():
                totals[rule].append(project.measure(script))
        imports = {
            rule: split_imports(project, script, rule)
            for rule, script in scripts.items()
        }
        caches = measure_caches(project, scripts["cluster_shard"], runs)
    return {
        "machine": name_machine(),
        "runs": runs,
        "cpu_s": {
            rule: {
                "median": round(statistics.median(times), 3),
                "least": round(min(times), 3),
                "most": round(max(times), 3),
            }
            for rule, times in totals.items()
        },
        "import_s": imports,
        "cluster_shard_cpu_s": caches,
    }


def render_tables(figures: dict[str, Any]) -> str:
    """Write the figures as Markdown."""
    columns = [*PACKAGES, LIBRARY, "others"]
    lines = [
        f"{figures['machine']}; median of {figures['runs']} runs; "
        "`uv run python benchmarks/fixed_cost.py`",
        "",
        f"| job | CPU s | wall s of importing {' | '.join(columns)} |",
        "|---|" + "---:|" * (len(columns) + 1),
    ]
    for rule, times in figures["cpu_s"].items():
        split = figures["import_s"].get(rule, {})
        cells = [f"{split[name]:.2f}" if name in split else "" for name in columns]
        lines.append(f"| {rule} | {times['median']:.2f} | {' | '.join(cells)} |")
    lines += ["", "| cluster_shard, cache of compiled code | CPU s |", "|---|---:|"]
    for name, value in figures["cluster_shard_cpu_s"].items():
        lines.append(f"| {name} | {value:.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
