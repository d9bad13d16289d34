"""Columns are blended in linear light, within shots alone."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelbow.barcode.film_record import FilmRecord
from reelbow.barcode.shot_marks import ShotMarks
from reelbow.barcode.smoothing import smooth_barcode, smooth_in_time

GAP = np.array([217, 217, 217], np.uint8)


def draw_grays(*grays, height=2):
    return np.tile(np.array(grays, np.uint8)[:, np.newaxis], (height, 1, 3))


def test_columns_are_blended_in_linear_light():
    line = draw_grays(*[0] * 5, 255, *[0] * 5)
    smooth = smooth_barcode(line, 3)
    # Of light 1/3, 2/9, 1/9 and none, as sRGB.
    assert smooth[0, 5:, 0].tolist() == [156, 130, 94, 0, 0, 0]
    assert smooth[0, :6, 0].tolist() == [0, 0, 0, 94, 130, 156]
    assert (smooth[0] == smooth[1]).all()


@pytest.mark.parametrize("reach", [0, 0.3, 1, 1.9])
def test_what_is_nearer_than_a_column_blends_nothing(reach):
    line = draw_grays(0, 255, 0)
    np.testing.assert_array_equal(smooth_barcode(line, reach), line)


def test_nothing_is_blended_across_a_cut():
    line = draw_grays(*[40] * 6, *[200] * 6)
    blurred = smooth_barcode(line, 5)
    assert len(np.unique(blurred)) > 4
    sharp = smooth_barcode(line, 5, cuts=np.array([0, 6, 12]))
    np.testing.assert_array_equal(sharp, line)


def test_a_gap_stays_and_blends_with_nothing():
    line = draw_grays(*[40] * 4, 217, 217, *[40] * 4)
    np.testing.assert_array_equal(smooth_barcode(line, 5, gap=GAP), line)
    assert (smooth_barcode(line, 5) != line).any()


@settings(deadline=None)
@given(
    grays=st.lists(st.integers(0, 255), min_size=1, max_size=30),
    reach=st.floats(0, 100),
    cuts=st.sets(st.integers(0, 30)),
)
def test_a_shot_stays_between_its_darkest_and_brightest(grays, reach, cuts):
    line = draw_grays(*grays, height=1)
    ordered = np.array(sorted(cuts), np.int64)
    smooth = smooth_barcode(line, reach, cuts=ordered)
    edges = [0, *[cut for cut in ordered if 0 < cut < len(grays)], len(grays)]
    for start, end in itertools.pairwise(edges):
        shot = line[0, start:end, 0]
        assert smooth[0, start:end].min() >= shot.min()
        assert smooth[0, start:end].max() <= shot.max()


@pytest.mark.parametrize("width", [4, 10, 25])
def test_cuts_of_a_film_stay_sharp_at_any_width(width):
    n = 10
    film = FilmRecord("a", "A", "a.mkv", np.arange(n), np.arange(n) * 2.0, 0, 0)
    shots = ShotMarks(np.array([0.0, 5.0, n]), np.array([10.0, 10.0]), "s")
    frames = np.array([30] * 5 + [220] * 5)
    columns = np.arange(width)
    # As `draw_barcode` does it; of four columns none is of both shots.
    shown = frames[columns * n // width] if width >= n else [30, 30, 220, 220]
    line = draw_grays(*shown)
    how = {"film": film, "gap_color": "#d9d9d9"}
    sharp = smooth_in_time(line, 8, shots=shots, **how)
    np.testing.assert_array_equal(sharp, line)
    assert (smooth_in_time(line, 12, shots=None, **how) != line).any()
    assert smooth_in_time(line, 0, shots=None, **how) is line
