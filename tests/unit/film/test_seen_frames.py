"""Pictures come as a viewer sees them: upright, in shape, of the right stream and time.

Also of interlaced films, and of the part that an edit list leaves.
"""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition
from numpy.typing import NDArray

from films import (
    GOP,
    edit,
    frame_number,
    numbered,
    numbered_film,
    solid,
    turn,
    write_film,
)
from plans import plan_film, read_numbers
from reelbow.errors import ReelbowError
from reelbow.film import read_frames
from reelbow.film.decoding import decode_pictures, decode_samples
from reelbow.film.demuxing import AS_PLAYERS, ReadOptions
from reelbow.film.probe import Probe, probe_film
from reelbow.film.timeline import scan_timeline

Picture = NDArray[np.uint8]


def quarters(width: int, height: int) -> Picture:
    """Draw four quarters that no turn leaves alike: red, green over blue, white."""
    picture = np.full((height, width, 3), 230, np.uint8)
    picture[: height // 2, : width // 2] = 230, 20, 20
    picture[: height // 2, width // 2 :] = 20, 230, 20
    picture[height // 2 :, : width // 2] = 20, 20, 230
    return picture


def first_picture(path: Path, **how: Any) -> Picture:
    return next(read_frames(path, every=1, **how)).pixels


def off(found: Picture, expected: Picture) -> float:
    """Find the mean difference; edges blur where chroma is subsampled."""
    assert found.shape == expected.shape
    return float(np.abs(found.astype(int) - expected).mean())


# --- upright --------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(96, 64), (101, 57), (48, 80)])
@pytest.mark.parametrize(
    "matrix",
    [
        (1, 0, 0, 1),
        (0, 1, -1, 0),
        (-1, 0, 0, -1),
        (0, -1, 1, 0),
        (-1, 0, 0, 1),
        (1, 0, 0, -1),
        (0, 1, 1, 0),
        (0, -1, -1, 0),
    ],
)
def test_turned_films_come_upright(
    tmp_path: Path, matrix: tuple[int, int, int, int], size: tuple[int, int]
) -> None:
    width, height = size
    stored = quarters(width, height)
    path = write_film(
        tmp_path / "film.mp4", [stored], pix_fmt="yuv444p", options={"qp": "0"}
    )
    turn(path, matrix)
    # each stored pixel taken to its place by the standard's formula
    a, b, c, d = matrix
    q, p = np.mgrid[:height, :width]
    x, y = a * p + c * q, b * p + d * q
    x, y = x - x.min(), y - y.min()
    expected = np.zeros((y.max() + 1, x.max() + 1, 3), np.uint8)
    expected[y, x] = stored
    probe = probe_film(path)
    assert (probe.width, probe.height) == (expected.shape[1], expected.shape[0])
    assert Probe.from_json(probe.to_json()) == probe
    assert off(first_picture(path), expected) <= 1


@pytest.mark.parametrize("matrix", [(1, 0, 0, 1), (0, 1, -1, 0)])
@pytest.mark.parametrize("aspect", [Fraction(4, 3), Fraction(64, 45), Fraction(1, 2)])
def test_the_aspect_of_pixels_is_of_the_stored_picture(
    tmp_path: Path, aspect: Fraction, matrix: tuple[int, int, int, int]
) -> None:
    path = write_film(
        tmp_path / "film.mp4",
        [quarters(90, 60)],
        sample_aspect_ratio=aspect,
        pix_fmt="yuv444p",
        options={"qp": "0"},
    )
    turn(path, matrix)
    shape = (60, round(90 * aspect))
    probe = probe_film(path)
    assert (probe.stored_width, probe.stored_height) == (90, 60)
    turned = matrix[0] == 0
    assert (probe.height, probe.width) == (shape[::-1] if turned else shape)
    seen = quarters(shape[1], shape[0])
    expected = np.rot90(seen, -1) if turned else seen
    # at most a column of mixed color in the middle
    assert off(first_picture(path), np.ascontiguousarray(expected)) <= 3


@pytest.mark.parametrize("size", [(101, 57), (57, 101), (1, 1), (9, 7), (97, 64)])
@pytest.mark.parametrize("codec", ["ffv1", "libvpx-vp9"])
def test_odd_sizes_keep_every_line_and_column(
    tmp_path: Path, codec: str, size: tuple[int, int]
) -> None:
    picture = quarters(*size)
    options = {"lossless": "1"} if codec == "libvpx-vp9" else {}
    path = write_film(tmp_path / "film.mkv", [picture], codec=codec, options=options)
    probe = probe_film(path)
    assert (probe.width, probe.height) == size
    found = first_picture(path)
    assert found.shape == picture.shape
    # far from the edges between colors, to the last line and column
    for y in {0, size[1] - 1}:
        for x in {0, size[0] - 1}:
            if min(size) > 4:
                assert np.abs(found[y, x].astype(int) - picture[y, x]).max() <= 3


# --- streams --------------------------------------------------------------------------


def write_streams(
    path: Path, sizes: list[tuple[int, int]], *, cover: bool = False
) -> Path:
    """Write a film of several videos: stream i shows number 100 i + its frame."""
    with av.open(path, "w") as container:
        streams: list[Any] = []
        if cover:
            picture = container.add_stream("mjpeg", rate=1)
            picture.width, picture.height, picture.pix_fmt = 640, 480, "yuvj420p"
            picture.disposition = Disposition.attached_pic
        for width, height in sizes:
            stream = container.add_stream("libx264", rate=4)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            streams.append(stream)
        if cover:
            red = av.VideoFrame.from_ndarray(solid(0xFF0000, (640, 480)))
            red.pts, red.time_base = 0, Fraction(1)
            container.mux([*picture.encode(red), *picture.encode(None)])
        for number in range(8):
            for i, stream in enumerate(streams):
                pixels = numbered(100 * i + number, sizes[i])
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, 4)
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_the_stream_that_is_asked_for_is_read(tmp_path: Path, suffix: str) -> None:
    path = write_streams(tmp_path / f"film.{suffix}", [(64, 48), (96, 64), (48, 48)])
    for stream, width in enumerate((64, 96, 48)):
        reading = ReadOptions(stream)
        assert probe_film(path, reading).width == width
        assert read_numbers(path, reading) == [100 * stream + i for i in range(8)]


def test_without_a_wish_it_is_the_one_that_players_choose(tmp_path: Path) -> None:
    path = write_streams(tmp_path / "film.mkv", [(64, 48), (96, 64)])
    with av.open(path) as container:
        best = container.streams.best("video")
        assert best is not None
        index = best.index
    assert read_numbers(path) == [100 * index + i for i in range(8)]


def test_a_stream_that_is_not_there_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = write_streams(tmp_path / "film.mp4", [(64, 48), (96, 64)])
    with pytest.raises(ReelbowError) as caught:
        plan_film(path, ReadOptions(2))
    assert str(caught.value) == f"{path}: has no video stream 2; give one of 0 to 1"


def test_cover_art_is_no_film_and_has_no_number(tmp_path: Path) -> None:
    path = write_streams(tmp_path / "film.mp4", [(64, 48)], cover=True)
    with av.open(path) as container:
        assert len(container.streams.video) == 2
    for reading in (AS_PLAYERS, ReadOptions(0)):
        assert read_numbers(path, reading) == list(range(8))
    with pytest.raises(ReelbowError, match="has no video stream 1"):
        plan_film(path, ReadOptions(1))


def test_pictures_larger_than_allowed_are_refused(tmp_path: Path) -> None:
    path = numbered_film(tmp_path / "film.mp4", 3)
    assert plan_film(path, ReadOptions(None, 96 * 64))["n_frames"] == 1
    with pytest.raises(ReelbowError) as caught:
        plan_film(path, ReadOptions(None, 96 * 64 - 1))
    sentence = str(caught.value)
    assert sentence.startswith(f"{path}: pictures of 96x64 pixels, allowed are 6143")
    assert "limits.pixels" in sentence


# --- time -----------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_start_and_end_count_from_a_first_picture_at_10_s(
    tmp_path: Path, suffix: str
) -> None:
    path = write_film(
        tmp_path / f"film.{suffix}",
        (numbered(i) for i in range(48)),
        pts=range(240, 288),
        time_base=Fraction(1, 24),
        **GOP,
    )
    line = scan_timeline(path)
    assert float(line.pts[0] * line.time_base) >= 10
    frames = list(read_frames(path, every=0.25, start_s=0.5, end_s=1.25))
    assert [frame.time_s for frame in frames] == pytest.approx([0.5, 0.75, 1], abs=1e-3)
    shown = [frame_number(frame.pixels) for frame in frames]
    # mkv rounds times to a thousandth
    assert shown == ([12, 18, 24] if suffix != "mkv" else shown)
    assert abs(np.array(shown) - [12, 18, 24]).max() <= 1
    planned = plan_film(path, start_s=0.5, end_s=1.25)
    assert planned["n_frames"] == 3
    assert planned["duration_s"] == pytest.approx(2, abs=0.01)


@pytest.mark.parametrize("first", [12, 13, 14, 23])
def test_an_edit_list_s_cut_is_where_the_film_begins(
    tmp_path: Path, first: int
) -> None:
    path = numbered_film(tmp_path / "film.mp4", 48, **GOP)
    edit(path, ((48 - first) * 1000 // 24, first))
    frames = list(read_frames(path, every=Fraction(1, 24)))
    assert [frame_number(frame.pixels) for frame in frames] == list(range(first, 48))
    assert frames[0].time_s == 0
    # keyframes before the cut are for decoding, not for sampling
    planned = plan_film(path, mode="keyframes", every=1)
    shown = [pts + first for pts in planned["shards"][0]["pts"]]
    assert shown == [number for number in (12, 24, 36) if number >= first]


# 48 pictures of 50 ticks each, 24 a second.
TICKS: dict[str, Any] = {"pts": range(0, 2400, 50), "time_base": Fraction(1, 1200)}
every_order = pytest.mark.parametrize(
    "how", [GOP, {**GOP, "bframes": 0}, {**GOP, "gop": 1}]
)


@pytest.mark.parametrize("gap_ms", [0, 500])
@every_order
@pytest.mark.parametrize("first", [5, 12])
def test_a_cut_within_a_picture_begins_with_it_and_misses_none(
    tmp_path: Path, first: int, how: dict[str, Any], gap_ms: int
) -> None:
    path = numbered_film(tmp_path / "film.mp4", 48, **TICKS, **how)
    gap = [(gap_ms, None)] if gap_ms else []
    edit(path, *gap, (1000, first * 50 + 20))
    line = scan_timeline(path)
    assert line.holes == ()
    assert line.time_s(line.end) == 1
    # its last 30 ticks of 50 are left
    frames = list(read_frames(path, every=Fraction(10, 1200)))
    expected = [first + (20 + 10 * i) // 50 for i in range(120)]
    assert [frame_number(frame.pixels) for frame in frames] == expected
    times = sorted({frame.time_s * 1200 for frame in frames})
    assert times == pytest.approx([0, *range(30, 1200, 50)])
    # all of it by picture, too, and the same in shards
    planned = plan_film(path, mode="frames", every=1, per_shard=7)
    assert (planned["n_frames"], planned["duration_s"]) == (25, 1)
    reading = ReadOptions(cut=planned["cut_pts"])
    numbers = [
        decoded.frame and frame_number(decoded.frame.to_ndarray(format="rgb24"))
        for shard in planned["shards"]
        for _, decoded in decode_samples(
            path, planned["keyframes"], shard["pts"], reading
        )
    ]
    assert numbers == list(range(first, first + 25))


@every_order
@pytest.mark.parametrize("starts", [(5, 30), (30, 5), (24, 24)])
def test_an_edit_list_of_two_parts_shows_one_after_the_other(
    tmp_path: Path, starts: tuple[int, int], how: dict[str, Any]
) -> None:
    path = numbered_film(tmp_path / "film.mp4", 48, **TICKS, **how)
    edit(path, *((500, 50 * start) for start in starts))
    line = scan_timeline(path)
    keyframes, wanted = line.keyframes.tolist(), line.pts.tolist()
    shown = {}
    for some in (wanted[:9], wanted[9:]):
        for decoded in decode_pictures(path, keyframes, some):
            assert decoded.frame is not None
            picture = decoded.frame.to_ndarray(format="rgb24")
            shown[decoded.pts] = frame_number(picture)
    # FFmpeg itself gives the first of the second part another time by one picture.
    assert shown == decode_numbers(path)
    assert {*range(starts[0], starts[0] + 12)} <= {*shown.values()}
    assert {*range(starts[1] + 1, starts[1] + 12)} <= {*shown.values()}


def decode_numbers(path: Path) -> dict[int | None, int]:
    """Read the numbers of all pictures, straight through; the first of each time."""
    numbers: dict[int | None, int] = {}
    with av.open(path) as container:
        container.streams.video[0].codec_context.thread_count = 1
        for frame in container.decode(video=0):
            picture = frame.to_ndarray(format="rgb24")
            numbers.setdefault(frame.pts, frame_number(picture))
    return numbers


def test_an_empty_packet_leaves_the_picture_on_screen_and_does_not_end_the_film() -> (
    None
):
    # Eight numbered pictures in Theora (ffmpeg -c:v libtheora), and an empty packet
    # behind the third one, as encoders write for a picture that is the same again.
    path = Path(__file__).with_name("empty_packet.ogv")
    with av.open(path) as container:
        sizes = [packet.size for packet in container.demux(video=0)]
    assert sizes.index(0) == 3
    frames = read_frames(path, every=Fraction(1, 24))
    assert [frame_number(frame.pixels) for frame in frames] == [0, 1, 2, *range(2, 8)]


# --- interlaced -----------------------------------------------------------------------


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video"])
@pytest.mark.parametrize("size", [(96, 64), (96, 72)])
def test_of_two_fields_only_the_upper_one_counts(
    tmp_path: Path, codec: str, size: tuple[int, int]
) -> None:
    upper, lower = solid(0xC04020, size), solid(0x2040C0, size)
    woven = upper.copy()
    woven[1::2] = lower[1::2]
    path = write_film(tmp_path / "film.mkv", [woven] * 3, codec=codec, interlaced=True)
    assert probe_film(path).interlaced
    found = first_picture(path)
    assert found.shape == upper.shape
    assert np.abs(found.astype(int) - upper).max() <= 4
    # and as a plain film, which it is not, it is a mixture
    mixed = write_film(tmp_path / "mixed.mkv", [woven] * 3, codec=codec)
    assert not probe_film(mixed).interlaced
    assert np.abs(first_picture(mixed).astype(int) - upper).max() > 50


def test_a_field_has_the_lines_and_coding_of_its_frame(tmp_path: Path) -> None:
    # every line of the upper field has its own level
    picture = np.zeros((64, 96, 3), np.uint8)
    picture[::2] = (40 + 5 * np.arange(32))[:, np.newaxis, np.newaxis]
    path = write_film(
        tmp_path / "film.mkv",
        [picture],
        options={"qp": "0"},
        interlaced=True,
        matrix="bt601",
        color_range="full",
    )
    (frame,) = read_frames(path, every=1, height=32)
    levels = frame.pixels[:, 24, 0].astype(int)
    assert np.abs(levels - (40 + 5 * np.arange(32))).max() <= 1
