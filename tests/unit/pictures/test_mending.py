"""Mended pictures: what stays, and under which name and how they are written."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from reelbow.pictures.mending import Spot, mend, mend_file, name_copy

SPOT = Spot(20, 30, 20, 30, 20, 30, channel=1, gain=None)


def draw():
    """Draw a soft picture, (48, 64, 3) uint8."""
    coarse = np.random.default_rng(1).uniform(40, 210, (4, 5, 3)).astype(np.float32)
    return cv2.resize(coarse, (64, 48), interpolation=cv2.INTER_CUBIC).astype(np.uint8)


def test_a_spot_is_mended_and_all_else_stays():
    good = draw()
    broken = good.copy()
    broken[20, 30, 1] = 255
    mended = mend(broken, [SPOT])
    assert np.abs(mended[20, 30].astype(int) - good[20, 30]).max() <= 10
    changed = (mended != broken).any(-1)
    assert not changed[[18, 22]].any()
    assert not changed[:, [28, 32]].any()
    assert (broken != good).any(-1).sum() == 1


def test_a_pixel_of_low_gain_keeps_what_it_sees():
    good = draw()
    good[20, 30] += 30
    broken = good.copy()
    broken[20, 30, 1] = round(0.8 * good[20, 30, 1])
    filled = mend(broken, [SPOT])
    raised = mend(broken, [SPOT._replace(gain=0.8)])
    one, other = (
        np.abs(each[20, 30].astype(int) - good[20, 30]).max()
        for each in (filled, raised)
    )
    assert other <= 10 < 20 <= one


def test_spots_at_the_border_are_mended():
    picture = np.full((9, 9, 3), 90, np.uint8)
    picture[0, 0] = picture[8, 8] = 255
    spots = [Spot(y, y, y, y, y, y, channel=0, gain=None) for y in (0, 8)]
    assert np.abs(mend(picture, spots).astype(int) - 90).max() <= 1


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("how", [{"subsampling": 2}, {"progressive": True}])
def test_a_jpeg_is_written_as_it_was(mode, how):
    stream = io.BytesIO()
    image = Image.fromarray(draw()).convert(mode)
    image.save(stream, "JPEG", quality=83, icc_profile=b"x" * 200, **how)
    data, suffix = mend_file(
        stream.getvalue(), np.asarray(image.convert("RGB")), [SPOT]
    )
    assert suffix == ".jpg"
    before, after = (Image.open(io.BytesIO(each)) for each in (stream.getvalue(), data))
    assert after.mode == mode
    assert after.quantization == before.quantization
    # Of a single channel it says nothing.
    assert mode == "L" or after.layer == before.layer
    for key in ("progressive", "icc_profile"):
        assert after.info.get(key) == before.info.get(key)
    # Further than a block from the spot.
    pixels = [np.asarray(each, int)[:, 48:] for each in (before, after)]
    assert np.abs(pixels[0] - pixels[1]).max() <= 3


@pytest.mark.parametrize(
    ("name", "suffix", "expected"),
    [
        ("IMG_1.JPG", ".jpg", "IMG_1.JPG"),
        ("a/b.jpeg", ".jpg", "a/b.jpeg"),
        ("a.png", ".png", "a.png"),
        ("a.tif", ".png", "a.tif.png"),
        ("../../etc/./x.jpg", ".jpg", "etc/x.jpg"),
        ("/x.heic", ".png", "x.heic.png"),
    ],
)
def test_copies_have_the_names_of_originals_and_stay_in_their_folder(
    name, suffix, expected
):
    assert str(name_copy(name, suffix)) == expected
