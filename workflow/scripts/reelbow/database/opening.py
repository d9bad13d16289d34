"""How databases are opened and checked, and what is said of a damaged one."""

import contextlib
import errno
import hashlib
import os
import sqlite3
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from reelbow.database.schema import APPLICATION, OLDEST_WHOLE, SCHEMA, TABLES, TOLD
from reelbow.errors import DamagedError, ReelbowError, UnreadableError
from reelbow.pictures.measure_names import MEASURES
from reelbow.text import tell_error

# Of SQLite's own header: the size of a page, the number of the last change, how many
# pages there are, and after which change that was so.
HEADER = struct.Struct(">16x H 6x I I 60x I 4x")

# What SQLite says, by the first byte of its codes, if it is not the file's fault.
NOT_DAMAGED = {
    sqlite3.SQLITE_IOERR: "cannot be read; look after its disk",
    sqlite3.SQLITE_BUSY: "another program is writing to it; end that one",
    sqlite3.SQLITE_LOCKED: "another program is writing to it; end that one",
    sqlite3.SQLITE_PERM: "may not be read; set its permissions",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; look after its folder",
}

# What it says of a file that is damaged for sure.
DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

# What it says if it cannot write, as a merge does while it reads.
CANNOT_WRITE = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_TRUNCATE,
    }
)

# The metadata that has the digest of all other rows of a shard or a film.
ROWS = "rows"

# What it digests, in the order in which merges copy it. SQLite's hexadecimals are many
# times faster than Python's way of writing bytes. What is zipped has other bytes with
# another zlib, which is read as the same.
DIGESTED = (
    ("films", "*", "film_id"),
    (
        "frames",
        "frame, time_s, name, shard, mean_color, luma, hex(strip), "
        + ", ".join(MEASURES),
        "frame",
    ),
    ("palettes", "frame, rank, color, share, accent", "frame, rank"),
    ("film_palettes", "rank, color, share", "rank"),
    ("color_sums", "digest_unzipped(sums)", "film_id"),
    ("shots", "shot, first_frame, last_frame, start_s, end_s", "shot"),
    ("shot_palettes", "shot, rank, color, share", "shot, rank"),
    *((table, ", ".join(["frame", *TOLD[table]]), "frame") for table in TOLD),
    (
        "drawing_sums",
        "word, n_drawings, rows, n_channels, digest_unzipped(sums)",
        "word",
    ),
    ("skipped", "shard, name, reason", "rowid"),
    ("shards", "*", "shard"),
    ("metadata", "*", "+key"),
)


@contextlib.contextmanager
def open_new(database: Path, tables: str = TABLES) -> Iterator[sqlite3.Connection]:
    """Create a database under a name that nobody reads before it is complete.

    So it needs no journal and no waiting for the disk: a job that dies leaves a
    temporary file, never half a database. A full disk is an `OSError` as with any file.

    tables : its schema, as SQL; '': it is a copy, which has them
    """
    try:
        with contextlib.closing(
            sqlite3.connect(_to_uri(database, "rwc"), isolation_level=None, uri=True)
        ) as connection:
            connection.executescript(
                "PRAGMA page_size = 8192; PRAGMA journal_mode = OFF; "
                "PRAGMA synchronous = OFF; PRAGMA cache_size = -32000;" + tables
            )
            yield connection
    except sqlite3.OperationalError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        if code == sqlite3.SQLITE_FULL:
            no_room = os.strerror(errno.ENOSPC)
            raise OSError(errno.ENOSPC, no_room, str(database)) from None
        if code in CANNOT_WRITE or code & 0xFF == sqlite3.SQLITE_CANTOPEN:
            raise ReelbowError(
                f"{database}: cannot be written ({error}); see whether its folder may "
                "be written to, and whether the disk or your share of it is full"
            ) from None
        raise


def _to_uri(database: Path, mode: str) -> str:
    return f"{database.resolve().as_uri()}?mode={mode}"


def to_immutable_uri(database: Path) -> str:
    """Name a file that is only ever replaced: SQLite neither locks it nor looks at it.

    So who has opened it goes on reading the old file when there is a new one.
    """
    return _to_uri(database, "ro&immutable=1")


def is_cut_off(database: Path) -> bool:
    """Whether a file does not begin as SQLite's do, or is shorter than it says."""
    with database.open("rb") as stream:
        header = stream.read(HEADER.size)
        size = stream.seek(0, os.SEEK_END)
    if len(header) < HEADER.size or not header.startswith(b"SQLite format 3\0"):
        return True
    page_size, written, n_pages, valid_for = HEADER.unpack(header)
    if page_size == 1:
        page_size = 1 << 16
    # Old versions of SQLite keep no number of pages.
    return bool(written == valid_for and size < n_pages * page_size)


def connect(database: Path) -> sqlite3.Connection:
    """Open a database to read it; nothing is ever written through this connection."""
    return sqlite3.connect(_to_uri(database, "ro"), uri=True)


def open_database(database: Path, *, oldest: int = OLDEST_WHOLE) -> sqlite3.Connection:
    """Open a database of Reelbow's to read it.

    Parameters
    ----------
    oldest : the oldest schema that the caller can read; 4 had no sums and no sketches,
        3 no measures and no palettes of films, 2 no accents, and 1 no column that tells
        how a film was sampled, nor of which shard a frame is

    Raises
    ------
    ReelbowError
        If there is none, it is of another schema or program, or it cannot be read.
    """
    if not database.is_file():
        raise ReelbowError(f"There is no database {database}.")
    with contextlib.ExitStack() as stack, explaining(database, "the database"):
        connection = stack.enter_context(contextlib.closing(connect(database)))
        try:
            schema = _find_schema(connection, "main")
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_NOTADB:
                raise
            schema = None
        if schema is None:
            raise ReelbowError(
                f"{database} is not a Reelbow database; give a palettes.sqlite of its "
                "results"
            )
        _check_schema(schema, oldest, f"{database}: the database")
        stack.pop_all()
    return connection


def _check_schema(schema: int, oldest: int, what: str) -> None:
    """Refuse what was made by a Reelbow that is too old or too new."""
    if schema > SCHEMA:
        raise ReelbowError(
            f"{what} was made by a newer Reelbow (its schema is {schema}, this one "
            f"reads up to {SCHEMA}); use that version, or another results folder"
        )
    if schema < oldest:
        raise ReelbowError(
            f"{what} was made by an older Reelbow (its schema is {schema}, now it is "
            f"{SCHEMA}); delete it and run again to make it anew"
        )


def _find_schema(connection: sqlite3.Connection, name: str) -> int | None:
    """Find the number of a schema of Reelbow's; None: it is of another program."""
    schema: int
    (schema,) = connection.execute(f"PRAGMA {name}.user_version").fetchone()
    (program,) = connection.execute(f"PRAGMA {name}.application_id").fetchone()
    if program == APPLICATION:
        return schema
    # Files of schema 1 have neither number.
    first = {"films", "frames", "palettes"}
    is_first = (program, schema) == (0, 0) and first <= list_tables(connection, name)
    return 1 if is_first else None


def list_tables(connection: sqlite3.Connection, name: str = "main") -> set[str]:
    """List the tables of a database; one of an older schema has fewer."""
    rows = connection.execute(f"SELECT name FROM {name}.sqlite_schema")
    return {table for (table,) in rows}


@contextlib.contextmanager
def explaining(path: Path, what: str) -> Iterator[None]:
    """Say in one sentence why `path` cannot be read.

    Only a file that is damaged is to be deleted: a disk, a lock or a permission is no
    fault of finished work. That something else cannot be written goes on as it is.

    Raises
    ------
    OSError
        If the file is not there or may not be opened.
    DamagedError
        If it is damaged for sure.
    UnreadableError
        If it may be read another time.
    ReelbowError
        For all else.
    """
    try:
        yield
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
        if code in CANNOT_WRITE:
            raise
        why = NOT_DAMAGED.get(code & 0xFF)
        if why is None and code & 0xFF in DAMAGED:
            why = f"{what} is damaged ({tell_error(error)})"
            raise DamagedError(why, [path]) from None
        if why is None:
            # Most likely damaged, but not for sure: the user decides what is deleted.
            raise ReelbowError(
                f"{path}: {what} is damaged ({tell_error(error)}); delete it and run "
                "again"
            ) from None
        # If the system refuses to open it too, its error says why.
        path.open("rb").close()
        reason, _, advice = why.partition("; ")
        raise UnreadableError(
            f"{path}: {reason} ({error}); {advice} and run again, with nothing deleted"
        ) from None


@contextlib.contextmanager
def attach(connection: sqlite3.Connection, path: Path, what: str) -> Iterator[None]:
    """Attach the database of `what` as `part`, only to read it."""
    with explaining(path, what):
        connection.execute("ATTACH ? AS part", (_to_uri(path, "ro"),))
        try:
            schema = _find_schema(connection, "part")
            if schema is None:
                raise sqlite3.DatabaseError("it is not a Reelbow database")
            _check_schema(schema, OLDEST_WHOLE, f"{path}: {what}")
            yield
        finally:
            # After an error within a transaction the whole merge is given up.
            if not connection.in_transaction:
                connection.execute("DETACH part")


@contextlib.contextmanager
def telling_damage(
    database: Path, *, oldest: int = OLDEST_WHOLE
) -> Iterator[sqlite3.Connection]:
    """Open a database as `open_database` does; what is damaged is one sentence, too."""
    with (
        explaining(database, "the database"),
        contextlib.closing(open_database(database, oldest=oldest)) as connection,
    ):
        yield connection


def digest_rows(connection: sqlite3.Connection, name: str) -> str:
    """Digest all rows but that of the digest: 8 ms for 600 frames of 8 colors."""
    digest = hashlib.sha256()
    there = list_tables(connection, name)
    add_functions(connection)
    for table, columns, order in DIGESTED:
        if table not in there:
            # Of an older schema.
            continue
        digest.update(table.encode())
        # "+" keeps SQLite from reading an index, which damage may have changed.
        where = f"WHERE +key != '{ROWS}'" if table == "metadata" else ""
        rows = connection.execute(
            f"SELECT {columns} FROM {name}.{table} {where} ORDER BY {order}"
        )
        # repr() tells numbers apart to the last bit, and 1 from 1.0.
        while some := rows.fetchmany(1000):
            digest.update("\n".join(map(repr, some)).encode())
    return f"sha256:{digest.hexdigest()}"


def add_functions(connection: sqlite3.Connection) -> None:
    """Give a connection what `DIGESTED` calls."""
    connection.create_function("digest_unzipped", 1, _digest_unzipped)


def _digest_unzipped(packed: bytes) -> str | None:
    try:
        return hashlib.sha256(zlib.decompress(packed)).hexdigest()
    except zlib.error:
        # Nothing that was ever written.
        return None


def check_rows(connection: sqlite3.Connection) -> None:
    """Check that a part has the rows that were written: a flipped bit is as valid."""
    (found,) = connection.execute(
        "SELECT max(value) FROM part.metadata WHERE +key = ?", (ROWS,)
    ).fetchone()
    if found != digest_rows(connection, "part"):
        raise sqlite3.DatabaseError("its rows are not those that were written")


def check_integrity(connection: sqlite3.Connection, name: str) -> None:
    """Check the pages of a database, which cut off or torn ones do not pass."""
    (verdict,) = connection.execute(f"PRAGMA {name}.integrity_check(1)").fetchone()
    if verdict != "ok":
        # SQLite's verdict has two lines; the first names the database.
        raise sqlite3.DatabaseError(verdict.splitlines()[-1])
