"""Reelbow's SQLite databases: one schema for a shard, a film and all films."""

import contextlib
import datetime
import errno
import hashlib
import json
import os
import sqlite3
import struct
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from .errors import DamagedError, ReelbowError

# The schema's number, and Reelbow's mark of its own files: "RLBW".
SCHEMA = 2
APPLICATION = int.from_bytes(b"RLBW")

TABLES = f"""
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {SCHEMA};
CREATE TABLE films (
    film_id INTEGER PRIMARY KEY,
    film TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    source TEXT NOT NULL,
    digest TEXT,               -- of the film's bytes, NULL: of tarballs, see shards
    start_s REAL,              -- the stretch that was sampled, NULL: of tarballs
    end_s REAL,                -- NULL: to the end
    stream INTEGER,            -- of the file's videos, NULL: as players choose
    sampling TEXT,             -- interval, frames, keyframes; NULL: every image
    every REAL,                -- seconds, or every nth
    n_frames INTEGER,          -- sampled ones, those in skipped too
    n_pictures INTEGER,        -- that the film has, sampled or not
    width INTEGER,             -- of the picture as shown, before the crop
    height INTEGER,
    duration_s REAL,
    crop TEXT,                 -- w:h:x:y of what was kept, NULL: all of it
    crop_asked TEXT,           -- auto, none or w:h:x:y
    matrix TEXT,               -- how the film's colors were read, NULL: as images
    color_range TEXT,
    transfer TEXT,
    primaries TEXT,
    assumed TEXT,              -- which of these four the film does not say;
                               -- "varies": some of its pictures have others
    sheet TEXT,                -- the sheet's further columns, as a JSON object
    made_at TEXT               -- when its last shard was made, UTC
) STRICT;
CREATE TABLE frames (
    film_id INTEGER NOT NULL,
    frame INTEGER NOT NULL,    -- index in the film, from 0
    time_s REAL,               -- presentation time from the film's first frame
    name TEXT NOT NULL,
    shard TEXT NOT NULL,       -- which says in shards what file it is of
    mean_color INTEGER NOT NULL,
    luma REAL NOT NULL,        -- mean luma, Rec. 709 weights on sRGB, [0, 255]
    strip BLOB NOT NULL,       -- the frame averaged over its width, height x 3 bytes
    PRIMARY KEY (film_id, frame)
) STRICT;
CREATE TABLE palettes (
    film_id INTEGER NOT NULL,
    frame INTEGER NOT NULL,
    rank INTEGER NOT NULL,     -- 0 is the largest
    color INTEGER NOT NULL,    -- 0xRRGGBB, sRGB
    share REAL NOT NULL,       -- sums to 1 over a frame
    PRIMARY KEY (film_id, frame, rank)
) STRICT, WITHOUT ROWID;
CREATE TABLE skipped (
    film_id INTEGER NOT NULL,
    shard TEXT NOT NULL,
    name TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE TABLE shards (
    film_id INTEGER NOT NULL,
    shard TEXT NOT NULL,
    engine TEXT NOT NULL,      -- of k-means
    version TEXT NOT NULL,     -- of the engine's package
    gpu_fallback TEXT,         -- why a CPU did what was a GPU's; NULL: it did not
    path TEXT,                 -- of the tarball, or of the film's file
    digest TEXT,               -- of the tarball's bytes, NULL: of a video, see films
    made_at TEXT,              -- UTC
    lost TEXT,                 -- why not all of it could be read, NULL: it could
    PRIMARY KEY (film_id, shard)
) STRICT;
CREATE TABLE metadata (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
"""

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

# A shard and a film have one film, so its number says nothing until films are merged.
ONLY_FILM = 1

# A frame's shares are brought to a sum of 1 in float64: what is further off is damage.
SHARE_TOLERANCE = 1e-6

# Columns of shards that metadata sums up.
SUMMED_UP = ("engine", "gpu_fallback")

# Metadata in which the shards of a film may differ.
VERSION = "version/"

# The metadata that has the digest of all other rows of a shard or a film.
ROWS = "rows"

# What that is of, in the order in which merges copy it. SQLite's hexadecimals are many
# times faster than Python's way of writing bytes.
DIGESTED = (
    ("films", "*", "film_id"),
    ("frames", "frame, time_s, name, shard, mean_color, luma, hex(strip)", "frame"),
    ("palettes", "frame, rank, color, share", "frame, rank"),
    ("skipped", "shard, name, reason", "rowid"),
    ("shards", "*", "shard"),
    ("metadata", "*", "+key"),
)

# How colors were read: columns of films that stand in a video's plan as they are.
CODING_COLUMNS = ("matrix", "color_range", "transfer", "primaries", "assumed")


# What was asked for: columns of films that stand in every plan as they are.
PLAN_COLUMNS = (
    *("digest", "start_s", "end_s", "stream", "n_frames", "n_pictures"),
    *("width", "height", "duration_s", "crop", "crop_asked"),
)


_FILM_COLUMNS = "SELECT name FROM pragma_table_info('films')"
_SHARD_COLUMNS = "SELECT name FROM pragma_table_info('shards')"


class FilmRow(NamedTuple):
    """A row of the table films, without its number."""

    film: str
    title: str
    source: str
    digest: str | None = None
    start_s: float | None = None
    end_s: float | None = None
    stream: int | None = None
    sampling: str | None = None
    every: float | None = None
    n_frames: int | None = None
    n_pictures: int | None = None
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    crop: str | None = None
    crop_asked: str | None = None
    matrix: str | None = None
    color_range: str | None = None
    transfer: str | None = None
    primaries: str | None = None
    assumed: str | None = None
    sheet: str | None = None
    made_at: str | None = None

    @classmethod
    def from_plan(
        cls,
        plan: Mapping[str, Any],
        *,
        film: str,
        title: str,
        source: str,
        own: Mapping[str, str] | None = None,
    ) -> Self:
        """Take what the plan knows; `own` are the further columns of the sheet."""
        coding = plan["video"]["coding"] if plan["video"] else {}
        sampling = plan["sampling"] or {}
        return cls(
            film=film,
            title=title,
            source=source,
            sampling=sampling.get("mode"),
            every=sampling.get("every"),
            sheet=json.dumps(own, ensure_ascii=False) if own else None,
            **{column: plan[column] for column in PLAN_COLUMNS},
            **{column: coding.get(column) for column in CODING_COLUMNS},
        )


def now() -> str:
    """Give the time as databases have it: UTC, ISO 8601, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


@contextlib.contextmanager
def open_new(database: Path) -> Iterator[sqlite3.Connection]:
    """Create a database under a name that nobody reads before it is complete.

    So it needs no journal and no waiting for the disk: a job that dies leaves a
    temporary file, never half a database. A full disk is an `OSError` as with any file.
    """
    try:
        with contextlib.closing(
            sqlite3.connect(_to_uri(database, "rwc"), isolation_level=None, uri=True)
        ) as connection:
            connection.executescript(
                "PRAGMA page_size = 8192; PRAGMA journal_mode = OFF; "
                "PRAGMA synchronous = OFF; PRAGMA cache_size = -32000;" + TABLES
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


def open_database(database: Path, *, oldest: int = SCHEMA) -> sqlite3.Connection:
    """Open a database of Reelbow's to read it.

    Parameters
    ----------
    oldest : the oldest schema that the caller can read; 1 had no column that tells how
        a film was sampled, nor of which shard a frame is

    Raises
    ------
    ReelbowError
        If there is none, it is of another schema or program, or it cannot be read.
    """
    if not database.is_file():
        raise ReelbowError(f"There is no database {database}.")
    with contextlib.ExitStack() as stack, _explaining(database, "the database"):
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
    tables = {
        table
        for (table,) in connection.execute(f"SELECT name FROM {name}.sqlite_schema")
    }
    # The first had neither number.
    is_first = (program, schema) == (0, 0) and {"films", "frames", "palettes"} <= tables
    return 1 if is_first else None


@contextlib.contextmanager
def _explaining(path: Path, what: str) -> Iterator[None]:
    """Say in one sentence why `path` cannot be read.

    Only a file that is damaged is to be deleted: a disk, a lock or a permission is no
    fault of finished work. That something else cannot be written goes on as it is.

    Raises
    ------
    OSError
        If the file is not there or may not be opened.
    DamagedError
        If it is damaged for sure.
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
            raise DamagedError(f"{what} is damaged ({error})", [path]) from None
        if why is None:
            # Most likely; but who deletes it is to look at it first.
            raise ReelbowError(
                f"{path}: {what} is damaged ({error}); delete it and run again"
            ) from None
        # The system says it better, if it refuses too.
        path.open("rb").close()
        reason, _, advice = why.partition("; ")
        raise ReelbowError(
            f"{path}: {reason} ({error}); {advice} and run again, with nothing deleted"
        ) from None


@contextlib.contextmanager
def _attach(connection: sqlite3.Connection, path: Path, what: str) -> Iterator[None]:
    """Attach the database of `what` as `part`, only to read it."""
    with _explaining(path, what):
        connection.execute("ATTACH ? AS part", (_to_uri(path, "ro"),))
        try:
            schema = _find_schema(connection, "part")
            if schema is None:
                raise sqlite3.DatabaseError("it is not a Reelbow database")
            _check_schema(schema, SCHEMA, f"{path}: {what}")
            yield
        finally:
            # Within a transaction all is given up.
            if not connection.in_transaction:
                connection.execute("DETACH part")


@contextlib.contextmanager
def _reading(database: Path) -> Iterator[sqlite3.Connection]:
    """Read a database of any schema so far; what cannot be read is one sentence."""
    with (
        _explaining(database, "the database"),
        contextlib.closing(open_database(database, oldest=1)) as connection,
    ):
        yield connection


def count_frames(database: Path) -> int:
    """Count the frames."""
    with _reading(database) as connection:
        n_frames: int
        (n_frames,) = connection.execute("SELECT count(*) FROM frames").fetchone()
    return n_frames


def count_skipped(database: Path) -> tuple[int, int, str]:
    """Count the skipped pictures and the frames, and say why the first was skipped.

    What was lost as a whole is not counted: see `find_lost`.
    """
    lost = find_lost(database)
    with _reading(database) as connection:
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
    with _reading(database) as connection:
        there = {name for (name,) in connection.execute(_SHARD_COLUMNS)}
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
    there = {name for (name,) in connection.execute(_FILM_COLUMNS)}
    wanted = [name for name in FilmRow._fields if name in there]
    row = connection.execute(
        f"SELECT {', '.join(wanted)} FROM films WHERE film_id = ?", (film_id,)
    ).fetchone()
    return FilmRow(**dict(zip(wanted, row, strict=True)))


def count_fallbacks(database: Path) -> tuple[int, int, str]:
    """Count the shards that were to be a GPU's, and all; say why of the first."""
    with _reading(database) as connection:
        counted: tuple[int, int, str] = connection.execute(
            "SELECT count(gpu_fallback), count(*), coalesce(min(gpu_fallback), '') "
            "FROM shards"
        ).fetchone()
    return counted


def add_film(connection: sqlite3.Connection, film_id: int, row: FilmRow) -> None:
    """Add a film."""
    connection.execute(
        f"INSERT INTO films VALUES (?{', ?' * len(row)})", (film_id, *row)
    )


def add_frames(
    connection: sqlite3.Connection,
    shard: str,
    *,
    frames: NDArray[np.int64],
    times_s: NDArray[np.float64],
    names: Sequence[str],
    mean_colors: NDArray[np.floating],
    lumas: NDArray[np.floating],
    strips: NDArray[np.floating],
    colors: NDArray[np.floating],
    shares: NDArray[np.floating],
) -> None:
    """Add frames of a shard with their palettes.

    Parameters
    ----------
    frames, names : (n,)
    times_s : (n,) NaN: unknown
    mean_colors : (n, 3) sRGB [0, 255]
    lumas : (n,) [0, 255]
    strips : (n, h, 3) sRGB [0, 255]
    colors : (n, k, 3) sRGB [0, 255], ranked
    shares : (n, k), missing colors 0

    Notes
    -----
    Colors that are the same in 24 bits are one color of the palette.
    """
    strip_bytes = np.rint(strips).astype(np.uint8)
    connection.execute("BEGIN")
    connection.executemany(
        "INSERT INTO frames VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                ONLY_FILM,
                int(frame),
                None if np.isnan(time_s) else float(time_s),
                name,
                shard,
                mean,
                float(luma),
                strip.tobytes(),
            )
            for frame, time_s, name, mean, luma, strip in zip(
                frames,
                times_s,
                names,
                pack_colors(mean_colors),
                lumas,
                strip_bytes,
                strict=True,
            )
        ),
    )
    connection.executemany(
        "INSERT INTO palettes VALUES (?, ?, ?, ?, ?)",
        (
            (ONLY_FILM, int(frame), rank, color, share)
            for frame, packed, weights in zip(
                frames,
                pack_colors(colors),
                np.asarray(shares, np.float64).tolist(),
                strict=True,
            )
            for rank, (color, share) in enumerate(rank_colors(packed, weights))
        ),
    )
    connection.execute("COMMIT")


def pack_colors(colors: NDArray[np.floating]) -> list[Any]:
    """Make 0xRRGGBB of (..., 3) sRGB in [0, 255]."""
    red, green, blue = np.moveaxis(np.rint(colors).astype(np.int64), -1, 0)
    packed: list[Any] = (red << 16 | green << 8 | blue).tolist()
    return packed


def rank_colors(
    packed: Sequence[int], shares: Sequence[float]
) -> list[tuple[int, float]]:
    """Join equal colors and order by share; shares of the frame sum to exactly 1."""
    joined: dict[int, float] = {}
    for color, share in zip(packed, shares, strict=True):
        if share > 0:
            joined[color] = joined.get(color, 0.0) + share
    total = sum(joined.values())
    return sorted(
        ((color, share / total) for color, share in joined.items()),
        key=lambda pair: (-pair[1], pair[0]),
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
    about = {**metadata, **_sum_up_shards(connection)}
    connection.executemany("INSERT INTO metadata VALUES (?, ?)", sorted(about.items()))
    if is_part:
        own = _digest_rows(connection, "main")
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
    _check_integrity(connection, "main")


def _digest_rows(connection: sqlite3.Connection, name: str) -> str:
    """Digest all rows but that of the digest: 8 ms for 600 frames of 8 colors."""
    digest = hashlib.sha256()
    for table, columns, order in DIGESTED:
        digest.update(table.encode())
        # No index is asked (+), which may say otherwise than the rows.
        where = f"WHERE +key != '{ROWS}'" if table == "metadata" else ""
        rows = connection.execute(
            f"SELECT {columns} FROM {name}.{table} {where} ORDER BY {order}"
        )
        # As Python writes them: numbers to the last bit, and 1 is not 1.0.
        while some := rows.fetchmany(1000):
            digest.update("\n".join(map(repr, some)).encode())
    return f"sha256:{digest.hexdigest()}"


def _check_rows(connection: sqlite3.Connection) -> None:
    """Check that a part has the rows that were written: a flipped bit is as valid."""
    (found,) = connection.execute(
        "SELECT max(value) FROM part.metadata WHERE +key = ?", (ROWS,)
    ).fetchone()
    if found != _digest_rows(connection, "part"):
        raise sqlite3.DatabaseError("its rows are not those that were written")


def _sum_up_shards(connection: sqlite3.Connection) -> dict[str, str]:
    """Say what made the shards: what all have in common, or each with their number."""
    summed = {}
    for column in SUMMED_UP:
        counts = connection.execute(
            f"SELECT {column}, count(*) FROM shards WHERE {column} IS NOT NULL "
            f"GROUP BY {column} ORDER BY {column}"
        ).fetchall()
        if len(counts) == 1:
            summed[column] = counts[0][0]
        elif counts:
            summed[column] = _list_counts(counts)
    (made_at,) = connection.execute("SELECT max(made_at) FROM shards").fetchone()
    return summed if made_at is None else {**summed, "made_at": made_at}


def _has_varying_coding(connection: sqlite3.Connection) -> bool:
    (found,) = connection.execute(
        "SELECT count(*) FROM part.films WHERE ',' || assumed || ',' LIKE '%,varies,%'"
    ).fetchone()
    return bool(found)


def _list_counts(counts: Iterable[tuple[str, int]]) -> str:
    return "; ".join(f"{value} ({n})" for value, n in counts)


def merge_shards(
    shards: Mapping[str, Path],
    database: Path,
    *,
    row: FilmRow,
    planned: Mapping[str, int | None],
    fps: float | None,
    n_colors: int,
    error: str | None = None,
) -> None:
    """Make a film's database of its shards' ones, and verify it.

    Parameters
    ----------
    shards : the database of each shard, in the film's order
    database : the temporary name of the result
    row : the film; a duration of None is found from the frames and `fps`
    planned : how many frames each shard should have; None: as many as its tarball
        has images, whose frames are counted on through the film
    fps : gives frames without a time of their own one
    error : why there is no plan, and so no shard

    Raises
    ------
    DamagedError
        If shards are damaged: all that are.
    ReelbowError
        If the shards do not add up to the film; it names the shard.
    """
    damaged: list[DamagedError] = []
    with open_new(database) as connection:
        add_film(connection, ONLY_FILM, row)
        rate = None if fps is None else Fraction(str(fps))
        metadata: dict[str, str] | None = None
        versions: defaultdict[str, Counter[str]] = defaultdict(Counter)
        n_frames = 0
        for shard, path in shards.items():
            try:
                with _attach(connection, path, f"shard {shard}"):
                    count = _verify_shard(connection, shard, planned[shard], n_frames)
                    own, versions_of_own = _read_metadata(connection)
                    if _has_varying_coding(connection):
                        note_varying_coding(connection)
                    # A transaction a shard: SQLite lets go of no database within one,
                    # and attaches ten at most. The result is whole or not there all the
                    # same, since it gets its name when all is done.
                    connection.execute("BEGIN")
                    first = n_frames if planned[shard] is None else 0
                    _copy(connection, ONLY_FILM, first, rate)
                    connection.execute("COMMIT")
            except DamagedError as error:
                if connection.in_transaction:
                    raise
                # More may be: the next run is to make all of them again.
                damaged.append(error)
                n_frames += planned[shard] or 0
                continue
            if metadata is not None and own != metadata:
                raise ReelbowError(
                    f"{path}: shard {shard} was made with other settings or code than "
                    "those before it; delete the file and run again"
                )
            metadata = own
            for name, version in versions_of_own.items():
                versions[name][version] += 1
            n_frames += count
        if damaged:
            paths = [path for each in damaged for path in each.paths]
            raise DamagedError(damaged[0].why, paths)
        if error is not None:
            add_skipped(connection, "", [(row.source, error)])
        if row.duration_s is None and rate is not None:
            connection.execute(
                "UPDATE films SET duration_s = ?", (float(n_frames / rate),)
            )
        connection.execute(
            """UPDATE films SET n_frames = coalesce(n_frames, ?),
            n_pictures = coalesce(n_pictures, ?),
            made_at = (SELECT max(made_at) FROM shards)""",
            (n_frames, n_frames),
        )
        told = {
            name: next(iter(counts))
            if len(counts) == 1
            else _list_counts(sorted(counts.items()))
            for name, counts in versions.items()
        }
        finish(connection, {**(metadata or {}), **told}, n_colors=n_colors)


def _copy(
    connection: sqlite3.Connection, film_id: int, first: int, rate: Fraction | None
) -> None:
    """Copy frames, palettes, skipped and shards, counting the frames from `first`."""
    numerator, denominator = (rate or Fraction(1)).as_integer_ratio()
    connection.execute(
        """INSERT INTO frames
        SELECT ?, frame + ?,
            CASE WHEN time_s IS NULL AND ? THEN (frame + ?) * ? * 1.0 / ?
            ELSE time_s END,
            name, shard, mean_color, luma, strip
        FROM part.frames ORDER BY frame""",
        (film_id, first, rate is not None, first, denominator, numerator),
    )
    connection.execute(
        """INSERT INTO palettes SELECT ?, frame + ?, rank, color, share
        FROM part.palettes ORDER BY frame, rank""",
        (film_id, first),
    )
    connection.execute(
        """INSERT INTO skipped SELECT ?, shard, name, reason
        FROM part.skipped ORDER BY rowid""",
        (film_id,),
    )
    connection.execute(
        """INSERT INTO shards SELECT ?, shard, engine, version, gpu_fallback,
            path, digest, made_at, lost
        FROM part.shards ORDER BY shard""",
        (film_id,),
    )


def _read_metadata(
    connection: sqlite3.Connection,
) -> tuple[dict[str, str], dict[str, str]]:
    """Read what all shards have in common, and versions, in which they may differ.

    Nodes of a cluster may have other versions: these are told, not refused.
    """
    metadata = dict(connection.execute("SELECT key, value FROM part.metadata"))
    for found in (*SUMMED_UP, "made_at", ROWS):
        metadata.pop(found, None)
    versions = {
        key: metadata.pop(key) for key in [*metadata] if key.startswith(VERSION)
    }
    return metadata, versions


def _verify_shard(
    connection: sqlite3.Connection, shard: str, planned: int | None, first: int
) -> int:
    """Check that a shard has its own frames, each once and whole; return how many."""
    _check_integrity(connection, "part")
    _check_rows(connection)
    n_read, low, high = connection.execute(
        "SELECT count(*), min(frame), max(frame) FROM part.frames"
    ).fetchone()
    (n_skipped,) = connection.execute("SELECT count(*) FROM part.skipped").fetchone()
    count: int = n_read + n_skipped
    if planned is not None and count != planned:
        raise ReelbowError(
            f"shard {shard} has {n_read} frames and {n_skipped} skipped, planned were "
            f"{planned}; delete its database and run again"
        )
    begin = 0 if planned is None else first
    if n_read and not begin <= low <= high < begin + count:
        raise ReelbowError(
            f"shard {shard} has frames {low} to {high}, planned were {begin} to "
            f"{begin + count - 1}; delete its database and run again"
        )
    uneven = connection.execute(
        """SELECT f.frame, coalesce(sum(p.share), 0) AS total
        FROM part.frames AS f LEFT JOIN part.palettes AS p USING (film_id, frame)
        GROUP BY f.frame HAVING abs(total - 1) > ? LIMIT 1""",
        (SHARE_TOLERANCE,),
    ).fetchone()
    if uneven is not None:
        raise ReelbowError(
            f"shard {shard}: the shares of frame {uneven[0]} sum to {uneven[1]:g}, not "
            "1; delete its database and run again"
        )
    return count


def _check_integrity(connection: sqlite3.Connection, name: str) -> None:
    (verdict,) = connection.execute(f"PRAGMA {name}.integrity_check(1)").fetchone()
    if verdict != "ok":
        # Above the verdict stands a line with the database's name.
        raise sqlite3.DatabaseError(verdict.splitlines()[-1])


def merge_films(
    databases: Sequence[Path],
    database: Path,
    *,
    n_colors: int,
    others: Sequence[Path] = (),
) -> list[DamagedError]:
    """Make one database of all films' ones; films are numbered in their order, from 1.

    Metadata on which the films agree is kept once, other is kept under `key/film`.

    Parameters
    ----------
    others : further ones, which are left out if they are damaged

    Returns
    -------
    what was left out

    Raises
    ------
    ReelbowError
        If a film's database is damaged.
    """
    left_out: list[DamagedError] = []
    with open_new(database) as connection:
        metadata: dict[str, dict[str, str]] = {}
        for path in (*databases, *others):
            try:
                with _attach(connection, path, "the film"):
                    _check_rows(connection)
                    connection.execute("BEGIN")
                    connection.execute(
                        f"INSERT INTO films SELECT ?, {', '.join(FilmRow._fields)} "
                        "FROM part.films",
                        (len(metadata) + 1,),
                    )
                    _copy(connection, len(metadata) + 1, 0, None)
                    connection.execute("COMMIT")
                    rows = connection.execute("SELECT film FROM part.films")
                    own, versions = _read_metadata(connection)
                    metadata[rows.fetchone()[0]] = {**own, **versions}
            except DamagedError as error:
                if path not in others or connection.in_transaction:
                    raise
                left_out.append(error)
        about = _join_metadata(metadata)
        finish(connection, about, n_colors=n_colors, is_part=False)
    return left_out


def _join_metadata(films: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    joined = {}
    # A film without shards was made by nothing.
    films = {film: own for film, own in films.items() if own}
    for key in sorted({key for own in films.values() for key in own}):
        values = {film: own[key] for film, own in films.items() if key in own}
        if len(values) == len(films) and len(set(values.values())) == 1:
            joined[key] = next(iter(values.values()))
        else:
            joined.update({f"{key}/{film}": v for film, v in values.items()})
    return joined
