"""How many colors a frame gets with n_colors "auto"."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.cluster.hierarchy import linkage

from reelbow.errors import ReelbowError
from reelbow.kmeans import find_palettes
from reelbow.kmeans.number_of_colors import choose_numbers, find_losses

SKY, WHITE, BRICK, SEA = [95, 150, 215], [255, 255, 255], [200, 60, 40], [30, 90, 160]

both_engines = pytest.mark.parametrize("engine", ["numba", "sklearn"])


def make_frame(*colors, noise=0.0, seed=0):
    """One frame of upright stripes of the colors: (1, 90, 160, 3)."""
    stripes = np.array(colors)[np.arange(160) * len(colors) // 160]
    noisy = stripes + np.random.default_rng(seed).normal(0, noise, (90, 160, 3))
    return noisy.clip(0, 255).astype(np.uint8)[None]


def make_sky(high, low):
    """One frame that goes from one color above to another one below."""
    part = np.linspace(0, 1, 90)[:, None, None]
    sky = (1 - part) * np.array(high) + part * np.array(low)
    noise = np.random.default_rng(0).normal(0, 2, (90, 160, 3))
    return (sky + noise).clip(0, 255).astype(np.uint8)[None]


def make_street():
    """One frame of many things, each of its own color and light."""
    rng = np.random.default_rng(1)
    blocks = rng.integers(0, 256, (6, 8, 3)).repeat(15, axis=0).repeat(20, axis=1)
    noisy = blocks + rng.normal(0, 12, blocks.shape)
    return noisy.clip(0, 255).astype(np.uint8)[None]


FRAMES = np.concatenate(
    [
        make_frame(SKY, noise=1),
        make_street(),
        make_frame(BRICK, SEA, noise=3),
        make_street()[:, ::-1, ::-1] // 2,
        make_sky([70, 120, 200], [150, 190, 230]),
        make_frame(WHITE),
    ]
)


def count(palettes):
    return (palettes.shares > 0).sum(axis=1).tolist()


# Mergers


def test_losses_are_those_computed_by_hand():
    points = np.array([[[0, 0, 0], [1, 0, 0], [1, 0.1, 0], [9, 9, 9]]], float)
    shares = np.array([[0.5, 0.25, 0.25, 0]])
    # What is missing; the two that are near; half and half at (1, 0.05) apart.
    near = 0.1**2 * 0.25 * 0.25 / 0.5
    far = (1 + 0.05**2) * 0.5 * 0.5
    assert_allclose(find_losses(points, shares), [[0, near, far]])


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 20))
def test_losses_are_those_of_ward_and_sum_to_the_variance(seed, k):
    points = np.random.default_rng(seed).normal(size=(3, k, 3))
    losses = find_losses(points, np.full((3, k), 1 / k))
    variance = points.var(axis=1).sum(axis=1)
    assert_allclose(losses.sum(axis=1), variance, atol=1e-12)
    if k > 1:
        # SciPy gives the root of twice the loss of points of weight 1.
        expected = [linkage(each, "ward")[:, 2] ** 2 / 2 / k for each in points]
        assert_allclose(losses, expected, rtol=1e-9)


def test_a_color_is_kept_if_it_gains_more_than_it_costs():
    # Grays of about L = 0.6, of which halves differ by 2 sqrt(COST) or a little more.
    for apart, number in [(8, 1), (12, 2)]:
        grays = np.full((1, 2, 3), 128, np.float32)
        grays[0, 1] += apart
        assert choose_numbers(grays, np.full((1, 2), 0.5, np.float32)) == [number]


# Frames


@both_engines
def test_each_frame_gets_as_many_colors_as_it_needs(engine):
    how = {"n_colors": "auto", "n_init": 2, "engine": engine}
    plain, street, two, dark_street, sky, white = count(find_palettes(FRAMES, **how))
    assert (plain, two, white) == (1, 2, 1)
    assert 2 <= sky <= 5
    assert street >= 9
    assert 6 <= dark_street < street


@both_engines
def test_its_two_colors_are_right_in_spite_of_noise(engine):
    frame = make_frame(BRICK, SEA, noise=8)
    palettes = find_palettes(frame, n_colors="auto", engine=engine)
    assert count(palettes) == [2]
    found = sorted(palettes.colors[0, :2].tolist())
    assert_allclose(found, sorted([SEA, BRICK]), atol=1)
    assert_allclose(palettes.shares[0, :2], 0.5, atol=0.01)


def test_a_palette_is_that_of_its_number_of_colors_and_of_its_frame_alone():
    how = {"seed": 3, "color_space": "oklab"}
    found = find_palettes(FRAMES, n_colors="auto", **how)
    assert found.colors.shape == (len(FRAMES), 12, 3)
    assert len({*count(found)}) > 2
    for i, k in enumerate(count(found)):
        frame = FRAMES[i : i + 1]
        alone = find_palettes(frame, n_colors="auto", **how)
        fixed = find_palettes(frame, n_colors=k, **how)
        for whole, one, few in zip(found, alone, fixed, strict=True):
            assert_array_equal(whole[i], one[0])
            assert_array_equal(whole[i, :k], few[0])
            assert not whole[i, k:].any()


@pytest.mark.parametrize("bounds", [(1, 3), (3, 5), (2, 2), [20, 40]])
def test_the_bounds_are_kept(bounds):
    least, most = bounds
    palettes = find_palettes(FRAMES, n_colors="auto", auto_colors=bounds)
    assert palettes.shares.shape == (len(FRAMES), most)
    *others, white = count(palettes)
    assert least <= min(others) <= max(others) <= most
    # None are invented.
    assert white == 1


def test_no_frames_have_no_palettes():
    for frames in (np.empty((0, 9, 16, 3), np.uint8), []):
        assert find_palettes(frames, n_colors="auto").shares.shape == (0, 12)


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        (
            {"n_colors": "many"},
            "n_colors must be a whole number, 1 to 256, or 'auto', not 'many'.",
        ),
        ({"auto_colors": (0, 3)}, "the fewest of auto_colors must be 1 to 3, not 0."),
        ({"auto_colors": (5, 3)}, "the fewest of auto_colors must be 1 to 3, not 5."),
        (
            {"auto_colors": (1, 300)},
            "the most of auto_colors must be 1 to 256, not 300.",
        ),
        (
            {"auto_colors": 12},
            "auto_colors must be two whole numbers, the fewest colors and the most, "
            "not 12.",
        ),
    ],
)
def test_a_wrong_setting_is_told_in_one_sentence(how, sentence):
    with pytest.raises(ReelbowError) as caught:
        find_palettes(FRAMES, **{"n_colors": "auto", **how})
    assert str(caught.value) == sentence
