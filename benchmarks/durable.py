"""What it costs that results wait for the disk before they get their names.

Writes the files that shards leave, with and without waiting, on the disk of a folder:

    uv run python benchmarks/durable.py [FOLDER]

writes its table to docs/cluster.md. A FOLDER of another disk gets its table printed.
"""

import argparse
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

from machine import name_machine, write_between

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from reelbow.jobs.files import atomic_write  # noqa: E402 (the path comes first)

PAGE = ROOT / "docs" / "cluster.md"
# What is written, the bytes of a file, how many files and by how many writers at once.
CASES = (
    ("databases of shards of 10 frames", 50_000, 1000, 1),
    ("the same by 16 jobs at once", 50_000, 1600, 16),
    ("databases of shards of 600 frames", 400_000, 1000, 1),
    ("sheets of 600 previews", 800_000, 500, 1),
    ("thumbnails of 600 frames", 26_000_000, 30, 1),
)
RUNS = 3


def write_files(folder: Path, size: int, n_files: int, *, durable: bool) -> None:
    """Write files as jobs do."""
    data = os.urandom(size)
    for number in range(n_files):
        path = folder / f"{number:05d}.sqlite"
        with atomic_write(path, durable=durable) as temporary:
            temporary.write_bytes(data)


def measure_ms(
    place: Path, size: int, n_files: int, at_once: int, **how: bool
) -> float:
    """Return the milliseconds that all take, by their number; the best of runs."""
    taken = []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory(dir=place) as temporary:
            # What earlier files left to be written is not of these.
            os.sync()
            # Each has a folder: in one, all would look through it for leftovers.
            writers = [
                threading.Thread(
                    target=write_files,
                    args=(Path(temporary) / str(number), size, n_files // at_once),
                    kwargs=how,
                )
                for number in range(at_once)
            ]
            start = time.perf_counter()
            for writer in writers:
                writer.start()
            for writer in writers:
                writer.join()
            taken.append((time.perf_counter() - start) / n_files * 1000)
    return min(taken)


def find_disk(folder: Path) -> str:
    """Name the kind of disk that a folder is on."""
    mounts = [
        line.split()[1:3]
        for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    ]
    resolved = folder.resolve()
    on = [(place, kind) for place, kind in mounts if resolved.is_relative_to(place)]
    return max(on, key=lambda mount: len(mount[0]))[1]


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT)
    folder = parser.parse_args().folder
    lines = [
        f"{name_machine()}, {find_disk(folder)}, the best of {RUNS} runs, by",
        "`uv run python benchmarks/durable.py`.",
        "",
        "| ms for a file | without | with the wait |",
        "|---|---:|---:|",
    ]
    for name, *case in CASES:
        row = [measure_ms(folder, *case, durable=durable) for durable in (False, True)]
        lines.append(f"| {name}, {case[0] / 1e6:g} MB | {row[0]:.2f} | {row[1]:.2f} |")
        print(lines[-1], flush=True)
    text = "\n".join(lines)
    if folder == ROOT:
        write_between(PAGE, "durable", text)
    else:
        print(text)


if __name__ == "__main__":
    main()
