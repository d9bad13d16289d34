"""Checks of what users of the library give, each wrong value told in one sentence."""

import math
from fractions import Fraction
from numbers import Integral, Rational, Real
from pathlib import Path
from typing import Any

from reelbow.errors import ReelbowError


def check_whole(name: str, value: Any, least: int, most: int | None = None) -> int:
    """Take a whole number within bounds, of Python or of NumPy.

    Raises
    ------
    ReelbowError
        If it is something else, or out of bounds.
    """
    bounds = f"{least} or more" if most is None else f"{least} to {most}"
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise ReelbowError(f"{name} must be a whole number, {bounds}, not {value!r}.")
    number = int(value)
    if number < least or (most is not None and number > most):
        raise ReelbowError(f"{name} must be {bounds}, not {number}.")
    return number


def check_seconds(name: str, value: Any, *, above: bool = False) -> Fraction:
    """Take a time as it is written: 0.1 is a tenth, not the nearest float.

    Parameters
    ----------
    above : whether it must be more than 0

    Raises
    ------
    ReelbowError
        If it is no number of seconds, is not finite, or is below 0.
    """
    wanted = f"seconds, {'more than 0' if above else '0 or more'}"
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ReelbowError(f"{name} must be {wanted}, not {value!r}.")
    if not math.isfinite(value) or value < 0 or (above and value == 0):
        raise ReelbowError(f"{name} must be {wanted}, not {value}.")
    if isinstance(value, Rational):
        return Fraction(value)
    return Fraction(str(float(value)))


def check_path(name: str, value: Any) -> Path:
    """Take a path, as `str` or `Path`; anything else is told in one sentence."""
    try:
        return Path(value)
    except TypeError:
        raise ReelbowError(f"{name} must be a path, not {value!r}.") from None
