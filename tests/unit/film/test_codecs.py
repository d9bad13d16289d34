"""Undamaged films of every codec and container give all their pictures.

The truth is FFmpeg's own decoding, by one thread, straight on and leaving nothing out.
"""

import zlib
from pathlib import Path

import av
import pytest

from films import numbered_film
from reelbow.film.decoding import decode_pictures
from reelbow.film.timeline import scan_timeline

# Pictures of a film; of a large one, which has no others than keyframes, half as many.
N = 20
CONTAINERS = ["mp4", "mov", "3gp", "mkv", "webm", "avi", "ts", "mpg", "flv"]
CONTAINERS += ["nut", "asf", "mxf", "rm"]
# With how many of these containers can hold it as written here.
CODECS = {
    "libx264": 10,
    "libx265": 6,
    "libvpx": 5,
    "libvpx-vp9": 7,
    "libsvtav1": 7,
    "mpeg1video": 8,
    "mpeg2video": 9,
    "mpeg4": 9,
    "h263": 5,
    "h263p": 4,
    "flv": 4,
    "msmpeg4": 5,
    "wmv2": 3,
    "rv10": 1,
    "mjpeg": 6,
    "ffv1": 6,
    "prores_ks": 3,
    "dnxhd": 2,
    "dvvideo": 5,
    "jpeg2000": 7,
    "png": 5,
    "huffyuv": 3,
    "snow": 4,
    "rawvideo": 4,
    "cinepak": 4,
}
SIZES = {"dnxhd": (1280, 720), "dvvideo": (720, 576), "h263": (352, 288)}
PIXEL_FORMATS = ("yuvj420p", "yuv420p", "yuv422p", "yuv422p10le", "rgb24")
OPTIONS = {
    "libx264": {"preset": "ultrafast", "bf": "2"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none:pools=none"},
    "libsvtav1": {"preset": "12", "svtav1-params": "lp=1"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
    "dnxhd": {"b": "90M"},
}


def write(path: Path, codec: str, n: int) -> None:
    """Write n pictures in groups of 8, of the first format that there is."""
    known = [each.name for each in av.Codec(codec, "w").video_formats or []]
    usual = [name for name in PIXEL_FORMATS if name in known]
    pix_fmt = [*usual, *known, "yuv420p"][0]
    is_full = pix_fmt.startswith("yuvj")
    numbered_film(
        path,
        n,
        size=SIZES.get(codec, (96, 64)),
        rate=25,
        codec=codec,
        options=OPTIONS.get(codec),
        pix_fmt=pix_fmt,
        gop=8,
        color_range="full" if is_full else "limited",
    )


def digest(frame: av.VideoFrame | None) -> int | None:
    return None if frame is None else zlib.crc32(frame.to_ndarray().tobytes())


def read_straight(path: Path) -> dict[int, int | None]:
    with av.open(path) as container:
        context = container.streams.video[0].codec_context
        if context is None:
            return {}
        context.thread_count = 1
        frames = list(container.decode(video=0))
    found: dict[int, int | None] = {}
    for frame in frames:
        if frame.pts is not None:
            found.setdefault(frame.pts, digest(frame))
    return found


@pytest.mark.parametrize("codec", CODECS)
def test_an_undamaged_film_gives_all_its_pictures(codec: str, tmp_path: Path) -> None:
    n_read, n = 0, N // 2 if codec in ("dnxhd", "dvvideo") else N
    for suffix in CONTAINERS:
        path = tmp_path / f"film.{suffix}"
        try:
            write(path, codec, n)
            right = read_straight(path)
        except (av.FFmpegError, ValueError, IndexError):
            continue  # the container knows no such codec
        if len(right) < n - 1:
            continue  # nor its pictures' times
        n_read += 1
        line = scan_timeline(path)
        wanted = line.pts.tolist()
        assert wanted == sorted(right), suffix
        assert line.holes == (), suffix
        for some in (wanted, wanted[::3], wanted[n // 2 :], wanted[5:6]):
            decoded = list(decode_pictures(path, line.keyframes.tolist(), some))
            assert [each.reason for each in decoded] == [""] * len(some), suffix
            shown = {each.pts: digest(each.frame) for each in decoded}
            assert shown == {pts: right[pts] for pts in some}, suffix
    assert n_read == CODECS[codec]
