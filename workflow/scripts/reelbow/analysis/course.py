"""The course of a film's mean colors, in columns that last as long in two films."""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelbow.barcode.film_record import FilmRecord, find_film, read_film, unpack_colors
from reelbow.color.spaces import srgb_to_oklab
from reelbow.database.opening import telling_damage
from reelbow.errors import ReelbowError

# Longer films have several frames in a column: an alignment of two takes 8 bytes of
# memory for each pair of columns, which makes 72 MB, and 0.2 s.
MOST_COLUMNS = 3_000

# Of a database, read at a time.
SOME_ROWS = 20_000


class Frames(NamedTuple):
    """Mean colors of all places of a film's frames."""

    record: FilmRecord
    # (n, 3) sRGB, [0, 255]; NaN where the frame is missing.
    means: NDArray[np.float64]


class Course(NamedTuple):
    """Columns of a film, each as long as those of the other film."""

    # (n, 3) sRGB, [0, 255]; NaN where all frames of a column are missing.
    colors: NDArray[np.float64]
    # (n,) when columns begin: seconds, or the index of a frame.
    positions: NDArray[np.float64]
    # (n,) the place in the barcode of a frame of each.
    places: NDArray[np.intp]

    def to_oklab(self) -> NDArray[np.float64]:
        """Convert the colors to OKLab; NaN stays."""
        known = ~np.isnan(self.colors[:, 0])
        oklab = np.full_like(self.colors, np.nan)
        oklab[known] = srgb_to_oklab(self.colors[known])
        return oklab


def read_means(database: Path) -> Frames:
    """Read the mean colors of a film's frames.

    Raises
    ------
    ReelbowError
        If no frame of it could be read.
    """
    record = read_film(database)
    with telling_damage(database, oldest=1) as connection:
        film_id, _ = find_film(connection, database, None)
        rows = connection.execute(
            "SELECT frame, mean_color FROM frames WHERE film_id = ?", (film_id,)
        )
        means = np.full((len(record.frames), 3), np.nan)
        while some := rows.fetchmany(SOME_ROWS):
            frames, colors = np.array(some).T
            means[frames] = unpack_colors(colors)
    if np.isnan(means).all():
        raise ReelbowError(
            f"film {record.film} has no frame that could be read, so there is nothing "
            "to compare; take it out of compare"
        )
    return Frames(record, means)


def measure_in_seconds(*films: Frames) -> bool:
    """Whether all films' frames have times, which never run backward."""
    return all(
        film.record.times_s is not None
        and bool((np.diff(film.record.times_s) >= 0).all())
        for film in films
    )


def part_into_columns(first: Frames, second: Frames) -> tuple[Course, Course, float]:
    """Part two films into columns of one length, in seconds or frames.

    Of both, as many frames are taken as there are of the one that has fewer in a
    second, at even times, so that the same film gives the same ones. If they are more
    than `MOST_COLUMNS`, several share a column, which has their mean color.

    Returns
    -------
    Both courses, and how long a column lasts
    """
    in_seconds = measure_in_seconds(first, second)
    positions = [
        film.record.times_s
        if in_seconds and film.record.times_s is not None
        else film.record.frames.astype(np.float64)
        for film in (first, second)
    ]
    # On average: of 15 frames a second, samples at every half are 7 and 8 apart.
    steps = [
        (each[-1] - each[0]) / (len(each) - 1) for each in positions if len(each) > 1
    ]
    # Films of one frame have none, and all times may be the same.
    step = float(max(steps, default=0.0)) or 1.0
    longest = max(float(each[-1] - each[0]) for each in positions)
    n_shared = math.ceil((round(longest / step) + 1) / MOST_COLUMNS)
    one, two = (
        _part(film.means, each, step, n_shared)
        for film, each in zip((first, second), positions, strict=True)
    )
    return one, two, n_shared * step


def _part(
    means: NDArray[np.float64],
    positions: NDArray[np.float64],
    step: float,
    n_shared: int,
) -> Course:
    """Take the frame that is nearest to each step, and average some of them."""
    n = round((positions[-1] - positions[0]) / step) + 1
    at = positions[0] + step * np.arange(n)
    nearest = np.searchsorted((positions[:-1] + positions[1:]) / 2, at)
    starts = np.arange(0, n, n_shared)
    taken = means[nearest]
    there = ~np.isnan(taken[:, 0])
    counts = np.add.reduceat(there.astype(np.float64), starts)
    counts[counts == 0] = np.nan
    sums = np.add.reduceat(np.where(there[:, np.newaxis], taken, 0.0), starts)
    # Of each column one that is there, if any is.
    order = np.where(there, np.arange(n), n)
    first = np.minimum.reduceat(order, starts)
    shown = nearest[np.where(first < n, first, starts)]
    return Course(sums / counts[:, np.newaxis], at[starts], shown)
