"""Barcodes for print: a title, a time axis, and the film they were drawn from."""

import functools
import math
import struct
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from reelbow.barcode.fonts import describe_missing, find_families
from reelbow.barcode.picture_files import MAKER
from reelbow.barcode.shapes import Shape, bend_barcode
from reelbow.barcode.shot_marks import ShotMarks
from reelbow.errors import ReelbowError
from reelbow.text import clean_text, format_time

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties
from reelbow.barcode.ticks import find_ticks

# What would make two drawings of one figure differ.
_DATES = {".svg": "Date", ".pdf": "CreationDate"}

# The signature, and the chunk of the picture's size.
_PNG_HEADER_BYTES = 8 + 25

# Columns of pixels: about 300 to an inch. Wider barcodes keep all their columns up to
# the most that a page can have in about 0.25 GB of memory.
_GOAL_COLUMNS = 4_200
_MAX_COLUMNS = 6_000

# Pixels of a shape: 200 to an inch.
_SHAPE_SIDE = 2_800

# Of a ring: how near to its end a label would touch the first one.
_LAST_LABEL = 0.02

# Rows have labels as far as these do not touch. Those of a contact sheet end so much of
# its width before it.
_MOST_ROW_LABELS = 60
_BESIDE_ROW = -0.008

# Inches.
_BARCODE_WIDTH = 14.0
_BARCODE_HEIGHT = 4.2
_MARGIN = 1.25
_ABOVE_TITLE = 0.95
_TITLE_TO_SUBTITLE = 0.38
_SUBTITLE_TO_BARCODE = 0.46
_BARCODE_TO_SOURCE = 0.88
_BELOW_SOURCE = 0.85
_LEGEND_WIDTH = 2.0
_CURVE_HEIGHT = 1.3
_ABOVE_CURVE = 0.45
_STRIP_HEIGHT = 0.1
_ABOVE_STRIP = 0.04
_HISTOGRAM_HEIGHT = 2.4
_ABOVE_HISTOGRAM = 1.0

# Points of a curve; where there are more frames, several share one.
_MAX_POINTS = 1_400

# Columns of a histogram.
_MAX_BINS = 40

# Points.
_TITLE_SIZES = (34, 30, 26, 22)
SUBTITLE_SIZE = 14
LABEL_SIZE = 11
SOURCE_SIZE = 9.5
_LEADING = 1.2
_BORDER_WIDTH = 0.5
_BORDER_GAP = 1.0
INK = "#1a1a1a"
GREY = "#6b6b6b"
LIGHT_GREY = "#8c8c8c"
BAND = "#dcdcdc"
_BAR = "#c4c4c4"


def save_figures(
    pixels: NDArray[np.uint8],
    paths: Sequence[Path],
    *,
    title: str,
    subtitle: str,
    note: str,
    frames: NDArray[np.integer],
    times_s: NDArray[np.float64] | None,
    gap_color: str | None = None,
    curves: Sequence[tuple[str, NDArray[np.float64]]] = (),
    borders: NDArray[np.float64] | None = None,
    shots: ShotMarks | None = None,
    shape: Shape | None = None,
    in_time: bool = True,
    row_starts: Sequence[tuple[int, float]] | None = None,
) -> str | None:
    """Draw a barcode as a page for print: a PNG, SVG or PDF by each path's suffix.

    The barcode is enlarged by whole factors only, so each of its pixels is a sharp
    rectangle; columns beyond 6,000 are averaged. Drawing twice gives the same bytes.

    Parameters
    ----------
    pixels : (height, width, 3) uint8, sRGB
        A barcode, frame i of n in column floor(i * width / n).
    paths : files to write, overwritten
    title : shown on one or several lines, as it is (no TeX)
    subtitle, note : below the title and at the foot
    frames : (n,) int
        Index in the film of each frame that has a place in the barcode.
    times_s : (n,) float, seconds, or None
        Presentation times. None, or times that run backward: an axis of frames.
    gap_color : #rrggbb of the columns without frames, for the legend; None: none
    curves : (label, values (n,)) to draw below the barcode, one below the other, from 0
        on, on the same axis; NaN: a gap. Of more than 1,400 frames some share a point:
        their mean, before a gray band from the least to the most of them.
    borders : (m,) float, ascending, or None
        Where shots end and begin, on the axis of frames: drawn below the barcode, of
        those nearer to each other than a point only the first.
    shots : of which the length is drawn over time, and its distribution; None: none
    shape : what the barcode is bent into, with times around a ring or beside rows;
        borders are not drawn then. None: a line
    in_time : whether the columns are in the order of time; otherwise no time is told
    row_starts : of a picture that is no barcode but reads like a text: the place of
        each row's first frame, of which the time is told, and how far down its middle
        is, [0, 1]; beyond 6,000 columns it is made smaller

    Returns
    -------
    What could not be drawn, in one sentence that also stands at the foot; or None

    Raises
    ------
    ReelbowError
        If the suffix is none of .png, .svg, .pdf.
    """
    import_matplotlib()
    from matplotlib import rc_context

    for path in paths:
        if path.suffix.lower() not in (".png", *_DATES):
            raise ReelbowError(
                f"A figure is a .png, .svg or .pdf file, which {path} is not."
            )
    title, subtitle, note = map(clean_text, (title, subtitle, note))
    ticks = find_ticks(frames, times_s)
    if not in_time:
        ticks, borders = [], None
    labels = None
    if shape is not None:
        labels = _place_labels(shape, ticks, frames, times_s) if in_time else []
        pixels = bend_barcode(
            pixels, shape.name, side=_SHAPE_SIDE, minutes=shape.minutes
        )
        ticks, borders = [], None
    keep = shape is not None
    if row_starts is None:
        picture = _enlarge(pixels, _GOAL_COLUMNS, keep=keep)
    else:
        labels = _label_rows(row_starts, frames, times_s)
        ticks, keep = [], True
        if pixels.shape[1] > _MAX_COLUMNS:
            rows = round(pixels.shape[0] * _MAX_COLUMNS / pixels.shape[1])
            pixels = _narrow(pixels, rows)
        # For the letters around it.
        times = max(1, round(_GOAL_COLUMNS / pixels.shape[1]))
        picture = pixels.repeat(times, axis=0).repeat(times, axis=1)
    _, missing = find_families(title + subtitle + note)
    complaint = describe_missing(missing) if missing else None
    with (
        rc_context({"svg.hashsalt": "reelbow", "svg.fonttype": "path"}),
        warnings.catch_warnings(),
    ):
        # It is told in our own words.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure, axes = _draw_page(
            picture.shape,
            title=title,
            subtitle=subtitle,
            note=note,
            complaint=complaint,
            ticks=ticks,
            n_frames=len(frames),
            gap_color=gap_color,
            curves=curves,
            borders=borders,
            shots=shots,
            labels=labels,
        )
        # The pages of vectors last: of a PNG the barcode is no part of what is drawn.
        for path in sorted(paths, key=lambda path: path.suffix.lower() != ".png"):
            suffix = path.suffix.lower()
            if suffix == ".png":
                _save_png(figure, axes, picture, path, title)
                continue
            if not axes.images:
                _add_picture(axes, pixels, keep=keep)
            about = {"Title": title, "Creator": MAKER, _DATES[suffix]: None}
            figure.savefig(path, metadata=about)
    return complaint


@functools.cache
def import_matplotlib() -> None:
    """Import matplotlib without the help texts that it writes for all its classes.

    They are a third of its import, and nobody reads them here.
    """
    from matplotlib import artist as artists

    kept, artists.kwdoc = artists.kwdoc, lambda artist: ""
    try:
        import matplotlib.figure  # noqa: F401 (with all classes of artists)
    finally:
        artists.kwdoc = kept


def _place_labels(
    shape: Shape,
    ticks: list[tuple[float, str]],
    frames: NDArray[np.integer],
    times_s: NDArray[np.float64] | None,
) -> list[tuple[float, float, str, str, str]]:
    """Place the labels of a ring's ticks, or of the beginnings of rows.

    Returns
    -------
    list of (x, y, ha, va, label), as `Shape.place_label` has them
    """
    n = len(frames)
    if shape.name == "rows":
        step = max(1, math.ceil(shape.rows / _MOST_ROW_LABELS))
        starts = [row * n / shape.rows for row in range(0, shape.rows, step)]
        ticks = list(zip(starts, _tell_places(starts, frames, times_s), strict=True))
    # On a ring the last one may be where the first one is.
    placed = [
        (place, label)
        for place, label in ticks
        if shape.name == "rows" or place < n * (1 - _LAST_LABEL) or place == ticks[0][0]
    ]
    return [
        (*at, label)
        for place, label in placed
        if (at := shape.place_label(place / n)) is not None
    ]


def _tell_places(
    places: Sequence[float],
    frames: NDArray[np.integer],
    times_s: NDArray[np.float64] | None,
) -> list[str]:
    """Write the times of places, or the frames there if there are no times."""
    if times_s is None:
        return [f"{frames[int(place)]:,}" for place in places]
    at_s = np.interp(places, np.arange(len(times_s)), times_s).tolist()
    with_hours = times_s[-1] >= 3600
    return [format_time(time_s, with_hours=with_hours) for time_s in at_s]


def _label_rows(
    row_starts: Sequence[tuple[int, float]],
    frames: NDArray[np.integer],
    times_s: NDArray[np.float64] | None,
) -> list[tuple[float, float, str, str, str]]:
    """Place labels beside rows of pictures, as far as there is room for them."""
    step = math.ceil(len(row_starts) / _MOST_ROW_LABELS)
    places, middles = zip(*row_starts[::step], strict=True)
    labels = _tell_places(places, frames, times_s)
    return [
        (_BESIDE_ROW, 1 - middle, "right", "center", label)
        for middle, label in zip(middles, labels, strict=True)
    ]


def _add_picture(
    axes: "Axes", pixels: NDArray[np.uint8], *, keep: bool = False
) -> None:
    """Add the barcode to a page of vectors, of which it is coded as a part."""
    # Without alpha matplotlib would make copies to add it.
    opaque = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
    # Viewers are told not to smooth it: what is enlarged is for those that do so.
    picture = _enlarge(opaque, _GOAL_COLUMNS // 2, keep=keep)
    extent = (*axes.get_xlim(), 0, 1)
    axes.imshow(picture, extent=extent, aspect="auto", interpolation="none")


def _draw_page(
    shape: tuple[int, ...],
    *,
    title: str,
    subtitle: str,
    note: str,
    complaint: str | None,
    ticks: list[tuple[float, str]],
    n_frames: int,
    gap_color: str | None,
    curves: Sequence[tuple[str, NDArray[np.float64]]],
    borders: NDArray[np.float64] | None,
    shots: ShotMarks | None,
    labels: list[tuple[float, float, str, str, str]] | None,
) -> tuple["Figure", "Axes"]:
    """Draw all but the barcode, and the axes of the barcode's shape to hold it."""
    # Not pyplot, which would look for a screen.
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    height, width = shape[:2]
    dpi = width / _BARCODE_WIDTH
    # Each with its baseline in inches from the top.
    texts: list[tuple[float, str, FontProperties, str]] = []

    def write(lines: list[str], font: "FontProperties", color: str, at: float) -> float:
        """Write lines from a baseline on; return the last one's."""
        leading = _LEADING * font.get_size_in_points() / 72
        for number, line in enumerate(lines):
            texts.append((at + number * leading, line, font, color))
        return texts[-1][0]

    font, lines = set_title(title)
    # A capital is about two thirds of its font's size high.
    top = write(lines, font, INK, _ABOVE_TITLE + font.get_size_in_points() / 72 * 2 / 3)
    font = choose_font(SUBTITLE_SIZE, style="italic", text=subtitle)
    lines = break_lines(subtitle, font, _BARCODE_WIDTH)
    top = write(lines, font, GREY, top + _TITLE_TO_SUBTITLE) + _SUBTITLE_TO_BARCODE
    strip_height = 0.0 if borders is None else _ABOVE_STRIP + _STRIP_HEIGHT
    n_curves = len(curves) + (shots is not None)
    curves_height = strip_height + n_curves * (_ABOVE_CURVE + _CURVE_HEIGHT)
    histogram_height = 0.0 if shots is None else _ABOVE_HISTOGRAM + _HISTOGRAM_HEIGHT
    note_line = top + height / dpi + curves_height + histogram_height
    note_line += _BARCODE_TO_SOURCE
    font = choose_font(SOURCE_SIZE, text=note + (complaint or ""))
    notes_width = _BARCODE_WIDTH - (_LEGEND_WIDTH if gap_color else 0)
    lines = break_lines(note, font, notes_width)
    lines += break_lines(complaint, font, notes_width) if complaint else []
    below = write(lines, font, LIGHT_GREY, note_line) + _BELOW_SOURCE

    # The barcode lies on whole pixels, so that nothing resamples it.
    margin = round(_MARGIN * dpi)
    foot = round((below - top) * dpi) - height
    page_width = margin + width + margin
    page_height = round(top * dpi) + height + foot
    figure = Figure(
        # Agg cuts the page to whole pixels: the hundredth guards against 0.9999.
        figsize=((page_width + 0.01) / dpi, (page_height + 0.01) / dpi),
        dpi=dpi,
        facecolor="white",
    )

    def add_axes(below_barcode: float, height: float) -> "Axes":
        """Add axes of a height in pixels, that end so many inches below the barcode."""
        bottom = foot - below_barcode * dpi
        left, wide = margin / page_width, width / page_width
        return figure.add_axes((left, bottom / page_height, wide, height / page_height))

    axes = lowest = add_axes(0, height)
    axes.set(xlim=(0, n_frames), ylim=(0, 1))
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.yaxis.set_visible(False)
    if borders is not None:
        axes.xaxis.set_visible(False)
        lowest = add_axes(strip_height, _STRIP_HEIGHT * dpi)
        _draw_borders(lowest, borders, n_frames)
    for number in range(n_curves):
        lowest.xaxis.set_visible(False)
        below_barcode = strip_height + (number + 1) * (_ABOVE_CURVE + _CURVE_HEIGHT)
        lowest = add_axes(below_barcode, _CURVE_HEIGHT * dpi)
        if number < len(curves):
            draw_curve(lowest, *curves[number])
        elif shots is not None:
            _draw_lengths(lowest, shots, n_frames)
        lowest.tick_params(axis="x", length=0, labelbottom=False)
    if shots is not None:
        below_barcode = curves_height + histogram_height
        _draw_histogram(add_axes(below_barcode, _HISTOGRAM_HEIGHT * dpi), shots)
    lowest.set_xticks(
        [position for position, _ in ticks],
        [label for _, label in ticks],
        fontproperties=choose_font(LABEL_SIZE),
    )
    lowest.tick_params(
        axis="x",
        length=6,
        width=0.6,
        pad=5,
        color=GREY,
        labelcolor=GREY,
        labelbottom=True,
    )
    for x, y, ha, va, label in labels or []:
        axes.text(
            *(x, y, label),
            transform=axes.transAxes,
            ha=ha,
            va=va,
            color=GREY,
            fontproperties=choose_font(LABEL_SIZE),
        )
    # The outermost labels keep to the edges that all else is set to.
    for (position, _), text in zip(ticks, lowest.get_xticklabels(), strict=True):
        if position < 0.01 * n_frames:
            text.set_horizontalalignment("left")
        elif position > 0.99 * n_frames:
            text.set_horizontalalignment("right")

    for baseline, line, font, color in texts:
        figure.text(
            margin / page_width,
            1 - baseline * dpi / page_height,
            line,
            va="baseline",
            color=color,
            fontproperties=font,
            parse_math=False,
        )
    if gap_color:
        # Letters reach below their line by about a quarter of their size.
        legend_line = note_line + SOURCE_SIZE / 72 / 4
        figure.legend(
            handles=[Patch(fc=gap_color, ec=LIGHT_GREY, lw=0.4, label="missing")],
            loc="lower right",
            bbox_to_anchor=(
                (margin + width) / page_width,
                1 - legend_line * dpi / page_height,
            ),
            prop=choose_font(SOURCE_SIZE),
            labelcolor=LIGHT_GREY,
            frameon=False,
            borderpad=0,
            borderaxespad=0,
            handlelength=0.8,
            handleheight=0.8,
        )
    return figure, axes


def draw_curve(axes: "Axes", label: str, values: NDArray[np.float64]) -> None:
    """Draw values of frames over the frames' places."""
    edges, (means, least, most) = _bin_values(values)
    if len(means) < len(values):
        axes.stairs(most, edges, baseline=least, fill=True, color=BAND, linewidth=0)
    axes.stairs(means, edges, baseline=None, color=INK, linewidth=0.9)
    _set_up_axes(axes, label, np.nanmax(most, initial=0.0))
    axes.set_xlim(0, max(1, len(values)))


def _set_up_axes(axes: "Axes", label: str, top: float) -> None:
    """Label axes of values from 0 to a top, with a grid."""
    from matplotlib.ticker import MaxNLocator

    axes.set_ylim(0, 1.05 * top or 1.0)
    axes.yaxis.set_major_locator(
        MaxNLocator(3, steps=[1, 2, 2.5, 5, 10], min_n_ticks=3)
    )
    axes.grid(axis="y", color=BAND, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0, pad=6, labelcolor=GREY)
    for text in axes.get_yticklabels():
        text.set_fontproperties(choose_font(SOURCE_SIZE))
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_title(
        label, loc="left", pad=7, color=INK, fontproperties=choose_font(LABEL_SIZE)
    )


def _draw_borders(axes: "Axes", borders: NDArray[np.float64], n_frames: int) -> None:
    """Draw where shots end and begin, on a strip."""
    gap = _BORDER_GAP / (72 * _BARCODE_WIDTH) * n_frames
    drawn: list[float] = []
    for border in borders.tolist():
        if not drawn or border - drawn[-1] >= gap:
            drawn.append(border)
    axes.vlines(drawn, 0, 1, colors=INK, linewidths=_BORDER_WIDTH)
    axes.set(xlim=(0, n_frames), ylim=(0, 1))
    axes.yaxis.set_visible(False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _draw_lengths(axes: "Axes", shots: ShotMarks, n_frames: int) -> None:
    """Draw the length of each shot over the place where it lies."""
    from matplotlib.ticker import LogLocator

    label = f"length of shots, {shots.unit}, on a logarithmic axis"
    _set_up_axes(axes, label, 1.0)
    axes.set_xlim(0, max(1, n_frames))
    if not len(shots.lengths):
        axes.yaxis.set_visible(False)
        return
    # A credit sequence may be as long as a hundred shots.
    least = shots.lengths.min() / 2
    axes.stairs(shots.lengths, shots.edges, baseline=least, fill=True, color=_BAR, lw=0)
    axes.stairs(shots.lengths, shots.edges, baseline=least, color=INK, lw=0.6)
    axes.set_yscale("log")
    axes.set_ylim(least, 1.3 * shots.lengths.max())
    is_wide = shots.lengths.max() > 100 * least
    axes.yaxis.set_major_locator(
        LogLocator(subs=(1.0,) if is_wide else (1.0, 2.0, 5.0))
    )
    _write_plainly(axes.yaxis)


def _draw_histogram(axes: "Axes", shots: ShotMarks) -> None:
    """Draw how many shots there are of each length, with their mean and median."""
    from matplotlib.ticker import LogLocator, MaxNLocator

    label = f"number of shots by length, {shots.unit}, on a logarithmic axis"
    font = choose_font(LABEL_SIZE)
    if not len(shots.lengths):
        _set_up_axes(axes, label, 1.0)
        axes.set_axis_off()
        axes.text(0, 0.8, "no shots were found", color=GREY, fontproperties=font)
        return
    logs = np.log10(shots.lengths)
    low, high = logs.min(), logs.max()
    if high - low < 0.1:
        # All alike are one narrow column.
        low, high = low - 0.05, high + 0.05
    edges = np.histogram_bin_edges(logs, "auto", (low, high))
    if len(edges) > _MAX_BINS + 1:
        edges = np.linspace(low, high, _MAX_BINS + 1)
    counts, edges = np.histogram(logs, edges)
    axes.set_xscale("log")
    axes.stairs(counts, 10**edges, fill=True, color=_BAR, lw=0)
    axes.stairs(counts, 10**edges, color=INK, lw=0.6)
    # Or bars of one height would melt into one.
    inner = np.minimum(counts[:-1], counts[1:])
    axes.vlines(10 ** edges[1:-1], 0, inner, color=INK, lw=0.6)
    _mark_averages(axes, shots)
    # Above it there is room for what is written at the averages.
    _set_up_axes(axes, label, 1.15 * counts.max())
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.set_xlim(10 ** (low - 0.1), 10 ** (high + 0.1))
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    _write_plainly(axes.xaxis)
    axes.tick_params(axis="x", length=6, width=0.6, color=GREY, labelcolor=GREY)
    for text in axes.get_xticklabels():
        text.set_fontproperties(font)


def _write_plainly(axis: "Axis") -> None:
    """Write the numbers of a logarithmic axis as 0.5 or 20, and not as powers."""
    from matplotlib.ticker import FuncFormatter, NullLocator

    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _mark_averages(axes: "Axes", shots: ShotMarks) -> None:
    """Mark mean and median, the smaller one written to its left."""
    averages = [
        (float(np.median(shots.lengths)), "median", "solid"),
        (float(np.mean(shots.lengths)), "mean", (0, (4, 3))),
    ]
    averages.sort(key=lambda average: average[0])
    for (length, name, style), side in zip(averages, ("right", "left"), strict=True):
        axes.axvline(length, color=INK, linewidth=0.9, linestyle=style)
        away = -5 if side == "right" else 5
        axes.annotate(
            f"{name} {length:.3g} {shots.unit}",
            (length, 1),
            (away, -4),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha=side,
            va="top",
            color=INK,
            fontproperties=choose_font(LABEL_SIZE),
        )


def _bin_values(
    values: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share out values (n,) to at most `_MAX_POINTS` runs of frames, nearly even.

    Returns
    -------
    edges : (m + 1,) float64, the frame that each run begins at, and n
    bins : (3, m) float64, the mean, least and most of each run; NaN where all are
    """
    n = len(values)
    m = min(n, _MAX_POINTS)
    edges = np.arange(m + 1) * n // max(m, 1)
    if not m:
        return edges.astype(np.float64), np.empty((3, 0))
    there = ~np.isnan(values)
    counts = np.add.reduceat(there.astype(np.float64), edges[:-1])
    counts[counts == 0] = np.nan
    means = np.add.reduceat(np.where(there, values, 0.0), edges[:-1]) / counts
    least = np.fmin.reduceat(values, edges[:-1])
    most = np.fmax.reduceat(values, edges[:-1])
    return edges.astype(np.float64), np.stack([means, least, most])


def _save_png(
    figure: "Figure",
    axes: "Axes",
    picture: NDArray[np.uint8],
    path: Path,
    title: str,
) -> None:
    import cv2
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import PngImagePlugin

    from reelbow.pictures.image_files import encode_image

    # Drawn by matplotlib, a large barcode would take 2 GB of memory on its way.
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    page = cv2.cvtColor(np.asarray(canvas.buffer_rgba()), cv2.COLOR_RGBA2BGR)
    left = round(axes.bbox.x0)
    bottom = page.shape[0] - round(axes.bbox.y0)
    height, width = picture.shape[:2]
    place = page[bottom - height : bottom, left : left + width]
    # Labels around a ring reach into the corners of its picture, which are white.
    place[:] = np.minimum(place, picture[..., ::-1])
    # Most rows are as the one above. Pillow would try all filters of each row: twice
    # the time, for files of two thirds of the size.
    settings = [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP]
    settings += [cv2.IMWRITE_PNG_COMPRESSION, 3]
    coded = encode_image(".png", page, settings)
    info = PngImagePlugin.PngInfo()
    per_meter = round(figure.dpi / 0.0254)
    info.add(b"pHYs", struct.pack(">IIB", per_meter, per_meter, 1))
    info.add_itxt("Title", title)
    info.add_text("Software", MAKER)
    with path.open("wb") as file:
        # What is told of the picture comes behind its header.
        file.write(coded[:_PNG_HEADER_BYTES])
        for name, data, *_ in info.chunks:
            PngImagePlugin.putchunk(file, name, data)
        file.write(coded[_PNG_HEADER_BYTES:])


def _enlarge(
    pixels: NDArray[np.uint8], goal: int, *, keep: bool = False
) -> NDArray[np.uint8]:
    """Repeat pixels to about so many columns, rows in proportion; or keep them."""
    if keep:
        return pixels
    if pixels.shape[1] > _MAX_COLUMNS:
        pixels = _narrow(pixels, pixels.shape[0])
    height, width = pixels.shape[:2]
    across = max(1, round(goal / width))
    rows = across * width * _BARCODE_HEIGHT / _BARCODE_WIDTH
    down = max(1, round(rows / height))
    return pixels.repeat(across, axis=1).repeat(down, axis=0)


def _narrow(pixels: NDArray[np.uint8], rows: int) -> NDArray[np.uint8]:
    """Average columns to as many as there may be, and rows to so many."""
    import cv2

    narrowed = cv2.resize(pixels, (_MAX_COLUMNS, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(narrowed, np.uint8)


def choose_font(
    size: float, *, style: Literal["normal", "italic"] = "normal", text: str = ""
) -> "FontProperties":
    """Make a font of those that come with matplotlib, so that pages look alike.

    Letters of `text` that they lack are taken from a font of this machine.
    """
    from matplotlib.font_manager import FontProperties

    families, _ = find_families(text)
    return FontProperties(family=list(families), size=size, style=style)


def set_title(
    title: str, width: float = _BARCODE_WIDTH
) -> tuple["FontProperties", list[str]]:
    """Choose the largest font that takes the fewest lines, and break the lines."""
    settings = []
    for size in _TITLE_SIZES:
        font = choose_font(size, text=title)
        settings.append((font, break_lines(title, font, width)))
    font, lines = min(settings, key=lambda setting: len(setting[1]))
    # Of the same number of lines, the most even ones.
    for part in (0.5, 0.6, 0.7, 0.8, 0.9):
        evener = break_lines(title, font, part * width)
        if len(evener) == len(lines):
            return font, evener
    return font, lines


def break_lines(text: str, font: "FontProperties", width: float) -> list[str]:
    """Break a text into lines of at most `width` inches, within words if need be."""

    def fits(line: str) -> bool:
        return _measure(line, font) <= width

    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if fits(longer):
            lines[-1] = longer
            continue
        lines.append("")
        for letter in word:
            if not fits(lines[-1] + letter):
                lines.append("")
            lines[-1] += letter
    return [line for line in lines if line] or [""]


@functools.cache
def _measure(text: str, font: "FontProperties") -> float:
    """Measure the width of a text in inches."""
    from matplotlib.textpath import text_to_path

    points, _, _ = text_to_path.get_text_width_height_descent(text, font, False)
    return float(points) / 72
