"""Reads the shots of a film out of its database."""

import sqlite3
import statistics
from collections.abc import Sequence
from typing import NamedTuple

# Of a database's metadata: how shots were found, if they were looked for.
SHOTS_KEY = "shots"


class ShotRow(NamedTuple):
    """A row of the table shots.

    Attributes
    ----------
    first_frame, last_frame : of the table frames; None: none of them is in it
    start_s, end_s : from the film's first picture; None: nobody knows
    """

    shot: int
    first_frame: int | None
    last_frame: int | None
    start_s: float | None
    end_s: float | None

    @property
    def length_s(self) -> float | None:
        """How long it is."""
        if self.start_s is None or self.end_s is None:
            return None
        return self.end_s - self.start_s

    @property
    def n_frames(self) -> int:
        """How many frames there are, missing ones between first and last included."""
        if self.first_frame is None or self.last_frame is None:
            return 0
        return self.last_frame - self.first_frame + 1


def read_shots(
    connection: sqlite3.Connection, film_id: int, film: str
) -> list[ShotRow] | None:
    """Read the shots of a film in their order; None: they were not looked for.

    Nobody looked in a film of which nothing could be read, whatever metadata say.
    """
    asked = connection.execute(
        "SELECT 1 FROM metadata, shards WHERE key IN (?, ?) AND film_id = ? LIMIT 1",
        (SHOTS_KEY, f"{SHOTS_KEY}/{film}", film_id),
    )
    if asked.fetchone() is None:
        return None
    rows = connection.execute(
        """SELECT shot, first_frame, last_frame, start_s, end_s FROM shots
        WHERE film_id = ? ORDER BY shot""",
        (film_id,),
    )
    return [ShotRow(*row) for row in rows]


def measure_lengths(shots: Sequence[ShotRow]) -> tuple[float | None, float | None]:
    """Find the mean and the median length of shots in seconds; None: unknown."""
    lengths_s = [shot.length_s for shot in shots if shot.length_s is not None]
    if not lengths_s:
        return None, None
    return statistics.fmean(lengths_s), statistics.median(lengths_s)
