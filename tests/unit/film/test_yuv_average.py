import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from films import fill_planes
from reelbow.film.coding import Coding, to_srgb
from reelbow.film.yuv_average import SHIFTS, average_frame, find_gains
from reelbow.pictures.geometry import shape_picture

CODING = Coding("bt709", "limited")


def soft(size: tuple[int, int], name: str = "yuv420p", seed: int = 0) -> av.VideoFrame:
    """A frame of soft shapes, well within what RGB has, and noise in its luma.

    None in its chroma: between two columns of it, each way sees another color.
    """
    rng = np.random.default_rng(seed)
    width, height = size
    y, x = np.mgrid[:height, :width] / 16
    planes = [128 + 60 * np.sin(x + phase) * np.cos(y - phase) for phase in (0, 1, 2)]
    planes = [planes[0], *(128 + (plane - 128) / 3 for plane in planes[1:])]
    planes[0] = planes[0] + rng.integers(-4, 5, (height, width))
    return fill_planes(
        size, name, *(np.rint(plane).astype(np.uint8) for plane in planes)
    )


def average(frame, coding=CODING, crop=None, size=None):
    crop = crop or (0, 0, frame.width, frame.height)
    return average_frame(frame, coding, crop=crop, size=size or (crop[3], crop[2]))


# The formats yuvj... are full range by definition.
KINDS = [(name, "full") for name in sorted(SHIFTS)]
KINDS += [(name, "limited") for name in sorted(SHIFTS) if "j" not in name]


@pytest.mark.parametrize("matrix", ["bt601", "bt709", "bt2020"])
@pytest.mark.parametrize(("name", "color_range"), KINDS)
def test_it_is_what_rgb_first_gives(name, matrix, color_range):
    coding = Coding(matrix, color_range)
    frame = soft((64, 48), name)
    picture, means = average(frame, coding, size=(12, 16))
    rgb = to_srgb(frame, coding)
    exact = rgb.reshape(12, 4, 16, 4, 3).mean(axis=(1, 3))
    assert np.abs(picture - exact).max() < 2
    assert np.abs(picture - exact).mean() < 0.5
    assert np.abs(means - rgb.mean(axis=1)).max() < 0.5
    assert means.mean(axis=0) == pytest.approx(rgb.mean(axis=(0, 1)), abs=0.06)


@pytest.mark.parametrize(
    ("codes", "rgb"),
    # Limited range: black, white, below and above them, and BT.709's red.
    [
        ((16, 128, 128), (0, 0, 0)),
        ((235, 128, 128), (255, 255, 255)),
        ((0, 128, 128), (0, 0, 0)),
        ((255, 128, 128), (255, 255, 255)),
        ((63, 102, 240), (255, 0, 0)),
        ((126, 128, 128), (128, 128, 128)),
    ],
)
def test_flat_colors_by_hand(codes, rgb):
    planes = [np.full((9, 7), code, np.uint8) for code in codes]
    picture, means = average(fill_planes((7, 9), "yuv444p", *planes), size=(4, 3))
    assert np.abs(picture.astype(int) - rgb).max() <= 1
    assert np.abs(means - rgb).max() <= 1


def test_averages_over_parts_of_pixels():
    luma = np.array([[16, 16, 235]], np.uint8)
    gray = np.full((1, 3), 128, np.uint8)
    picture, means = average(
        fill_planes((3, 1), "yuv444p", luma, gray, gray), size=(1, 2)
    )
    # Half of the middle pixel belongs to each: 0, and two thirds of white.
    assert picture[0].tolist() == [[0, 0, 0], [170, 170, 170]]
    assert means == pytest.approx(np.full((1, 3), 85.0), abs=0.02)


def test_lines_are_averaged_by_parts_too():
    luma = np.array([[16], [16], [235]], np.uint8)
    gray = np.full((3, 1), 128, np.uint8)
    picture, _ = average(fill_planes((1, 3), "yuv444p", luma, gray, gray), size=(2, 1))
    assert picture[:, 0, 0].tolist() == [0, 170]


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    x=st.integers(0, 9),
    y=st.integers(0, 9),
    width=st.integers(1, 30),
    height=st.integers(1, 30),
    data=st.data(),
)
def test_any_crop_and_size(kind, x, y, width, height, data):
    name, color_range = kind
    coding = Coding("bt709", color_range)
    rows = data.draw(st.integers(1, height))
    columns = data.draw(st.integers(1, width))
    frame = soft((41, 43), name)
    crop = (x, y, width, height)
    picture, means = average(frame, coding, crop=crop, size=(rows, columns))
    kept = to_srgb(frame, coding)[y : y + height, x : x + width]
    exact = shape_picture(kept, full=(rows, columns)).astype(float)
    assert picture.shape == (rows, columns, 3)
    assert means.shape == (height, 3)
    assert np.abs(picture.mean(axis=(0, 1)) - exact.mean(axis=(0, 1))).max() < 3
    weights = np.ones(len(means)) / len(means)
    assert (weights @ means) == pytest.approx(kept.mean(axis=(0, 1)), abs=3)


@pytest.mark.parametrize(
    ("coding", "name", "size"),
    [
        (CODING, "yuv420p10le", (4, 4)),
        (CODING, "gbrp", (4, 4)),
        (Coding("smpte240m", "limited"), "yuv420p", (4, 4)),
        (Coding("bt2020", "limited", transfer="pq"), "yuv420p", (4, 4)),
        (Coding("bt2020", "limited", primaries="bt2020"), "yuv420p", (4, 4)),
        (CODING, "yuv420p", (9, 4)),
        (CODING, "yuv420p", (4, 9)),
    ],
)
def test_what_it_does_not_know_is_left_to_others(coding, name, size):
    assert average(av.VideoFrame(8, 8, name), coding, size=size) is None


def test_so_many_lines_to_a_row_that_sums_would_overflow_are_left_to_others():
    frame = av.VideoFrame(2, 2000, "yuv420p")
    assert average(frame, size=(1, 1)) is None
    assert average(frame, size=(4, 1)) is not None


def test_white_does_not_overflow():
    planes = [np.full((2000, 16), code, np.uint8) for code in (235, 128, 128)]
    picture, means = average(fill_planes((16, 2000), "yuv444p", *planes), size=(4, 1))
    assert picture.min() == 255
    assert means == pytest.approx(np.full((2000, 3), 255.0), abs=0.02)


def test_gains_are_those_of_the_standard():
    # BT.709-6 by hand: 255/219, 1.5748 x 255/224, ..., 1.8556 x 255/224.
    # In 4096ths of 64ths of a level; chroma comes in quarters.
    gains = find_gains("bt709", full_range=False) / (4096 * 64)
    luma, black = gains[:, 0], gains[:, 1]
    assert luma == pytest.approx([1.164384] * 3, abs=1e-5)
    assert black == pytest.approx(-16 * luma + 1 / 128, abs=1e-5)
    chroma = [[0, 1.792741], [-0.213249, -0.532909], [2.112402, 0]]
    assert 4 * gains[:, 2:] == pytest.approx(np.array(chroma), abs=1e-5)
