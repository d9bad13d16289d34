"""Sketches: how many are drawn in a second, how right, and a picture of them.

In one run, by turns: Reelbow's drawing, alone and as PNG, and two ways of Matplotlib,
with axes that are cleared: a line for each stroke, or `imshow` of a drawing that is
there, and `savefig`. How right drawings are is told against supersampling, by which
8 x 8 and 32 x 32 points of each pixel are looked at one by one.

    uv run python benchmarks/sketches.py

writes the tables of docs/sketches.md and draws docs/sketches.png and
docs/sketches_average.png. Files of sketches are in ../shared/data.
"""

import io
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import matplotlib
import numpy as np
from machine import name_machine, write_between
from measuring import ROOT
from PIL import Image

sys.path[:0] = [str(ROOT / "workflow" / "scripts"), str(ROOT / "tests" / "helpers")]

from extract_frames import extract_frames  # noqa: E402 (the path comes first)
from reelbow.barcode.average_figure import tone  # noqa: E402
from reelbow.pictures.drawn_png import encode_drawing  # noqa: E402
from reelbow.pictures.picture_sums import PictureSums  # noqa: E402
from reelbow.pictures.strokes import (  # noqa: E402
    draw_colored_strokes,
    draw_strokes,
)
from reelbow.shards.batches import ThumbnailOptions  # noqa: E402
from reelbow.shards.sketch_files import (  # noqa: E402
    read_lines,
    read_quickdraw,
    read_split,
    read_stroke_3,
)
from reelbow.shards.sketches import open_shard  # noqa: E402
from reelbow.sources.sketches import make_plan  # noqa: E402
from supersampling import find_psnr, supersample  # noqa: E402

matplotlib.use("agg")

from matplotlib import pyplot as plt  # noqa: E402 (the backend comes first)

FOLDER = ROOT.parent / "shared" / "data" / "quickdraw"
NPZ = FOLDER / "quickdraw_12cats_sketchrnn.npz"
CATS = FOLDER / "quickdraw_raw_cat.ndjson"
MANY = FOLDER / "omniglot_sketchrnn.npz"
PAGE = ROOT / "docs" / "sketches.md"
PICTURE = ROOT / "docs" / "sketches.png"
AVERAGE = ROOT / "docs" / "sketches_average.png"

SIZE = 512
THICKNESS = 0.025
RUNS = 5
N_MATPLOTLIB = 30
N_RIGHT = 12
N_MANY = 10_000

Strokes = Sequence[np.ndarray[Any, np.dtype[np.float64]]]


def draw(strokes: Strokes) -> object:
    """Draw a sketch, and no more."""
    return draw_strokes(strokes, size=SIZE, thickness=THICKNESS)


def draw_png(strokes: Strokes) -> object:
    """Draw a sketch as PNG."""
    gray = draw_strokes(strokes, size=SIZE, thickness=THICKNESS)
    return encode_drawing(gray, is_gray=True)


def make_classic() -> Callable[[Strokes], object]:
    """Make the way of Matplotlib, with one figure for all drawings."""
    figure, axes = plt.subplots(figsize=(SIZE / 100, SIZE / 100), dpi=100)

    def classic(strokes: Strokes) -> object:
        axes.cla()
        axes.axis("off")
        axes.set_aspect("equal")
        axes.invert_yaxis()
        for stroke in strokes:
            axes.plot(
                *stroke.T,
                color="black",
                linewidth=SIZE * THICKNESS * 72 / 100,
                solid_capstyle="round",
                solid_joinstyle="round",
            )
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=100)
        return file.getvalue()

    return classic


def make_shown() -> Callable[[Strokes], object]:
    """Make the way of Matplotlib that shows a drawing as an image."""
    figure, axes = plt.subplots(figsize=(SIZE / 100, SIZE / 100), dpi=100)
    axes.set_position((0, 0, 1, 1))

    def show(strokes: Strokes) -> object:
        axes.cla()
        axes.axis("off")
        axes.imshow(draw(strokes), cmap="gray")
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=100)
        return file.getvalue()

    return show


def time_one(way: Callable[[Strokes], object], sketches: Sequence[Strokes]) -> float:
    """Measure CPU seconds a drawing."""
    began = time.process_time()
    for strokes in sketches:
        way(strokes)
    return (time.process_time() - began) / len(sketches)


def plan_many(size: int) -> tuple[dict[str, Any], list[str]]:
    """Plan a film of many drawings, and name the shards of the first of them."""
    how = {"thickness": THICKNESS, "split": "train", "color": "black"}
    how |= {"per_shard": 500, "crop": "auto", "max_pixels": 10**8}
    plan = make_plan([MANY], size=size, **how)
    shards = [part["shard"] for part in plan["shards"] if part["first_frame"] < N_MANY]
    return {**plan, "kind": "sketches"}, shards


def read_many() -> float:
    """Measure CPU seconds of many drawings from their file to thumbnails."""
    shaping = ThumbnailOptions(90, None, "srgb", 10**8, "skip")
    began = time.process_time()
    plan, shards = plan_many(256)
    for name in shards:
        shard = open_shard(MANY, plan, name, max_pixels=10**8, salvage=False)
        for member in shard.read():
            member.data.shape(shaping)
    return time.process_time() - began


def extract_shard(folder: str, shard: str) -> None:
    """Make a tarball of PNGs of a shard whose plan is in a folder."""
    shaping = ThumbnailOptions(None, None, "srgb", 10**8, "skip")
    how: dict[str, Any] = {"film": "a", "shaping": shaping, "quality": 90}
    frames = Path(folder, f"{shard}.tar")
    extract_frames(MANY, Path(folder, "plan.json"), frames, shard=shard, **how)


def extract_many(size: int) -> float:
    """Measure CPU seconds of many drawings from their file to tarballs of PNGs."""
    began = time.process_time()
    plan, shards = plan_many(size)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "plan.json").write_text(json.dumps(plan), encoding="utf-8")
        for shard in shards:
            extract_shard(folder, shard)
    return time.process_time() - began


def count_up(_: str, __: str) -> int:
    """Do what nothing but a core is needed for."""
    return sum(range(30_000_000))


def share_work(work: Callable[[str, str], object]) -> float:
    """Find the share of one process's time that two take for two shards."""
    plan, shards = plan_many(SIZE)
    took: dict[int, list[float]] = {1: [], 2: []}
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(1, get_context("spawn")) as one,
        ProcessPoolExecutor(2, get_context("spawn")) as two,
    ):
        Path(folder, "plan.json").write_text(json.dumps(plan), encoding="utf-8")
        # The first turn warms the processes up.
        for turn in range(RUNS + 1):
            for n, pool in ((1, one), (2, two)):
                began = time.perf_counter()
                list(pool.map(work, [folder] * 2, shards[:2]))
                if turn:
                    took[n].append(time.perf_counter() - began)
    return min(took[2]) / min(took[1])


def tell_right(sketches: Sequence[Strokes], size: int, points: int) -> float:
    """Find the least PSNR of some drawings against supersampling, in dB."""
    return min(
        find_psnr(
            draw_strokes(strokes, size=size, thickness=THICKNESS),
            supersample(strokes, size, THICKNESS, points),
        )
        for strokes in sketches[:N_RIGHT]
    )


def draw_picture(cats: Sequence[Strokes]) -> None:
    """Draw docs/sketches.png, two rows in black and one in colors, and the average."""
    how: dict[str, Any] = {"size": 160, "thickness": THICKNESS}
    pictures = [
        *(
            cv2.cvtColor(draw_strokes(each, **how), cv2.COLOR_GRAY2RGB)
            for each in cats[:16]
        ),
        *(draw_colored_strokes(each, **how) for each in cats[16:24]),
    ]
    rows = [np.hstack(pictures[first : first + 8]) for first in (0, 8, 16)]
    Image.fromarray(np.vstack(rows)).save(PICTURE, optimize=True)
    sums = PictureSums()
    for each in cats:
        sums.add("cat", draw_strokes(each, size=256, thickness=THICKNESS))
    (average,) = sums
    shown = np.rint(255 * tone(average)[..., 0]).astype(np.uint8)
    Image.fromarray(shown).save(AVERAGE, optimize=True)


def draw_colored_png(strokes: Strokes) -> object:
    """Draw a sketch in colors as PNG."""
    picture = draw_colored_strokes(strokes, size=SIZE, thickness=THICKNESS)
    return encode_drawing(picture, is_gray=False)


def main() -> None:
    """Measure by turns, and write the table and the picture."""
    sketches = [read_stroke_3("", each).strokes for each in read_split(NPZ, "train")]
    some = sketches[:N_MATPLOTLIB]
    ways = {
        "Matplotlib, `plot` on cleared axes, as PNG": (make_classic(), some),
        "Matplotlib, `imshow` on cleared axes, as PNG": (make_shown(), some),
        "Reelbow, as PNG": (draw_png, sketches),
        "Reelbow, no file": (draw, sketches),
        "Reelbow, a color for each stroke, as PNG": (draw_colored_png, sketches),
    }
    for way, some in ways.values():
        time_one(way, some[:3])
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(RUNS):
        for name, (way, some) in ways.items():
            taken[name].append(time_one(way, some))
    ms = {name: 1000 * float(np.median(each)) for name, each in taken.items()}
    lines = [
        f"Of {len(sketches)} drawings of 12 categories at {SIZE}x{SIZE} pixels, on one "
        f"core ({name_machine()}), in one run, medians of {RUNS} turns:",
        "",
        "| way | CPU ms a drawing | drawings a second | times `plot` | `imshow` |",
        "|---|---|---|---|---|",
    ]
    plotted, shown, *_ = ms.values()
    lines += [
        f"| {name} | {each:.2f} | {1000 / each:,.0f} | {plotted / each:.1f} | "
        f"{shown / each:.1f} |"
        for name, each in ms.items()
    ]
    lines += [
        "",
        f"{N_MANY:,} drawings of Omniglot, in shards of 500, go from their file to "
        f"thumbnails of 90 rows in {read_many():.1f} CPU s, drawn at 256x256 pixels, "
        f"and to tarballs of PNGs in {extract_many(256):.1f}, at 512x512 in "
        f"{extract_many(512):.1f}. Two processes take {share_work(extract_shard):.2f} "
        "of the time that one takes for the tarballs of two shards; for two sums of "
        f"numbers, which need nothing but a core, {share_work(count_up):.2f}.",
        "",
        f"The least PSNR of {N_RIGHT} drawings, in dB:",
        "",
        "| size | against 8x8 points a pixel | against 32x32 |",
        "|---|---|---|",
    ]
    for size in (28, 256):
        told = [tell_right(sketches, size, points) for points in (8, 32)]
        shown = [f"{each:.1f}" if each < np.inf else "no difference" for each in told]
        lines.append(f"| {size} | {shown[0]} | {shown[1]} |")
    write_between(PAGE, "measured", "\n".join(lines))
    draw_picture([read_quickdraw(line).strokes for line in read_lines(CATS)])
    print(Path(PAGE).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
