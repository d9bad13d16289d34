"""What previews cost and how they look: ways to make them small, and to code a sheet.

Frames of real films of ../shared/data, or of the demo film where these are absent, as
thumbnails of 90 rows, which are made anyway. CPU seconds are medians of runs by turns.
PSNR and SSIM (of luma) are those of the previews' pixels after and before their sheet
is coded, as a browser decodes them.

    uv run python benchmarks/previews.py

writes its tables to docs/explorer.md.
"""

import io
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import simplejpeg
from machine import name_machine, write_between
from numpy.typing import NDArray
from PIL import Image, features

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from reelbow.film import read_frames  # noqa: E402 (the path comes first)
from reelbow.shards.previews import (  # noqa: E402
    PreviewSheet,
    PreviewWriter,
    read_sheets,
)
from reelbow.sources.demo import make_demo_film  # noqa: E402

PAGE = ROOT / "docs" / "explorer.md"
SHARED = ROOT.parent / "shared" / "data"
FILMS = {
    "bbb_full_384x216_25fps_h264.mp4": 1.0,
    "tears_of_steel_battle_800x332_24fps_vp8.webm": 0.25,
    "city_360p_30.006fps_h264_phone.mp4": 0.25,
}
DEMO = ROOT / "benchmarks" / "cache" / "demo.mp4"

HEIGHT, QUALITY = 72, 60
THUMBNAIL = 90
RUNS = 5
# Frames of a shard whose sheet has smaller previews.
LARGE_SHARD = 10_000

Picture = NDArray[np.uint8]


def read_thumbnails() -> dict[str, list[Picture]]:
    """Read frames of each film, as exact averages."""
    films = {SHARED / name: every for name, every in FILMS.items()}
    films = {path: every for path, every in films.items() if path.exists()}
    if not films:
        DEMO.parent.mkdir(parents=True, exist_ok=True)
        if not DEMO.exists():
            make_demo_film(DEMO)
        films = {DEMO: 0.5}
    return {
        path.name: [
            frame.pixels for frame in read_frames(path, every=every, height=THUMBNAIL)
        ]
        for path, every in films.items()
    }


def take_turns(ways: dict[str, Callable[[], Any]]) -> dict[str, tuple[float, Any]]:
    """Run ways in turn; give each one's median CPU seconds, and what it made last."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    made = {}
    for _ in range(RUNS):
        for name, way in ways.items():
            began = time.process_time()
            made[name] = way()
            times[name].append(time.process_time() - began)
    return {name: (statistics.median(times[name]), made[name]) for name in ways}


def resize(pictures: list[Picture], how: int) -> list[Picture]:
    """Make pictures small."""
    width = round(pictures[0].shape[1] * HEIGHT / pictures[0].shape[0])
    return [cv2.resize(each, (width, HEIGHT), interpolation=how) for each in pictures]


def gather(pictures: list[Picture], path: Path) -> PreviewWriter:
    """Make pictures small, for a sheet."""
    writer = PreviewWriter(path, height=HEIGHT, quality=QUALITY)
    for frame, picture in enumerate(pictures):
        writer.add(picture, frame)
    return writer


def write_sheet(pictures: list[Picture], path: Path) -> bytes:
    """Do all that a job does for its previews."""
    with gather(pictures, path):
        pass
    return path.read_bytes()


def cut_out(pixels: Picture, sheet: PreviewSheet) -> Picture:
    """Put the previews of a sheet below one another."""
    places = map(sheet.locate, range(len(sheet.frames)))
    return np.vstack([pixels[y : y + h, x : x + w] for x, y, w, h in places])


def code_webp(sheet: Picture, method: int, quality: int) -> bytes:
    """Code by Pillow as WebP, for comparison."""
    stream = io.BytesIO()
    Image.fromarray(sheet).save(stream, "WEBP", quality=quality, method=method)
    return stream.getvalue()


def code_jpeg(sheet: Picture, quality: int) -> bytes:
    """Code as JPEG, as a job does."""
    data: bytes = simplejpeg.encode_jpeg(
        sheet, quality=quality, colorsubsampling="420", fastdct=False
    )
    return data


def find_psnr(before: Picture, after: Picture) -> float:
    """Find the peak signal-to-noise ratio, in dB."""
    return float(cv2.PSNR(before, after))


def find_ssim(before: Picture, after: Picture) -> float:
    """Find the mean structural similarity of luma (Wang et al. 2004)."""
    x, y = (
        cv2.cvtColor(each, cv2.COLOR_RGB2GRAY).astype(np.float64)
        for each in (before, after)
    )

    def blur(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(cv2.GaussianBlur(values, (11, 11), 1.5), np.float64)

    mean_x, mean_y = blur(x), blur(y)
    variance_x, variance_y = blur(x * x) - mean_x**2, blur(y * y) - mean_y**2
    covariance = blur(x * y) - mean_x * mean_y
    small, smaller = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    similar = (2 * mean_x * mean_y + small) * (2 * covariance + smaller)
    all_of_both = (mean_x**2 + mean_y**2 + small) * (variance_x + variance_y + smaller)
    return float((similar / all_of_both).mean())


def compare_coders(pictures: list[Picture]) -> list[str]:
    """Write a table of what a film's sheet costs and has by each coder."""
    n_frames = len(pictures)
    cells = gather(pictures, Path("never.jpg"))._cells
    sheet = cells._lay_out()
    pixels = cells._draw(sheet)
    before = cut_out(pixels, sheet)
    ways: dict[str, Callable[[], bytes]] = {
        f"JPEG by simplejpeg, quality {quality}": lambda q=quality: code_jpeg(pixels, q)
        for quality in (50, 55, QUALITY, 70, 80)
    }
    for method in (0, 1, 2, 4, 6):
        name = f"WebP by Pillow, method {method}, quality 55"
        ways[name] = lambda m=method: code_webp(pixels, m, 55)
    for quality in (40, 60, 70):
        name = f"WebP by Pillow, method 0, quality {quality}"
        ways[name] = lambda q=quality: code_webp(pixels, 0, q)
    lines = [
        "| coder | CPU ms a frame | bytes a frame | PSNR, dB | SSIM |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, (seconds, data) in take_turns(ways).items():
        with Image.open(io.BytesIO(data)) as image:
            after = cut_out(np.array(image.convert("RGB")), sheet)
        lines.append(
            f"| {name} | {1000 * seconds / n_frames:.3f} | {len(data) / n_frames:,.0f} "
            f"| {find_psnr(before, after):.1f} | {find_ssim(before, after):.3f} |"
        )
    return lines


def tell_film(name: str, pictures: list[Picture], folder: Path) -> str:
    """Write a row of what a film's previews cost."""
    n_frames, path = len(pictures), folder / "sheet.jpg"
    ways = {
        "area": lambda: resize(pictures, cv2.INTER_AREA),
        "linear": lambda: resize(pictures, cv2.INTER_LINEAR),
        "all": lambda: write_sheet(pictures, path),
    }
    found = take_turns(ways)
    area, linear, whole = (1000 * found[way][0] / n_frames for way in ways)
    sizes = [f"{sheet.cell_width}x{sheet.cell_height}" for sheet in read_sheets(path)]
    shown = ", behind it ".join(dict.fromkeys(sizes))
    return (
        f"| {name} | {n_frames:,} | {shown} | {area:.3f} | {linear:.3f} "
        f"| {whole:.3f} | {len(found['all'][1]) / n_frames:,.0f} |"
    )


def main() -> None:
    """Measure, print the tables and write them into the page."""
    cv2.setNumThreads(1)
    films = read_thumbnails()
    pictures = next(iter(films.values()))
    lines = [
        f"{name_machine()}; simplejpeg {version('simplejpeg')}, Pillow "
        f"{features.version('pil')}, libwebp {features.version('webp')}; "
        "`uv run python benchmarks/previews.py`",
        "",
        "| film | frames | preview | small by `INTER_AREA`, CPU ms a frame "
        "| by `INTER_LINEAR` | all of a preview | bytes |",
        "|---|---:|---|---:|---:|---:|---:|",
    ]
    large = list(itertools.islice(itertools.cycle(pictures), LARGE_SHARD))
    films["the first, again and again"] = large
    with tempfile.TemporaryDirectory() as folder:
        lines += [tell_film(*film, Path(folder)) for film in films.items()]
    lines += ["", f"Of the first; a job codes as JPEG, quality {QUALITY}:", ""]
    lines += compare_coders(pictures)
    print("\n".join(lines))
    write_between(PAGE, "previews", "\n".join(lines))


if __name__ == "__main__":
    main()
