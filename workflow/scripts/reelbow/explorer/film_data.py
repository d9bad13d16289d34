"""A film's database packed for its page: one JSON object and compressed arrays."""

import base64
import sqlite3
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbow.barcode.caption import describe_barcode, describe_making
from reelbow.barcode.film_record import (
    FilmRecord,
    count_shards,
    find_accent,
    find_film,
    read_film,
    unpack_colors,
)
from reelbow.barcode.picture_files import KINDS
from reelbow.database.opening import list_tables, telling_damage
from reelbow.pictures.measure_names import MEASURES
from reelbow.text import count

# A page of more frames shows every second one, or every third: it would open slowly.
MOST_PLACES = 50_000

# Rows of a strip in a page, and bytes of all: more rows are averaged.
STRIP_ROWS = 90
STRIP_BYTES = 1 << 25

# Of the database, read at a time.
SOME_ROWS = 20_000

# Those frames: every step of them, up to the last one.
_WANTED = """
WITH RECURSIVE wanted(frame) AS (
    SELECT 0 UNION ALL SELECT frame + ? FROM wanted WHERE frame + ?1 < ?
)
"""

# Pictures that could not be read, of which a page tells the reasons.
MOST_REASONS = 200

# Of zlib: a higher one takes three times as long for a tenth less.
LEVEL = 3

# Shares are whole numbers of this, and measures: of the largest that there may be.
FULL_SHARE = 65_535


@dataclass(frozen=True)
class FilmData:
    """What a page knows of its film, but for the previews.

    Attributes
    ----------
    about : what fits into JSON
    arrays : of places, one for each frame of the film from 0, also of missing ones, or
        for every step-th
        present (n,) uint8, 0 or 1; times_ms (n,) int32, absent if frames have no times;
        measures (k, n) uint16 in 1/65535 of what `about` has as each one's largest;
        means (n, 3) uint8 sRGB; luma (n,) uint16 in 1/256;
        strips (n, rows, 3) uint8 sRGB;
        n_colors (n,) uint16; and of all colors of all palettes, in order,
        colors (m, 3) uint8 sRGB, shares (m,) uint16 in 1/65535, accents (m,) uint8;
        shots (4, k) int32 of each shot that has a place: its number, its first place,
        how many frames it has, how long it is in ms, -1: unknown
    shards : how many frames each shard has that has some, its first and its last one
    """

    about: dict[str, Any]
    arrays: dict[str, NDArray[np.generic]]
    shards: dict[str, tuple[int, int, int]]
    record: FilmRecord


def read_film_data(database: Path) -> FilmData:
    """Read all that a page shows of the only film of a database.

    Raises
    ------
    ReelbowError
        If it is no database of one film, or an older one.
    """
    record = read_film(database)
    step = max(1, -(-len(record.frames) // MOST_PLACES))
    n_places = -(-len(record.frames) // step)
    n_rows = max(1, min(STRIP_ROWS, STRIP_BYTES // (3 * max(1, n_places))))
    arrays: dict[str, NDArray[np.generic]] = {
        "present": np.zeros(n_places, np.uint8),
        "means": np.zeros((n_places, 3), np.uint8),
        "luma": np.zeros(n_places, np.uint16),
    }
    strips: NDArray[np.uint8] | None = None
    names = [""] * (n_places if record.is_of_images else 0)
    with telling_damage(database) as connection:
        film_id, _ = find_film(connection, database, None)
        measures = np.zeros((len(MEASURES), n_places))
        wanted = (step, len(record.frames), film_id)
        rows = connection.execute(
            _WANTED + "SELECT "
            f"{', '.join(['wanted.frame, mean_color, luma, strip, name', *MEASURES])} "
            "FROM wanted JOIN frames ON film_id = ? AND frames.frame = wanted.frame",
            wanted,
        )
        while some := rows.fetchmany(SOME_ROWS):
            frames, means, lumas, of_rows, of_names, *values = zip(*some, strict=True)
            places = np.array(frames, np.int64) // step
            arrays["present"][places] = 1
            arrays["means"][places] = unpack_colors(np.array(means, np.int64))
            arrays["luma"][places] = np.rint(np.array(lumas) * 256)
            measures[:, places] = values
            if strips is None:
                n_rows = min(n_rows, max(map(len, of_rows)) // 3)
                strips = np.zeros((n_places, n_rows, 3), np.uint8)
            strips[places] = _stack_strips(of_rows, n_rows)
            if names:
                for place, name in zip(places.tolist(), of_names, strict=True):
                    names[place] = name
        if names and "sketches" in list_tables(connection):
            _describe_sketches(connection, film_id, step, names)
        colors: list[NDArray[np.float64]] = [np.empty((0, 4))]
        rows = connection.execute(
            _WANTED + f"SELECT wanted.frame, color, share, {find_accent(connection)} "
            "FROM wanted JOIN palettes "
            "ON film_id = ? AND palettes.frame = wanted.frame "
            "ORDER BY wanted.frame, rank",
            wanted,
        )
        while some := rows.fetchmany(SOME_ROWS):
            colors.append(np.array(some, np.float64))
        shards = count_shards(connection, film_id)
        (n_skipped,) = connection.execute(
            "SELECT count(*) FROM skipped WHERE film_id = ?", (film_id,)
        ).fetchone()
        skipped = connection.execute(
            "SELECT name, reason FROM skipped WHERE film_id = ? ORDER BY shard, name "
            "LIMIT ?",
            (film_id, MOST_REASONS),
        ).fetchall()
        (duration_s,) = connection.execute(
            "SELECT duration_s FROM films WHERE film_id = ?", (film_id,)
        ).fetchone()
        shots = _read_shots(connection, film_id, step)
        (n_shots,) = connection.execute(
            "SELECT count(*) FROM shots WHERE film_id = ?", (film_id,)
        ).fetchone()
    of_colors = np.concatenate(colors)
    counts = np.bincount(of_colors[:, 0].astype(np.int64) // step, minlength=n_places)
    shares = np.rint(of_colors[:, 2] * FULL_SHARE).clip(1, FULL_SHARE)
    # Of equal shares the entropy is the most.
    most_entropy = float(np.log2(counts.max(initial=2).clip(2)))
    largest = [each.largest or most_entropy for each in MEASURES.values()]
    parts = measures / np.array(largest).reshape(-1, 1) * FULL_SHARE
    arrays |= {
        "measures": np.rint(parts.clip(0, FULL_SHARE)).astype(np.uint16),
        "n_colors": counts.astype(np.uint16),
        "colors": unpack_colors(of_colors[:, 1].astype(np.int64)),
        "shares": shares.astype(np.uint16),
        "accents": of_colors[:, 3].astype(np.uint8),
        "shots": shots,
        "strips": np.zeros((n_places, 1, 3), np.uint8) if strips is None else strips,
    }
    if record.times_s is not None:
        times_ms = np.rint(record.times_s[::step] * 1000)
        arrays["times_ms"] = times_ms.clip(-(2**31), 2**31 - 1).astype(np.int32)
    about = {
        "film": record.film,
        "title": record.title,
        "subtitles": {kind: describe_barcode(record, kind) for kind in KINDS},
        "making": describe_making(record, "stacked", ""),
        "n_places": n_places,
        "n_frames": len(record.frames),
        "step": step,
        "n_shots": n_shots,
        "end_s": _find_end(record, duration_s),
        "measures": [
            {"name": each, "label": MEASURES[each].label, "largest": most}
            for each, most in zip(MEASURES, largest, strict=True)
        ],
        "skipped": skipped,
        "n_skipped": n_skipped,
    }
    if names:
        about["names"] = names
    return FilmData(about, arrays, shards, record)


def pack(data: FilmData) -> tuple[dict[str, Any], str]:
    """Compress the arrays to base64, and say in the JSON object where each lies.

    The strips are packed as differences from frame to frame, which are smaller.

    Returns
    -------
    about : as in `data`, with `arrays`: {name: [type, first byte, how many items]}
    packed : base64 of a zlib stream
    """
    places: dict[str, tuple[str, int, int]] = {}
    parts: list[bytes] = []
    n_bytes = 0
    # The widest first: then each begins where its type may lie.
    for name, array in sorted(
        data.arrays.items(), key=lambda each: -each[1].dtype.itemsize
    ):
        if name == "strips":
            array = np.diff(array, axis=0, prepend=np.zeros_like(array[:1]))
        part = np.ascontiguousarray(array).tobytes()
        places[name] = (array.dtype.name, n_bytes, array.size)
        parts.append(part)
        n_bytes += len(part)
    packed = base64.b64encode(zlib.compress(b"".join(parts), LEVEL)).decode()
    return {**data.about, "arrays": places}, packed


def _describe_sketches(
    connection: sqlite3.Connection, film_id: int, step: int, names: list[str]
) -> None:
    """Say behind the names of drawings what they are."""
    rows = connection.execute(
        """SELECT frame, word, n_strokes FROM sketches
        WHERE film_id = ? AND frame % ? = 0""",
        (film_id, step),
    )
    for frame, word, n_strokes in rows:
        name = names[frame // step]
        # A drawing without a number of its own is called by its word.
        words = [] if word is None or name.startswith(f"{word} ") else [word]
        told = ", ".join([*words, count(n_strokes, "stroke")])
        names[frame // step] = f"{name} ({told})"


def _read_shots(
    connection: sqlite3.Connection, film_id: int, step: int
) -> NDArray[np.int32]:
    """Read the shots, as `FilmData` has them; none if they were not looked for."""
    rows = connection.execute(
        """SELECT shot, first_frame, last_frame, ifnull(end_s - start_s, -0.001)
        FROM shots WHERE film_id = ? AND first_frame IS NOT NULL ORDER BY shot""",
        (film_id,),
    ).fetchall()
    shots, firsts, lasts, lengths_s = np.array(rows, np.float64).reshape(-1, 4).T
    # The first of the frames that are shown.
    places = -(-firsts // step)
    is_shown = places * step <= lasts
    of_all = [shots, places, lasts - firsts + 1, np.rint(1000 * lengths_s)]
    return np.stack(of_all)[:, is_shown].astype(np.int32)


def _stack_strips(strips: tuple[bytes, ...], rows: int) -> NDArray[np.uint8]:
    """(n, rows, 3) of strips of any heights."""
    if {len(strip) for strip in strips} == {3 * rows}:
        return np.frombuffer(b"".join(strips), np.uint8).reshape(-1, rows, 3)
    import cv2

    stacked = np.empty((len(strips), rows, 3), np.uint8)
    for strip, wanted in zip(strips, stacked, strict=True):
        column = np.frombuffer(strip, np.uint8).reshape(-1, 1, 3)
        smaller = len(column) >= rows
        method = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
        wanted[:] = cv2.resize(column, (1, rows), interpolation=method)[:, 0]
    return stacked


def _find_end(record: FilmRecord, duration_s: float | None) -> float | None:
    """When the film, or what was sampled of it, ends; None: it has no times."""
    if record.times_s is None or not len(record.times_s):
        return None
    last = float(record.times_s[-1])
    step = (
        float(record.times_s[-1] - record.times_s[-2]) if len(record.times_s) > 1 else 0
    )
    ends = [each for each in (record.end_s, duration_s) if each is not None]
    end = min(ends, default=last + step)
    return end if end > last else last + step
