"""Extract, downsample and cluster together: what comes out of what went in."""

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_sample_image

from chain import USUAL, Found, cluster, is_alike, plan_files, run_chain, unpack
from databases import query
from films import find_packets, numbered_film, solid, write_film
from formulas import average_exactly
from projects import write_tarball
from reelbow.errors import ReelbowError
from reelbow.pictures.image_files import encode_jpeg
from reelbow.pictures.measure_names import MEASURES
from reelbow.shards.batches import ThumbnailOptions
from reelbow.shards.opening import open_frames
from reelbow.shards.plan import read_plan
from reelbow.shards.thumbnails import Thumbnails
from shared_films import FOLDER

Picture = NDArray[np.uint8]

PHOTOS = ["china.jpg", "flower.jpg"]
WITHIN = 0.1


def check(found: Found, pictures: list[Picture], space: str) -> None:
    """Hold means and strips against those of whole pictures."""
    assert len(found.means) == len(found.frames) == len(pictures)
    for i, picture in enumerate(pictures):
        mean, strip, bright = average_exactly(picture, len(found.strips[i]), space)
        assert np.abs(found.means[i] - mean).max() < WITHIN
        assert np.abs(found.strips[i] - strip).max() < WITHIN
        packed, luma, stored = found.frames[i]
        # in the database they are whole levels
        assert np.abs(unpack(packed) - mean).max() < 0.5 + WITHIN
        bands = np.frombuffer(stored, np.uint8).reshape(-1, 3)
        assert np.abs(bands - strip).max() < 0.5 + WITHIN
        assert abs(luma - bright) < WITHIN


@pytest.mark.parametrize("space", ["srgb", "linear"])
def test_averages_of_a_film_are_those_of_its_full_pictures(
    tmp_path: Path, space: str
) -> None:
    photos = [np.asarray(load_sample_image(name), np.uint8) for name in PHOTOS]
    path = write_film(
        tmp_path / "film.mkv", photos, rate=1, codec="ffv1", pix_fmt="bgr0"
    )
    check(run_chain(path, tmp_path, space=space), photos, space)


@pytest.mark.parametrize("space", ["srgb", "linear"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_averages_of_images_are_those_of_their_full_pixels(
    tmp_path: Path, kind: str, space: str
) -> None:
    images, photos = {}, []
    for name in PHOTOS:
        stream = io.BytesIO()
        Image.fromarray(load_sample_image(name)).save(stream, kind)
        images[f"{name}.{kind}"] = stream.getvalue()
        photos.append(np.asarray(Image.open(stream).convert("RGB")))
    tarball = write_tarball(tmp_path / "a.tar", images)
    found = run_chain(tarball, tmp_path, space=space, height=48, crop="none")
    check(found, photos, space)


@pytest.mark.shared
def test_exif_turned_photographs_are_all_the_same(tmp_path: Path) -> None:
    paths = sorted((FOLDER / "photos" / "exif").glob("Landscape_*.jpg"))
    if not paths:
        pytest.skip("no photographs are there")
    tarball = write_tarball(
        tmp_path / "a.tar", {path.name: path.read_bytes() for path in paths}
    )
    found = run_chain(tarball, tmp_path)
    assert len(found.pixels) == 9
    for pixels, strip in zip(found.pixels, found.strips, strict=True):
        assert pixels.shape == (90, 135, 3)
        assert np.abs(pixels.astype(int) - found.pixels[0]).mean() < 8
        assert np.abs(strip - found.strips[0]).max() < 8


# --- letterbox ------------------------------------------------------------------------


def scene(number: int, height: int = 72, bars: int = 0) -> Picture:
    """Draw three bright colors that change with the number, behind bars."""
    rng = np.random.default_rng(number)
    picture = np.empty((height, 96, 3), np.uint8)
    picture[:] = rng.integers(90, 130, 3)
    picture[: height // 2, :48] = rng.integers(150, 190, 3)
    picture[:, 72:] = rng.integers(210, 250, 3)
    return np.pad(picture, ((bars, bars), (0, 0), (0, 0)))


@pytest.mark.parametrize("suffix", ["mp4", "tar"])
def test_bars_change_no_palette_of_a_bright_film(tmp_path: Path, suffix: str) -> None:
    found = {}
    for name, bars in {"plain": 0, "barred": 16}.items():
        folder = tmp_path / name
        folder.mkdir()
        pictures = [scene(i, bars=bars) for i in range(10)]
        path = folder / f"film.{suffix}"
        if suffix == "tar":
            images = [encode_jpeg(picture, quality=95) for picture in pictures]
            write_tarball(path, {f"{i}.jpg": data for i, data in enumerate(images)})
        else:
            write_film(path, pictures, rate=1, gop=1, options={"crf": "8"})
        found[name] = run_chain(path, folder)
    assert found["plain"].plan["crop"] is None
    assert found["barred"].plan["crop"] == "96:72:0:16"
    for frame in range(10):
        plain, barred = (found[name].palettes[frame] for name in ("plain", "barred"))
        assert is_alike(plain, barred, levels=6, share=0.05)
        assert min(unpack(color).min() for color, _ in barred) > 60
        means = [unpack(found[name].frames[frame][0]) for name in found]
        assert np.abs(means[0] - means[1]).max() <= 2
        assert found["barred"].frames[frame][1] > 80
    # and with the bars kept, black is one of the colors
    kept = run_chain(path, tmp_path / "barred", crop="none")
    assert any(unpack(color).max() < 20 for color, _ in kept.palettes[0])


def test_a_crop_of_one_s_own_is_obeyed(tmp_path: Path) -> None:
    picture = solid(0x204060, (96, 64))
    picture[10:30, 20:60] = 0xC0, 0x80, 0x40
    path = write_film(tmp_path / "film.mkv", [picture], codec="ffv1", pix_fmt="bgr0")
    found = run_chain(path, tmp_path, crop="40:20:20:10")
    assert found.plan["crop"] == "40:20:20:10"
    assert found.frames[0][0] == 0xC08040
    assert found.pixels[0].shape == (20, 40, 3)


# --- damage ---------------------------------------------------------------------------


def test_missing_pictures_are_written_down_or_fail_as_is_wished(
    tmp_path: Path,
) -> None:
    how: dict[str, Any] = {"gop": 12, "options": {"sc_threshold": "0"}}
    whole = numbered_film(tmp_path / "whole.ts", 120, **how, bframes=0)
    packets, data = find_packets(whole), whole.read_bytes()
    path = tmp_path / "film.ts"
    path.write_bytes(data[: packets[24].position] + data[packets[60].position :])
    found = run_chain(path, tmp_path, every=0.5)
    assert sorted(found.frames) == [0, 1, 5, 6, 7, 8, 9]
    reason = "the file has no picture of this time"
    assert found.skipped == [(f"{i:08d}", reason) for i in (2, 3, 4)]
    with pytest.raises(ReelbowError) as caught:
        run_chain(path, tmp_path, every=0.5, missing_frames="fail")
    sentence = str(caught.value)
    assert "3 of 10 pictures are missing, the first is 00000002" in sentence
    assert reason in sentence
    assert "errors.missing_frames" in sentence
    assert "\n" not in sentence
    # nothing missing: fail is no different
    run_chain(whole, tmp_path, every=0.5, missing_frames="fail")


def test_images_larger_than_allowed_are_skipped_with_the_reason(
    tmp_path: Path,
) -> None:
    images = {
        "0.jpg": encode_jpeg(solid(0x808080, (64, 48)), quality=90),
        "1.jpg": encode_jpeg(solid(0x808080, (65, 48)), quality=90),
    }
    tarball = write_tarball(tmp_path / "a.tar", images)
    found = run_chain(tarball, tmp_path, max_pixels=64 * 48)
    assert list(found.frames) == [0]
    ((name, reason),) = found.skipped
    assert name == "1.jpg"
    assert "65x48 pixels, allowed by limits.pixels are 3072" in reason


@pytest.mark.parametrize("video", [True, False])
def test_at_full_size_frames_may_go_straight_from_their_source(tmp_path, video):
    if video:
        source = numbered_film(tmp_path / "film.mkv", 3, rate=1)
    else:
        images = {f"{i}.jpg": encode_jpeg(solid(i), quality=95) for i in (7, 0xC02020)}
        source = write_tarball(tmp_path / "own.tar", images)
    by_thumbnails = run_chain(source, tmp_path, height=None)
    planned = read_plan(tmp_path / "plan.json")
    shaping = ThumbnailOptions(None, None, "srgb", USUAL["max_pixels"], "skip")
    with (
        Thumbnails(tmp_path / "thumbnails.npz") as thumbnails,
        open_frames(source, planned, "00000", shaping) as straight,
    ):
        pairs = zip(thumbnails.batches(), straight.batches(), strict=True)
        for one, other in pairs:
            for part, same in zip(one, other, strict=True):
                np.testing.assert_array_equal(part, same)
    assert len(by_thumbnails.pixels) == (3 if video else 2)


def test_a_step_that_a_film_has_is_no_damage_but_one_in_a_jpeg_is(tmp_path):
    picture = load_sample_image("flower.jpg")[:416, :640].astype(int)
    # Brighter from the 20th block of the 12th row on, as a damaged JPEG is.
    picture[16 * 12 :, 16 * 20 :] += 60
    picture[16 * 13 :, : 16 * 20] += 60
    picture = picture.clip(0, 255).astype(np.uint8)
    how = {"codec": "ffv1", "pix_fmt": "bgr0"}
    film = write_film(tmp_path / "film.mkv", [picture] * 3, **how)
    found = run_chain(film, tmp_path, height=400)
    assert (len(found.frames), found.skipped) == (1, [])
    tarball = write_tarball(
        tmp_path / "own.tar", {"0.jpg": encode_jpeg(picture, quality=90)}
    )
    ((_, reason),) = run_chain(tarball, tmp_path, height=400).skipped
    assert "from one block on all is too bright" in reason


def test_measures_are_the_same_bits_from_thumbnails_and_at_full_size(tmp_path):
    rng = np.random.default_rng(5)
    pictures = [rng.integers(0, 256, (24, 32, 3), np.uint8) for _ in range(5)]
    encoded = [cv2.imencode(".png", picture)[1].tobytes() for picture in pictures]
    tape = write_tarball(
        tmp_path / "a.tar", {f"{i}.png": data for i, data in enumerate(encoded)}
    )
    run_chain(tape, tmp_path, height=24, crop="none")
    sql = f"SELECT {', '.join(MEASURES)} FROM frames ORDER BY frame"
    from_thumbnails = query(tmp_path / "palettes.sqlite", sql)
    # Two of the frames alone, as another shard, without thumbnails.
    part = write_tarball(
        tmp_path / "b.tar", {f"{i}.png": encoded[i] for i in range(3, 5)}
    )
    plan = tmp_path / "part.json"
    plan_files([part], plan, crop="none")
    full = ThumbnailOptions(None, None, "srgb", 10**6, "fail")
    palettes = tmp_path / "part.sqlite"
    cluster(part, plan, palettes, shard="b", shaping=full)
    assert query(palettes, sql) == from_thumbnails[3:]
