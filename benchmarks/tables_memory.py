"""Memory and time of the tables of a film of a million frames.

A film's database is made of invented rows, 8 colors a frame, and exported as a job
does, in a process of its own.

    uv run python benchmarks/tables_memory.py
    uv run python benchmarks/tables_memory.py --frames 20000 --formats csv parquet xlsx
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from machine import name_machine
from measuring import measure

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "workflow/scripts"
sys.path.insert(0, str(SCRIPTS))

from reelbow.database.opening import open_new  # noqa: E402 (the path comes first)
from reelbow.database.schema import FilmRow  # noqa: E402
from reelbow.database.writing import add_film  # noqa: E402

N_COLORS = 8
SOME = 10_000

EXPORT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from reelbow.export.tables import export_film
export_film(Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:])
"""


def make_film(path: Path, n_frames: int) -> None:
    """Write a film whose colors lie around some dozens, as those of films do."""
    random = np.random.default_rng(0)
    middles = random.integers(30, 225, (40, 3))
    with open_new(path) as connection:
        add_film(connection, 1, FilmRow("long", "Long", "long.mp4"))
        for first in range(0, n_frames, SOME):
            n = min(SOME, n_frames - first)
            near = middles[random.integers(0, 40, (n, N_COLORS))]
            rgb = (near + random.normal(0, 6, near.shape)).clip(0, 255).astype(int)
            packed = (rgb @ np.array([1 << 16, 1 << 8, 1])).tolist()
            connection.execute("BEGIN")
            connection.executemany(
                "INSERT INTO frames VALUES (1, ?, ?, ?, '00000', ?, 90.5, ?)",
                (
                    (first + i, float(first + i), f"{first + i:08d}.jpg", row[0], b"0")
                    for i, row in enumerate(packed)
                ),
            )
            connection.executemany(
                "INSERT INTO palettes VALUES (1, ?, ?, ?, ?, 0)",
                (
                    (first + i, rank, color, 1 / N_COLORS)
                    for i, row in enumerate(packed)
                    for rank, color in enumerate(row)
                ),
            )
            connection.execute("COMMIT")


def main() -> None:
    """Make the film, export it, and print what that took."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--formats", nargs="+", default=["csv"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_film(folder / "film.sqlite", options.frames)
        cost, _ = measure(
            [
                *(sys.executable, "-c", EXPORT, SCRIPTS),
                *(folder / "film.sqlite", folder / "tables", *options.formats),
            ],
            folder,
        )
        sizes = ", ".join(
            f"{path.name} {path.stat().st_size / 1e6:.1f} MB"
            for path in sorted((folder / "tables").glob("[fp]*s.*"))
        )
    print(
        f"{name_machine()}: {options.frames:,} frames as {', '.join(options.formats)}: "
        f"{cost.peak_mb:.0f} MiB at most, {cost.cpu_s:.1f} CPU s; {sizes}"
    )


if __name__ == "__main__":
    main()
