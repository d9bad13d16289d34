"""Writes rows into the database of a shard, a film or all films."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbow.database.opening import ROWS, check_integrity, digest_rows
from reelbow.database.schema import ONLY_FILM, FilmRow


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
    is_accent: NDArray[np.bool_] | None = None,
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
    is_accent : (n, k); None: there are no accents

    Notes
    -----
    Colors that are the same in 24 bits are one color of the palette, an accent if one
    of them is.
    """
    if is_accent is None:
        is_accent = np.zeros(np.shape(shares), bool)
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
        "INSERT INTO palettes VALUES (?, ?, ?, ?, ?, ?)",
        (
            (ONLY_FILM, int(frame), rank, *row)
            for frame, packed, weights, accents in zip(
                frames,
                pack_colors(colors),
                np.asarray(shares, np.float64).tolist(),
                is_accent.tolist(),
                strict=True,
            )
            for rank, row in enumerate(rank_colors(packed, weights, accents))
        ),
    )
    connection.execute("COMMIT")


def pack_colors(colors: NDArray[np.floating]) -> list[Any]:
    """Make 0xRRGGBB of (..., 3) sRGB in [0, 255]."""
    red, green, blue = np.moveaxis(np.rint(colors).astype(np.int64), -1, 0)
    packed: list[Any] = (red << 16 | green << 8 | blue).tolist()
    return packed


def rank_colors(
    packed: Sequence[int], shares: Sequence[float], accents: Sequence[bool]
) -> list[tuple[int, float, bool]]:
    """Join equal colors and order by share; shares of the frame sum to exactly 1."""
    joined: dict[int, tuple[float, bool]] = {}
    for color, share, accent in zip(packed, shares, accents, strict=True):
        if share > 0:
            before, was_accent = joined.get(color, (0.0, False))
            joined[color] = before + share, was_accent or accent
    total = sum(share for share, _ in joined.values())
    return sorted(
        ((color, share / total, accent) for color, (share, accent) in joined.items()),
        key=lambda row: (-row[1], row[0]),
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
