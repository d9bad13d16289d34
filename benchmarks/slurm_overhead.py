"""What a shard's job costs on Slurm beyond its work, with groups and without.

Runs a film of a few trivial shards locally, on Slurm with one job for a shard, and on
Slurm with one job for each rule. Every Python process of a run notes its CPU seconds,
Slurm tells when jobs were submitted, began and ended, and Snakemake's log when it knew
of it. Then submits 1,200 shards that Slurm holds, for what that costs Snakemake, and
computes from it and from benchmarks/many_shards.json what a whole run of them costs.
Needs a Slurm that is up, and a folder that its nodes see.

    uv run python benchmarks/slurm_overhead.py --shards 8 --jobs 4
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from textwrap import fill
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# First: there are films beside this file, too.
sys.path.insert(0, str(ROOT / "tests" / "helpers"))

from machine import name_machine, write_between  # noqa: E402 (the path comes first)
from many_shards import apart, make_tarballs  # noqa: E402
from measuring import CommandError, Project  # noqa: E402

from projects import write_colors  # noqa: E402

FIGURES = ROOT / "benchmarks" / "slurm_overhead.json"
MANY_SHARDS = ROOT / "benchmarks" / "many_shards.json"
PAGE = ROOT / "docs" / "cluster.md"
CHAIN = ("downsample_frames", "cluster_shard")
# As Snakemake names a rule's script when it runs.
SCRIPTS = tuple(f".{rule}.py" for rule in CHAIN)
MANY = 1200
# How long Snakemake looks after them once all are in the queue.
LOOKS_S = 120
# Of the document's lines.
WIDTH = 88

# A shard is one frame. What depends on the film's length is elsewhere: many_shards.py.
CONFIG = """
films: film.mp4
shards: {frames: 1}
barcodes: {kinds: [], formats: []}
"""
# Jobs on several nodes hand files on over the shared disk, not in a node's scratch.
KEPT = """
downsample: {keep: true}
"""

# Python imports a module of this name when it starts, in all processes of a run, on
# the nodes as well: Slurm gives a job the environment of who submits it.
HOOK = """
import atexit, json, os, resource, socket, sys, time

def note(began=time.time()):
    own = resource.getrusage(resource.RUSAGE_SELF)
    others = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = {
        "program": sys.argv[0],
        "job": os.environ.get("SLURM_JOB_ID"),
        "step": os.environ.get("SLURM_STEP_ID"),
        "wall_s": time.time() - began,
        "own_s": own.ru_utime + own.ru_stime,
        "others_s": others.ru_utime + others.ru_stime,
        "peak_mb": own.ru_maxrss / 1024,
    }
    name = f"{socket.gethostname()}.{os.getpid()}.{began}.json"
    with open(os.path.join(os.environ["REELBOW_USAGE"], name), "w") as stream:
        json.dump(used, stream)

atexit.register(note)
"""

# Ctrl-C is ignored by what a shell starts in the background.
INTERRUPTIBLE = """
import signal, snakemake.cli
signal.signal(signal.SIGINT, signal.default_int_handler)
snakemake.cli.main()
"""


@dataclass
class Overhead:
    """What a run took; seconds of a shard are means over shards, summed over its jobs.

    Attributes
    ----------
    n_jobs : Slurm jobs of a shard
    wait_s, job_s, notice_s : from a job's submission to its start, to its end, and to
        when Snakemake knew; None: no Slurm
    work_s, work_cpu_s : of the rules' scripts for a shard
    own_cpu_s : of Snakemake and srun for a shard, on its node
    head_cpu_s, head_mb, wall_s : of the Snakemake that was called, for the whole run
    """

    n_jobs: int
    wait_s: float | None
    job_s: float | None
    notice_s: float | None
    work_s: float
    work_cpu_s: float
    own_cpu_s: float
    head_cpu_s: float
    head_mb: float
    wall_s: float


def find_slurm() -> str:
    """Name the Slurm that is up; exit with a sentence where there is none."""
    try:
        subprocess.run(["sinfo", "-h"], check=True, capture_output=True, timeout=20)
        told = subprocess.run(
            ["sinfo", "--version"], check=True, capture_output=True, text=True
        )
    except FileNotFoundError:
        sys.exit("There is no Slurm here: sinfo is not installed.")
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        sys.exit("There is no Slurm up: sinfo does not answer.")
    return told.stdout.strip().replace("slurm-wlm", "Slurm").replace("slurm", "Slurm")


def measure_run(
    folder: Path, n_shards: int, jobs: int, arguments: list[str], config: str = CONFIG
) -> Overhead:
    """Run a film of so many shards in a new folder."""
    project = Project(folder)
    usage = folder / "usage"
    usage.mkdir()
    (folder / "hook").mkdir()
    (folder / "hook" / "sitecustomize.py").write_text(HOOK, encoding="utf-8")
    write_colors(
        folder / "film.mp4", [0x101010 * (1 + i % 14) for i in range(n_shards)]
    )
    (folder / "own.yaml").write_text(config, encoding="utf-8")
    os.environ["REELBOW_USAGE"] = str(usage)
    os.environ["PYTHONPATH"] = str(folder / "hook")
    try:
        given = ["--configfile", "own.yaml", "--jobs", str(jobs)]
        cost, _ = project.run(*given, *arguments)
    finally:
        del os.environ["REELBOW_USAGE"], os.environ["PYTHONPATH"]
    notes = [json.loads(path.read_text()) for path in usage.iterdir()]
    (log,) = (folder / ".snakemake" / "log").glob("*.log")
    times: dict[str, Any] = dict.fromkeys(("wait_s", "job_s", "notice_s"))
    if "--profile" in arguments:
        times = read_times(folder, log.read_text(encoding="utf-8"), n_shards)
    return sum_up(notes, times, n_shards, cost.wall_s)


def read_times(folder: Path, log: str, n_shards: int) -> dict[str, Any]:
    """Read a shard's jobs and mean seconds from Slurm and from Snakemake's log."""
    told = subprocess.run(
        ["squeue", "-h", "-t", "all", "--me", "-o", "%Z|%k|%i|%T|%V|%S|%e"],
        check=True,
        capture_output=True,
        text=True,
    )
    jobs = [line.split("|") for line in told.stdout.splitlines()]
    jobs = [
        job
        for job in jobs
        # The comment of a job names its rules.
        if Path(job[0]) == folder and any(rule in job[1] for rule in CHAIN)
    ]
    bad = sum(job[3] != "COMPLETED" for job in jobs)
    if bad or not jobs or len(jobs) % n_shards:
        sys.exit(
            f"Slurm remembers {len(jobs)} jobs of {n_shards} shards, and {bad} of them "
            "did not end well: the seconds of a shard cannot be told. Its MinJobAge "
            "must be longer than the run."
        )
    submitted, began, ended = (
        [datetime.fromisoformat(job[column]).timestamp() for job in jobs]
        for column in (4, 5, 6)
    )
    # All rules of a group are told to be done at the same time.
    last = CHAIN if len(jobs) > n_shards else CHAIN[-1:]
    known = [
        datetime.strptime(told, "%a %b %d %H:%M:%S %Y").timestamp()
        for told, rule in re.findall(
            r"\[(.*)\]\nFinished jobid: \d+ \(Rule: (\w+)\)", log
        )
        if rule in last
    ]
    # Whole seconds, cut off alike: their differences are right in the mean.
    points = [sum(times) / n_shards for times in (submitted, began, ended, known)]
    wait_s, job_s, notice_s = (b - a for a, b in pairwise(points))
    return {
        "ids": {job[2] for job in jobs},
        **{"wait_s": wait_s, "job_s": job_s, "notice_s": notice_s},
    }


def sum_up(
    notes: list[dict[str, Any]], times: dict[str, Any], n_shards: int, wall_s: float
) -> Overhead:
    """Sum the notes of all processes."""
    ids = times.pop("ids", set())
    scripts = [note for note in notes if note["program"].endswith(SCRIPTS)]
    snakemakes = [note for note in notes if "snakemake" in Path(note["program"]).parts]
    # The one that was called ends last.
    head = max(snakemakes, key=lambda note: note["wall_s"])
    on_nodes = [note for note in snakemakes if note["job"] in ids]
    own = sum(note["own_s"] for note in on_nodes)
    # Of a job's Snakemakes the outer one has called srun, the inner one the scripts.
    own += sum(note["others_s"] for note in on_nodes if note["step"] is None)
    return Overhead(
        n_jobs=len(ids) // n_shards,
        **times,
        work_s=sum(note["wall_s"] for note in scripts) / n_shards,
        work_cpu_s=sum(note["own_s"] for note in scripts) / n_shards,
        own_cpu_s=own / n_shards,
        # What a local Snakemake called is its jobs.
        head_cpu_s=head["own_s"] + (head["others_s"] if ids else 0),
        head_mb=head["peak_mb"],
        wall_s=wall_s,
    )


def measure_queue(folder: Path, n_shards: int, profile: str) -> dict[str, float]:
    """Submit so many shards that stay in the queue, and cancel them.

    Returns the head's seconds to submit them, its CPU seconds for that and for each
    minute after, those of sbatch and squeue included, and its peak in MB.
    """
    project = Project(folder)
    apart(make_tarballs, folder / "tape", n_shards)
    project.run("results/tape/plan.json", "--config", "films=tape/")
    began = time.perf_counter()
    process = subprocess.Popen(
        [
            *[sys.executable, "-c", INTERRUPTIBLE, "--profile", profile],
            *["--config", "films=tape/", "--jobs", str(n_shards)],
            *["--default-resources", "slurm_extra='--hold'"],
        ],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=(folder / "stderr").open("w"),
    )
    try:
        while count_waiting(folder) < n_shards:
            if process.poll() is not None:
                raise CommandError((folder / "stderr").read_text(errors="replace"))
            time.sleep(2)
        submitted_s = time.perf_counter() - began
        submitting = read_cpu(process.pid)
        time.sleep(LOOKS_S)
        looking = read_cpu(process.pid) - submitting
    finally:
        # As Ctrl-C does: Snakemake cancels its jobs.
        process.send_signal(signal.SIGINT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if left := count_waiting(folder):
        raise CommandError(f"{left} jobs are left in the queue after it was ended")
    return {
        "submitted_s": submitted_s,
        "submitting_cpu_s": submitting,
        "minute_cpu_s": looking / LOOKS_S * 60,
        "peak_mb": usage.ru_maxrss / 1024,
    }


def count_waiting(folder: Path) -> int:
    """Count the jobs of a folder in the queue."""
    told = subprocess.run(
        ["squeue", "-h", "--me", "-o", "%Z"], check=True, capture_output=True, text=True
    )
    return told.stdout.splitlines().count(str(folder))


def read_cpu(pid: int) -> float:
    """Read the CPU seconds of a process and of those it called that have ended."""
    about = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    ticks = about.rpartition(")")[2].split()[11:15]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


ROWS = [
    ("Slurm jobs of a shard", "n_jobs", 0),
    ("waits: from submission to start, s", "wait_s", 1),
    ("works: from a job's start to its end, s", "job_s", 1),
    ("is noticed: from a job's end to Snakemake's knowing, s", "notice_s", 1),
    ("the scripts alone, s", "work_s", 1),
    ("the scripts alone, CPU s", "work_cpu_s", 2),
    ("Snakemake and srun on the node, CPU s", "own_cpu_s", 2),
    ("head, whole run, CPU s", "head_cpu_s", 1),
    ("head, peak MB", "head_mb", 0),
    ("whole run, s", "wall_s", 0),
]


def render_tables(figures: dict[str, Any]) -> str:
    """Write the figures as Markdown."""
    runs = figures["runs"]
    names = list(runs)
    lines = [
        fill(
            f"{figures['slurm']}, {figures['machine']}: {figures['shards']} shards of "
            f"one tiny frame, {figures['jobs']} jobs at once; `uv run python "
            "benchmarks/slurm_overhead.py`. All but the last three rows are of one "
            "shard, a mean, summed over its jobs.",
            WIDTH,
        ),
        "",
        f"| | {' | '.join(names)} |",
        "|---|" + "---:|" * len(names),
    ]
    for title, key, digits in ROWS:
        values = [runs[name][key] for name in names]
        cells = ["" if value is None else f"{value:.{digits}f}" for value in values]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    many, computed = figures["many"], figures["computed"]
    lines += [
        "",
        fill(
            f"Snakemake on the login node, with {MANY:,} tarballs of two tiny frames, "
            "one job each. Slurm held the jobs; what comes after a job's end is by "
            "`benchmarks/many_shards.py`, which needs no cluster for it.",
            WIDTH,
        ),
        "",
        f"| {MANY:,} shards | |",
        "|---|---:|",
        f"| until all are in the queue, measured | {many['submitted_s']:.0f} s, "
        f"{many['submitting_cpu_s']:.0f} CPU s |",
        "| each minute with all in the queue, measured | "
        f"{many['minute_cpu_s']:.1f} CPU s |",
        f"| peak, measured | {many['peak_mb']:.0f} MB |",
        "| ends of all jobs, merges and pictures, computed | "
        f"{computed['ends_cpu_s']:.0f} CPU s |",
        f"| a run of an hour, computed | {computed['hour_cpu_s']:.0f} CPU s |",
        "| Snakemake and srun on the nodes, computed | "
        f"{computed['nodes_cpu_h']:.2f} CPU h; {computed['nodes_apart_cpu_h']:.2f} "
        "CPU h with a job for a rule |",
    ]
    return "\n".join(lines)


def compute_many(runs: dict[str, Overhead], many: dict[str, float]) -> dict[str, float]:
    """Compute what many shards cost from a few, and from what many were measured."""
    grouped, ungrouped = (
        runs["Slurm, a job for a shard"],
        runs["Slurm, a job for a rule"],
    )
    rows = json.loads(MANY_SHARDS.read_text(encoding="utf-8"))["rows"]
    cpu_s = {
        row["step"]: row["cost"]["cpu_s"]
        for row in rows
        if row["project"] == f"1 film, {MANY:,} tarballs"
    }
    # Both find out first which jobs there are.
    ends = (
        cpu_s["what Snakemake does beside all jobs"] - cpu_s["dry run, films planned"]
    )
    return {
        "ends_cpu_s": ends,
        "hour_cpu_s": many["submitting_cpu_s"] + ends + 60 * many["minute_cpu_s"],
        "nodes_cpu_h": MANY * grouped.own_cpu_s / 3600,
        "nodes_apart_cpu_h": MANY * ungrouped.own_cpu_s / 3600,
    }


def keep_figures(figures: dict[str, Any]) -> None:
    """Write the figures, and the tables of them into their page."""
    FIGURES.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    write_between(PAGE, "slurm_overhead", render_tables(figures))


def main() -> None:
    """Measure, print the tables and keep them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shards", type=int, default=8)
    parser.add_argument(
        "--jobs", type=int, default=4, help="at once; no more than have a free core"
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=ROOT / "benchmarks" / "cache",
        help="on the shared disk; the projects are made and removed in it",
    )
    parser.add_argument("--profile", default="profiles/slurm")
    parser.add_argument("--dry", action="store_true", help="write no file of figures")
    parser.add_argument(
        "--redraw", action="store_true", help="compute anew from what was measured"
    )
    a = parser.parse_args()
    if a.redraw:
        figures = json.loads(FIGURES.read_text(encoding="utf-8"))
        runs = {name: Overhead(**run) for name, run in figures["runs"].items()}
        keep_figures(figures | {"computed": compute_many(runs, figures["many"])})
        return
    slurm = find_slurm()
    alone = [f"{rule}={rule}" for rule in CHAIN]
    ways = {
        "local": ["--cores", str(a.jobs)],
        "Slurm, a job for a shard": ["--profile", a.profile],
        "Slurm, a job for a rule": ["--profile", a.profile, "--groups", *alone],
    }
    a.folder.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="slurm_overhead_", dir=a.folder.resolve()))
    runs: dict[str, Overhead] = {}
    try:
        many = measure_queue(folder / "many", MANY, a.profile)
        print(many, flush=True)
        for number, (name, arguments) in enumerate(ways.items()):
            config = CONFIG + KEPT if "--groups" in arguments else CONFIG
            place = folder / str(number)
            runs[name] = measure_run(place, a.shards, a.jobs, arguments, config)
            print(f"{name}: {runs[name]}", flush=True)
    except CommandError as error:
        sys.exit(f"A run failed: {error}")
    finally:
        shutil.rmtree(folder)
    figures = {
        "slurm": slurm,
        "machine": name_machine(),
        "shards": a.shards,
        "jobs": a.jobs,
        "runs": {name: asdict(run) for name, run in runs.items()},
        "many": many,
        "computed": compute_many(runs, many),
    }
    print(render_tables(figures))
    if not a.dry:
        keep_figures(figures)


if __name__ == "__main__":
    main()
