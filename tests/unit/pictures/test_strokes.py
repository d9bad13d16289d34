"""Drawings of strokes, against supersampling by brute force."""

from pathlib import Path

import matplotlib
import numpy as np
import pytest
from numpy.typing import NDArray

from reelbow.errors import ReelbowError
from reelbow.pictures.strokes import draw_colored_strokes, draw_strokes
from reelbow.shards.sketch_files import read_split, read_stroke_3
from shared_films import shared_film
from supersampling import find_psnr, supersample, supersample_colors

SQUARE = np.array([[0, 0], [9, 0], [9, 9], [0, 9], [0, 0]], float)


def scribble(seed: int) -> list[NDArray[np.float64]]:
    """Lines of every direction, upright and level ones, a dot, and one line twice."""
    rng = np.random.default_rng(seed)
    walks = [rng.normal(size=(12, 2)).cumsum(axis=0) for _ in range(3)]
    level = np.array([[0.0, 1.0], [3.0, 1.0], [3.0, -2.0], [3.0, -2.0]])
    return [*walks, level, np.array([[-1.0, 2.0]]), walks[0]]


@pytest.mark.parametrize(("size", "least_db"), [(28, 42), (256, 45)])
@pytest.mark.parametrize("thickness", [0.025, 0.2])
def test_a_pixel_is_as_dark_as_lines_cover_it(size, least_db, thickness):
    for seed in range(3):
        strokes = scribble(seed)
        picture = draw_strokes(strokes, size=size, thickness=thickness)
        assert picture.min() < 128 < picture.max()
        wanted = supersample(strokes, size, thickness)
        # Nearly the same points are looked at, by other arithmetic.
        assert find_psnr(picture, wanted) >= least_db + 10


@pytest.mark.parametrize(("size", "least_db"), [(28, 42), (256, 45)])
@pytest.mark.parametrize("thickness", [0.025, 0.2])
def test_a_stroke_has_its_color_where_no_later_one_lies_on_it(
    size, least_db, thickness
):
    strokes = scribble(0)
    picture = draw_colored_strokes(strokes, size=size, thickness=thickness)
    scale = matplotlib.colormaps["turbo"](np.linspace(0, 1, len(strokes)))[:, :3]
    colors = np.rint(255 * scale).astype(np.uint8)
    wanted = supersample_colors(strokes, size, thickness, colors)
    assert find_psnr(picture, wanted) >= least_db


def test_of_many_strokes_neighbors_share_a_color():
    dots = [np.array([[float(x), 0]]) for x in range(100)]
    picture = draw_colored_strokes(dots, size=2000, thickness=0.004)
    colors = picture[1000].reshape(-1, 3)[picture[1000].min(axis=1) < 255]
    shown, n = np.unique(colors, axis=0, return_counts=True)
    # Those of the dots themselves, and not of their borders.
    assert (n >= 4).sum() == 64
    assert [*map(int, colors[len(colors) // 200])] == [48, 18, 59]
    assert len(shown) > 64


@pytest.mark.shared
@pytest.mark.parametrize(("size", "least_db"), [(28, 42), (256, 45)])
def test_real_drawings_are_as_right(size, least_db):
    path: Path = shared_film("quickdraw/quickdraw_12cats_sketchrnn.npz")
    for drawing in read_split(path, "valid")[:6]:
        strokes = read_stroke_3("", drawing).strokes
        assert strokes
        picture = draw_strokes(strokes, size=size, thickness=0.025)
        assert find_psnr(picture, supersample(strokes, size, 0.025)) >= least_db


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_a_drawing_is_centered_whole_and_as_large_as_its_margin_allows(offset):
    size, thickness = 100, 0.3
    picture = draw_strokes([SQUARE + offset], size=size, thickness=thickness)
    assert (picture == picture[::-1]).all()
    assert (picture == picture[:, ::-1]).all()
    dark = np.flatnonzero(picture.min(axis=0) < 255)
    # Nothing is cut, nor do thick lines reach beyond the margin.
    assert (dark[0], dark[-1]) == (4, 95)
    assert picture[50, 4:34].max() == 0
    assert picture[50, 35:65].min() == 255
    # The corners are round.
    assert picture[5, 5] == 255
    # A wide one has as much room above as below.
    wide = draw_strokes([SQUARE * [1, 0.2]], size=size, thickness=0.02)
    assert (wide == wide[::-1]).all()


def test_a_point_alone_is_a_dot_and_strokes_are_not_joined():
    strokes = [SQUARE[:2], SQUARE[3:4], np.empty((0, 2))]
    picture = draw_strokes(strokes, size=64, thickness=0.1)
    assert picture[59, 5] == 0
    assert picture[30:50].min() == 255
    assert picture[:, 32].min() == 0
    assert picture[20:, 32].min() == 255


@pytest.mark.parametrize(
    ("strokes", "reason"),
    [
        ([], "an empty drawing"),
        ([np.empty((0, 2))], "an empty drawing"),
        ([np.ones((5, 2))], "no extent"),
        ([np.array([[0.0, 0.0], [5e-324, 0.0]])], "no extent"),
        ([np.array([[-1e308, 0.0], [1e308, 0.0]])], "immensely far apart"),
        ([np.array([[0.0, np.nan]]), SQUARE], "NaN"),
        ([np.array([[0.0, np.inf]]), SQUARE], "infinite"),
    ],
)
def test_what_cannot_be_drawn_is_said(strokes, reason):
    with pytest.raises(ReelbowError, match=reason):
        draw_strokes(strokes, size=64, thickness=0.1)
