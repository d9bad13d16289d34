"""Reelbow's SQLite databases: one schema for a shard, a film and all films."""

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from .errors import ReelbowError

TABLES = """
CREATE TABLE films (
    film_id INTEGER PRIMARY KEY,
    film TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    source TEXT NOT NULL,
    width INTEGER,             -- of the picture as shown, before the crop
    height INTEGER,
    duration_s REAL,
    crop TEXT,                 -- w:h:x:y of what was kept, NULL: all of it
    matrix TEXT,               -- how the film's colors were read, NULL: as images
    color_range TEXT,
    transfer TEXT,
    primaries TEXT,
    assumed TEXT               -- which of these four the film does not say
) STRICT;
CREATE TABLE frames (
    film_id INTEGER NOT NULL,
    frame INTEGER NOT NULL,    -- index in the film, from 0
    time_s REAL,               -- presentation time from the film's first frame
    name TEXT NOT NULL,
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
    PRIMARY KEY (film_id, shard)
) STRICT;
CREATE TABLE metadata (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
"""

# What reading a damaged database raises.
DAMAGED = (sqlite3.DatabaseError, UnicodeDecodeError)

# A shard and a film have one film, so its number says nothing until films are merged.
ONLY_FILM = 1

# A frame's shares are brought to a sum of 1 in float64: what is further off is damage.
SHARE_TOLERANCE = 1e-6

# Columns of shards that metadata sums up.
SUMMED_UP = ("engine", "gpu_fallback")

# How colors were read: columns of films that stand in a video's plan as they are.
CODING_COLUMNS = ("matrix", "color_range", "transfer", "primaries", "assumed")


class FilmRow(NamedTuple):
    """A row of the table films, without its number."""

    film: str
    title: str
    source: str
    width: int | None
    height: int | None
    duration_s: float | None
    crop: str | None
    matrix: str | None = None
    color_range: str | None = None
    transfer: str | None = None
    primaries: str | None = None
    assumed: str | None = None

    @classmethod
    def from_plan(
        cls, plan: Mapping[str, Any], *, film: str, title: str, source: str
    ) -> Self:
        """Take what the plan knows of the film."""
        coding = plan["video"]["coding"] if plan["video"] else {}
        return cls(
            film=film,
            title=title,
            source=source,
            width=plan["width"],
            height=plan["height"],
            duration_s=plan["duration_s"],
            crop=plan["crop"],
            **{column: coding.get(column) for column in CODING_COLUMNS},
        )


@contextlib.contextmanager
def open_new(database: Path) -> Iterator[sqlite3.Connection]:
    """Create a database under a name that nobody reads before it is complete.

    So it needs no journal and no waiting for the disk: a job that dies leaves a
    temporary file, never half a database. A full disk is an `OSError` as with any file.
    """
    connection = sqlite3.connect(database, isolation_level=None)
    try:
        connection.executescript(
            "PRAGMA page_size = 8192; PRAGMA journal_mode = OFF; "
            "PRAGMA synchronous = OFF; PRAGMA cache_size = -32000;" + TABLES
        )
        yield connection
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
            raise
        no_room = os.strerror(errno.ENOSPC)
        raise OSError(errno.ENOSPC, no_room, str(database)) from None
    finally:
        connection.close()


def connect(database: Path) -> sqlite3.Connection:
    """Open a database to read it; nothing is ever written through this connection."""
    return sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)


def count_skipped(database: Path) -> tuple[int, int, str]:
    """Count the skipped pictures and the frames, and say why the first was skipped."""
    with contextlib.closing(connect(database)) as connection:
        n_skipped, first = connection.execute(
            "SELECT count(*), coalesce(min(name || ': ' || reason), '') FROM skipped"
        ).fetchone()
        (n_frames,) = connection.execute("SELECT count(*) FROM frames").fetchone()
    return n_skipped, n_frames, first


def count_fallbacks(database: Path) -> tuple[int, int, str]:
    """Count the shards that were to be a GPU's, and all; say why of the first."""
    with contextlib.closing(connect(database)) as connection:
        # Left by an older version, and not made again since other jobs failed.
        if not connection.execute("PRAGMA table_info(shards)").fetchall():
            return 0, 0, ""
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
        "INSERT INTO frames VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (
                ONLY_FILM,
                int(frame),
                None if np.isnan(time_s) else float(time_s),
                name,
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
    gpu_fallback: str | None,
) -> None:
    """Add what made a shard; see the table shards."""
    connection.execute(
        "INSERT INTO shards VALUES (?, ?, ?, ?, ?)",
        (ONLY_FILM, shard, engine, version, gpu_fallback),
    )


def finish(
    connection: sqlite3.Connection, metadata: Mapping[str, str], *, n_colors: int
) -> None:
    """Add the metadata and the view of palettes as columns; check what was written.

    Which engines made the shards is added to the metadata.
    """
    about = {**metadata, **_sum_up_shards(connection)}
    connection.executemany("INSERT INTO metadata VALUES (?, ?)", sorted(about.items()))
    columns = "".join(
        f""",
        (SELECT color FROM palettes AS p WHERE p.film_id = f.film_id
            AND p.frame = f.frame AND p.rank = {rank}) AS color{rank}"""
        for rank in range(n_colors)
    )
    connection.execute(
        f"CREATE VIEW images AS SELECT f.name AS imgname{columns}\n"
        "FROM frames AS f ORDER BY f.film_id, f.frame"
    )
    _check_integrity(connection, "main")


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
            summed[column] = "; ".join(f"{value} ({n})" for value, n in counts)
    return summed


def merge_shards(
    shards: Mapping[str, Path],
    database: Path,
    *,
    row: FilmRow,
    planned: Mapping[str, int | None],
    fps: float | None,
    n_colors: int,
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

    Raises
    ------
    ReelbowError
        If the shards do not add up to the film; it names the shard.
    """
    with open_new(database) as connection:
        add_film(connection, ONLY_FILM, row)
        rate = None if fps is None else Fraction(str(fps))
        metadata: dict[str, str] | None = None
        n_frames = 0
        for shard, path in shards.items():
            try:
                connection.execute("ATTACH ? AS shard", (str(path),))
                count = _verify_shard(connection, shard, planned[shard], n_frames)
                own = _read_metadata(connection, "shard")
                # A transaction a shard: SQLite lets go of no database within one, and
                # attaches ten at most. The result is whole or not there all the same,
                # since it gets its name when all is done.
                connection.execute("BEGIN")
                first = n_frames if planned[shard] is None else 0
                _copy(connection, "shard", ONLY_FILM, first, rate)
                connection.execute("COMMIT")
            except DAMAGED as error:
                raise ReelbowError(
                    f"{path}: shard {shard} is damaged ({error}); delete the file and "
                    "run again"
                ) from None
            if metadata is not None and own != metadata:
                raise ReelbowError(
                    f"{path}: shard {shard} was made with other settings or versions "
                    "than those before it; delete the file and run again"
                )
            metadata = own
            n_frames += count
            connection.execute("DETACH shard")
        if row.duration_s is None and rate is not None:
            connection.execute(
                "UPDATE films SET duration_s = ?", (float(n_frames / rate),)
            )
        finish(connection, metadata or {}, n_colors=n_colors)


def _copy(
    connection: sqlite3.Connection,
    source: str,
    film_id: int,
    first: int,
    rate: Fraction | None,
) -> None:
    """Copy frames, palettes and skipped, counting the frames from `first`."""
    numerator, denominator = (rate or Fraction(1)).as_integer_ratio()
    connection.execute(
        f"""INSERT INTO frames
        SELECT ?, frame + ?,
            CASE WHEN time_s IS NULL AND ? THEN (frame + ?) * ? * 1.0 / ?
            ELSE time_s END,
            name, mean_color, luma, strip
        FROM {source}.frames ORDER BY frame""",
        (film_id, first, rate is not None, first, denominator, numerator),
    )
    connection.execute(
        f"""INSERT INTO palettes SELECT ?, frame + ?, rank, color, share
        FROM {source}.palettes ORDER BY frame, rank""",
        (film_id, first),
    )
    connection.execute(
        f"""INSERT INTO skipped SELECT ?, shard, name, reason
        FROM {source}.skipped ORDER BY rowid""",
        (film_id,),
    )
    connection.execute(
        f"""INSERT INTO shards SELECT ?, shard, engine, version, gpu_fallback
        FROM {source}.shards ORDER BY shard""",
        (film_id,),
    )


def _read_metadata(connection: sqlite3.Connection, source: str) -> dict[str, str]:
    """Read what all shards have in common."""
    metadata = dict(connection.execute(f"SELECT key, value FROM {source}.metadata"))
    return {key: metadata[key] for key in metadata if key not in SUMMED_UP}


def _verify_shard(
    connection: sqlite3.Connection, shard: str, planned: int | None, first: int
) -> int:
    """Check that a shard has its own frames, each once and whole; return how many."""
    _check_integrity(connection, "shard")
    n_read, low, high = connection.execute(
        "SELECT count(*), min(frame), max(frame) FROM shard.frames"
    ).fetchone()
    (n_skipped,) = connection.execute("SELECT count(*) FROM shard.skipped").fetchone()
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
        FROM shard.frames AS f LEFT JOIN shard.palettes AS p USING (film_id, frame)
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


def merge_films(databases: Sequence[Path], database: Path, *, n_colors: int) -> None:
    """Make one database of all films' ones; films are numbered in their order, from 1.

    Metadata on which the films agree is kept once, other is kept under `key/film`.

    Raises
    ------
    ReelbowError
        If a film's database is damaged.
    """
    with open_new(database) as connection:
        metadata: dict[str, dict[str, str]] = {}
        for film_id, path in enumerate(databases, start=1):
            try:
                connection.execute("ATTACH ? AS film", (str(path),))
                connection.execute("BEGIN")
                connection.execute(
                    f"INSERT INTO films SELECT ?, {', '.join(FilmRow._fields)} "
                    "FROM film.films",
                    (film_id,),
                )
                _copy(connection, "film", film_id, 0, None)
                connection.execute("COMMIT")
                (name,) = connection.execute("SELECT film FROM film.films").fetchone()
                metadata[name] = _read_metadata(connection, "film")
            except DAMAGED as error:
                raise ReelbowError(
                    f"{path}: damaged ({error}); delete it and run again"
                ) from None
            connection.execute("DETACH film")
        finish(connection, _join_metadata(metadata), n_colors=n_colors)


def _join_metadata(films: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    joined = {}
    for key in sorted({key for own in films.values() for key in own}):
        values = {film: own[key] for film, own in films.items() if key in own}
        if len(values) == len(films) and len(set(values.values())) == 1:
            joined[key] = next(iter(values.values()))
        else:
            joined.update({f"{key}/{film}": v for film, v in values.items()})
    return joined
