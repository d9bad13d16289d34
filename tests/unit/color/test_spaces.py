import numpy as np
import pytest
from coloraide import Color
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from reelbow.color.spaces import (
    CIELAB_FROM_ROOTS,
    OKLAB_FROM_LINEAR,
    SPACES,
    _invert,
    _take_root,
)

every_space = pytest.mark.parametrize("space", SPACES)

PRIMARIES = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [0, 0, 0]]


# Published


def test_linear_light_is_that_of_the_standard():
    # IEC 61966-2-1: the ends, both sides of where the line meets the curve, and the
    # middle grey.
    values = np.array([0, 0.04045 * 255, 127.5, 188, 255])
    assert_allclose(
        SPACES["linear"].from_srgb(values),
        [0, 0.0031308, 0.2140411, 0.5028865, 1],
        atol=5e-8,
    )


def test_oklab_is_that_of_the_css_color_module():
    # CSS Color 4 and MDN give these for its named colors.
    assert_allclose(
        SPACES["oklab"].from_srgb(PRIMARIES),
        [
            [0.62796, 0.22486, 0.12585],
            [0.86644, -0.23389, 0.17950],
            [0.45201, -0.03246, -0.31153],
            [1, 0, 0],
            [0, 0, 0],
        ],
        atol=6e-6,
    )


# coloraide has OKLab's matrices with more digits than its author.
@pytest.mark.parametrize(
    ("space", "theirs", "tolerance"),
    [
        ("linear", "srgb-linear", 1e-14),
        ("oklab", "oklab", 1e-7),
        ("cielab", "lab-d65", 1e-11),
    ],
)
def test_coloraide_agrees(space, theirs, tolerance):
    colors = np.random.default_rng(0).integers(0, 256, (300, 3))
    # The darkest are on straight lines.
    colors = np.concatenate([PRIMARIES, colors, colors // 16])
    expected = [
        Color("srgb", list(color / 255)).convert(theirs).coords() for color in colors
    ]
    assert_allclose(SPACES[space].from_srgb(colors), expected, atol=tolerance)


# There and back

floats_of_srgb = arrays(
    st.sampled_from([np.float32, np.float64]),
    st.tuples(st.integers(1, 3), st.integers(0, 5), st.just(3)),
    elements=st.floats(0, 255, width=32),
)


@every_space
@given(colors=floats_of_srgb)
def test_a_color_comes_back(space, colors):
    there = SPACES[space].from_srgb(colors)
    back = SPACES[space].to_srgb(there)
    assert there.shape == back.shape == colors.shape
    assert there.dtype == back.dtype == np.float64
    assert_allclose(back, colors, atol=1e-9)


@every_space
def test_every_grey_comes_back_and_is_grey(space):
    greys = np.repeat(np.arange(256)[:, None], 3, axis=1)
    there = SPACES[space].from_srgb(greys)
    assert_allclose(SPACES[space].to_srgb(there), greys, atol=1e-9)
    assert (np.diff(there[:, 0]) > 0).all()
    if space in ("oklab", "cielab"):
        assert_allclose(there[:, 1:], 0, atol=1e-7)


@every_space
def test_one_color_alone_is_converted(space):
    one = SPACES[space].from_srgb([10, 20, 30])
    assert_array_equal(one, SPACES[space].from_srgb([[10, 20, 30]])[0])


@pytest.mark.parametrize("space", ["linear", "oklab", "cielab"])
def test_a_color_outside_of_srgb_is_told_by_its_numbers(space):
    # A mean in a space may be such a color.
    colors = np.array([[300.0, 20, 20], [-10, 20, 20]])
    back = SPACES[space].to_srgb(SPACES[space].from_srgb(colors))
    assert_allclose(back, colors, atol=1e-9)


# Roots


@pytest.mark.parametrize("degree", [3, 5])
def test_roots_are_right_to_the_last_bits(degree):
    values = np.concatenate([np.geomspace(1e-12, 20, 10_001), [0.0031308, 1, 8, 32]])
    roots = _take_root(values, degree)
    assert_allclose(roots, values ** (1 / degree), rtol=1e-15)
    assert_array_equal(_take_root(-values, degree), -roots)
    assert _take_root(np.zeros(1), degree) == 0


def test_inverses_are_inverse():
    for matrix in (OKLAB_FROM_LINEAR, CIELAB_FROM_ROOTS):
        assert_allclose(_invert(matrix) @ matrix, np.eye(3), atol=1e-15)
