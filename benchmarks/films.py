"""The film and the JPEGs that the benchmarks run on: made once, in benchmarks/cache/.

A ten-minute film of 1920x1080 with B-frames, and a tarball of 300 JPEGs of that size,
as sharp and as grainy as a camera's. Both are made of photographs: those of
../shared/data, or scikit-learn's two where these are absent. Nothing is enlarged: a
shot pans over a photograph at 1:1 or zooms out of it, photographs that are too small go
on in their mirror image, and each frame has grain of its own. Shots end in hard cuts.

    uv run python benchmarks/films.py
"""

import io
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "workflow" / "scripts"))

from reelbow.jobs.files import atomic_write  # noqa: E402 (the path comes first)

CACHE = ROOT / "benchmarks" / "cache"
PHOTOS = ROOT.parent / "shared" / "data" / "photos"
SECONDS = 600
RATE = 25
SIZE = (1920, 1080)
N_IMAGES = 300
# As of a good stream: 0.2 bits a pixel.
BITS_PER_SECOND = 10_000_000

# Of what a shot may see, (width, height); it shrinks that to `SIZE` or cuts out of it.
CANVAS = (2560, 1440)
# Levels of grain, by its standard deviation, as of a camera at a usual sensitivity.
GRAIN = 2.5
# Shots' lengths in seconds, and steps in pixels from frame to frame.
SHOT_S = (1.5, 9.0)
MAX_STEP = 6

Picture = NDArray[np.uint8]


def make_film() -> Path:
    """Make the ten-minute film, which takes some minutes, or find it made."""
    path = CACHE / "ten_minutes_of_photographs_1080p.mp4"
    if not path.exists():
        with atomic_write(path) as temporary:
            _encode(temporary)
    return path


def make_short_film() -> Path:
    """Cut out the first two minutes of the film, or find them cut out.

    Raises
    ------
    OSError, subprocess.CalledProcessError
        If ffmpeg is not installed, or fails.
    """
    film, path = make_film(), CACHE / "two_minutes_of_photographs_1080p.mp4"
    if not path.exists():
        with atomic_write(path) as temporary:
            cut = ["-t", "120", "-c", "copy", "-f", "mp4", "-y", temporary]
            command = ["ffmpeg", "-nostdin", "-v", "error", "-i", film, *cut]
            subprocess.run(command, check=True)
    return path


def _encode(path: Path) -> None:
    options = {"preset": "veryfast", "bf": "3", "g": "250"}
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = BITS_PER_SECOND
        # Not in slices, which only streaming asks for.
        stream.codec_context.thread_type = "FRAME"
        for i, picture in enumerate(_draw_frames(SECONDS * RATE)):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = i, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _draw_frames(
    n_frames: int, shot_s: tuple[float, float] = SHOT_S
) -> Iterator[Picture]:
    """Draw shots, one after the other, each of the next photograph."""
    dice = np.random.default_rng(0)
    canvases = [_fill_canvas(photo) for photo in _read_photos()]
    # A grain larger than a frame is another grain wherever it is cut out.
    rows, columns = SIZE[1] + 64, SIZE[0] + 64
    noise = dice.normal(0, GRAIN, (rows, columns, 1)).round().astype(np.int16)
    grain = np.repeat(noise, 3, axis=2)
    drawn = 0
    while drawn < n_frames:
        canvas = canvases[dice.integers(len(canvases))]
        length = min(n_frames - drawn, int(RATE * dice.uniform(*shot_s)))
        for picture in _draw_shot(canvas, length, dice):
            y, x = dice.integers(0, 64, 2)
            part = grain[y : y + SIZE[1], x : x + SIZE[0]]
            yield cv2.add(picture, part, dtype=cv2.CV_8U)
        drawn += length


def _draw_shot(
    canvas: Picture, n_frames: int, dice: np.random.Generator
) -> Iterator[Picture]:
    """Pan over a canvas, or zoom out of its middle; one of five shots stands still."""
    room = np.subtract(CANVAS, SIZE)
    if dice.random() < 0.3:
        for part in np.linspace(0, 1, n_frames):
            width, height = (SIZE + part * room).astype(int)
            x, y = np.subtract(CANVAS, (width, height)) // 2
            seen = canvas[y : y + height, x : x + width]
            yield cv2.resize(seen, SIZE, interpolation=cv2.INTER_AREA)
        return
    step = dice.integers(-MAX_STEP, MAX_STEP + 1, 2) * (dice.random() > 0.3)
    place = dice.integers(0, room + 1)
    for _ in range(n_frames):
        x, y = place
        yield canvas[y : y + SIZE[1], x : x + SIZE[0]]
        # At an edge the camera turns back.
        step = np.where((place + step < 0) | (place + step > room), -step, step)
        place = np.clip(place + step, 0, room)


def _fill_canvas(photo: Picture) -> Picture:
    """Let a photograph go on in its mirror image, until it fills a canvas."""
    width, height = CANVAS
    more = (max(0, height - photo.shape[0]), max(0, width - photo.shape[1]))
    filled = np.pad(photo, ((0, more[0]), (0, more[1]), (0, 0)), "symmetric")
    return np.ascontiguousarray(filled[:height, :width])


def _read_photos() -> list[Picture]:
    """Read the photographs: all that are no thumbnails."""
    paths = [*sorted(PHOTOS.glob("*_1280.jpg")), *sorted(PHOTOS.glob("kodim*.png"))]
    if paths:
        return [cv2.imread(str(path))[..., ::-1] for path in paths]
    from sklearn.datasets import load_sample_images

    photos: Any = load_sample_images()
    return list(photos.images)


def make_tarball() -> Path:
    """Make the tarball of JPEGs, or find it made; none of it was ever a film."""
    path = CACHE / "photographs_1080p.tar"
    if not path.exists():
        with atomic_write(path) as temporary, tarfile.open(temporary, "w") as tarball:
            a_frame = (1 / RATE, 1.5 / RATE)
            for i, picture in enumerate(_draw_frames(N_IMAGES, a_frame)):
                data = encode(picture)
                member = tarfile.TarInfo(f"frame{i:05d}.jpg")
                member.size = len(data)
                tarball.addfile(member, io.BytesIO(data))
    return path


def encode(pixels: Picture) -> bytes:
    """Encode as JPEG of quality 90, as cameras and ffmpeg do about."""
    quality = [cv2.IMWRITE_JPEG_QUALITY, 90]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), quality)
    return data.tobytes()


def describe(film: Path, tarball: Path) -> str:
    """Say how many bits the film and the JPEGs have."""
    pixels = SIZE[0] * SIZE[1]
    film_bits, tar_bits = (8 * path.stat().st_size for path in (film, tarball))
    return (
        f"film: {film_bits / SECONDS / 1e6:.1f} Mbit/s, "
        f"{film_bits / (SECONDS * RATE * pixels):.2f} bits a pixel; "
        f"JPEGs: {tar_bits / (N_IMAGES * pixels):.2f} bits a pixel"
    )


if __name__ == "__main__":
    film, tarball = make_film(), make_tarball()
    print(describe(film, tarball))
    print(film)
    print(tarball)
