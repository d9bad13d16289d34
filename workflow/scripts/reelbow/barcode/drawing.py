"""Movie barcodes: a film's database drawn as a picture, one column per frame."""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbow.arguments import check_path, check_whole
from reelbow.barcode.bands import ORDERS, stack_colors
from reelbow.barcode.film_record import (
    BLACK_LUMA,
    MEANS,
    STRIPS,
    FramePalette,
    Palette,
    count_frames,
    find_accent,
    find_film,
    find_luma,
    read_palettes,
    to_palette,
    unpack_colors,
)
from reelbow.barcode.picture_files import KINDS, PALETTE_KINDS, SORTED_KIND
from reelbow.barcode.sorting import SORTINGS, sort_colors
from reelbow.barcode.tiled_tiff import TILE
from reelbow.barcode.tracks import follow_colors
from reelbow.database.frames import pack_colors, rank_colors
from reelbow.database.opening import telling_damage
from reelbow.errors import ReelbowError
from reelbow.kmeans.palettes import Palettes

# Beyond about this many pixels many viewers give up.
MAX_SIDE = 32_768

# Columns that are drawn at a time, as the tiles of a TIFF have them.
_PART = TILE

# Light gray: black would be taken for black film, and few frames are as bright as this
# all over.
GAP_COLOR = "#d9d9d9"


def draw_barcode(
    database: Path | str,
    kind: str,
    *,
    height: int,
    width: int | None = None,
    order: str = "luminance",
    skip_black: bool = False,
    gap_color: str = GAP_COLOR,
    film: str | None = None,
    empty: bool = False,
    sort_by: str = "hue",
) -> NDArray[np.uint8]:
    """Draw the barcode of one film from its database alone.

    With n sampled frames, frame i is drawn in column floor(i * width / n). Frames that
    share a column are combined, every frame with the same weight: means and strips are
    averaged, palettes become the palette of all those frames together; their accents
    stay apart, and those that are alike become one. With fewer frames than columns,
    column c shows frame floor(c * n / width). Frames that are missing count as well: a
    column in which all are missing has the color of a gap.

    Parameters
    ----------
    database : path of a Reelbow database
    kind : {"mean", "strip", "dominant", "stacked", "equal", "rarest", "sorted"}
        Each frame's mean color, the frame averaged over its width, the most frequent
        color of its palette, its palette as bands as high as their shares, or all of
        the same height, or the least frequent color of its palette; or the mean colors
        of all frames that are there, sorted, so that columns are no moments.
    height : rows of the picture, [1, 32768]
    width : columns of the picture, [1, 32768]; None: one per frame, as far as that goes
    order : {"share", "luminance", "hue", "track"}
        How bands are stacked from the bottom up: the most frequent color first; the
        darkest first, by the Rec. 709 luma weights on linear light; by HSV hue angle
        from red, after the near-greys (largest and smallest channel less than 24 of 255
        apart), which lie at the bottom, darkest first; or so that the same color keeps
        its place from column to column until a cut, as `follow_colors` does.
    skip_black : leave out the frames of less luma than `BLACK_LUMA`; they leave no gap
    gap_color : #rrggbb
    film : id of the film, needed only where the database holds several
    empty : draw a film as one gap if every frame is missing
    sort_by : {"hue", "lightness", "hilbert"}, as for `sort_colors`

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
    for the order "track", with the palettes between two cuts. `draw_parts` draws wider
    ones, with no more of the picture in memory than a part.
    """
    _check_sizes(height, width)
    parts = draw_parts(
        database,
        kind,
        height=height,
        width=width,
        most=MAX_SIDE,
        order=order,
        skip_black=skip_black,
        gap_color=gap_color,
        film=film,
        empty=empty,
        sort_by=sort_by,
    )
    return np.concatenate(list(parts), axis=1)


def draw_parts(
    database: Path | str,
    kind: str,
    *,
    height: int,
    width: int | None = None,
    most: int | None = None,
    order: str = "luminance",
    skip_black: bool = False,
    gap_color: str = GAP_COLOR,
    film: str | None = None,
    empty: bool = False,
    sort_by: str = "hue",
) -> Iterator[NDArray[np.uint8]]:
    """Draw a barcode of any width part by part, from left to right.

    Parameters
    ----------
    width : columns; None: one per frame
    most : columns at most if no width is given; None: as many as there are frames
    database, kind, height, order, skip_black, gap_color, film, empty, sort_by :
        as for `draw_barcode`

    Yields
    ------
    (height, n, 3) uint8, sRGB, n being 512, of the last one less or as much

    Raises
    ------
    ReelbowError
        As of `draw_barcode`, with the first part; but no size is checked.
    """
    _check_choice("kind", kind, KINDS)
    _check_choice("order", order, ORDERS)
    _check_choice("sorting", sort_by, SORTINGS)
    gap = _parse_color("gap_color", gap_color)
    path = check_path("database", database)
    with telling_damage(path, oldest=1) as connection:
        film_id, film = find_film(connection, path, film)
        luma = find_luma(connection, path, skip_black=skip_black)
        n_frames, n_black, n_places = count_frames(connection, film_id, luma)
        if n_frames == 0 and not (empty and n_places):
            raise ReelbowError(f"{path} holds no frames of the film '{film}'.")
        if 0 < n_frames == n_black:
            raise ReelbowError(
                f"Every frame of the film '{film}' in {path} is black: without "
                "them (skip_black) nothing is left to draw."
            )
        n_colors = None
        rows: Iterator[tuple[int, float, Any]]
        if kind not in PALETTE_KINDS:
            query = STRIPS if kind == "strip" else MEANS
            rows = connection.execute(query.format(luma), (film_id,))
        else:
            (n_colors,) = connection.execute(
                f"""SELECT coalesce(max(n), 0) FROM (
                    SELECT count(*) - sum({find_accent(connection)}) AS n
                    FROM palettes WHERE film_id = ? GROUP BY frame
                )""",
                (film_id,),
            ).fetchone()
            rows = read_palettes(connection, film_id, luma, path)
        placed = _place(rows)
        if kind == SORTED_KIND:
            means = np.fromiter((mean for _, mean in placed), np.int64)
            order_of_means = sort_colors(unpack_colors(means), sort_by)
            placed = iter(list(enumerate(means[order_of_means].tolist())))
            n_places = len(means) or n_places
        yield from _draw(
            placed,
            kind,
            n_places=n_places,
            n_colors=n_colors,
            height=height,
            width=width or min(n_places, most or n_places),
            order=order,
            gap=gap,
        )


def draw_palettes(
    palettes: Palettes,
    kind: str,
    *,
    height: int,
    width: int | None = None,
    order: str = "luminance",
) -> NDArray[np.uint8]:
    """Draw the barcode of palettes, as `draw_barcode` does of those in a database.

    Parameters
    ----------
    palettes : of `kmeans.find_palettes`, a column for each frame
    kind : {"dominant", "stacked", "equal", "rarest"}
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
    if kind in KINDS and kind not in PALETTE_KINDS:
        raise ReelbowError(
            f"A barcode of the kind '{kind}' is drawn of frames, which palettes do not "
            f"have: draw one of {', '.join(PALETTE_KINDS)}, or a database by "
            "draw_barcode."
        )
    _check_choice("kind", kind, PALETTE_KINDS)
    _check_choice("order", order, ORDERS)
    _check_sizes(height, width)
    colors, shares = _check_palettes(palettes)
    ranked = (
        rank_colors(packed, weights, [False] * len(weights))
        for packed, weights in zip(
            pack_colors(colors), shares.astype(np.float64).tolist(), strict=True
        )
    )
    parts = _draw(
        ((place, to_palette(rows)) for place, rows in enumerate(ranked)),
        kind,
        n_places=len(shares),
        n_colors=shares.shape[1],
        height=height,
        width=width or min(len(shares), MAX_SIDE),
        order=order,
        gap=_parse_color("gap_color", GAP_COLOR),
    )
    return np.concatenate(list(parts), axis=1)


def _draw(
    frames: Iterable[tuple[int, Any]],
    kind: str,
    *,
    n_places: int,
    n_colors: int | None,
    height: int,
    width: int,
    order: str,
    gap: NDArray[np.uint8],
) -> Iterator[NDArray[np.uint8]]:
    """Draw frames, each (its place of `n_places`, what is drawn of it), ascending.

    Columns without any frame have the color of a gap. Parts come from left to right.
    """
    n_columns = min(n_places, width)
    drawn: deque[int] = deque()

    def group_frames() -> Iterator[Iterator[Any]]:
        """Give the frames of each column that has any."""
        by_column = groupby(frames, key=lambda pair: pair[0] * n_columns // n_places)
        for column, group in by_column:
            drawn.append(column)
            yield map(itemgetter(1), group)

    columns: Iterator[NDArray[np.uint8]]
    if kind in ("mean", SORTED_KIND):
        columns = map(_average_colors, group_frames())
    elif kind == "strip":
        columns = (_average_strips(group, height) for group in group_frames())
    else:
        assert n_colors is not None
        palettes: Iterator[Palette] = (
            _merge_palettes(group, n_colors) for group in group_frames()
        )
        if kind == "dominant":
            columns = (colors[0] for colors, _ in palettes)
        elif kind == "rarest":
            columns = (colors[shares > 0][-1] for colors, shares in palettes)
        else:
            if order == "track":
                palettes = follow_colors(palettes)
            columns = (
                stack_colors(
                    colors, shares, height=height, order=order, equal=kind == "equal"
                )
                for colors, shares in palettes
            )
    # Tracks come out late: by then more columns may have been noted.
    numbered = ((drawn.popleft(), column) for column in columns)
    number, column = next(numbered, (n_columns, gap))
    for first in range(0, width, _PART):
        # Of few frames, each has several columns, some of them in the next part, too.
        shown = np.arange(first, min(width, first + _PART)) * n_columns // width
        part = np.empty((height, len(shown), 3), np.uint8)
        part[:] = gap
        while number <= shown[-1]:
            start, end = np.searchsorted(shown, [number, number + 1])
            part[:, start:end] = column if column.ndim == 1 else column[:, np.newaxis]
            if number == (first + _PART) * n_columns // width:
                break
            number, column = next(numbered, (n_columns, gap))
        yield part


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


def _average_colors(colors: Iterable[int]) -> NDArray[np.uint8]:
    return _round(unpack_colors(np.fromiter(colors, np.int64)).mean(axis=0))


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


def _merge_palettes(palettes: Iterable[FramePalette], n_colors: int) -> Palette:
    """Make one palette of the palettes of a column; one alone stays as it is."""
    listed = list(palettes)
    if len(listed) == 1:
        return listed[0][:2]
    from reelbow.kmeans.palettes import combine_palettes

    colors, shares, accents = map(np.concatenate, zip(*listed, strict=True))
    others = (
        colors[~accents].astype(np.float32)[np.newaxis],
        shares[~accents][np.newaxis],
    )
    if not accents.any():
        merged = combine_palettes(*others, n_colors=n_colors)
        return _round(merged[0]), merged[1]
    from reelbow.kmeans.accents import join_accents

    parts = [join_accents(colors[accents], shares[accents])]
    # Of few colors, all may be accents.
    if others[1].any():
        merged = combine_palettes(*others, n_colors=n_colors)
        parts.append((merged[0], merged[1] * others[1].sum()))
    all_colors, all_shares = map(np.concatenate, zip(*parts, strict=True))
    order = np.argsort(-all_shares, kind="stable")
    shares = (all_shares[order] / len(listed)).astype(np.float32)
    return _round(all_colors[order]), shares


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
