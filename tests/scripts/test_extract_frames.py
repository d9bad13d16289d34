"""Rule extract_frames as a function: a shard of a film becomes a tarball."""

import io
import json
import tarfile
from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import extract_frames as script
from films import (
    GOP,
    find_packets,
    frame_number,
    numbered,
    numbered_film,
    overwrite,
    solid,
    write_film,
)
from plans import plan_film
from reelbow.color.spaces import LUMA_WEIGHTS
from reelbow.machine.versions import describe_versions
from reelbow.pictures.averages import Averages
from reelbow.shards.plan import write_plan


def make_plan(video: Path, **how: Any) -> Path:
    path = video.parent / "plan.json"
    write_plan(plan_film(video, per_shard=4, **how), path)
    return path


def run(video: Path, plan: Path, frames: Path, **how: Any) -> None:
    usual = {"shard": "00000", "height": None, "strip_rows": None, "quality": 95}
    how = {**usual, "mean_space": "srgb", **how}
    script.extract_frames(video, plan, frames, film_id="film", **how)


def extract(
    video: Path, plan: Path, shard: str, **how: Any
) -> dict[str, tuple[NDArray[np.uint8] | None, dict[str, Any]]]:
    """Run the script; read what it wrote with nothing of ours."""
    frames = video.parent / "frames" / f"{shard}.tar"
    run(video, plan, frames, shard=shard, **how)
    assert [path.name for path in frames.parent.iterdir()] == [frames.name]
    samples: dict[str, tuple[NDArray[np.uint8] | None, dict[str, Any]]] = {}
    with tarfile.open(frames) as tar:
        contents = {
            member.name: file.read()
            for member in tar
            if (file := tar.extractfile(member)) is not None
        }
    for name, data in contents.items():
        if name.endswith(".json"):
            key = name.removesuffix(".json")
            jpeg = contents.get(f"{key}.jpg")
            pixels = None
            if jpeg is not None:
                pixels = np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))
            samples[key] = (pixels, json.loads(data))
    frames.unlink()
    return samples


def test_all_shards_together_hold_every_sample_once(tmp_path: Path) -> None:
    # its timestamps begin at 5 s, its time at 0
    video = write_film(
        tmp_path / "film.mp4",
        (numbered(i) for i in range(60)),
        pts=range(120, 180),
        time_base=Fraction(1, 24),
        **GOP,
    )
    plan = make_plan(video)
    found = {}
    for shard in ("00002", "00000", "00001"):
        samples = extract(video, plan, shard)
        assert len(samples) == (2 if shard == "00002" else 4)
        found.update(samples)
    assert sorted(found) == [f"{i:08d}" for i in range(10)]
    for i, key in enumerate(sorted(found)):
        pixels, about = found[key]
        assert pixels is not None
        averages = Averages.from_json(about)
        assert np.abs(averages.mean - pixels.mean((0, 1))).max() < 1
        assert np.abs(averages.strip - pixels.mean(1)).max() < 3
        assert averages.luma == pytest.approx(averages.mean @ LUMA_WEIGHTS, abs=0.01)
        for part in ("mean_color", "luma", "strip"):
            del about[part]
        assert about.pop("versions") == describe_versions()
        assert about == {"film": "film", "frame": i, "time_s": i / 4}
        assert pixels.shape == (64, 96, 3)
        assert frame_number(pixels) == 6 * i


def test_a_picture_that_stays_is_there_for_each_of_its_samples(tmp_path: Path) -> None:
    video = write_film(
        tmp_path / "film.mp4", (numbered(i) for i in range(3)), pts=[0, 700, 1000]
    )
    samples = extract(video, make_plan(video, end_s=1.0), "00000")
    seen = [
        (frame_number(pixels), about["time_s"])
        for pixels, about in samples.values()
        if pixels is not None
    ]
    assert seen == [(0, 0.0), (0, 0.0), (0, 0.0), (1, 0.7)]
    assert list(samples) == [f"{i:08d}" for i in range(4)]


def test_the_crop_of_the_plan_and_the_height_are_obeyed(tmp_path: Path) -> None:
    lit = solid(0x4080C0, (96, 64))
    lit[:8] = lit[-8:] = 0
    video = write_film(tmp_path / "film.mp4", [lit] * 5, options={"crf": "5"})
    plan = make_plan(video)
    ((pixels, _),) = extract(video, plan, "00000", height=24).values()
    assert pixels is not None
    assert pixels.shape == (24, 48, 3)
    assert np.abs(pixels.astype(int) - (0x40, 0x80, 0xC0)).max() <= 6
    ((pixels, _),) = extract(video, plan, "00000").values()
    assert pixels is not None
    assert pixels.shape == (48, 96, 3)


def test_a_picture_that_does_not_decode_leaves_a_note(tmp_path: Path) -> None:
    video = numbered_film(
        tmp_path / "film.mp4", 24, gop=1, options={"sc_threshold": "0"}
    )
    plan = make_plan(video)
    _, position, size = find_packets(video)[12]
    overwrite(video, position, bytes(size))
    samples = list(extract(video, plan, "00000").values())
    assert [pixels is None for pixels, _ in samples] == [False, False, True, False]
    about = samples[2][1]
    assert about.keys() == {"film", "frame", "time_s", "reason"}
    assert (about["film"], about["frame"], about["time_s"]) == ("film", 2, 0.5)
    assert about["reason"].startswith("the picture does not decode (")


def test_a_failure_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = numbered_film(tmp_path / "film.mp4", 24, **GOP)
    plan = make_plan(video)
    encode = Mock(side_effect=[b"one", b"two", MemoryError])
    monkeypatch.setattr(script, "encode_jpeg", encode)
    with pytest.raises(MemoryError):
        extract(video, plan, "00000")
    assert list((tmp_path / "frames").iterdir()) == []


def test_the_same_shard_gives_the_same_bytes(tmp_path: Path) -> None:
    video = numbered_film(tmp_path / "film.mp4", 24, **GOP)
    plan = make_plan(video)
    for name in ("a.tar", "b.tar"):
        run(video, plan, tmp_path / name, height=32)
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()
