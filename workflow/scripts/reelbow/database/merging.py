"""Merges the databases of shards to one of a film, and of films to one of all."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from reelbow.database.opening import (
    ROWS,
    attach,
    check_integrity,
    check_rows,
    list_tables,
    open_new,
)
from reelbow.database.schema import (
    ONLY_FILM,
    SHARE_TOLERANCE,
    TOLD,
    VERSION,
    FilmRow,
    PaletteSettings,
)
from reelbow.database.writing import (
    SUMMED_UP,
    add_film,
    add_skipped,
    finish,
    note_varying_coding,
    sum_up,
)
from reelbow.errors import DamagedError, ReelbowError
from reelbow.pictures.measure_names import MEASURES

if TYPE_CHECKING:
    # Shots have palettes, which a merge of films does not find.
    from reelbow.database.shots import Shot

    # Few films have some.
    from reelbow.pictures.picture_sums import PictureSums


def _has_varying_coding(connection: sqlite3.Connection) -> bool:
    (found,) = connection.execute(
        "SELECT count(*) FROM part.films WHERE ',' || assumed || ',' LIKE '%,varies,%'"
    ).fetchone()
    return bool(found)


def merge_shards(
    shards: Mapping[str, Path],
    database: Path,
    *,
    row: FilmRow,
    planned: Mapping[str, int | None],
    fps: float | None,
    n_colors: int,
    palette: PaletteSettings,
    shots: Sequence["Shot"] = (),
    about: Mapping[str, str] | None = None,
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
    n_colors : columns of the view of palettes
    palette : how that of the whole film, and of each shot, is found
    shots : those of the film, if they were looked for
    about : metadata of what is none of the shards', such as how shots were found
    error : why there is no plan, and so no shard

    Raises
    ------
    DamagedError
        If shards are damaged: all that are.
    ReelbowError
        If the shards do not add up to the film; it names the shard.
    """
    # A merge of films does without NumPy and the engine.
    from reelbow.database.film_palettes import FilmPixels, add_film_palette

    damaged: list[DamagedError] = []
    sums: PictureSums | None = None
    pixels = FilmPixels()
    with open_new(database) as connection:
        add_film(connection, ONLY_FILM, row)
        rate = None if fps is None else Fraction(str(fps))
        metadata: dict[str, str] | None = None
        versions: defaultdict[str, Counter[str]] = defaultdict(Counter)
        n_frames = 0
        for shard, path in shards.items():
            try:
                with attach(connection, path, f"shard {shard}"):
                    count = _verify_shard(connection, shard, planned[shard], n_frames)
                    own, versions_of_own = _read_metadata(connection)
                    if _has_varying_coding(connection):
                        note_varying_coding(connection)
                    # One transaction for each shard: SQLite attaches ten databases at
                    # most, and detaches none within a transaction. The result is whole
                    # all the same, since it gets its name when all is done.
                    connection.execute("BEGIN")
                    first = n_frames if planned[shard] is None else 0
                    _copy(connection, ONLY_FILM, first, rate)
                    connection.execute("COMMIT")
                    pixels.add_part(connection, first)
                    if "drawing_sums" in list_tables(connection, "part"):
                        sums = _sum_drawings(connection, sums)
            except DamagedError as error:
                if connection.in_transaction:
                    raise
                # Go on: all damaged shards are to be made again by the next run.
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
        if sums is not None:
            from reelbow.database.drawing_sums import add_sums

            add_sums(connection, sums)
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
        add_film_palette(connection, palette, pixels)
        if shots:
            from reelbow.database.shots import add_shots

            add_shots(connection, shots, palette)
        told = {
            name: sum_up(sorted(counts.items())) for name, counts in versions.items()
        }
        finish(
            connection, {**(metadata or {}), **told, **(about or {})}, n_colors=n_colors
        )


def _sum_drawings(
    connection: sqlite3.Connection, sums: "PictureSums | None"
) -> "PictureSums | None":
    """Add the sums of a part's drawings; None: there are none so far."""
    if not connection.execute("SELECT 1 FROM part.drawing_sums LIMIT 1").fetchone():
        return sums
    from reelbow.database.drawing_sums import read_sums
    from reelbow.pictures.picture_sums import PictureSums

    sums = sums or PictureSums()
    read_sums(connection, sums, "part")
    return sums


def _copy(
    connection: sqlite3.Connection, film_id: int, first: int, rate: Fraction | None
) -> None:
    """Copy all but the film's row, counting the frames from `first`."""
    numerator, denominator = (rate or Fraction(1)).as_integer_ratio()
    connection.execute(
        f"""INSERT INTO frames
        SELECT ?, frame + ?,
            CASE WHEN time_s IS NULL AND ? THEN (frame + ?) * ? * 1.0 / ?
            ELSE time_s END,
            name, shard, mean_color, luma, strip, {", ".join(MEASURES)}
        FROM part.frames ORDER BY frame""",
        (film_id, first, rate is not None, first, denominator, numerator),
    )
    connection.execute(
        """INSERT INTO palettes SELECT ?, frame + ?, rank, color, share, accent
        FROM part.palettes ORDER BY frame, rank""",
        (film_id, first),
    )
    connection.execute(
        """INSERT INTO film_palettes SELECT ?, rank, color, share
        FROM part.film_palettes ORDER BY rank""",
        (film_id,),
    )
    connection.execute(
        """INSERT INTO shots SELECT ?, shot, first_frame, last_frame, start_s, end_s
        FROM part.shots ORDER BY shot""",
        (film_id,),
    )
    connection.execute(
        """INSERT INTO shot_palettes SELECT ?, shot, rank, color, share
        FROM part.shot_palettes ORDER BY shot, rank""",
        (film_id,),
    )
    for table in TOLD.keys() & list_tables(connection, "part"):
        connection.execute(
            f"INSERT INTO {table} SELECT ?, frame + ?, {', '.join(TOLD[table])} "
            f"FROM part.{table} ORDER BY frame",
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
    check_integrity(connection, "part")
    check_rows(connection)
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


def merge_films(
    databases: Sequence[Path],
    database: Path,
    *,
    n_colors: int,
    others: Sequence[Path] = (),
) -> list[DamagedError]:
    """Make one database of all films' ones; films are numbered in their order, from 1.

    Metadata on which the films agree is kept once, other is kept under `key/film`, and
    so is each film's digest of its rows, by which the index of colors knows them.

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
        digests: dict[str, str] = {}
        for path in (*databases, *others):
            try:
                with attach(connection, path, "the film"):
                    check_rows(connection)
                    connection.execute("BEGIN")
                    connection.execute(
                        f"INSERT INTO films SELECT ?, {', '.join(FilmRow._fields)} "
                        "FROM part.films",
                        (len(metadata) + 1,),
                    )
                    _copy(connection, len(metadata) + 1, 0, None)
                    connection.execute("COMMIT")
                    film, digest = connection.execute(
                        "SELECT film, value FROM part.films, part.metadata "
                        "WHERE +key = ?",
                        (ROWS,),
                    ).fetchone()
                    own, versions = _read_metadata(connection)
                    metadata[film] = {**own, **versions}
                    digests[f"{ROWS}/{film}"] = digest
            except DamagedError as error:
                if path not in others or connection.in_transaction:
                    raise
                left_out.append(error)
        about = {**_join_metadata(metadata), **digests}
        finish(connection, about, n_colors=n_colors, is_part=False)
    return left_out


def _join_metadata(films: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    joined = {}
    # A film without shards has no settings or versions that made it.
    films = {film: own for film, own in films.items() if own}
    for key in sorted({key for own in films.values() for key in own}):
        values = {film: own[key] for film, own in films.items() if key in own}
        if len(values) == len(films) and len(set(values.values())) == 1:
            joined[key] = next(iter(values.values()))
        else:
            joined.update({f"{key}/{film}": v for film, v in values.items()})
    return joined
