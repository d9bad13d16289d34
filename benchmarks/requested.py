"""What each job of the ten-minute film asks a cluster for, beside what it used.

Runs the film once, in one shard, and reads what Snakemake's log says was asked for and
what `snakemake profile_run` says was used.

    uv run python benchmarks/requested.py
"""

import csv
import re
import tempfile
from pathlib import Path

from machine import name_machine, write_between
from measuring import ROOT, Project

from films import make_film

PAGE = ROOT / "docs" / "cluster.md"
N_FRAMES = 600


def read_requested(log: str) -> dict[str, tuple[int, int]]:
    """Find each rule's minutes and MB in Snakemake's log; of several jobs the most."""
    requested: dict[str, tuple[int, int]] = {}
    for rule, about in re.findall(
        r"^local(?:rule|checkpoint) (\w+):\n((?: .*\n)+)", log, re.M
    ):
        minutes = re.search(r"\bruntime=(\d+)", about)
        mb = re.search(r"\bmem_mb=(\d+)", about)
        if minutes and mb:
            one = (int(minutes[1]), int(mb[1]))
            requested[rule] = max(one, requested.get(rule, one))
    return requested


def main() -> None:
    """Run the film, print the table and write it into its page."""
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder))
        config = [f"films={make_film()}", f"shards={{frames: {N_FRAMES}}}"]
        project.run("--cores", "1", "--config", *config)
        (log,) = (project.folder / ".snakemake" / "log").glob("*.log")
        requested = read_requested(log.read_text(encoding="utf-8"))
        project.run("profile_run", "--cores", "1", "--config", *config)
        table = (project.folder / "results" / "profile.tsv").read_text(encoding="utf-8")
    lines = [
        f"The ten-minute film of 1920x1080, {N_FRAMES} frames in one shard, by `uv run "
        "python",
        f"benchmarks/requested.py` on {name_machine()}.",
        "",
        "| rule | wall s | minutes asked for | peak MB | MB asked for |",
        "|---|---:|---:|---:|---:|",
    ]
    for row in csv.DictReader(table.splitlines(), delimiter="\t"):
        if row["stage"] in requested:
            minutes, mb = requested[row["stage"]]
            wall_s = float(row["wall_s"]) / int(row["jobs"])
            lines.append(
                f"| {row['stage']} | {wall_s:.1f} | {minutes} "
                f"| {float(row['peak_mb']):.0f} | {mb} |"
            )
    print("\n".join(lines))
    write_between(PAGE, "requested", "\n".join(lines))


if __name__ == "__main__":
    main()
