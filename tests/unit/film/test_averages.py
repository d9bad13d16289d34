"""Means, strips and luma of photographs agree with exact float averages."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_sample_image

from formulas import average_exactly
from reelbow.pictures.averages import Averages, shape_and_average
from reelbow.pictures.geometry import Crop
from reelbow.pictures.image_files import decode_image
from shared_films import FOLDER, shared_film

Picture = NDArray[np.uint8]

WITHIN = 0.1
PHOTOS = ["china.jpg", "flower.jpg"]


def average_picture(
    picture: NDArray[np.uint8], *, rows: int, space: str = "srgb"
) -> Averages:
    full = picture.shape[:2]
    _, averages = shape_and_average(
        picture, full=full, crop=None, height=rows, space=space
    )
    return averages


def photograph(name: str) -> Picture:
    return np.asarray(load_sample_image(name), np.uint8)


def check(found: Any, picture: Picture, space: str) -> None:
    mean, strip, luma = average_exactly(picture, len(found.strip), space)
    assert np.abs(found.mean - mean).max() < WITHIN
    assert np.abs(found.strip - strip).max() < WITHIN
    assert abs(found.luma - luma) < WITHIN


@pytest.mark.parametrize("space", ["srgb", "linear"])
@pytest.mark.parametrize("rows", [427, 300, 97, 1])
@pytest.mark.parametrize("name", PHOTOS)
def test_averages_are_those_of_all_pixels(name: str, rows: int, space: str) -> None:
    picture = photograph(name)
    check(average_picture(picture, rows=rows, space=space), picture, space)


@pytest.mark.parametrize("space", ["srgb", "linear"])
@pytest.mark.parametrize("crop", [None, Crop(500, 301, 70, 33)])
@pytest.mark.parametrize("height", [None, 90, 7])
def test_they_are_of_what_the_crop_keeps_whatever_becomes_of_the_picture(
    height: int | None, crop: Crop | None, space: str
) -> None:
    picture = photograph("china.jpg")
    small, found = shape_and_average(
        picture,
        full=picture.shape[:2],
        crop=crop,
        height=height,
        space=space,
    )
    kept = picture if crop is None else picture[33:334, 70:570]
    assert len(small) == (height or len(kept))
    assert len(found.strip) == len(small)
    check(found, kept, space)


def test_light_and_code_values_have_different_averages() -> None:
    picture = np.zeros((4, 4, 3), np.uint8)
    picture[:, 2:] = 255
    assert average_picture(picture, rows=4).mean == pytest.approx([127.5] * 3)
    # half the light: 1.055 * 0.5 ** (1 / 2.4) - 0.055, as sRGB
    found = average_picture(picture, rows=4, space="linear")
    assert found.mean == pytest.approx([187.516] * 3, abs=0.01)
    assert found.strip == pytest.approx(np.full((4, 3), 187.516), abs=0.01)
    # how dark a frame is does not depend on it
    assert found.luma == pytest.approx(127.5)


def test_luma_weighs_the_channels_as_rec_709_does() -> None:
    picture = np.full((3, 5, 3), (200, 100, 50), np.uint8)
    luma = 0.2126 * 200 + 0.7152 * 100 + 0.0722 * 50
    assert average_picture(picture, rows=1).luma == pytest.approx(luma)


def real_photographs() -> list[str]:
    paths = sorted((FOLDER / "photos").glob("*.*"))
    return [path.name for path in paths] or ["none"]


@pytest.mark.shared
@pytest.mark.parametrize("space", ["srgb", "linear"])
@pytest.mark.parametrize("name", real_photographs())
def test_averages_of_real_photographs_are_exact(name: str, space: str) -> None:
    path = shared_film(f"photos/{name}")
    with Image.open(path) as opened:
        picture = np.asarray(opened.convert("RGB"))
    image = decode_image(path.read_bytes())
    assert np.array_equal(image.picture, picture)
    for rows in (len(picture), 300):
        check(average_picture(image.picture, rows=rows, space=space), picture, space)
