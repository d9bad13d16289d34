"""The palette of a whole film beside scikit-learn's of all pixels of its thumbnails.

Each film goes the whole way, from its file to `film_palettes` in its database, with the
default settings. scikit-learn's KMeans finds the best of some starts over every color
of every pixel of every thumbnail, each with the number of its pixels. Inertia is the
mean square distance, in levels of sRGB, of all these pixels from the nearest color.

    uv run python benchmarks/film_palettes.py
    uv run python benchmarks/film_palettes.py --films a.mp4 b.mkv --starts 2

The table of the three films of ../shared/data is written to docs/palettes.md.
"""

import argparse
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np
from machine import name_machine, write_between
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

ROOT = Path(__file__).resolve().parent.parent
for folder in ("workflow/scripts", "tests/helpers"):
    sys.path.insert(0, str(ROOT / folder))

from chain import run_chain  # noqa: E402 (the path comes first)
from reelbow.barcode.film_record import unpack_colors  # noqa: E402
from reelbow.database.film_palettes import add_film_palette  # noqa: E402
from reelbow.database.schema import PaletteSettings  # noqa: E402

SHARED = ROOT.parent / "shared" / "data"
PAGE = ROOT / "docs" / "palettes.md"
FILMS = (
    "bbb_full_384x216_25fps_h264.mp4",
    "tears_of_steel_battle_800x332_24fps_vp8.webm",
    "city_360p_30.006fps_h264_phone.mp4",
)
N_COLORS = 8
SETTINGS = PaletteSettings(N_COLORS, n_init=5, seed=0, color_space="srgb")

Floats = NDArray[np.float64]


def count_pixels(thumbnails: list[NDArray[np.uint8]]) -> tuple[Floats, Floats]:
    """Count all pixels: distinct colors (m, 3), and how many there are of each."""
    counts = np.zeros(1 << 24, np.int64)
    for pixels in thumbnails:
        np.add.at(counts, pixels.reshape(-1, 3) @ np.array([1 << 16, 1 << 8, 1]), 1)
    colors = np.flatnonzero(counts)
    return unpack_colors(colors).astype(float), counts[colors].astype(float)


def find_inertia(points: Floats, weights: Floats, colors: Floats) -> float:
    """Find the mean square distance of weighted points from the nearest color."""
    least = np.full(len(points), np.inf)
    for color in colors:
        least = np.minimum(least, ((points - color) ** 2).sum(axis=1))
    return float((least * weights).sum() / weights.sum())


def measure_film(path: Path, n_starts: int) -> tuple[int, int, float, float, float]:
    """Measure frames, distinct colors, both inertias, and seconds for the palette."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = run_chain(path, folder, n_colors=N_COLORS, n_init=SETTINGS.n_init)
        points, weights = count_pixels(found.pixels)
        with closing(sqlite3.connect(folder / "palettes.sqlite")) as connection:
            began = time.process_time()
            # As merge_film does.
            add_film_palette(connection, SETTINGS)
            took_s = time.process_time() - began
            rows = connection.execute("SELECT color FROM film_palettes").fetchall()
    colors = np.array([color for (color,) in rows])
    with threadpool_limits(1):
        means = KMeans(N_COLORS, n_init=n_starts, random_state=0)
        means.fit(points, sample_weight=weights)
    best = find_inertia(points, weights, means.cluster_centers_)
    own = find_inertia(points, weights, unpack_colors(colors).astype(float))
    return len(found.frames), len(points), best, own, took_s


def main() -> None:
    """Measure, print a row for each film, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--films", type=Path, nargs="+", help="instead of three")
    parser.add_argument("--starts", type=int, default=5, help="of scikit-learn")
    options = parser.parse_args()
    lines = [
        f"{name_machine()}; `uv run python benchmarks/film_palettes.py`: "
        f"{N_COLORS} colors, scikit-learn's best of {options.starts} starts.",
        "",
        "| film | frames | colors of pixels | scikit-learn's inertia | Reelbow's | "
        "CPU s |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    print("\n".join(lines), flush=True)
    for path in options.films or [SHARED / film for film in FILMS]:
        n_frames, n_colors, best, own, took_s = measure_film(path, options.starts)
        lines.append(
            f"| {path.stem} | {n_frames} | {n_colors:,} | {best:.1f} | "
            f"{own / best - 1:+.2%} | {took_s:.2f} |"
        )
        print(lines[-1], flush=True)
    if not options.films:
        write_between(PAGE, "film_palettes", "\n".join(lines))


if __name__ == "__main__":
    main()
