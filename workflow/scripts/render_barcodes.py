"""Rule render_barcodes: barcodes of a film, bare and as figures; of one kind or all."""

import gc
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from reelbow.barcode import draw_barcode
from reelbow.barcode.caption import describe_barcode, describe_making
from reelbow.barcode.drawing import MAX_SIDE, draw_parts
from reelbow.barcode.film_record import read_film, read_measures
from reelbow.barcode.picture_files import (
    FIGURES_ALONE,
    MEASURES_FIGURE,
    SHOTS_FIGURE,
    SORTED_KIND,
    digest_figures,
    drop_other_formats,
    keep_drawn,
    save_bare,
    save_wide,
    sort_pictures,
)
from reelbow.barcode.shapes import Shape
from reelbow.barcode.shot_marks import read_shot_marks
from reelbow.barcode.smoothing import smooth_in_time
from reelbow.jobs.files import atomic_write
from reelbow.jobs.job import run
from reelbow.pictures.measure_names import MEASURES


def render_barcodes(
    database: Path,
    pictures: Sequence[Path],
    *,
    drawing: dict[str, Any],
    measures: Sequence[str] = (),
    shots: bool = False,
    smooth: float = 0,
    shape: dict[str, Any] | None = None,
    code: str = "",
    go_on: bool = False,
) -> None:
    """Draw a film's pictures, each of the kind and form that its name says.

    Figures that are there and would come out the same stay.

    pictures : a bare one that is a TIFF has all columns, also more than 32,768, which
        its figures have at most
    drawing : as `draw_barcode` takes it; its width may also be "frames": one column per
        frame, however many
    measures : what is drawn below the stacked barcode in the figure of measures
    shots : whether their borders are drawn in figures, and a figure of their lengths
    smooth : seconds within which columns are blended, but not across known cuts
    shape : what bare pictures and their figures are bent into, as `Shape` takes it;
        None: they are lines
    code : a digest of what draws; of another one's figures none stays
    go_on : whether a film of which no frame could be read has pictures
    """
    width = drawing["width"]
    wide = {**drawing, "width": None if width == "frames" else width}
    narrow = {**wide, "width": wide["width"] and min(wide["width"], MAX_SIDE)}
    film = read_film(database, skip_black=drawing["skip_black"])
    marks = read_shot_marks(database, film) if shots else None
    bent = Shape(**shape, minutes=film.minutes) if shape else None
    folder = pictures[0].parent
    others = []
    for kind, (bare, figures) in sort_pictures(pictures).items():
        drawn = "stacked" if kind in FIGURES_ALONE else kind
        pixels = draw_barcode(database, drawn, empty=go_on, **narrow)
        in_time = kind != SORTED_KIND
        if in_time:
            pixels = smooth_in_time(
                pixels, smooth, film, shots=marks, gap_color=drawing["gap_color"]
            )
        order = drawing.get("order" if in_time else "sort_by")
        shown = {
            "pixels": pixels,
            "title": film.title,
            "subtitle": describe_barcode(film, kind, marks),
            "note": describe_making(film, kind, order or "luminance", smooth),
            "frames": film.frames,
            "times_s": film.times_s,
            "gap_color": drawing["gap_color"] if film.n_missing and in_time else None,
            "in_time": in_time,
        }
        if marks is not None:
            shown["borders"] = marks.borders
        if kind == SHOTS_FIGURE:
            shown["shots"] = marks
        if kind == MEASURES_FIGURE:
            labels = [MEASURES[name].label for name in measures]
            values = read_measures(database, film, measures)
            shown["curves"] = list(zip(labels, values, strict=True))
        is_wide = bare is not None and bare.suffix == ".tif"
        made_of = {**shown, "shape": shape if bare else None, "code": code}
        complaint = None
        if figures and not (bare and keep_drawn(bare, figures, made_of)):
            if bare and not is_wide:
                # To be seen while figures are drawn; so far it says nothing of them.
                with atomic_write(bare) as temporary:
                    save_bare(pixels, temporary, shape=bent)
            # Not before: it imports matplotlib.
            from reelbow.barcode.figure import save_figures

            with ExitStack() as stack:
                paths = [stack.enter_context(atomic_write(path)) for path in figures]
                complaint = save_figures(
                    paths=paths, shape=bent if bare else None, **shown
                )
            for figure in figures if complaint else []:
                print(f"WARNING: {figure}: {complaint}", file=sys.stderr)
            # matplotlib's pages hold themselves, and a large one some 200 MB; its
            # modules are looked through once.
            gc.collect()
            gc.freeze()
        if bare:
            # What is complained of is drawn, and told, each time.
            digest = None if complaint else digest_figures(figures, made_of)
            with atomic_write(bare) as temporary:
                if is_wide:
                    parts = draw_parts(database, drawn, empty=go_on, **wide)
                    save_wide(parts, temporary, figures=digest)
                else:
                    save_bare(pixels, temporary, shape=bent, figures=digest)
        others += drop_other_formats(
            folder, kind, [*figures, *([bare] if bare else [])]
        )
    for kind, is_asked in ((MEASURES_FIGURE, measures), (SHOTS_FIGURE, shots)):
        if not is_asked:
            others += drop_other_formats(folder, kind, [])
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
        shots=drawing.pop("shots"),
        smooth=drawing.pop("smooth", 0),
        shape=drawing.pop("shape", None),
        drawing=drawing,
        code=snakemake.params.code,
        go_on=bool(snakemake.resources.go_on),
    )
