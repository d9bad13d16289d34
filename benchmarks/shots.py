"""The cuts that Reelbow finds in films beside those of PySceneDetect's own command.

Each film is planned in shards, and these are scored and put together as the workflow
does it; `scenedetect`'s command reads the same film from beginning to end. CPU seconds
are those of all shards, without the starts of their jobs, and those of the command, of
whose start some are the import of its packages.

    uv run python benchmarks/shots.py
    uv run python benchmarks/shots.py --films a.mp4 b.mkv --per-shard 300

The table of the films of ../shared/data is written to docs/shots.md.
"""

import argparse
import csv
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import name_machine, write_between

ROOT = Path(__file__).resolve().parent.parent
for folder in ("workflow/scripts", "tests/helpers"):
    sys.path.insert(0, str(ROOT / folder))

from chain import plan_files  # noqa: E402 (the path comes first)
from reelbow.analysis.cut_scores import METRICS, CutScores  # noqa: E402
from reelbow.analysis.shots import find_shots  # noqa: E402
from reelbow.pictures.geometry import MAX_PIXELS  # noqa: E402
from reelbow.shards.plan import read_plan  # noqa: E402
from score_cuts import score_cuts  # noqa: E402

SHARED = ROOT.parent / "shared" / "data"
PAGE = ROOT / "docs" / "shots.md"
FILMS = (
    "bbb_full_384x216_25fps_h264.mp4",
    "tears_of_steel_battle_800x332_24fps_vp8.webm",
    "bbb_480p_24fps_h264_bframes.mp4",
    "city_360p_30.006fps_h264_phone.mp4",
    "his_girl_friday_640x480_30fps_h264.mp4",
)
DETECTORS = ("adaptive", "content", "hash")


def find_own(film: Path, detector: str, per_shard: int) -> tuple[list[float], float]:
    """Find the starts of shots by Reelbow, and its CPU seconds."""
    with tempfile.TemporaryDirectory() as name:
        plan = Path(name, "plan.json")
        plan_files([film], plan, per_shard=per_shard)
        planned = read_plan(plan)
        began = time.process_time()
        parts = []
        for part in planned["shards"]:
            scores = Path(name, f"{part['shard']}.npz")
            score_cuts(
                film,
                plan,
                scores,
                shard=part["shard"],
                metric=METRICS[detector],
                max_pixels=MAX_PIXELS,
            )
            parts.append(CutScores.load(scores))
        shots = find_shots(parts, detector=detector, threshold=None, min_length_s=0.6)
        took_s = time.process_time() - began
    return [shot.start_s for shot in shots if shot.start_s is not None], took_s


def find_by_command(film: Path, detector: str) -> tuple[list[float], float]:
    """Find the starts of scenes by PySceneDetect's command, and its CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as name:
        command = [
            *(Path(sys.executable).with_name("scenedetect"), "-q", "-i", film),
            *("-o", name, f"detect-{detector}", "list-scenes", "--skip-cuts"),
            *("-f", "scenes.csv"),
        ]
        subprocess.run(command, check=True, env={"OMP_NUM_THREADS": "1", "PATH": ""})
        with Path(name, "scenes.csv").open(encoding="utf-8") as file:
            starts = [
                float(row["Start Time (seconds)"]) for row in csv.DictReader(file)
            ]
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    took_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return starts, took_s


def count_unlike(one: list[float], other: list[float]) -> int:
    """Count the starts of one that the other has not within a millisecond."""
    return sum(all(abs(start - each) > 1.5e-3 for each in other) for start in one)


def main() -> None:
    """Measure, print a row for each film and detector, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--films", type=Path, nargs="+", help="instead of the usual")
    parser.add_argument("--per-shard", type=int, default=60, help="frames a second")
    options = parser.parse_args()
    lines = [
        f"{name_machine()}; `uv run python benchmarks/shots.py`: shards of "
        f"{options.per_shard} s, and PySceneDetect's command with its defaults.",
        "",
        "| film | detector | shots of its command | only there | only Reelbow's | "
        "CPU s of its command | Reelbow's |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    print("\n".join(lines), flush=True)
    for film in options.films or [SHARED / name for name in FILMS]:
        for detector in DETECTORS:
            theirs, their_s = find_by_command(film, detector)
            own, own_s = find_own(film, detector, options.per_shard)
            lines.append(
                f"| {film.stem} | {detector} | {len(theirs)} | "
                f"{count_unlike(theirs, own)} | {count_unlike(own, theirs)} | "
                f"{their_s:.1f} | {own_s:.1f} |"
            )
            print(lines[-1], flush=True)
    if not options.films:
        write_between(PAGE, "shots", "\n".join(lines))


if __name__ == "__main__":
    main()
