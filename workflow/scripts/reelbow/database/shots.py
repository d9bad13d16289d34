"""The shots of a film in its database, and the palette of each."""

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from reelbow.database.film_palettes import FrameTimes, find_palette
from reelbow.database.schema import ONLY_FILM, PaletteSettings


class Shot(NamedTuple):
    """A stretch of pictures between two cuts.

    Attributes
    ----------
    first, end : of all pictures that were looked at, from 0: its first one, and the
        first one after it
    start_s, end_s : when these are shown, from the film's first picture; None: unknown,
        of a film whose every picture is a frame
    """

    first: int
    end: int
    start_s: float | None
    end_s: float | None


def add_shots(
    connection: sqlite3.Connection, shots: Sequence[Shot], settings: PaletteSettings
) -> None:
    """Add shots to the only film of a database, and the palettes of their frames."""
    times = FrameTimes.read(connection)
    for number, shot in enumerate(shots):
        if shot.start_s is None or shot.end_s is None:
            found = np.searchsorted(times.frames, (shot.first, shot.end))
        else:
            found = np.searchsorted(times.times_s, (shot.start_s, shot.end_s))
        frames = times.frames[slice(*found)].tolist()
        bounds = (frames[0], frames[-1]) if frames else (None, None)
        connection.execute(
            "INSERT INTO shots VALUES (?, ?, ?, ?, ?, ?)",
            (ONLY_FILM, number, *bounds, shot.start_s, shot.end_s),
        )
        rows = connection.execute(
            """SELECT frame, color, share FROM palettes
            WHERE film_id = ? AND frame BETWEEN ? AND ? ORDER BY frame, rank""",
            (ONLY_FILM, *bounds),
        )
        connection.executemany(
            "INSERT INTO shot_palettes VALUES (?, ?, ?, ?, ?)",
            (
                (ONLY_FILM, number, *color)
                for color in find_palette(rows, times.durations_s, settings)
            ),
        )
