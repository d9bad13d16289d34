"""Hot pixels of a sensor whose defects are known, however its photos are sharded."""

import csv
import itertools
import os
import platform
import sqlite3
import subprocess
import sys
from contextlib import closing

import numpy as np
import pytest
from PIL import Image

from cameras import CAMERA, DEFECTS, MODEL, SERIAL, SIZE, encode, take, take_many
from chain import plan_files
from find_defects import find_defects
from merge_sums import merge_sums
from projects import write_tarball
from reelbow.analysis.defect_files import read_defects
from reelbow.analysis.photo_sums import sum_photos
from reelbow.analysis.sensor_sums import FilmSums
from reelbow.errors import DamagedError, ReelbowError
from reelbow.pictures.geometry import MAX_PIXELS
from reelbow.shards.members import Member
from reelbow.shards.plan import read_plan
from repair_photos import repair_photos
from sum_pixels import sum_pixels

N = 40


def add_up(files, folder, *, go_on=False, **plan):
    """Add up a film's photos, shard by shard, as jobs do."""
    planned = folder / "plan.json"
    plan_files(files, planned, go_on=go_on, **plan)
    shards = [part["shard"] for part in read_plan(planned)["shards"]]
    paths = [folder / "sums" / f"{shard}.npz" for shard in shards]
    for place, (shard, path) in enumerate(zip(shards, paths, strict=True)):
        file = files[place if len(files) > 1 else 0]
        how = {"shard": shard, "max_pixels": MAX_PIXELS, "go_on": go_on}
        sum_pixels(file, planned, path, **how)
    merge_sums(paths, folder / "sums.npz", go_on=go_on)
    return FilmSums.load(folder / "sums.npz")


def find(folder, threshold=10):
    """Find the defects of what is added up."""
    names = ("defects.sqlite", "defects.csv", "defects.png", "defects_worst.png")
    paths = [folder / name for name in names]
    find_defects(folder / "sums.npz", *paths, film="film", threshold=threshold)
    return read_defects(paths[0])


def repair(file, folder, shard):
    """Write repaired copies of a shard into a folder; return it."""
    about = [folder / "plan.json", folder / "defects.sqlite", folder / "repaired"]
    repair_photos(file, *about, shard=shard, max_pixels=MAX_PIXELS)
    return about[-1]


def write_photos(folder, photos, n_shards=1):
    """Write photos into tarballs, one after the other."""
    photos = list(photos)
    ends = np.linspace(0, len(photos), n_shards + 1).astype(int)
    return [
        write_tarball(folder / f"{shard}.tar", dict(photos[first:end]))
        for shard, (first, end) in enumerate(itertools.pairwise(ends))
    ]


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_defects_are_found_where_they_are_and_named(tmp_path, kind):
    how = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {}
    add_up(write_photos(tmp_path, take_many(N, kind, **how)), tmp_path)
    found = find(tmp_path)
    assert (found.sensor.make, found.n_photos) == ("Reel", N)
    assert str(found.sensor) == "Reel Two no. 0042, 96x64"
    channels = ("red", "green", "blue")
    assert {(d.kind, d.y, d.x, d.channel) for d in found.defects} == {
        (name, y, x, channels[channel]) for name, (y, x, channel, *_) in DEFECTS.items()
    }
    levels = np.array([take(number) for number in range(N)], float)
    if kind == "PNG":
        for defect in found.defects:
            own = levels[:, defect.y, defect.x, channels.index(defect.channel)]
            assert defect.mean == pytest.approx(own.mean())
            assert defect.variance == pytest.approx(own.var(), abs=1e-6)
            assert (defect.first_y, defect.last_x) == (defect.y, defect.x)
    with (tmp_path / "defects.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(int(row["y"]), int(row["x"])) for row in rows] == [
        (defect.y, defect.x) for defect in found.defects
    ]
    for name in ("defects.png", "defects_worst.png"):
        with Image.open(tmp_path / name) as image:
            assert image.width > 500


def test_any_sharding_gives_the_same_sums_to_the_bit(tmp_path):
    photos = list(take_many(N))
    one = add_up(write_photos(tmp_path / "one", photos), tmp_path / "one")
    folder = tmp_path / "several"
    several = add_up(write_photos(folder, photos, 5), folder)
    assert one.sensors == several.sensors
    assert one.path.read_bytes() == several.path.read_bytes()
    levels = np.array([take(number) for number in range(N)], np.int64)
    for channel in range(3):
        totals, squares = several.read_channel(channel)
        np.testing.assert_array_equal(totals, levels[..., channel].sum(0))
        np.testing.assert_array_equal(squares, (levels[..., channel] ** 2).sum(0))


def test_photos_stay_as_the_sensor_has_them(tmp_path):
    turned = (
        (name, encode(take(number), orientation=1 + number % 8))
        for number, (name, _) in enumerate(take_many(N))
    )
    assert add_up(write_photos(tmp_path, turned), tmp_path).n == N
    assert len(find(tmp_path).defects) == len(DEFECTS)


@pytest.mark.parametrize("n_shards", [1, 3])
def test_photos_of_another_camera_or_size_are_told_and_left_out(tmp_path, n_shards):
    photos = dict(take_many(N))
    photos["001.png"] = encode(take(1), camera=CAMERA | {SERIAL: "7"})
    photos["007.png"] = encode(take(7), camera=CAMERA | {MODEL: "Other"})
    photos["020.png"] = encode(take(20)[:, :-1])
    photos["021.png"] = encode(take(20)[:, :-1])
    photos["033.png"] = b"no picture"
    photos["raw.dng"] = b"II*"
    sums = add_up(write_photos(tmp_path, photos.items(), n_shards), tmp_path)
    assert sums.n == N - 5
    assert [(each.width, n) for each, n in sums.sensors] == [
        (96, N - 5), (95, 2), (96, 1), (96, 1)
    ]  # fmt: skip
    find(tmp_path)
    with closing(sqlite3.connect(tmp_path / "defects.sqlite")) as connection:
        told = dict(connection.execute("SELECT name, reason FROM left_out"))
        assert connection.execute("SELECT count(*) FROM sensors").fetchone() == (4,)
    assert told.pop("033.png").startswith("not an image")
    assert told.pop("raw.dng").startswith("a raw photo, of which only what is")
    assert told == {
        "001.png": "of Reel Two no. 7, 96x64",
        "007.png": "of Reel Other no. 0042, 96x64",
        "020.png": "of Reel Two no. 0042, 95x64",
        "021.png": "of Reel Two no. 0042, 95x64",
    }


def test_of_as_many_photos_the_first_camera_counts(tmp_path):
    photos = dict(take_many(2 * 20))
    for number in range(1, 40, 2):
        other = CAMERA | {SERIAL: "7"}
        photos[f"{number:03}.png"] = encode(take(number), camera=other)
    sums = add_up(write_photos(tmp_path, photos.items(), 4), tmp_path)
    assert [(each.serial, n) for each, n in sums.sensors] == [("0042", 20), ("7", 20)]


def test_of_too_many_cameras_in_a_shard_the_rarest_are_not_added(tmp_path):
    photos = dict(take_many(8))
    for number in range(4):
        other = CAMERA | {SERIAL: str(number)}
        photos[f"{number:03}.png"] = encode(take(number), camera=other)
    sums = add_up(write_photos(tmp_path, photos.items()), tmp_path)
    assert (sums.sensors[0][1], sums.n, len(sums.left_out)) == (4, 4, 4)


@pytest.mark.parametrize(
    ("n_readings", "summed"), [(1, [2, 2, 1]), (3, [2, 2, 2, None])]
)
def test_photos_are_read_once_unless_of_too_many_sensors(n_readings, summed):
    readings = []

    def read():
        readings.append(1)
        # The last sensor has but one photo.
        for number in range(2 * len(summed) - 1):
            camera = CAMERA | {SERIAL: str(number % len(summed))}
            yield Member(str(number), encode(take(number), camera=camera), "", {})

    found = sum_photos(read, max_pixels=MAX_PIXELS)
    assert len(readings) == n_readings
    sums = [each.sums for each in found.photos.values()]
    assert [each and each.n for each in sums] == summed
    # What is written then lies in memory that these had.
    assert all(each.take_room() is None for each in sums if each)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's way")
def test_no_photo_takes_new_memory():
    # By itself: whatever a process did before counts.
    code = """
import cv2, numpy, resource
from reelbow.analysis.photo_sums import sum_photos
from reelbow.shards.members import Member
noise = numpy.random.default_rng(0).integers(87, 93, (1800, 2400, 3), "u1")
_, data = cv2.imencode(".jpg", noise)
pages = []
def read():
    for number in range(12):
        pages.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
        yield Member(str(number), data.tobytes(), "", {})
sum_photos(read, max_pixels=10**9)
print(pages[-1] - pages[-5])
"""
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code]
    assert int(subprocess.check_output(command, env=paths)) < 300


def test_frames_of_a_video_are_added_up(tmp_path):
    from films import write_film

    film = write_film(tmp_path / "a.mkv", map(take, range(6)), rate=1, codec="ffv1")
    sums = add_up([film], tmp_path, per_shard=4)
    assert sums.n == 6
    levels = np.array([take(number) for number in range(6)], float)
    totals, _ = sums.read_channel(0)
    # 4:2:0 has less color.
    assert abs(totals / 6 - levels[..., 0].mean(0)).mean() < 5


def test_nothing_found_is_an_empty_table_and_pictures_that_say_so(tmp_path):
    good = ((f"{i}.png", encode(take(i, broken=False))) for i in range(N))
    add_up(write_photos(tmp_path, good), tmp_path)
    assert find(tmp_path).defects == []
    assert (tmp_path / "defects.csv").read_text().startswith("y,x,channel,kind,mean,")
    assert (tmp_path / "defects_worst.png").exists()


@pytest.mark.parametrize(
    ("photos", "sentence"),
    [
        (
            take_many(5),
            "film: 5 photos of Reel Two no. 0042, 96x64, and 20 of one camera and size "
            "are needed to find hot pixels; give more, or set hot_pixels.find to false",
        ),
        (
            [
                (str(i) + ".png", encode(take(i), camera=CAMERA | {SERIAL: str(i)}))
                for i in range(3)
            ],
            "film: 1 photo of Reel Two no. 0, 96x64, beside those of 2 other cameras, "
            "and 20 of one camera and size",
        ),
        ([("a.png", b"x")], "film: no photo can be read, and 20 of one camera"),
    ],
)
def test_too_few_photos_are_refused_in_a_sentence(tmp_path, photos, sentence):
    add_up(write_photos(tmp_path, photos), tmp_path, go_on=True)
    with pytest.raises(ReelbowError) as caught:
        find(tmp_path)
    assert str(caught.value).startswith(sentence)


def test_a_scene_that_stays_is_refused_and_what_is_wide_is_left_out(tmp_path, capsys):
    def take_dated(number, *, stays):
        picture = take(number, broken=False)
        if stays:
            rng = np.random.default_rng(99)
            spots = rng.random(SIZE) < 0.15
            picture[spots] = 255
        else:
            picture[55:58, 60:90] = rng_text
        return encode(picture)

    rng_text = np.random.default_rng(5).choice([0, 255], (3, 30, 1)).astype(np.uint8)
    stays = ((f"{i}.png", take_dated(i, stays=True)) for i in range(20))
    add_up(write_photos(tmp_path, stays), tmp_path)
    with pytest.raises(ReelbowError, match="as in photos of one scene; give photos"):
        find(tmp_path)
    dated = ((f"{i}.png", take_dated(i, stays=False)) for i in range(20))
    add_up(write_photos(tmp_path / "dated", dated), tmp_path / "dated")
    assert find(tmp_path / "dated").defects == []
    assert "1 region left out that stand out" in capsys.readouterr().err


def test_a_damaged_file_of_sums_is_told(tmp_path):
    add_up(write_photos(tmp_path, take_many(2)), tmp_path)
    path = tmp_path / "sums/0.npz"
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(DamagedError, match="damaged; delete it and run again"):
        merge_sums([path], tmp_path / "sums.npz")


def test_what_a_cut_off_shard_has_counts_if_that_is_enough(tmp_path):
    files = write_photos(tmp_path, take_many(40), 2)
    whole = files[1].read_bytes()
    files[1].write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ReelbowError, match="copy or pack it again"):
        add_up(files, tmp_path)
    sums = add_up(files, tmp_path, go_on=True)
    assert 20 < sums.n < 40
    assert "copy or pack it again" in sums.left_out[-1][2]
    with pytest.raises(ReelbowError, match="an earlier run left out a part"):
        merge_sums([tmp_path / f"sums/{i}.npz" for i in (0, 1)], tmp_path / "a.npz")
    assert not (tmp_path / "sums/1.npz").exists()


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_copies_are_repaired_and_originals_are_not_touched(tmp_path, kind):
    how = {"quality": 95} if kind == "JPEG" else {}
    photos = dict(take_many(N, kind, **how))
    photos[f"002.{kind.lower()}"] = encode(take(2), kind, {}, **how)
    (tar,) = write_photos(tmp_path, photos.items())
    before = tar.read_bytes()
    add_up([tar], tmp_path)
    find(tmp_path)
    copies = repair(tar, tmp_path, "0")
    assert tar.read_bytes() == before
    assert {path.name for path in copies.iterdir()} == photos.keys() - {
        f"002.{kind.lower()}"
    }
    errors = []
    for number in (0, 5, 39):
        with Image.open(copies / f"{number:03}.{kind.lower()}") as image:
            assert image.getexif()[MODEL] == "Reel Two"
            mended = np.asarray(image, float)
        good = take(number, broken=False).astype(float)
        pair = np.abs(np.array([take(number), mended]) - good)
        errors.append([pair[:, y, x].max(-1) for y, x, *_ in DEFECTS.values()])
        if kind == "PNG":
            same = mended == take(number)
            # A region is a pixel, and one around it for its color.
            assert same.all(-1).sum() >= same[..., 0].size - 9 * len(DEFECTS)
    before, after = np.mean(errors, axis=0).T
    assert (after < before / 2).all()


def test_of_a_video_there_are_no_copies(tmp_path):
    from films import write_film

    film = write_film(tmp_path / "a.mkv", map(take, range(25)), rate=1)
    add_up([film], tmp_path)
    find(tmp_path, threshold=1000)
    with pytest.raises(ReelbowError, match="no image files, of which there could be"):
        repair(film, tmp_path, "00000")
