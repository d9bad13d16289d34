"""Rule extract_frames as a function: a shard of a film becomes a tarball of images."""

import io
import json
import tarfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import extract_frames as script
from chain import plan_files
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
from projects import write_tarball
from reelbow.pictures.geometry import MAX_PIXELS
from reelbow.pictures.image_files import encode_jpeg
from reelbow.pictures.strokes import draw_colored_strokes, draw_strokes
from reelbow.shards.batches import ThumbnailOptions
from reelbow.shards.plan import read_plan
from reelbow.shards.sketch_files import read_lines, read_quickdraw
from sketches import STROKES, write_ndjson

Samples = dict[str, tuple[NDArray[np.uint8] | None, dict[str, Any]]]


def make_plan(source: Path, **how: Any) -> Path:
    plan = source.parent / "plan.json"
    plan_files([source], plan, **({"every": 0.25, "per_shard": 4} | how))
    return plan


def run(
    source: Path,
    plan: Path,
    frames: Path,
    *,
    shard: str = "00000",
    height: int | None = None,
) -> None:
    crop = read_plan(plan)["crop"]
    shaping = ThumbnailOptions(height, crop, "srgb", MAX_PIXELS, "skip")
    about: dict[str, Any] = {"film": "film", "shard": shard, "quality": 95}
    script.extract_frames(source, plan, frames, shaping=shaping, **about)


def extract(
    source: Path, plan: Path, shard: str = "00000", *, height: int | None = None
) -> Samples:
    """Run the script; read what it wrote with nothing of ours."""
    frames = source.parent / "frames" / f"{shard}.tar"
    run(source, plan, frames, shard=shard, height=height)
    assert [path.name for path in frames.parent.iterdir()] == [frames.name]
    with tarfile.open(frames) as tar:
        contents = {
            member.name: file.read()
            for member in tar
            if (file := tar.extractfile(member)) is not None
        }
    samples: Samples = {}
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
    # Its timestamps begin at 5 s, its time at 0.
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
        assert about == {"film": "film", "frame": i, "time_s": i / 4}
        assert pixels.shape == (64, 96, 3)
        assert frame_number(pixels) == 6 * i


def test_a_picture_that_stays_is_there_for_each_of_its_samples(tmp_path: Path) -> None:
    video = write_film(
        tmp_path / "film.mp4", (numbered(i) for i in range(3)), pts=[0, 700, 1000]
    )
    samples = extract(video, make_plan(video, end_s=1.0))
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
    ((pixels, _),) = extract(video, plan, height=24).values()
    assert pixels is not None
    assert pixels.shape == (24, 48, 3)
    assert np.abs(pixels.astype(int) - (0x40, 0x80, 0xC0)).max() <= 6
    ((pixels, _),) = extract(video, plan).values()
    assert pixels is not None
    assert pixels.shape == (48, 96, 3)


def test_a_picture_that_does_not_decode_leaves_a_note(tmp_path: Path) -> None:
    video = numbered_film(
        tmp_path / "film.mp4", 24, gop=1, options={"sc_threshold": "0"}
    )
    plan = make_plan(video)
    _, position, size = find_packets(video)[12]
    overwrite(video, position, bytes(size))
    samples = extract(video, plan)
    assert {key: pixels is None for key, (pixels, _) in samples.items()} == {
        **dict.fromkeys(("00000000", "00000001", "00000003"), False),
        "00000002": True,
    }
    about = samples["00000002"][1]
    assert about.pop("reason").startswith("the picture does not decode (")
    assert about == {"film": "film", "frame": 2}


def test_a_note_has_the_number_of_its_frame_whatever_its_image_is_called(
    tmp_path: Path,
) -> None:
    whole = encode_jpeg(solid(0x203040), quality=95)
    images = {"00000001.jpg": b"no image", "00000002.jpg": whole, "00000003.jpg": whole}
    own = write_tarball(tmp_path / "own.tar", images)
    samples = extract(own, make_plan(own, shards=["own"]), "own")
    assert {key: about["frame"] for key, (_, about) in samples.items()} == {
        f"{frame:08d}": frame for frame in range(3)
    }
    assert [key for key, (pixels, _) in samples.items() if pixels is None] == [
        "00000000"
    ]


def test_a_tarball_s_images_may_be_extracted_too(tmp_path: Path) -> None:
    colors = {"b.jpg": 0x203040, "a.jpg": 0xC08040}
    images = {name: encode_jpeg(solid(colors[name]), quality=95) for name in colors}
    own = write_tarball(tmp_path / "own.tar", images)
    samples = extract(own, make_plan(own, shards=["own"]), "own", height=12)
    assert [about["frame"] for _, about in samples.values()] == [0, 1]
    for (pixels, _), color in zip(samples.values(), (0xC08040, 0x203040), strict=True):
        assert pixels is not None
        assert len(pixels) == 12
        assert np.abs(pixels.astype(int) - solid(color)[0, 0]).max() <= 3


def test_a_failure_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = numbered_film(tmp_path / "film.mp4", 24, **GOP)
    plan = make_plan(video)
    encode = Mock(side_effect=[b"one", b"two", MemoryError])
    monkeypatch.setattr(script, "encode_jpeg", encode)
    with pytest.raises(MemoryError):
        extract(video, plan)
    assert list((tmp_path / "frames").iterdir()) == []


def test_the_same_shard_gives_the_same_bytes(tmp_path: Path) -> None:
    video = numbered_film(tmp_path / "film.mp4", 24, **GOP)
    plan = make_plan(video)
    for name in ("a.tar", "b.tar"):
        run(video, plan, tmp_path / name, height=32)
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


@pytest.mark.parametrize(
    ("color", "mode", "draw"),
    [("black", "L", draw_strokes), ("strokes", "RGB", draw_colored_strokes)],
)
def test_drawings_are_png_s_without_loss(
    color: str, mode: str, draw: Callable[..., Any], tmp_path: Path
) -> None:
    drawings = write_ndjson(
        tmp_path / "a.ndjson", STROKES, "broken", STROKES[:1], word="cat"
    )
    how: dict[str, Any] = {"size": 64, "thickness": 0.1}
    plan = make_plan(drawings, split="train", color=color, **how)
    frames = tmp_path / "frames.tar"
    run(drawings, plan, frames)
    with tarfile.open(frames) as tar:
        tar.extractall(tmp_path / "frames", filter="data")
    assert sorted(path.name for path in (tmp_path / "frames").iterdir()) == [
        *("00000000.json", "00000000.png", "00000001.json"),
        *("00000002.json", "00000002.png"),
    ]
    for number, line in zip((0, 2), list(read_lines(drawings))[::2], strict=True):
        strokes = read_quickdraw(line).strokes
        assert strokes is not None
        image = Image.open(tmp_path / f"frames/{number:08d}.png")
        assert image.mode == mode
        about = json.loads((tmp_path / f"frames/{number:08d}.json").read_text())
        assert about["name"] == f"cat {number + 1}"
        assert (np.asarray(image) == draw(strokes, **how)).all()
