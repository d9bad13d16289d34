import io
import tarfile
from pathlib import Path

import cv2
import pytest

from chain import plan_files
from films import numbered_film, solid, write_film
from reelbow.errors import ReelbowError
from reelbow.jobs.file_digest import digest_file
from reelbow.shards.plan import find_shard, read_plan


def write_tarball(path: Path, *pictures) -> Path:
    with tarfile.open(path, "w") as tar:
        for number, picture in enumerate(pictures):
            data = cv2.imencode(".png", picture)[1].tobytes()
            member = tarfile.TarInfo(f"{number}.png")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def plan(tmp_path, *files, **settings):
    path = tmp_path / "out" / "plan.json"
    plan_files(files, path, **{"crop": "none", **settings})
    return read_plan(path)


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Ten seconds at 10 pictures a second."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return numbered_film(path, 100, rate=10, gop=20, options={"sc_threshold": "0"})


def test_a_video_is_cut_into_shards_of_consecutive_frames(film, tmp_path):
    planned = plan(tmp_path, film, per_shard=4)
    assert (planned["kind"], planned["n_frames"]) == ("video", 10)
    shards = planned["shards"]
    assert [part["shard"] for part in shards] == ["00000", "00001", "00002"]
    assert [part["first_frame"] for part in shards] == [0, 4, 8]
    assert [part["n_frames"] for part in shards] == [4, 4, 2]
    assert [len(part["pts"]) for part in shards] == [4, 4, 2]
    assert (planned["width"], planned["height"]) == (96, 64)
    assert planned["duration_s"] == 10.0
    assert planned["crop"] is None
    assert planned["crop_asked"] == "none"
    assert (planned["start_s"], planned["end_s"], planned["stream"]) == (0, None, None)
    assert planned["sampling"] == {"mode": "interval", "every": 1.0}
    assert planned["n_pictures"] == 100
    assert (planned["path"], planned["digest"]) == (str(film), digest_file(film))
    assert find_shard(planned, "00001") == shards[1]


@pytest.mark.parametrize("per_shard", [1, 3, 10, 600])
def test_the_samples_do_not_depend_on_the_shards(film, tmp_path, per_shard):
    planned = plan(tmp_path, film, per_shard=per_shard)
    whole = plan(tmp_path, film)
    pts = [pts for part in planned["shards"] for pts in part["pts"]]
    assert pts == whole["shards"][0]["pts"]


@pytest.mark.parametrize(
    ("settings", "n_frames"),
    [
        ({"every": 0.25}, 40),
        ({"every": 3.0}, 4),
        ({"start_s": 2.0, "end_s": 4.0}, 2),
        ({"mode": "frames", "every": 10}, 10),
        ({"mode": "frames", "every": 33.0}, 4),
        ({"mode": "keyframes", "every": 1}, 5),
    ],
)
def test_the_mode_and_the_stretch_decide_the_samples(
    film, tmp_path, settings, n_frames
):
    assert plan(tmp_path, film, **settings)["n_frames"] == n_frames


def test_a_stretch_beyond_the_end_is_refused_and_leaves_nothing(film, tmp_path):
    with pytest.raises(ReelbowError, match=r"10\.000 s; choose another stretch"):
        plan(tmp_path, film, start_s=50.0)
    assert list((tmp_path / "out").glob("*")) == []


@pytest.mark.parametrize("crop", ["auto", "none"])
def test_the_letterbox_of_a_film_is_found_if_wanted(tmp_path, crop):
    picture = solid(0x40A060, (64, 64))
    picture[:12] = picture[-12:] = 0
    film = write_film(tmp_path / "film.mp4", [picture] * 24)
    found = plan(tmp_path, film, crop=crop)["crop"]
    assert found == ("64:40:0:12" if crop == "auto" else None)


def test_each_tarball_is_a_shard(tmp_path):
    tarballs = [
        write_tarball(tmp_path / f"{name}.tar", solid(0xFF0000), solid(0x00FF00))
        for name in "ba"
    ]
    planned = plan(tmp_path, *tarballs)
    assert (planned["kind"], planned["video"]) == ("tarballs", None)
    asked = ["path", "digest", "start_s", "end_s", "stream", "sampling", "n_pictures"]
    assert [planned[key] for key in asked] == [None] * 7
    assert (planned["width"], planned["height"]) == (64, 48)
    assert planned["shards"] == [
        {"shard": "b", "n_frames": None, "tarball": str(tarballs[0])},
        {"shard": "a", "n_frames": None, "tarball": str(tarballs[1])},
    ]


def test_images_of_several_sizes_have_none_in_common(tmp_path):
    pictures = [solid(0xFF0000), solid(0x00FF00, (32, 32))]
    planned = plan(tmp_path, write_tarball(tmp_path / "a.tar", *pictures))
    assert (planned["width"], planned["height"]) == (None, None)


def test_a_damaged_tarball_does_not_fail_the_plan(tmp_path):
    good = write_tarball(tmp_path / "a.tar", solid(0xFF0000))
    bad = tmp_path / "b.tar"
    bad.write_bytes(b"no tarball")
    assert len(plan(tmp_path, good, bad)["shards"]) == 2
    assert len(plan(tmp_path, bad)["shards"]) == 1
