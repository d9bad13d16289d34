"""Movie barcodes: a film's database drawn as a picture, one column per frame."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .database import connect
from .errors import ReelbowError

KINDS = ("mean", "strip", "dominant", "stacked")
ORDERS = ("share", "luminance", "hue")

# Where no width is asked for; beyond about this many pixels many viewers give up.
MAX_COLUMNS = 32_768

# Below this difference of the largest and smallest channel, of 255, a hue is noise.
GREY_CHROMA = 24

_MEANS = "SELECT mean_color FROM frames WHERE film_id = ? ORDER BY frame"
_STRIPS = "SELECT strip FROM frames WHERE film_id = ? ORDER BY frame"
_PALETTES = """
SELECT frames.frame, color, share
FROM frames LEFT JOIN palettes
    ON palettes.film_id = frames.film_id AND palettes.frame = frames.frame
WHERE frames.film_id = ?
ORDER BY frames.frame, rank
"""


@dataclass(frozen=True)
class FilmRecord:
    """What a database says of one film and of its frames' places in time.

    Attributes
    ----------
    film, title, source : str
    frames : (n,) int64
        Index of each frame in the film, ascending; skipped frames are missing.
    times_s : (n,) float64 or None
        Presentation time of each frame; None where any of them has no time.
    """

    film: str
    title: str
    source: str
    frames: NDArray[np.int64]
    times_s: NDArray[np.float64] | None


def draw_barcode(
    database: Path,
    kind: str,
    *,
    height: int,
    width: int | None = None,
    order: str = "share",
    film: str | None = None,
) -> NDArray[np.uint8]:
    """Draw the barcode of one film from its database alone.

    With n frames, frame i is drawn in column floor(i * width / n). Frames that share
    a column are combined, every frame with the same weight: means and strips are
    averaged, palettes become the palette of all those frames together. With fewer
    frames than columns, column c shows frame floor(c * n / width).

    Parameters
    ----------
    database : path of a Reelbow database
    kind : {"mean", "strip", "dominant", "stacked"}
        Each frame's mean color, the frame averaged over its width, the most frequent
        color of its palette, or its palette as bands as high as their shares.
    height : rows of the picture, at least 1
    width : columns of the picture; None: one per frame, but never more than 32,768
    order : {"share", "luminance", "hue"}
        What is stacked from the bottom up: the most frequent color first; the darkest
        first, by the Rec. 709 luma weights on linear light; or by HSV hue angle from
        red, after the near-greys (largest and smallest channel less than 24 of 255
        apart), which lie at the bottom, darkest first.
    film : id of the film, needed only where the database holds several

    Returns
    -------
    (height, width, 3) uint8, sRGB, [0, 255]

    Raises
    ------
    ReelbowError
        If the kind, the order or the film is unknown, a size is below 1, or the file
        is no Reelbow database or has no frames or palettes of the film.

    Notes
    -----
    Averages are taken of sRGB values, as mean_color and strip themselves are. Rows are
    streamed: memory grows with the picture and with the frames in one column only.
    """
    _check_choice("kind", kind, KINDS)
    _check_choice("order", order, ORDERS)
    for name, size in (("height", height), ("width", width)):
        if size is not None and size < 1:
            raise ReelbowError(f"A barcode's {name} is at least 1, not {size}.")
    with closing(_open(database)) as connection:
        film_id, film = _find_film(connection, database, film)
        (n_frames,) = connection.execute(
            "SELECT count(*) FROM frames WHERE film_id = ?", (film_id,)
        ).fetchone()
        if n_frames == 0:
            raise ReelbowError(f"{database} holds no frames of the film '{film}'.")
        if width is None:
            width = min(n_frames, MAX_COLUMNS)
        n_columns = min(n_frames, width)

        frames: Iterator[Any]
        draw_column: Callable[[Iterator[Any]], NDArray[Any]]
        if kind == "mean":
            frames = (color for (color,) in connection.execute(_MEANS, (film_id,)))
            draw_column = _average_colors
        elif kind == "strip":
            frames = (strip for (strip,) in connection.execute(_STRIPS, (film_id,)))

            def draw_column(strips: Iterator[bytes]) -> NDArray[np.uint8]:
                return _average_strips(strips, height)
        else:
            frames = _read_palettes(connection, film_id, database)
            (n_colors,) = connection.execute(
                "SELECT max(rank) + 1 FROM palettes WHERE film_id = ?", (film_id,)
            ).fetchone()

            def draw_column(palettes: Iterator[Any]) -> NDArray[np.uint8]:
                colors, shares = _merge_palettes(palettes, n_colors)
                if kind == "dominant":
                    return np.asarray(colors[0])
                return stack_colors(colors, shares, height=height, order=order)

        pixels = np.empty((height, n_columns, 3), np.uint8)
        numbered = enumerate(frames)
        for column, group in groupby(
            numbered, key=lambda pair: pair[0] * n_columns // n_frames
        ):
            pixels[:, column] = draw_column(map(itemgetter(1), group))
    if width > n_columns:
        pixels = pixels.take(np.arange(width) * n_frames // width, axis=1)
    return pixels


def read_film(database: Path, film: str | None = None) -> FilmRecord:
    """Read one film's title and the times of its frames.

    Parameters
    ----------
    database : path of a Reelbow database
    film : id of the film, needed only where the database holds several

    Raises
    ------
    ReelbowError
        If the film is not there or the file is no Reelbow database.
    """
    with closing(_open(database)) as connection:
        film_id, film = _find_film(connection, database, film)
        title, source = connection.execute(
            "SELECT title, source FROM films WHERE film_id = ?", (film_id,)
        ).fetchone()
        rows = connection.execute(
            "SELECT frame, time_s FROM frames WHERE film_id = ? ORDER BY frame",
            (film_id,),
        )
        row = np.dtype([("frame", np.int64), ("time_s", np.float64)])
        # A frame without a time: NULL arrives as None, and None as NaN.
        table = np.fromiter(
            ((frame, np.nan if time is None else time) for frame, time in rows), row
        )
    timed = len(table) > 0 and not np.isnan(table["time_s"]).any()
    return FilmRecord(
        film=film,
        title=title,
        source=source,
        frames=table["frame"],
        times_s=table["time_s"] if timed else None,
    )


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
    order : {"share", "luminance", "hue"}, as for `draw_barcode`

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
    if order == "share":
        return np.arange(len(colors))
    luminance = _luminance(colors)
    if order == "luminance":
        return np.argsort(luminance, kind="stable")
    hue, chroma = _hue(colors)
    grey = chroma < GREY_CHROMA
    return np.lexsort((np.where(grey, luminance, hue), ~grey))


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


def _merge_palettes(
    palettes: Iterable[tuple[NDArray[np.uint8], NDArray[np.float32]]], n_colors: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
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
    connection: sqlite3.Connection, film_id: int, database: Path
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    rows = connection.execute(_PALETTES, (film_id,))
    for frame, group in groupby(rows, key=itemgetter(0)):
        _, colors, shares = zip(*group, strict=True)
        if colors[0] is None:
            raise ReelbowError(f"{database} holds no palette for frame {frame}.")
        yield _unpack(np.array(colors)), np.array(shares, np.float32)


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


def _open(database: Path) -> sqlite3.Connection:
    if not database.is_file():
        raise ReelbowError(f"There is no database {database}.")
    connection = connect(database)
    try:
        tables = connection.execute("SELECT name FROM sqlite_schema").fetchall()
    except sqlite3.DatabaseError:
        tables = []
    if not {("films",), ("frames",), ("palettes",)} <= set(tables):
        connection.close()
        raise ReelbowError(
            f"{database} is not a Reelbow database: it has no tables films, frames "
            "and palettes."
        )
    return connection


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
