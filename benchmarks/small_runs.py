"""What Reelbow costs where there is little to do: short clips, and drawing again.

On a clip of a minute: CPU seconds of the run beyond those of decoding it, and the wall
seconds from the command to the first picture in its folder. On many clips of 30 s: CPU
seconds a clip. On a film of ten minutes that is done: the seconds of drawing it in
another order and in another size. All clips are of 854x480, made of the benchmarks'
film. Beside it `snakemake --version`, which is what Snakemake itself takes to start,
and, if another version of Reelbow is named, that one by turns.

    git worktree add OTHER COMMIT
    uv run python benchmarks/small_runs.py --clips 200 --against OTHER
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from machine import name_machine, write_between
from measuring import ROOT, Cost, Project, by_turns, measure

FIGURES = ROOT / "benchmarks" / "small_runs.json"
PAGE = ROOT / "docs" / "performance.md"
CACHE = ROOT / "benchmarks" / "cache"
# Clips that differ, of which there are as many as are asked for by other names.
N_DIFFERENT = 10

Step = Callable[[], Cost]


def cut_clip(start_s: int, length_s: int) -> Path:
    """Cut a clip of 854x480 out of the ten-minute film, or find it made."""
    path = CACHE / f"clip_{start_s}_{length_s}_480p.mp4"
    if not path.exists():
        film = CACHE / "ten_minutes_of_photographs_1080p.mp4"
        if not film.exists():
            measure([sys.executable, ROOT / "benchmarks" / "films.py"], ROOT)
        command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-ss", str(start_s)]
        command += ["-i", film, "-t", str(length_s), "-vf", "scale=854:480", path]
        measure(command, ROOT)
    return path


def run_from_nothing(code: Path, source: Path, folder: Path) -> Cost:
    """Run the workflow on a source in a folder that is not there yet."""
    project = Project(folder, code)
    cost, _ = project.run("--cores", "2", "--config", f"films={source}")
    return cost


def run_once(code: Path, source: Path) -> Cost:
    """Run the workflow, and keep nothing of it."""
    with tempfile.TemporaryDirectory() as folder:
        return run_from_nothing(code, source, Path(folder) / "project")


def wait_for_picture(code: Path, source: Path) -> Cost:
    """Run the workflow; the wall seconds are those until the first picture is there."""
    with tempfile.TemporaryDirectory() as parent:
        project = Project(Path(parent) / "project", code)
        command = [sys.executable, "-m", "snakemake", "--cores", "2"]
        began = time.perf_counter()
        process = subprocess.Popen(
            [*command, "--config", f"films={source}"],
            cwd=project.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        seen_s = None
        while process.poll() is None and seen_s is None:
            if any(project.folder.glob("results/*/barcodes/*.png")):
                seen_s = time.perf_counter() - began
            time.sleep(0.01)
        _, status, usage = os.wait4(process.pid, 0)
        if status or seen_s is None:
            raise subprocess.CalledProcessError(status, command)
    return Cost(usage.ru_utime + usage.ru_stime, seen_s, 0.0)


class Film:
    """A film of ten minutes that is done, to be drawn again."""

    def __init__(self, code: Path, source: Path, folder: Path) -> None:
        self._project = Project(folder, code)
        self._source = source
        self._n = 0
        self.draw("share", 300)

    def draw(self, order: str, height: int) -> Cost:
        """Run the workflow with other settings of the pictures."""
        barcodes = f"barcodes={{order: {order}, height: {height}}}"
        given = ["--config", f"films={self._source}", barcodes]
        return self._project.run("--cores", "2", *given)[0]

    def reorder(self) -> Cost:
        """Draw it in the other of two orders."""
        self._n += 1
        return self.draw("hue" if self._n % 2 else "share", 300)

    def resize(self) -> Cost:
        """Draw it in a height that it did not have yet."""
        self._n += 1
        return self.draw("share", 300 + self._n)


def measure_all(runs: int, n_clips: int, against: Path | None) -> dict[str, Any]:
    """Measure all steps of one version, or of two by turns."""
    codes = {"": ROOT} | ({" before": against} if against else {})
    minute, long = cut_clip(0, 60), cut_clip(0, 600)
    decode = ["ffmpeg", "-nostdin", "-v", "error", "-threads", "1", "-i", minute]
    steps: dict[str, Step] = {
        "start": lambda: measure(
            [sys.executable, "-m", "snakemake", "--version"], ROOT
        )[0],
        "decode": lambda: measure([*decode, "-f", "null", "-"], ROOT)[0],
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = folder / "clips"
        clips.mkdir()
        for i in range(n_clips):
            clip = cut_clip(30 * (i % N_DIFFERENT), 30)
            (clips / f"clip{i:03d}.mp4").symlink_to(clip)
        many: dict[str, Step] = {}
        for label, code in codes.items():
            film = Film(code, long, folder / f"film{label}")
            steps |= {
                f"minute{label}": lambda code=code: run_once(code, minute),
                f"first{label}": lambda code=code: wait_for_picture(code, minute),
                f"order{label}": film.reorder,
                f"size{label}": film.resize,
            }
            many[f"clips{label}"] = lambda code=code: run_once(code, clips / "*.mp4")
        figures = by_turns(runs, **steps) | by_turns(1, **many)
    return {"machine": name_machine(), "runs": runs, "clips": n_clips, "of": figures}


ROWS = [
    ("`snakemake --version`: Snakemake's own start", "start", "cpu_s", 1),
    ("decoding the clip of a minute by FFmpeg", "decode", "cpu_s", 1),
    ("a run on it, CPU s", "minute", "cpu_s", 1),
    ("the same: wall s from the command to the first picture", "first", "wall_s", 1),
    ("drawing ten minutes in another order, wall s", "order", "wall_s", 1),
    ("drawing them in another size, wall s", "size", "wall_s", 1),
    ("{n} clips of 30 s, CPU s a clip", "clips", "cpu_s", 0),
]


def render_table(figures: dict[str, Any]) -> str:
    """Write the figures as Markdown, with those of another version beside them."""
    of, n = figures["of"], figures["clips"]
    compared = "minute before" in of
    lines = [
        f"{figures['machine']}; medians of {figures['runs']} runs by turns; `uv run "
        f"python benchmarks/small_runs.py --clips {n}`",
        "",
        "| | s |" + (" before | ratio |" if compared else ""),
        "|---|---:|" + ("---:|---:|" if compared else ""),
    ]

    def write(label: str, now: float, before: float | None) -> None:
        more = "" if not compared else " | |"
        if compared and before is not None:
            more = f" {before:.2f} | {now / before:.2f} |"
        lines.append(f"| {label} | {now:.2f} |{more}")

    for label, name, key, per_run in ROWS:
        parts = 1 if per_run else n
        before = of.get(f"{name} before")
        write(
            label.format(n=n),
            of[name][key] / parts,
            before[key] / parts if before else None,
        )
        if name == "minute":
            decode_s = of["decode"]["cpu_s"]
            write(
                "the same, beyond decoding",
                of[name]["cpu_s"] - decode_s,
                before["cpu_s"] - decode_s if before else None,
            )
    return "\n".join(lines)


def main() -> None:
    """Measure, and write the table to docs/performance.md."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3, help="of each, by turns")
    parser.add_argument("--clips", type=int, default=200, help="of 30 s, run once")
    parser.add_argument("--against", type=Path, help="a folder with another version")
    parser.add_argument("--redraw", action="store_true", help="measure nothing")
    options = parser.parse_args()
    if not options.redraw:
        figures = measure_all(options.runs, options.clips, options.against)
        FIGURES.write_text(f"{json.dumps(figures, indent=1)}\n", encoding="utf-8")
    table = render_table(json.loads(FIGURES.read_text(encoding="utf-8")))
    print(table)
    write_between(PAGE, "small_runs", table)


if __name__ == "__main__":
    main()
