"""Where the ticks of a figure's time axis stand, and what they say."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_HOUR = 3600.0
_DAY = 24 * _HOUR
_DECADES = [digit * 10.0**power for power in range(9) for digit in (1, 2, 5)]
_TIME_STEPS = [
    *(0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30),
    *(60.0 * minutes for minutes in (1, 2, 5, 10, 15, 30)),
    *(_HOUR * hours for hours in (1, 2, 3, 6, 12)),
    *(_DAY * days for days in _DECADES),
]
_MAX_TICKS = 10

# Labels nearer to each other than this part of the axis would touch.
_MIN_GAP = 0.05


def find_time_ticks(times_s: NDArray[np.float64]) -> list[tuple[float, str]]:
    """Place round times on an axis of frames, which need not be even in time.

    Parameters
    ----------
    times_s : (n,) float, seconds, never decreasing

    Returns
    -------
    list of (position, label)
        Position in [0, n - 1]: frame i begins at i, and times between two frames lie
        evenly between their beginnings. Label as h:mm:ss, or m:ss if all are below an
        hour.
    """
    step = _choose_step(times_s[-1] - times_s[0], _TIME_STEPS)
    long = bool(times_s[-1] >= _HOUR)
    # Times are sums of binary fractions: 0.3 may be told as 0.29999.
    first = np.ceil(times_s[0] / step - 1e-6)
    last = np.floor(times_s[-1] / step + 1e-6)
    round_times = step * np.arange(first, last + 1)
    positions = _find_positions(round_times, times_s)
    placed = _thin(round_times, positions, len(times_s))
    return [
        (position, _format_time(time, long=long, tenths=step < 1))
        for time, position in placed
    ]


def _find_positions(
    round_times: NDArray[np.float64], times_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Find where times lie among those of frames: np.interp, but for its copies."""
    last = len(times_s) - 1
    after = np.searchsorted(times_s, round_times, side="right").clip(1, last)
    before = after - 1
    steps_s = times_s[after] - times_s[before]
    passed = round_times - times_s[before]
    parts = np.divide(passed, steps_s, out=np.ones(len(steps_s)), where=steps_s > 0)
    positions: NDArray[np.float64] = before + parts.clip(0, 1)
    return positions


def find_frame_ticks(frames: NDArray[np.integer]) -> list[tuple[float, str]]:
    """Label the frames with round numbers, each in its middle.

    Parameters
    ----------
    frames : (n,) int, ascending; numbers may be missing

    Returns
    -------
    list of (position, label)
        Position in [0.5, n - 0.5]; the first label says that these are frames.
    """
    step = _choose_step(float(frames[-1] - frames[0]), _DECADES)
    there = np.flatnonzero(frames % step == 0)
    # With many frames missing, no round one may be left.
    placed = _thin(frames[there], there, len(frames)) or [(frames[0], 0)]
    return [
        (position + 0.5, f"{'' if number else 'frame '}{round(frame):,}")
        for number, (frame, position) in enumerate(placed)
    ]


def _choose_step(span: float, steps: Sequence[float]) -> float:
    return next(step for step in steps if span / step <= _MAX_TICKS)


def _thin(
    values: NDArray[Any], positions: NDArray[Any], length: int
) -> list[tuple[float, float]]:
    """Pairs of value and position, without those too near the one before."""
    placed: list[tuple[float, float]] = []
    for value, position in zip(values.tolist(), positions.tolist(), strict=True):
        if not placed or position - placed[-1][1] >= _MIN_GAP * length:
            placed.append((value, position))
    return placed


def _format_time(time_s: float, *, long: bool, tenths: bool) -> str:
    whole, tenth = divmod(round(time_s * 10), 10)
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    clock = f"{hours}:{minutes:02}" if long else f"{minutes}"
    return f"{clock}:{seconds:02}" + (f".{tenth}" if tenths else "")
