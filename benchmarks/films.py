"""The films that the benchmarks run on: made once, kept in benchmarks/cache/.

A ten-minute film of 1920x1080 with B-frames, from the long film of ../shared/data or,
where that is absent, from the demo film over and over; and a tarball of 300 JPEG frames
of it at full size.

    uv run python benchmarks/films.py
"""

import io
import itertools
import sys
import tarfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.frame import PictureType
from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "workflow" / "scripts"))

from reelbow.film import read_frames  # noqa: E402 (the path comes first)
from reelbow.jobs.files import atomic_write  # noqa: E402
from reelbow.sources.demo import make_demo_film  # noqa: E402 (the path comes first)

CACHE = ROOT / "benchmarks" / "cache"
SHARED_FILM = ROOT.parent / "shared" / "data" / "bbb_full_384x216_25fps_h264.mp4"
SECONDS = 600
SIZE = (1920, 1080)
N_IMAGES = 300


def make_film() -> Path:
    """Make the ten-minute film, which takes some minutes, or find it made."""
    path = CACHE / "ten_minutes_1080p_b_frames.mp4"
    if not path.exists():
        with atomic_write(path) as temporary:
            _encode(temporary)
    return path


def _encode(path: Path) -> None:
    frames, rate = _read_source()
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream(
            "libx264",
            rate=rate,
            options={"preset": "veryfast", "crf": "21", "bf": "3", "g": "250"},
        )
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        # Not in slices, which only streaming asks for.
        stream.codec_context.thread_type = "FRAME"
        for i, frame in enumerate(itertools.islice(frames, int(SECONDS * rate))):
            large = frame.reformat(*SIZE, format="yuv420p", interpolation="BICUBIC")
            # Coded as the encoder chooses, and not as it was in the source.
            large.pict_type = PictureType.NONE
            large.pts = i
            large.time_base = 1 / rate
            container.mux(stream.encode(large))
        container.mux(stream.encode(None))


def _read_source() -> tuple[Iterator[av.VideoFrame], Fraction]:
    """Read the shared film or the demo film again and again, with its rate."""
    source = SHARED_FILM
    if not source.exists():
        source = CACHE / "demo.mp4"
        if not source.exists():
            with atomic_write(source) as temporary:
                make_demo_film(temporary)

    def read() -> Iterator[av.VideoFrame]:
        while True:
            with av.open(str(source)) as container:
                yield from container.decode(video=0)

    with av.open(str(source)) as container:
        rate = container.streams.video[0].average_rate
    assert rate is not None
    return read(), rate


def make_tarball() -> Path:
    """Make the tarball of frames, or find it made."""
    path = CACHE / "frames_1080p.tar"
    if not path.exists():
        source = make_film()
        with atomic_write(path) as temporary, tarfile.open(temporary, "w") as tarball:
            for frame in read_frames(source, every=Fraction(SECONDS, N_IMAGES)):
                data = encode(frame.pixels)
                member = tarfile.TarInfo(f"frame{frame.index:05d}.jpg")
                member.size = len(data)
                tarball.addfile(member, io.BytesIO(data))
    return path


def encode(pixels: NDArray[np.uint8]) -> bytes:
    """Encode as JPEG of quality 90, as cameras and ffmpeg do about."""
    quality = [cv2.IMWRITE_JPEG_QUALITY, 90]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), quality)
    return data.tobytes()


if __name__ == "__main__":
    print(make_film())
    print(make_tarball())
