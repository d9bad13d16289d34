"""Whether databases are whole, have the rows that were written, and fit each other."""

import contextlib
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from reelbow.database.opening import (
    DIGESTED,
    add_functions,
    attach,
    check_integrity,
    check_rows,
    list_tables,
    open_database,
)
from reelbow.database.schema import ONLY_FILM
from reelbow.errors import DamagedError, ReelbowError

# What tells how rows were made, and when, which may differ where the rows do not.
ABOUT = ("films", "shards", "metadata")

# What is added up in a film's database, and not in that of all.
OF_PARTS = ("color_sums", "drawing_sums")


class MadeShard(NamedTuple):
    """What a database tells of a shard.

    Attributes
    ----------
    engine : of k-means
    made_at : UTC
    digest : of the user's files that are this shard; None: it has none
    n_frames : those that were read
    n_skipped : those that were not
    first, last : the least and the largest number of its frames, if it has any
    """

    engine: str
    made_at: str | None
    digest: str | None
    n_frames: int
    n_skipped: int
    first: int
    last: int

    @property
    def n_planned(self) -> int:
        """Its frames, those in skipped too."""
        return self.n_frames + self.n_skipped


def verify_part(database: Path) -> None:
    """Verify the database of a shard or of a film by the digest of its rows.

    Raises
    ------
    ReelbowError
        If it is not there, cannot be read, or has other rows than were written.
    """
    with _as_part(database) as connection:
        check_integrity(connection, "part")
        check_rows(connection)


def verify_films(
    database: Path, films: Mapping[str, Path]
) -> Iterator[tuple[str, str]]:
    """Verify the database of all films by those of its films.

    Yields
    ------
    film, and in what it differs

    Raises
    ------
    ReelbowError
        If it is not there, or is damaged.
    """
    with contextlib.closing(open_database(database)) as connection:
        try:
            check_integrity(connection, "main")
        except sqlite3.DatabaseError as error:
            raise ReelbowError(f"the database is damaged ({error})") from None
        for film, path in films.items():
            row = connection.execute(
                "SELECT film_id FROM films WHERE film = ?", (film,)
            ).fetchone()
            if row is None:
                yield film, "the film is not in it"
                continue
            try:
                with attach(connection, path, "the film"):
                    difference = find_difference(connection, row[0], but=OF_PARTS)
            except (ReelbowError, OSError):
                # Told of the film's own.
                continue
            if difference:
                yield film, difference


def compare_shards(database: Path, other: Path) -> str | None:
    """Say in which row a shard's database differs from another one; None: in none.

    Raises
    ------
    ReelbowError
        If one of them cannot be read.
    """
    with (
        contextlib.closing(open_database(database)) as connection,
        attach(connection, other, "the shard"),
    ):
        return find_difference(connection, ONLY_FILM)


def find_difference(
    connection: sqlite3.Connection, film_id: int, but: Collection[str] = ()
) -> str | None:
    """Say in which row a film differs from that of the attached `part`.

    but : further tables that are left out
    """
    there = list_tables(connection, "main") & list_tables(connection, "part")
    add_functions(connection)
    for table, columns, order in DIGESTED:
        if table in (*ABOUT, *but) or table not in there:
            continue
        ours = connection.execute(
            f"SELECT {columns} FROM main.{table} WHERE film_id = ? ORDER BY {order}",
            (film_id,),
        )
        theirs = connection.execute(
            f"SELECT {columns} FROM part.{table} ORDER BY {order}"
        )
        for place, (row, other) in enumerate(zip_longest(ours, theirs)):
            if row == other:
                continue
            if row is None or other is None:
                return f"{table} has {'less' if row is None else 'more'} rows"
            names = [name for name, *_ in ours.description]
            name = next(
                name
                for name, own, its in zip(names, row, other, strict=True)
                if own != its
            )
            return f"{table}, row {place}: another {name}"
    return None


def read_shards(database: Path) -> dict[str, MadeShard]:
    """Read what a database of one film tells of its shards, by their names."""
    with contextlib.closing(open_database(database)) as connection:
        rows = connection.execute(
            """SELECT shard, engine, made_at, digest, n, (
                SELECT count(*) FROM skipped AS s WHERE s.shard = shards.shard
            ), low, high
            FROM shards LEFT JOIN (
                SELECT shard, count(*) AS n, min(frame) AS low, max(frame) AS high
                FROM frames GROUP BY shard
            ) USING (shard) ORDER BY shard"""
        )
        return {
            shard: MadeShard(engine, made_at, digest, n or 0, n_skipped, low, high)
            for shard, engine, made_at, digest, n, n_skipped, low, high in rows
        }


def read_film_digest(database: Path) -> str | None:
    """Read the digest of the file that a film was made of; None: of many."""
    with contextlib.closing(open_database(database)) as connection:
        row = connection.execute("SELECT digest FROM films").fetchone()
        return None if row is None else row[0]


@contextlib.contextmanager
def _as_part(database: Path) -> Iterator[sqlite3.Connection]:
    if not database.is_file():
        raise ReelbowError("not there")
    try:
        with (
            contextlib.closing(sqlite3.connect(":memory:", uri=True)) as connection,
            attach(connection, database, "the database"),
        ):
            yield connection
    except DamagedError as error:
        raise ReelbowError(error.why) from None
