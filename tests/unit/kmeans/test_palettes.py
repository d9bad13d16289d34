import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numba
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

import reelbow
from reelbow.color.spaces import SPACES
from reelbow.errors import ReelbowError
from reelbow.film import Frame
from reelbow.kmeans import Palettes, combine_palettes, find_palettes
from reelbow.kmeans import palettes as kmeans
from reelbow.kmeans.histogram import make_histogram
from reelbow.kmeans.search import _add_up, _fold, _next_random
from reelbow.kmeans.space import describe_space, leave_srgb

BLACK, RED, BLUE, WHITE = [0, 0, 0], [255, 0, 0], [0, 0, 255], [255, 255, 255]

both_engines = pytest.mark.parametrize("engine", ["numba", "sklearn"])
# What only compiled code calls, as compiled.
add_up, fold, next_random, move_points = map(
    numba.njit, (_add_up, _fold, _next_random, leave_srgb)
)

every_space = pytest.mark.parametrize("color_space", kmeans.COLOR_SPACES)


def make_frame(pixels):
    """One frame of one row of colors: (1, 1, w, 3)."""
    return np.array([[pixels]], np.uint8)


def make_photo(seed=0, height=90, width=160, spread=12):
    """One frame like a photo: smooth in the large, noisy in the small."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    waves = [
        np.sin(2 * np.pi * (rng.uniform(0, 2) * x + rng.uniform(0, 2) * y + phase))
        for phase in rng.uniform(0, 1, 3)
    ]
    smooth = 128 + 80 * np.stack(waves, axis=-1)
    noisy = smooth + rng.normal(0, spread, smooth.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)[None]


def measure_inertia(frame, palettes, color_space="srgb"):
    """Sum the squared distances of a frame's pixels to their nearest colors."""
    from_srgb = SPACES[color_space].from_srgb
    colors = from_srgb(palettes.colors[0][palettes.shares[0] > 0])
    squared = ((from_srgb(frame.reshape(-1, 1, 3)) - colors) ** 2).sum(axis=2)
    return squared.min(axis=1).sum()


def compare_inertia(frame, color_space="srgb", n_colors=6):
    """How much more inertia engine numba leaves than sklearn, in the space."""
    how = {"n_colors": n_colors, "color_space": color_space}
    ours, reference = (
        measure_inertia(frame, find_palettes(frame, engine=engine, **how), color_space)
        for engine in ("numba", "sklearn")
    )
    return ours / reference


def assert_same(one, other):
    """Bit for bit."""
    assert_array_equal(one.colors, other.colors)
    assert_array_equal(one.shares, other.shares)


# Hand-computed


@both_engines
@pytest.mark.parametrize(
    ("pixels", "colors", "shares"),
    [
        pytest.param(
            [[0, 0, 0], [2, 4, 6], [200, 100, 50], [202, 102, 50]],
            [[1, 2, 3], [201, 101, 50]],
            [0.5, 0.5],
            id="four points fall into two pairs",
        ),
        pytest.param(
            [[10, 0, 0]] * 3 + [[14, 0, 0]] + [[250, 0, 0]] * 4,
            [[11, 0, 0], [250, 0, 0]],
            [0.5, 0.5],
            id="a cluster is the mean of its pixels, not of its colors",
        ),
        pytest.param(
            [BLACK, BLACK, BLACK, [255, 100, 4]],
            [[63.75, 25, 1]],
            [1],
            id="one color is the mean",
        ),
        pytest.param(
            [RED, BLUE, BLUE, WHITE, WHITE, WHITE],
            [WHITE, BLUE, RED],
            [1 / 2, 1 / 3, 1 / 6],
            id="the largest share comes first",
        ),
        pytest.param(
            [WHITE, RED, BLUE, BLACK],
            [BLACK, BLUE, RED, WHITE],
            [1 / 4] * 4,
            id="equal shares are ranked by color",
        ),
        pytest.param([RED], [RED, BLACK], [1, 0], id="one pixel has one color"),
        pytest.param(
            [BLACK] * 4, [BLACK, BLACK], [1, 0], id="black is a color with a share"
        ),
        pytest.param(
            [[8, 8, 8], [9, 8, 8], [8, 9, 8], [8, 8, 9]],
            [[8, 8, 8], [8, 8, 9], [8, 9, 8], [9, 8, 8], *[BLACK] * 4],
            [1 / 4] * 4 + [0] * 4,
            id="neighboring colors are kept apart when they are few",
        ),
    ],
)
def test_palettes_by_hand(engine, pixels, colors, shares):
    found = find_palettes(make_frame(pixels), n_colors=len(colors), engine=engine)
    assert_array_equal(found.colors, [colors])
    assert_allclose(found.shares, [shares], rtol=1e-6)


# Few colors


@both_engines
@pytest.mark.parametrize("n_colors", [1, 8, 256])
def test_a_flat_frame_has_one_color(engine, n_colors):
    frame = np.full((1, 9, 16, 3), [7, 77, 177], np.uint8)
    colors, shares = find_palettes(frame, n_colors=n_colors, engine=engine)
    assert_array_equal(colors[0, 0], [7, 77, 177])
    assert shares[0, 0] == 1
    assert not colors[0, 1:].any()
    assert not shares[0, 1:].any()


@both_engines
def test_as_many_colors_as_asked_for_are_all_found(engine):
    frame = np.random.default_rng(0).permutation(
        np.stack(np.unravel_index(np.arange(256), (4, 8, 8)), axis=-1) * 9
    )
    frame = frame.astype(np.uint8).reshape(1, 16, 16, 3)
    colors, shares = find_palettes(frame, n_colors=256, engine=engine)
    assert_array_equal(colors[0], np.unique(frame.reshape(-1, 3), axis=0))
    assert_array_equal(shares, np.full((1, 256), 1 / 256))


@both_engines
def test_no_frames_have_no_palettes(engine):
    colors, shares = find_palettes(
        np.empty((0, 9, 16, 3), np.uint8), n_colors=5, engine=engine
    )
    assert colors.shape == (0, 5, 3)
    assert shares.shape == (0, 5)


# The engines beside each other


@pytest.mark.parametrize("n_colors", [3, 8])
@pytest.mark.parametrize("spread", [0.5, 25])
def test_numba_is_as_good_as_sklearn_on_photos(n_colors, spread):
    frames = np.concatenate([make_photo(seed, 45, 80, spread) for seed in range(4)])
    # A night: all in a few coarse bins.
    frames = np.concatenate([frames, frames // 16])
    ratios = [compare_inertia(frame[None], n_colors=n_colors) for frame in frames]
    assert np.mean(ratios) < 1.01
    assert np.max(ratios) < 1.05


def test_more_starts_are_not_worse_on_average():
    photos = [make_photo(seed) for seed in range(6)]
    one, many = (
        sum(
            measure_inertia(photo, find_palettes(photo, n_colors=8, n_init=n_init))
            for photo in photos
        )
        for n_init in (1, 20)
    )
    assert many <= one


# Color spaces


def make_blobs(centers, parts, spread=3.0):
    """One frame of clear clusters around these colors: (1, 50, 80, 3)."""
    rng = np.random.default_rng(0)
    labels = rng.choice(len(centers), 4000, p=parts)
    pixels = np.array(centers)[labels] + rng.normal(0, spread, (4000, 3))
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8).reshape(1, 50, 80, 3)


@both_engines
@every_space
def test_two_clear_clusters_are_found_in_every_space(engine, color_space):
    frame = make_blobs([[200, 60, 50], [40, 90, 180]], [0.7, 0.3])
    colors, shares = find_palettes(
        frame, n_colors=2, color_space=color_space, engine=engine
    )
    red = frame[0, ..., 0] > 120
    assert_allclose(shares[0], [red.mean(), 1 - red.mean()], rtol=1e-6)
    space = SPACES[color_space]
    for color, members in zip(colors[0], (red, ~red), strict=True):
        mean = space.to_srgb(space.from_srgb(frame[0][members]).mean(axis=0))
        # Bins of 4 levels stand for their pixels.
        assert_allclose(color, mean, atol=0.05 if engine == "numba" else 1e-4)


@both_engines
def test_a_mean_is_one_of_the_space(engine):
    # Black and white, as many: half the levels; half the light; half the lightness.
    frame = make_frame([BLACK, WHITE])
    found = {
        space: find_palettes(frame, n_colors=1, color_space=space, engine=engine)
        for space in kmeans.COLOR_SPACES
    }
    assert_allclose(found["srgb"].colors[0, 0], 127.5)
    # 255 (1.055 x 0.5 ** (1 / 2.4) - 0.055)
    assert_allclose(found["linear"].colors[0, 0], 187.516, atol=1e-3)
    # 0.5 ** 3 = 0.125 of light
    assert_allclose(found["oklab"].colors[0, 0], 99.086, atol=1e-3)
    # L* = 50: ((50 + 16) / 116) ** 3 = 0.18419 of light
    assert_allclose(found["cielab"].colors[0, 0], 118.913, atol=1e-3)


@both_engines
def test_the_space_decides_what_is_near(engine):
    # Steps of 60 and 70 levels; of 0.045 and 0.178 of light; but, as seen in OKLab,
    # of 0.36 and 0.25 of lightness: a dark step is a large one.
    frame = make_frame([[0] * 3, [0] * 3, [60] * 3, [60] * 3, [130] * 3, [130] * 3])
    palettes = {
        space: find_palettes(frame, n_colors=2, color_space=space, engine=engine)
        for space in ("srgb", "linear", "oklab")
    }
    for palette in palettes.values():
        assert_allclose(palette.shares, [[2 / 3, 1 / 3]], rtol=1e-6)
    assert_array_equal(palettes["srgb"].colors, [[[30] * 3, [130] * 3]])
    assert_allclose(palettes["linear"].colors[0, 1], 130)
    assert_allclose(palettes["oklab"].colors[0, 1], 0)
    # ((0.0451862 ** (1 / 3) + 0.2232280 ** (1 / 3)) / 2) ** 3 = 0.111562 of light
    assert_allclose(palettes["oklab"].colors[0, 0], 93.851, atol=2e-3)


@both_engines
@every_space
def test_few_colors_are_exact_in_every_space(engine, color_space):
    few = np.random.default_rng(0).integers(0, 256, (30, 3))
    few = np.concatenate([few, [BLACK, WHITE, RED, [1, 0, 0], [0, 1, 2]]])
    counts = np.arange(1, len(few) + 1)
    frame = np.repeat(few, counts, axis=0).astype(np.uint8)[None, None]
    colors, shares = find_palettes(
        frame, n_colors=40, color_space=color_space, engine=engine
    )
    assert_array_equal(colors[0, : len(few)], few[::-1])
    assert not colors[0, len(few) :].any()
    assert_allclose(shares[0, : len(few)], counts[::-1] / counts.sum(), rtol=1e-6)


@every_space
def test_engines_agree_in_every_space(color_space):
    frame = make_blobs(
        [BLACK, RED, BLUE, WHITE, [0, 200, 0], [128, 128, 128]],
        [0.3, 0.25, 0.18, 0.12, 0.1, 0.05],
        spread=4,
    )
    ours, reference = (
        find_palettes(frame, n_colors=6, color_space=color_space, engine=engine)
        for engine in ("numba", "sklearn")
    )
    # Where it is dark, a bin of 4 levels is wide to OKLab and its mean less exact.
    assert_allclose(ours.colors, reference.colors, atol=1)
    assert_allclose(ours.shares, reference.shares, atol=1e-3)


@pytest.mark.parametrize("color_space", ["linear", "oklab", "cielab"])
def test_numba_is_as_good_as_sklearn_in_every_space(color_space):
    ratios = [
        compare_inertia(make_photo(seed, 45, 80), color_space) for seed in range(4)
    ]
    assert np.mean(ratios) < 1.01
    assert np.max(ratios) < 1.05


@pytest.mark.parametrize("color_space", ["oklab", "cielab"])
@pytest.mark.parametrize("rows", [5, 14], ids=["mostly black", "with a picture"])
def test_numba_sees_in_the_dark_as_well_as_sklearn(rows, color_space):
    # To the eye, and to these spaces, the first levels are far apart.
    ratios = []
    for seed in range(3):
        frame = make_photo(seed, 45, 80)
        dark = np.random.default_rng(seed).exponential(1.5, frame.shape)
        frame[:, rows:] = dark[:, rows:].astype(np.uint8)
        ratios.append(compare_inertia(frame, color_space))
    assert np.max(ratios) < 1.05


@pytest.mark.parametrize("color_space", ["oklab", "cielab"])
def test_a_mean_that_srgb_does_not_have_is_clipped(color_space):
    other = {"oklab": [0, 255, 0], "cielab": RED}[color_space]
    frame = make_frame([BLUE, other])
    space = SPACES[color_space]
    mean = space.to_srgb(space.from_srgb(frame[0].reshape(-1, 3)).mean(axis=0))
    assert mean.min() < -1
    colors, _ = find_palettes(frame, n_colors=1, color_space=color_space)
    assert_allclose(colors[0, 0], np.clip(mean, 0, 255), atol=1e-4)


@pytest.mark.parametrize("color_space", ["linear", "oklab", "cielab"])
def test_compiled_points_are_those_of_the_color_spaces(color_space):
    """But for what makes their sums exact, so that a palette has one truth."""
    colors = np.random.default_rng(0).integers(0, 256, (500, 3)).astype(np.float64)
    histogram = make_histogram(500)
    histogram.moments[:, 0] = 1
    histogram.moments[:, 1:] = colors
    space = describe_space(color_space, n_pixels=1)
    move_points(histogram, 500, space)
    expected = SPACES[color_space].from_srgb(colors)
    assert_allclose(histogram.moments[:, 1:], expected, rtol=0, atol=0.5 / space.parts)
    assert_array_equal(histogram.moments[:, 1:] * space.parts % 1, 0)
    assert_array_equal(histogram.points.T, expected.astype(np.float32))
    # Between whole levels the curve is straight.
    parts = colors[:, :2].sum(axis=1)[:, None].repeat(3, axis=1) / 2 - 0.3
    histogram.moments[:, 0] = 7
    histogram.moments[:, 1:] = 7 * np.clip(parts, 0, 255)
    move_points(histogram, 500, space)
    back = SPACES[color_space].to_srgb(histogram.moments[:, 1:] / 7)
    assert_allclose(back, np.clip(parts, 0, 255), atol=2e-3)


# What a palette depends on


@both_engines
@every_space
def test_a_palette_does_not_depend_on_the_batch(engine, color_space):
    frames = np.concatenate([make_photo(seed, 18, 32) for seed in range(3)])
    frames = np.concatenate([frames, np.zeros_like(frames[:1]), frames // 32])
    find = partial(
        find_palettes, n_colors=5, n_init=2, color_space=color_space, engine=engine
    )
    together = find(frames)
    for i in reversed(range(len(frames))):
        one = Palettes(*(part[i : i + 1] for part in together))
        assert_same(find(frames[i : i + 1]), one)


@every_space
@pytest.mark.parametrize("divisor", [1, 16], ids=["coarse bins", "exact colors"])
def test_the_order_of_the_pixels_does_not_matter_to_numba(divisor, color_space):
    frame = make_photo() // divisor
    shuffled = np.random.default_rng(0).permutation(frame.reshape(-1, 3))
    assert_same(
        find_palettes(frame, n_colors=8, color_space=color_space),
        find_palettes(
            shuffled.reshape(1, 160, 90, 3), n_colors=8, color_space=color_space
        ),
    )


def test_threads_do_not_disturb_each_other():
    frames = [make_photo(seed, 36, 64) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(partial(find_palettes, n_colors=6), frames))
    for frame, palettes in zip(frames, together, strict=True):
        assert_same(palettes, find_palettes(frame, n_colors=6))


def test_a_view_and_a_read_only_frame_give_the_same():
    frame = make_photo(0, 36, 64)
    mirrored = frame[:, ::-1, ::-1]
    frame.flags.writeable = False
    assert_same(find_palettes(frame, n_colors=4), find_palettes(mirrored, n_colors=4))


@both_engines
def test_the_seed_decides(engine):
    frame = np.random.default_rng(0).integers(0, 256, (1, 30, 30, 3), np.uint8)
    first, again, other = (
        find_palettes(frame, n_colors=8, n_init=1, seed=seed, engine=engine)
        for seed in (3, 3, 2**32 - 1)
    )
    assert_same(first, again)
    assert (first.colors != other.colors).any()


# Invariants

frames_of_any_kind = arrays(
    np.uint8,
    st.tuples(st.integers(1, 3), st.integers(1, 8), st.integers(1, 8), st.just(3)),
    elements=st.integers(0, 255) | st.sampled_from([0, 1, 255]),
)


@given(frames=frames_of_any_kind, n_colors=st.integers(1, 40), seed=st.integers(0, 9))
@example(frames=make_photo(), n_colors=8, seed=0)
@example(frames=make_photo(), n_colors=256, seed=0)
@example(frames=make_photo() // 16, n_colors=7, seed=0)
@settings(max_examples=100, deadline=None)
def test_a_palette_is_a_partition_of_the_pixels(frames, n_colors, seed):
    colors, shares = find_palettes(frames, n_colors=n_colors, n_init=2, seed=seed)
    assert colors.dtype == shares.dtype == np.float32
    assert colors.shape == (len(frames), n_colors, 3)
    assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)
    assert (np.diff(shares, axis=1) <= 0).all()
    assert not colors[shares == 0].any()
    for frame, palette, weights in zip(frames, colors, shares, strict=True):
        pixels = frame.reshape(-1, 3)
        present = palette[weights > 0]
        distinct = np.unique(pixels, axis=0)
        assert len(present) == min(n_colors, len(distinct))
        assert (present >= pixels.min(axis=0)).all()
        assert (present <= pixels.max(axis=0)).all()
        assert_allclose(weights @ palette, pixels.mean(axis=0), atol=1e-2)
        if len(distinct) <= n_colors:
            assert_array_equal(np.unique(present, axis=0), distinct)


@given(values=arrays(np.float32, st.integers(1, 100), elements=st.integers(0, 99)))
@settings(max_examples=50, deadline=None)
def test_fold_and_running_sums_add_up(values):
    n = len(values)
    cumulative, segments = np.empty(n), np.empty(9)
    total = add_up(values, cumulative, segments)
    assert total == values.sum()
    q = n // 8
    for segment in range(9):
        part = values[segment * q : (segment + 1) * q if segment < 8 else n]
        assert segments[segment] == part.sum()
        at = segment * q
        assert_array_equal(cumulative[at : at + len(part)], np.cumsum(part))
    assert fold(values.copy()) == values.sum()


def test_random_numbers_are_those_of_splitmix64():
    # The first outputs for seed 1234567, as published with the generator.
    state = np.array([1234567], np.uint64)
    for expected in (6457827717110365317, 3203168211198807973):
        assert next_random(state) == (expected >> 11) * 2.0**-53


# Palettes of several frames


def test_equal_palettes_combine_to_the_palette():
    palettes = find_palettes(make_photo(), n_colors=8)
    colors, shares = combine_palettes(
        np.repeat(palettes.colors, 50, axis=0),
        np.repeat(palettes.shares, 50, axis=0),
        n_colors=8,
    )
    assert_allclose(colors, palettes.colors[0], atol=1e-3)
    assert_allclose(shares, palettes.shares[0], atol=1e-6)


@pytest.mark.parametrize(
    ("palettes", "weights", "colors", "shares"),
    [
        pytest.param(
            [[RED, BLUE], [RED, BLACK]],
            [[0.75, 0.25], [1, 0]],
            [RED, BLUE, BLACK, BLACK],
            [0.875, 0.125, 0, 0],
            id="by share",
        ),
        pytest.param(
            [[[10, 0, 0], BLUE], [[14, 0, 0], BLUE]],
            [[0.75, 0.25], [0.25, 0.75]],
            [BLUE, [11, 0, 0]],
            [0.5, 0.5],
            id="near ones to their weighted mean",
        ),
    ],
)
def test_palettes_combine(palettes, weights, colors, shares):
    given = np.array(palettes, np.float32), np.array(weights, np.float32)
    found = combine_palettes(*given, n_colors=len(colors))
    assert_array_equal(found[0], colors)
    assert_array_equal(found[1], shares)
    assert found[0].dtype == found[1].dtype == np.float32


def test_many_palettes_combine_as_their_pixels_would():
    frames = np.concatenate([make_photo(seed, 45, 80) for seed in range(40)])
    palettes = find_palettes(frames, n_colors=16)
    combined = combine_palettes(*palettes, n_colors=6)
    whole = find_palettes(frames.reshape(1, -1, 80, 3), n_colors=6)
    pixels = frames.reshape(1, -1, 80, 3)[:, ::10]
    one = Palettes(combined[0][None], combined[1][None])
    assert measure_inertia(pixels, one) < 1.03 * measure_inertia(pixels, whole)
    assert_allclose(combined[1].sum(), 1, rtol=1e-6)
    assert (np.diff(combined[1]) <= 0).all()


@pytest.mark.parametrize(
    ("colors", "shares", "said"),
    [
        (np.zeros((2, 3, 3)), np.zeros((2, 4)), r"not \(2, 3, 3\) and \(2, 4\)"),
        (np.zeros((2, 3, 3)), np.zeros((2, 3)), "no color with a share"),
        (np.zeros((0, 3, 3)), np.zeros((0, 3)), "no color with a share"),
        (np.full((1, 1, 3), 256), np.ones((1, 1)), r"\[0, 255\]"),
        (np.full((1, 1, 3), np.nan), np.ones((1, 1)), r"\[0, 255\]"),
        (np.zeros((1, 1, 3)), np.full((1, 1), np.nan), "finite"),
        (np.zeros((1, 1, 3)), np.full((1, 1), -1), "not below 0"),
    ],
)
def test_what_cannot_be_combined_is_refused(colors, shares, said):
    with pytest.raises(ValueError, match=said):
        combine_palettes(
            colors.astype(np.float32), shares.astype(np.float32), n_colors=2
        )


# Errors


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"n_colors": 0}, "n_colors must be 1 to 256, not 0"),
        ({"n_colors": 257}, "not 257"),
        ({"n_colors": 2.5}, "n_colors must be a whole number, 1 to 256, not 2.5"),
        ({"n_colors": True}, "not True"),
        ({"n_colors": "8"}, "not '8'"),
        ({"n_init": 1.5}, "n_init must be a whole number, 1 or more, not 1.5"),
        ({"seed": float("nan")}, "seed must be a whole number, .*, not nan"),
        ({"n_init": 0}, "n_init must be 1 or more"),
        ({"seed": -1}, "seed must be 0 to 4294967295, not -1"),
        ({"seed": 2**32}, "seed must be"),
        ({"color_space": "hsv"}, r"'hsv'.* one of: srgb, linear, oklab, cielab\."),
        ({"engine": "abacus"}, "'abacus'.* one of: numba, sklearn, cupy, cuml"),
    ],
)
def test_settings_are_refused_in_one_sentence(settings, said):
    with pytest.raises(ReelbowError, match=said):
        find_palettes(make_frame([RED]), **{"n_colors": 2, **settings})


def test_an_engine_without_its_package_is_refused_in_one_sentence(monkeypatch):
    monkeypatch.setitem(kmeans.ENGINES, "gpu", "no_such_package")
    with pytest.raises(ReelbowError, match=r"'gpu' needs .* 'no_such_package'"):
        find_palettes(make_frame([RED]), n_colors=2, engine="gpu")


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        (np.zeros((1, 2, 2, 3), np.float32), "uint8 of 0 to 255, not float32"),
        (np.zeros((2, 2, 3), np.uint8), r"not \(2, 2, 3\)"),
        (np.zeros((1, 2, 2, 4), np.uint8), r"not \(1, 2, 2, 4\)"),
        (np.zeros((1, 0, 2, 3), np.uint8), "these are 2x0"),
        (np.full((1, 2, 2, 3), np.nan), "uint8 of 0 to 255, not float64"),
        ([np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.uint8)], r"not \(2, 2\)"),
        ([np.zeros((2, 2, 3), np.float32)], "uint8 of 0 to 255, not float32"),
        (["frame.png"], r"Each.* of read_frames or an array \(h, w, 3\), not str"),
        (Frame(0, 0.0, np.zeros((2, 2, 3), np.uint8)), "one after the other, not one"),
        (None, "one after the other, not one NoneType"),
    ],
)
def test_frames_of_another_shape_or_type_are_refused(frames, said):
    with pytest.raises(ReelbowError, match=said):
        find_palettes(frames, n_colors=2)


def test_frames_may_come_one_after_the_other(monkeypatch):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (9, 4, 6, 3), np.uint8)
    together = find_palettes(pixels, n_colors=3)
    frames = [Frame(i, i / 2, picture) for i, picture in enumerate(pixels)]
    # Batches of all, of four and of one.
    for most in (kmeans._BATCH_BYTES, 4 * pixels[0].size, 1):
        monkeypatch.setattr(kmeans, "_BATCH_BYTES", most)
        assert_same(find_palettes(frames, n_colors=3), together)
        assert_same(find_palettes(iter(pixels), n_colors=3), together)


def test_frames_that_come_one_after_the_other_may_have_several_sizes():
    small, large = make_frame([RED]), make_frame([RED, BLUE] * 50)
    palettes = find_palettes([small[0], large[0], small[0]], n_colors=2)
    for row, frame in enumerate((small, large, small)):
        one = Palettes(*(part[row : row + 1] for part in palettes))
        assert_same(find_palettes(frame, n_colors=2), one)


def test_no_frames_one_after_the_other_have_no_palettes():
    none = find_palettes(np.zeros((0, 2, 2, 3), np.uint8), n_colors=3)
    assert_same(find_palettes([], n_colors=3), none)


def test_palettes_are_written_without_their_missing_colors():
    colors = [[[255, 0, 127.5], [1, 2, 3]], [[9.6, 16, 0.4], [0, 0, 0]]]
    palettes = Palettes(np.array(colors), np.array([[0.75, 0.25], [1, 0]]))
    assert palettes.hex() == [["#ff0080", "#010203"], ["#0a1000"]]


def test_importing_the_face_imports_no_engine():
    script = (
        "import sys; from reelbow.kmeans.palettes import ENGINES; "
        "print([name for name in ENGINES if name in sys.modules])"
    )
    library = Path(reelbow.__file__).parent.parent
    shown = subprocess.run(
        [sys.executable, "-c", script],
        cwd=library,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "[]\n"
