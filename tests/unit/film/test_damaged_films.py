"""What damaged films still give and what they say of the rest; none hangs."""

import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
import pytest

from films import GOP, find_packets, numbered_film, overwrite, solid, write_film
from plans import plan_film, read_numbers
from reelbow.errors import ReelbowError
from reelbow.film.decoding import LEANS, decode_pictures
from reelbow.film.demuxing import FOLLOWING, ReadOptions, is_unreferenced, open_film
from reelbow.film.timeline import scan_timeline
from reelbow.runs.pace import READ_HEADERS

N = 120
HOLE = "the file has no picture of this time"


def leave_out(path: Path, start: int, stop: int, to: Path) -> Path:
    """Copy a stream without its packets from `start` to before `stop`."""
    where, data = find_packets(path), path.read_bytes()
    to.write_bytes(data[: where[start].position] + data[where[stop].position :])
    return to


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("films")


@pytest.fixture(scope="module")
def transport(folder: Path) -> Path:
    return numbered_film(folder / "film.ts", N, **{**GOP, "bframes": 0})


@pytest.fixture(scope="module")
def indexed(folder: Path) -> Path:
    """Make an mp4 whose index comes first, as of a download."""
    whole = numbered_film(folder / "whole.mp4", N, **GOP)
    path = folder / "indexed.mp4"
    with (
        av.open(whole) as source,
        av.open(path, "w", options={"movflags": "+faststart"}) as target,
    ):
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    return path


@pytest.mark.parametrize("kept", [1, 50, 110])
def test_a_film_cut_off_knows_what_its_index_promised(
    indexed: Path, tmp_path: Path, kept: int
) -> None:
    path = tmp_path / "cut.mp4"
    _, position, size = find_packets(indexed)[kept]
    path.write_bytes(indexed.read_bytes()[: position + size // 2])
    planned = plan_film(path)
    assert (planned["n_frames"], planned["duration_s"]) == (20, 5.0)
    ((start, end),) = planned["holes_s"]
    assert end == 5.0
    # the last packet, which is cut too, may count; B-frames come after a later one
    assert kept / 24 - 0.001 <= start <= (kept + 4) / 24 + 0.001
    seen = read_numbers(path)
    assert len(seen) == 20
    for i, each in enumerate(seen):
        if i * 6 < kept - 3:
            assert each == 6 * i
        elif i * 6 > kept:
            assert each == HOLE


def test_a_whole_film_has_no_holes(indexed: Path, transport: Path) -> None:
    for path in (indexed, transport):
        assert plan_film(path)["holes_s"] == []
        assert read_numbers(path) == list(range(0, N, 6))


@pytest.mark.parametrize(("lost", "found"), [(36, 72), (30, 66), (25, 71), (37, 60)])
def test_a_hole_in_a_stream_is_known_and_costs_nothing_else(
    transport: Path, tmp_path: Path, lost: int, found: int
) -> None:
    path = leave_out(transport, lost, found, tmp_path / "hole.ts")
    # pictures after the hole lean on lost ones, up to the next keyframe
    again = -(-found // 12) * 12
    assert plan_film(path)["holes_s"] == [[lost / 24, again / 24]]

    def count(start: int, stop: int, step: int) -> list[int | str]:
        return [n if not lost <= n < again else HOLE for n in range(start, stop, step)]

    assert read_numbers(path) == count(0, N, 6)
    # A lost picture is counted as one, so that those after it keep their numbers.
    assert read_numbers(path, mode="frames", every=1) == count(0, N, 1)
    assert read_numbers(path, mode="frames", every=5) == count(0, N, 5)
    assert read_numbers(path, mode="keyframes", every=1) == count(0, N, 12)
    stretch = {"start_s": 1.75, "end_s": 4.0}
    assert read_numbers(path, mode="frames", every=7, **stretch) == count(42, 96, 7)


def test_a_hole_after_the_last_keyframe_lasts_to_the_end(
    transport: Path, tmp_path: Path
) -> None:
    path = leave_out(transport, 90, 112, tmp_path / "hole.ts")
    assert plan_film(path)["holes_s"] == [[90 / 24, 5.0]]
    assert read_numbers(path) == [n if n < 90 else HOLE for n in range(0, N, 6)]


def test_a_picture_that_stays_long_is_no_hole_where_times_are_given(
    tmp_path: Path,
) -> None:
    path = write_film(
        tmp_path / "film.mkv", [solid(0x808080)] * 4, pts=[0, 40, 80, 9000]
    )
    assert plan_film(path)["holes_s"] == []
    assert scan_timeline(path).holes == ()


def test_a_film_that_starts_within_a_group_begins_at_its_first_keyframe(
    transport: Path, tmp_path: Path
) -> None:
    # the stream's tables, then the film from picture 5 on
    path = leave_out(transport, 0, 5, tmp_path / "late.ts")
    assert read_numbers(path) == list(range(12, N, 6))


@pytest.mark.parametrize("every", [1.0, 0.04])
def test_absurd_timestamps_are_one_sentence_and_no_endless_loop(
    tmp_path: Path, every: float
) -> None:
    jump = 2**40
    path = write_film(
        tmp_path / "film.mkv",
        [solid(0x808080)] * 6,
        pts=[0, 40, 80, jump, jump + 40, jump + 80],
    )
    said = r"film\.mkv: \d+ samples in \d+ s, by broken timestamps[^\n]*$"
    with pytest.raises(ReelbowError, match=said):
        plan_film(path, every=every)
    # what is before the jump can be had
    assert plan_film(path, every=every, end_s=0.12)["n_frames"] in (1, 3)
    assert plan_film(path, mode="frames", every=1)["n_frames"] == 6


def test_a_film_whose_pictures_grow_beyond_the_limit_is_not_decoded_there(
    tmp_path: Path,
) -> None:
    how: dict[str, Any] = {"time_base": Fraction(1, 24), "gop": 12, "bframes": 0}
    small = write_film(tmp_path / "small.ts", [solid(0x808080)] * 24, **how)
    large = write_film(
        tmp_path / "large.ts",
        [solid(0x804040, (640, 480))] * 24,
        pts=range(24, 48),
        **how,
    )
    path = tmp_path / "both.ts"
    path.write_bytes(small.read_bytes() + large.read_bytes())

    def missing(max_pixels: int) -> list[bool]:
        reading = ReadOptions(None, max_pixels)
        line = scan_timeline(path, reading)
        wanted = line.pts[::6].tolist()
        return [
            decoded.frame is None
            for decoded in decode_pictures(
                path, line.keyframes.tolist(), wanted, reading
            )
        ]

    assert missing(640 * 512) == [False] * 8
    assert missing(640 * 480 - 1) == [False] * 4 + [True] * 4


# --- pictures that lean on damaged ones ----------------------------------------------

# CAVLC tells of damage more often than CABAC does.
CAVLC = {"coder": "0", "sc_threshold": "0"}
LEANING: dict[str, tuple[str, dict[str, Any]]] = {
    "h264": ("mp4", {"options": CAVLC}),
    "h264 open": ("mov", {"options": {**CAVLC, "x264-params": "open-gop=1"}}),
    "h264 ts": ("ts", {"bframes": 0}),
    "mpeg2": ("mov", {"codec": "mpeg2video"}),
    "mpeg2 ts": ("ts", {"codec": "mpeg2video"}),
    "mpeg4": ("mp4", {"codec": "mpeg4"}),
    "mpeg4 avi": ("avi", {"codec": "mpeg4", "bframes": 0}),
}
STORED = [kind for kind in LEANING if "ts" not in kind]
STREAMED = [kind for kind in LEANING if "ts" in kind]


def noisy_film(folder: Path, kind: str) -> Path:
    """Write a film that moves, under noise, so that nothing is coded without bits."""
    suffix, how = LEANING[kind]
    rng = np.random.default_rng(0)
    large = np.kron(rng.integers(60, 190, (8, 40)), np.ones((8, 8)))
    pictures = (
        np.repeat(
            (large[:, 4 * i : 4 * i + 96] + rng.integers(-20, 20, (64, 96)))[..., None],
            3,
            axis=2,
        ).astype(np.uint8)
        for i in range(48)
    )
    return write_film(folder / f"noisy.{suffix}", pictures, **{**GOP, **how})


class Coded(NamedTuple):
    """A packet, in coding order."""

    pts: int
    is_keyframe: bool
    is_unreferenced: bool


def coded(path: Path) -> list[Coded]:
    with av.open(path) as container:
        stream = container.streams.video[0]
        name, setup = stream.codec_context.name, stream.codec_context.extradata or b""
        return [
            Coded(packet.pts, packet.is_keyframe, is_unreferenced(packet, name, setup))
            for packet in container.demux(stream)
            if packet.size and packet.pts is not None
        ]


def reasons(path: Path, wanted: Sequence[int] | None = None) -> dict[int | None, str]:
    line = scan_timeline(path)
    some = line.pts.tolist() if wanted is None else wanted
    decoded = decode_pictures(path, line.starts.tolist(), some)
    return {each.pts: each.reason for each in decoded}


def spoil(path: Path, number: int) -> Path:
    """Write zeros over most of a packet."""
    _, position, size = find_packets(path)[number]
    start, stop = position + size // 4, position + size - 2
    to = path.with_stem(f"spoiled_{number}")
    return overwrite(path, start, bytes(stop - start), to)


@pytest.mark.parametrize("kind", STORED)
def test_what_leans_on_a_damaged_picture_does_not_count(
    tmp_path: Path, kind: str
) -> None:
    path = noisy_film(tmp_path, kind)
    order = coded(path)
    keys = [i for i, packet in enumerate(order) if packet.is_keyframe]
    assert len(keys) >= 4
    # keyframes, and the first that leans on one and is leaned on itself
    for number in (0, 1, keys[1]):
        assert not order[number].is_unreferenced
        found = reasons(spoil(path, number))
        assert found[order[number].pts].startswith("the picture does not decode (")
        following = [key for key in keys if key > number]
        end = following[0]
        # of its own group, and of the next one what is shown before its keyframe
        others = {packet.pts for packet in order[number + 1 : end]}
        late = {p.pts for p in order[end + 1 : following[1]] if p.pts < order[end].pts}
        told = {pts for pts, reason in found.items() if reason}
        assert others <= told <= others | late | {order[number].pts}
        assert all(found[pts] == LEANS for pts in told - {order[number].pts})


@pytest.mark.parametrize("kind", [kind for kind in STORED if "avi" not in kind])
def test_a_damaged_picture_that_no_other_refers_to_is_the_only_one(
    tmp_path: Path, kind: str
) -> None:
    path = noisy_film(tmp_path, kind)
    order = coded(path)
    alone = [i for i, packet in enumerate(order) if packet.is_unreferenced]
    assert len(alone) >= 12
    told = [
        {pts for pts, reason in reasons(spoil(path, number)).items() if reason}
        for number in alone[3:9]
    ]
    assert all(each <= {order[i].pts} for each, i in zip(told, alone[3:9], strict=True))
    assert sum(map(len, told)) >= 3


@pytest.mark.parametrize("kind", STORED)
def test_what_counts_is_the_same_whatever_else_is_wanted(
    tmp_path: Path, kind: str
) -> None:
    path = noisy_film(tmp_path, kind)
    n_told = 0
    for number in (0, 13, 15, 17):
        damaged = spoil(path, number)
        found = reasons(damaged)
        n_told += sum(map(bool, found.values()))
        for pts in list(found)[:30]:
            assert pts is not None
            assert reasons(damaged, [pts]) == {pts: found[pts]}
    assert n_told >= 12


@pytest.mark.parametrize("kind", STREAMED)
@pytest.mark.parametrize("number", [13, 16, 19])
def test_behind_a_picture_that_a_stream_lost_nothing_counts_to_the_next_keyframe(
    tmp_path: Path, kind: str, number: int
) -> None:
    path = noisy_film(tmp_path, kind)
    order = coded(path)
    start, stop = (packet.position for packet in find_packets(path)[number:][:2])
    if (stop - start) // 188 % 16 == 0:
        stop -= 188  # the packets' counter would not tell
    data = path.read_bytes()
    path.write_bytes(data[:start] + data[stop:])
    found = reasons(path)
    assert order[number].pts not in found
    key = next(i for i in range(number, 48) if order[i].is_keyframe)
    others = {packet.pts for packet in order[number + 1 : key]}
    late = {p.pts for p in order[key + 1 : key + 4] if p.pts < order[key].pts}
    told = {pts for pts, reason in found.items() if reason}
    assert others <= told <= others | late


@pytest.mark.parametrize("how", [bytes, np.random.default_rng(0).bytes])
def test_a_film_whose_first_keyframe_is_damaged_keeps_its_times(
    indexed: Path, tmp_path: Path, how: Callable[[int], bytes]
) -> None:
    _, position, size = find_packets(indexed)[0]
    path = overwrite(indexed, position, how(size), tmp_path / "damaged.mp4")
    seen = read_numbers(path)
    # not all start at once with the next keyframe, as if nothing had been before it
    assert seen[2:] == list(range(12, N, 6))
    assert all(isinstance(reason, str) and reason != HOLE for reason in seen[:2])


LISTS = {
    "ffconcat": "ffconcat version 1.0\nfile other.ts\n",
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\nother.ts\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
    "m=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
}


@pytest.mark.parametrize("kind", LISTS)
def test_a_list_of_files_in_place_of_a_film_is_not_followed(
    tmp_path: Path, kind: str
) -> None:
    other = numbered_film(tmp_path / "other.ts", 5)
    # FFmpeg itself takes no other name of one of these.
    path = tmp_path / ("film.m3u8" if kind == "hls" else "film.mkv")
    path.write_text(LISTS[kind])
    with pytest.raises(ReelbowError) as error:
        open_film(path)
    assert str(error.value) == (
        f"{path}: a list of other files, not a film; give the films that it names"
    )
    # Nor where headers are read to know how much is to come.
    command = [sys.executable, "-c", READ_HEADERS, path, other]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert told.splitlines()[0] == "0 0"
    assert told.splitlines()[1] != "0 0"


def test_both_that_open_films_leave_out_the_same_formats() -> None:
    lines = [line for line in READ_HEADERS.splitlines() if "following " in line]
    assert set(re.findall(r'"(\w+)"', "".join(lines[:2]))) == FOLLOWING
