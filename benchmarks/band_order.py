"""How still the bands of a stacked barcode stand, by the order they are stacked in.

Flicker is the part of a column's height whose color differs from the column before by
more than 0.05 in OKLab. The least that any order could have is that of the best
rearrangement of the one column's rows. Still pairs of columns are those in which this
least is at most 0.02: there, all flicker is the order's own.

    uv run python benchmarks/band_order.py results/bbb/palettes.sqlite --film bbb.mp4

With the film itself, its cuts are found from all its frames, and the cost by which the
order "track" tells a cut is judged by them.
"""

import argparse
import sqlite3
import sys
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from reelbow.barcode import draw_barcode, tracks  # noqa: E402  (the path is set just above)
from reelbow.barcode.bands import ORDERS  # noqa: E402
from reelbow.barcode.drawing import MAX_SIDE  # noqa: E402
from reelbow.barcode.film_record import (  # noqa: E402
    find_film,
    find_luma,
    read_film,
    read_palettes,
)
from reelbow.color.spaces import srgb_to_oklab  # noqa: E402
from reelbow.database.opening import open_database  # noqa: E402

HEIGHT = 300
# Rows that are rearranged for the least flicker.
FEW_ROWS = 100
VISIBLE = 0.05
STILL = 0.02

# A cut in the film: a mean difference of HSV above this, and above so many times the
# middle one of the frames around.
CUT_DIFFERENCE = 12.0
CUT_TIMES = 3.0


def measure_flicker(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Measure each column but the first of (height, n, 3) against the one before."""
    colors = srgb_to_oklab(pixels)
    apart = np.linalg.norm(np.diff(colors, axis=1), axis=2)
    return np.asarray((apart > VISIBLE).mean(axis=0))


def find_least_flicker(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Find what would be left with the rows of each column in the best order."""
    colors = srgb_to_oklab(pixels).transpose(1, 0, 2)
    least = []
    for one, other in pairwise(colors):
        differ = np.linalg.norm(one[:, None] - other, axis=2) > VISIBLE
        rows, columns = linear_sum_assignment(differ)
        least.append(differ[rows, columns].mean())
    return np.array(least)


def measure_costs(database: Path) -> NDArray[np.float64]:
    """Find for each column but the first what the order "track" tells a cut by."""
    with closing(open_database(database)) as connection:
        film_id, _ = find_film(connection, database, None)
        luma = find_luma(connection, database, skip_black=False)
        frames = read_palettes(connection, film_id, luma, database)
        palettes = [
            (srgb_to_oklab(colors), shares) for *_, (colors, shares, _) in frames
        ]
    return np.array(
        [tracks._match(*later, *sooner)[-1] for sooner, later in pairwise(palettes)]
    )


def find_cuts(film: Path) -> NDArray[np.float64]:
    """Find the times, in seconds, of the cuts of a film."""
    times, differences = [], []
    before = None
    with av.open(str(film)) as container:
        for frame in container.decode(video=0):
            pixels = frame.reformat(48, 27, "rgb24").to_ndarray()
            now = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV).astype(np.float64)
            times.append(frame.time)
            differences.append(0 if before is None else np.abs(now - before).mean())
            before = now
    each = np.array(differences)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(each, 5), 11)
    cuts = (each > CUT_DIFFERENCE) & (each > CUT_TIMES * np.median(around, axis=1))
    return np.array(times, np.float64)[cuts]


def print_costs(costs: NDArray[np.float64], cut: NDArray[np.bool_]) -> None:
    """Print which threshold finds how many of the cuts."""
    print("| cut above | of the cuts found | of the other pairs taken for one |")
    print("|---|---|---|")
    for threshold in (0.05, 0.07, 0.08, 0.09, 0.1, 0.11, 0.13):
        above = costs > threshold
        print(
            f"| {threshold:.2f} | {above[cut].mean():.1%} | {above[~cut].mean():.1%} |"
        )


def main() -> None:
    """Measure, print a table, and write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("database", type=Path)
    parser.add_argument("--film", type=Path, help="the film itself, to find its cuts")
    parser.add_argument("--pictures", type=Path, help="folder for one PNG per order")
    options = parser.parse_args()
    with closing(sqlite3.connect(options.database)) as connection:
        (n_frames,) = connection.execute("SELECT count(*) FROM frames").fetchone()
    if not 2 <= n_frames <= MAX_SIDE:
        sys.exit(f"{options.database} has {n_frames} frames, not 2 to 32,768.")

    costs = measure_costs(options.database)
    cut = costs > tracks._CUT
    if options.film is not None:
        times_s = read_film(options.database).times_s
        before = np.searchsorted(find_cuts(options.film), times_s, side="right")
        cut = np.diff(before) > 0
        print_costs(costs, cut)
        print()
    few = draw_barcode(options.database, "stacked", height=FEW_ROWS)
    least = find_least_flicker(few)
    still = ~cut & (least <= STILL)
    print(
        f"{len(cut)} pairs of columns, {(~cut).sum()} within a shot, {still.sum()} of "
        "these still\n"
    )
    print("| order | all | within shots | still |")
    print("|---|---|---|---|")
    flickers = {"(the least of any)": least}
    for order in ORDERS:
        pixels = draw_barcode(options.database, "stacked", height=HEIGHT, order=order)
        flickers[order] = measure_flicker(pixels)
        if options.pictures is not None:
            options.pictures.mkdir(parents=True, exist_ok=True)
            picture = options.pictures / f"band_order_{order}.png"
            small = [cv2.IMWRITE_PNG_COMPRESSION, 9]
            wide = cv2.cvtColor(pixels.repeat(2, axis=1), cv2.COLOR_RGB2BGR)
            cv2.imwrite(str(picture), wide, small)
    for order, flicker in flickers.items():
        print(
            f"| {order} | {flicker.mean():.3f} | {flicker[~cut].mean():.3f} "
            f"| {flicker[still].mean():.3f} |"
        )


if __name__ == "__main__":
    main()
