"""Pages that compare films: two barcodes aligned, a matrix with a tree, a map."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reelbow.barcode.figure import (
    BAND,
    GREY,
    INK,
    LABEL_SIZE,
    LIGHT_GREY,
    SOURCE_SIZE,
    SUBTITLE_SIZE,
    break_lines,
    choose_font,
    draw_curve,
    import_matplotlib,
    set_title,
)
from reelbow.barcode.fonts import describe_missing, find_families
from reelbow.barcode.picture_files import MAKER
from reelbow.text import clean_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Inches.
_WIDTH = 14.0
_MARGIN = 1.25
_ABOVE_TITLE = 0.9
_BELOW_TITLE = 0.5
_BARCODE = 1.7
_STRIP = 0.4
_CURVE = 1.3
_FOOT = 0.8
_LABEL = 0.5
_TICKS = 0.4
_GAP = 0.1
_LEADING = 1.2

_DPI = 200

# CIEDE2000 that is as dark as it gets: two quite other colors. One scale for all
# figures, so that they can be compared.
_MOST_DIFFERENT = 20.0

# Labels nearer to each other than this part of the axis would touch.
_TICK_GAP = 0.05

# More films have no numbers in their matrix, and shorter names.
_MOST_NUMBERS = 14
_LONGEST_NAME = 34


def save_pair(
    path: Path,
    *,
    title: str,
    subtitle: str,
    note: str,
    panels: Sequence[tuple[str, NDArray[np.uint8], list[tuple[float, str]]]],
    differences: NDArray[np.float64],
) -> str | None:
    """Draw barcodes one below the other, and below them how different they look.

    Parameters
    ----------
    path : a PNG, overwritten
    panels : (label, pixels (h, k, 3) uint8 sRGB, ticks (position, label)) of each film
    differences : (k,) CIEDE2000; NaN: not in both films

    Returns
    -------
    What could not be drawn, in one sentence; or None
    """
    n = len(differences)
    height = len(panels) * (_LABEL + _BARCODE + _TICKS)
    height += _LABEL + _STRIP + _GAP + _CURVE
    page = Page(title, subtitle, note, height)
    for label, pixels, ticks in panels:
        axes = page.add_axes(label, _BARCODE)
        axes.imshow(pixels, extent=(0, n, 0, 1), aspect="auto")
        _set_ticks(axes, ticks)
        page.leave(_TICKS)
    label = (
        "Difference of mean colors, CIEDE2000 (light 0, dark "
        f"{_MOST_DIFFERENT:g} and more)"
    )
    axes = page.add_axes(label, _STRIP)
    axes.set_facecolor(BAND)
    axes.imshow(
        np.ma.masked_invalid(differences[np.newaxis]),
        extent=(0, n, 0, 1),
        aspect="auto",
        cmap="magma_r",
        vmin=0,
        vmax=_MOST_DIFFERENT,
    )
    _set_ticks(axes, [])
    page.leave(_GAP - _LABEL)
    axes = page.add_axes("", _CURVE)
    draw_curve(axes, "", differences)
    axes.tick_params(axis="x", length=0, labelbottom=False)
    return page.save(path)


def save_matrix(
    path: Path,
    *,
    title: str,
    subtitle: str,
    note: str,
    names: Sequence[str],
    distances: NDArray[np.float64],
    tree: NDArray[np.float64],
) -> str | None:
    """Draw the distances (n, n) of films, in the order of their tree, beside it.

    Returns
    -------
    What could not be drawn, in one sentence; or None
    """
    import_matplotlib()
    from scipy.cluster.hierarchy import dendrogram

    side, label_width = 8.5, 3.2
    page = Page(title, subtitle, note, side + _LABEL)
    width = _WIDTH - side - label_width - 0.2
    axes = page.add_axes("", side, width=width)
    shown = dendrogram(tree, no_plot=True)
    # SciPy's leaves lie at 5, 15, 25 and so on; here each is beside its row.
    for across, down in zip(shown["dcoord"], shown["icoord"], strict=True):
        axes.plot(across, np.array(down) / 10 - 0.5, color=INK, linewidth=0.9)
    n = len(names)
    farthest = 1.05 * float(tree[:, 2].max()) or 1.0
    axes.set(xlim=(farthest, 0), ylim=(n - 0.5, -0.5), yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)
    _style_values(axes)
    order = shown["leaves"]
    page.leave(-side - _LABEL)
    axes = page.add_axes("", side, left=width + 0.1, width=side)
    ordered = distances[np.ix_(order, order)]
    # The largest one is not quite black.
    most = 1.2 * float(ordered.max()) or 1.0
    axes.imshow(ordered, cmap="magma_r", vmin=0, vmax=most, aspect="auto")
    size = float(np.clip(6.5 * 14 / n, 5, LABEL_SIZE))
    listed = [_shorten(names[place]) for place in order]
    axes.yaxis.tick_right()
    axes.set_yticks(range(n), listed, parse_math=False)
    axes.set_xticks([])
    for text, name in zip(axes.get_yticklabels(), listed, strict=True):
        text.set_fontproperties(choose_font(size, text=name))
    axes.tick_params(length=0, pad=8, labelcolor=INK)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if n <= _MOST_NUMBERS:
        for (row, column), value in np.ndenumerate(ordered):
            axes.text(
                *(column, row, f"{value:.1f}"),
                ha="center",
                va="center",
                color="white" if value > most / 2 else INK,
                fontproperties=choose_font(size),
            )
    return page.save(path, "".join(names))


def save_map(
    path: Path,
    *,
    title: str,
    subtitle: str,
    note: str,
    names: Sequence[str],
    places: NDArray[np.float64],
    palettes: Sequence[tuple[NDArray[np.uint8], NDArray[np.float64]]],
) -> str | None:
    """Draw films at their places (n, 2), each as its palette: colors and shares.

    Returns
    -------
    What could not be drawn, in one sentence; or None
    """
    import_matplotlib()
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage

    page = Page(title, subtitle, note, 8.5 + _LABEL)
    axes = page.add_axes("", 8.5)
    size = float(np.clip(6.5 * 24 / len(names), 5, LABEL_SIZE))
    for name, place, (colors, shares) in zip(names, places, palettes, strict=True):
        ends = np.rint(np.cumsum(shares) / shares.sum() * 100).astype(np.intp)
        counts = np.diff(ends, prepend=0)
        bar = colors.repeat(counts, axis=0)[np.newaxis].repeat(14, axis=0)
        # 100 x 14 points, with films of which there are many smaller.
        image = OffsetImage(bar, zoom=size / LABEL_SIZE, interpolation="nearest")
        axes.add_artist(AnnotationBbox(image, tuple(place), frameon=False, pad=0))
        axes.annotate(
            _shorten(name),
            tuple(place),
            xytext=(0, -size - 3),
            textcoords="offset points",
            ha="center",
            va="top",
            color=INK,
            parse_math=False,
            fontproperties=choose_font(size, text=name),
        )
    # Both axes in the same unit, with room for the names.
    reach = 1.25 * float(np.abs(places).max()) or 1.0
    axes.set(xlim=(-reach * _WIDTH / 8.5, reach * _WIDTH / 8.5), ylim=(-reach, reach))
    axes.grid(color=BAND, linewidth=0.5)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_visible(False)
    _style_values(axes)
    return page.save(path, "".join(names))


class Page:
    """A page, filled from the top.

    height, width : of what it is filled with, in inches
    """

    def __init__(
        self,
        title: str,
        subtitle: str,
        note: str,
        height: float,
        *,
        width: float = _WIDTH,
    ) -> None:
        import_matplotlib()
        from matplotlib.figure import Figure

        self.texts = [clean_text(text) for text in (title, subtitle, note)]
        title, subtitle, note = self.texts
        font, lines = set_title(title, width)
        parts = [(font, line, INK) for line in lines]
        font = choose_font(SUBTITLE_SIZE, style="italic", text=subtitle)
        parts += [(font, line, GREY) for line in break_lines(subtitle, font, width)]
        small = choose_font(SOURCE_SIZE, text=note)
        notes = break_lines(note, small, width)
        leadings = [_LEADING * part.get_size_in_points() / 72 for part, *_ in parts]
        self.top = _ABOVE_TITLE + sum(leadings) + _BELOW_TITLE - _LABEL
        self.width = _MARGIN + width + _MARGIN
        self.height = self.top + height + _FOOT + 0.2 * len(notes) + _LABEL
        self.figure: Figure = Figure(
            figsize=(self.width, self.height), dpi=_DPI, facecolor="white"
        )
        baseline = _ABOVE_TITLE
        for (font, line, color), leading in zip(parts, leadings, strict=True):
            self._write(line, baseline, font, color)
            baseline += leading
        for number, line in enumerate(notes):
            at = self.top + height + _FOOT + 0.2 * number
            self._write(line, at, small, LIGHT_GREY)

    def _write(self, line: str, baseline: float, font: object, color: str) -> None:
        self.figure.text(
            _MARGIN / self.width,
            1 - baseline / self.height,
            line,
            va="baseline",
            color=color,
            fontproperties=font,
            parse_math=False,
        )

    def add_axes(
        self,
        label: str | None,
        height: float,
        *,
        left: float = 0.0,
        width: float = _WIDTH,
    ) -> "Axes":
        """Add axes below what is there, with room for a label above; None: no room."""
        self.top += 0 if label is None else _LABEL
        self.texts.append(label or "")
        if label:
            font = choose_font(LABEL_SIZE, text=label)
            self._write(label, self.top - 0.1, font, INK)
        self.top += height
        return self.figure.add_axes(
            (
                (_MARGIN + left) / self.width,
                1 - self.top / self.height,
                width / self.width,
                height / self.height,
            )
        )

    def leave(self, height: float) -> None:
        """Leave so much room, or go back up by it."""
        self.top += height

    def save(self, path: Path, more: str = "") -> str | None:
        """Write the page as a PNG; say what letters it lacks, if any."""
        _, missing = find_families("".join(self.texts) + more)
        with warnings.catch_warnings():
            # It is told in our own words.
            warnings.filterwarnings("ignore", "Glyph .* missing from font")
            about = {"Title": self.texts[0], "Software": MAKER}
            self.figure.savefig(path, metadata=about)
        return describe_missing(missing) if missing else None


def _set_ticks(axes: "Axes", ticks: Sequence[tuple[float, str]]) -> None:
    """Set the ticks of an axis of time, none in another's way, and nothing else."""
    left, right = axes.get_xlim()
    shown: list[tuple[float, str]] = []
    for position, label in ticks:
        if not shown or position - shown[-1][0] >= _TICK_GAP * (right - left):
            shown.append((position, label))
    axes.set_yticks([])
    axes.set_xticks(
        [position for position, _ in shown],
        [label for _, label in shown],
        fontproperties=choose_font(LABEL_SIZE),
    )
    if shown and shown[0][0] < 0.01 * (right - left):
        axes.get_xticklabels()[0].set_horizontalalignment("left")
    axes.set_xlim(left, right)
    axes.tick_params(axis="x", length=5, width=0.6, color=GREY, labelcolor=GREY)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _style_values(axes: "Axes") -> None:
    """Write the numbers of axes as all figures have them."""
    axes.tick_params(length=0, labelcolor=GREY)
    for text in [*axes.get_xticklabels(), *axes.get_yticklabels()]:
        text.set_fontproperties(choose_font(SOURCE_SIZE))


def _shorten(name: str) -> str:
    name = clean_text(name)
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
