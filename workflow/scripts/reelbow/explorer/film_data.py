"""A film's database packed for its page: one JSON object and compressed arrays."""

import base64
import zlib
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbow.barcode.caption import describe_barcode, describe_making
from reelbow.barcode.film_record import (
    FilmRecord,
    find_accent,
    find_film,
    read_film,
    unpack_colors,
)
from reelbow.barcode.picture_files import KINDS
from reelbow.database.opening import open_database
from reelbow.errors import ReelbowError
from reelbow.shards.previews import PreviewSheet

# Rows of a strip in a page: more are averaged.
STRIP_ROWS = 90

# Pictures that could not be read, of which a page tells the reasons.
MOST_REASONS = 200

# Of zlib: a higher one takes three times as long for a tenth less.
LEVEL = 3

# Shares are whole numbers of this.
FULL_SHARE = 65_535


@dataclass(frozen=True)
class FilmData:
    """What a page knows of its film, but for the previews.

    Attributes
    ----------
    about : what fits into JSON
    arrays : of places, one for each frame of the film from 0, also of missing ones
        present (n,) uint8, 0 or 1; times_ms (n,) int32, absent if frames have no times;
        means (n, 3) uint8 sRGB; luma (n,) uint16 in 1/256;
        strips (n, rows, 3) uint8 sRGB;
        n_colors (n,) uint8; and of all colors of all palettes, in order,
        colors (m, 3) uint8 sRGB, shares (m,) uint16 in 1/65535, accents (m,) uint8
    frames : of each shard that has some, their numbers in the film, in order
    """

    about: dict[str, Any]
    arrays: dict[str, NDArray[np.generic]]
    frames: dict[str, NDArray[np.int64]]
    record: FilmRecord

    def place_sheets(
        self, sheets: Mapping[Path, PreviewSheet]
    ) -> dict[Path, PreviewSheet]:
        """Order previews by their frames, and number these as the film does.

        Parameters
        ----------
        sheets : named as their shards are

        Raises
        ------
        ReelbowError
            If a sheet has other frames than its shard.
        """
        placed: dict[int, tuple[Path, PreviewSheet]] = {}
        for path, sheet in sheets.items():
            frames = self.frames.get(path.stem, np.empty(0, np.int64))
            if not len(frames) and not len(sheet.frames):
                continue
            moved = sheet.number_from(int(frames[:1].sum()))
            if not len(moved.frames) or not np.isin(moved.frames, frames).all():
                raise ReelbowError(
                    f"{path} is not of the frames that the database has of shard "
                    f"{path.stem}; delete it, and run again."
                )
            placed[int(moved.frames[0])] = path, moved
        return dict(placed[first] for first in sorted(placed))


def read_film_data(database: Path) -> FilmData:
    """Read all that a page shows of the only film of a database.

    Raises
    ------
    ReelbowError
        If it is no database of one film, or an older one.
    """
    record = read_film(database)
    n_places = len(record.frames)
    with closing(open_database(database)) as connection:
        film_id, _ = find_film(connection, database, None)
        rows = connection.execute(
            "SELECT frame, mean_color, luma, strip, shard, name FROM frames "
            "WHERE film_id = ? ORDER BY frame",
            (film_id,),
        ).fetchall()
        palettes = connection.execute(
            f"SELECT frame, color, share, {find_accent(connection)} FROM palettes "
            "WHERE film_id = ? ORDER BY frame, rank",
            (film_id,),
        ).fetchall()
        skipped = connection.execute(
            "SELECT name, reason FROM skipped WHERE film_id = ? ORDER BY shard, name",
            (film_id,),
        ).fetchall()
        n_pictures, width, height, duration_s = connection.execute(
            "SELECT n_pictures, width, height, duration_s FROM films WHERE film_id = ?",
            (film_id,),
        ).fetchone()
    columns = list(zip(*rows, strict=True)) or [()] * 6
    frames = np.array(columns[0], np.int64)
    of_colors = np.array(palettes, np.float64).reshape(-1, 4)
    shares = np.rint(of_colors[:, 2] * FULL_SHARE).clip(1, FULL_SHARE)
    arrays: dict[str, NDArray[np.generic]] = {
        "present": _place(frames, np.ones(len(frames), np.uint8), n_places),
        "means": _place(
            frames, unpack_colors(np.array(columns[1], np.int64)), n_places
        ),
        "luma": _place(
            frames, np.rint(np.array(columns[2]) * 256).astype(np.uint16), n_places
        ),
        "strips": _place(frames, _stack_strips(columns[3]), n_places),
        "n_colors": np.bincount(of_colors[:, 0].astype(np.int64), minlength=n_places)
        .clip(0, 255)
        .astype(np.uint8),
        "colors": unpack_colors(of_colors[:, 1].astype(np.int64)),
        "shares": shares.astype(np.uint16),
        "accents": of_colors[:, 3].astype(np.uint8),
    }
    if record.times_s is not None:
        times_ms = np.rint(record.times_s * 1000)
        arrays["times_ms"] = times_ms.clip(-(2**31), 2**31 - 1).astype(np.int32)
    about = {
        "film": record.film,
        "title": record.title,
        "subtitles": {kind: describe_barcode(record, kind) for kind in KINDS},
        "making": describe_making(record, "stacked", ""),
        "n_places": n_places,
        "end_s": _find_end(record, duration_s),
        "size": [width, height],
        "n_pictures": n_pictures,
        "skipped": skipped[:MOST_REASONS],
        "n_skipped": len(skipped),
    }
    if record.is_of_images:
        # Of a video they are numbers of no use.
        names = dict(zip(columns[0], columns[5], strict=True))
        about["names"] = [names.get(place, "") for place in range(n_places)]
    in_shards: dict[str, list[int]] = {}
    for frame, shard in zip(columns[0], columns[4], strict=True):
        in_shards.setdefault(shard, []).append(frame)
    by_shard = {shard: np.array(each, np.int64) for shard, each in in_shards.items()}
    return FilmData(about, arrays, by_shard, record)


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


def _place(
    frames: NDArray[np.int64], values: NDArray[np.generic], n_places: int
) -> NDArray[np.generic]:
    """Lay values of frames at their places; those of missing frames are 0."""
    placed = np.zeros((n_places, *values.shape[1:]), values.dtype)
    placed[frames] = values
    return placed


def _stack_strips(strips: tuple[bytes, ...]) -> NDArray[np.uint8]:
    """(n, rows, 3) of strips of any heights: as many rows as most, up to STRIP_ROWS."""
    lengths = {len(strip) for strip in strips}
    rows = min(STRIP_ROWS, max(lengths, default=3) // 3)
    if lengths <= {3 * rows}:
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
