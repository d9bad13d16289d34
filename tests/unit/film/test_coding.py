"""Decoded colors are right: built plane by plane from sRGB, by the formulas alone."""

from typing import Literal

import av
import numpy as np
import pytest
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace
from numpy.typing import NDArray

from films import Matrix, Range
from reelbow.film.coding import MATRICES, Coding, find_coding, to_srgb

# How much red and blue weigh in luma: ITU-R BT.601-7, BT.709-6, BT.2020-2.
WEIGHTS: dict[str, tuple[float, float]] = {
    "bt601": (0.299, 0.114),
    "bt709": (0.2126, 0.0722),
    "bt2020": (0.2627, 0.0593),
}
SPACES = {
    "bt601": Colorspace.ITU601,
    "bt709": Colorspace.ITU709,
    "bt2020": Colorspace.BT2020,
}
# (r, g, b): gray, primaries and their mixtures, skin, sky
PATCHES = [
    (0, 0, 0),
    (255, 255, 255),
    (128, 128, 128),
    (255, 0, 0),
    (0, 255, 0),
    (0, 0, 255),
    (255, 255, 0),
    (0, 255, 255),
    (255, 0, 255),
    (224, 172, 105),
    (70, 130, 180),
    (20, 30, 25),
]
SIDE = 16  # of a patch; wide enough that chroma of neighbors does not reach its middle


def code_values(
    rgb: tuple[int, int, int], matrix: str, color_range: str, bits: int
) -> tuple[int, int, int]:
    """Compute Y, Cb, Cr of an sRGB color, by hand."""
    kr, kb = WEIGHTS[matrix]
    r, g, b = (each / 255 for each in rgb)
    y = kr * r + (1 - kr - kb) * g + kb * b
    cb, cr = (b - y) / (2 - 2 * kb), (r - y) / (2 - 2 * kr)
    top, unit = 2**bits - 1, 2 ** (bits - 8)
    if color_range == "limited":
        codes = (
            (16 + 219 * y) * unit,
            (128 + 224 * cb) * unit,
            (128 + 224 * cr) * unit,
        )
    else:
        codes = (y * top, 128 * unit + cb * top, 128 * unit + cr * top)
    low, middle, high = (min(max(round(code), 0), top) for code in codes)
    return low, middle, high


def patches(
    matrix: Matrix, color_range: Range, bits: Literal[8, 10], *, tagged: bool = True
) -> av.VideoFrame:
    """Build a 4:2:0 frame of all patches side by side."""
    width = SIDE * len(PATCHES)
    frame = av.VideoFrame(width, SIDE, "yuv420p" if bits == 8 else "yuv420p10le")
    codes = [code_values(patch, matrix, color_range, bits) for patch in PATCHES]
    for channel, plane in enumerate(frame.planes):
        side = SIDE if channel == 0 else SIDE // 2
        line = np.repeat([code[channel] for code in codes], side)
        samples = np.tile(line, (side, 1)).astype(np.uint8 if bits == 8 else "<u2")
        padded = np.zeros((side, plane.line_size), np.uint8)
        packed = samples.view(np.uint8)
        padded[:, : packed.shape[1]] = packed
        plane.update(padded.tobytes()[: plane.buffer_size])
    if tagged:
        frame.colorspace = SPACES[matrix]
        frame.color_range = (
            ColorRange.MPEG if color_range == "limited" else ColorRange.JPEG
        )
        # else those of BT.2020 would follow from its matrix
        frame.color_primaries = ColorPrimaries.BT709
    return frame


def middles(picture: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Read the color in the middle of each patch."""
    half = SIDE // 2
    return picture[half, half::SIDE].astype(np.int64)


@pytest.mark.parametrize("matrix", ["bt601", "bt709", "bt2020"])
@pytest.mark.parametrize("color_range", ["limited", "full"])
@pytest.mark.parametrize(("bits", "within"), [(8, 2), (10, 1)])
def test_a_film_s_matrix_range_and_depth_are_undone(
    matrix: Matrix, color_range: Range, bits: Literal[8, 10], within: int
) -> None:
    frame = patches(matrix, color_range, bits)
    coding = find_coding(frame)
    assert coding == Coding(matrix, color_range)
    picture = to_srgb(frame, coding)
    assert picture.shape == (SIDE, SIDE * len(PATCHES), 3)
    assert picture.dtype == np.uint8
    assert np.abs(middles(picture) - np.array(PATCHES)).max() <= within


@pytest.mark.parametrize("other", ["bt601", "bt2020"])
def test_the_matrix_matters(other: str) -> None:
    # else the test above could pass by chance
    frame = patches("bt709", "limited", 8)
    wrong = to_srgb(frame, Coding(other, "limited"))
    assert np.abs(middles(wrong) - np.array(PATCHES)).max() > 10


def test_the_coding_given_is_used_not_the_one_the_frame_says() -> None:
    # a film whose first picture says nothing keeps what was assumed
    frame = patches("bt601", "full", 8)
    frame.colorspace = SPACES["bt709"]
    frame.color_range = ColorRange.MPEG
    picture = to_srgb(frame, Coding("bt601", "full"))
    assert np.abs(middles(picture) - np.array(PATCHES)).max() <= 2


def test_flat_color_is_flat() -> None:
    frame = patches("bt709", "limited", 8)
    picture = to_srgb(frame, find_coding(frame))
    for number in range(len(PATCHES)):
        inner = picture[:, number * SIDE + 3 : (number + 1) * SIDE - 3]
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
