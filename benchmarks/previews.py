"""What previews cost and how they look: ways to make them small, and to code a sheet.

Frames of real films of ../shared/data, or of the demo film where these are absent, as
thumbnails of 90 rows, which are made anyway. CPU seconds are medians of runs by turns.
PSNR and SSIM (of luma) are those of the sheet's pixels after and before it is coded.

    uv run python benchmarks/previews.py

writes its tables to docs/explorer.md.
"""

import io
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
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
from reelbow.shards.previews import METHOD, PreviewWriter, read_sheet  # noqa: E402
from reelbow.sources.demo import make_demo_film  # noqa: E402

PAGE = ROOT / "docs" / "explorer.md"
SHARED = ROOT.parent / "shared" / "data"
FILMS = {
    "bbb_full_384x216_25fps_h264.mp4": 1.0,
    "tears_of_steel_battle_800x332_24fps_vp8.webm": 0.25,
    "city_360p_30.006fps_h264_phone.mp4": 0.25,
}
DEMO = ROOT / "benchmarks" / "cache" / "demo.mp4"

HEIGHT, QUALITY = 72, 70
THUMBNAIL = 90
RUNS = 5

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


def write_sheet(pictures: list[Picture], path: Path, quality: int) -> bytes:
    """Do all that a job does for its previews."""
    with PreviewWriter(path, height=HEIGHT, quality=quality) as writer:
        for frame, picture in enumerate(pictures):
            writer.add(picture, frame)
    return path.read_bytes()


def code_webp(sheet: Picture, method: int, quality: int = QUALITY) -> bytes:
    """Code by Pillow."""
    stream = io.BytesIO()
    Image.fromarray(sheet).save(stream, "WEBP", quality=quality, method=method)
    return stream.getvalue()


def code_by_opencv(sheet: Picture) -> bytes:
    """Code by OpenCV, which has the usual method alone."""
    quality = [cv2.IMWRITE_WEBP_QUALITY, QUALITY]
    return cv2.imencode(".webp", sheet[..., ::-1], quality)[1].tobytes()


def code_jpeg(sheet: Picture, quality: int) -> bytes:
    """Code as JPEG, for comparison."""
    data: bytes = simplejpeg.encode_jpeg(
        sheet, quality=quality, colorsubsampling="420", fastdct=False
    )
    return data


def lay_out(cells: list[Picture]) -> Picture:
    """Lay cells into a sheet, as a job does, before it is coded."""
    columns = round((len(cells) * HEIGHT / cells[0].shape[1]) ** 0.5)
    lacking = -len(cells) % columns
    rows = [*cells, *[np.zeros_like(cells[0])] * lacking]
    padded = [
        cv2.copyMakeBorder(each, 0, 0, 0, -each.shape[1] % 8, cv2.BORDER_REPLICATE)
        for each in rows
    ]
    return np.vstack(
        [np.hstack(padded[i : i + columns]) for i in range(0, len(padded), columns)]
    )


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
    sheet = lay_out(resize(pictures, cv2.INTER_LINEAR))
    ways: dict[str, Callable[[], bytes]] = {
        f"WebP by Pillow, method {method}": lambda m=method: code_webp(sheet, m)
        for method in (0, 1, 2, 4, 6)
    }
    for quality in (50, 60, 80):
        name = f"WebP by Pillow, method {METHOD}, quality {quality}"
        ways[name] = lambda q=quality: code_webp(sheet, METHOD, q)
    ways["WebP by OpenCV"] = lambda: code_by_opencv(sheet)
    for quality in (60, 70):
        ways[f"JPEG by simplejpeg, quality {quality}"] = lambda q=quality: code_jpeg(
            sheet, q
        )
    lines = [
        "| coder | CPU ms a frame | bytes a frame | PSNR, dB | SSIM |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, (seconds, data) in take_turns(ways).items():
        with Image.open(io.BytesIO(data)) as image:
            after = np.array(image.convert("RGB"))
        lines.append(
            f"| {name} | {1000 * seconds / n_frames:.3f} | {len(data) / n_frames:,.0f} "
            f"| {find_psnr(sheet, after):.1f} | {find_ssim(sheet, after):.3f} |"
        )
    return lines


def tell_film(name: str, pictures: list[Picture], folder: Path) -> str:
    """Write a row of what a film's previews cost."""
    n_frames, path = len(pictures), folder / "sheet.webp"
    ways = {
        "area": lambda: resize(pictures, cv2.INTER_AREA),
        "linear": lambda: resize(pictures, cv2.INTER_LINEAR),
        "all": lambda: write_sheet(pictures, path, QUALITY),
    }
    found = take_turns(ways)
    area, linear, whole = (1000 * found[way][0] / n_frames for way in ways)
    sheet = read_sheet(path)
    return (
        f"| {name} | {n_frames} | {sheet.cell_width}x{sheet.cell_height} | {area:.3f} "
        f"| {linear:.3f} | {whole:.3f} | {len(found['all'][1]) / n_frames:,.0f} |"
    )


def main() -> None:
    """Measure, print the tables and write them into the page."""
    cv2.setNumThreads(1)
    films = read_thumbnails()
    pictures = next(iter(films.values()))
    lines = [
        f"{name_machine()}; Pillow {features.version('pil')}, libwebp "
        f"{features.version('webp')}; `uv run python benchmarks/previews.py`",
        "",
        "| film | frames | preview | small by `INTER_AREA`, CPU ms a frame "
        "| by `INTER_LINEAR` | all of a preview | bytes |",
        "|---|---:|---|---:|---:|---:|---:|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        lines += [tell_film(*film, Path(folder)) for film in films.items()]
    lines += ["", f"Of the first, at quality {QUALITY} where none is named:", ""]
    lines += compare_coders(pictures)
    print("\n".join(lines))
    write_between(PAGE, "previews", "\n".join(lines))


if __name__ == "__main__":
    main()
