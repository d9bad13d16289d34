"""The plan of a film of photos, and what is said of those that are none."""

import errno
import json
import os
import zipfile
from pathlib import Path

import pytest

from photos import make_photo, write_photo
from reelbow.errors import ReelbowError
from reelbow.jobs.file_digest import digest_files
from reelbow.shards.image_names import natural_key
from reelbow.sources.photos import make_plan

USUAL = {"order": "name", "per_shard": 2, "crop": "auto", "max_pixels": 10**8}


def plan(folder, pattern="*", **how):
    files = sorted(folder.glob(pattern), key=lambda path: natural_key(str(path)))
    planned = make_plan(files, **(USUAL | how))
    # As it is written.
    return json.loads(json.dumps(planned))


def list_names(planned, folder):
    return [
        [file.removeprefix(f"{folder}/") for file in part["files"]]
        for part in planned["shards"]
    ]


def list_times(planned):
    return [time_s for part in planned["shards"] for time_s in part["times_s"]]


def test_photos_are_cut_into_shards_by_their_names(tmp_path):
    for name in ("10.jpg", "9.jpg", "100.png"):
        write_photo(tmp_path / name, suffix="PNG" if "png" in name else "JPEG")
    planned = plan(tmp_path)
    files = [str(tmp_path / name) for name in ("9.jpg", "10.jpg", "100.png")]
    assert planned == {
        **dict.fromkeys(["video", "sampling", "start_s", "end_s", "stream"]),
        "path": str(tmp_path),
        "digest": digest_files(tmp_path / file for file in files),
        "photos": {"folder": str(tmp_path), "order": "name"},
        "origin": None,
        "width": 8,
        "height": 6,
        "usual_size": [8, 6],
        "duration_s": None,
        "crop": None,
        "crop_asked": "auto",
        "n_pictures": 3,
        "n_frames": 3,
        "shards": [
            {"shard": "00000", "first_frame": 0, "n_frames": 2, "files": files[:2]},
            {"shard": "00001", "first_frame": 2, "n_frames": 1, "files": files[2:]},
        ],
    }


def test_photos_are_ordered_by_the_time_when_they_were_taken(tmp_path):
    write_photo(tmp_path / "a.jpg", "2024:02:29 23:59:59")
    write_photo(tmp_path / "b.jpg")
    write_photo(tmp_path / "c.jpg", "2024:02:29 23:59:50")
    (tmp_path / "d.jpg").write_bytes(
        make_photo(
            own={
                "DateTimeOriginal": "2024:02:29 23:59:50",
                "SubsecTimeOriginal": "25",
            }
        )
    )
    planned = plan(tmp_path, order="time")
    assert list_names(planned, tmp_path) == [["c.jpg", "d.jpg"], ["a.jpg", "b.jpg"]]
    assert list_times(planned) == [0, 0.25, 9, None]
    assert planned["origin"] == "2024-02-29T23:59:50"


@pytest.mark.parametrize(
    ("zones", "names", "times_s"),
    [
        # On the way to the west the clock is set back.
        (("+09:00", "+01:00"), ["b.jpg", "a.jpg"], [0, 7 * 3600]),
        # A camera that tells no zone is taken to be where the others are.
        (("+09:00", None), ["a.jpg", "b.jpg"], [0, 3600]),
    ],
)
def test_time_zones_count_if_all_tell_one(tmp_path, zones, names, times_s):
    hours = {"b.jpg": 13, "a.jpg": 12}
    for (name, hour), zone in zip(hours.items(), zones, strict=True):
        own = {"DateTimeOriginal": f"2024:01:01 {hour}:00:00"}
        if zone:
            own["OffsetTimeOriginal"] = zone
        (tmp_path / name).write_bytes(make_photo(own=own))
    planned = plan(tmp_path, order="time")
    assert list_names(planned, tmp_path) == [names]
    assert list_times(planned) == times_s


def test_photos_of_zips_stand_among_others(tmp_path):
    write_photo(tmp_path / "a.jpg", "2024:01:01 00:00:02")
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, second in [("10.jpg", 1), ("in/9.jpg", 3), ("__MACOSX/x.jpg", 0)]:
            own = {"DateTimeOriginal": f"2024:01:01 00:00:0{second}"}
            archive.writestr(name, make_photo(own=own))
        archive.writestr("in/notes.txt", "")
    planned = plan(tmp_path)
    assert [part.get("members") for part in planned["shards"]] == [
        [[0, None], [1, "10.jpg"]],
        [[0, "in/9.jpg"]],
    ]
    assert list_names(planned, tmp_path) == [["a.jpg", "b.zip"], ["b.zip"]]
    timed = plan(tmp_path, order="time", per_shard=9)
    assert timed["shards"][0]["members"] == [[0, "10.jpg"], [1, None], [0, "in/9.jpg"]]
    assert list_times(timed) == [0, 1, 2]
    alone = plan(tmp_path, "b.zip")
    assert alone["path"] == alone["photos"]["folder"] == str(tmp_path / "b.zip")


def test_a_name_that_is_none_is_left_out(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("a.jpg", "b.jpg"):
            archive.writestr(name, make_photo())
    # Of a name that begins with a zero nothing is left.
    path.write_bytes(path.read_bytes().replace(b"b.jpg", b"\0.jpg"))
    assert plan(tmp_path)["shards"][0]["members"] == [[0, "a.jpg"]]


def test_the_time_of_a_photo_in_a_zip_may_stand_at_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr("reelbow.sources.photos.HEAD_BYTES", 100)
    own = {"DateTimeOriginal": "2024:01:01 00:00:00"}
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.tif", make_photo("TIFF", own=own))
    assert plan(tmp_path, order="time")["origin"] == "2024-01-01T00:00:00"


def test_a_raw_photo_beside_its_jpeg_is_the_same_picture(tmp_path):
    write_photo(tmp_path / "a.jpg")
    for name in ("a.NEF", "b.NEF", "c.psd"):
        (tmp_path / name).write_bytes(b"raw")
    files = list_names(plan(tmp_path, per_shard=9), tmp_path)
    # The others are told by their job.
    assert files == [["a.jpg", "b.NEF", "c.psd"]]


def test_black_bars_that_all_photos_have_are_found(tmp_path):
    for number in range(4):
        write_photo(tmp_path / f"{number}.jpg", size=(64, 48), color=(200, 90, 60))
    assert plan(tmp_path, crop="auto")["crop"] is None
    assert plan(tmp_path, crop="60:40:2:4")["crop"] == "60:40:2:4"
    write_photo(tmp_path / "other.jpg", size=(48, 64))
    with pytest.raises(ReelbowError, match="its images are of several sizes"):
        plan(tmp_path, crop="60:40:2:4")


@pytest.mark.parametrize(
    ("name", "content", "how", "told"),
    [
        ("a.psd", b"8BPS", {}, r"no photo that can be read, the first is .*a\.psd"),
        ("a.zip", b"PK", {}, "cut off, damaged or no ZIP"),
        ("a.zip", b"PK\5\6" + bytes(18), {}, "has no photo that can be read; give"),
        ("a.jpg", make_photo(), {"order": "time"}, "none of its 1 photos tells"),
    ],
)
def test_files_without_photos_are_refused(tmp_path, name, content, how, told):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ReelbowError, match=told):
        plan(tmp_path, **how)


@pytest.mark.parametrize("call", [1, 2, 3, 4])
def test_a_disk_that_is_away_for_a_moment_makes_no_other_plan(
    tmp_path, monkeypatch, call
):
    for name in ("a.jpg", "b.jpg"):
        write_photo(tmp_path / name)
    whole = plan(tmp_path)
    n_calls, open_file = 0, Path.open

    def fail_once(path, *arguments, **more):
        nonlocal n_calls
        n_calls += 1
        if n_calls == call:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return open_file(path, *arguments, **more)

    # Each photo is opened to be looked at, and for its digest.
    monkeypatch.setattr(Path, "open", fail_once)
    with pytest.raises(OSError, match="Input/output error"):
        plan(tmp_path)
    n_calls = 0
    # Who goes on without what cannot be read does so now.
    salvaged = plan(tmp_path, go_on=True)
    assert n_calls == 4
    assert (salvaged["digest"] == whole["digest"]) == (call < 3)
