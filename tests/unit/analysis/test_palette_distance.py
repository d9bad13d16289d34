import sqlite3
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses import write_course
from reelbow.analysis.palette_distance import (
    FilmPalette,
    measure_palettes,
    read_film_colors,
    read_film_palettes,
)
from reelbow.color.difference import measure_ciede2000
from reelbow.color.spaces import srgb_to_cielab
from reelbow.database.opening import open_database


def palette(*colors: tuple[int, float]) -> FilmPalette:
    """Make a palette of colors, 0xRRGGBB, with their shares."""
    rgb = [[color >> 16, color >> 8 & 255, color & 255] for color, _ in colors]
    return FilmPalette(
        np.array(rgb, np.uint8), np.array([share for _, share in colors])
    )


def differ(first: int, second: int) -> float:
    one, two = (
        srgb_to_cielab(palette((color, 1.0)).colors) for color in (first, second)
    )
    return measure_ciede2000(one, two)[0]


RED, PINK, BLUE = 0xFF0000, 0xFF4040, 0x0000FF


def test_of_single_colors_both_distances_are_that_of_the_colors():
    found = measure_palettes(palette((RED, 1.0)), palette((BLUE, 1.0)))
    assert found == pytest.approx([differ(RED, BLUE)] * 2)


def test_shares_are_moved_to_the_colors_that_lack_them():
    # A quarter of the red becomes blue, the rest stays.
    found = measure_palettes(
        palette((RED, 0.75), (BLUE, 0.25)), palette((RED, 0.5), (BLUE, 0.5))
    )
    assert found.earth_movers_distance == pytest.approx(differ(RED, BLUE) / 4)
    # Each color is in both, and shares do not count.
    assert found.minimum_color_difference == 0


def test_the_minimum_difference_is_the_mean_of_both_ways():
    found = measure_palettes(palette((RED, 0.5), (BLUE, 0.5)), palette((PINK, 1.0)))
    there = (differ(RED, PINK) + differ(BLUE, PINK)) / 2
    back = min(differ(RED, PINK), differ(BLUE, PINK))
    assert found.minimum_color_difference == pytest.approx((there + back) / 2)
    assert found.earth_movers_distance == pytest.approx(there)


colors = st.integers(0, 0xFFFFFF)
palettes = st.lists(st.tuples(colors, st.floats(0.01, 1)), min_size=1, max_size=8).map(
    lambda listed: palette(
        *((color, part / sum(p for _, p in listed)) for color, part in listed)
    )
)


@given(palettes, palettes)
def test_distances_are_the_same_both_ways_and_none_to_itself(first, second):
    assert measure_palettes(first, first) == pytest.approx([0, 0], abs=1e-9)
    forth, back = measure_palettes(first, second), measure_palettes(second, first)
    assert forth == pytest.approx(back, abs=1e-6)
    assert forth.earth_movers_distance >= 0


def test_palettes_are_read_by_films(tmp_path):
    database = write_course(tmp_path, "x", np.array([[200, 0, 0]] * 3 + [[0, 0, 90]]))
    with closing(open_database(database)) as connection:
        found = read_film_palettes(connection)
        many = read_film_colors(connection)["x"]
    assert found["x"].colors.tolist() == [[200, 0, 0], [0, 0, 90]]
    assert found["x"].shares.tolist() == pytest.approx([0.75, 0.25])
    assert many.colors.tolist() == found["x"].colors.tolist()
    assert many.shares.tolist() == pytest.approx([0.75, 0.25])
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DELETE FROM film_palettes")
        connection.execute("DELETE FROM palettes")
    with closing(open_database(database)) as connection:
        assert read_film_palettes(connection) == {}
        assert read_film_colors(connection) == {}


def test_another_coding_of_many_colors_is_near(tmp_path):
    # Of 40 colors all alike frequent, palettes of few may be any of many.
    film = np.random.default_rng(0).integers(0, 256, (40, 3)).repeat(5, axis=0)
    noise = np.random.default_rng(1).normal(0, 2, film.shape)
    both = {"a": film, "b": np.clip(film + noise, 0, 255)}
    found = []
    for name, colors in both.items():
        database = write_course(tmp_path, name, colors)
        with closing(open_database(database)) as connection:
            found.append(read_film_colors(connection)[name])
    assert measure_palettes(*found).earth_movers_distance < 2
