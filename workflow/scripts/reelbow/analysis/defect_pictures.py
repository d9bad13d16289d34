"""Pictures of a sensor's defects: a map of all, and the worst of them enlarged."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reelbow.analysis.hot_pixels import KINDS, Defect, Found
from reelbow.analysis.sensor_sums import FilmSums
from reelbow.barcode.picture_files import MAKER
from reelbow.text import count

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Of the map's wider side, in inches, and of a crop's.
_SIDE, _CROP_SIDE = 9.0, 1.35

# Crops to a row and rows of them, and pixels from the defect to a crop's border.
_COLUMNS, _ROWS, _REACH = 6, 4, 8

_COLORS = dict(zip(KINDS, ("#d62728", "#111111", "#ff9f1c", "#1f77b4"), strict=True))
_MARKS = dict(zip(KINDS, ("o", "s", "^", "v"), strict=True))


def save_map(path: Path, sums: FilmSums, found: Found) -> None:
    """Draw where on the sensor its defects are, as a PNG."""
    sensor, _ = sums.sensors[0]
    high = min(max(sensor.height / sensor.width, 0.2), 5.0)
    wide = _SIDE / max(1.0, high)
    figure = _begin(wide, wide * high + 1.2)
    axes = figure.subplots()
    for kind in KINDS:
        own = [each for each in found.defects if each.kind == kind]
        if own:
            axes.scatter(
                [each.x for each in own],
                [each.y for each in own],
                # By how far they stand out, and never too small to be seen.
                [12 + 6 * np.log2(1 + each.z / 10) for each in own],
                color=_COLORS[kind],
                marker=_MARKS[kind],
                linewidths=0,
                label=f"{kind} ({len(own):,})",
            )
    axes.set_xlim(0, sensor.width)
    axes.set_ylim(sensor.height, 0)
    axes.set_box_aspect(high)
    axes.set_facecolor("#f4f4f4")
    axes.set_xlabel("column")
    axes.set_ylabel("row")
    axes.set_title(f"{_tell(found)}\n{sensor}; {count(sums.n, 'photo')}", fontsize=10)
    if found.defects:
        axes.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, -0.08),
            ncols=len(KINDS),
            frameon=False,
        )
    _save(figure, path)


def save_worst(path: Path, sums: FilmSums, found: Found) -> None:
    """Draw the worst defects enlarged, as all photos' mean has them, as a PNG."""
    worst = found.defects[: _COLUMNS * _ROWS]
    rows = max(1, -(-len(worst) // _COLUMNS))
    figure = _begin(_COLUMNS * _CROP_SIDE, rows * (_CROP_SIDE + 0.45) + 0.4)
    figure.suptitle(
        f"The mean of {count(sums.n, 'photo')}, at the worst of {_tell(found)}"
        if worst
        else _tell(found),
        fontsize=10,
    )
    for place, (defect, crop) in enumerate(
        zip(worst, cut_out(sums, worst), strict=True), 1
    ):
        axes = figure.add_subplot(rows, _COLUMNS, place)
        axes.imshow(crop, interpolation="nearest")
        axes.set_axis_off()
        axes.set_title(
            f"{defect.kind}, {defect.channel}\n{defect.y}, {defect.x}; "
            f"z {defect.z:.0f}",
            fontsize=7,
        )
    _save(figure, path)


def cut_out(sums: FilmSums, defects: list[Defect]) -> list[NDArray[np.uint8]]:
    """Cut the mean of all photos around defects, each (n, n, 3) uint8; edges repeat."""
    if not defects:
        return []
    reach = np.arange(-_REACH, _REACH + 1)
    crops = np.empty((len(defects), reach.size, reach.size, 3), np.uint8)
    for channel in range(3):
        totals, _ = sums.read_channel(channel)
        height, width = totals.shape
        for crop, defect in zip(crops, defects, strict=True):
            rows = (defect.y + reach).clip(0, height - 1)
            columns = (defect.x + reach).clip(0, width - 1)
            crop[..., channel] = np.round(totals[np.ix_(rows, columns)] / sums.n)
    return list(crops)


def _tell(found: Found) -> str:
    """Say how many defects there are."""
    return count(len(found.defects), "defect") if found.defects else "No defect found"


def _begin(width: float, height: float) -> "Figure":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _save(figure: "Figure", path: Path) -> None:
    figure.savefig(path, metadata={"Software": MAKER})
