"""Maps of a mosaic: where it differs from its target, and which tiles come again."""

from collections import Counter
from pathlib import Path

import numpy as np

from reelbow.barcode.picture_files import MAKER
from reelbow.mosaic.cells import Mosaic
from reelbow.mosaic.target import Aspect

# Of the wider side, in inches.
_SIDE = 6.0


def save_maps(mosaic: Mosaic, path: Path, aspect: Aspect) -> None:
    """Draw both maps side by side, as a PNG.

    aspect : (width, height) of a cell, as a ratio
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shape = (mosaic.rows, mosaic.columns)
    differences = np.array([cell.difference for cell in mosaic.cells]).reshape(shape)
    uses = Counter((cell.film, cell.frame) for cell in mosaic.cells)
    counts = np.array([uses[cell.film, cell.frame] for cell in mosaic.cells])
    high = mosaic.rows * aspect[1] / (mosaic.columns * aspect[0])
    figure = Figure(figsize=(2 * _SIDE, _SIDE * high + 1.6), dpi=120)
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    for axes, values, title, unit in [
        (left, differences, "Difference from the target", "OKLab"),
        (right, counts.reshape(shape), "How often each frame is used", "cells"),
    ]:
        image = axes.imshow(
            values, cmap="cividis", vmin=0 if axes is left else 1, aspect="auto"
        )
        axes.set_title(title)
        axes.set_axis_off()
        axes.set_box_aspect(high)
        bar = figure.colorbar(image, ax=axes, orientation="horizontal", pad=0.03)
        bar.set_label(unit)
    figure.savefig(path, bbox_inches="tight", metadata={"Software": MAKER})
