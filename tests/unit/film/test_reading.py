"""Every sample is the picture on screen at its moment, whatever was left undecoded."""

import contextlib
import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from films import (
    find_packets,
    frame_number,
    numbered,
    numbered_film,
    overwrite,
    solid,
    write_film,
)
from memory import LINUX_ONLY, little_memory
from reelbow.errors import ReelbowError
from reelbow.film import coding as colors
from reelbow.film import decoding, read_frames
from reelbow.film.decoding import Decoded, decode_pictures, decode_samples
from reelbow.film.demuxing import AS_PLAYERS, MAX_READ_ERRORS, open_film, read_packets
from reelbow.film.probe import Probe, Turn, probe_film
from reelbow.film.timeline import Timeline, exact, sample_interval, scan_timeline
from shared_films import shared_film

# --- decoding -------------------------------------------------------------------------

N = 60
X264 = {"sc_threshold": "0", "preset": "veryfast"}
OPEN = "open-gop=1:keyint=12:min-keyint=2:bframes=3:b-pyramid=normal:scenecut=0"
B_FRAMES: dict[str, Any] = {"gop": 12, "bframes": 3, "options": X264}
OPEN_GOP: dict[str, Any] = {
    "options": {"preset": "veryfast", "x264-params": OPEN},
    "bframes": 3,
}
MPEG2: dict[str, Any] = {"codec": "mpeg2video", "gop": 12}
X265 = "keyint=12:bframes=3:scenecut=0:log-level=none:pools=none"


def x265(open_gop: int) -> dict[str, Any]:
    params = f"{X265}:open-gop={open_gop}"
    return {
        "codec": "libx265",
        "options": {"preset": "ultrafast", "x265-params": params},
    }


KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "h264 mp4": ("mp4", B_FRAMES),
    "h264 mkv": ("mkv", B_FRAMES),
    "h264 ts": ("ts", B_FRAMES),
    "h264 open mp4": ("mp4", OPEN_GOP),
    "h264 open mkv": ("mkv", OPEN_GOP),
    "h264 open ts": ("ts", OPEN_GOP),
    "h264 one gop mp4": ("mp4", {**B_FRAMES, "gop": 1000}),
    "h264 all intra mp4": ("mp4", {"gop": 1, "options": X264}),
    "h264 no b mkv": ("mkv", {"gop": 7, "bframes": 0, "options": X264}),
    "mpeg2 ts": ("ts", {**MPEG2, "bframes": 2}),
    "mpeg2 mkv": ("mkv", {**MPEG2, "bframes": 2}),
    "mpeg4 avi": ("avi", {"codec": "mpeg4", "gop": 12}),
    "mpeg4 mp4": ("mp4", {"codec": "mpeg4", "gop": 12, "bframes": 2}),
    "hevc mp4": ("mp4", x265(open_gop=0)),
    "hevc open mkv": ("mkv", x265(open_gop=1)),
    "vp8 webm": ("webm", {"codec": "libvpx", "gop": 20}),
    "vp9 webm": (
        "webm",
        {
            "codec": "libvpx-vp9",
            "gop": 20,
            "options": {"deadline": "realtime", "cpu-used": "8"},
        },
    ),
    "ffv1 mkv": ("mkv", {"codec": "ffv1"}),
}


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Make the numbered film of a kind, once."""
    folder = tmp_path_factory.mktemp("films")

    def make(kind: str) -> Path:
        suffix, how = KINDS[kind]
        path = folder / f"{kind.replace(' ', '_')}.{suffix}"
        return path if path.exists() else numbered_film(path, N, **how)

    return make


def contents(frame: av.VideoFrame) -> bytes:
    return np.asarray(frame.to_ndarray()).tobytes()


def decode_all(path: Path, until: float = math.inf) -> dict[int, bytes]:
    """Decode every picture so far, plainly: pts to pixels."""
    found: dict[int, bytes] = {}
    with av.open(path) as container:
        for frame in container.decode(container.streams.best("video")):
            assert isinstance(frame, av.VideoFrame)
            if frame.pts is not None:
                found[frame.pts] = contents(frame)
                if frame.pts >= until:
                    break
    return found


def decode(path: Path, line: Timeline, wanted: list[int]) -> dict[int, bytes]:
    """Decode the wanted pictures; see that each comes, once, in order."""
    decoded = list(decode_pictures(path, line.keyframes.tolist(), wanted))
    assert [each.pts for each in decoded] == wanted
    assert [each.reason for each in decoded] == [""] * len(wanted)
    return {each.pts: contents(each.frame) for each in decoded if each.frame}


def decode_damaged(path: Path, line: Timeline | None = None) -> list[Decoded]:
    """Decode what there is of all pictures; see that each is told of, once."""
    line = line or scan_timeline(path)
    pts = line.pts.tolist()
    decoded = list(decode_pictures(path, line.keyframes.tolist(), pts))
    assert [each.pts for each in decoded] == pts
    return decoded


def number_of(frame: av.VideoFrame) -> int:
    """Read the number off the luma, which comes before the chroma."""
    return frame_number(frame.to_ndarray()[: frame.height])


@pytest.mark.parametrize("kind", KINDS)
def test_each_wanted_picture_comes_and_has_the_pixels_of_a_plain_decode(
    kind: str, make: Callable[[str], Path]
) -> None:
    path = make(kind)
    line = scan_timeline(path)
    pts = line.pts.tolist()
    everything = decode_all(path)
    assert pts == sorted(everything)
    assert len(pts) == N
    for low, step in [(0, 1), (0, 2), (1, 3), (10, 7), (3, 13), (5, 25), (0, 59)]:
        wanted = pts[low::step]
        numbers = [
            number_of(decoded.frame)
            for decoded in decode_pictures(path, line.keyframes.tolist(), wanted)
            if decoded.frame is not None
        ]
        assert numbers == list(range(low, N, step))
        assert decode(path, line, wanted) == {p: everything[p] for p in wanted}


@pytest.mark.parametrize("kind", KINDS)
def test_decoding_can_start_anywhere(kind: str, make: Callable[[str], Path]) -> None:
    path = make(kind)
    line = scan_timeline(path)
    keyframes = line.keyframes.tolist()
    for number in (0, 1, 11, 12, 13, 22, 23, 24, 37, 47, 48, 58, 59):
        (decoded,) = decode_pictures(path, keyframes, [int(line.pts[number])])
        assert decoded.frame is not None
        assert decoded.pts == decoded.frame.pts == line.pts[number]
        assert number_of(decoded.frame) == number


@pytest.mark.parametrize("kind", ["h264 open mkv", "h264 ts", "mpeg2 mkv", "vp9 webm"])
def test_any_split_of_the_samples_gives_the_same_pictures(
    kind: str, make: Callable[[str], Path]
) -> None:
    path = make(kind)
    line = scan_timeline(path)
    keyframes = line.keyframes.tolist()
    pts = line.pts.tolist()

    @settings(max_examples=10, deadline=None)
    @given(
        numbers=st.lists(st.integers(0, N - 1), min_size=1, max_size=12).map(sorted),
        cut=st.integers(0, 12),
    )
    def check(numbers: list[int], cut: int) -> None:
        samples = [pts[number] for number in numbers]
        whole = [
            (index, decoded.pts, contents(decoded.frame))
            for index, decoded in decode_samples(path, keyframes, samples)
            if decoded.frame is not None
        ]
        assert [(index, time) for index, time, _ in whole] == list(enumerate(samples))
        parts = [
            (offset + index, decoded.pts, contents(decoded.frame))
            for offset, part in ((0, samples[:cut]), (cut, samples[cut:]))
            for index, decoded in decode_samples(path, keyframes, part)
            if decoded.frame is not None
        ]
        assert parts == whole

    check()


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Count the frames that come from the decoder and the packets that are read."""
    seen = {"frames": 0, "packets": 0}

    def count(name: str, iterate: Callable[..., Iterator[Any]]) -> Any:
        def counting(*args: Any, **kwargs: Any) -> Iterator[Any]:
            for each in iterate(*args, **kwargs):
                seen[name] += 1
                yield each

        return counting

    frames = count("frames", decoding._decode_from)
    monkeypatch.setattr(decoding, "_decode_from", frames)
    monkeypatch.setattr(decoding, "read_packets", count("packets", read_packets))
    return seen


@pytest.mark.parametrize(
    "kind", ["h264 mp4", "h264 open mkv", "mpeg2 mkv", "mpeg4 mp4"]
)
def test_pictures_that_no_other_refers_to_are_left_undecoded(
    kind: str,
    make: Callable[[str], Path],
    counts: dict[str, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = make(kind)
    line = scan_timeline(path)
    # from the first to the last, so that nothing but skipping saves any
    wanted = [int(line.pts[0]), int(line.pts[11]), int(line.pts[23]), int(line.pts[59])]
    counts["frames"] = 0
    skipping, n_skipping = decode(path, line, wanted), counts["frames"]
    monkeypatch.setattr(decoding, "is_unreferenced", lambda *_: False)
    counts["frames"] = 0
    plain, n_plain = decode(path, line, wanted), counts["frames"]
    assert skipping == plain
    assert n_skipping <= 0.75 * n_plain


@pytest.mark.parametrize("kind", ["h264 mp4", "h264 mkv", "h264 open mp4", "mpeg4 avi"])
def test_a_shard_in_the_middle_touches_its_own_stretch_only(
    kind: str, make: Callable[[str], Path], counts: dict[str, int]
) -> None:
    path = make(kind)
    line = scan_timeline(path)
    assert len(line.keyframes) == 5
    counts.update(frames=0, packets=0)
    decode(path, line, [int(line.pts[27]), int(line.pts[29])])
    assert 2 <= counts["frames"] <= 12
    assert counts["packets"] <= 20


@pytest.mark.parametrize("kind", ["h264 mp4", "h264 open mkv", "mpeg2 ts"])
def test_in_a_row_each_packet_is_read_once(
    kind: str, make: Callable[[str], Path], counts: dict[str, int]
) -> None:
    path = make(kind)
    line = scan_timeline(path)
    counts["packets"] = 0
    decode(path, line, line.pts.tolist())
    assert counts["packets"] == N


def test_a_picture_that_stays_over_several_samples_is_decoded_once(
    make: Callable[[str], Path], counts: dict[str, int]
) -> None:
    path = make("h264 all intra mp4")
    line = scan_timeline(path)
    samples = [int(line.pts[7])] * 5 + [int(line.pts[8])] * 3
    decoded = list(decode_samples(path, line.keyframes.tolist(), samples))
    assert [(i, each.pts) for i, each in decoded] == list(enumerate(samples))
    assert counts["frames"] == 2


def test_pictures_before_the_first_keyframe_are_not_of_the_film(
    make: Callable[[str], Path], tmp_path: Path
) -> None:
    # a film cut at a keyframe of an open group: B-frames after it are shown before
    # it and lean on pictures that are gone
    path = tmp_path / "cut.mkv"
    with av.open(make("h264 open mkv")) as source, av.open(path, "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        n_keyframes = 0
        for packet in source.demux(video=0):
            n_keyframes += packet.is_keyframe
            if n_keyframes >= 2 and packet.size:
                packet.stream = stream
                target.mux(packet)
    with av.open(path) as container:
        pts = [packet.pts for packet in container.demux(video=0) if packet.size]
    assert min(time for time in pts if time is not None) < (pts[0] or 0)
    line = scan_timeline(path)
    assert line.pts[0] == line.keyframes[0] == pts[0]
    decoded = decode_damaged(path)
    numbers = [number_of(each.frame) for each in decoded if each.frame is not None]
    assert numbers == list(range(N - len(line.pts), N))
    assert len(numbers) > 30


class DamagedContainer:
    """Stands in for one whose demuxer stumbles: a list of packet sizes and errors."""

    def __init__(self, script: list[int | Exception]) -> None:
        self.script = script
        self.n_calls = 0

    def demux(self, _: object) -> Iterator[Any]:
        self.n_calls += 1
        while self.script:
            match self.script.pop(0):
                case Exception() as error:
                    raise error
                case size:
                    yield SimpleNamespace(size=size)


def test_damaged_places_in_a_file_are_read_over() -> None:
    bad = av.InvalidDataError(1, "bad")

    def sizes(script: list[int | Exception]) -> list[int]:
        container: Any = DamagedContainer(script)
        return [packet.size for packet in read_packets(container, Mock())]

    # an empty packet shows nothing new, and is not the end
    assert sizes([5, bad, 6, bad, bad, 7, 0, 8]) == [5, 6, 7, 8]
    assert sizes([5, av.EOFError(1, "end"), 6]) == [5]
    many: list[int | Exception] = [bad] * (MAX_READ_ERRORS - 1)
    assert sizes([5, *many, 6, *many, 7]) == [5, 6, 7]
    assert sizes([5, *many, bad, 6]) == [5]


def test_between_two_far_samples_of_a_group_nothing_after_the_last_is_decoded(
    make: Callable[[str], Path], counts: dict[str, int]
) -> None:
    path = make("h264 all intra mp4")
    line = scan_timeline(path)
    decode(path, line, line.pts[::20].tolist())
    assert counts["frames"] == 3


def test_a_film_whose_first_picture_is_late_counts_from_it(tmp_path: Path) -> None:
    path = write_film(
        tmp_path / "late.mp4",
        (numbered(i) for i in range(40)),
        pts=[10_000 + 40 * i for i in range(40)],
        **B_FRAMES,
    )
    line = scan_timeline(path)
    assert line.time_s(line.end) == Fraction(8, 5)
    frames = list(read_frames(path, every=0.4))
    assert [frame.time_s for frame in frames] == [0.0, 0.4, 0.8, 1.2]
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert [frame_number(frame.pixels) for frame in frames] == [0, 10, 20, 30]


def test_variable_frame_rate_is_sampled_by_time(tmp_path: Path) -> None:
    # half a second of picture 0, then ten pictures a second, then 2 seconds of the last
    times = [0, *range(500, 1500, 100), 3500]
    path = write_film(
        tmp_path / "vfr.mkv",
        (numbered(i) for i in range(len(times))),
        pts=times,
        **B_FRAMES,
    )
    frames = list(read_frames(path, every=0.25, end_s=3.6))
    numbers = [frame_number(frame.pixels) for frame in frames]
    assert numbers == [0, 0, 1, 3, 6, 8, *[10] * 8, 11]
    assert [frame.time_s for frame in frames] == [times[n] / 1000 for n in numbers]


def test_read_frames_takes_a_stretch_and_makes_pictures_small(tmp_path: Path) -> None:
    path = numbered_film(tmp_path / "film.mp4", 48, **B_FRAMES)
    frames = list(read_frames(path, every=0.5, start_s=0.5, end_s=1.5, height=32))
    assert [frame_number(frame.pixels) for frame in frames] == [12, 24]
    assert [frame.time_s for frame in frames] == [0.5, 1.0]
    assert frames[0].pixels.shape == (32, 48, 3)
    assert frames[0].pixels.dtype == np.uint8
    # never more rows than there are
    (frame,) = read_frames(path, every=9, height=999)
    assert frame.pixels.shape == (64, 96, 3)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"every": 0}, "every must be seconds, more than 0, not 0"),
        ({"every": -1}, "every must be .*, not -1"),
        ({"every": "1"}, "every must be .*, not '1'"),
        ({"every": float("nan")}, "every must be .*, not nan"),
        ({"start_s": -1}, "start_s must be seconds, 0 or more, not -1"),
        ({"end_s": float("nan")}, "end_s must be seconds, 0 or more, not nan"),
        ({"end_s": float("inf")}, "end_s must be .*, not inf"),
        ({"start_s": 2, "end_s": 2}, "end_s must be more than start_s=2, not 2"),
        ({"height": -3}, "height must be 1 or more, not -3"),
        ({"height": 0}, "height must be 1 or more, not 0"),
        ({"height": 1.5}, "height must be a whole number, 1 or more, not 1.5"),
        ({"source": None}, "source must be a path, not None"),
    ],
)
def test_read_frames_refuses_what_cannot_be(wrong: dict[str, Any], said: str) -> None:
    # At once, before a film is looked for.
    with pytest.raises(ReelbowError, match=said):
        read_frames(**{"source": "film.mp4", "every": 1} | wrong)


def test_a_start_past_the_end_is_told(tmp_path: Path) -> None:
    path = numbered_film(tmp_path / "film.mp4", 24)
    said = r"film\.mp4: .* between start_s=1 and its end, of 1\.000 s"
    with pytest.raises(ReelbowError, match=said):
        list(read_frames(str(path), every=1, start_s=1))
    assert len(list(read_frames(str(path), every=1, start_s=0.9))) == 1


def test_a_probe_survives_the_plan(tmp_path: Path) -> None:
    path = numbered_film(tmp_path / "film.mp4", 3, matrix="bt601")
    probe = probe_film(path)
    assert Probe.from_json(probe.to_json()) == probe
    assert probe.coding == colors.Coding("bt601", "limited")
    assert probe.codec == "h264"
    assert probe.rate == 24


# --- damaged and wrong films ----------------------------------------------------------


def damage(path: Path, number: int, how: str) -> Path:
    """Overwrite the payload of one packet, its place in the file as stored."""
    _, position, size = find_packets(path)[number]
    data = bytes(size) if how == "zeros" else np.random.default_rng(number).bytes(size)
    return overwrite(path, position, data, path.with_stem(f"damaged_{number}_{how}"))


@pytest.mark.parametrize("how", ["zeros", "noise"])
@pytest.mark.parametrize("number", [24, 25, 30, 35])
def test_a_damaged_packet_costs_its_own_group_at_most(
    number: int, how: str, make: Callable[[str], Path]
) -> None:
    path = make("h264 mp4")
    line = scan_timeline(path)
    everything = decode_all(path)
    damaged = damage(path, number, how)
    assert scan_timeline(damaged).pts.tolist() == line.pts.tolist()
    decoded = decode_damaged(damaged, line)
    for i, each in enumerate(decoded):
        if not 24 <= i < 36:
            assert each.frame is not None
            assert contents(each.frame) == everything[each.pts]
        else:
            assert (each.frame is None) == bool(each.reason)
            assert "\n" not in each.reason
    hurt = find_packets(path)[number].pts
    reasons = {each.pts: each.reason for each in decoded}
    if how == "zeros":
        assert reasons[hurt].startswith("the picture does not decode (")


def test_a_damaged_picture_that_nothing_refers_to_costs_no_other(
    make: Callable[[str], Path],
) -> None:
    path = make("ffv1 mkv")
    line = scan_timeline(path)
    decoded = decode_damaged(damage(path, 20, "noise"), line)
    assert [i for i, each in enumerate(decoded) if each.frame is None] in ([20], [])


def test_read_frames_leaves_a_damaged_picture_out_and_keeps_the_others_numbers(
    make: Callable[[str], Path],
) -> None:
    damaged = damage(make("h264 all intra mp4"), 12, "zeros")
    frames = list(read_frames(damaged, every=0.25))
    assert [frame.index for frame in frames] == [0, 1, 3, 4, 5, 6, 7, 8, 9]
    numbers = [frame_number(frame.pixels) for frame in frames]
    assert numbers == [6 * frame.index for frame in frames]


@pytest.mark.parametrize("kind", ["h264 mkv", "h264 ts", "mpeg4 avi"])
def test_a_truncated_film_gives_what_is_there(
    kind: str, make: Callable[[str], Path]
) -> None:
    whole = make(kind)
    everything = decode_all(whole)
    path = whole.with_name(f"truncated_{whole.name}")
    _, position, size = find_packets(whole)[40]
    path.write_bytes(whole.read_bytes()[: position + size // 2])
    line = scan_timeline(path)
    assert 36 <= len(line.pts) <= 41
    for each in decode_damaged(path)[:-4]:
        assert each.frame is not None
        assert contents(each.frame) == everything[each.pts]


def make_sound(path: Path) -> Path:
    with av.open(path, "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
        )
        frame.sample_rate = 8000
        for i in range(20):
            frame.pts = 1024 * i
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def add_cover(path: Path, sound: Path) -> Path:
    """Put a JPEG before ADTS sound as ID3v2.3 has it: a film of one cover picture."""
    import cv2

    jpeg = cv2.imencode(".jpg", solid(0x808080))[1].tobytes()
    body = b"\0image/jpeg\0\3\0" + jpeg
    frame = b"APIC" + len(body).to_bytes(4, "big") + b"\0\0" + body
    size = bytes(len(frame) >> shift & 0x7F for shift in (21, 14, 7, 0))
    path.write_bytes(b"ID3\3\0\0" + size + frame + sound.read_bytes())
    return path


def make_wrong(path: Path) -> None:
    """Write what is no film, of the kind that its name says."""
    match path.stem:
        case "folder":
            path.mkdir()
        case "empty":
            path.touch()
        case "text":
            path.write_text("This is not a film.\n" * 500)
        case "noise":
            path.write_bytes(np.random.default_rng(0).bytes(20_000))
        case "sound":
            make_sound(path)
        case "cover":
            add_cover(path, make_sound(path.with_name("sound.aac")))
        case "raw":
            write_film(path, [solid(0x808080)] * 9)
        case "moov" | "header":
            whole = numbered_film(path.with_stem("whole"), 30)
            end = 1500 if path.stem == "moov" else find_packets(whole)[0].position
            path.write_bytes(whole.read_bytes()[:end])


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("missing.mp4", "no such film"),
        ("folder.mp4", "a folder, not a film"),
        ("empty.mp4", "the file is empty"),
        ("text.mkv", "not a video that FFmpeg can read"),
        ("noise.mkv", "not a video that FFmpeg can read"),
        ("sound.mp4", "no video in it"),
        ("cover.aac", "no video in it"),
        ("moov.mp4", "moov"),
        ("raw.h264", "no picture in it has a time"),
        ("header.mkv", "no picture in it has a time"),
    ],
)
def test_what_is_no_film_is_refused_in_one_sentence(
    name: str, says: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    make_wrong(path)
    with pytest.raises(ReelbowError) as caught:
        list(read_frames(path, every=1))
    sentence = str(caught.value)
    assert sentence.startswith(f"{path}: ")
    assert says in sentence
    assert "\n" not in sentence
    assert "Error" not in sentence
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_film_of_which_no_picture_decodes_is_refused(tmp_path: Path) -> None:
    path = numbered_film(tmp_path / "film.mp4", 5, gop=1, options=X264)
    for _, position, size in find_packets(path):
        overwrite(path, position, bytes(size))
    with pytest.raises(ReelbowError, match="no picture in it can be decoded"):
        probe_film(path)


# --- real films -----------------------------------------------------------------------


def shared_decode(
    path: Path, every: float
) -> tuple[Timeline, list[tuple[int, Decoded]]]:
    line = scan_timeline(path)
    samples = sample_interval(line, every=exact(every), start=Fraction(0), end=None)
    return line, list(decode_samples(path, line.keyframes.tolist(), samples))


@pytest.mark.shared
def test_bbb_at_one_sample_a_second_is_597_frames_on_the_second() -> None:
    path = shared_film("bbb_full_384x216_25fps_h264.mp4")
    line = scan_timeline(path)
    assert len(line.pts) == 14911
    samples = sample_interval(line, every=Fraction(1), start=Fraction(0), end=None)
    assert [line.time_s(pts) for pts in samples] == list(range(597))
    # a stretch in the middle, from one keyframe into the next
    decoded = list(decode_samples(path, line.keyframes.tolist(), samples[300:310]))
    assert all(each.frame and each.frame.pts == each.pts for _, each in decoded)


@pytest.mark.shared
def test_count_hand_is_sampled_by_its_own_uneven_times() -> None:
    path = shared_film("count_hand_640x480_VFR_h264.mp4")
    line, decoded = shared_decode(path, 0.5)
    everything = decode_all(path)
    assert line.pts.tolist() == sorted(everything)
    gaps = np.diff(line.pts)
    assert gaps.max() > 2 * gaps.min()
    assert len(decoded) == 49
    for i, each in decoded:
        assert each.frame is not None
        assert contents(each.frame) == everything[each.pts]
        due = line.pts[0] + Fraction(i, 2) / line.time_base
        assert each.pts == max(pts for pts in everything if pts <= due)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "size", "rotation", "turn"),
    [
        (
            "bbb_rotated90_1080p_24fps_h264.mp4",
            (1080, 1920),
            3,
            Turn(transposed=True, mirrored=True),
        ),
        (
            "puppy_rotated180_VFR_h264_phone.mp4",
            (1280, 720),
            2,
            Turn(mirrored=True, flipped=True),
        ),
    ],
)
def test_rotated_films_come_upright(
    name: str, size: tuple[int, int], rotation: int, turn: Turn
) -> None:
    path = shared_film(name)
    probe = probe_film(path)
    assert (probe.width, probe.height) == size
    assert probe.turn == turn
    (frame,) = read_frames(path, every=9, start_s=1.5, height=size[1] // 10)
    assert frame.pixels.shape == (size[1] // 10, size[0] // 10, 3)
    # the same as turning the picture as it is stored
    line = scan_timeline(path)
    pts = sample_interval(line, every=Fraction(9), start=exact(1.5), end=None)
    ((_, decoded),) = decode_samples(path, line.keyframes.tolist(), pts)
    assert decoded.frame is not None
    stored = decoded.frame.to_ndarray(format="rgb24")
    upright: NDArray[np.float64] = np.rot90(stored, rotation).astype(float)
    blocks = upright.reshape(size[1] // 10, 10, size[0] // 10, 10, 3).mean(axis=(1, 3))
    assert np.abs(blocks - frame.pixels).mean() < 4


@pytest.mark.shared
@pytest.mark.parametrize("every", [0.02, 0.1, 0.7])
def test_hidden_vp9_frames_are_no_pictures(every: float) -> None:
    path = shared_film("roadtrip_10bit_vp9p2.webm")
    line, decoded = shared_decode(path, every)
    everything = decode_all(path)
    assert len(everything) == 72
    assert line.pts.tolist() == sorted(everything)
    for _, each in decoded:
        assert each.frame is not None
        assert contents(each.frame) == everything[each.pts]


@pytest.mark.shared
def test_a_hidden_frame_is_not_taken_for_the_shown_one_of_the_same_time() -> None:
    path = shared_film("roadtrip_10bit_vp9p2.webm")
    line = scan_timeline(path)
    everything = decode_all(path)
    # hidden and shown packets share these timestamps
    for pts in (542, 1793, 2544):
        assert decode(path, line, [pts]) == {pts: everything[pts]}


@pytest.mark.shared
@pytest.mark.parametrize(
    "name",
    [
        "tears_of_steel_battle_800x332_24fps_vp8.webm",
        "bbb_hevc_bframes_854x480_30fps.mp4",
        "bbb_800x640_sar64x45_h264_bpyramid.mp4",
        "bbb_telecined_ntsc_720x480i_mpeg2.ts",
        "testcard_720p_25fps_400k_av1.mp4",
        "nasa_two_video_streams.mp4",
    ],
)
def test_real_films_decode_as_by_a_plain_decode(name: str) -> None:
    path = shared_film(name)
    line = scan_timeline(path)
    low = len(line.pts) // 2
    wanted = [*line.pts[:20:6].tolist(), *line.pts[low : low + 20 : 3].tolist()]
    everything = decode_all(path, until=wanted[-1])
    assert decode(path, line, wanted) == {pts: everything[pts] for pts in wanted}


def test_a_film_of_one_keyframe_is_not_kept_in_memory(tmp_path: Path) -> None:
    frames = (solid(0x808080) for _ in range(200))
    path = write_film(tmp_path / "one.mp4", frames, gop=1000)
    line = scan_timeline(path)
    assert len(line.keyframes) == 1
    reader = decoding._PacketReader(path, line.keyframes.tolist(), AS_PLAYERS)
    with contextlib.closing(reader):
        first = [packet.pts for packet in reader.read_from(0)]
        assert reader.since_keyframe is None
        # The same keyframe once more is sought, not remembered.
        again = [packet.pts for packet in reader.read_from(0)]
    assert len(first) == 200
    assert again == first


@LINUX_ONLY
def test_a_header_that_claims_gigabytes_is_the_film_s_fault(tmp_path: Path) -> None:
    path = numbered_film(tmp_path / "a.mp4", 9)
    data = bytearray(path.read_bytes())
    # How many runs of times are listed.
    place = data.index(b"stts") + 8
    data[place : place + 4] = b"\x3f\xff\xff\xff"
    path.write_bytes(data)
    told = r"a\.mp4: its header claims more than is in the file; copy"
    with little_memory(200 << 20), pytest.raises(ReelbowError, match=told):
        open_film(path)
    # With no room at all nobody knows.
    with little_memory(0), pytest.raises(MemoryError):
        open_film(path)


@LINUX_ONLY
def test_too_little_memory_is_never_told_as_damage(tmp_path: Path) -> None:
    colors = [solid(0x123456 * i, (3840, 2160)) for i in range(1, 5)]
    path = write_film(tmp_path / "a.mkv", colors)
    timeline = scan_timeline(path)
    keyframes, pts = timeline.keyframes.tolist(), timeline.pts.tolist()
    for megabytes in (0, 20, 40):
        with contextlib.suppress(MemoryError), little_memory(megabytes << 20):
            decoded = list(decode_pictures(path, keyframes, pts))
            assert [picture.reason for picture in decoded] == [""] * 4
    with contextlib.suppress(MemoryError), little_memory(0):
        assert probe_film(path).width == 3840
