"""Posters: where picture and texts stand on paper, and how the page is drawn.

The page is planned once, and then written in each format by `poster_files`. Its picture
is whatever is drawn to the size of its box.
"""

import itertools
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reelbow.barcode.caption import describe_barcode
from reelbow.barcode.drawing import draw_barcode
from reelbow.barcode.figure import break_lines, import_matplotlib
from reelbow.barcode.film_record import FilmRecord
from reelbow.barcode.fonts import (
    OWN_FAMILIES,
    describe_missing,
    find_families,
    load_font,
)
from reelbow.barcode.paper import MM_PER_INCH, Paper, parse_paper
from reelbow.barcode.picture_files import BANDED_KINDS, SORTED_KIND
from reelbow.barcode.ticks import find_ticks
from reelbow.color.spaces import LUMA_WEIGHTS, srgb_to_linear
from reelbow.errors import ReelbowError
from reelbow.text import clean_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

# Of the shorter side of a poster.
_TITLE = 0.042
_ABOVE_TITLE = 0.055

# Of the title's size.
_SUBTITLE = 0.4
_CREDITS = 0.26
_LABELS = 0.26

# Points; of a column these are the sizes, of posters the least ones.
_TITLE_SIZE, _SUBTITLE_SIZE, _LABEL_SIZE, _CREDITS_SIZE = 9.0, 7.0, 7.0, 6.0

# Sizes of a title of which the first is taken that needs no more lines.
_TITLE_STEPS = ((1, 1), (0.85, 1), (0.75, 1), (0.75, 2), (0.6, 2), (0.6, 3), (0.45, 99))
_LEADING = 1.25

# Of a size: of capitals, and below the line.
_CAPITAL = 0.67
_DESCENT = 0.3

# The height of a picture in a column by its width, as in figures.
_COLUMN_ASPECT = 0.3

# The least part of a poster's height that is picture.
_LEAST_PICTURE = 0.25

# Labels take so many times their size.
_LABEL_WIDTH = 5.5

_DARK = np.array([26, 26, 26])
_LIGHT = np.array([240, 240, 240])

_MOST_TICKS = 10

# Rows that are drawn at a time.
_ROWS = 64

# How much of the ink there is in what is less important.
_QUIET = 0.68


@dataclass(frozen=True)
class Box:
    """A place on the page in pixels, from its left and upper edge."""

    left: int
    top: int
    width: int
    height: int

    @property
    def bottom(self) -> int:
        """The first row below it."""
        return self.top + self.height


@dataclass(frozen=True)
class Line:
    """A line of text, its place in inches from the left and upper edge of the page."""

    text: str
    left: float
    baseline: float
    font: "FontProperties"
    color: str
    align: str = "left"


@dataclass(frozen=True)
class Page:
    """A poster that is planned: all but its picture."""

    # Pixels.
    width: int
    height: int
    dpi: int
    picture: Box
    lines: Sequence[Line]
    # (x, y) where marks begin down from the picture, in inches.
    ticks: Sequence[tuple[float, float]]
    tick_length: float
    tick_color: str
    # sRGB; None: transparent.
    background: tuple[int, int, int] | None
    title: str
    has_outlines: bool
    # What could not be drawn, in one sentence that also stands at the foot; or None.
    complaint: str | None


class _Typesetter:
    """Makes fonts for a poster's texts, and gathers its lines from the top down."""

    def __init__(self, font: str | None, text: str, left: float, width: float) -> None:
        self.about: dict[str, Any] = {}
        own: tuple[str, ...] = OWN_FAMILIES
        if font is not None:
            family, self.about = load_font(font)
            own = (family, *own)
        self.families, self.missing = find_families(text, own)
        self.is_own = font is None
        self.left, self.width = left, width
        self.lines: list[Line] = []
        # Inches below the picture.
        self.at = 0.0

    def make_font(self, size: float, *, italic: bool = False) -> "FontProperties":
        """Make a font; the user's own is never italic, since it may have none."""
        from matplotlib.font_manager import FontProperties

        about = {"style": "italic"} if italic and self.is_own else self.about
        return FontProperties(family=list(self.families), size=size, **about)

    def write(
        self, lines: Sequence[str], font: "FontProperties", color: str, gap: float
    ) -> None:
        """Write lines so many inches below what is written so far."""
        size = font.get_size_in_points() / 72
        self.at += gap + _CAPITAL * size
        for number, line in enumerate(lines):
            self.at += _LEADING * size if number else 0.0
            self.lines.append(Line(line, self.left, self.at, font, color))

    def fit_title(self, title: str, size: float) -> tuple["FontProperties", list[str]]:
        """Choose the size of a title, and break it into even lines."""
        for part, most in _TITLE_STEPS:
            font = self.make_font(max(part * size, _SUBTITLE_SIZE))
            lines = break_lines(title, font, self.width)
            if len(lines) <= most:
                break
        for part in (0.5, 0.6, 0.7, 0.8, 0.9):
            evener = break_lines(title, font, part * self.width)
            if len(evener) == len(lines):
                return font, evener
        return font, lines


def plan_poster(settings: Mapping[str, Any], film: FilmRecord) -> Page:
    """Plan the page of a poster.

    Parameters
    ----------
    settings : a poster of the configuration, with all its keys
    film : of which it is

    Raises
    ------
    ReelbowError
        If a setting cannot be, or leaves no room; the sentence begins with its key.
    """
    import_matplotlib()
    with warnings.catch_warnings():
        # It is told in our own words.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        return _plan(settings, film, parse_paper(settings))


def _plan(settings: Mapping[str, Any], film: FilmRecord, paper: Paper) -> Page:
    dpi = settings["dpi"]
    is_column = paper.height is None
    shorter = min(paper.width, paper.height or paper.width) / MM_PER_INCH
    size = _TITLE_SIZE if is_column else max(_TITLE_SIZE, 72 * _TITLE * shorter)
    texts = _choose_texts(settings, film, is_column=is_column)
    width_px, height_px = paper.count_pixels(dpi)
    left, top, right, bottom = (
        round(side / MM_PER_INCH * dpi)
        for side in (paper.left, paper.top, paper.right, paper.bottom)
    )
    box_width = width_px - left - right
    setter = _Typesetter(settings["font"], "".join(texts), left / dpi, box_width / dpi)
    background, ink, quiet = _choose_colors(settings["background"])
    complaint = describe_missing(setter.missing) if setter.missing else None

    has_axis = is_column if settings["axis"] is None else settings["axis"]
    has_axis = has_axis and settings["kind"] != SORTED_KIND
    label_size = max(_LABEL_SIZE, 0.0 if is_column else _LABELS * size)
    ticks = []
    if has_axis:
        most = max(2, int(72 * setter.width / (label_size * _LABEL_WIDTH)))
        ticks = find_ticks(film.frames, film.times_s, min(most, _MOST_TICKS))
        setter.at += 0.7 * label_size / 72
        _write_labels(setter, ticks, len(film.frames), label_size, quiet)
    _write_texts(setter, texts, complaint, size, (ink, quiet), is_column=is_column)
    below = 0.0
    if setter.lines:
        descent = _DESCENT if is_column else 0.0
        size = setter.lines[-1].font.get_size_in_points()
        below = setter.at + descent * size / 72
    block = math.ceil(below * dpi)
    if is_column:
        box_height = max(1, round(_COLUMN_ASPECT * box_width))
        height_px = top + box_height + block + bottom
    else:
        box_height = height_px - top - bottom - block
    if box_height < _LEAST_PICTURE * height_px:
        raise ReelbowError(
            f"size is {settings['size']!r}, on which margins and texts leave too "
            "little room for the picture; shorten the texts, or give smaller margins "
            "or a larger size"
        )
    picture = Box(left, top, box_width, box_height)
    start = picture.bottom / dpi
    return Page(
        width=width_px,
        height=height_px,
        dpi=dpi,
        picture=picture,
        lines=[replace(line, baseline=start + line.baseline) for line in setter.lines],
        ticks=[
            (setter.left + place / len(film.frames) * setter.width, start)
            for place, _ in ticks
        ],
        tick_length=0.5 * label_size / 72,
        tick_color=quiet,
        background=background,
        title=texts[0] or film.title,
        has_outlines=settings["text"] == "outlines",
        complaint=complaint,
    )


def _choose_texts(
    settings: Mapping[str, Any], film: FilmRecord, *, is_column: bool
) -> list[str]:
    """Choose title, subtitle and the lines of the credits; empty: there is none."""
    title, subtitle = settings["title"], settings["subtitle"]
    if title is None:
        title = "" if is_column else film.title
    if subtitle is None:
        subtitle = "" if is_column else describe_barcode(film, settings["kind"])
    credits = (settings["credits"] or "").splitlines()
    return [clean_text(text) for text in (title, subtitle, *credits)]


def _write_labels(
    setter: _Typesetter,
    ticks: Sequence[tuple[float, str]],
    n_frames: int,
    size: float,
    color: str,
) -> None:
    """Write the labels of an axis; the outermost ones keep to the picture's edges."""
    font = setter.make_font(size)
    setter.at += _CAPITAL * size / 72
    for place, label in ticks:
        part = place / n_frames
        align = "left" if part < 0.02 else "right" if part > 0.98 else "center"
        left = setter.left + part * setter.width
        setter.lines.append(Line(label, left, setter.at, font, color, align))


def _write_texts(
    setter: _Typesetter,
    texts: Sequence[str],
    complaint: str | None,
    size: float,
    colors: tuple[str, str],
    *,
    is_column: bool,
) -> None:
    """Write title, subtitle and credits, each below the one before."""
    title, subtitle, *credits = texts
    ink, quiet = colors
    least = [_SUBTITLE_SIZE, _CREDITS_SIZE]
    if not is_column:
        least = [
            max(_SUBTITLE_SIZE, _SUBTITLE * size),
            max(_CREDITS_SIZE, _CREDITS * size),
        ]
    subtitle_size, credits_size = least
    gap = (0.6 if is_column else _ABOVE_TITLE / _TITLE) * size / 72
    if title:
        font, lines = setter.fit_title(title, size)
        setter.write(lines, font, ink, gap)
        gap = 0.5 * size / 72
    if subtitle:
        font = setter.make_font(subtitle_size, italic=True)
        setter.write(break_lines(subtitle, font, setter.width), font, quiet, gap)
        gap = 0.5 * size / 72
    font = setter.make_font(credits_size)
    for text in [*credits, *([complaint] if complaint else [])]:
        if text:
            lines = break_lines(text, font, setter.width)
            setter.write(lines, font, quiet, gap)
        gap = (_LEADING - _CAPITAL) * credits_size / 72


def _choose_colors(name: str) -> tuple[tuple[int, int, int] | None, str, str]:
    """Choose background, ink, and the color of what is less important."""
    if name == "transparent":
        background, paper = None, np.array([255, 255, 255])
    else:
        code = {"white": "#ffffff", "black": "#000000"}.get(name, name)
        paper = np.array([*bytes.fromhex(code[1:])])
        background = (int(paper[0]), int(paper[1]), int(paper[2]))
    # By the contrast of WCAG 2.
    luminance = float(srgb_to_linear(paper) @ LUMA_WEIGHTS)
    ink = _DARK if luminance > 0.2 else _LIGHT
    quiet = np.rint(_QUIET * ink + (1 - _QUIET) * paper).astype(int)
    written, quietly = (
        "#{:02x}{:02x}{:02x}".format(*color.tolist()) for color in (ink, quiet)
    )
    return background, written, quietly


def draw_texts(
    page: Page, *, first_row: int = 0, n_rows: int | None = None
) -> "Figure":
    """Draw what is written on a page, or on some of its rows, as a figure."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patheffects import Normal

    height = n_rows or page.height
    paper: Any = "none"
    if page.background is not None:
        paper = tuple(value / 255 for value in page.background)
    # Agg cuts the page to whole pixels: the hundredth guards against 0.9999.
    figure = Figure(
        figsize=((page.width + 0.01) / page.dpi, (height + 0.01) / page.dpi),
        dpi=page.dpi,
        facecolor=paper,
    )

    def place(x: float, y: float) -> tuple[float, float]:
        """Turn inches of the page to parts of the figure, from below."""
        return x * page.dpi / page.width, 1 - (y * page.dpi - first_row) / height

    for x, y in page.ticks:
        (left, top), (_, bottom) = place(x, y), place(x, y + page.tick_length)
        tick = Line2D([left, left], [top, bottom], color=page.tick_color, linewidth=0.5)
        figure.add_artist(tick)
    for line in page.lines:
        figure.text(
            *place(line.left, line.baseline),
            line.text,
            va="baseline",
            ha=line.align,
            color=line.color,
            fontproperties=line.font,
            parse_math=False,
            # What has an effect is drawn as shapes.
            path_effects=[Normal()] if page.has_outlines else None,
        )
    return figure


def draw_picture(
    page: Page, database: Path | str, kind: str, *, n_places: int, **drawing: Any
) -> NDArray[np.uint8]:
    """Draw the barcode of a page with no more pixels than tell something.

    Parameters
    ----------
    n_places : frames that have a place in it
    drawing : as `draw_barcode` takes it
    """
    box = page.picture
    # Columns of one color need one row, and `spread` gives a frame several columns.
    height = box.height if kind in ("strip", *BANDED_KINDS) else 1
    width = min(box.width, max(1, n_places))
    return draw_barcode(database, kind, height=height, width=width, **drawing)


def spread(pixels: NDArray[np.uint8], box: Box, rows: range) -> NDArray[np.uint8]:
    """Spread a picture over its box, and cut out some rows.

    Parameters
    ----------
    pixels : (height, width, 3) uint8 sRGB, not larger than the box
    rows : of the box

    Returns
    -------
    (len(rows), box.width, 3) uint8; as `draw_barcode`, pixel c of n has that of
    floor(c * width / n)
    """
    height, width = pixels.shape[:2]
    across = np.arange(box.width) * width // box.width
    down = np.array(rows) * height // box.height
    if height == 1:
        line = pixels[:, across]
        return np.broadcast_to(line, (len(rows), *line.shape[1:]))
    cut = pixels[down[0] : down[-1] + 1].take(across, axis=1)
    return np.asarray(cut[down - down[0]])


def draw_strips(page: Page, pixels: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """Draw a page from above, some rows at a time: sRGB, and alpha if transparent.

    Yields
    ------
    (n, width, 3 or 4) uint8
    """
    box, n_channels = page.picture, 4 if page.background is None else 3
    empty = np.zeros((page.width, n_channels), np.uint8)
    if page.background is not None:
        empty[:] = page.background
    written = range(box.bottom, box.bottom)
    texts = np.empty((0, page.width, n_channels), np.uint8)
    if page.lines:
        written = range(box.bottom, _find_end(page))
        texts = _rasterize(page, written)[..., :n_channels]
    edges = {0, box.top, box.bottom, written.stop, page.height}
    for start, end in itertools.pairwise(sorted(edges)):
        for first in range(start, end, _ROWS):
            rows = range(first, min(end, first + _ROWS))
            if box.top <= first < box.bottom:
                strip = np.broadcast_to(empty, (len(rows), *empty.shape)).copy()
                inner = range(rows.start - box.top, rows.stop - box.top)
                place = strip[:, box.left : box.left + box.width]
                place[..., :3] = spread(pixels, box, inner)
                place[..., 3:] = 255
                yield strip
            elif first in written:
                yield texts[first - written.start : rows.stop - written.start]
            else:
                yield np.broadcast_to(empty, (len(rows), *empty.shape))


def _find_end(page: Page) -> int:
    """Find the row below all that is written."""
    ends = (
        line.baseline + 2 * _DESCENT * line.font.get_size_in_points() / 72
        for line in page.lines
    )
    return min(page.height, math.ceil(max(ends) * page.dpi))


def _rasterize(page: Page, rows: range) -> NDArray[np.uint8]:
    """Draw what is written on some rows as pixels (n, width, 4)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = draw_texts(page, first_row=rows.start, n_rows=len(rows))
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())
