"""Shards that cannot be read whole, where what can be read is enough."""

import gzip

import pytest

from chain import cluster, plan_files
from databases import query
from downsample_frames import downsample_frames
from films import numbered_film
from projects import COLORS, write_tarball
from reelbow.errors import ReelbowError
from reelbow.film.decoding import decode_samples
from reelbow.shards import video
from reelbow.shards.batches import ThumbnailOptions
from reelbow.shards.plan import read_plan
from reelbow.shards.tarballs import FrameTarball

IMAGES = {f"{i}.jpg": color for i, color in enumerate(COLORS)}
# A header of 512 bytes and two blocks of a picture's data.
EACH = 3 * 512


def plan(source, folder, *, go_on=True, **settings):
    plan_files([source], folder / "plan.json", go_on=go_on, **settings)
    return folder / "plan.json"


def make_shard(source, planned, folder, *, missing_frames="skip", height=16):
    """Take a film of one shard to its palettes: (frames, skipped, lost)."""
    shaping = ThumbnailOptions(height, None, "srgb", 10**8, missing_frames)
    shard = read_plan(planned)["shards"][0]["shard"]
    frames = source
    if height is not None:
        frames = folder / "t.npz"
        more = {"shard": shard, "shaping": shaping, "go_on": True}
        downsample_frames(source, planned, frames, **more)
    more = {"shard": shard, "shaping": shaping, "go_on": True}
    palettes = cluster(frames, planned, folder / "t.sqlite", **more)
    numbers = query(palettes, "SELECT frame FROM frames ORDER BY frame")
    skipped = query(palettes, "SELECT name FROM skipped")
    ((lost,),) = query(palettes, "SELECT lost FROM shards")
    return [number for (number,) in numbers], [name for (name,) in skipped], lost


@pytest.mark.parametrize("height", [16, None])
def test_a_whole_tarball_has_lost_nothing(tmp_path, height):
    tarball = write_tarball(tmp_path / "t.tar", IMAGES)
    found = make_shard(tarball, plan(tarball, tmp_path), tmp_path, height=height)
    assert found == ([0, 1, 2, 3, 4, 5], [], None)


@pytest.mark.parametrize("height", [16, None])
@pytest.mark.parametrize("kept", [0, 1, 100, 512, 700])
def test_of_a_tarball_that_is_cut_off_the_rest_counts(tmp_path, kept, height):
    tarball = write_tarball(tmp_path / "t.tar", IMAGES)
    planned = plan(tarball, tmp_path)
    tarball.write_bytes(tarball.read_bytes()[: 3 * EACH + kept])
    with pytest.raises(ReelbowError, match="cut off"):
        FrameTarball(tarball)
    frames, skipped, lost = make_shard(tarball, planned, tmp_path, height=height)
    assert frames == [0, 1, 2]
    # What had begun is missing, and so is what came after.
    assert skipped == [*(["3.jpg"] if kept >= 512 else []), "t.tar"]
    assert "cut off" in lost


def test_of_a_compressed_tarball_what_can_be_unpacked_counts(tmp_path):
    tarball = tmp_path / "t.tar.gz"
    data = gzip.compress(write_tarball(tmp_path / "t.tar", IMAGES).read_bytes(), 0)
    tarball.write_bytes(data[: 3 * EACH + 600])
    planned = plan(tarball, tmp_path)
    frames, skipped, lost = make_shard(tarball, planned, tmp_path)
    assert frames == [0, 1, 2]
    assert skipped[-1] == "t.tar.gz"
    assert "t.tar.gz: " in lost


@pytest.mark.parametrize("data", [b"", b"no tarball", b"\x1f\x8b\x08"])
def test_a_tarball_that_is_dead_gives_nothing_and_says_so(tmp_path, data):
    tarball = write_tarball(tmp_path / "t.tar", IMAGES)
    planned = plan(tarball, tmp_path)
    tarball.write_bytes(data)
    frames, skipped, lost = make_shard(tarball, planned, tmp_path)
    assert (frames, skipped) == ([], ["t.tar"])
    assert str(tarball) in lost


def test_where_no_picture_may_be_missing_none_of_a_damaged_shard_counts(tmp_path):
    tarball = write_tarball(tmp_path / "t.tar", IMAGES | {"9.jpg": b"no picture"})
    planned = plan(tarball, tmp_path)
    found = make_shard(tarball, planned, tmp_path, missing_frames="fail")
    assert found[:2] == ([], ["t.tar"])
    assert "1 of 7 pictures are missing, the first is 9.jpg" in found[2]


def test_a_film_without_a_picture_has_a_plan_that_says_so(tmp_path):
    dead = tmp_path / "t.tar"
    dead.write_bytes(b"no tarball")
    planned = read_plan(plan(dead, tmp_path))
    assert planned["shards"] == []
    assert planned["error"].startswith(f"{dead}: cut off, damaged or no tarball")
    # Otherwise its shards fail, and a video does.
    assert len(read_plan(plan(dead, tmp_path, go_on=False))["shards"]) == 1
    film = tmp_path / "film.mp4"
    film.write_bytes(b"no film")
    with pytest.raises(ReelbowError):
        plan(film, tmp_path, go_on=False)
    assert str(film) in read_plan(plan(film, tmp_path))["error"]


@pytest.mark.parametrize("missing_frames", ["skip", "fail"])
def test_a_stretch_that_fails_is_skipped_frame_by_frame(
    tmp_path, monkeypatch, missing_frames
):
    film = numbered_film(tmp_path / "film.mp4", 60, rate=10, gop=10)
    planned = plan(film, tmp_path)

    def fail_at_3(*arguments):
        for index, decoded in decode_samples(*arguments):
            if index == 3:
                raise ReelbowError("film.mp4: broken here")
            yield index, decoded

    # No film is known that FFmpeg opens for the plan and not for its frames.
    monkeypatch.setattr(video, "decode_samples", fail_at_3)
    thumbnails = tmp_path / "t.npz"
    shaping = ThumbnailOptions(16, None, "srgb", 10**8, missing_frames)
    with pytest.raises(ReelbowError, match="broken here"):
        downsample_frames(film, planned, thumbnails, shard="00000", shaping=shaping)
    assert not thumbnails.exists()
    found = make_shard(film, planned, tmp_path, missing_frames=missing_frames)
    n_read = 3 if missing_frames == "skip" else 0
    assert found[0] == list(range(n_read))
    assert len(found[1]) == 6 - n_read
    assert found[2] == "film.mp4: broken here"
