"""The palette of a whole film beside scikit-learn's of all pixels of its thumbnails.

Each film goes the whole way, from its file to `film_palettes` in its database, with the
default settings. scikit-learn's KMeans finds the best of some starts over every color
of every pixel of every thumbnail, each with the number of its pixels. Inertia is the
mean square distance, in levels of sRGB, of all these pixels from the nearest color.
What counting pixels takes is a share of the CPU time of a job of cluster_shard.

    uv run python benchmarks/film_palettes.py
    uv run python benchmarks/film_palettes.py --films a.mp4 b.mkv --starts 2

The table of films of ../shared/data is written to docs/palettes.md.
"""

import argparse
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

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
from reelbow.database.merging import merge_shards  # noqa: E402
from reelbow.database.schema import FilmRow, PaletteSettings  # noqa: E402
from reelbow.pictures.color_sums import ColorSums  # noqa: E402

SHARED = ROOT.parent / "shared" / "data"
PAGE = ROOT / "docs" / "palettes.md"
FILMS = (
    "bbb_full_384x216_25fps_h264.mp4",
    "tears_of_steel_battle_800x332_24fps_vp8.webm",
    "city_360p_30.006fps_h264_phone.mp4",
    "bottles_640x360_29.83fps_h264.mp4",
    "bbb_480p_24fps_h264_bframes.mp4",
    "bbb_letterboxed_4x3_320x240_15fps_h264.mp4",
    "bbb_telecined_ntsc_720x480i_mpeg2.ts",
    "chaplin_pillarbox_640x360_25fps_h264.mp4",
    "count_hand_640x480_VFR_h264.mp4",
    "flower_960x540_29.97fps_h264.mp4",
    "his_girl_friday_640x480_30fps_h264.mp4",
    "nasa_two_video_streams.mp4",
    "navy_green_flash_at_15s_320x240.mp4",
    "puppy_rotated180_VFR_h264_phone.mp4",
    "roadtrip_10bit_vp9p2.webm",
    "testcard_720p_25fps_400k_avc.mp4",
)
N_COLORS = 8
SETTINGS = PaletteSettings(N_COLORS, n_init=5, seed=0, color_space="srgb")

# What a job of cluster_shard does, Snakemake's import included.
JOB = f"""
import sys
sys.path[:] = eval(sys.argv[1])
from pathlib import Path
from snakemake import script
from chain import cluster
folder = Path(sys.argv[2])
settings = {{"n_colors": {N_COLORS}, "n_init": {SETTINGS.n_init}}}
made, plan = folder / "thumbnails.npz", folder / "plan.json"
cluster(made, plan, folder / "again.sqlite", **settings)
"""

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


class Measured(NamedTuple):
    """A film: frames, colors, inertias, CPU seconds, and the share of the counting."""

    n_frames: int
    n_colors: int
    best: float
    own: float
    merging_s: float
    counting_share: float
    sums_bytes: int


def measure_film(path: Path, n_starts: int) -> Measured:
    """Take a film the whole way, and scikit-learn over all of its pixels."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = run_chain(path, folder, n_colors=N_COLORS, n_init=SETTINGS.n_init)
        shard, film = folder / "palettes.sqlite", folder / "film.sqlite"
        before = os.times()
        subprocess.run([sys.executable, "-c", JOB, repr(sys.path), folder], check=True)
        after = os.times()
        clustering_s = after.children_user - before.children_user
        clustering_s += after.children_system - before.children_system
        with closing(sqlite3.connect(shard)) as connection:
            (size,) = connection.execute(
                "SELECT length(sums) FROM color_sums"
            ).fetchone()
        began_s = time.process_time()
        merge_shards(
            {"00000": shard},
            film,
            row=FilmRow("film", "film", "film"),
            planned={"00000": found.plan["n_frames"]},
            fps=None,
            n_colors=N_COLORS,
            palette=SETTINGS,
        )
        merging_s = time.process_time() - began_s
        with closing(sqlite3.connect(film)) as connection:
            rows = connection.execute("SELECT color FROM film_palettes").fetchall()
    pixels, frames = np.stack(found.pixels), np.arange(len(found.pixels))
    began_s = time.process_time()
    sums = ColorSums()
    sums.add_frames(frames, frames.astype(float), pixels)
    sums.pack()
    counting_s = time.process_time() - began_s
    points, weights = count_pixels(found.pixels)
    colors = np.array([color for (color,) in rows])
    with threadpool_limits(1):
        means = KMeans(N_COLORS, n_init=n_starts, random_state=0)
        means.fit(points, sample_weight=weights)
    best = find_inertia(points, weights, means.cluster_centers_)
    own = find_inertia(points, weights, unpack_colors(colors).astype(float))
    share = counting_s / clustering_s
    return Measured(len(frames), len(points), best, own, merging_s, share, size)


def main() -> None:
    """Measure, print a row for each film, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--films", type=Path, nargs="+", help="instead of these")
    parser.add_argument("--starts", type=int, default=5, help="of scikit-learn")
    options = parser.parse_args()
    lines = [
        f"{name_machine()}; `uv run python benchmarks/film_palettes.py`: "
        f"{N_COLORS} colors, scikit-learn's best of {options.starts} starts.",
        "",
        "| film | frames | colors of pixels | scikit-learn's inertia | Reelbow's | "
        "sums of pixels, kB | counting them, of cluster_shard | CPU s of merge_film |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    print("\n".join(lines), flush=True)
    for path in options.films or [SHARED / film for film in FILMS]:
        m = measure_film(path, options.starts)
        lines.append(
            f"| {path.stem} | {m.n_frames} | {m.n_colors:,} | {m.best:.1f} | "
            f"{m.own / m.best - 1:+.2%} | {m.sums_bytes / 1000:.0f} | "
            f"{m.counting_share:.1%} | {m.merging_s:.2f} |"
        )
        print(lines[-1], flush=True)
    if not options.films:
        write_between(PAGE, "film_palettes", "\n".join(lines))


if __name__ == "__main__":
    main()
