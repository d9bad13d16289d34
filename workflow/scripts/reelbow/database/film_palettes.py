"""The palette of a whole film, of all pixels that were clustered; that of a shot.

That of a shot is found of the palettes of its frames, each color by its share. Each
frame counts by the time that it stands for. Memory does not grow with the film: colors
are added up while they are read.
"""

import math
import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from reelbow.database.frames import pack_colors, rank_colors
from reelbow.database.opening import list_tables
from reelbow.database.schema import ONLY_FILM, PaletteSettings
from reelbow.kmeans.palettes import combine_colors
from reelbow.pictures.color_sums import (
    LONGEST,
    N_BINS,
    find_means,
    unpack,
    weigh_frame,
)

# Palettes of more colors have them in bins of 6 bits a channel, as the engine counts
# the pixels of a frame; each is the exact mean of what is in it.
MOST_POINTS = 1 << 16

# Of the database, read at a time.
SOME_ROWS = 20_000


# The metadata of a film whose palette is not of all pixels.
INSTEAD = ("film_palette", "of the palettes of its frames, not of all pixels")


class _Counted(NamedTuple):
    """A frame: its bins that are not empty, and what is in them, as of `unpack`."""

    frame: int
    time_s: float
    bins: NDArray[np.int64]
    counts: NDArray[np.int64]


class FilmPixels:
    """Adds up the pixels of a film's shards, as far as these have counted them."""

    def __init__(self) -> None:
        """Begin without any."""
        self._sums = np.zeros((N_BINS, 8), np.int64)
        self._last: _Counted | None = None
        self._n_frames = self._n_told = 0
        self._are_counted = True

    def add_part(self, connection: sqlite3.Connection, first: int) -> None:
        """Add the shard that is attached as `part`; its frames count from `first`."""
        n_frames, n_told = connection.execute(
            "SELECT count(*), count(time_s) FROM part.frames"
        ).fetchone()
        packed = None
        # Shards of before have no such table.
        if "color_sums" in list_tables(connection, "part"):
            packed = connection.execute("SELECT sums FROM part.color_sums").fetchone()
        self._n_frames += n_frames
        self._n_told += n_told
        if not n_frames or packed is None:
            self._are_counted &= not n_frames
            return
        (begin, begin_s), (end, end_s) = (
            connection.execute(
                "SELECT frame + ?, coalesce(time_s, 'NaN') FROM part.frames "
                f"ORDER BY film_id {order}, frame {order} LIMIT 1",
                (first,),
            ).fetchone()
            for order in ("ASC", "DESC")
        )
        if self._last is not None:
            step_s = float(begin_s) - self._last.time_s
            self._add_last(self._last, step_s / (begin - self._last.frame))
        bins, sums, last = unpack(*packed)
        self._sums[bins] += sums
        there = last[:, 0] > 0
        self._last = _Counted(end, float(end_s), bins[there], last[there])

    def _add_last(self, last: "_Counted", duration_s: float) -> None:
        """Add the last frame of a shard, which stands for so long."""
        alike, timed = weigh_frame(duration_s, int(last.counts[:, 0].sum()))
        self._sums[last.bins] += np.hstack([alike * last.counts, timed * last.counts])

    def finish(self, times: "FrameTimes") -> NDArray[np.int64] | None:
        """Give the sums of all pixels, once, each by the time of its frame.

        None: shards have not counted them; or only some frames have times of their own,
        and others by `fps`; or the film is of more than a year, or 2**25 frames.
        """
        if not self._are_counted or self._n_frames > LONGEST:
            return None
        durations_s = times.durations_s[times.frames]
        if self._last is not None:
            self._add_last(self._last, durations_s[-1])
        if not self._n_told or (durations_s == 1).all():
            return self._sums[:, :4]
        is_long = np.ptp(times.times_s) > LONGEST
        return None if self._n_told < self._n_frames or is_long else self._sums[:, 4:]


def add_film_palette(
    connection: sqlite3.Connection, settings: PaletteSettings, pixels: FilmPixels
) -> None:
    """Add the palette of the only film of a database; without frames it has none.

    What cannot be found of all pixels is found of frames' palettes; metadata says so.
    """
    times = FrameTimes.read(connection)
    sums = pixels.finish(times)
    if sums is None:
        rows = connection.execute(
            "SELECT frame, color, share FROM palettes ORDER BY frame, rank"
        )
        found = find_palette(rows, times.durations_s, settings)
        connection.execute("INSERT INTO metadata VALUES (?, ?)", INSTEAD)
    else:
        found = _combine(*find_means(sums), settings)
    connection.executemany(
        "INSERT INTO film_palettes VALUES (?, ?, ?, ?)",
        ((ONLY_FILM, *color) for color in found),
    )


def find_palette(
    rows: sqlite3.Cursor, durations_s: NDArray[np.float64], settings: PaletteSettings
) -> Iterator[tuple[int, int, float]]:
    """Find the palette of many frames: rank, color and share of each of its colors.

    Parameters
    ----------
    rows : frame, color, share of each color of these frames, in their order
    durations_s : of all frames, by their numbers, as in `FrameTimes`
    """
    return _combine(*_count_colors(rows, durations_s), settings)


def _combine(
    points: NDArray[np.float64],
    weights: NDArray[np.float64],
    settings: PaletteSettings,
) -> Iterator[tuple[int, int, float]]:
    """Find the palette of colors (m, 3) in sRGB that weigh so much."""
    if not len(points):
        return
    # The sum of NumPy depends on the machine's vectors.
    parts = weights / math.fsum(weights.tolist())
    colors, shares = combine_colors(points, parts, **settings._asdict())
    ranked = rank_colors(pack_colors(colors), shares.tolist(), [False] * len(shares))
    for rank, (color, share, _) in enumerate(ranked):
        yield rank, color, share


class FrameTimes(NamedTuple):
    """When the frames of a film are shown.

    Attributes
    ----------
    frames : (n,) int64 ascending, those that were read
    times_s : (n,) float64, NaN: unknown
    durations_s : how long each stands for, by the frame's number; others 0
    """

    frames: NDArray[np.int64]
    times_s: NDArray[np.float64]
    durations_s: NDArray[np.float64]

    @classmethod
    def read(cls, connection: sqlite3.Connection, film_id: int = ONLY_FILM) -> Self:
        """Read those of a film of a database."""
        rows = connection.execute(
            "SELECT frame, time_s FROM frames WHERE film_id = ? ORDER BY frame",
            (film_id,),
        )
        parts = [np.empty((0, 2))]
        while some := rows.fetchmany(SOME_ROWS):
            # NULL arrives as None, and None becomes NaN.
            parts.append(np.array(some, np.float64))
        numbers, times_s = np.concatenate(parts).T
        frames = numbers.astype(np.int64)
        durations_s = np.zeros(frames.max(initial=-1) + 1)
        durations_s[frames] = weigh_frames(frames, times_s)
        return cls(frames, times_s, durations_s)


def weigh_frames(
    frames: NDArray[np.int64], times_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Find the time that each frame stands for: until the next one.

    The last frame stands for the median of the others' times. Where frames are missing
    in between, each of them would have stood for as long as the one before.

    Parameters
    ----------
    frames : (n,) ascending
    times_s : (n,) NaN: unknown

    Returns
    -------
    (n,) above 0, in seconds; all 1 if a time is unknown, or times do not ascend
    """
    steps_s = np.diff(times_s) / np.diff(frames)
    if np.isnan(times_s).any() or not len(steps_s) or not (steps_s > 0).all():
        return np.ones(len(frames))
    return np.append(steps_s, np.median(steps_s))


def _count_colors(
    rows: sqlite3.Cursor, durations_s: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Add up how much there is of each color: (m, 3) sRGB, and (m,).

    In the order of the frames, so that it is the same bits however they were sharded.
    """
    some = rows.fetchmany(SOME_ROWS)
    if len(some) < SOME_ROWS:
        of_colors, amounts = _weigh_colors(some, durations_s)
        colors, places = np.unique(of_colors, return_inverse=True)
        weights = np.asarray(np.bincount(places, amounts, len(colors)), np.float64)
    else:
        # The system gives memory for those that are there.
        sums = np.zeros(1 << 24)
        while some:
            np.add.at(sums, *_weigh_colors(some, durations_s))
            some = rows.fetchmany(SOME_ROWS)
        colors = np.flatnonzero(sums)
        weights = sums[colors]
    points = np.stack([colors >> 16, colors >> 8 & 255, colors & 255], axis=1)
    if len(colors) > MOST_POINTS:
        bins = (points >> 2) @ np.array([1 << 12, 1 << 6, 1])
        totals = np.asarray(np.bincount(bins, weights), np.float64)
        there = totals > 0
        moments = [np.bincount(bins, weights * channel) for channel in points.T]
        weights = totals[there]
        means = np.stack(moments, axis=1)[there] / weights[:, np.newaxis]
    else:
        means = points.astype(np.float64)
    return means.clip(0, 255), weights


def _weigh_colors(
    rows: Sequence[tuple[int, int, float]], durations_s: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Give the colors of rows, and how much there is of each."""
    frames, colors, shares = np.array(rows, np.float64).reshape(-1, 3).T
    return colors.astype(np.int64), shares * durations_s[frames.astype(np.int64)]
