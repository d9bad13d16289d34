"""Movie barcodes: a film's database drawn as a picture, one column per frame."""

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arguments import check_path, check_whole
from .color_spaces import srgb_to_oklab
from .database import open_database, pack_colors, rank_colors
from .errors import ReelbowError
from .kmeans import Palettes
from .picture_files import KINDS

ORDERS = ("share", "luminance", "hue", "track")

# Beyond about this many pixels many viewers give up.
MAX_SIDE = 32_768

# Light gray: black would be taken for black film, and few frames are as bright as this
# all over.
GAP_COLOR = "#d9d9d9"

# Below this difference of the largest and smallest channel, of 255, a hue is noise.
GREY_CHROMA = 24

# A frame of less luma, of 255, is black. Black frames of the films looked at have 0;
# their darkest scenes, a forest at night that fades in and a telescope in a dark hall,
# have 8 to 9, so this leaves as much to noise as to scenes. A roll of credits has 20 to
# 30 by its letters, more than those scenes: its luma does not tell it, and it is drawn.
BLACK_LUMA = 4.0

# Tracks. Colors at this distance in OKLab, or farther, are never the same ...
_DIFFERENT = 0.2
# ... and a share that comes or goes counts as if its color moved as far as this.
_GONE = 0.15
# A column that costs more is behind a cut. docs/band_order.md says how it was found.
_CUT = 0.09

# Of a film's frames in order; {} is their luma, or what counts as not black.
_MEANS = "SELECT frame, {}, mean_color FROM frames WHERE film_id = ? ORDER BY frame"
_STRIPS = "SELECT frame, {}, strip FROM frames WHERE film_id = ? ORDER BY frame"
_TIMES = "SELECT frame, {}, time_s FROM frames WHERE film_id = ? ORDER BY frame"
_PALETTES = """
SELECT frames.frame, {}, color, share
FROM frames LEFT JOIN palettes
    ON palettes.film_id = frames.film_id AND palettes.frame = frames.frame
WHERE frames.film_id = ?
ORDER BY frames.frame, rank
"""
# Of a database, read at a time.
_SOME_ROWS = 10_000

# The colors (k, 3) uint8 sRGB of a frame or column, and their shares (k,).
_Palette = tuple[NDArray[np.uint8], NDArray[np.float32]]


@dataclass(frozen=True)
class FilmRecord:
    """What a database says of one film and of its frames' places in time.

    Attributes
    ----------
    film, title, source : str
    frames : (n,) int32
        Index in the film of each frame that has a place in the barcode, ascending;
        frames that are missing have one too.
    times_s : (n,) float64 or None
        Presentation time of each frame, of missing ones as those around them have it;
        None where any of the others has no time.
    n_missing : int
        How many could not be read, or have no picture in the file.
    n_black : int
        How many are left out since they are black.
    sampling : {"interval", "frames", "keyframes"} or None
        How they were sampled; None: every image, or it is not known.
    every, start_s, end_s : float or None
        Seconds, or every nth; None: unknown, or to the end.
    n_pictures : int or None
        Pictures that the film has, sampled or not.
    crop : str or None
        w:h:x:y of what was kept; None: all of it.
    settings : dict
        What made the palettes, as "cluster.n_colors"; empty: unknown.
    version : str or None
        Of the Reelbow that made them.
    """

    film: str
    title: str
    source: str
    frames: NDArray[np.int32]
    times_s: NDArray[np.float64] | None
    n_missing: int
    n_black: int
    sampling: str | None = None
    every: float | None = None
    start_s: float | None = None
    end_s: float | None = None
    n_pictures: int | None = None
    crop: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    version: str | None = None

    @property
    def is_of_images(self) -> bool:
        """Whether every image counts, since nothing was sampled."""
        return self.sampling is None and bool(self.settings)


def draw_barcode(
    database: Path | str,
    kind: str,
    *,
    height: int,
    width: int | None = None,
    order: str = "share",
    skip_black: bool = False,
    gap_color: str = GAP_COLOR,
    film: str | None = None,
    empty: bool = False,
) -> NDArray[np.uint8]:
    """Draw the barcode of one film from its database alone.

    With n sampled frames, frame i is drawn in column floor(i * width / n). Frames that
    share a column are combined, every frame with the same weight: means and strips are
    averaged, palettes become the palette of all those frames together. With fewer
    frames than columns, column c shows frame floor(c * n / width). Frames that are
    missing count as well: a column in which all are missing has the color of a gap.

    Parameters
    ----------
    database : path of a Reelbow database
    kind : {"mean", "strip", "dominant", "stacked"}
        Each frame's mean color, the frame averaged over its width, the most frequent
        color of its palette, or its palette as bands as high as their shares.
    height : rows of the picture, [1, 32768]
    width : columns of the picture, [1, 32768]; None: one per frame, as far as that goes
    order : {"share", "luminance", "hue", "track"}
        What is stacked from the bottom up: the most frequent color first; the darkest
        first, by the Rec. 709 luma weights on linear light; by HSV hue angle from
        red, after the near-greys (largest and smallest channel less than 24 of 255
        apart), which lie at the bottom, darkest first; or so that the same color keeps
        its place from column to column until a cut, as `follow_colors` does.
    skip_black : leave out the frames of less luma than `BLACK_LUMA`; they leave no gap
    gap_color : #rrggbb
    film : id of the film, needed only where the database holds several
    empty : draw a film as one gap if every frame is missing

    Returns
    -------
    (height, width, 3) uint8, sRGB, [0, 255]

    Raises
    ------
    ReelbowError
        If the kind, the order or the film is unknown, a size or the color cannot be,
        the file is no Reelbow database or has no frames or palettes of the film, or no
        frame is left because all are black.

    Notes
    -----
    Averages are taken of sRGB values, as mean_color and strip themselves are. Rows are
    streamed: memory grows with the picture and with the frames in one column only, or,
    for the order "track", with the palettes between two cuts.
    """
    _check_choice("kind", kind, KINDS)
    _check_choice("order", order, ORDERS)
    _check_sizes(height, width)
    gap = _parse_color("gap_color", gap_color)
    path = check_path("database", database)
    with closing(open_database(path, oldest=1)) as connection:
        film_id, film = _find_film(connection, path, film)
        luma = _find_luma(connection, path, skip_black=skip_black)
        n_frames, n_black, n_places = _count_frames(connection, film_id, luma)
        if n_frames == 0 and not (empty and n_places):
            raise ReelbowError(f"{path} holds no frames of the film '{film}'.")
        if 0 < n_frames == n_black:
            raise ReelbowError(
                f"Every frame of the film '{film}' in {path} is black: without "
                "them (skip_black) nothing is left to draw."
            )
        n_colors = None
        rows: Iterator[tuple[int, float, Any]]
        if kind in ("mean", "strip"):
            query = _MEANS if kind == "mean" else _STRIPS
            rows = connection.execute(query.format(luma), (film_id,))
        else:
            (n_colors,) = connection.execute(
                "SELECT coalesce(max(rank), -1) + 1 FROM palettes WHERE film_id = ?",
                (film_id,),
            ).fetchone()
            rows = _read_palettes(connection, film_id, luma, path)
        return _draw(
            _place(rows),
            kind,
            n_places=n_places,
            n_colors=n_colors,
            height=height,
            width=width,
            order=order,
            gap=gap,
        )


def draw_palettes(
    palettes: Palettes,
    kind: str,
    *,
    height: int,
    width: int | None = None,
    order: str = "share",
) -> NDArray[np.uint8]:
    """Draw the barcode of palettes, as `draw_barcode` does of those in a database.

    Parameters
    ----------
    palettes : of `kmeans.find_palettes`, a column for each frame
    kind : {"dominant", "stacked"}
    height, width, order : as for `draw_barcode`

    Returns
    -------
    (height, width, 3) uint8, sRGB, [0, 255]

    Raises
    ------
    ReelbowError
        If the kind or the order is another one, a size is below 1 or above 32,768, or
        these are no palettes.
    """
    if kind in ("mean", "strip"):
        raise ReelbowError(
            f"A barcode of the kind '{kind}' is drawn of frames, which palettes do not "
            "have: draw 'dominant' or 'stacked', or a database by draw_barcode."
        )
    _check_choice("kind", kind, ("dominant", "stacked"))
    _check_choice("order", order, ORDERS)
    _check_sizes(height, width)
    colors, shares = _check_palettes(palettes)
    ranked = (
        rank_colors(packed, weights)
        for packed, weights in zip(
            pack_colors(colors), shares.astype(np.float64).tolist(), strict=True
        )
    )
    return _draw(
        ((place, _to_palette(rows)) for place, rows in enumerate(ranked)),
        kind,
        n_places=len(shares),
        n_colors=shares.shape[1],
        height=height,
        width=width,
        order=order,
        gap=_parse_color("gap_color", GAP_COLOR),
    )


def _draw(
    frames: Iterable[tuple[int, Any]],
    kind: str,
    *,
    n_places: int,
    n_colors: int | None,
    height: int,
    width: int | None,
    order: str,
    gap: NDArray[np.uint8],
) -> NDArray[np.uint8]:
    """Draw frames, each (its place of `n_places`, what is drawn of it), ascending.

    Columns without any frame have the color of a gap.
    """
    if width is None:
        width = min(n_places, MAX_SIDE)
    n_columns = min(n_places, width)
    drawn: list[int] = []

    def group_frames() -> Iterator[Iterator[Any]]:
        """Give the frames of each column that has any."""
        by_column = groupby(frames, key=lambda pair: pair[0] * n_columns // n_places)
        for column, group in by_column:
            drawn.append(column)
            yield map(itemgetter(1), group)

    columns: Iterator[NDArray[np.uint8]]
    if kind == "mean":
        columns = map(_average_colors, group_frames())
    elif kind == "strip":
        columns = (_average_strips(group, height) for group in group_frames())
    else:
        assert n_colors is not None
        palettes: Iterator[_Palette] = (
            _merge_palettes(group, n_colors) for group in group_frames()
        )
        if kind == "dominant":
            columns = (colors[0] for colors, _ in palettes)
        else:
            if order == "track":
                palettes = follow_colors(palettes)
            columns = (
                stack_colors(colors, shares, height=height, order=order)
                for colors, shares in palettes
            )
    pixels = np.empty((height, n_columns, 3), np.uint8)
    pixels[:] = gap
    # Tracks come out late: by then more columns may have been noted.
    for number, column in enumerate(columns):
        pixels[:, drawn[number]] = column
    if width > n_columns:
        pixels = pixels.take(np.arange(width) * n_places // width, axis=1)
    return pixels


def _place(rows: Iterable[tuple[int, float, Any]]) -> Iterator[tuple[int, Any]]:
    """Give (place, what is drawn) of rows (frame, luma, what is drawn).

    The place is the frame's index, so that missing frames leave theirs empty, without
    the black ones, which are left out.
    """
    n_black = 0
    for frame, luma, value in rows:
        if luma < BLACK_LUMA:
            n_black += 1
        else:
            yield frame - n_black, value


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
    with closing(open_database(path, oldest=1)) as connection:
        film_id, film = _find_film(connection, path, film)
        luma = _find_luma(connection, path, skip_black=skip_black)
        about = _read_film_row(connection, film_id)
        settings, version = _read_settings(connection, film)
        n_frames, n_black, n_places = _count_frames(connection, film_id, luma)
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


def _read_film_row(connection: sqlite3.Connection, film_id: int) -> dict[str, Any]:
    """Read what a film's row has, which of an older database is less."""
    cursor = connection.execute("SELECT * FROM films WHERE film_id = ?", (film_id,))
    names = [column[0] for column in cursor.description]
    return dict(zip(names, cursor.fetchone(), strict=True))


def _read_settings(
    connection: sqlite3.Connection, film: str
) -> tuple[dict[str, Any], str | None]:
    """Read what made a film's palettes, and by which version of Reelbow."""
    if "key" not in _list_columns(connection, "metadata"):
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


def stack_colors(
    colors: NDArray[np.uint8],
    shares: NDArray[np.floating],
    *,
    height: int,
    order: str = "share",
) -> NDArray[np.uint8]:
    """Draw one palette as a column of bands, the first in order at the bottom.

    Parameters
    ----------
    colors : (k, 3) uint8, sRGB, most frequent first
    shares : (k,) float, not negative, with a positive sum
    height : rows of the column
    order : {"share", "luminance", "hue", "track"}, as for `draw_barcode`; "track" takes
        the colors as they come, from the bottom up

    Returns
    -------
    (height, 3) uint8, sRGB; bands meet at the rounded cumulative shares, so that the
    column is always full and no band is more than one row off its share
    """
    ranked = _order_colors(colors, order)
    heights = np.cumsum(shares[ranked], dtype=np.float64)
    edges = np.rint(heights / heights[-1] * height).astype(np.int64)
    column = np.repeat(colors[ranked], np.diff(edges, prepend=0), axis=0)
    return column[::-1]


def _order_colors(colors: NDArray[np.uint8], order: str) -> NDArray[np.int64]:
    if order in ("share", "track"):
        return np.arange(len(colors))
    luminance = _luminance(colors)
    if order == "luminance":
        return np.argsort(luminance, kind="stable")
    hue, chroma = _hue(colors)
    grey = chroma < GREY_CHROMA
    return np.lexsort((np.where(grey, luminance, hue), ~grey))


def follow_colors(palettes: Iterable[_Palette]) -> Iterator[_Palette]:
    """Order the palettes of columns so that bands follow the same color.

    A track is a color's way through the columns between two cuts. Every column's colors
    are given to the tracks, one to each, so that the least of the column's height
    changes its color; one that is like none begins a track. A track may be missing from
    a column and come back. A cut is where even the least change is too much.

    Parameters
    ----------
    palettes : (colors, shares) of each column
        (k, 3) uint8 sRGB and (k,) float, not negative, with a positive sum

    Yields
    ------
    The same colors and shares of each column, without those of share 0, ordered by the
    mean share of their tracks between the cuts, largest first
    """
    shot: list[_Palette] = []
    tracks = _Tracks()
    for colors, shares in palettes:
        present = shares > 0
        colors, shares = colors[present], shares[present]
        if not tracks.add(colors, shares):
            yield from tracks.order(shot)
            shot = []
            tracks = _Tracks()
            tracks.add(colors, shares)
        shot.append((colors, shares))
    yield from tracks.order(shot)


class _Tracks:
    """The tracks between two cuts.

    Attributes
    ----------
    colors : (t, 3) float64, OKLab, as last seen
    shares : (t,) float64, as last seen
    totals : (t,) float64, shares of all columns
    now : tracks of the last column's colors, in their order
    given : `now` of every column
    """

    def __init__(self) -> None:
        self.colors = np.empty((0, 3))
        self.shares = np.empty(0)
        self.totals = np.empty(0)
        self.now = np.empty(0, np.intp)
        self.given: list[NDArray[np.intp]] = []

    def add(self, colors: NDArray[np.uint8], shares: NDArray[np.floating]) -> bool:
        """Give a column's colors to the tracks; False, and nothing done, at a cut."""
        oklab = srgb_to_oklab(colors)
        weights = shares / shares.sum(dtype=np.float64)
        now = self.now
        if self.given:
            *_, cost = _match(oklab, weights, self.colors[now], self.shares[now])
            if cost > _CUT:
                return False
        # To take up a track that is missing now saves nothing.
        saved = np.zeros(len(self.shares))
        saved[now] = _GONE * self.shares[now]
        rows, found, distances, _ = _match(
            oklab, weights, self.colors, self.shares, saved
        )
        near = distances < _DIFFERENT
        tracks = np.full(len(oklab), -1)
        tracks[rows[near]] = found[near]
        new = tracks < 0
        tracks[new] = len(self.shares) + np.arange(new.sum())
        self.colors = np.concatenate([self.colors, oklab[new]])
        self.shares = np.concatenate([self.shares, weights[new]])
        self.totals = np.concatenate([self.totals, np.zeros(new.sum())])
        self.colors[tracks] = oklab
        self.shares[tracks] = weights
        self.totals[tracks] += weights
        self.now = tracks
        self.given.append(tracks)
        return True

    def order(self, palettes: list[_Palette]) -> Iterator[_Palette]:
        """Order the colors of the columns that were added by their tracks."""
        place = np.argsort(np.argsort(-self.totals, kind="stable"))
        for (colors, shares), tracks in zip(palettes, self.given, strict=True):
            order = np.argsort(place[tracks])
            yield colors[order], shares[order]


def _match(
    colors: NDArray[np.float64],
    shares: NDArray[np.float64],
    other_colors: NDArray[np.float64],
    other_shares: NDArray[np.float64],
    saved: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64], float]:
    """Match OKLab colors (n, 3) one to one with others (m, 3) at the least cost.

    Two colors cost the height that both have times their distance, and for what one has
    more than the other the cost of a share that is gone; so does a color left alone.

    Parameters
    ----------
    saved : (m,) what it saves to match each of the others; None: what it costs alone

    Returns
    -------
    rows, columns, distances : (min(n, m),)
    cost : of all that is matched or left alone
    """
    # Deferred: of all barcodes, only those with tracks pay for this import.
    from scipy.optimize import linear_sum_assignment

    if saved is None:
        saved = _GONE * other_shares
    apart = colors[:, np.newaxis] - other_colors
    squares = apart * apart
    distance = np.sqrt(squares[..., 0] + squares[..., 1] + squares[..., 2])
    shared = np.minimum(shares[:, np.newaxis], other_shares)
    cost = np.minimum(distance, _DIFFERENT) * shared
    cost += _GONE * np.abs(shares[:, np.newaxis] - other_shares)
    # Less what both would cost alone, so that only a match says what it is worth.
    cost -= _GONE * shares[:, np.newaxis] + saved
    rows, columns = linear_sum_assignment(cost)
    alone = _GONE * shares.sum() + saved.sum()
    matched = rows, columns
    return rows, columns, distance[matched], float(cost[matched].sum() + alone)


def _luminance(colors: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Relative luminance, [0, 1]: IEC 61966-2-1 to linear light, then ITU-R BT.709."""
    value = colors / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ (0.2126, 0.7152, 0.0722))


def _hue(colors: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """HSV hue angle in [0, 360) and chroma (largest minus smallest channel)."""
    red, green, blue = colors.astype(np.int64).T
    largest = np.maximum(np.maximum(red, green), blue)
    chroma = largest - np.minimum(np.minimum(red, green), blue)
    span = np.maximum(chroma, 1)
    sextant = np.select(
        [largest == red, largest == green],
        [(green - blue) / span % 6, (blue - red) / span + 2],
        (red - green) / span + 4,
    )
    return 60.0 * sextant, chroma


def _average_colors(colors: Iterable[int]) -> NDArray[np.uint8]:
    return _round(_unpack(np.fromiter(colors, np.int64)).mean(axis=0))


def _average_strips(strips: Iterable[bytes], height: int) -> NDArray[np.uint8]:
    # Resampling is linear, so one of each length stands for all strips of it.
    totals: dict[int, NDArray[np.float64]] = {}
    n_strips = 0
    for strip in strips:
        total = totals.setdefault(len(strip) // 3, np.zeros((len(strip) // 3, 3)))
        total += np.frombuffer(strip, np.uint8).reshape(-1, 3)
        n_strips += 1
    column = sum(_resample(total / n_strips, height) for total in totals.values())
    return _round(np.asarray(column))


def _resample(strip: NDArray[np.float64], height: int) -> NDArray[np.float64]:
    import cv2

    method = cv2.INTER_AREA if height < len(strip) else cv2.INTER_LINEAR
    resized = cv2.resize(strip[:, np.newaxis], (1, height), interpolation=method)
    return np.asarray(resized[:, 0])


def _merge_palettes(palettes: Iterable[_Palette], n_colors: int) -> _Palette:
    """Make one palette of the palettes of a column; one alone stays as it is."""
    listed = list(palettes)
    if len(listed) == 1:
        return listed[0]
    from .kmeans import combine_palettes

    colors = np.zeros((len(listed), n_colors, 3), np.float32)
    shares = np.zeros((len(listed), n_colors), np.float32)
    for row, (frame_colors, frame_shares) in enumerate(listed):
        colors[row, : len(frame_colors)] = frame_colors
        shares[row, : len(frame_shares)] = frame_shares
    merged_colors, merged_shares = combine_palettes(colors, shares, n_colors=n_colors)
    return _round(merged_colors), merged_shares


def _read_palettes(
    connection: sqlite3.Connection, film_id: int, luma: str, database: Path
) -> Iterator[tuple[int, float, _Palette]]:
    rows = connection.execute(_PALETTES.format(luma), (film_id,))
    for frame, group in groupby(rows, key=itemgetter(0)):
        palette = list(group)
        if palette[0][2] is None:
            raise ReelbowError(f"{database} holds no palette for frame {frame}.")
        yield frame, palette[0][1], _to_palette([row[2:] for row in palette])


def _to_palette(rows: Sequence[tuple[int, float]]) -> _Palette:
    """Take colors, 0xRRGGBB, with their shares apart."""
    colors, shares = zip(*rows, strict=True)
    return _unpack(np.array(colors)), np.array(shares, np.float32)


def _unpack(colors: NDArray[np.int64]) -> NDArray[np.uint8]:
    """(n,) integers 0xRRGGBB to (n, 3) uint8."""
    return np.stack([colors >> 16, colors >> 8, colors], axis=1).astype(np.uint8)


def _round(colors: NDArray[Any]) -> NDArray[np.uint8]:
    return np.asarray(np.rint(colors).clip(0, 255), np.uint8)


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ReelbowError(
            f"Unknown {name} of barcode '{value}': it is one of {', '.join(choices)}."
        )


def _check_sizes(height: int, width: int | None) -> None:
    check_whole("A barcode's height", height, 1, MAX_SIDE)
    if width is not None:
        check_whole("A barcode's width", width, 1, MAX_SIDE)


def _parse_color(name: str, color: str) -> NDArray[np.uint8]:
    """Read #rrggbb."""
    if not isinstance(color, str) or not re.fullmatch("#[0-9a-fA-F]{6}", color):
        raise ReelbowError(f"{name} must be a color like '#d9d9d9', not {color!r}.")
    return np.frombuffer(bytes.fromhex(color[1:]), np.uint8)


def _check_palettes(
    palettes: Palettes,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Refuse what could not be drawn."""
    try:
        colors, shares = (np.asarray(part, np.float64) for part in palettes)
    except (TypeError, ValueError):
        raise ReelbowError(
            "palettes must be those of find_palettes: colors (n, k, 3) and shares "
            f"(n, k), not {type(palettes).__name__}."
        ) from None
    if shares.ndim != 2 or colors.shape != (*shares.shape, 3):
        raise ReelbowError(
            "palettes must have colors (n, k, 3) and shares (n, k), not "
            f"{colors.shape} and {shares.shape}."
        )
    if not len(shares):
        raise ReelbowError("palettes must be of one frame at least, these are of none.")
    # What is not a number passes no comparison.
    if not ((colors >= 0) & (colors <= 255)).all():
        raise ReelbowError("Colors of palettes must be 0 to 255.")
    sums = shares.sum(axis=1)
    if not ((shares >= 0).all() and ((sums > 0) & np.isfinite(sums)).all()):
        raise ReelbowError(
            "Shares of palettes must be 0 or more, and more than 0 in all a frame."
        )
    return colors, shares


def _find_luma(
    connection: sqlite3.Connection, database: Path, *, skip_black: bool
) -> str:
    """Find what to select as luma; none counts as black where all are drawn."""
    if not skip_black:
        return str(BLACK_LUMA)
    if "luma" not in _list_columns(connection, "frames"):
        raise ReelbowError(
            f"{database} does not say how dark its frames are (luma), so black ones "
            "cannot be left out; it was made by an older Reelbow."
        )
    return "luma"


def _list_columns(connection: sqlite3.Connection, table: str) -> set[str]:
    rows = connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    return {name for (name,) in rows}


def _count_frames(
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
    if "n_frames" in _list_columns(connection, "films"):
        (planned,) = connection.execute(
            "SELECT n_frames FROM films WHERE film_id = ?", (film_id,)
        ).fetchone()
    if planned is None and "shard" in _list_columns(connection, "skipped"):
        # As an older Reelbow counted: every sample is read or skipped.
        (n_skipped,) = connection.execute(
            "SELECT count(*) FROM skipped WHERE film_id = ?", (film_id,)
        ).fetchone()
        planned = n_frames + n_skipped
    return n_frames, n_black, max(last + 1, planned or 0) - n_black


def _find_film(
    connection: sqlite3.Connection, database: Path, film: str | None
) -> tuple[int, str]:
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
