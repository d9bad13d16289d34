"""Tiled TIFFs, as other programs read them."""

import cv2
import numpy as np
import pytest
from PIL import Image

from reelbow.barcode import tiled_tiff
from reelbow.barcode.tiled_tiff import TILE, write_tiff


def make_picture(height, width):
    rng = np.random.default_rng(height + width)
    return rng.integers(0, 256, (height, width, 3), np.uint8)


def write(path, pixels, **texts):
    parts = (pixels[:, x : x + TILE] for x in range(0, pixels.shape[1], TILE))
    write_tiff(path, parts, **{"software": "Reelbow", **texts})


@pytest.mark.parametrize("is_big", [False, True])
@pytest.mark.parametrize("height", [1, 17, TILE, TILE + 1, 2 * TILE + 30])
@pytest.mark.parametrize("width", [1, TILE, TILE + 1, 3 * TILE - 5])
def test_other_programs_read_its_pixels(tmp_path, monkeypatch, height, width, is_big):
    if is_big:
        monkeypatch.setattr(tiled_tiff, "_MOST_BYTES", 0)
    pixels = make_picture(height, width)
    path = tmp_path / "a.tif"
    write(path, pixels, description="of figures")
    assert path.read_bytes()[:4] == (b"II\x2b\0" if is_big else b"II\x2a\0")
    with Image.open(path) as image:
        assert image.tag_v2[322] == TILE
        assert image.tag_v2[270] == "of figures"
        assert image.tag_v2[305] == "Reelbow"
        np.testing.assert_array_equal(np.asarray(image), pixels)
    np.testing.assert_array_equal(cv2.imread(str(path))[..., ::-1], pixels)


def test_what_it_is_stands_in_its_first_bytes(tmp_path):
    path = tmp_path / "a.tif"
    write(path, make_picture(20, 1000))
    assert b"Reelbow\0" in path.read_bytes()[:100]
    with Image.open(path) as image:
        assert 270 not in image.tag_v2
