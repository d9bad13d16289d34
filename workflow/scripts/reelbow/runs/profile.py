"""What the jobs of a run used, stage by stage: as a table, as text and as a figure.

Each job's log says what it used, all but the end of its process, and Snakemake's
benchmark file how long it took; that samples memory and CPU time too seldom.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from reelbow.database.reading import count_skipped
from reelbow.jobs.files import write_tsv
from reelbow.jobs.log import USAGE_MARK
from reelbow.runs.comparisons import find_pair
from reelbow.runs.resources import NEEDS
from reelbow.shards import names as shard_names
from reelbow.shards.plan import Plan, read_plan
from reelbow.text import align, count

# In the order of the way of the data, what is the user's work.
STAGES = [
    rule
    for rule in NEEDS
    if rule not in ("make_demo_film", "find_source", "profile_run", "verify", "audit")
]
_USAGE = re.compile(rf"^{USAGE_MARK}([\d.]+) CPU s, at most ([\d.]+) MB$", re.M)

_GREY = "#6b6b6b"
_LIGHT_GREY = "#d4d4d4"
_BAR = "#2f5d8a"


class Job(NamedTuple):
    """A finished job."""

    stage: str
    frames: dict[str, int]  # sampled frames that it had before it, by film and shard
    cpu_s: float
    wall_s: float
    peak_mb: float


class Stage(NamedTuple):
    """All jobs of one stage."""

    stage: str
    jobs: int
    frames: int  # each counted once, however many jobs had it
    cpu_s: float
    wall_s: float  # summed over jobs, also over those side by side
    peak_mb: float  # of the largest job
    frames_per_cpu_s: float | None  # None if nothing says how many frames there were
    cpu_share: float  # of all stages, [0, 1]


def find_jobs(
    films: Iterable[str], kinds: Iterable[str], *, logs: Path, results: Path
) -> Iterator[Job]:
    """Find the finished jobs of films, each as it last ran.

    Only what belongs to the films' plans counts: other files may be of earlier runs.

    Parameters
    ----------
    films : ids, also of films that have no plan yet
    kinds : kinds of barcodes
    logs, results : the folders of the same names
    """
    everything: dict[str, int] = {}
    films = list(films)
    for film in films:
        plan_path = results / film / "plan.json"
        if not plan_path.exists():
            continue
        plan = read_plan(plan_path)
        frames = _count_frames(film, plan, results)
        everything |= frames
        yield from _find_job("plan_shards", film, frames, logs)
        for stage in shard_names.SHARD_RULES:
            for part, n_frames in frames.items():
                yield from _find_job(stage, part, {part: n_frames}, logs)
        yield from _find_job("merge_film", film, frames, logs)
        for stage in (
            *("render_barcodes", "render_contact", "render_averages"),
            *("render_posters", "export_tables", "write_explorer"),
            *("merge_sums", "find_defects"),
        ):
            yield from _find_job(stage, film, frames, logs)
        for kind in kinds:
            # Of those that were drawn again with all others nobody has the picture.
            if not _is_older(f"render_barcode/{film}/{kind}", film, logs):
                yield from _find_job("render_barcode", f"{film}/{kind}", frames, logs)
    for log in sorted((logs / "compare_films").glob("*.log")):
        pair = find_pair(log.stem, films)
        if pair is None:
            continue
        frames = {
            each: n for each, n in everything.items() if each.split("/")[0] in pair
        }
        yield from _find_job("compare_films", log.stem, frames, logs)
    for stage in ("assign_tiles", "render_mosaic"):
        for log in sorted((logs / stage).glob("*.log")):
            yield from _find_job(stage, log.stem, everything, logs)
    for stage in (
        *("merge_films", "summarize_films", "index_colors", "compare_all"),
        *("export_films", "write_index", "write_provenance"),
    ):
        yield from _find_job(stage, "", everything, logs)


def _is_older(name: str, film: str, logs: Path) -> bool:
    """Whether a job's log is older than that of all pictures of the film."""
    paths = [logs / f"{name}.log", logs / "render_barcodes" / f"{film}.log"]
    if not all(path.exists() for path in paths):
        return False
    one, every = (path.stat().st_mtime_ns for path in paths)
    return one < every


def _count_frames(film: str, plan: Plan, results: Path) -> dict[str, int]:
    """Count each shard's frames; those of tarballs are known once they are read."""
    counts = {}
    for part in plan["shards"]:
        shard, n_frames = part["shard"], part["n_frames"]
        if n_frames is None:
            path = results / film / "palettes" / f"{shard}.sqlite"
            n_frames = sum(count_skipped(path)[:2]) if path.exists() else 0
        counts[f"{film}/{shard}"] = n_frames
    return counts


def _find_job(
    stage: str, name: str, frames: dict[str, int], logs: Path
) -> Iterator[Job]:
    """Find what one job left, if it has run and did not fail."""
    beginning = f"{stage}/{name}" if name else stage
    usage = _USAGE.findall(_read(logs / f"{beginning}.log"))
    benchmark = _read(logs / f"{beginning}.tsv").splitlines()
    rows = list(csv.DictReader(benchmark, delimiter="\t"))
    if not (usage and rows):
        return
    cpu_s, peak_mb = map(float, usage[-1])
    yield Job(stage, frames, cpu_s, float(rows[-1]["s"]), peak_mb)


def _read(path: Path) -> str:
    """Read a file, if it is there; one that cannot be read is no file less."""
    return path.read_bytes().decode(errors="replace") if path.exists() else ""


def sum_stages(jobs: Iterable[Job]) -> list[Stage]:
    """Sum the jobs of each stage, in the order of the way of the data."""
    of_stage: dict[str, list[Job]] = {}
    for job in jobs:
        of_stage.setdefault(job.stage, []).append(job)
    sums = [_sum_jobs(stage, of_stage[stage]) for stage in STAGES if stage in of_stage]
    whole_s = sum(stage.cpu_s for stage in sums)
    return [stage._replace(cpu_share=stage.cpu_s / (whole_s or 1)) for stage in sums]


def sum_all(jobs: Iterable[Job]) -> Stage:
    """Sum all jobs, as if they were one stage."""
    return _sum_jobs("all", list(jobs))


def _sum_jobs(stage: str, jobs: Sequence[Job]) -> Stage:
    frames: dict[str, int] = {}
    for job in jobs:
        frames.update(job.frames)
    n_frames = sum(frames.values())
    cpu_s = sum(job.cpu_s for job in jobs)
    return Stage(
        stage=stage,
        jobs=len(jobs),
        frames=n_frames,
        cpu_s=cpu_s,
        wall_s=sum(job.wall_s for job in jobs),
        peak_mb=max(job.peak_mb for job in jobs),
        frames_per_cpu_s=n_frames / cpu_s if n_frames and cpu_s else None,
        cpu_share=1.0,
    )


def write_table(stages: Iterable[Stage], path: Path) -> None:
    """Write a row for each stage, under the names of `Stage`, separated by tabs."""
    formats = ("", "", "", ".3f", ".2f", ".1f", ".2f", ".4f")
    rows = (
        [
            "" if value is None else format(value, how)
            for value, how in zip(stage, formats, strict=True)
        ]
        for stage in stages
    )
    write_tsv(path, Stage._fields, rows)


# The columns of `_write_cells`.
HEADER = ("", "jobs", "frames", "CPU s", "wall s", "peak MB", "frames/CPU s", "CPU")


def _write_cells(stage: Stage) -> tuple[str, ...]:
    """Write what is told of a stage, as people read it."""
    rate = stage.frames_per_cpu_s
    return (
        stage.stage,
        f"{stage.jobs:,}",
        f"{stage.frames:,}",
        f"{stage.cpu_s:,.2f}",
        f"{stage.wall_s:,.2f}",
        f"{stage.peak_mb:,.0f}",
        "-" if rate is None else f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}",
        f"{stage.cpu_share:.1%}",
    )


def format_table(stages: Iterable[Stage], whole: Stage) -> str:
    """Set the table for a terminal, with the sum of all stages below it."""
    rows = [HEADER, *map(_write_cells, [*stages, whole])]
    return "\n".join(align(rows, right=True))


def draw_figure(stages: Sequence[Stage], whole: Stage, path: Path) -> None:
    """Draw a bar of CPU seconds for each stage, before a lighter one of wall seconds.

    Parameters
    ----------
    stages : at least one, drawn from the top down
    whole : the sum of all
    path : a .png, overwritten
    """
    # Not pyplot, which would look for a screen.
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    names = [stage.stage for stage in stages]
    note = (
        f"{whole.cpu_s:,.1f} CPU seconds (blue) in {whole.wall_s:,.1f} seconds of "
        f"{count(whole.jobs, 'job')} (grey) for {count(whole.frames, 'frame')}"
    )
    # A font that comes with matplotlib, so that figures look alike everywhere.
    with rc_context({"font.family": "STIXGeneral", "font.size": 12}):
        size = (10, 2.3 + 0.45 * len(stages))
        figure = Figure(figsize=size, dpi=200, layout="constrained")
        figure.suptitle("What the run was bound by", x=0, ha="left", size=20)
        figure.supxlabel(note, x=0, ha="left", style="italic", color=_GREY)
        axes, table = figure.subplots(1, 2, sharey=True, width_ratios=(2, 1))
        axes.barh(names, [stage.wall_s for stage in stages], 0.66, color=_LIGHT_GREY)
        axes.barh(names, [stage.cpu_s for stage in stages], 0.38, color=_BAR)
        axes.set(ylim=(len(stages) - 0.5, -0.5))
        axes.set_xlabel("seconds", color=_GREY)
        axes.margins(x=0)
        axes.tick_params(color=_GREY, labelcolor=_GREY, axis="x")
        axes.spines[["top", "right", "bottom"]].set_visible(False)
        table.axis("off")
        for row, cells in enumerate([HEADER, *map(_write_cells, stages)]):
            for place, cell in zip((1.0, 0.75, 0.25), cells[:-4:-1], strict=True):
                color = "black" if row else _GREY
                table.text(place, row - 1, cell, ha="right", va="center", color=color)
        figure.savefig(path, bbox_inches="tight", pad_inches=0.3)
