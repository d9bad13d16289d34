"""Which order of bands flickers least, over several films.

Flicker and still pairs are those of benchmarks/band_order.py. Of a film its first half
minute is read, two frames a second, with 8 colors a frame.

    uv run python benchmarks/band_order_films.py FILM [FILM ...] --pictures FOLDER
"""

import argparse
import sys
import time
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from band_order import (  # noqa: E402  (the path is set just above)
    FEW_ROWS,
    HEIGHT,
    STILL,
    find_least_flicker,
    measure_flicker,
)

from reelbow.barcode import draw_palettes  # noqa: E402
from reelbow.barcode.bands import ORDERS  # noqa: E402
from reelbow.film import read_frames  # noqa: E402
from reelbow.kmeans import Palettes, find_palettes  # noqa: E402

EVERY_S = 0.5
MOST_FRAMES = 60


def read_palettes(film: Path) -> Palettes:
    """Find the palettes of a film's first frames."""
    frames = islice(read_frames(film, every=EVERY_S, height=90), MOST_FRAMES)
    pixels = np.stack([frame.pixels for frame in frames])
    return find_palettes(
        pixels, n_colors=8, n_init=3, seed=0, color_space="srgb", engine="numba"
    )


def save_orders(pictures: list[NDArray[np.uint8]], path: Path) -> None:
    """Write a film's barcodes, one below the other, in the order of `ORDERS`."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    wide = np.concatenate(pictures).repeat(max(1, 600 // pictures[0].shape[1]), axis=1)
    Image.fromarray(wide).save(path)


def main() -> None:
    """Measure every film, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("films", type=Path, nargs="+")
    parser.add_argument("--pictures", type=Path, help="folder for one PNG per film")
    options = parser.parse_args()
    print(f"| film | frames | the least | {' | '.join(ORDERS)} |")
    print("|---" * (3 + len(ORDERS)) + "|")
    flickers, stills, costs_s = [], [], []
    for film in options.films:
        palettes = read_palettes(film)
        few = draw_palettes(palettes, "stacked", height=FEW_ROWS)
        least = find_least_flicker(few)
        pictures, each_s = [], []
        for order in ORDERS:
            start = time.process_time()
            drawn = draw_palettes(palettes, "stacked", height=HEIGHT, order=order)
            each_s.append((time.process_time() - start) / len(palettes.shares))
            pictures.append(drawn)
        flicker = np.array([measure_flicker(drawn) for drawn in pictures])
        means = flicker.mean(axis=1)
        flickers.append(means)
        if (still := least <= STILL).any():
            stills.append(flicker[:, still].mean(axis=1))
        costs_s.append(each_s)
        values = " | ".join(f"{mean:.3f}" for mean in (least.mean(), *means))
        print(f"| {film.stem} | {len(palettes.shares)} | {values} |", flush=True)
        if options.pictures is not None:
            save_orders(pictures, options.pictures / f"{film.stem}.png")
    for name, rows in (("mean of all", flickers), ("mean of still pairs", stills)):
        values = " | ".join(f"{mean:.3f}" for mean in np.mean(rows, axis=0))
        print(f"| {name} | | | {values} |")
    values = " | ".join(f"{1e6 * mean:.0f}" for mean in np.median(costs_s, axis=0))
    print(f"| CPU µs a column, median | | | {values} |")


if __name__ == "__main__":
    main()
