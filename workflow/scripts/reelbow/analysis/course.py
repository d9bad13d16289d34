"""The course of a film's mean colors, in columns that last as long in two films."""

from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelbow.barcode.film_record import FilmRecord, find_film, read_film, unpack_colors
from reelbow.database.opening import open_database
from reelbow.errors import ReelbowError

# Longer films have several frames in a column: an alignment of two takes 8 bytes of
# memory for each pair of columns, which makes 72 MB, and 0.2 s.
MOST_COLUMNS = 3_000


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


def read_means(database: Path) -> Frames:
    """Read the mean colors of a film's frames.

    Raises
    ------
    ReelbowError
        If no frame of it could be read.
    """
    record = read_film(database)
    with closing(open_database(database, oldest=1)) as connection:
        film_id, _ = find_film(connection, database, None)
        rows = connection.execute(
            "SELECT frame, mean_color FROM frames WHERE film_id = ?", (film_id,)
        ).fetchall()
    if not rows:
        raise ReelbowError(
            f"film {record.film} has no frame that could be read, so there is nothing "
            "to compare; take it out of compare"
        )
    frames, colors = np.array(rows).T
    means = np.full((len(record.frames), 3), np.nan)
    means[frames] = unpack_colors(colors)
    return Frames(record, means)


def measure_in_seconds(*films: Frames) -> bool:
    """Whether all films' frames have times, which never run backward."""
    return all(
        film.record.times_s is not None
        and bool((np.diff(film.record.times_s) >= 0).all())
        for film in films
    )


def part_into_columns(first: Frames, second: Frames) -> tuple[Course, Course, float]:
    """Part two films into columns of one length, of frames or of seconds.

    A column lasts as long as a frame of the film that has fewer of them, or longer if
    there would be more than `MOST_COLUMNS`.

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
    steps = [float(np.median(np.diff(each))) for each in positions if len(each) > 1]
    longest = max(float(each[-1] - each[0]) for each in positions)
    # Films of one frame have none, and times may all be one.
    step = max([*steps, longest / (MOST_COLUMNS - 1)]) or 1.0
    courses = [
        _part(film.means, each, step)
        for film, each in zip((first, second), positions, strict=True)
    ]
    return courses[0], courses[1], step


def _part(
    means: NDArray[np.float64], positions: NDArray[np.float64], step: float
) -> Course:
    """Average what is in each column; where no frame begins, the last one goes on."""
    columns = np.rint((positions - positions[0]) / step).astype(np.intp)
    n = int(columns[-1]) + 1
    there = ~np.isnan(means[:, 0])
    counts = np.bincount(columns[there], minlength=n)
    sums = [
        np.bincount(columns[there], channel[there], minlength=n) for channel in means.T
    ]
    places = np.searchsorted(columns, np.arange(n), side="right") - 1
    colors = np.stack(sums, axis=1) / np.maximum(counts, 1)[:, np.newaxis]
    colors[counts == 0] = means[places[counts == 0]]
    # A column with frames of which only the last is missing shows another one.
    shown = np.full(n, -1)
    shown[columns[there]] = np.flatnonzero(there)
    places = np.where(shown >= 0, shown, places)
    return Course(colors, positions[0] + step * np.arange(n), places)
