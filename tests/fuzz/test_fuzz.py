"""A short run of the fuzzer, and by hand what it found and bombs it cannot find."""

import collections
import gzip
import json
import struct
import tarfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import fuzz
import numpy as np
import pytest
from av.video.format import names

from films import numbered_film, solid, write_film
from projects import encode
from reelbow.errors import ReelbowError
from reelbow.film.coding import can_convert, find_coding, take_field, to_srgb
from reelbow.film.decoding import decode_pictures
from reelbow.film.demuxing import open_film
from reelbow.film.probe import probe_film
from reelbow.film.timeline import MAX_SAMPLES, Timeline, sample_interval, scan_timeline
from reelbow.shards.tarballs import FrameTarball

CASES = 150
BLOCK = tarfile.BLOCKSIZE
JPEG = encode(0x808080)
HOW = {"crop": "auto", "height": 16, "mean_space": "srgb"}


@pytest.mark.parametrize("kind", fuzz.KINDS)
def test_every_damaged_file_ends_in_a_result_or_one_sentence(kind: str) -> None:
    outcomes = list(fuzz.fuzz(kind, 0, range(CASES)))
    assert [told for told in outcomes if not told.good] == []
    # The damage is neither so light nor so heavy that it tests nothing.
    counts = collections.Counter(told.outcome for told in outcomes)
    assert counts["refused"] >= 2
    # Of own files, and of requests, few are still good.
    least = CASES // (20 if kind in ("results", "requests") else 5)
    assert counts["result"] + counts["result, some skipped"] >= least


def test_a_case_is_the_same_every_time(tmp_path: Path) -> None:
    seeds = fuzz.make_seeds("images", tmp_path, real=False)
    assert fuzz.make_case("images", 3, 5, seeds) == fuzz.make_case(
        "images", 3, 5, seeds
    )
    assert fuzz.make_case("images", 3, 5, seeds) != fuzz.make_case(
        "images", 4, 5, seeds
    )


# --- tarballs ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[fuzz.Worker]:
    """A process with little memory and time, as the fuzzer's."""
    worker = fuzz.Worker(tmp_path_factory.mktemp("worker"), seconds=20)
    yield worker
    worker.close()


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    """A member's header, whatever follows it."""
    member = tarfile.TarInfo(name)
    member.size, member.type = size, kind
    return member.tobuf(tarfile.GNU_FORMAT)


def member(name: str, data: bytes, kind: bytes = tarfile.REGTYPE) -> bytes:
    return header(name, len(data), kind) + data + bytes(-len(data) % BLOCK)


def pax(**records: str) -> bytes:
    """An extended header that changes the member after it."""
    lines = [f" {key.replace('_', '.')}={value}\n" for key, value in records.items()]
    # Each line begins with its own length, here always of two digits.
    assert all(8 <= len(line) <= 97 for line in lines)
    text = "".join(f"{len(line) + 2}{line}" for line in lines)
    return member("pax", text.encode(), tarfile.XHDTYPE)


def sparse(size: int) -> bytes:
    """A member that says that it has so many bytes, of which ten are there."""
    version = {"GNU_sparse_major": "1", "GNU_sparse_minor": "0"}
    data = b"1\n0\n10\n".ljust(BLOCK, b"\0") + b"0123456789"
    return pax(**version, GNU_sparse_realsize=str(size)) + member("b.jpg", data)


BOMBS = {
    "negative_size": header("b", -BLOCK),
    "huge_long_name": header("././@LongLink", 1 << 30, tarfile.GNUTYPE_LONGNAME),
    "huge_pax": header("b", 1 << 30, tarfile.XHDTYPE),
    "size_beyond_64_bits": header("b", 1 << 66, tarfile.GNUTYPE_LONGNAME),
    "long_names_in_a_chain": 5000
    * member("././@LongLink", b"0123456789", tarfile.GNUTYPE_LONGNAME),
    # The member after it begins again three blocks back, at this very header.
    **{
        f"pax_back_{blocks}_blocks": pax(size=f"{-BLOCK * blocks:06d}")
        + header("b.jpg", 0)
        for blocks in range(1, 6)
    },
    "pax_size_of_8_gib": pax(size=str(8 << 30)) + header("b.jpg", 0),
    "sparse_negative": sparse(-5),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_tarball_that_would_stop_or_fill_tarfile_is_refused(
    tmp_path: Path, worker: fuzz.Worker, bomb: str
) -> None:
    path = tmp_path / "bomb.tar"
    path.write_bytes(member("a.jpg", JPEG) + BOMBS[bomb] + bytes(2 * BLOCK))
    outcome, detail = worker.run("tarballs", path, HOW)
    assert outcome == "refused", detail


def test_damage_that_looks_like_lzma_of_gigabytes_is_refused(
    tmp_path: Path, worker: fuzz.Worker
) -> None:
    path = tmp_path / "a.tar"
    # LZMA's own header: properties, size of the dictionary, size of the contents.
    path.write_bytes(struct.pack("<BIQ", 0x5D, 0xC0000000, 1 << 20) + bytes(2000))
    outcome, detail = worker.run("tarballs", path, HOW)
    assert (outcome, "more memory" in detail) == ("refused", True)


SKIPPED = {
    "sparse_of_8_gib": (sparse(8 << 30), "larger than 256 MiB"),
    "note_of_many_lines": (
        member("b.json", json.dumps({"reason": "x\n\ud800" * 500}).encode()),
        "x\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}",
    ),
    "empty_note": (member("b.json", b'{"reason": ""}'), "its note is empty"),
}


@pytest.mark.parametrize("bomb", SKIPPED)
def test_a_picture_that_wants_our_memory_or_lines_is_skipped(
    tmp_path: Path, worker: fuzz.Worker, bomb: str
) -> None:
    data, reason = SKIPPED[bomb]
    path = tmp_path / "bomb.tar"
    path.write_bytes(member("a.jpg", JPEG) + data + bytes(2 * BLOCK))
    outcome, detail = worker.run("tarballs", path, HOW)
    assert (outcome, detail[: len(reason)]) == ("result, some skipped", reason)


def test_a_gzip_bomb_is_neither_unpacked_nor_waited_for(
    tmp_path: Path, worker: fuzz.Worker
) -> None:
    path = tmp_path / "bomb.tar.gz"
    with gzip.open(path, "wb", 1) as packed:
        packed.write(member("a.jpg", JPEG) + header("b.jpg", 1 << 30))
        for _ in range(1 << 6):
            packed.write(bytes(1 << 24))
        packed.write(bytes(2 * BLOCK))
    outcome, detail = worker.run("tarballs", path, HOW)
    assert (outcome, detail) == ("result, some skipped", "larger than 256 MiB")


def test_one_long_name_does_not_lengthen_all_in_memory(
    tmp_path: Path, worker: fuzz.Worker
) -> None:
    path = tmp_path / "names.tar"
    names = ["n" * 900_000 + ".jpg", *(f"{i}.jpg" for i in range(300))]
    path.write_bytes(fuzz.pack(dict.fromkeys(names, JPEG), tarfile.PAX_FORMAT))
    outcome, detail = worker.run("tarballs", path, HOW)
    assert outcome == "result", detail
    with FrameTarball(path) as tarball:
        shown = [image.name for image in tarball.read()]
    assert sorted(map(len, shown))[-2:] == [7, 500]
    assert any(name.endswith("n.jpg") for name in shown)


# --- films ---------------------------------------------------------------------------


def test_metadata_that_is_no_utf8_is_no_obstacle(tmp_path: Path) -> None:
    path = numbered_film(tmp_path / "a.mkv", 3)
    data = path.read_bytes()
    assert b"ENCODER" in data
    path.write_bytes(data.replace(b"ENCODER", b"ENC\xe9\xff\xfeR"))
    assert len(scan_timeline(path).pts) == 3


def test_a_film_of_an_unknown_codec_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = numbered_film(tmp_path / "a.mp4", 3)
    data = path.read_bytes()
    assert data.count(b"avc1") >= 1
    path.write_bytes(data.replace(b"avc1", b"zzzz"))
    with pytest.raises(ReelbowError, match=r"a\.mp4: .* does not know, .*H\.264"):
        open_film(path)


def test_a_film_whose_pictures_all_come_before_its_keyframe_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = numbered_film(tmp_path / "a.mp4", 5, gop=5, bframes=0)
    # As an edit list has it that cuts the keyframe away.
    packets = [
        SimpleNamespace(
            pts=pts, duration=1, is_keyframe=cut, is_discard=cut, is_corrupt=False
        )
        for pts, cut in [(1000, True), (0, False), (1, False)]
    ]
    monkeypatch.setattr("reelbow.film.timeline.read_packets", lambda *_: iter(packets))
    with pytest.raises(ReelbowError, match="no picture in it has a time"):
        scan_timeline(path)


def test_the_most_samples_and_many_holes_take_seconds() -> None:
    holes = tuple((10 * i + 3, 10 * i + 7) for i in range(100_000))
    timeline = Timeline(
        time_base=Fraction(1, 90_000),
        pts=np.arange(0, 1_000_000, 10),
        keyframes=np.array([0]),
        end=1_000_000,
        holes=holes,
    )
    start = time.monotonic()
    samples = sample_interval(
        timeline, every=Fraction(1, 180_000), start=Fraction(0), end=None
    )
    assert time.monotonic() - start < 20
    assert len(samples) == MAX_SAMPLES
    assert samples[:10] == [0] * 6 + [None] * 4


@pytest.mark.parametrize("name", ["color_trc", "color_primaries"])
@pytest.mark.parametrize("value", [0, 3, 253])
def test_reserved_numbers_of_curves_and_primaries_are_no_obstacle(
    tmp_path: Path, name: str, value: int
) -> None:
    path = write_film(tmp_path / "a.mp4", [solid(0x808080)])
    with open_film(path)[0] as container:
        frame = next(container.decode(video=0))
    setattr(frame, name, value)
    picture = to_srgb(frame, find_coding(frame))
    assert abs(picture.astype(int) - 0x80).max() <= 1
    assert getattr(frame, name) == value


@pytest.mark.parametrize("aspect", [Fraction(21), Fraction(1, 30), Fraction(60_000)])
def test_a_pixel_aspect_that_cannot_be_is_not_believed(
    tmp_path: Path, aspect: Fraction
) -> None:
    path = numbered_film(tmp_path / "a.mkv", 2, sample_aspect_ratio=aspect)
    probe = probe_film(path)
    assert (probe.width, probe.height, probe.pixel_aspect) == (96, 64, 1)


def test_a_container_that_cannot_seek_is_read_through_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = numbered_film(
        tmp_path / "a.avi", 64, codec="mpeg4", gop=4, options={"sc_threshold": "0"}
    )
    data = path.read_bytes()
    index = data.rindex(b"idx1")
    path.write_bytes(data[:index])
    timeline = scan_timeline(path)
    opened = []

    class Unseekable:
        def __init__(self, container: object) -> None:
            self._container = container

        def __getattr__(self, name: str) -> object:
            return getattr(self._container, name)

        def seek(self, *_: object, **__: object) -> None:
            raise av.FFmpegError(29, "Illegal seek")

    def open_unseekable(*args: object) -> tuple[object, object]:
        container, stream = open_film(*args)  # type: ignore[arg-type]
        opened.append(container)
        return Unseekable(container), stream

    monkeypatch.setattr("reelbow.film.decoding.open_film", open_unseekable)
    wanted = timeline.pts[::16].tolist()
    decoded = list(decode_pictures(path, timeline.keyframes.tolist(), wanted))
    assert [picture.frame is not None for picture in decoded] == [True] * 4
    assert len(opened) == 2


def test_every_pixel_format_is_converted_or_known_not_to_be() -> None:
    known = set()
    for name in sorted(names):
        try:
            frame = av.VideoFrame(7, 5, name)
        except ValueError:
            continue  # pictures in a graphics card
        if not can_convert(frame):
            continue
        known.add(name)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        for shown in (frame, take_field(frame)):
            picture = to_srgb(shown, find_coding(shown))
            assert picture.shape == (shown.height, 7, 3), name
    assert known > {
        "yuv420p",
        "yuv420p10le",
        "pal8",
        "gray",
        "rgb48le",
        "nv12",
        "p010le",
    }
    assert not known & {"bayer_rggb8", "gbrpf32le", "yaf32le"}
