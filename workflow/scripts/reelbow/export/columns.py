"""Columns of tables: colors, times and text as they are written everywhere."""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelbow.barcode.film_record import unpack_colors
from reelbow.color.spaces import srgb_to_cielab
from reelbow.text import format_time

# Of a database, read at a time.
SOME_ROWS = 10_000

SHARE_DECIMALS = 6
TIME_DECIMALS = 6

LAB = ("lab_l", "lab_a", "lab_b")

# Of L*, a*, b*: a hundredth of what can be seen.
_LAB_DECIMALS = 2


def read_parts(rows: sqlite3.Cursor) -> Iterator[Sequence[Sequence[Any]]]:
    """Yield some rows as columns, and without any rows empty ones."""
    some = rows.fetchmany(SOME_ROWS)
    if not some:
        yield [[] for _ in rows.description]
    while some:
        yield list(zip(*some, strict=True))
        some = rows.fetchmany(SOME_ROWS)


def make_text(values: Sequence[str | None]) -> Any:
    """Make a column of text; None: missing."""
    return pd.array(list(values), dtype="str")


def describe_times(
    times_s: Sequence[float | None], name: str = "time"
) -> dict[str, Any]:
    """Make the columns time_s and time_hms, or of another name; None: missing."""
    return {
        f"{name}_s": np.array(times_s, np.float64).round(TIME_DECIMALS),
        f"{name}_hms": make_text(
            [None if each is None else format_hms(each) for each in times_s]
        ),
    }


def format_hms(time_s: float) -> str:
    """Write h:mm:ss.mmm."""
    text = format_time(abs(time_s), decimals=3, with_hours=True)
    return f"-{text}" if time_s <= -0.0005 else text


def format_colors(packed: NDArray[np.int64]) -> Any:
    """Write colors, (n,) 0xRRGGBB, as #rrggbb."""
    return make_text([f"#{color:06x}" for color in packed.tolist()])


def describe_lab(packed: NDArray[np.int64], prefix: str) -> dict[str, Any]:
    """Make the columns of L*, a* and b* of colors, (n,) 0xRRGGBB."""
    return {
        f"{prefix}{name}": values
        for name, values in zip(LAB, to_lab(packed).T, strict=True)
    }


def to_lab(packed: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n, 3) CIE L*a*b* under D65, rounded, and never -0."""
    lab = srgb_to_cielab(unpack_colors(packed)).round(_LAB_DECIMALS) + 0.0
    return np.asarray(lab, np.float64)
