"""How often Snakemake's scheduler goes round, and what that costs its own process.

Snakemake's limit of jobs a second starts a timer in each round and a round by each
timer; Reelbow takes the limit away when a run begins. Both are measured, by turns.
Films go the whole way; of tarballs the shards' databases are made before, and jobs only
copy them, since what they do does not matter here.

    uv run python benchmarks/scheduler_rounds.py --films 60
    uv run python benchmarks/scheduler_rounds.py --tarballs 1200
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# First: there are films beside this file, too.
sys.path.insert(0, str(ROOT / "tests" / "helpers"))
sys.path.insert(1, str(ROOT / "workflow" / "scripts"))

from measuring import copy_workflow  # noqa: E402 (the path comes first)

from chain import cluster, plan_files  # noqa: E402
from films import numbered_film  # noqa: E402
from projects import COLORS, write_tarball  # noqa: E402
from reelbow.shards.batches import ThumbnailOptions  # noqa: E402
from reelbow.shards.names import name_shards  # noqa: E402

N_COLORS = 8

# Counts rounds and the process's own CPU seconds; as told, lets the limit stay.
COUNTING = """
import atexit, resource, sys
from snakemake.scheduling.job_scheduler import JobScheduler
rounds, select = 0, JobScheduler.job_selector
def count(self, jobs):
    global rounds
    rounds += 1
    return select(self, jobs)
JobScheduler.job_selector = count
if sys.argv.pop(1) == "limit":
    def keep(self, limit):
        self.__dict__["limit"] = limit or self.__dict__.get("limit")
    JobScheduler.job_rate_limiter = property(lambda self: self.limit, keep)
def tell():
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"\\nROUNDS {rounds} {used.ru_utime + used.ru_stime:.1f}", file=sys.stderr)
atexit.register(tell)
from snakemake.cli import main
sys.argv[0] = "snakemake"
main()
"""


# Instead of cluster_shard, with the folder before it.
COPYING = """
import shutil
shutil.copy(f"{MADE}/{snakemake.wildcards.shard}.sqlite", snakemake.output.palettes)
"""


def make_shards(folder: Path, tarballs: list[Path]) -> None:
    """Make the shards' databases, and jobs that copy them."""
    made = folder / "made"
    made.mkdir()
    names = name_shards(tarballs)
    plan_files(tarballs, made / "plan.json", shards=names)
    shaping = ThumbnailOptions(None, None, "srgb", 10**8, "skip")
    for shard, tarball in zip(names, tarballs, strict=True):
        path = made / f"{shard}.sqlite"
        about = {"film": "films", "shard": shard, "n_colors": N_COLORS}
        cluster(tarball, made / "plan.json", path, shaping=shaping, **about)
    script = folder / "code/workflow/scripts/cluster_shard.py"
    script.write_text(f"MADE = {str(made)!r}\n{COPYING}")


def run(folder: Path, films: str, limit: str) -> tuple[int, float]:
    """Run the workflow once; return its scheduler's rounds and Snakemake's CPU s."""
    # One job a tarball.
    config = [f"films={films}", "barcodes={kinds: [mean], formats: []}"]
    config += ["downsample={height: null}"] if films.endswith(".tar") else []
    command = [sys.executable, "-c", COUNTING, limit, "-s", folder / "code/Snakefile"]
    done = subprocess.run(
        [*command, "--directory", folder / limit, "--config", *config],
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"^ROUNDS (\d+) ([\d.]+)$", done.stderr, re.M)
    assert found is not None, done.stderr
    return int(found[1]), float(found[2])


def main() -> None:
    """Make the films, run both ways and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=int, default=0)
    parser.add_argument("--tarballs", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy_workflow(folder / "code")
        (folder / "films").mkdir()
        for number in range(arguments.films):
            numbered_film(folder / f"films/{number:03d}.mp4", 48)
        for number in range(arguments.tarballs):
            write_tarball(folder / f"films/{number:05d}.tar", {"0.jpg": COLORS[0]})
        tarballs = sorted((folder / "films").glob("*.tar"))
        if tarballs:
            make_shards(folder, tarballs)
        ending = "mp4" if arguments.films else "tar"
        print("| | rounds | Snakemake's own CPU s |\n|---|---|---|")
        for limit, what in {"limit": "as Snakemake is", "none": "without"}.items():
            rounds, cpu_s = run(folder, f"{folder}/films/*.{ending}", limit)
            print(f"| {what} | {rounds:,} | {cpu_s:.1f} |", flush=True)


if __name__ == "__main__":
    main()
