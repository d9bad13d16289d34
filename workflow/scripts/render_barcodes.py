"""Rule render_barcodes: barcodes of a film, bare and as figures; of one kind or all."""

import gc
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from reelbow.barcode import draw_barcode
from reelbow.barcode.film_record import read_film, read_measures
from reelbow.barcode.picture_files import (
    MEASURES_FIGURE,
    drop_other_formats,
    save_bare,
    sort_pictures,
)
from reelbow.jobs.files import atomic_write
from reelbow.jobs.job import run
from reelbow.pictures.measure_names import MEASURES


def render_barcodes(
    database: Path,
    pictures: Sequence[Path],
    *,
    drawing: dict[str, Any],
    measures: Sequence[str] = (),
    go_on: bool = False,
) -> None:
    """Draw a film's pictures, each of the kind and form that its name says.

    drawing : as `draw_barcode` takes it
    measures : what is drawn below the stacked barcode in the figure of measures
    go_on : whether a film of which no frame could be read has pictures
    """
    film = read_film(database, skip_black=drawing["skip_black"])
    folder = pictures[0].parent
    others = []
    for kind, (bare, figures) in sort_pictures(pictures).items():
        drawn = "stacked" if kind == MEASURES_FIGURE else kind
        pixels = draw_barcode(database, drawn, empty=go_on, **drawing)
        curves = []
        if kind == MEASURES_FIGURE:
            values = read_measures(database, film, measures)
            labels = [MEASURES[name].label for name in measures]
            curves = list(zip(labels, values, strict=True))
        if bare:
            with atomic_write(bare) as temporary:
                save_bare(pixels, temporary)
        if figures:
            # Not before: it imports matplotlib.
            from reelbow.barcode.caption import describe_barcode, describe_making
            from reelbow.barcode.figure import save_figures

            with ExitStack() as stack:
                complaint = save_figures(
                    pixels,
                    [stack.enter_context(atomic_write(figure)) for figure in figures],
                    title=film.title,
                    subtitle=describe_barcode(film, kind),
                    note=describe_making(film, kind, drawing.get("order", "share")),
                    frames=film.frames,
                    times_s=film.times_s,
                    gap_color=drawing["gap_color"] if film.n_missing else None,
                    curves=curves,
                )
            if complaint:
                for figure in figures:
                    print(f"WARNING: {figure}: {complaint}", file=sys.stderr)
            # matplotlib's pages hold themselves, and a large one some 200 MB; its
            # modules are looked through once.
            gc.collect()
            gc.freeze()
        others += drop_other_formats(folder, kind, figures)
    if not measures:
        others += drop_other_formats(folder, MEASURES_FIGURE, [])
    for dropped in others:
        print(f"{dropped}: deleted, no longer asked for", file=sys.stderr)


if __name__ == "__main__":
    drawing = dict(snakemake.params.drawing)
    run(
        render_barcodes,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        database=Path(snakemake.input.database),
        pictures=[Path(picture) for picture in snakemake.output],
        measures=drawing.pop("measures"),
        drawing=drawing,
        go_on=bool(snakemake.resources.go_on),
    )
