"""Where the ticks of a figure's time axis stand, and what they say."""

import math

import numpy as np
from numpy.typing import NDArray

from reelbow.text import format_time

_HOUR_S = 3600.0
_DAY_S = 24 * _HOUR_S

# Matplotlib has round numbers, and round times of a calendar, which a film has not.
_STEPS_S = [
    *(0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0),
    *(900.0, 1800.0, *(_HOUR_S * hours for hours in (1, 2, 3, 6, 12))),
    *(_DAY_S * digit * 10.0**power for power in range(9) for digit in (1, 2, 5)),
]
_MAX_TICKS = 10

# Labels nearer to each other than this part of a tick's share of the axis would touch.
_MIN_GAP = 0.5


def find_ticks(
    frames: NDArray[np.integer],
    times_s: NDArray[np.float64] | None,
    most: int = _MAX_TICKS,
) -> list[tuple[float, str]]:
    """Place round times on an axis of frames, or round frames if times run backward.

    Parameters
    ----------
    most : about so many, fewer where it is narrow
    """
    if times_s is not None and (times_s[1:] >= times_s[:-1]).all():
        return find_time_ticks(times_s, most)
    return find_frame_ticks(frames, most)


def find_time_ticks(
    times_s: NDArray[np.float64], most: int = _MAX_TICKS
) -> list[tuple[float, str]]:
    """Place round times on an axis of frames, which need not be even in time.

    Parameters
    ----------
    times_s : (n,) float, seconds, never decreasing

    Returns
    -------
    list of (position, label)
        Position in [0, n - 1]: frame i begins at i, and times between two frames lie
        evenly between their beginnings. Label as h:mm:ss, or m:ss if all are below an
        hour; whole days, as photos of years have them, as 3 d.
    """
    first_s, last_s = float(times_s[0]), float(times_s[-1])
    step = next(step for step in _STEPS_S if last_s - first_s <= most * step)
    # Times are sums of binary fractions: 0.3 may be told as 0.29999.
    numbers = range(
        math.ceil(first_s / step - 1e-6), math.floor(last_s / step + 1e-6) + 1
    )
    round_s = [step * number for number in numbers]
    decimals, with_hours = int(step < 1), last_s >= _HOUR_S
    positions = np.interp(round_s, times_s, np.arange(len(times_s)))
    labels = [
        f"{round(time_s / _DAY_S):,} d"
        if step >= _DAY_S
        else format_time(time_s, decimals=decimals, with_hours=with_hours)
        for time_s in round_s
    ]
    return _thin(list(zip(positions.tolist(), labels, strict=True)), len(times_s), most)


def find_frame_ticks(
    frames: NDArray[np.integer], most: int = _MAX_TICKS
) -> list[tuple[float, str]]:
    """Label the frames with round numbers, each in its middle.

    Parameters
    ----------
    frames : (n,) int, ascending; numbers may be missing

    Returns
    -------
    list of (position, label)
        Position in [0.5, n - 0.5]; the first label says that these are frames.
    """
    from matplotlib.ticker import MaxNLocator

    locator = MaxNLocator(most, steps=[1, 2, 5, 10], integer=True)
    round_numbers = locator.tick_values(int(frames[0]), int(frames[-1]))
    # With many frames missing, no round one may be left.
    there = np.flatnonzero(np.isin(frames, round_numbers)).tolist() or [0]
    ticks = [(place + 0.5, f"{int(frames[place]):,}") for place in there]
    (place, label), *others = _thin(ticks, len(frames), most)
    return [(place, f"frame {label}"), *others]


def _thin(
    ticks: list[tuple[float, str]], length: int, most: int
) -> list[tuple[float, str]]:
    """Leave out the ticks that are too near the one before."""
    placed: list[tuple[float, str]] = []
    for tick in ticks:
        if not placed or tick[0] - placed[-1][0] >= _MIN_GAP * length / most:
            placed.append(tick)
    return placed
