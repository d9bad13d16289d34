"""What each step of a 1920x1080 frame costs, beside the plain way to do it.

uv run python benchmarks/kernels.py
"""

import argparse
import io
import statistics
import sys
import tarfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from machine import name_machine, write_between  # noqa: E402

import films  # noqa: E402
from reelbow.film.decoding import decode_pictures  # noqa: E402
from reelbow.film.probe import probe_film  # noqa: E402
from reelbow.film.timeline import scan_timeline  # noqa: E402
from reelbow.film.view import shape_frame  # noqa: E402
from reelbow.kmeans import find_palettes  # noqa: E402
from reelbow.pictures.averages import shape_and_average  # noqa: E402
from reelbow.pictures.geometry import shape_picture  # noqa: E402
from reelbow.pictures.image_files import decode_image  # noqa: E402

PAGE = ROOT / "docs" / "performance.md"
N_FRAMES = 20


def time_each(step: Callable[[Any], object], items: Sequence[Any], runs: int) -> float:
    """Do a step with every item, again and again; return the median CPU ms of one."""
    step(items[0])
    times = []
    for _ in range(runs):
        start = time.process_time()
        for item in items:
            step(item)
        times.append((time.process_time() - start) / len(items))
    return 1000 * statistics.median(times)


def read_planes(path: Path) -> list[av.VideoFrame]:
    """Decode some frames, spread over the film, as they are stored."""
    timeline = scan_timeline(path)
    keyframes = timeline.keyframes.tolist()
    some = [int(pts) for pts in timeline.pts[:: len(timeline.pts) // N_FRAMES]]
    decoded = decode_pictures(path, keyframes, some[:N_FRAMES])
    return [each.frame for each in decoded if each.frame is not None]


def measure(runs: int) -> list[tuple[str, str, float, float | None]]:
    """Measure; return rows of step, plain way, milliseconds and those of the plain way.

    All in one thread.
    """
    path = films.make_film()
    probe = probe_film(path)
    planes = read_planes(path)
    with tarfile.open(films.make_tarball()) as tar:
        members = tar.getmembers()
        files = [tar.extractfile(each) for each in members[:: len(members) // N_FRAMES]]
        jpegs = [file.read() for file in files if file is not None]
    images = [decode_image(data).picture for data in jpegs]
    full = images[0].shape[:2]
    small = [shape_picture(image, height=90)[np.newaxis] for image in images]

    def average_planes(frame: av.VideoFrame) -> object:
        return shape_frame(frame, probe, crop=None, height=90, space="srgb")

    def average_rgb(frame: av.VideoFrame) -> object:
        picture = frame.to_ndarray(format="rgb24")
        cv2.reduce(picture, 1, cv2.REDUCE_SUM, dtype=cv2.CV_64F)
        return cv2.resize(picture, (160, 90), interpolation=cv2.INTER_AREA)

    def average_image(image: Any) -> object:
        return shape_and_average(image, full=full, crop=None, height=90, space="srgb")

    def average_by_opencv(image: Any) -> object:
        cv2.reduce(image, 1, cv2.REDUCE_SUM, dtype=cv2.CV_64F)
        return cv2.resize(image, (160, 90), interpolation=cv2.INTER_AREA)

    def open_by_pillow(data: bytes) -> Any:
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))

    def cluster(frames: Any) -> object:
        return find_palettes(frames, n_colors=8, n_init=5)

    def of(step: Callable[[Any], object], items: Sequence[Any]) -> float:
        return time_each(step, items, runs)

    return [
        (
            "film: average the decoded planes to 90 rows, and a strip",
            "RGB by swscale, then OpenCV's resize and reduce",
            of(average_planes, planes),
            of(average_rgb, planes),
        ),
        (
            "tarball: decode a JPEG of 1920x1080",
            "Pillow",
            of(decode_image, jpegs),
            of(open_by_pillow, jpegs),
        ),
        (
            "tarball: average its pixels to 90 rows, and a strip",
            "OpenCV's resize and reduce",
            of(average_image, images),
            of(average_by_opencv, images),
        ),
        ("palette of a thumbnail of 160x90", "", of(cluster, small), None),
        (
            "palette of all 1920x1080 pixels",
            "",
            of(cluster, [image[np.newaxis] for image in images]),
            None,
        ),
    ]


def main() -> None:
    """Measure, and write the table to docs/performance.md."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=7, help="the median counts")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    lines = [
        f"{name_machine()}; one thread; `uv run python benchmarks/kernels.py`",
        "",
        "| step, of one frame | CPU ms | the plain way | CPU ms |",
        "|---|---:|---|---:|",
    ]
    for step, plain, own_ms, plain_ms in measure(options.runs):
        cell = "" if plain_ms is None else f"{plain_ms:.2f}"
        lines.append(f"| {step} | {own_ms:.2f} | {plain} | {cell} |")
    table = "\n".join(lines)
    print(table)
    write_between(PAGE, "kernels", table)


if __name__ == "__main__":
    main()
