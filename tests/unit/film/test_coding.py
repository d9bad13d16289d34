"""How a frame says, or does not say, what its numbers stand for.

That films of every coding come back right is in test_coded_colors.py.
"""

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from films import make_frame
from reelbow.film.coding import MATRICES, Coding, find_coding, to_srgb

SIDE = 16
# Red, skin, sky, dark: wide enough for chroma not to reach from one to the next.
PATCHES = np.array([(255, 0, 0), (224, 172, 105), (70, 130, 180), (20, 30, 25)])
PICTURE = np.tile(PATCHES.repeat(SIDE, axis=0), (SIDE, 1, 1)).astype(np.uint8)


def test_the_coding_given_is_used_not_the_one_the_frame_says() -> None:
    # a film whose first picture says nothing keeps what was assumed
    frame = make_frame(PICTURE, matrix="bt601", color_range="full")
    frame.colorspace = Colorspace.ITU709
    frame.color_range = ColorRange.MPEG
    picture = to_srgb(frame, Coding("bt601", "full"))
    middles = picture[SIDE // 2, SIDE // 2 :: SIDE].astype(int)
    assert np.abs(middles - PATCHES).max() <= 2


def test_flat_color_is_flat() -> None:
    frame = make_frame(PICTURE)
    picture = to_srgb(frame, find_coding(frame))
    for left in range(0, len(PATCHES) * SIDE, SIDE):
        inner = picture[:, left + 3 : left + SIDE - 3]
        assert (inner == inner[0, 0]).all()


@pytest.mark.parametrize(
    ("size", "matrix"),
    [
        ((720, 480), "bt601"),
        ((720, 576), "bt601"),
        ((1278, 576), "bt601"),
        ((1280, 544), "bt709"),
        ((960, 720), "bt709"),
        ((1920, 1080), "bt709"),
    ],
)
def test_a_silent_film_is_taken_for_what_its_size_says(
    size: tuple[int, int], matrix: str
) -> None:
    frame = av.VideoFrame(*size, "yuv420p")
    assert find_coding(frame) == Coding(matrix, "limited", assumed="matrix,color_range")


def test_a_declared_coding_is_not_overruled_by_the_size() -> None:
    frame = av.VideoFrame(1920, 1080, "yuv420p")
    frame.colorspace = Colorspace.ITU601
    frame.color_range = ColorRange.JPEG
    assert find_coding(frame) == Coding("bt601", "full")


def test_yuvj_is_full_range_though_nothing_says_so() -> None:
    coding = find_coding(av.VideoFrame(64, 48, "yuvj420p"))
    assert coding == Coding("bt601", "full", assumed="matrix")


@pytest.mark.parametrize("pixel_format", ["rgb24", "bgr24", "gbrp", "bgr0"])
def test_rgb_stays_as_it_is(pixel_format: str) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (8, 16, 3)).astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
        format=pixel_format
    )
    coding = find_coding(frame)
    assert coding == Coding("rgb", "full")
    np.testing.assert_array_equal(to_srgb(frame, coding), rgb)


def test_every_matrix_has_one_name() -> None:
    numbers = {name: number for number, name in MATRICES.values()}
    assert set(numbers.items()) == {(b, a) for a, b in MATRICES.values()}
