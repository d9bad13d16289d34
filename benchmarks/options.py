"""What each part that is only made if asked for costs a film, beside a run without it.

Whole runs on one film, by turns, each from nothing: CPU seconds are those of Snakemake
and of all jobs. Two films are compared in a run of both, beside a run of both without.

    uv run python benchmarks/options.py

The table is written to docs/performance.md; the films are in ../shared/data.
"""

import argparse
import sqlite3
import tempfile
from contextlib import closing
from functools import partial
from pathlib import Path

from machine import name_machine, write_between
from measuring import ROOT, Cost, Project, by_turns

SHARED = ROOT.parent / "shared" / "data"
FILM = SHARED / "bbb_full_384x216_25fps_h264.mp4"
OTHER = SHARED / "tears_of_steel_battle_800x332_24fps_vp8.webm"
BOTH = f"[{FILM}, {OTHER}]"
PAGE = ROOT / "docs" / "performance.md"

# Runs on one film: what each makes beside what all make, or in its place less.
OF_A_FILM = {
    "by default": (),
    "no pages, no previews, no index": (
        "explorer={page: false}",
        "previews={height: null}",
        "search={index: false}",
    ),
    "a figure of a measure": ("measures=[colorfulness]",),
    "`trim: auto`": ("trim=auto",),
    "shots": ("shots={detector: adaptive}",),
    "tables as CSV": ("tables={formats: [csv]}",),
    "shots, and tables of them": (
        "shots={detector: adaptive}",
        "tables={formats: [csv]}",
    ),
    "`provenance: true`": ("provenance=true",),
}

# Runs on two films.
OF_TWO = {
    "two films by default": (),
    "the pair compared": (f"compare=[[{FILM.stem}, {OTHER.stem}]]",),
    "all compared by their palettes": ("compare=all",),
}


def run(films: str, *settings: str) -> Cost:
    """Run the workflow from nothing."""
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder) / "project")
        cost, _ = project.run("--cores", "1", "--config", f"films={films}", *settings)
    return cost


def count_frames(films: str) -> int:
    """Count the frames that a run samples."""
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder) / "project")
        project.run("--cores", "1", "--config", f"films={films}")
        path = project.folder / "results" / "palettes.sqlite"
        with closing(sqlite3.connect(path)) as connection:
            (n,) = connection.execute("SELECT count(*) FROM frames").fetchone()
    return int(n)


def write_rows(costs: dict[str, dict[str, float]], n_frames: int) -> list[str]:
    """Write a row for each run: its cost, and what it takes more than the first."""
    first = next(iter(costs.values()))["cpu_s"]
    rows = []
    for name, cost in costs.items():
        more_s = cost["cpu_s"] - first
        more = "" if cost["cpu_s"] == first else f"{more_s:+.1f}"
        each = f"{1000 * (more_s if more else first) / n_frames:+.1f}"
        rows.append(f"| {name} | {cost['cpu_s']:.1f} | {more} | {each} |")
    return rows


def main() -> None:
    """Measure, print the table, and write it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=2, help="of each, by turns")
    runs = parser.parse_args().runs
    n_frames, n_of_both = count_frames(str(FILM)), count_frames(BOTH)
    of_a_film = {
        name: partial(run, str(FILM), *settings) for name, settings in OF_A_FILM.items()
    }
    of_two = {name: partial(run, BOTH, *settings) for name, settings in OF_TWO.items()}
    lines = [
        f"{FILM.stem}, {n_frames:,} frames, and {OTHER.stem}, "
        f"{n_of_both - n_frames:,}; {name_machine()}; medians of {runs} runs by turns "
        "on one core; `uv run python benchmarks/options.py`",
        "",
        "| a run | CPU s | more than the first | CPU ms a frame |",
        "|---|---:|---:|---:|",
        *write_rows(by_turns(runs, **of_a_film), n_frames),
        *write_rows(by_turns(runs, **of_two), n_of_both),
    ]
    print("\n".join(lines))
    write_between(PAGE, "options", "\n".join(lines))


if __name__ == "__main__":
    main()
