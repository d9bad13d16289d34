"""The photos of a shard, as they are read."""

import zipfile

import numpy as np
import pytest

from photos import make_dng, make_photo, write_photo
from reelbow.shards import photos
from reelbow.shards.batches import ThumbnailOptions
from reelbow.shards.frames import ShardFrames
from reelbow.shards.photos import PhotoShard
from reelbow.sources.photos import make_plan

COLORS = [(200, 90, 60), (10, 200, 30), (40, 50, 220)]
SHAPING = ThumbnailOptions(6, None, "srgb", 10**8, "skip")


def plan(*files, **how):
    usual = {"order": "name", "per_shard": 2, "crop": "none", "max_pixels": 10**8}
    return {"kind": "photos", **make_plan(files, **(usual | how))}


def read(planned, shard="00000"):
    with PhotoShard(None, planned, shard, max_pixels=10**8, salvage=False) as members:
        return list(members.read())


def read_frames(planned, shard="00000"):
    with ShardFrames(None, planned, shard, SHAPING) as frames:
        return list(frames), frames.skipped


def test_photos_are_frames_of_their_film(tmp_path):
    files = [
        write_photo(tmp_path / f"{n}.jpg", f"2024:01:01 00:00:0{9 - n}", color=color)
        for n, color in enumerate(COLORS)
    ]
    planned = plan(*files, order="time")
    found = [
        frame
        for shard in ("00000", "00001")
        for frame in read_frames(planned, shard)[0]
    ]
    assert [(f.frame, f.time_s, f.name) for f in found] == [
        (0, 0.0, "2.jpg"),
        (1, 1.0, "1.jpg"),
        (2, 2.0, "0.jpg"),
    ]
    for frame, color in zip(found, reversed(COLORS), strict=True):
        assert np.abs(frame.averages.mean - color).max() < 4


def test_a_photo_is_named_as_its_folder_sees_it(tmp_path):
    one = write_photo(tmp_path / "x" / "a.jpg")
    two = write_photo(tmp_path / "y" / "a.jpg")
    assert [member.name for member in read(plan(one, two))] == ["x/a.jpg", "y/a.jpg"]
    assert [member.name for member in read(plan(one))] == ["a.jpg"]


def test_photos_of_a_zip_are_read_in_it(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, color in zip(("10.jpg", "../9.jpg", "2.png"), COLORS, strict=True):
            kind = "PNG" if "png" in name else "JPEG"
            archive.writestr(name, make_photo(kind, color=color))
    planned = plan(path, per_shard=9)
    found, skipped = read_frames(planned)
    assert [frame.name for frame in found] == ["2.png", "10.jpg", "../9.jpg"]
    assert not skipped
    assert np.abs(found[0].averages.mean - COLORS[2]).max() == 0
    beside = write_photo(tmp_path / "b.jpg")
    names = [member.name for member in read(plan(path, beside, per_shard=9))]
    assert names == ["a.zip/2.png", "a.zip/10.jpg", "a.zip/../9.jpg", "b.jpg"]


def test_what_cannot_be_read_is_told_and_the_rest_goes_on(tmp_path, monkeypatch):
    files = [
        write_photo(tmp_path / "a.jpg", "2024:01:01 00:00:00"),
        write_photo(tmp_path / "b.jpg"),
        write_photo(tmp_path / "c.jpg", "2024:01:01 00:00:01"),
        write_photo(tmp_path / "d.jpg", "2024:01:01 00:00:02", size=(99, 99)),
        write_photo(tmp_path / "e.jpg", "2024:01:01 00:00:03"),
        tmp_path / "f.exr",
    ]
    files[-1].write_bytes(b"")
    planned = plan(*files, order="time", per_shard=9)
    files[2].unlink()
    files[4].write_bytes(b"no photo")
    monkeypatch.setattr(photos, "MAX_BYTES", files[3].stat().st_size - 1)
    found, skipped = read_frames(planned)
    assert [frame.name for frame in found] == ["a.jpg"]
    reasons = dict(skipped)
    assert list(reasons) == ["c.jpg", "d.jpg", "e.jpg", "b.jpg", "f.exr"]
    assert reasons["c.jpg"] == "the file cannot be read: No such file or directory"
    assert reasons["d.jpg"] == "larger than 256 MiB"
    assert "not an image" in reasons["e.jpg"]
    assert "no time when it was taken" in reasons["b.jpg"]


def test_wrong_members_of_a_zip_are_told(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in "abc":
            archive.writestr(f"{name}.jpg", make_photo(color=COLORS[0]))
    planned = plan(path, per_shard=9)
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        # The checksum of one no longer holds; another is locked.
        data[archive.getinfo("b.jpg").header_offset + 200] ^= 255
    place = data.rindex(b"PK\1\2")
    data[place + 8] |= 1
    path.write_bytes(data)
    found, skipped = read_frames(planned)
    assert [frame.name for frame in found] == ["a.jpg"]
    assert [name for name, _ in skipped] == ["b.jpg", "c.jpg"]
    assert "Bad CRC-32" in skipped[0][1]
    assert "password required" in skipped[1][1]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.jpg", make_photo())
    _, skipped = read_frames(planned)
    assert skipped[-1] == ("c.jpg", "it is no more in the ZIP")


def test_a_name_in_a_zip_that_is_another_s_data_is_told_in_short(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("b.jpg", make_photo())
        archive.writestr("a.jpg", make_photo(size=(400, 400)))
    planned = plan(path)
    data = bytearray(path.read_bytes())
    place = data.rindex(b"PK\3\4")
    data[place + 26 : place + 28] = b"\xff\3"
    path.write_bytes(data)
    _, ((_, reason),) = read_frames(planned)
    assert reason.startswith("damaged or locked in the ZIP (File name in directory")
    assert len(reason) < 250
    assert reason.isprintable()


def test_a_raw_photo_is_developed(tmp_path):
    pytest.importorskip("rawpy")
    path = tmp_path / "a.dng"
    # A level gray, which the curve of sRGB makes brighter.
    path.write_bytes(make_dng(np.full((60, 80), 8000, np.uint16)))
    (member,) = read(plan(path))
    assert abs(int(member.data.to_bgr().mean()) - 98) <= 1
    ((frame,), skipped) = read_frames(plan(path))
    assert not skipped
    assert frame.pixels.shape == (6, 8, 3)
    assert np.abs(frame.averages.mean - 97.97).max() < 0.1
    path.write_bytes(b"II*\0 no photo")
    _, ((_, reason),) = read_frames(plan(path))
    assert "the raw photo does not decode" in reason


def test_a_raw_photo_without_color_is_developed(tmp_path):
    pytest.importorskip("rawpy")
    path = tmp_path / "a.dng"
    sensor = np.full((60, 80), 8000, np.uint16)
    path.write_bytes(make_dng(sensor, sees_color=False))
    ((frame,), skipped) = read_frames(plan(path))
    assert not skipped
    assert frame.pixels.shape == (6, 8, 3)
    assert np.ptp(frame.averages.mean) == 0 < frame.averages.mean[0]


def test_jpeg_xl_is_read(tmp_path):
    pytest.importorskip("pillow_jxl")
    path = tmp_path / "a.jxl"
    path.write_bytes(make_photo("JXL", color=COLORS[0], size=(32, 24)))
    ((frame,), _) = read_frames(plan(path))
    assert np.abs(frame.averages.mean - COLORS[0]).max() < 3


@pytest.mark.parametrize("name", ["a.nef", "a.jxl"])
def test_what_wants_an_extra_package_says_so(tmp_path, name, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    beside = write_photo(tmp_path / "b.jpg")
    (tmp_path / name).write_bytes(b"")
    first, _ = read(plan(tmp_path / name, beside))
    assert "are read with the extra photos only" in first.reason
