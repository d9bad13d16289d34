"""The plan of a film of tarballs: its size, its crop, its shards."""

import errno
import os
import tarfile
from pathlib import Path
from unittest.mock import Mock

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from films import letterboxed_scene, numbered, solid
from memory import LINUX_ONLY, little_memory
from projects import write_tarball
from reelbow.pictures.image_files import decode_image, encode_jpeg
from reelbow.shards.plan import Plan
from reelbow.sources import crop as planning
from reelbow.sources import images, tarballs


def tarball(path: Path, images: list[NDArray[np.uint8] | bytes]) -> Path:
    data = (
        image if isinstance(image, bytes) else encode_jpeg(image, quality=95)
        for image in images
    )
    return write_tarball(path, {f"{i}.jpg": each for i, each in enumerate(data)})


def plan_tarballs(*paths: Path, crop: str = "auto") -> Plan:
    """Plan them as shards that are numbered."""
    names = [str(place) for place, _ in enumerate(paths)]
    return tarballs.make_plan(paths, shards=names, crop=crop)


def test_each_tarball_is_a_shard_as_it_stands(tmp_path: Path) -> None:
    paths = [tarball(tmp_path / f"{i}.tar", [numbered(i)] * 3) for i in range(3)]
    planned = plan_tarballs(*paths)
    assert planned == {
        **dict.fromkeys(["video", "path", "digest", "sampling", "start_s", "end_s"]),
        **dict.fromkeys(["stream", "duration_s", "crop", "n_pictures", "n_frames"]),
        "width": 96,
        "height": 64,
        "usual_size": (96, 64),
        "crop_asked": "auto",
        "has_pictures": True,
        "shards": [
            {"shard": str(i), "n_frames": None, "tarball": str(path)}
            for i, path in enumerate(paths)
        ],
    }


def test_bars_in_tarballs_are_found_and_can_be_kept(tmp_path: Path) -> None:
    paths = [tarball(tmp_path / "t.tar", [letterboxed_scene(i) for i in range(9)])]
    planned = plan_tarballs(*paths)
    assert (planned["crop"], planned["usual_size"]) == ("96:48:0:8", (96, 48))
    assert plan_tarballs(*paths, crop="none")["crop"] is None


def test_images_of_several_sizes_have_no_size_and_no_bars(tmp_path: Path) -> None:
    sizes = [(96, 64), (96, 64), (64, 96)]
    images = [letterboxed_scene(i, size) for i, size in enumerate(sizes)]
    planned = plan_tarballs(tarball(tmp_path / "t.tar", images))
    assert planned["usual_size"] == (96, 64)
    assert (planned["width"], planned["height"], planned["crop"]) == (None, None, None)


def test_what_cannot_be_read_hides_nothing_else(tmp_path: Path) -> None:
    cut = tarball(tmp_path / "cut.tar", [letterboxed_scene(1)] * 5)
    cut.write_bytes(cut.read_bytes()[:3000])
    mixed = tarball(
        tmp_path / "mixed.tar",
        [b"no image", letterboxed_scene(1), letterboxed_scene(2)],
    )
    missing = tmp_path / "missing.tar"
    planned = plan_tarballs(cut, missing, mixed)
    assert (planned["width"], planned["height"]) == (96, 64)
    assert planned["crop"] == "96:48:0:8"
    assert len(planned["shards"]) == 3
    none = plan_tarballs(cut, missing)
    assert (none["width"], none["height"], none["crop"]) == (None, None, None)


@LINUX_ONLY
def test_too_little_memory_is_not_taken_for_a_film_without_bars(tmp_path: Path) -> None:
    # Too large for room that other tests left, and no JPEG, which would be reduced.
    large, small = np.tile(numbered(0), (60, 40, 1)), numbered(0)
    png, one = (cv2.imencode(".png", each)[1].tobytes() for each in (large, small))
    path = tarball(tmp_path / "t.tar", [png])
    # The decoder is loaded before memory is short.
    decode_image(one)
    with little_memory(1 << 20), pytest.raises(MemoryError):
        plan_tarballs(path)


def test_few_images_of_many_tarballs_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tarball(tmp_path / "t.tar", [numbered(0)] * 20)
    spy = Mock(wraps=decode_image)
    monkeypatch.setattr(images, "decode_image", spy)
    plan_tarballs(*[path] * 100)
    assert 0 < spy.call_count <= planning.LETTERBOX_FRAMES


@pytest.mark.parametrize("crop", ["auto", "none", "96:40:0:12"])
def test_damaged_images_tell_no_size(tmp_path: Path, crop: str) -> None:
    cut = encode_jpeg(np.zeros((300, 400, 3), np.uint8), quality=90)[:700]
    path = tarball(tmp_path / "t.tar", [*[solid(0xC8C8C8, (96, 64))] * 6, cut])
    planned = plan_tarballs(path, crop=crop)
    assert (planned["width"], planned["height"]) == (96, 64)


def test_images_of_another_size_are_noticed_behind_the_search(tmp_path: Path) -> None:
    images = [solid(0xC8C8C8, (96, rows)) for rows in [64] * 6 + [80]]
    planned = plan_tarballs(tarball(tmp_path / "t.tar", images))
    assert (planned["width"], planned["height"], planned["crop"]) == (None, None, None)


def test_a_disk_that_is_away_leads_to_no_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tarball(tmp_path / "0.tar", [numbered(0)])

    def fail(number: int) -> Mock:
        return Mock(side_effect=OSError(number, os.strerror(number)))

    monkeypatch.setattr(tarfile, "open", fail(errno.EIO))
    with pytest.raises(OSError, match="Input/output"):
        plan_tarballs(path)
    # What may not be read its own shard will say.
    monkeypatch.setattr(tarfile, "open", fail(errno.EACCES))
    assert plan_tarballs(path)["width"] is None
