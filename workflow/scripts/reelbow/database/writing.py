"""Writes all but frames into the database of a shard, a film or all films."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reelbow.database.opening import ROWS, check_integrity, digest_rows
from reelbow.database.schema import ONLY_FILM, TOLD, FilmRow


def add_film(connection: sqlite3.Connection, film_id: int, row: FilmRow) -> None:
    """Add a film."""
    connection.execute(
        f"INSERT INTO films VALUES (?{', ?' * len(row)})", (film_id, *row)
    )


def add_told(
    connection: sqlite3.Connection,
    table: str,
    told: Iterable[tuple[int, Mapping[str, Any]]],
) -> None:
    """Add what is told of frames, each with its number, to a table of `TOLD`."""
    connection.executemany(
        f"INSERT INTO {table} VALUES (?, ?{', ?' * len(TOLD[table])})",
        (
            (ONLY_FILM, frame, *(about[column] for column in TOLD[table]))
            for frame, about in told
        ),
    )


def add_skipped(
    connection: sqlite3.Connection, shard: str, skipped: Sequence[tuple[str, str]]
) -> None:
    """Add the pictures, as (name, reason), that could not be read."""
    connection.executemany(
        "INSERT INTO skipped VALUES (?, ?, ?, ?)",
        ((ONLY_FILM, shard, name, reason) for name, reason in skipped),
    )


def add_shard(
    connection: sqlite3.Connection,
    shard: str,
    *,
    engine: str,
    version: str,
    gpu_fallback: str | None = None,
    path: str | None = None,
    digest: str | None = None,
    made_at: str | None = None,
    lost: str | None = None,
) -> None:
    """Add what made a shard; see the table shards."""
    made = (engine, version, gpu_fallback, path, digest, made_at, lost)
    connection.execute(
        "INSERT INTO shards VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (ONLY_FILM, shard, *made),
    )


def add_color_sums(connection: sqlite3.Connection, packed: bytes) -> None:
    """Add the sums of a shard's pixels, as `ColorSums` packs them."""
    connection.execute("INSERT INTO color_sums VALUES (?, ?)", (ONLY_FILM, packed))


def note_varying_coding(connection: sqlite3.Connection) -> None:
    """Say that some of the only film's pictures are coded otherwise than it says."""
    connection.execute(
        """UPDATE films SET assumed = coalesce(assumed || ',', '') || 'varies'
        WHERE ',' || coalesce(assumed, '') || ',' NOT LIKE '%,varies,%'"""
    )


def finish(
    connection: sqlite3.Connection,
    metadata: Mapping[str, str],
    *,
    n_colors: int,
    is_part: bool = True,
) -> None:
    """Add the metadata and the view of palettes as columns; check what was written.

    Which engines made the shards, and when, is added to the metadata; and, if this is
    to be a part of another database, a digest of all rows, by which a merge knows them.
    """
    about = {**metadata, **sum_up_shards(connection)}
    connection.executemany("INSERT INTO metadata VALUES (?, ?)", sorted(about.items()))
    if is_part:
        own = digest_rows(connection, "main")
        connection.execute("INSERT INTO metadata VALUES (?, ?)", (ROWS, own))
    colors = [
        f"(SELECT {{}} FROM palettes AS p WHERE p.film_id = f.film_id "
        f"AND p.frame = f.frame AND p.rank = {rank}) AS {{}}{rank}"
        for rank in range(n_colors)
    ]
    columns = [
        *["f.name AS imgname", "film", "frame", "time_s"],
        *[column.format("color", "color") for column in colors],
        *[column.format("printf('#%06x', color)", "hex") for column in colors],
    ]
    connection.execute(
        "CREATE VIEW images AS SELECT " + ",\n    ".join(columns) + "\n"
        "FROM frames AS f JOIN films USING (film_id) ORDER BY f.film_id, f.frame"
    )
    check_integrity(connection, "main")


# Columns of shards that metadata sums up.
SUMMED_UP = ("engine", "gpu_fallback")


def sum_up_shards(connection: sqlite3.Connection) -> dict[str, str]:
    """Say what made the shards: what all have in common, or each with their number."""
    summed = {}
    for column in SUMMED_UP:
        counts = connection.execute(
            f"SELECT {column}, count(*) FROM shards WHERE {column} IS NOT NULL "
            f"GROUP BY {column} ORDER BY {column}"
        ).fetchall()
        if counts:
            summed[column] = sum_up(counts)
    (made_at,) = connection.execute("SELECT max(made_at) FROM shards").fetchone()
    return summed if made_at is None else {**summed, "made_at": made_at}


def sum_up(counts: Sequence[tuple[str, int]]) -> str:
    """Write the one value, or several with how often each is there: numba (3); ..."""
    if len(counts) == 1:
        return counts[0][0]
    return "; ".join(f"{value} ({n})" for value, n in counts)
