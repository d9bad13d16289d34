"""Palettes as they stand in the database, beside the best of exact thumbnails.

Each film goes the whole way, from its file to its palettes in SQLite, with the default
settings. Some of its frames, spread over it, are then read once more with nothing of
Reelbow's: PyAV's planes, converted to R'G'B' and averaged over areas in float64, never
rounded. On these pixels scikit-learn's KMeans finds the best of 20 starts. A frame's
inertia is the mean square distance, in levels of sRGB, of its exact pixels from the
nearest color: of the palette in the database, and of scikit-learn's.

    uv run python benchmarks/whole_quality.py
    uv run python benchmarks/whole_quality.py --films a.mp4 b.mkv --frames 10

The films are those of ../shared/data, a counter on white, and a dark one of 10 bits,
which are made. Of all of them the table is written to docs/color.md.
"""

import argparse
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import av
import cv2
import numpy as np
from machine import name_machine, write_between
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.datasets import load_sample_image
from threadpoolctl import threadpool_limits

ROOT = Path(__file__).resolve().parent.parent
for folder in ("workflow/scripts", "tests/helpers"):
    sys.path.insert(0, str(ROOT / folder))

from chain import run_chain  # noqa: E402 (the path comes first)
from films import from_yuv, write_film  # noqa: E402
from reelbow.errors import ReelbowError  # noqa: E402

SHARED = ROOT.parent / "shared" / "data"
PAGE = ROOT / "docs" / "color.md"

N_COLORS = 8
HEIGHT = 90
BEST_OF = 20
# Below that, all of a frame is one color and its noise: there is nothing to compare.
LEAST_INERTIA = 0.01

# Of light, by Recommendation ITU-R BT.2087-0.
BT2020_TO_SRGB = np.array(
    [
        [1.6605, -0.5876, -0.0728],
        [-0.1246, 1.1329, -0.0083],
        [-0.0182, -0.1006, 1.1187],
    ]
)

Floats = NDArray[np.float64]


class Row(NamedTuple):
    """What a film's palettes are worth."""

    film: str
    frames: int
    best: float  # mean inertia of scikit-learn's, square levels
    rounded: float  # by how much it grows as its colors are rounded to 24 bits
    above: float  # by how much that of the database is above it
    above_95: float  # of 95 % of its frames, at most


def make_films(folder: Path) -> list[Path]:
    """Make a counter on white, and a dark film of 10 bits."""
    pictures = []
    for number in range(24):
        picture = np.full((360, 640, 3), 255, np.uint8)
        where, font = (200, 230), cv2.FONT_HERSHEY_SIMPLEX
        color = (30 * (number % 8), 0, 255 - 30 * (number % 8))
        cv2.putText(picture, f"{number:03d}", where, font, 4.0, color, 12, cv2.LINE_AA)
        pictures.append(picture)
    graphics = folder / "made: a counter on white.mp4"
    write_film(graphics, pictures, rate=1, options={"crf": "16"})
    photo = load_sample_image("china.jpg").astype(float) / 255
    rng = np.random.default_rng(0)
    nights = [
        # Moves, and is no brighter than 24 of 255 levels.
        (
            0.095 * np.roll(photo, 8 * number, axis=1)
            + rng.normal(0, 0.002, photo.shape)
        ).clip(0, 1)[:360]
        for number in range(24)
    ]
    dark = folder / "made: dark, 10 bits.mkv"
    how = {"pix_fmt": "yuv420p10le", "codec": "ffv1", "rate": 1}
    return [graphics, write_film(dark, nights, **how)]


def read_exactly(path: Path, plan: dict[str, Any]) -> Iterator[tuple[int, Floats]]:
    """Read a film's sampled pictures: their pts, and the exact thumbnails.

    Yields
    ------
    (rows, columns, 3) R'G'B' in [0, 255], of what the plan keeps, upright
    """
    wanted = {pts for part in plan["shards"] for pts in part["pts"]}
    with av.open(str(path)) as container:
        videos = [
            stream
            for stream in container.streams.video
            if not stream.disposition & av.stream.Disposition.attached_pic
        ]
        stream = videos[plan["stream"] or 0]
        for frame in container.decode(stream):
            if frame.pts in wanted:
                wanted.remove(frame.pts)
                turn = -frame.rotation // 90 % 4
                pixels = np.rot90(convert(frame), -turn)
                yield frame.pts, shrink(pixels, plan)


def convert(frame: av.VideoFrame) -> Floats:
    """Convert a picture to R'G'B', [0, 255], by its own matrix and range."""
    name = frame.format.name
    bits = frame.format.components[0].bits
    dtype = np.uint8 if bits == 8 else np.dtype("<u2")
    planes = []
    for plane in frame.planes:
        lines = np.frombuffer(memoryview(plane), np.uint8)
        lines = lines.reshape(-1, plane.line_size)[: plane.height]
        codes = lines.view(dtype)[:, : plane.width]
        # Of an interlaced picture the first field counts.
        planes.append(codes[:: 2 if frame.interlaced_frame else 1].astype(float))
    if not name.startswith("yuv"):
        raise ReelbowError(f"pictures of {name}")
    lines, columns = planes[0].shape
    for index in (1, 2):
        if len(planes[index]) != lines:
            planes[index] = double_lines(planes[index], lines)
        if planes[index].shape[1] != columns:
            # Two columns share theirs.
            planes[index] = planes[index].repeat(2, axis=1)[:, :columns]
    large = frame.width >= 1280 or frame.height > 576
    matrix = {1: "bt709", 5: "bt601", 6: "bt601", 9: "bt2020"}.get(
        int(frame.colorspace), "bt709" if large else "bt601"
    )
    is_full = frame.color_range == 2 or name.startswith("yuvj")
    values = from_yuv(
        np.stack(planes, axis=-1),
        matrix=matrix,
        color_range="full" if is_full else "limited",
        bits=bits,
    )
    if matrix == "bt2020":
        low = values <= 0.04045
        light = np.where(low, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
        light = (light @ BT2020_TO_SRGB.T).clip(0, 1)
        low = light <= 0.0031308
        values = np.where(low, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return 255 * values


def double_lines(plane: Floats, size: int) -> Floats:
    """Take chroma at lines, which it lies between, linearly."""
    at = ((np.arange(size) - 0.5) / 2).clip(0, len(plane) - 1)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, len(plane) - 1)
    part = (at - low)[:, None]
    lines: Floats = plane[low] * (1 - part) + plane[high] * part
    return lines


def shrink(pixels: Floats, plan: dict[str, Any]) -> Floats:
    """Crop a picture and average it over areas, as exactly as floats do."""
    x, y, width, height = 0, 0, plan["width"], plan["height"]
    if plan["crop"]:
        width, height, x, y = map(int, plan["crop"].split(":"))
    rows = min(HEIGHT, height)
    columns = max(1, round(width * rows / height))
    lines = cover(len(pixels), y, y + height, plan["height"], rows)
    posts = cover(pixels.shape[1], x, x + width, plan["width"], columns)
    small: Floats = np.einsum("rh,hwk,cw->rck", lines, pixels, posts, optimize=True)
    return small


def cover(size: int, start: int, end: int, shown: int, parts: int) -> Floats:
    """Find how much of each of `size` pixels is in each part of a stretch of them.

    Parameters
    ----------
    start, end : of the stretch, counted as if there were `shown` pixels
    """
    first, last = round(start * size / shown), round(end * size / shown)
    edges = np.linspace(first, last, parts + 1)
    pixels = np.arange(size)
    low = np.maximum(edges[:-1, None], pixels)
    high = np.minimum(edges[1:, None], pixels + 1)
    weights: Floats = np.maximum(high - low, 0)
    return weights / weights.sum(axis=1, keepdims=True)


def find_inertia(points: Floats, colors: Floats) -> float:
    """Find the mean square distance of points (n, 3) from the nearest color (k, 3)."""
    squares = ((points[:, None] - colors) ** 2).sum(axis=2)
    return float(squares.min(axis=1).mean())


def measure_film(path: Path, n_frames: int) -> Row:
    """Take a film the whole way, and compare some of its frames."""
    with tempfile.TemporaryDirectory() as folder:
        found = run_chain(path, Path(folder), n_colors=N_COLORS, n_init=5)
    pts = [pts for part in found.plan["shards"] for pts in part["pts"]]
    there = sorted(found.palettes)
    some = {pts[i]: i for i in there[:: -(-len(there) // n_frames)]}
    best, rounded, ours = [], [], []
    for at, pixels in read_exactly(path, found.plan):
        if at not in some:
            continue
        points = pixels.reshape(-1, 3)
        palette = [color for color, _ in found.palettes[some[at]]]
        colors = np.array([[c >> 16, c >> 8 & 255, c & 255] for c in palette], float)
        with warnings.catch_warnings(action="ignore"), threadpool_limits(1):
            means = KMeans(N_COLORS, n_init=BEST_OF, random_state=0).fit(points)
        best.append(find_inertia(points, means.cluster_centers_))
        rounded.append(find_inertia(points, means.cluster_centers_.round()))
        ours.append(find_inertia(points, colors))
    found_best, found_rounded, own = map(np.array, (best, rounded, ours))
    seen = found_best > LEAST_INERTIA
    if not seen.any():
        return Row(path.stem, 0, 0.0, 0.0, 0.0, 0.0)
    least = found_best[seen]
    return Row(
        path.stem,
        len(least),
        float(least.mean()),
        float(found_rounded[seen].sum() / least.sum() - 1),
        float(own[seen].sum() / least.sum() - 1),
        float(np.quantile(own[seen] / least - 1, 0.95)),
    )


def main() -> None:
    """Measure, print a row for each film, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--films", type=Path, nargs="+", help="instead of all")
    parser.add_argument("--frames", type=int, default=24, help="of each film")
    options = parser.parse_args()
    lines = [
        f"{name_machine()}; `uv run python benchmarks/whole_quality.py`: up to "
        f"{options.frames} frames of each film.",
        "",
        "| film | frames | least inertia | in 24 bits | Reelbow's | 95 % of frames |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    print("\n".join(lines), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        films = options.films or [
            *(path for path in sorted(SHARED.iterdir()) if path.is_file()),
            *make_films(Path(folder)),
        ]
        for path in films:
            if path.suffix == ".md":
                continue
            try:
                row = measure_film(path, options.frames)
            except ReelbowError as error:
                print(f"{path.name}: left out: {error}", file=sys.stderr)
                continue
            figures = " | | | "
            if row.frames:
                figures = (
                    f" {row.best:.2f} | {row.rounded:+.2%} | {row.above:+.2%} | "
                    f"{row.above_95:+.2%} "
                )
            lines.append(f"| {row.film} | {row.frames} |{figures}|")
            print(lines[-1], flush=True)
    if not options.films:
        write_between(PAGE, "whole_quality", "\n".join(lines))


if __name__ == "__main__":
    main()
