"""Rule plan_shards as a function; how plans are made is in tests/unit/sources."""

import pytest

from chain import plan_files
from films import numbered_film
from projects import write_tarball
from reelbow.errors import ReelbowError
from reelbow.jobs.file_digest import digest_file
from reelbow.shards.plan import find_shard, read_plan


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
    assert planned["crop"] is None
    assert planned["crop_asked"] == "none"
    assert (planned["start_s"], planned["end_s"], planned["stream"]) == (0, None, None)
    assert planned["sampling"] == {"mode": "interval", "every": 1.0}
    assert (planned["path"], planned["digest"]) == (str(film), digest_file(film))
    assert find_shard(planned, "00001") == shards[1]


def test_the_mode_and_the_stretch_decide_the_samples(film, tmp_path):
    # Pictures 20, 53 and 86; numbers of a configuration may be floats.
    stretch = {"start_s": 2.0, "end_s": 9.0}
    planned = plan(tmp_path, film, mode="frames", every=33.0, **stretch)
    assert planned["n_frames"] == 3


def test_a_stretch_beyond_the_end_is_refused_and_leaves_nothing(film, tmp_path):
    with pytest.raises(ReelbowError, match=r"10\.000 s; choose another stretch"):
        plan(tmp_path, film, start_s=50.0)
    assert list((tmp_path / "out").glob("*")) == []


def test_tarballs_keep_their_order_and_have_their_kind(tmp_path):
    tarballs = [write_tarball(tmp_path / f"{name}.tar", {"0.jpg": 0}) for name in "ba"]
    planned = plan(tmp_path, *tarballs)
    assert planned["kind"] == "tarballs"
    assert [part["tarball"] for part in planned["shards"]] == list(map(str, tarballs))
    assert [part["shard"] for part in planned["shards"]] == ["b", "a"]
