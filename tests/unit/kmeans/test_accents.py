"""Accents: small but striking colors, by pictures of which they are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from reelbow.color.spaces import srgb_to_oklab
from reelbow.errors import ReelbowError
from reelbow.kmeans import Palettes, add_accents, find_palettes
from reelbow.kmeans.accent_search import FAR, LEAST_CHROMA, LEAST_PIXELS, LEAST_SPREAD
from shared_films import shared_film

RED, BLUE = (200, 30, 30), (30, 60, 210)


def street(seed: int = 0):
    """Draw a gray street, (90, 160, 3), that k-means spends all its colors on."""
    rng = np.random.default_rng(seed)
    gray = np.linspace(20, 235, 160) + rng.normal(0, 4, (90, 160))
    return np.repeat(gray[..., None], 3, axis=2).clip(0, 255).astype(np.uint8)


def paint(frame, color, n_pixels: int, row: int = 30):
    """Give pixels of a frame a color, in lines of 20."""
    painted = frame.copy()
    for pixel in range(n_pixels):
        painted[row + pixel // 20, 60 + pixel % 20] = color
    return painted


def add(frames, n_accents=2, *, n_colors=4, color_space="srgb"):
    how = {"n_colors": n_colors, "color_space": color_space}
    palettes = find_palettes(np.asarray(frames), **how)
    return palettes, *add_accents(
        np.asarray(frames), palettes, n_accents=n_accents, color_space=color_space
    )


@pytest.mark.parametrize("color_space", ["srgb", "linear", "oklab", "cielab"])
def test_a_red_coat_in_a_gray_street_has_its_color_and_its_share(color_space):
    frame = paint(street(), RED, 60)
    _, (colors, shares), is_accent = add([frame], color_space=color_space)
    assert is_accent.sum() == 1
    np.testing.assert_allclose(colors[is_accent], [RED], atol=1e-4)
    assert shares[is_accent] == pytest.approx(60 / 14400, rel=1e-6)
    # Ranked with the others, of which none is missing.
    assert (np.diff(shares[0]) <= 0).all()
    assert (shares[0] > 0).sum() == 5


def test_its_pixels_are_taken_from_the_color_that_had_them():
    gray = np.full((90, 160, 3), 60, np.uint8)
    gray[:, 80:] = 190
    frame = paint(gray, RED, 60)
    before = find_palettes(frame[None], n_colors=2)
    found, is_accent = add_accents(frame[None], before, n_accents=1)
    assert found.hex() == [["#bebebe", "#3c3c3c", "#c81e1e"]]
    expected = [7200 / 14400, 7140 / 14400, 60 / 14400]
    np.testing.assert_allclose(found.shares, [expected], rtol=1e-6)
    assert is_accent.tolist() == [[False, False, True]]


def test_two_accents_are_two_and_no_more_than_asked_for():
    frame = paint(paint(street(), RED, 60), BLUE, 40, row=60)
    for n_accents, colors in [(0, []), (1, [RED]), (2, [RED, BLUE]), (8, [RED, BLUE])]:
        _, found, is_accent = add([frame], n_accents)
        assert found.shares.shape == is_accent.shape == (1, 4 + n_accents)
        np.testing.assert_allclose(
            found.colors[is_accent], np.reshape(colors, (-1, 3)), atol=1e-4
        )
        assert found.shares.sum() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    "color",
    [
        pytest.param((150, 110, 100), id="not saturated"),
        pytest.param((255, 255, 255), id="light"),
        pytest.param((12, 0, 0), id="dark"),
    ],
)
def test_what_is_not_striking_is_no_accent(color):
    palettes, found, is_accent = add([paint(street(), color, 60)])
    assert not is_accent.any()
    # Not a bit has changed.
    np.testing.assert_array_equal(found.colors[:, :4], palettes.colors)
    np.testing.assert_array_equal(found.shares[:, :4], palettes.shares)
    assert not found.shares[:, 4:].any()


def test_pixels_that_are_fewer_than_noise_are_no_accent():
    for n_pixels, n_accents in [(14, 0), (15, 1)]:
        *_, is_accent = add([paint(street(), RED, n_pixels)])
        assert is_accent.sum() == n_accents
    # Of a small picture a share is too little of a guard.
    small = street()[::3, ::3]
    for n_pixels, n_accents in [(LEAST_PIXELS - 1, 0), (LEAST_PIXELS, 1)]:
        painted = small.copy()
        painted[5, :n_pixels] = RED
        *_, is_accent = add([painted])
        assert is_accent.sum() == n_accents


@pytest.mark.parametrize("sigma", [4, 10])
def test_noise_is_no_accent(sigma):
    rng = np.random.default_rng(1)
    noisy = street() + rng.normal(0, sigma, (90, 160, 3))
    stray = street()
    some = rng.random((90, 160)) < 0.003
    stray[some] = rng.integers(0, 256, (some.sum(), 3))
    *_, is_accent = add([noisy.clip(0, 255).astype(np.uint8), stray])
    assert not is_accent.any()


def test_shades_and_mixtures_of_two_colors_are_no_accents():
    # A yellow ball before green, with edges between them, and the same in shade.
    yellow, green = np.array([235, 200, 40]), np.array([40, 120, 60])
    part = np.linspace(0, 1, 160)[None, :, None]
    ramp = yellow * part + green * (1 - part)
    shade = np.linspace(0.6, 1, 90)[:, None, None]
    *_, is_accent = add([(ramp * shade).astype(np.uint8)])
    assert not is_accent.any()


def test_an_edge_of_an_accent_is_no_accent():
    frame = paint(street(), RED, 100)
    # As averaged pixels are, half of it.
    frame[29, 60:80] = frame[35, 60:80] = (164, 79, 79)
    _, found, is_accent = add([frame])
    assert found.hex()[0][-1] == "#c81e1e"
    assert is_accent.sum() == 1


def test_where_colors_are_few_all_pixels_can_be_accents():
    halves = np.zeros((10, 10, 3), np.uint8)
    halves[:, :5], halves[:, 5:] = RED, BLUE
    _, found, is_accent = add([halves], n_colors=1)
    assert found.hex() == [["#1e3cd2", "#c81e1e"]]
    assert is_accent.tolist() == [[True, True, False]]


def test_each_frame_is_looked_at_by_itself():
    frames = np.stack(
        [
            paint(street(1), RED, 60),
            street(2),
            paint(street(3), BLUE, 30),
            paint(paint(street(4), RED, 90), BLUE, 50, row=60),
        ]
    )
    palettes, together, are_accents = add(frames)
    for i in range(4):
        one = Palettes(palettes.colors[i : i + 1], palettes.shares[i : i + 1])
        alone, is_accent = add_accents(frames[i : i + 1], one, n_accents=2)
        np.testing.assert_array_equal(alone.colors[0], together.colors[i])
        np.testing.assert_array_equal(alone.shares[0], together.shares[i])
        np.testing.assert_array_equal(is_accent[0], are_accents[i])
    assert are_accents.sum(axis=1).tolist() == [1, 0, 1, 2]


@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
@settings(max_examples=20, deadline=None)
def test_shares_sum_to_1_and_accents_are_far_from_the_palette(seed, n_colors):
    rng = np.random.default_rng(seed)
    colors = rng.integers(0, 256, (12, 3), np.uint8)
    weights = rng.dirichlet(np.full(12, 0.3))
    frame = colors[rng.choice(12, (1, 30, 40), p=weights)]
    palettes, found, is_accent = add(frame, 3, n_colors=n_colors)
    first = srgb_to_oklab(palettes.colors[palettes.shares > 0])
    assert found.shares.sum() == pytest.approx(1, abs=1e-6)
    assert (found.shares[is_accent] >= LEAST_PIXELS / 1200 - 1e-6).all()
    for color in srgb_to_oklab(found.colors[is_accent]):
        assert np.linalg.norm(first - color, axis=1).min() > FAR - 0.005


def test_no_saturated_color_has_channels_as_near_as_the_first_test_says():
    levels = np.linspace(0, 255, 86)
    colors = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, 3)
    near = colors[np.ptp(colors, axis=1) <= LEAST_SPREAD]
    _, a, b = srgb_to_oklab(near).T
    assert np.hypot(a, b).max() < LEAST_CHROMA


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"n_accents": -1}, "n_accents must be 0 to 8, not -1"),
        ({"n_accents": 9}, "n_accents must be 0 to 8, not 9"),
        ({"n_accents": 1.5}, "n_accents must be a whole number, 0 to 8, not 1.5"),
        ({"color_space": "hsv"}, "There is no color_space 'hsv'"),
        (
            {"frames": np.zeros((2, 9, 9, 3), np.uint8)},
            "of which there are 2, not of 1",
        ),
        ({"frames": np.zeros((1, 9, 9, 3))}, "frames must be uint8"),
        ({"frames": np.zeros((9, 9, 3), np.uint8)}, r"frames must be \(n, h, w, 3\)"),
    ],
)
def test_wrong_input_is_one_sentence(changed, sentence):
    frame = street()[None]
    given = {"frames": frame, "n_accents": 1} | changed
    palettes = find_palettes(frame, n_colors=2)
    with pytest.raises(ReelbowError, match=sentence):
        add_accents(given.pop("frames"), palettes, **given)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "accents"),
    [
        # A brown cow before a blue sky, with yellow tags in her ears.
        pytest.param("cow-1715829_1280.jpg", [(253, 224, 110)], id="ear tags"),
        # A white lighthouse; of a house beside it the chimney is red.
        pytest.param("kodim19.png", [(173, 73, 33)], id="chimney"),
        pytest.param("tanners_ridge.jpg", [], id="hills"),
        pytest.param("el_torcal_rocks.jpg", [], id="rocks"),
    ],
)
def test_accents_of_real_pictures(name, accents):
    picture = Image.open(shared_film(f"photos/{name}")).convert("RGB")
    size = round(picture.width * 90 / picture.height), 90
    small = np.asarray(picture.resize(size, Image.Resampling.BOX))
    _, found, is_accent = add([small], n_colors=8)
    assert is_accent.sum() == len(accents)
    np.testing.assert_allclose(
        found.colors[is_accent], np.reshape(accents, (-1, 3)), atol=12
    )
