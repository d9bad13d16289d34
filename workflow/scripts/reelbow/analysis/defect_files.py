"""The defects of a film's sensor as a database and as CSV, to be asked by anybody."""

import contextlib
import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from reelbow.analysis.hot_pixels import Defect, Found
from reelbow.analysis.sensor_sums import FilmSums, Sensor
from reelbow.database.opening import connect, explaining, open_new

# The format's number, and the mark of a database of defects: "RLBD".
FORMAT = 1
APPLICATION = int.from_bytes(b"RLBD")
_TABLES = f"""
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {FORMAT};
CREATE TABLE sensors (
    sensor_id INTEGER PRIMARY KEY, -- 0: the most frequent, whose defects these are
    make TEXT NOT NULL,        -- as EXIF has it, '': it does not tell
    model TEXT NOT NULL,
    serial TEXT NOT NULL,
    width INTEGER NOT NULL,    -- of its photos as they are stored
    height INTEGER NOT NULL,
    n_photos INTEGER NOT NULL
) STRICT;
CREATE TABLE defects (
    sensor_id INTEGER NOT NULL,
    y INTEGER NOT NULL,        -- of the sensor, from 0, at the top
    x INTEGER NOT NULL,        -- from 0, on the left
    channel TEXT NOT NULL,     -- red, green, blue: where it stands out most
    kind TEXT NOT NULL,        -- stuck, dead, hot, low gain
    mean REAL NOT NULL,        -- of its levels, [0, 255]
    variance REAL NOT NULL,
    usual_mean REAL NOT NULL,  -- of its neighbors, by the median
    usual_variance REAL NOT NULL,
    spike REAL NOT NULL,       -- robust z of the mean against its neighbors
    dip REAL NOT NULL,         -- and of minus the logarithm of the variance
    z REAL NOT NULL,           -- of both; see docs/hot_pixels.md
    first_y INTEGER NOT NULL,  -- the region that stands out
    first_x INTEGER NOT NULL,
    last_y INTEGER NOT NULL,
    last_x INTEGER NOT NULL,
    PRIMARY KEY (sensor_id, y, x)
) STRICT;
CREATE TABLE left_out (        -- photos that are of no use here
    shard TEXT NOT NULL,
    name TEXT NOT NULL,        -- '': what could not be read of the shard
    reason TEXT NOT NULL
) STRICT;
CREATE TABLE metadata (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""


class SensorDefects(NamedTuple):
    """A sensor and its defects, as a database has them, the worst first."""

    sensor: Sensor
    n_photos: int
    defects: list[Defect]


def write_defects(
    path: Path, sums: FilmSums, found: Found, about: Mapping[str, Any]
) -> None:
    """Write the database.

    about : what else is to be told of how they were found
    """
    with open_new(path, _TABLES) as connection:
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO sensors VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(place, *each, n) for place, (each, n) in enumerate(sums.sensors)],
        )
        marks = ", ".join("?" * len(Defect._fields))
        connection.executemany(
            f"INSERT INTO defects VALUES (0, {marks})", found.defects
        )
        connection.executemany("INSERT INTO left_out VALUES (?, ?, ?)", sums.left_out)
        connection.executemany(
            "INSERT INTO metadata VALUES (?, ?)",
            [(key, json.dumps(value)) for key, value in about.items()],
        )
        connection.execute("COMMIT")


def write_table(path: Path, found: Found) -> None:
    """Write the defects as CSV in UTF-8, with a header, the worst first."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(Defect._fields)
        for each in found.defects:
            writer.writerow(
                round(value, 3) if isinstance(value, float) else value for value in each
            )


def read_defects(path: Path) -> SensorDefects:
    """Read what `write_defects` wrote.

    Raises
    ------
    ReelbowError
        If it cannot be read.
    """
    columns = ", ".join(Defect._fields)
    with (
        explaining(path, "the database of defects"),
        contextlib.closing(connect(path)) as connection,
    ):
        *sensor, n_photos = connection.execute(
            "SELECT make, model, serial, width, height, n_photos FROM sensors "
            "WHERE sensor_id = 0"
        ).fetchone()
        rows = connection.execute(f"SELECT {columns} FROM defects ORDER BY z DESC")
        return SensorDefects(Sensor(*sensor), n_photos, [Defect(*row) for row in rows])
