"""Tarballs of strangers are read, never trusted; our own are read by anyone."""

import bz2
import gzip
import io
import itertools
import json
import lzma
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from backports import zstd

from films import overwrite
from reelbow.errors import ReelbowError
from reelbow.shards import tarballs
from reelbow.shards.image_names import IMAGE_SUFFIXES, natural_key
from reelbow.shards.members import Member
from reelbow.shards.tarballs import FrameTarball, TarballWriter

Content = bytes | Callable[[tarfile.TarInfo], None]


def pack(
    path: Path,
    members: Iterable[tuple[str, Content]],
    mode: str = "w",
    kind: int = tarfile.PAX_FORMAT,
) -> Path:
    """Pack members: bytes for a file, else a function that makes it something else."""
    with tarfile.open(path, mode, format=kind) as tar:  # type: ignore[call-overload]
        for name, content in members:
            member = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
            else:
                content(member)
                tar.addfile(member)
    return path


def pack_by(
    path: Path, files: list[tuple[str, bytes]], kind: int = tarfile.PAX_FORMAT
) -> Path:
    """Pack files, compressed by the suffix."""
    pack(path, files, kind=kind)
    packers = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
    packers |= {".zst": pack_zstd, ".tar": bytes}
    path.write_bytes(packers[path.suffix](path.read_bytes()))
    return path


def pack_zstd(data: bytes) -> bytes:
    """Compress as the program does, with a checksum at the end."""
    return zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1})


def read(path: Path, indices: list[int] | None = None) -> list[Member]:
    with FrameTarball(path) as images:
        return list(images.read(indices))


def names(path: Path) -> list[str]:
    return [member.name for member in read(path)]


def link(kind: bytes, to: str) -> Callable[[tarfile.TarInfo], None]:
    def make(member: tarfile.TarInfo) -> None:
        member.type, member.linkname = kind, to

    return make


def is_refused(path: Path, says: str) -> str:
    with pytest.raises(ReelbowError, match=says) as caught:
        read(path)
    sentence = str(caught.value)
    assert sentence.startswith(f"{path}: ")
    assert "\n" not in sentence
    return sentence


# --- order and names ------------------------------------------------------------------


def test_members_come_in_natural_order_of_their_names(tmp_path: Path) -> None:
    shuffled = ["b/2.png", "frame10.jpg", "frame2.jpg", "b/10.png", "frame1.jpg"]
    path = pack(tmp_path / "t.tar", [(name, name.encode()) for name in shuffled])
    expected = ["b/2.png", "b/10.png", "frame1.jpg", "frame2.jpg", "frame10.jpg"]
    assert names(path) == expected
    assert [member.data for member in read(path)] == [n.encode() for n in expected]
    assert [member.name for member in read(path, [3, 0])] == ["frame2.jpg", "b/2.png"]


def test_natural_order_is_total_and_takes_numbers_of_any_length() -> None:
    ordered = ["1", "2", "010", "10", "11", "1" * 6000, "2" * 6000, "a", "a2", "a10"]
    for some in itertools.permutations(ordered[:5]):
        assert sorted(some, key=natural_key) == ordered[:5]
    assert sorted(reversed(ordered), key=natural_key) == ordered
    assert sorted(["f10-2", "f9-10", "f10-1"], key=natural_key) == [
        "f9-10",
        "f10-1",
        "f10-2",
    ]


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz", "zst"])
def test_compressed_tarballs_are_read_too(tmp_path: Path, suffix: str) -> None:
    files = [(f"{i}.jpg", bytes([i]) * 1000) for i in range(20)]
    path = pack_by(tmp_path / f"t.tar.{suffix}", files)
    assert [(member.name, member.data) for member in read(path)] == files


def test_only_files_with_an_image_s_suffix_count(tmp_path: Path) -> None:
    kept = [f"k{suffix}" for suffix in sorted(IMAGE_SUFFIXES)] + ["K.JPG"]
    others = ["readme.txt", "movie.mp4", "jpg", ".jpg", "x.jpg.part", "x.json"]
    path = pack(tmp_path / "t.tar", [(name, b"x") for name in others + kept])
    assert sorted(names(path)) == sorted(kept)


def test_a_name_that_comes_twice_means_the_last(tmp_path: Path) -> None:
    path = pack(
        tmp_path / "t.tar", [("a.jpg", b"old"), ("b.jpg", b"b"), ("a.jpg", b"n")]
    )
    assert [(member.name, member.data) for member in read(path)] == [
        ("a.jpg", b"n"),
        ("b.jpg", b"b"),
    ]


def test_names_of_any_bytes_become_text_that_can_be_stored(tmp_path: Path) -> None:
    latin = "b\udce4r.jpg"  # "bär" as Latin-1 has it
    path = pack(
        tmp_path / "t.tar",
        [(latin, b"x"), ("two\nlines.jpg", b"y"), ("grün é\u202f.jpg", b"z")],
        kind=tarfile.GNU_FORMAT,
    )
    found = names(path)
    assert found == ["b\ufffdr.jpg", "grün é\u202f.jpg", "two\ufffdlines.jpg"]
    for name in found:
        name.encode()


# --- hostile ones ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("folder.jpg", link(tarfile.DIRTYPE, "")),
        ("symlink.jpg", link(tarfile.SYMTYPE, "/etc/passwd")),
        ("symlink.jpg", link(tarfile.SYMTYPE, "good.jpg")),
        ("device.jpg", link(tarfile.CHRTYPE, "")),
        ("disk.jpg", link(tarfile.BLKTYPE, "")),
        ("pipe.jpg", link(tarfile.FIFOTYPE, "")),
    ],
)
def test_what_is_no_regular_file_is_no_image(
    tmp_path: Path, name: str, content: Content
) -> None:
    path = pack(tmp_path / "t.tar", [(name, content), ("good.jpg", b"good")])
    assert names(path) == ["good.jpg"]
    is_refused(pack(tmp_path / "only.tar", [(name, content)]), "no images in it")


def test_names_are_never_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    monkeypatch.chdir(inside)
    evil = [
        f"{tmp_path}/absolute.jpg",
        "../above.jpg",
        "a/../../../x.jpg",
        "./here.jpg",
    ]
    # a symlink to a folder, and a file through it
    way = ("way", link(tarfile.SYMTYPE, str(tmp_path)))
    files = [(name, b"evil") for name in [*evil, "way/through.jpg"]]
    path = pack(tmp_path / "t.tar", [way, *files])
    before = sorted(tmp_path.rglob("*"))
    assert {member.data for member in read(path)} == {b"evil"}
    assert len(names(path)) == 5
    assert sorted(tmp_path.rglob("*")) == before


def test_a_link_with_the_name_of_a_json_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text('{"time_s": 5}')
    path = pack(
        tmp_path / "t.tar",
        [("a.jpg", b"x"), ("a.json", link(tarfile.SYMTYPE, str(secret)))],
    )
    assert read(path)[0].about == {}


def test_a_huge_member_is_noted_and_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tarballs, "MAX_MEMBER_BYTES", 1000)
    path = pack(
        tmp_path / "t.tar",
        [
            ("a.jpg", bytes(1000)),
            ("b.jpg", bytes(1001)),
            ("a.json", b'{"time_s": 1,   "x": "' + b"x" * 1000 + b'"}'),
        ],
    )
    small, huge = read(path)
    assert small.data == bytes(1000)
    assert small.about == {}
    assert huge == Member("b.jpg", None, "larger than 256 MiB", {})


def test_a_sparse_member_of_a_terabyte_is_noted_and_not_read(tmp_path: Path) -> None:
    headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.size": str(1 << 40),
        "GNU.sparse.map": "0,0",
        "GNU.sparse.name": "bomb.jpg",
    }
    bomb = ("bomb.jpg", lambda member: member.pax_headers.update(headers))
    path = pack(tmp_path / "t.tar", [bomb])
    assert read(path) == [Member("bomb.jpg", None, "larger than 256 MiB", {})]


# --- damaged ones ---------------------------------------------------------------------


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """Pack 6 images of 700 bytes: each takes 512 + 1024 bytes."""
    rng = np.random.default_rng(0)
    files = [(f"{i}.jpg", rng.bytes(700)) for i in range(6)]
    return pack(tmp_path / "good.tar", files, kind=tarfile.USTAR_FORMAT)


@pytest.mark.parametrize(
    "size",
    [
        1,
        511,
        512,  # one header
        600,  # in the first image
        1536,  # exactly between two members
        1536 + 512,  # after a header
        3 * 1536 - 1,
        3 * 1536,
        3 * 1536 + 100,  # in a header
        5 * 1536 + 512 + 700,  # in the padding of the last image
        6 * 1536,  # all members, no end
        6 * 1536 + 511,
    ],
)
def test_a_tarball_cut_off_anywhere_is_refused(good: Path, size: int) -> None:
    path = good.with_name("cut.tar")
    path.write_bytes(good.read_bytes()[:size])
    is_refused(path, "cut off")


def test_zeros_at_the_end_may_be_few_or_many(good: Path) -> None:
    data = good.read_bytes()[: 6 * 1536]
    for n_zeros in (512, 1024, 1025, 10240, 99999):
        good.write_bytes(data + bytes(n_zeros))
        assert len(read(good)) == 6


@pytest.mark.parametrize("number", [1, 3, 5])
@pytest.mark.parametrize(
    ("at", "data"),
    [(0, b"?"), (0, np.random.default_rng(1).bytes(512)), (124, b"77777777777")],
    ids=["checksum", "noise", "size"],
)
def test_a_damaged_header_in_the_middle_is_refused(
    good: Path, number: int, at: int, data: bytes
) -> None:
    overwrite(good, 1536 * number + at, data)
    is_refused(good, "cut off or damaged|cut off, damaged")


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz", "zst"])
@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.99])
@pytest.mark.parametrize("how", ["cut", "flip"])
def test_damaged_compression_is_refused(
    tmp_path: Path, suffix: str, part: float, how: str
) -> None:
    rng = np.random.default_rng(0)
    files = [(f"{i}.jpg", rng.bytes(7000)) for i in range(30)]
    path = pack_by(tmp_path / f"t.tar.{suffix}", files)
    data = path.read_bytes()
    where = int(part * len(data))
    if how == "cut":
        path.write_bytes(data[:where])
    else:
        overwrite(path, where, rng.bytes(40))
    is_refused(path, "cut off|damaged")


def test_a_wrong_checksum_at_the_end_of_a_gzip_is_told(tmp_path: Path) -> None:
    path = pack(tmp_path / "t.tar.gz", [("a.jpg", b"x" * 5000)], "w:gz")
    data = path.read_bytes()
    overwrite(path, len(data) - 8, bytes([data[-8] ^ 1]))
    is_refused(path, r"damaged .*CRC check failed")


@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_header_of_zeros_in_the_middle_costs_its_own_picture_only(
    good: Path, number: int
) -> None:
    start = 1536 * number
    overwrite(good, start, bytes(512))
    *whole, lost = read(good)
    assert [m.name for m in whole] == [f"{i}.jpg" for i in range(6) if i != number]
    assert lost.data is None
    end = start + 1536 if number < 5 else good.stat().st_size
    assert lost.name == f"bytes {start} to {end}"
    assert lost.reason.startswith(f"{end - start} bytes of the tarball hold no files")


def test_zeros_over_many_members_cost_these_and_are_told(good: Path) -> None:
    rng = np.random.default_rng(0)
    path = pack(good, [(f"{i:03}.jpg", rng.bytes(20_000)) for i in range(60)])
    overwrite(path, 300_000, bytes(256 << 10))
    *whole, lost = read(path)
    # Those of which a part is left are read, and told as images that do not decode.
    assert len(whole) in (46, 47, 48)
    assert whole[0].name == "000.jpg"
    assert whole[-1].name == "059.jpg"
    assert "hold no files, so that pictures may be lost" in lost.reason


@pytest.mark.parametrize("suffix", ["", ".gz", ".bz2", ".xz", ".zst"])
@pytest.mark.parametrize(
    "kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
)
def test_joined_tarballs_are_read_to_the_end(
    tmp_path: Path, suffix: str, kind: int
) -> None:
    joined = b""
    long = "x" * 120
    for part in "abc":
        files = [(f"{part}{i}{long}.jpg", bytes([i]) * 700) for i in range(3)]
        if kind == tarfile.USTAR_FORMAT:
            files = [(name.replace(long, ""), data) for name, data in files]
        joined += pack_by(tmp_path / f"{part}.tar{suffix}", files, kind).read_bytes()
    path = tmp_path / f"joined.tar{suffix}"
    path.write_bytes(joined)
    assert [name[:2] for name in names(path)] == [
        f"{p}{i}" for p in "abc" for i in "012"
    ]
    assert all(member.data is not None for member in read(path))
    if not suffix:
        path.write_bytes(joined[:-9_500])
        is_refused(path, "cut off")


def test_an_old_tarball_without_marks_may_be_joined(good: Path) -> None:
    data = good.read_bytes()
    old = bytearray(data[: 6 * 1536])
    for start in range(0, len(old), 1536):
        header = old[start : start + 512]
        header[257:512] = bytes(255)
        header[0:1] = b"z"
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header)
        old[start : start + 512] = header
    good.write_bytes(data + old + bytes(1024))
    assert names(good) == [f"{i}.jpg" for i in range(6)] + ["z.jpg"]


def test_what_stands_behind_the_end_is_told(good: Path) -> None:
    data = good.read_bytes()
    good.write_bytes(data + b"a signature, say" * 100)
    *whole, lost = read(good)
    assert len(whole) == 6
    assert lost.data is None
    assert lost.name == f"bytes {6 * 1536} to {len(data) + 1600}"


# The second are so many that they are not read to their end.
@pytest.mark.parametrize("n_blocks", [39, 390])
def test_more_zeros_than_a_tarball_ends_with_are_told(
    good: Path, monkeypatch: pytest.MonkeyPatch, n_blocks: int
) -> None:
    monkeypatch.setattr(tarballs, "MAX_GAP_BYTES", 100_000)
    data = good.read_bytes()
    good.write_bytes(data + bytes(512 * n_blocks) + data)
    assert [m.data is None for m in read(good)] == [False] * 6 + [True]


# --- hard links -----------------------------------------------------------------------


def test_a_hard_link_is_the_file_it_leads_to(tmp_path: Path) -> None:
    path = pack(
        tmp_path / "t.tar",
        [
            ("a/1.jpg", b"one"),
            ("a/2.jpg", link(tarfile.LNKTYPE, "a/1.jpg")),
            ("a/3.jpg", link(tarfile.LNKTYPE, "a/2.jpg")),
            ("a/1.json", b'{"time_s": 4}'),
            ("a/2.json", link(tarfile.LNKTYPE, "a/1.json")),
        ],
    )
    assert [(m.name, m.data, m.time_s) for m in read(path)] == [
        ("a/1.jpg", b"one", 4.0),
        ("a/2.jpg", b"one", 4.0),
        ("a/3.jpg", b"one", None),
    ]


@pytest.mark.parametrize("linked", [False, True])
def test_a_compressed_tarball_is_read_without_going_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, linked: bool
) -> None:
    noise, note = np.random.default_rng(0).bytes(50_000), b'{"time_s": 1}'
    files: list[tuple[str, Content]] = [("0.jpg", noise), ("0.json", note)]
    for i in range(1, 20):
        files.append((f"{i}.jpg", link(tarfile.LNKTYPE, "0.jpg") if linked else noise))
        files.append((f"{i}.json", link(tarfile.LNKTYPE, "0.json") if linked else note))
    rewinds = Mock(wraps=gzip._GzipReader._rewind)  # type: ignore[attr-defined]
    with FrameTarball(pack(tmp_path / "t.tar.gz", files, "w:gz")) as images:
        monkeypatch.setattr(
            gzip._GzipReader,  # type: ignore[attr-defined]
            "_rewind",
            lambda reader: rewinds(reader),
        )
        members = list(images.read())
    assert [(m.data, m.time_s) for m in members] == [(noise, 1.0)] * 20
    assert rewinds.call_count == 1  # after the list of its members was read


@pytest.mark.parametrize("to", ["later.jpg", "b.jpg", "none.jpg", "/etc/passwd", "way"])
def test_a_hard_link_to_no_file_before_it_is_told(tmp_path: Path, to: str) -> None:
    path = pack(
        tmp_path / "t.tar",
        [
            ("a.jpg", b"a"),
            ("way", link(tarfile.SYMTYPE, "/etc/passwd")),
            ("b.jpg", link(tarfile.LNKTYPE, to)),
            ("later.jpg", b"x"),
        ],
    )
    a, b, later = read(path)
    assert (a.data, later.data) == (b"a", b"x")
    assert b.data is None
    assert b.reason.startswith(f"a hard link to {to}, which is no file before it")


# --- other kinds and litter -----------------------------------------------------------


def test_pictures_of_kinds_that_are_not_read_are_told_in_their_place(
    tmp_path: Path,
) -> None:
    files = ["1.exr", "2.jpg", "3.DPX", "4.heic", "2.cr2", "notes.txt", "labels.cls"]
    path = pack(tmp_path / "t.tar", [(name, b"x") for name in files])
    members = read(path)
    assert [(m.name, m.data) for m in members] == [
        ("1.exr", None),
        ("2.jpg", b"x"),
        ("3.DPX", None),
        ("4.heic", b"x"),
    ]
    assert members[0].reason == (
        "pictures of the kind .exr are not read; save it as PNG, TIFF or JPEG"
    )
    none = pack(tmp_path / "none.tar", [("1.exr", b"x"), ("2.exr", b"x")])
    is_refused(none, r"none of its 2 pictures can be read, the first is 1\.exr \(pic")


def test_litter_is_passed_over(tmp_path: Path) -> None:
    litter = ["._1.jpg", "a/._1.jpg", "__MACOSX/a/1.jpg", "a/@eaDir/1.jpg/S.jpg"]
    litter += [".DS_Store", "Thumbs.db", "a/.AppleDouble/1.jpg", "__MACOSX/x.exr"]
    files = [(name, b"litter") for name in litter]
    path = pack(tmp_path / "t.tar", [("a/1.jpg", b"x"), *files, ("a/_2.jpg", b"y")])
    assert names(path) == ["a/1.jpg", "a/_2.jpg"]
    is_refused(pack(tmp_path / "only.tar", files), "no images in it")


@pytest.mark.parametrize("data", [b"", b"text\n" * 300, bytes(range(256)) * 40])
def test_what_is_no_tarball_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "t.tar"
    path.write_bytes(data)
    is_refused(path, "no tarball|cut off")


def test_no_such_tarball_no_folder_no_images(tmp_path: Path) -> None:
    is_refused(tmp_path / "none.tar", "no such tarball")
    (tmp_path / "folder.tar").mkdir()
    is_refused(tmp_path / "folder.tar", "no tarball")
    is_refused(pack(tmp_path / "empty.tar", []), "no images in it")
    is_refused(pack(tmp_path / "text.tar", [("a.txt", b"x")]), r"\.jpg")


# --- JSON beside the images -----------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "time_s"),
    [
        (b'{"time_s": 1.5}', 1.5),
        (b'{"time_s": 0, "film": "x"}', 0.0),
        (b'{"time_s": -1}', None),
        (b'{"time_s": "1.5"}', None),
        (b'{"time_s": null}', None),
        (b'{"time_s": NaN}', None),
        (b'{"time_s": Infinity}', None),
        (b'{"time_s": 1e999}', None),
        (b'{"time_s": 1' + b"0" * 400 + b"}", None),
        (b'{"time_s": 1' + b"0" * 5000 + b"}", None),
        (b'{"time_s": [1]}', None),
        (b'{"time_s": true}', None),
        (b'{"time_s": 1e308}', None),
        (b'{"time_s": 1000000000}', 1e9),
        (b'{"time_s": 1764144000}', None),
        (b"[1, 2]", None),
        (b"5", None),
        (b"", None),
        (b"{", None),
        (b"\xff\xfe\x00garbage", None),
        (b"[" * 100_000, None),
    ],
)
def test_the_json_beside_an_image_tells_its_time(
    tmp_path: Path, text: bytes, time_s: float | None
) -> None:
    path = pack(tmp_path / "t.tar", [("x/a.jpg", b"x"), ("x/a.json", text)])
    (member,) = read(path)
    assert member.data == b"x"
    assert member.time_s == time_s
    assert member.time_s is None or isinstance(member.time_s, float)


def test_a_json_belongs_to_the_image_of_its_own_name(tmp_path: Path) -> None:
    path = pack(
        tmp_path / "t.tar",
        [
            ("a.jpg", b"x"),
            ("b/a.json", b'{"time_s": 1}'),
            ("b.png", b"x"),
            ("b.JSON", b'{"time_s": 2}'),
            ("c.json", b'{"time_s": 3}'),
        ],
    )
    assert [(m.name, m.time_s) for m in read(path)] == [("a.jpg", None), ("b.png", 2.0)]


# --- our own --------------------------------------------------------------------------


def write(path: Path) -> list[tuple[str, bytes | None, dict[str, Any]]]:
    frames: list[tuple[str, bytes | None, dict[str, Any]]] = [
        (
            f"{i:08d}",
            None if i == 9 else f"picture {i}".encode(),
            {"film": "bär", "frame": i, "time_s": i / 3}
            | ({"reason": "it does not decode"} if i == 9 else {}),
        )
        for i in range(8, 12)
    ]
    with TarballWriter(path) as writer:
        for key, jpeg, about in frames:
            writer.add(key, jpeg, about)
    return frames


def test_what_was_written_is_read_with_missing_pictures_in_their_place(
    tmp_path: Path,
) -> None:
    frames = write(tmp_path / "t.tar")
    members = read(tmp_path / "t.tar")
    assert [member.about for member in members] == [about for _, _, about in frames]
    assert [member.data for member in members] == [jpeg for _, jpeg, _ in frames]
    assert [member.time_s for member in members] == [8 / 3, 3.0, 10 / 3, 11 / 3]
    assert [member.name for member in members] == [
        "00000008.jpg",
        "00000009",
        "00000010.jpg",
        "00000011.jpg",
    ]
    assert [member.reason for member in members] == ["", "it does not decode", "", ""]


def test_a_tarball_of_missing_pictures_only_is_one(tmp_path: Path) -> None:
    with TarballWriter(tmp_path / "t.tar") as writer:
        writer.add("0", None, {"frame": 0, "reason": "lost"})
    assert read(tmp_path / "t.tar") == [
        Member("0", None, "lost", {"frame": 0, "reason": "lost"})
    ]


def test_the_same_frames_give_the_same_bytes(tmp_path: Path) -> None:
    write(tmp_path / "a.tar")
    write(tmp_path / "b.tar")
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()
    with tarfile.open(tmp_path / "a.tar") as tar:
        assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in tar} == {
            (0, 0, 0, "", "")
        }


def test_others_read_it_as_a_webdataset(tmp_path: Path) -> None:
    frames = write(tmp_path / "t.tar")
    samples: dict[str, dict[str, bytes]] = {}
    with tarfile.open(tmp_path / "t.tar") as tar:
        for member in tar:
            key, suffix = member.name.split(".", 1)
            content = tar.extractfile(member)
            assert content is not None
            # neighbors of one key are one sample
            assert key not in samples or list(samples)[-1] == key
            samples.setdefault(key, {})[suffix] = content.read()
    assert list(samples) == [key for key, _, _ in frames]
    for key, jpeg, about in frames:
        assert samples[key].get("jpg") == jpeg
        assert json.loads(samples[key]["json"]) == about
