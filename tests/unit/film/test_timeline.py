"""Which picture is on screen at a moment: times alone, no film."""

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from reelbow.errors import ReelbowError
from reelbow.film.timeline import Timeline, exact, sample_frames, sample_interval


def timeline(
    pts: list[int], time_base: Fraction, *, end: int | None = None
) -> Timeline:
    return Timeline(
        time_base,
        np.array(pts, np.int64),
        np.array(pts[:1], np.int64),
        pts[-1] + 1 if end is None else end,
    )


def sample(
    line: Timeline,
    every: float | Fraction,
    start: float = 0,
    end: float | None = None,
) -> list[int]:
    return sample_interval(
        line,
        every=exact(every),
        start=exact(start),
        end=None if end is None else exact(end),
    )


def choose(
    line: Timeline,
    nth: int,
    start: float | str = 0,
    end: float | str | None = None,
    *,
    among: NDArray[np.int64] | None = None,
) -> list[int | None]:
    return sample_frames(
        line,
        line.pts if among is None else among,
        nth=nth,
        start=Fraction(start),
        end=None if end is None else Fraction(end),
    )


@pytest.mark.parametrize(
    ("rate", "time_base"),
    [
        (Fraction(24), Fraction(1, 90000)),
        (Fraction(30000, 1001), Fraction(1, 90000)),
        (Fraction(30000, 1001), Fraction(1001, 30000)),
        (Fraction(10), Fraction(1, 1000)),
    ],
)
@pytest.mark.parametrize("every", [0.1, 0.3, 1.0])
@pytest.mark.parametrize("first", [0, 12345])
def test_sample_i_is_the_picture_on_screen_at_i_times_every(
    rate: Fraction, time_base: Fraction, every: float, first: int
) -> None:
    ticks = 1 / rate / time_base
    assert ticks.denominator == 1
    pts = [first + i * int(ticks) for i in range(300)]
    line = timeline(pts, time_base, end=pts[-1] + int(ticks))
    numbers = [pts.index(p) for p in sample(line, every)]
    # exactly: 0.3 is three tenths, so at 10 pictures a second sample 1 is picture 3
    step = Fraction(str(every)) * rate
    assert numbers == [i * step // 1 for i in range(len(numbers))]
    assert len(numbers) * step >= 300 > (len(numbers) - 1) * step


def test_times_rounded_to_milliseconds_are_taken_as_they_stand() -> None:
    # 24 pictures a second in Matroska: 0, 42, 83, 125, 167, 208 ms
    line = timeline([0, 42, 83, 125, 167, 208], Fraction(1, 1000), end=250)
    assert sample(line, Fraction(1, 24)) == [0, 0, 83, 125, 125, 208]
    assert sample(line, 0.042) == [0, 42, 83, 125, 167, 208]


def test_a_sample_on_the_tick_has_the_new_picture_and_one_before_it_the_old() -> None:
    line = timeline([0, 40, 80], Fraction(1, 1000), end=120)
    assert sample(line, 1, start=0.04) == [40]
    assert sample(line, 1, start=Fraction(39999, 10**6)) == [0]


def test_variable_rate_and_long_pictures_repeat_what_is_on_screen() -> None:
    line = timeline([500, 510, 900, 2500], Fraction(1, 1000), end=2600)
    assert sample(line, 0.4) == [500, 900, 900, 900, 900, 2500]
    assert sample(line, 0.005, end=0.02) == [500, 500, 510, 510]


def test_start_and_end_count_from_the_first_picture_and_end_is_not_in() -> None:
    pts = [7000 + 100 * i for i in range(50)]
    line = timeline(pts, Fraction(1, 1000), end=12000)
    assert sample(line, 1) == [7000, 8000, 9000, 10000, 11000]
    assert sample(line, 1, start=1.05) == [8000, 9000, 10000, 11000]
    assert sample(line, 1, start=1, end=3) == [8000, 9000]
    assert sample(line, 1, start=1, end=3.001) == [8000, 9000, 10000]
    assert sample(line, 1, end=99) == sample(line, 1)
    assert sample(line, 1, start=5) == []
    assert sample(line, 1, start=3, end=3) == []


@given(
    gaps=st.lists(st.integers(1, 50), min_size=1, max_size=30),
    first=st.integers(0, 10**6),
    time_base=st.sampled_from(
        [Fraction(1, 1000), Fraction(1, 90000), Fraction(1001, 30000)]
    ),
    every_ticks=st.fractions(Fraction(1, 3), 100, max_denominator=7),
    start_ticks=st.fractions(0, 200, max_denominator=7),
    end_ticks=st.none() | st.fractions(0, 1000, max_denominator=7),
)
def test_sampling_by_bisection_is_the_definition(
    gaps: list[int],
    first: int,
    time_base: Fraction,
    every_ticks: Fraction,
    start_ticks: Fraction,
    end_ticks: Fraction | None,
) -> None:
    pts = list(itertools.accumulate(gaps, initial=first))
    line = timeline(pts, time_base)
    expected = []
    for i in itertools.count():
        tick = first + start_ticks + i * every_ticks
        if tick >= line.end or (end_ticks is not None and tick >= first + end_ticks):
            break
        expected.append(max(p for p in pts if p <= tick))
    assert expected == sample_interval(
        line,
        every=every_ticks * time_base,
        start=start_ticks * time_base,
        end=None if end_ticks is None else end_ticks * time_base,
    )


def test_every_nth_picture_counts_from_the_first_of_the_stretch() -> None:
    line = timeline([10 * i + 1000 for i in range(12)], Fraction(1, 100))

    def nth(*which: Any) -> list[int]:
        return [(pts - 1000) // 10 for pts in choose(line, *which) if pts is not None]

    assert nth(1) == list(range(12))
    assert nth(5) == [0, 5, 10]
    assert nth(5, "0.2") == [2, 7]
    # between two pictures: the next that comes on screen
    assert nth(5, "0.201") == [3, 8]
    assert nth(1, "0.2", "0.4") == [2, 3]
    assert nth(1, "0.2", "0.401") == [2, 3, 4]
    assert nth(1, 5) == []


def test_keyframes_are_chosen_like_pictures() -> None:
    line = timeline(list(range(100)), Fraction(1, 10))
    keyframes = np.arange(0, 100, 20)
    assert choose(line, 2, 1, among=keyframes) == [20, 60]
    assert choose(line, 1, 0, 6, among=keyframes) == [0, 20, 40]


def test_holes_are_part_of_the_timeline_s_own_time() -> None:
    line = Timeline(
        Fraction(1, 10),
        np.array([50, 51, 90]),
        np.array([50, 90]),
        91,
        ((52, 90),),
    )
    assert sample(line, 1) == [50, None, None, None, 90]
    in_hole = [line.in_hole(tick) for tick in (51, 52, 89, 90)]
    assert in_hole == [False, True, True, False]


def test_pictures_in_a_hole_are_counted_by_the_usual_step() -> None:
    # A step of 10, jittered; the hole takes what comes at 40, 50 and 60.
    line = Timeline(
        Fraction(1, 1000),
        np.array([0, 10, 19, 30, 71, 80, 90]),
        np.array([0, 71]),
        121,
        ((40, 71), (100, 121)),
    )

    assert choose(line, 1) == [0, 10, 19, 30, None, None, None, 71, 80, 90, None, None]
    assert choose(line, 3) == [0, 30, None, 90]
    assert choose(line, 1, "0.045", "0.065") == [None, None]
    assert choose(line, 1, "0.06", "0.072") == [None, 71]
    # Of keyframes, one each 71: the next would come at 142.
    assert choose(line, 1, among=line.keyframes) == [0, 71]


def test_a_hole_of_a_million_days_is_told_unless_it_is_left_out() -> None:
    far = 10**11
    pts = np.array([0, 1, 2, far])
    line = Timeline(Fraction(1), pts, pts[:1], far + 1, ((3, far),))
    assert choose(line, 1, end=5) == [0, 1, 2, None, None]
    with pytest.raises(ReelbowError, match="missing in a row, by broken timestamps"):
        choose(line, 1)
