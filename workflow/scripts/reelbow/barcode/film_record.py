"""What a barcode shows of a film, read from its database."""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbow.arguments import check_path
from reelbow.database.opening import telling_damage
from reelbow.errors import ReelbowError

# A frame of less luma, of 255, is black. Black frames of the films looked at have 0;
# their darkest scenes, a forest at night that fades in and a telescope in a dark hall,
# have 8 to 9, so this leaves as much to noise as to scenes. A roll of credits has 20 to
# 30 by its letters, more than those scenes: its luma does not tell it, and it is drawn.
BLACK_LUMA = 4.0

# Of a film's frames in order; {} is their luma, or what counts as not black.
MEANS = "SELECT frame, {}, mean_color FROM frames WHERE film_id = ? ORDER BY frame"
STRIPS = "SELECT frame, {}, strip FROM frames WHERE film_id = ? ORDER BY frame"
_TIMES = "SELECT frame, {}, time_s FROM frames WHERE film_id = ? ORDER BY frame"
_PALETTES = """
SELECT frames.frame, {}, color, share, {}
FROM frames LEFT JOIN palettes
    ON palettes.film_id = frames.film_id AND palettes.frame = frames.frame
WHERE frames.film_id = ?
ORDER BY frames.frame, rank
"""

# Of a database, read at a time.
_SOME_ROWS = 10_000

# The colors (k, 3) uint8 sRGB of a frame or column, and their shares (k,).
Palette = tuple[NDArray[np.uint8], NDArray[np.float32]]

# Of a frame, also which of them are accents.
FramePalette = tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.bool_]]


@dataclass(frozen=True)
class FilmRecord:
    """What a database says of one film and of its frames' places in time."""

    film: str
    title: str
    source: str
    # (n,) index in the film of each frame that has a place in the barcode, ascending;
    # frames that are missing have one too.
    frames: NDArray[np.int32]
    # (n,) presentation times, of missing frames as those around them have it; None
    # where any of the others has no time.
    times_s: NDArray[np.float64] | None
    # Frames that could not be read, or have no picture in the file.
    n_missing: int
    # Frames that are left out since they are black.
    n_black: int
    # interval, frames or keyframes; None: every image, or it is not known.
    sampling: str | None = None
    # Seconds, or every nth; None: unknown, or to the end.
    every: float | None = None
    start_s: float | None = None
    end_s: float | None = None
    # Pictures that the film has, sampled or not.
    n_pictures: int | None = None
    # w:h:x:y of what was kept; None: all of it.
    crop: str | None = None
    # What made the palettes, as "cluster.n_colors"; empty: unknown.
    settings: Mapping[str, Any] = field(default_factory=dict)
    # Of the Reelbow that made them.
    version: str | None = None

    @property
    def is_of_images(self) -> bool:
        """Whether every image counts, since nothing was sampled."""
        return self.sampling is None and bool(self.settings)

    @property
    def minutes(self) -> float:
        """How long the film's barcode is; without times, a frame is a second."""
        if self.times_s is None or len(self.times_s) < 2:
            return len(self.frames) / 60
        n = len(self.times_s)
        return float(self.times_s[-1] - self.times_s[0]) * n / (n - 1) / 60


def read_film(
    database: Path | str, film: str | None = None, *, skip_black: bool = False
) -> FilmRecord:
    """Read one film's title and the times of its frames.

    Parameters
    ----------
    database : path of a Reelbow database
    film : id of the film, needed only where the database holds several
    skip_black : leave out the frames that `draw_barcode` then leaves out

    Raises
    ------
    ReelbowError
        If the film is not there or the file is no Reelbow database.
    """
    path = check_path("database", database)
    with telling_damage(path, oldest=1) as connection:
        film_id, film = find_film(connection, path, film)
        luma = find_luma(connection, path, skip_black=skip_black)
        about = _read_film_row(connection, film_id)
        settings, version = _read_settings(connection, film)
        n_frames, n_black, n_places = count_frames(connection, film_id, luma)
        times_s = np.full(n_places + n_black, np.nan)
        there = np.zeros(len(times_s), bool)
        drawn = np.ones(len(times_s), bool)
        timed = n_frames > n_black
        rows = connection.execute(_TIMES.format(luma), (film_id,))
        # Some at a time: a film may have millions.
        while some := rows.fetchmany(_SOME_ROWS):
            # A frame without a time: NULL arrives as None, and None becomes NaN.
            numbers, lumas, seconds = np.array(some, np.float64).T
            frames = numbers.astype(np.int64)
            there[frames] = True
            drawn[frames] = lumas >= BLACK_LUMA
            times_s[frames] = seconds
            timed = timed and not np.isnan(seconds[lumas >= BLACK_LUMA]).any()
    if timed:
        _fill_times(times_s, there & drawn)
    places = np.arange(len(times_s), dtype=np.int32)
    if n_black:
        places, times_s = places[drawn], times_s[drawn]
    return FilmRecord(
        film=film,
        title=about["title"],
        source=about["source"],
        frames=places,
        times_s=times_s if timed else None,
        n_missing=n_places + n_black - n_frames,
        n_black=n_black,
        # Of an older database its settings say what its row of the film does not.
        sampling=about.get("sampling", settings.get("sampling.mode")),
        every=about.get("every", settings.get("sampling.every")),
        start_s=about.get("start_s"),
        end_s=about.get("end_s"),
        n_pictures=about.get("n_pictures"),
        crop=about.get("crop"),
        settings=settings,
        version=version,
    )


def read_measures(
    database: Path | str, record: FilmRecord, names: Sequence[str]
) -> NDArray[np.float64]:
    """Read measures of the frames that have a place in the barcode.

    Parameters
    ----------
    names : of `pictures.measure_names.MEASURES`

    Returns
    -------
    (len(names), n) float64, in the order of `record.frames`; NaN: the frame is missing

    Raises
    ------
    ReelbowError
        If the database has none, since an older Reelbow made it.
    """
    path = check_path("database", database)
    last = int(record.frames[-1]) if len(record.frames) else -1
    measures = np.full((len(names), last + 1), np.nan)
    with telling_damage(path, oldest=4) as connection:
        film_id, _ = find_film(connection, path, record.film)
        rows = connection.execute(
            f"""SELECT frame, {", ".join(names)} FROM frames
            WHERE film_id = ? AND frame <= ?""",
            (film_id, last),
        )
        while some := rows.fetchmany(_SOME_ROWS):
            numbers, *columns = np.array(some, np.float64).T
            measures[:, numbers.astype(np.int64)] = columns
    return measures[:, record.frames]


def _read_film_row(connection: sqlite3.Connection, film_id: int) -> dict[str, Any]:
    """Read what a film's row has, which of an older database is less."""
    cursor = connection.execute("SELECT * FROM films WHERE film_id = ?", (film_id,))
    names = [column[0] for column in cursor.description]
    return dict(zip(names, cursor.fetchone(), strict=True))


def _read_settings(
    connection: sqlite3.Connection, film: str
) -> tuple[dict[str, Any], str | None]:
    """Read what made a film's palettes, and by which version of Reelbow."""
    if "key" not in list_columns(connection, "metadata"):
        return {}, None
    found: dict[str, str] = dict(connection.execute("SELECT key, value FROM metadata"))
    # Of several films that differ in it, each has a key of its own.
    settings, version = (
        found.get(key, found.get(f"{key}/{film}"))
        for key in ("settings", "version/reelbow")
    )
    return json.loads(settings or "{}"), version


def _fill_times(times_s: NDArray[np.float64], there: NDArray[np.bool_]) -> None:
    """Say when missing frames would be, between those that are there, and at the ends.

    Parameters
    ----------
    times_s : (n,) filled where `there` is False
    there : (n,) True once at least
    """
    missing = np.flatnonzero(~there)
    if not len(missing):
        return
    known = np.flatnonzero(there)
    first, last = int(known[0]), int(known[-1])
    step_s = (times_s[last] - times_s[first]) / (last - first) if last > first else 0.0
    inner = missing[(missing > first) & (missing < last)]
    times_s[inner] = np.interp(inner, known, times_s[known])
    times_s[:first] = times_s[first] - step_s * np.arange(first, 0, -1)
    times_s[last + 1 :] = times_s[last] + step_s * np.arange(1, len(times_s) - last)


def read_palettes(
    connection: sqlite3.Connection, film_id: int, luma: str, database: Path
) -> Iterator[tuple[int, float, FramePalette]]:
    """Read the palettes in the order of the frames, each with its frame and luma."""
    query = _PALETTES.format(luma, find_accent(connection))
    rows = connection.execute(query, (film_id,))
    rest = np.empty((0, 5))
    # Some frames at a time: arrays of a single one cost more than its colors.
    while some := rows.fetchmany(_SOME_ROWS):
        # A frame without a palette: NULL arrives as None, and None becomes NaN.
        table = np.concatenate([rest, np.array(some, np.float64)])
        starts = np.flatnonzero(np.diff(table[:, 0], prepend=-1))
        # The last frame may go on.
        yield from _part_palettes(table[: starts[-1]], starts[:-1], database)
        rest = table[starts[-1] :]
    yield from _part_palettes(rest, np.zeros(min(1, len(rest)), np.intp), database)


def _part_palettes(
    table: NDArray[np.float64], starts: NDArray[np.intp], database: Path
) -> Iterator[tuple[int, float, FramePalette]]:
    """Part rows, as `_PALETTES` selects them, at the first one of each frame."""
    missing = table[np.isnan(table[:, 2]), 0]
    if len(missing):
        raise ReelbowError(f"{database} holds no palette for frame {missing[0]:.0f}.")
    colors = unpack_colors(table[:, 2].astype(np.int64))
    shares, accents = table[:, 3].astype(np.float32), table[:, 4].astype(bool)
    ends = [*starts[1:].tolist(), len(table)]
    for start, end in zip(starts.tolist(), ends, strict=False):
        frame, luma = table[start, :2].tolist()
        part = slice(start, end)
        yield int(frame), luma, (colors[part], shares[part], accents[part])


def to_palette(rows: Sequence[tuple[int, float, bool]]) -> FramePalette:
    """Take colors, 0xRRGGBB, with their shares and whether they are accents apart."""
    colors, shares, accents = map(np.array, zip(*rows, strict=True))
    return unpack_colors(colors), shares.astype(np.float32), accents.astype(bool)


def find_accent(connection: sqlite3.Connection) -> str:
    """Find what to select as a color's being an accent; an older database has none."""
    return "accent" if "accent" in list_columns(connection, "palettes") else "0"


def unpack_colors(colors: NDArray[np.int64]) -> NDArray[np.uint8]:
    """(n,) integers 0xRRGGBB to (n, 3) uint8."""
    return np.stack([colors >> 16, colors >> 8, colors], axis=1).astype(np.uint8)


def list_columns(connection: sqlite3.Connection, table: str) -> set[str]:
    """List the columns of a table; an older database has fewer."""
    rows = connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    return {name for (name,) in rows}


def count_frames(
    connection: sqlite3.Connection, film_id: int, luma: str
) -> tuple[int, int, int]:
    """Count the frames that are there, the black ones, and places, also of missing."""
    n_frames, last, n_black = connection.execute(
        f"""SELECT count(*), coalesce(max(frame), -1),
            coalesce(sum({luma} < {BLACK_LUMA}), 0)
        FROM frames WHERE film_id = ?""",
        (film_id,),
    ).fetchone()
    planned = None
    if "n_frames" in list_columns(connection, "films"):
        (planned,) = connection.execute(
            "SELECT n_frames FROM films WHERE film_id = ?", (film_id,)
        ).fetchone()
    if planned is None and "shard" in list_columns(connection, "skipped"):
        # As an older Reelbow counted: every sample is read or skipped.
        (n_skipped,) = connection.execute(
            "SELECT count(*) FROM skipped WHERE film_id = ?", (film_id,)
        ).fetchone()
        planned = n_frames + n_skipped
    return n_frames, n_black, max(last + 1, planned or 0) - n_black


def count_shards(
    connection: sqlite3.Connection, film_id: int
) -> dict[str, tuple[int, int, int]]:
    """Count the frames of each shard that has some; and find its first and last one."""
    rows = connection.execute(
        "SELECT shard, count(*), min(frame), max(frame) FROM frames "
        "WHERE film_id = ? GROUP BY shard",
        (film_id,),
    )
    return {shard: (n_frames, first, last) for shard, n_frames, first, last in rows}


def find_film(
    connection: sqlite3.Connection, database: Path, film: str | None
) -> tuple[int, str]:
    """Find a film's id and name; `film` may be left out where there is only one."""
    films: dict[str, int] = dict(
        connection.execute("SELECT film, film_id FROM films ORDER BY film")
    )
    if film is None and len(films) == 1:
        (film,) = films
    if film is not None and film in films:
        return films[film], film
    names = ", ".join(list(films)[:20]) + (", ..." if len(films) > 20 else "")
    if not films:
        raise ReelbowError(f"{database} holds no frames and no film.")
    if film is None:
        raise ReelbowError(
            f"{database} holds {len(films)} films; say which one to draw: {names}."
        )
    raise ReelbowError(f"{database} holds no film '{film}': it holds {names}.")


def find_luma(
    connection: sqlite3.Connection, database: Path, *, skip_black: bool
) -> str:
    """Find what to select as luma; none counts as black where all are drawn."""
    if not skip_black:
        return str(BLACK_LUMA)
    if "luma" not in list_columns(connection, "frames"):
        raise ReelbowError(
            f"{database} does not say how dark its frames are (luma), so black ones "
            "cannot be left out; it was made by an older Reelbow."
        )
    return "luma"
