from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from reelbow.pictures.area_average import MAX_LINES, average_areas, average_rows


def weigh(length: int, parts: int) -> NDArray[np.float64]:
    """How much of each of `length` pixels lies in each of `parts`: (parts, length)."""
    edges = np.arange(parts + 1) * length / parts
    starts, ends = edges[:-1, None], edges[1:, None]
    pixels = np.arange(length)
    return np.clip(np.minimum(ends, pixels + 1) - np.maximum(starts, pixels), 0, 1)


def average_exactly(
    picture: NDArray[np.uint8], size: tuple[int, int]
) -> NDArray[np.float64]:
    down, across = weigh(picture.shape[0], size[0]), weigh(picture.shape[1], size[1])
    sums = np.einsum("rh,hwc,vw->rvc", down, picture.astype(float), across)
    return sums * size[0] * size[1] / (picture.shape[0] * picture.shape[1])


def noise(height: int, width: int, seed: int = 0, level: int = 1) -> NDArray[Any]:
    """Draw a picture of bytes; with level 257 one of 16 bits."""
    rng = np.random.default_rng(seed)
    dtype = np.uint8 if level == 1 else np.uint16
    return rng.integers(0, 255 * level + 1, (height, width, 3), dtype)


@settings(max_examples=90, deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 90),
    seed=st.integers(0, 9),
    level=st.sampled_from([1, 257]),
    data=st.data(),
)
def test_any_size_is_an_average_over_areas(height, width, seed, level, data):
    size = data.draw(st.integers(1, height)), data.draw(st.integers(1, width))
    picture = noise(height, width, seed, level)
    small, means = average_areas(picture, size)
    # Edges of areas are taken to 256ths of a pixel.
    errors = np.abs(small - average_exactly(picture, size) / level)
    assert errors.max() < 0.5 + 2.1
    # Rounding alone is a quarter of a level on average, if not of a few values.
    assert errors.size < 300 or errors.mean() < 0.5
    assert means == pytest.approx(picture.mean(axis=1) / level)


@pytest.mark.parametrize("size", [(6, 4), (12, 8), (2, 1), (1, 16), (24, 16)])
def test_whole_factors_are_exact(size):
    picture = noise(24, 16)
    small, _ = average_areas(picture, size)
    exact = average_exactly(picture, size)
    assert np.abs(small - exact).max() <= 0.5 + 1e-9


def test_the_same_size_is_the_same_picture():
    picture = noise(7, 33)
    small, _ = average_areas(picture, (7, 33))
    assert (small == picture).all()


def test_white_stays_white_in_the_largest_sums():
    picture = np.full((4000, 40, 3), 255, np.uint8)
    small, means = average_areas(picture, (1, 1))
    assert small.tolist() == [[[255, 255, 255]]]
    assert (means == 255).all()
    assert average_areas(picture, (3, 7))[0].min() == 255


@pytest.mark.parametrize("level", [1, 257])
@pytest.mark.parametrize("shape", [(2, 16_500), (700, 3)])
def test_white_stays_white_in_the_largest_narrow_sums(shape, level):
    white = np.full((*shape, 3), 255 * level, np.uint8 if level == 1 else np.uint16)
    for size in ((1, 1), (2, 3)):
        small, means = average_areas(white, size)
        assert (small == 255).all()
        assert (means == 255).all()


def test_16_bits_that_are_8_have_the_same_averages():
    picture = noise(37, 61)
    for size in ((37, 61), (5, 7), (1, 1)):
        small, means = average_areas(257 * picture.astype(np.uint16), size)
        expected, expected_means = average_areas(picture, size)
        assert (small == expected).all()
        assert_allclose(means, expected_means, rtol=1e-15)


def test_16_bits_of_white_stay_white_in_the_largest_sums():
    picture = np.full((MAX_LINES, 40, 3), 65_535, np.uint16)
    small, means = average_areas(picture, (1, 1))
    assert small.tolist() == [[[255, 255, 255]]]
    assert (means == 255).all()


@pytest.mark.parametrize("shape", [(1, 1), (33, 70), (MAX_LINES + 3, 2)])
def test_rows_alone(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(3).integers(0, 256, (*shape, 3), np.uint8)
    assert_allclose(average_rows(picture), picture.mean(axis=1), rtol=1e-12)
