"""What damaged films still give and what they say of the rest; none hangs."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from films import frame_number, numbered_film, solid, write_film
from reelbow import film, planning
from reelbow.decoding import decode_pictures, decode_samples
from reelbow.demuxing import Reading
from reelbow.errors import ReelbowError
from reelbow.timeline import scan_timeline

N = 120
GOP: dict[str, Any] = {"gop": 12, "bframes": 2, "options": {"sc_threshold": "0"}}
HOLE = "the file has no picture of this time"


def plan(path: Path, **how: Any) -> Any:
    usual: dict[str, Any] = {
        "mode": "interval",
        "every": 0.25,
        "start_s": 0.0,
        "end_s": None,
        "per_shard": 999,
        "crop": "none",
    }
    return planning.plan_video(path, **(usual | how))


def look(path: Path, **how: Any) -> list[int | str]:
    """Read the number of each sample of a plan, or why it has no picture."""
    planned = plan(path, **how)
    probe = film.Probe.from_json(planned["video"])
    (shard,) = planned["shards"]
    samples = decode_samples(path, planned["keyframes"], shard["pts"])
    return [
        decoded.reason
        if decoded.frame is None
        else frame_number(film.show_frame(decoded.frame, probe))
        for _, decoded in samples
    ]


def packets(path: Path) -> list[tuple[int, int]]:
    """Tell where each packet of a film lies: (position, size), as stored."""
    with av.open(path) as container:
        return [
            (packet.pos, packet.size)
            for packet in container.demux(video=0)
            if packet.size and packet.pos is not None
        ]


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
    position, size = packets(indexed)[kept]
    path.write_bytes(indexed.read_bytes()[: position + size // 2])
    planned = plan(path)
    assert (planned["n_frames"], planned["duration_s"]) == (20, 5.0)
    ((start, end),) = planned["holes_s"]
    assert end == 5.0
    # the last packet, which is cut too, may count; B-frames come after a later one
    assert kept / 24 - 0.001 <= start <= (kept + 4) / 24 + 0.001
    seen = look(path)
    assert len(seen) == 20
    for i, each in enumerate(seen):
        if i * 6 < kept - 3:
            assert each == 6 * i
        elif i * 6 > kept:
            assert each == HOLE


def test_a_whole_film_has_no_holes(indexed: Path, transport: Path) -> None:
    for path in (indexed, transport):
        assert plan(path)["holes_s"] == []
        assert look(path) == list(range(0, N, 6))


@pytest.mark.parametrize(("lost", "found"), [(36, 72), (30, 66), (25, 71), (37, 60)])
def test_a_hole_in_a_stream_is_known_and_costs_nothing_else(
    transport: Path, tmp_path: Path, lost: int, found: int
) -> None:
    where = packets(transport)
    data = transport.read_bytes()
    path = tmp_path / "hole.ts"
    path.write_bytes(data[: where[lost][0]] + data[where[found][0] :])
    # pictures after the hole lean on lost ones, up to the next keyframe
    again = -(-found // 12) * 12
    assert plan(path)["holes_s"] == [[lost / 24, again / 24]]
    expected = [n if not lost <= n < again else HOLE for n in range(0, N, 6)]
    assert look(path) == expected

    def count(start: int, stop: int, step: int) -> list[int | str]:
        return [n if not lost <= n < again else HOLE for n in range(start, stop, step)]

    # A lost picture is counted as one, so that those after it keep their numbers.
    assert look(path, mode="frames", every=1) == count(0, N, 1)
    assert look(path, mode="frames", every=5) == count(0, N, 5)
    assert look(path, mode="keyframes", every=1) == count(0, N, 12)
    stretch = {"start_s": 1.75, "end_s": 4.0}
    assert look(path, mode="frames", every=7, **stretch) == count(42, 96, 7)


def test_a_hole_after_the_last_keyframe_lasts_to_the_end(
    transport: Path, tmp_path: Path
) -> None:
    where = packets(transport)
    data = transport.read_bytes()
    path = tmp_path / "hole.ts"
    path.write_bytes(data[: where[90][0]] + data[where[112][0] :])
    assert plan(path)["holes_s"] == [[90 / 24, 5.0]]
    assert look(path) == [n if n < 90 else HOLE for n in range(0, N, 6)]


def test_a_picture_that_stays_long_is_no_hole_where_times_are_given(
    tmp_path: Path,
) -> None:
    path = write_film(
        tmp_path / "film.mkv", [solid(0x808080)] * 4, pts=[0, 40, 80, 9000]
    )
    assert plan(path)["holes_s"] == []
    assert scan_timeline(path).holes == ()


def test_a_film_that_starts_within_a_group_begins_at_its_first_keyframe(
    transport: Path, tmp_path: Path
) -> None:
    where = packets(transport)
    path = tmp_path / "late.ts"
    data = transport.read_bytes()
    # the stream's tables, then the film from picture 5 on
    path.write_bytes(data[: where[0][0]] + data[where[5][0] :])
    assert look(path) == list(range(12, N, 6))


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
    with pytest.raises(ReelbowError, match="broken timestamps") as caught:
        plan(path, every=every)
    assert "\n" not in str(caught.value)
    # what is before the jump can be had
    assert plan(path, every=every, end_s=0.12)["n_frames"] in (1, 3)
    assert plan(path, mode="frames", every=1)["n_frames"] == 6


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
        reading = Reading(None, max_pixels)
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
