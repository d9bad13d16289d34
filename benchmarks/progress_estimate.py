r"""How right the time left is that a run tells, against what then came.

Makes short films, runs the workflow on them and notes when each line of progress
came. Prints told and true seconds at each tenth of the run, and the worst line from
the first quarter on; told within 10 s of what came, a line counts as right.

    uv run python benchmarks/progress_estimate.py 8 --seconds 300 60 120 \
        --config 'sampling={every: 0.1}'
    uv run python benchmarks/progress_estimate.py 300 --seconds 4
"""

import argparse
import itertools
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# First: there are films beside this file, too.
sys.path.insert(0, str(ROOT / "tests" / "helpers"))

from measuring import copy_workflow  # noqa: E402 (the path comes first)

from films import numbered, write_film  # noqa: E402

RATE = 12
LEFT = re.compile(r"Reelbow: (.*?);.*about (?:(\d+):)?(\d+):(\d\d) left")
CLOSE_S = 10


def run(folder: Path, n_films: int, seconds: list[int], config: list[str]) -> None:
    """Run the workflow and print the table."""
    (folder / "films").mkdir()
    for film, length in zip(range(n_films), itertools.cycle(seconds)):
        frames = (numbered(film + frame, (320, 180)) for frame in range(RATE * length))
        write_film(folder / f"films/{film:03d}.mp4", frames, rate=RATE)
    copy_workflow(folder / "code")
    begun = time.monotonic()
    command = [sys.executable, "-m", "snakemake", "-s", folder / "code/Snakefile"]
    told = []
    with subprocess.Popen(
        [*command, "--config", "films=films/*.mp4", *config],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            found = LEFT.search(line)
            if found:
                hours, minutes, rest = (int(part or 0) for part in found.groups()[1:])
                left_s = 3600 * hours + 60 * minutes + rest
                told.append((time.monotonic() - begun, left_s, found[1]))
    assert process.returncode == 0
    whole_s = time.monotonic() - begun
    print(f"{n_films} films, {whole_s:.0f} s, {len(told)} lines with a time left\n")
    print(
        "| of the run | told, s | came, s | ratio | the line |\n|---|---|---|---|---|"
    )
    worst, tenth, worst_row = 1.0, 0.0, "none"
    for at_s, left_s, line in told:
        share, came_s = at_s / whole_s, whole_s - at_s
        ratio = max(left_s, 1) / max(came_s, 1)
        row = f"| {share:.0%} | {left_s} | {came_s:.0f} | {ratio:.2f} | {line} |"
        if share >= tenth:
            tenth = share + 0.1
            print(row)
        off = max(ratio, 1 / ratio)
        if share >= 0.25 and abs(left_s - came_s) > CLOSE_S and off > worst:
            worst, worst_row = off, row
    print(f"\nFrom a quarter of the run on at worst {worst:.2f} times off: {worst_row}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("films", type=int)
    parser.add_argument("--seconds", type=int, nargs="+", default=[4], help="of films")
    parser.add_argument("--config", nargs="+", default=[], help="as for Snakemake")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), arguments.films, arguments.seconds, arguments.config)
