"""Writes and reads the sums of drawings, of which their averages are made."""

import sqlite3
import zlib

import numpy as np

from reelbow.database.schema import ONLY_FILM
from reelbow.pictures.picture_sums import PictureSums, WordSum

# Of zlib: a higher one makes them no smaller.
_LEVEL = 1


def add_sums(connection: sqlite3.Connection, sums: PictureSums) -> None:
    """Add the sums of the only film to the table drawing_sums."""
    connection.executemany(
        "INSERT INTO drawing_sums VALUES (?, ?, ?, ?, ?, ?)",
        (
            (
                ONLY_FILM,
                each.word,
                each.n_drawings,
                len(each.sums),
                each.sums.size // len(each.sums) ** 2,
                # Bytes that count alike side by side are a quarter smaller.
                zlib.compress(
                    each.sums.astype("<u4").view(np.uint8).reshape(-1, 4).T.tobytes(),
                    _LEVEL,
                ),
            )
            for each in sums
        ),
    )


def read_sums(
    connection: sqlite3.Connection, sums: PictureSums, name: str = "main"
) -> None:
    """Add the sums of the only film of a database to others."""
    for word, n_drawings, rows, n_channels, packed in connection.execute(
        "SELECT word, n_drawings, rows, n_channels, sums "
        f"FROM {name}.drawing_sums ORDER BY word"
    ):
        planes = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(4, -1)
        shape = (rows, rows) if n_channels == 1 else (rows, rows, n_channels)
        values = np.ascontiguousarray(planes.T).view("<u4").reshape(shape)
        sums.add_sum(WordSum(word, n_drawings, values))
