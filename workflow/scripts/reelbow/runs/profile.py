"""What the jobs of a run used, stage by stage: as a table, as text and as a figure.

Each job tells twice what it used, and neither can tell too much: Snakemake's benchmark
file knows the last of its samples, the job's log all but the end of its process. The
larger figure is the nearer one.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from reelbow.database.reading import count_skipped
from reelbow.jobs.log import USAGE_MARK
from reelbow.runs.resources import NEEDS
from reelbow.shards import names as shard_names
from reelbow.shards.kinds import find_kind
from reelbow.shards.plan import Plan, read_plan

# In the order of the way of the data, what is the user's work.
STAGES = [
    rule
    for rule in NEEDS
    if rule not in ("make_demo_film", "find_source", "profile_run")
]
_USAGE = re.compile(rf"^{USAGE_MARK}([\d.]+) CPU s, at most ([\d.]+) MB$", re.M)

# Inches, but for the sizes of letters, which are points.
_WIDTH = 10.0
_ABOVE = 1.15
_ROW = 0.5
_BELOW = 0.75
_STAGE_WIDTH = 1.9
_LABEL_WIDTH = 3.5
_MARGIN = 0.35
_DPI = 200
_TITLE_SIZE = 20
_TEXT_SIZE = 12
_NOTE_SIZE = 10.5
_INK = "#1a1a1a"
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
    for film in films:
        plan_path = results / film / "plan.json"
        if not plan_path.exists():
            continue
        plan = read_plan(plan_path)
        frames = {
            f"{film}/{shard}": n_frames
            for shard, n_frames in _count_frames(plan, results / film).items()
        }
        everything |= frames
        yield from _find_job("plan_shards", film, frames, logs)
        for stage in shard_names.STAGES:
            # The logs may be of an earlier film of this name.
            if stage == "extract_frames" and not find_kind(plan).is_extracted:
                continue
            for part, n_frames in frames.items():
                yield from _find_job(stage, part, {part: n_frames}, logs)
        yield from _find_job("merge_film", film, frames, logs)
        for kind in kinds:
            yield from _find_job("render_barcode", f"{film}/{kind}", frames, logs)
    for stage in ("merge_films", "summarize_films"):
        yield from _find_job(stage, "", everything, logs)


def _count_frames(plan: Plan, results: Path) -> dict[str, int]:
    """Count each shard's frames; those of tarballs are known once they are read."""
    counts = {}
    for part in plan["shards"]:
        shard, n_frames = part["shard"], part["n_frames"]
        if n_frames is None:
            path = results / "palettes" / f"{shard}.sqlite"
            n_skipped, n_read, _ = count_skipped(path) if path.exists() else (0, 0, "")
            n_frames = n_skipped + n_read
        counts[shard] = n_frames
    return counts


def _find_job(
    stage: str, name: str, frames: dict[str, int], logs: Path
) -> Iterator[Job]:
    """Find what one job left, if it has run and did not fail."""
    beginning = f"{stage}/{name}" if name else stage
    log, benchmark = logs / f"{beginning}.log", logs / f"{beginning}.tsv"
    if not (log.exists() and benchmark.exists()):
        return
    usage = _USAGE.findall(log.read_text(encoding="utf-8", errors="replace"))
    with benchmark.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    if not (usage and rows):
        return
    cpu_s, peak_mb = map(float, usage[-1])
    sampled = rows[-1]
    yield Job(
        stage,
        frames,
        cpu_s=max(cpu_s, _read_sample(sampled["cpu_time"])),
        wall_s=float(sampled["s"]),
        peak_mb=max(peak_mb, _read_sample(sampled["max_rss"])),
    )


def _read_sample(cell: str) -> float:
    """Read a number of a benchmark file; jobs that were too short have none."""
    return 0.0 if cell in ("NA", "-") else float(cell)


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
    with path.open("w", encoding="utf-8", newline="") as lines:
        table = csv.writer(lines, delimiter="\t", lineterminator="\n")
        table.writerow(Stage._fields)
        for stage in stages:
            rate = stage.frames_per_cpu_s
            table.writerow(
                [
                    *stage[:3],
                    f"{stage.cpu_s:.3f}",
                    f"{stage.wall_s:.2f}",
                    f"{stage.peak_mb:.1f}",
                    "" if rate is None else f"{rate:.2f}",
                    f"{stage.cpu_share:.4f}",
                ]
            )


def format_table(stages: Iterable[Stage], whole: Stage) -> str:
    """Set the table for a terminal, with the sum of all stages below it."""
    header = ("", "jobs", "frames", "CPU s", "wall s", "peak MB", "frames/CPU s", "CPU")
    rows = [
        header,
        *(
            (
                stage.stage,
                f"{stage.jobs:,}",
                f"{stage.frames:,}",
                f"{stage.cpu_s:,.2f}",
                f"{stage.wall_s:,.2f}",
                f"{stage.peak_mb:,.0f}",
                _format_rate(stage),
                f"{stage.cpu_share:.1%}",
            )
            for stage in [*stages, whole]
        ),
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *map(str.rjust, row[1:], widths[1:]),
            ]
        )
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def _format_rate(stage: Stage) -> str:
    rate = stage.frames_per_cpu_s
    if rate is None:
        return "-"
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"


def draw_figure(stages: Sequence[Stage], whole: Stage, path: Path) -> None:
    """Draw a bar of CPU seconds for each stage, before a lighter one of wall seconds.

    Parameters
    ----------
    stages : at least one, drawn from the top down
    whole : the sum of all
    path : a .png, overwritten
    """
    # Not pyplot, which would look for a screen.
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

    def font(
        size: float, style: Literal["normal", "italic"] = "normal"
    ) -> FontProperties:
        # One that comes with matplotlib, so that figures look alike everywhere.
        return FontProperties(family="STIXGeneral", size=size, style=style)

    height = _ABOVE + _ROW * len(stages) + _BELOW
    left = _MARGIN + _STAGE_WIDTH
    figure = Figure(figsize=(_WIDTH, height), dpi=_DPI, facecolor="white")
    axes = figure.add_axes(
        (
            left / _WIDTH,
            _BELOW / height,
            (_WIDTH - left - _LABEL_WIDTH) / _WIDTH,
            _ROW * len(stages) / height,
        )
    )
    rows = range(len(stages))
    axes.barh(rows, [stage.wall_s for stage in stages], 0.66, color=_LIGHT_GREY)
    axes.barh(rows, [stage.cpu_s for stage in stages], 0.38, color=_BAR)
    axes.set(ylim=(len(stages) - 0.5, -0.5))
    axes.set_xlim(0, max(max(stage.cpu_s, stage.wall_s) for stage in stages) or 1)
    axes.set_yticks(
        rows, [stage.stage for stage in stages], fontproperties=font(_TEXT_SIZE)
    )
    axes.tick_params(axis="y", length=0, pad=8, labelcolor=_INK)
    axes.tick_params(axis="x", length=4, width=0.6, color=_GREY, labelcolor=_GREY)
    for label in axes.get_xticklabels():
        label.set_fontproperties(font(_NOTE_SIZE))
    axes.set_xlabel("seconds", color=_GREY, fontproperties=font(_NOTE_SIZE))
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
    axes.spines["left"].set(color=_GREY, linewidth=0.6)

    columns = [
        ("of CPU", [f"{stage.cpu_share:.1%}" for stage in stages]),
        ("frames per CPU s", [_format_rate(stage) for stage in stages]),
        ("peak MB", [f"{stage.peak_mb:,.0f}" for stage in stages]),
    ]
    ends = (0.95, 2.3, _LABEL_WIDTH - _MARGIN)
    for (name, values), end in zip(columns, ends, strict=True):
        across = (_WIDTH - _LABEL_WIDTH + end) / _WIDTH
        for row, text in enumerate([name, *values]):
            figure.text(
                across,
                (_BELOW + _ROW * (len(stages) - row + 0.5)) / height,
                text,
                ha="right",
                va="center_baseline",
                color=_INK if row else _GREY,
                fontproperties=font(_TEXT_SIZE if row else _NOTE_SIZE),
            )
    note = (
        f"{whole.cpu_s:,.1f} CPU seconds (blue) in {whole.wall_s:,.1f} seconds of "
        f"{whole.jobs:,} {'job' if whole.jobs == 1 else 'jobs'} (grey) for "
        f"{whole.frames:,} {'frame' if whole.frames == 1 else 'frames'}"
    )
    title = "What the run was bound by"
    for text, text_font, color, below in [
        (title, font(_TITLE_SIZE), _INK, 0.45),
        (note, font(_TEXT_SIZE, "italic"), _GREY, 0.72),
    ]:
        figure.text(
            _MARGIN / _WIDTH,
            1 - below / height,
            text,
            va="baseline",
            color=color,
            fontproperties=text_font,
        )
    figure.savefig(path)
