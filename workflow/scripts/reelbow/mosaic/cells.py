"""Which frame is where in a mosaic, as a database that anybody can ask."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from reelbow.database.opening import connect, explaining, open_new

TABLES = """
CREATE TABLE cells (
    row INTEGER NOT NULL,      -- from 0, at the top
    column INTEGER NOT NULL,   -- from 0, on the left
    film TEXT NOT NULL,
    frame INTEGER NOT NULL,    -- of the film's table frames
    time_s REAL,               -- NULL: nobody knows it
    view INTEGER NOT NULL,     -- 0: the whole frame; 1 to 9: a detail of half its width
                               -- and height, from the upper left, row by row
    mirrored INTEGER NOT NULL, -- 1: swapped left to right
    difference REAL NOT NULL,  -- from the target, in OKLab; see docs/mosaics.md
    "group" INTEGER NOT NULL,  -- of a shot, or of frames that are alike
    shard TEXT NOT NULL,       -- whose sheet of previews has it,
    place INTEGER NOT NULL,    -- and where
    PRIMARY KEY (row, column)
) STRICT;
CREATE TABLE metadata (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""


class Cell(NamedTuple):
    """A row of the table `cells`."""

    row: int
    column: int
    film: str
    frame: int
    time_s: float | None
    view: int
    mirrored: int
    difference: float
    group: int
    shard: str
    place: int


class Mosaic(NamedTuple):
    """A mosaic's cells, row by row, and what is known about it."""

    rows: int
    columns: int
    cells: Sequence[Cell]
    about: dict[str, Any]


def write_mosaic(path: Path, mosaic: Mosaic) -> None:
    """Write a mosaic's database."""
    about = {"rows": mosaic.rows, "columns": mosaic.columns, **mosaic.about}
    with open_new(path, TABLES) as connection:
        connection.execute("BEGIN")
        marks = ", ".join("?" * len(Cell._fields))
        connection.executemany(f"INSERT INTO cells VALUES ({marks})", mosaic.cells)
        connection.executemany(
            "INSERT INTO metadata VALUES (?, ?)",
            [(key, json.dumps(value)) for key, value in about.items()],
        )
        connection.execute("COMMIT")


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    with (
        explaining(path, "the mosaic"),
        contextlib.closing(connect(path)) as connection,
    ):
        yield connection


def read_about(path: Path) -> dict[str, Any]:
    """Read what is known about a mosaic, with its rows and columns.

    Raises
    ------
    ReelbowError
        If it cannot be read.
    """
    with _reading(path) as connection:
        rows = connection.execute("SELECT key, value FROM metadata")
        return {key: json.loads(value) for key, value in rows}


def list_views(path: Path) -> list[tuple[str, str, int, bool, int]]:
    """List all tiles: film, shard, place there, if a detail, and of how many cells.

    Raises
    ------
    ReelbowError
        If it cannot be read.
    """
    with _reading(path) as connection:
        rows = connection.execute(
            "SELECT film, shard, place, view > 0, COUNT(*) FROM cells "
            "GROUP BY 1, 2, 3, 4 ORDER BY 1, 2"
        )
        return [(*tile, bool(is_detail), n) for *tile, is_detail, n in rows]


def read_mosaic(path: Path) -> Mosaic:
    """Read a mosaic's database.

    Raises
    ------
    ReelbowError
        If it cannot be read.
    """
    with _reading(path) as connection:
        cells = connection.execute('SELECT * FROM cells ORDER BY row, "column"')
        found = [Cell(*cell) for cell in cells]
    about = read_about(path)
    return Mosaic(about.pop("rows"), about.pop("columns"), found, about)
