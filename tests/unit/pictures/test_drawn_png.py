"""PNGs of drawings, as others read them."""

import io
import zlib

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from reelbow.pictures.drawn_png import encode_drawing
from reelbow.pictures.strokes import draw_colored_strokes, draw_strokes

RNG = np.random.default_rng(0)
STROKES = [RNG.normal(size=(20, 2)).cumsum(axis=0) for _ in range(3)]


def check(picture: NDArray[np.uint8], *, is_gray: bool) -> int:
    """Hold a drawing against what Pillow and OpenCV read of it; count its bytes."""
    data = encode_drawing(picture, is_gray=is_gray)
    Image.open(io.BytesIO(data)).verify()
    image = Image.open(io.BytesIO(data))
    assert (image.format, image.mode) == ("PNG", "L" if is_gray else "RGB")
    wanted = picture[..., 0] if is_gray and picture.ndim == 3 else picture
    assert np.array_equal(np.asarray(image), wanted)
    read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(read if is_gray else read[..., ::-1], wanted)
    return len(data)


@pytest.mark.parametrize("shape", [(1, 1), (5, 300), (300, 1), (64, 33)])
@pytest.mark.parametrize("n_levels", [1, 2, 256])
def test_any_levels_come_out_as_they_went_in(shape, n_levels):
    check(RNG.integers(0, n_levels, shape, np.uint8), is_gray=True)
    check(RNG.integers(0, n_levels, (*shape, 3), np.uint8), is_gray=False)
    gray = RNG.integers(0, n_levels, (*shape, 1), np.uint8)
    check(gray.repeat(3, axis=2), is_gray=True)
    # As dark as it gets, for the checksum.
    check(np.full(shape, 256 - n_levels, np.uint8), is_gray=True)


def test_runs_of_every_length_come_out_as_they_went_in():
    lengths = np.arange(700)
    is_run = np.arange(750) < lengths[:, np.newaxis]
    rows = np.where(is_run, 7, RNG.integers(8, 256, is_run.shape)).astype(np.uint8)
    check(rows, is_gray=True)
    check(rows[:, ::-1], is_gray=True)
    check(np.dstack([rows, 2 * rows, ~rows]), is_gray=False)


@pytest.mark.parametrize(
    ("draw", "size"),
    [(draw_strokes, 28), (draw_strokes, 256), (draw_colored_strokes, 256)],
)
def test_drawings_become_about_as_small_as_zlib_makes_runs(draw, size):
    picture = draw(STROKES, size=size, thickness=0.025)
    n_bytes = check(picture, is_gray=picture.ndim == 2)
    rows = picture.reshape(size, -1)
    whole = np.hstack([np.zeros((size, 1), np.uint8), rows]).tobytes()
    packer = zlib.compressobj(1, strategy=zlib.Z_RLE)
    n_wanted = len(packer.compress(whole) + packer.flush())
    # What tells its codes takes 150 bytes.
    assert n_bytes < 1.3 * n_wanted + 150
