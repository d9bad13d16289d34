"""What compiling costs: jobs and whole runs, with the code to be compiled and there.

uv run python benchmarks/compiling.py
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
# First: there are films beside this file, too.
sys.path.insert(0, str(ROOT / "tests" / "helpers"))

from machine import name_machine, write_between  # noqa: E402 (the path comes first)
from measuring import copy_workflow, measure  # noqa: E402

from films import write_film  # noqa: E402

PAGE = ROOT / "docs" / "performance.md"
CONFIG = "downsample: {keep: true}\nextract: {keep: false}\n"
SNAKEMAKE = [
    *[sys.executable, "-m", "snakemake", "--snakefile", "code/Snakefile"],
    *["--cores", "2", "--skip-script-cleanup"],
]


def make_project(folder: Path) -> None:
    """Make a film of a minute, a tarball of it, and a copy of the workflow."""
    copy_workflow(folder / "code")
    (folder / "config").mkdir()
    (folder / "config" / "config.yaml").write_text(CONFIG, encoding="utf-8")
    noise = np.random.default_rng(0).integers(0, 256, (60, 36, 64, 3), np.uint8)
    pictures = np.stack([cv2.resize(each, (640, 360)) for each in noise])
    write_film(folder / "film.mp4", pictures, rate=1)
    with tarfile.open(folder / "tape.tar", "w") as tape:
        for number, picture in enumerate(pictures):
            path = folder / f"{number:03d}.jpg"
            cv2.imwrite(str(path), picture)
            tape.add(path, path.name)
    # The same commands compile bytecode of Python itself, which is not measured here.
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["NUMBA_CACHE_DIR"] = str(folder / "compiled")


def empty_cache(folder: Path) -> None:
    """Forget all compiled code."""
    shutil.rmtree(folder / "compiled", ignore_errors=True)


def run(folder: Path, source: str) -> tuple[float, float, float]:
    """Run the workflow anew; return wall s to the palettes, to the end, and CPU s."""
    for name in ("results", ".snakemake", "logs"):
        shutil.rmtree(folder / name, ignore_errors=True)
    first = folder / "results" / Path(source).stem / "palettes.sqlite"
    began = time.perf_counter()
    before = os.times()
    with subprocess.Popen(
        [*SNAKEMAKE, "--config", f"films={source}"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        while process.poll() is None and not first.exists():
            time.sleep(0.02)
        to_first = time.perf_counter() - began
    took = time.perf_counter() - began
    if process.returncode:
        raise SystemExit(f"the run of {source} failed; see its logs in {folder}")
    after = os.times()
    cpu = after.children_user + after.children_system
    return to_first, took, cpu - before.children_user - before.children_system


def measure_jobs(folder: Path, source: str, runs: int) -> dict[str, list[float]]:
    """Measure a source's two jobs of a shard; return CPU s, cold and warm, by rule."""
    run(folder, source)
    scripts = folder / ".snakemake" / "scripts"
    seconds = {}
    for rule in ("downsample_frames", "cluster_shard"):
        command = [sys.executable, next(scripts.glob(f"*.{rule}.py"))]
        cold = []
        for _ in range(runs):
            empty_cache(folder)
            cold.append(measure(command, folder)[0].cpu_s)
        warm = [measure(command, folder)[0].cpu_s for _ in range(runs)]
        seconds[rule] = [statistics.median(cold), statistics.median(warm)]
    return seconds


def main() -> None:
    """Measure, and write the tables to docs/performance.md."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3, help="the median counts")
    runs = parser.parse_args().runs
    lines = [
        f"{name_machine()}; median of {runs} runs; `uv run python "
        "benchmarks/compiling.py`",
        "",
        "| job, CPU s | to be compiled | compiled |",
        "|---|---:|---:|",
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_project(folder)
        jobs = {
            source: measure_jobs(folder, source, runs)
            for source in ("film.mp4", "tape.tar")
        }
        for rule, source, words in (
            ("downsample_frames", "film.mp4", "downsample_frames of a film"),
            ("downsample_frames", "tape.tar", "downsample_frames of a tarball"),
            ("cluster_shard", "film.mp4", "cluster_shard"),
        ):
            cold, warm = jobs[source][rule]
            lines.append(f"| {words} | {cold:.1f} | {warm:.1f} |")
        lines += [
            "",
            "| run of a film of a minute, 2 cores | wall s to its palettes | wall s "
            "to the end | CPU s |",
            "|---|---:|---:|---:|",
        ]
        taken: dict[str, list[tuple[float, float, float]]] = {"cold": [], "warm": []}
        for _ in range(runs):
            empty_cache(folder)
            taken["cold"].append(run(folder, "film.mp4"))
            taken["warm"].append(run(folder, "film.mp4"))
        for state, words in (("cold", "the very first"), ("warm", "any later")):
            medians = map(statistics.median, zip(*taken[state], strict=True))
            cells = " | ".join(f"{value:.1f}" for value in medians)
            lines.append(f"| {words} | {cells} |")
    table = "\n".join(lines)
    print(table)
    write_between(PAGE, "compiling", table)


if __name__ == "__main__":
    main()
