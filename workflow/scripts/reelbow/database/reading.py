"""Reads counts and rows out of databases."""

import sqlite3
from pathlib import Path

from reelbow.database.opening import telling_damage
from reelbow.database.schema import FILM_COLUMNS, SHARD_COLUMNS, FilmRow


def count_frames(database: Path) -> int:
    """Count the frames."""
    with telling_damage(database, oldest=1) as connection:
        n_frames: int
        (n_frames,) = connection.execute("SELECT count(*) FROM frames").fetchone()
    return n_frames


def count_skipped(database: Path) -> tuple[int, int, str]:
    """Count the skipped pictures and the frames, and say why the first was skipped.

    What was lost as a whole is not counted: see `find_lost`.
    """
    lost = find_lost(database)
    with telling_damage(database, oldest=1) as connection:
        marks = ", ".join("?" * len(lost))
        n_skipped, first = connection.execute(
            "SELECT count(*), coalesce(min(name || ': ' || reason), '') FROM skipped "
            f"WHERE reason NOT IN ({marks})",
            list(lost.values()),
        ).fetchone()
        (n_frames,) = connection.execute("SELECT count(*) FROM frames").fetchone()
    return n_skipped, n_frames, first


def find_lost(database: Path) -> dict[str, str]:
    """Find the shards that could not be read whole, and say why.

    A film that has no plan has no shards: its reason is that of ''.
    """
    with telling_damage(database, oldest=1) as connection:
        there = {name for (name,) in connection.execute(SHARD_COLUMNS)}
        if "lost" not in there:
            return {}
        return dict(
            connection.execute(
                "SELECT shard, lost FROM shards WHERE lost IS NOT NULL "
                "UNION ALL SELECT shard, reason FROM skipped WHERE shard = ''"
            )
        )


def read_row(connection: sqlite3.Connection, film_id: int) -> FilmRow:
    """Read a film's row; columns that an older schema did not have are None."""
    there = {name for (name,) in connection.execute(FILM_COLUMNS)}
    wanted = [name for name in FilmRow._fields if name in there]
    row = connection.execute(
        f"SELECT {', '.join(wanted)} FROM films WHERE film_id = ?", (film_id,)
    ).fetchone()
    return FilmRow(**dict(zip(wanted, row, strict=True)))


def count_fallbacks(database: Path) -> tuple[int, int, str]:
    """Count the shards that were to be a GPU's, and all; say why of the first."""
    with telling_damage(database, oldest=1) as connection:
        counted: tuple[int, int, str] = connection.execute(
            "SELECT count(gpu_fallback), count(*), coalesce(min(gpu_fallback), '') "
            "FROM shards"
        ).fetchone()
    return counted
