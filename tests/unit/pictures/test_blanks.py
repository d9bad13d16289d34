"""What is black, what is text on black, and what is a picture of the film."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blank_films import LINES, draw_scene, write_text
from reelbow.pictures.blanks import BLACK, DIM, TEXT, name_blank

SIZES = [(160, 90), (320, 180), (426, 240), (240, 426)]


def black(size=(426, 240)):
    return np.zeros((size[1], size[0], 3), np.uint8)


def text(size=(426, 240), height=0.08, lines=2, top=0.2):
    return write_text(black(size), LINES[:lines], top=top, height=height)


def add_noise(picture, mean, deviation):
    noise = np.random.default_rng(0).normal(mean, deviation, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def glow(radius):
    y, x = np.mgrid[:240, :426]
    light = np.exp(-((y - 120) ** 2 + (x - 200) ** 2) / (2 * radius**2))
    return (light[..., None] * (255, 200, 120)).astype(np.uint8)


def stars(n):
    dice = np.random.default_rng(0)
    picture = black()
    for y, x in zip(dice.integers(0, 240, n), dice.integers(0, 426, n), strict=True):
        picture[y, x] = dice.integers(60, 256)
    return picture


@pytest.mark.parametrize("size", [*SIZES, (1, 1), (3, 2)])
def test_black_is_black(size):
    assert name_blank(black(size)) == BLACK


@given(mean=st.floats(0, 16), deviation=st.floats(0, 8), width=st.integers(16, 400))
@settings(max_examples=30, deadline=None)
def test_black_with_noise_is_black(mean, deviation, width):
    assert name_blank(add_noise(black((width, 90)), mean, deviation)) == BLACK


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("height", "lines"), [(0.12, 1), (0.08, 3), (0.06, 6)])
def test_titles_and_credits_are_text(size, height, lines):
    if size[0] < size[1]:
        height /= 2
    assert name_blank(text(size, height, lines)) == TEXT


@pytest.mark.parametrize("top", [-0.4, 0.7, 0.85])
def test_credits_may_roll_over_the_upper_and_the_lower_edge(top):
    assert name_blank(text(height=0.06, lines=6, top=top)) == TEXT


@pytest.mark.parametrize("color", [(255, 40, 40), (90, 90, 90), (250, 220, 90)])
def test_text_may_be_colored_or_gray(color):
    assert name_blank((text() / 235 * color).astype(np.uint8)) == TEXT


@pytest.mark.parametrize("quality", [5, 30, 80])
def test_coding_does_not_hide_text(quality):
    _, data = cv2.imencode(".jpg", text(height=0.06), [1, quality])
    assert name_blank(cv2.imdecode(data, 1)) == TEXT


def test_noise_does_not_hide_text():
    assert name_blank(add_noise(text(), 8, 4)) == TEXT


def test_a_flat_logo_is_text():
    picture = text(lines=1, top=0.6)
    cv2.circle(picture, (213, 100), 45, (200, 30, 30), -1, cv2.LINE_AA)
    assert name_blank(picture) == TEXT


@pytest.mark.parametrize("part", [0.05, 0.13, 0.18, 0.24, 0.4, 0.7])
def test_a_title_that_fades_in_is_no_picture_of_the_film(part):
    assert name_blank((text() * part).astype(np.uint8)) in (BLACK, DIM, TEXT)


@pytest.mark.parametrize("radius", [20, 30, 45])
def test_of_what_is_dim_one_cannot_tell(radius):
    assert name_blank((glow(radius) * 0.2).astype(np.uint8)) == DIM


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(draw_scene(0, (426, 240)), id="scene"),
        pytest.param((draw_scene(0, (426, 240)) * 0.2).astype(np.uint8), id="dark"),
        pytest.param(glow(20), id="candle"),
        pytest.param(glow(60), id="lamp"),
        pytest.param(glow(80) // 2, id="faint lamp"),
        pytest.param(stars(400), id="stars"),
        pytest.param(stars(3000), id="more stars"),
        pytest.param(np.full((240, 426, 3), 255, np.uint8), id="white"),
        pytest.param(np.full((240, 426, 3), 40, np.uint8), id="gray"),
    ],
)
def test_a_picture_of_the_film_is_neither(picture):
    assert name_blank(picture) is None


def test_a_lit_ball_in_the_dark_is_a_picture():
    y, x = np.mgrid[:240, :426]
    height = np.sqrt(np.clip(1 - ((y - 120) ** 2 + (x - 200) ** 2) / 60**2, 0, None))
    picture = (height[..., None] * (230, 230, 210)).astype(np.uint8)
    assert name_blank(picture) is None


def test_windows_at_night_reach_the_edges():
    dice = np.random.default_rng(0)
    picture = black()
    for y in range(80, 230, 12):
        for x in range(0, 420, 14):
            picture[y : y + 6, x : x + 8] = dice.integers(80, 255)
    assert name_blank(picture) is None
