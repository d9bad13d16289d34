"""Damages films, and sees which pictures are kept and how far off they are.

A copy follows from coding, seed and number. "Off" is how far the mean color of a
picture is from the same picture's of the undamaged film, in levels of the channel that
is farthest off: FFmpeg's raw planes, decoded straight from the film's start, averaged
and converted by the formulas alone. Of a picture that is thrown away it is what that
decoder makes of it.
"""

import argparse
import collections
import contextlib
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow" / "scripts"))

import av
import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_sample_images

from films import find_packets, write_film
from reelbow.errors import ReelbowError
from reelbow.film.decoding import decode_pictures
from reelbow.film.timeline import scan_timeline

N_PICTURES, GOP = 48, 12
TS_BYTES = 188
_X265 = "log-level=none:pools=none:keyint=12"
_REALTIME = {"deadline": "realtime", "cpu-used": "8"}
CODINGS: dict[str, dict[str, Any]] = {
    "MPEG-2 .ts": {"codec": "mpeg2video", "bframes": 2},
    "H.264 .ts": {"bframes": 0},
    "H.264 .mp4": {"bframes": 2},
    "MPEG-4 .mp4": {"codec": "mpeg4", "bframes": 2},
    "MPEG-4 .avi": {"codec": "mpeg4"},
    "HEVC .mp4": {
        "codec": "libx265",
        "options": {"preset": "ultrafast", "x265-params": _X265},
    },
    "AV1 .mp4": {
        "codec": "libsvtav1",
        "options": {"preset": "12", "svtav1-params": "lp=1"},
    },
    "VP8 .webm": {"codec": "libvpx", "options": _REALTIME},
    "VP9 .webm": {"codec": "libvpx-vp9", "options": _REALTIME},
}
HOWS = ("a bit", "8 bits", "zeros", "noise")
COLUMNS = ("under 2", "2 to 8", "over 8", "no picture")
COLUMNS = tuple(f"{what}, {off}" for what in ("kept", "thrown") for off in COLUMNS)


class Seen(NamedTuple):
    """A picture of a damaged copy, and what became of it."""

    coding: str
    number: int
    how: str
    pts: int
    heard: bool  # whether the decoder reports anything, from the keyframe up to it
    reason: str  # why it was thrown away; empty if it was kept
    off: float | None  # levels; None: FFmpeg makes no picture of it
    is_alike: bool  # whether it is kept or thrown away also with others around it

    @property
    def column(self) -> str:
        place = 3 if self.off is None else (self.off >= 2) + (self.off > 8)
        return COLUMNS[place + (4 if self.reason else 0)]


class Straight(NamedTuple):
    """What decoding straight from the start gives of a picture."""

    mean: NDArray[np.float64]  # (3,) R'G'B', [0, 255], not clipped
    heard: bool


def pan(n: int) -> Iterator[NDArray[np.uint8]]:
    """Move over two photographs, with a cut from one to the other."""
    photographs = load_sample_images().images
    for i in range(n):
        photograph = photographs[2 * i // n]
        x, y = 5 * i % 400, 2 * i % 200
        yield np.ascontiguousarray(photograph[y : y + 128, x : x + 192])


def make_film(folder: Path, coding: str) -> Path:
    """Write the undamaged film of a coding."""
    path = folder / f"film{coding[coding.index('.') :]}"
    return write_film(path, pan(N_PICTURES), gop=GOP, **CODINGS[coding])


def average(frame: av.VideoFrame) -> NDArray[np.float64]:
    """Average a frame's planes, as R'G'B' of BT.709 in limited range."""
    means = []
    for plane in frame.planes:
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        means.append(rows[: plane.height, : plane.width].mean())
    # Linear, so that the mean of colors is the color of the means.
    luma, cb, cr = (means[0] - 16) / 219, (means[1] - 128) / 224, (means[2] - 128) / 224
    green = luma - (0.2126 * 1.5748 * cr + 0.0722 * 1.8556 * cb) / 0.7152
    return 255 * np.array([luma + 1.5748 * cr, green, luma + 1.8556 * cb])


def read_straight(path: Path) -> dict[int, Straight]:
    """Decode a film from its start by one thread, leaving nothing out."""
    found: dict[int, Straight] = {}
    with av.open(path) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        context.thread_count = 1
        packets = []
        # as far as it goes
        with contextlib.suppress(av.FFmpegError):
            packets += (packet for packet in container.demux(stream) if packet.size)
        places = {packet.pts: place for place, packet in enumerate(packets)}
        keyframes = [i for i, packet in enumerate(packets) if packet.is_keyframe]
        faults: list[int] = []
        frames: list[tuple[int, av.VideoFrame]] = []
        for place, packet in enumerate([*packets, None]):
            try:
                for frame in context.decode(packet):
                    if frame.is_corrupt:
                        faults.append(places.get(frame.pts, place))
                    if frame.pts is not None:
                        frames.append((places.get(frame.pts, place), frame))
            except av.FFmpegError:
                faults.append(place)
        for place, frame in frames:
            assert frame.pts is not None
            # Of the keyframe that it can lean on: pictures may precede theirs.
            keyframe = max(
                (k for k in keyframes if k <= place and packets[k].pts <= frame.pts),
                default=0,
            )
            heard = any(keyframe <= fault <= place for fault in faults)
            found[frame.pts] = Straight(average(frame), heard)
    return found


def damage(
    data: bytes, first: int, suffix: str, rng: random.Random
) -> tuple[str, bytes]:
    """Damage what comes after the header."""
    damaged = bytearray(data)
    how = rng.choice((*HOWS, "lost") if suffix == ".ts" else HOWS)
    places = [rng.randrange(first, len(data)) for _ in range(8)]
    if how in ("a bit", "8 bits"):
        for place in places[: 1 if how == "a bit" else 8]:
            damaged[place] ^= 1 << rng.randrange(8)
    else:
        n = rng.choice((16, 200, 2000))
        at = min(places[0], len(data) - n)
        if how == "lost":
            at, n = at // TS_BYTES * TS_BYTES, max(1, n // TS_BYTES) * TS_BYTES
        runs = {"zeros": bytes(n), "noise": rng.randbytes(n), "lost": b""}
        damaged[at : at + n] = runs[how]
    return how, bytes(damaged)


def sweep(seed: int, n_copies: int, coding: str, film: Path) -> Iterator[Seen]:
    """Make copies of a film and read each whole, and in shards."""
    whole = film.read_bytes()
    packets = find_packets(film)
    first = min(packet.position for packet in packets)
    last = max(packet.position + packet.size for packet in packets)
    right = read_straight(film)
    path = film.with_name(f"damaged{film.suffix}")
    for number in range(n_copies):
        rng = random.Random(f"{coding} {seed} {number}")
        how, data = damage(whole[:last], first, film.suffix, rng)
        path.write_bytes(data + whole[last:])
        try:
            timeline = scan_timeline(path)
            straight = read_straight(path)
        except (ReelbowError, av.FFmpegError, IndexError):
            continue
        keyframes = timeline.starts.tolist()
        pictures = timeline.pts.tolist()
        some = sorted(rng.sample(pictures, len(pictures) // 4))
        others = {d.pts: d.reason for d in decode_pictures(path, keyframes, some)}
        for decoded in decode_pictures(path, keyframes, pictures):
            assert decoded.pts is not None
            if decoded.pts not in right:
                continue
            made = straight.get(decoded.pts)
            mean = average(decoded.frame) if decoded.frame else made and made.mean
            off = None
            if mean is not None:
                off = float(np.abs(mean - right[decoded.pts].mean).max())
            yield Seen(
                coding,
                number,
                how,
                decoded.pts,
                heard=made is None or made.heard,
                reason=decoded.reason,
                off=off,
                is_alike=others.get(decoded.pts, decoded.reason) == decoded.reason,
            )


def tabulate(pictures: list[Seen]) -> str:
    """Write the table of docs/color.md."""
    lines = ["| | copies | pictures | " + " | ".join(COLUMNS) + " |"]
    lines.append("|---" * (len(COLUMNS) + 3) + "|")
    for coding in dict.fromkeys(seen.coding for seen in pictures):
        for heard in (True, False):
            group = [s for s in pictures if (s.coding, s.heard) == (coding, heard)]
            counts = collections.Counter(seen.column for seen in group)
            name = f"{coding}, {'reported' if heard else 'no word'}"
            n = len({seen.number for seen in group})
            cells = [name, n, len(group), *(counts[column] for column in COLUMNS)]
            lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--copies", type=int, default=60, help="of each coding")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--coding", help="only those with this in their name")
    parser.add_argument(
        "--film", type=Path, help="of another coding, 8-bit and 4:2:0, such as Theora"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.film:
            copy = Path(folder) / options.film.name
            copy.write_bytes(options.film.read_bytes())
            films = {options.film.name: copy}
        else:
            films = {
                coding: make_film(Path(folder), coding)
                for coding in CODINGS
                if (options.coding or "") in coding
            }
        found = [
            seen
            for coding, film in films.items()
            for seen in sweep(options.seed, options.copies, coding, film)
        ]
    print(tabulate(found))
    for seen in found:
        if (seen.heard and seen.column == "kept, over 8") or not seen.is_alike:
            print(seen)
