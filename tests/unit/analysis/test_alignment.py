import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from courses import grade, make_course
from reelbow.analysis.alignment import (
    BAND,
    HOLDING,
    LEAST_BAND,
    Shift,
    align_shifted,
    align_whole,
    find_shift,
)
from reelbow.color.spaces import srgb_to_oklab

FILM = make_course(400)
OKLAB = srgb_to_oklab(FILM)
NOISE = np.random.default_rng(1).normal(0, 1, FILM.shape)


@given(st.integers(0, 100), st.integers(0, 100))
@settings(max_examples=20, deadline=None)
def test_a_shift_is_found_where_half_of_the_shorter_film_is_shared(cut, other_cut):
    # The longer film has 400 columns, the shorter one 200 at least.
    assert find_shift(OKLAB, OKLAB[cut : 400 - other_cut]).columns == cut
    assert find_shift(OKLAB[cut : 400 - other_cut], OKLAB).columns == -cut


@pytest.mark.parametrize("shift", [-120, -3, 0, 1, 150])
def test_a_shift_is_found_where_both_films_have_what_the_other_has_not(shift):
    first, second = OKLAB[max(0, -shift) :], OKLAB[max(0, shift) :]
    other = srgb_to_oklab(make_course(30, seed=5))
    found = find_shift(first, np.concatenate([second, other]))
    assert found.columns == shift
    assert found.agreement == pytest.approx(1, abs=1e-6)


def test_of_two_shifts_that_fit_the_one_counts_at_which_more_is_shared():
    twice = np.concatenate([OKLAB[:60], OKLAB[200:230], OKLAB[:60]])
    assert find_shift(twice, twice[55:]).columns == 55


def test_another_grading_with_noise_has_the_same_shift():
    graded = srgb_to_oklab(np.clip(grade(FILM) + NOISE, 0, 255))
    found = find_shift(OKLAB, graded[50:])
    assert found.columns == 50
    assert found.agreement > 0.9


def test_other_films_agree_little():
    other = srgb_to_oklab(make_course(400, seed=9))
    assert find_shift(OKLAB, other).agreement < 0.5


def test_missing_columns_are_no_hindrance():
    first, second = OKLAB.copy(), OKLAB[60:].copy()
    first[100:150], second[200:260] = np.nan, np.nan
    assert find_shift(first, second) == Shift(60, pytest.approx(1))


def test_films_of_one_color_have_no_shift():
    black = np.zeros((50, 3))
    assert find_shift(black, black[:20]) == Shift(0, None)
    assert find_shift(black[:1], OKLAB[:1]) == Shift(0, None)


def test_the_agreement_is_by_its_formula():
    rng = np.random.default_rng(3)
    one, two = rng.normal(size=(2, 40, 3))
    shift, agreement = find_shift(one, two)
    begin, other = max(shift, 0), max(-shift, 0)
    n = 40 - abs(shift)
    a, b = one[begin:][:n], two[other:][:n]
    covariance = ((a - a.mean(0)) * (b - b.mean(0))).mean()
    assert agreement == pytest.approx(
        2 * covariance / (a.var(0).mean() + b.var(0).mean())
    )


def test_what_is_shared_is_aligned_column_by_column():
    (one, two), band = align_shifted(OKLAB, OKLAB[60:300], 60)
    assert one.tolist() == list(range(60, 300))
    assert (one - two == 60).all()
    assert band == round(BAND * 240)


def test_a_band_holds_films_together():
    late = np.concatenate([OKLAB[:1].repeat(40, axis=0), OKLAB])
    (one, two), band = align_shifted(OKLAB, late, 0)
    assert np.abs(one - two).max() <= band < 40
    one, two = align_whole(OKLAB, late)
    assert (one[:41] == 0).all()
    assert (two[40:] - one[40:] == 40).all()


def test_of_few_columns_the_band_is_of_some():
    assert align_shifted(OKLAB[:8], OKLAB[:8], 0)[1] == LEAST_BAND


def test_noise_does_not_lead_astray_where_nothing_happens():
    still = np.full((100, 3), 0.5)
    noise = np.random.default_rng(2).normal(0, HOLDING / 4, (2, 100, 3))
    one, two = align_whole(still + noise[0], still + noise[1])
    assert np.abs(one - two).max() <= 2


def test_a_film_of_another_pace_is_aligned_from_end_to_end():
    places = np.arange(0, 400, 25 / 24).astype(int)
    one, two = align_whole(OKLAB, OKLAB[places])
    assert (one[0], two[0], one[-1], two[-1]) == (0, 0, 399, len(places) - 1)
    assert np.abs(OKLAB[one] - OKLAB[places][two]).max() < 0.05


def test_missing_columns_are_left_out_in_both_films():
    first, second = OKLAB.copy(), OKLAB[10:].copy()
    first[100:120], second[200:210] = np.nan, np.nan
    (one, two), _ = align_shifted(first, second, 10)
    assert len(one) == 390 - 20 - 10
    assert (one - two == 10).all()


def test_films_that_share_nothing_have_no_alignment():
    first, second = OKLAB[:10].copy(), OKLAB[:10].copy()
    first[:5], second[5:] = np.nan, np.nan
    assert [part.tolist() for part in align_shifted(first, second, 0)[0]] == [[], []]
