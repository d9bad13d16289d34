"""Rule render_barcodes: barcodes of a film, bare and as figures; of one kind or all."""

import gc
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from reelbow.barcode import draw_barcode
from reelbow.barcode.caption import describe_barcode, describe_making
from reelbow.barcode.film_record import read_film
from reelbow.barcode.picture_files import (
    digest_figures,
    drop_other_formats,
    keep_drawn,
    save_bare,
    sort_pictures,
)
from reelbow.jobs.files import atomic_write
from reelbow.jobs.job import run


def render_barcodes(
    database: Path,
    pictures: Iterable[Path],
    *,
    drawing: dict[str, Any],
    code: str = "",
    go_on: bool = False,
) -> None:
    """Draw a film's pictures, each of the kind and form that its name says.

    Figures that are there and would come out the same stay.

    drawing : as `draw_barcode` takes it
    code : a digest of what draws; of another one's figures none stays
    go_on : whether a film of which no frame could be read has pictures
    """
    film = read_film(database, skip_black=drawing["skip_black"])
    for kind, (barcode, figures) in sort_pictures(pictures).items():
        pixels = draw_barcode(database, kind, empty=go_on, **drawing)
        shown = {
            "pixels": pixels,
            "title": film.title,
            "subtitle": describe_barcode(film, kind),
            "note": describe_making(film, kind, drawing.get("order", "share")),
            "frames": film.frames,
            "times_s": film.times_s,
            "gap_color": drawing["gap_color"] if film.n_missing else None,
        }
        made_of = {**shown, "code": code}
        complaint = None
        if figures and not keep_drawn(barcode, figures, made_of):
            # To be seen while figures are drawn; so far it says nothing of them.
            with atomic_write(barcode) as temporary:
                save_bare(pixels, temporary)
            # Not before: it imports matplotlib.
            from reelbow.barcode.figure import save_figures

            with ExitStack() as stack:
                complaint = save_figures(
                    paths=[stack.enter_context(atomic_write(path)) for path in figures],
                    **shown,
                )
            for figure in figures if complaint else []:
                print(f"WARNING: {figure}: {complaint}", file=sys.stderr)
            # matplotlib's pages hold themselves, and a large one some 200 MB; its
            # modules are looked through once.
            gc.collect()
            gc.freeze()
        # What is complained of is drawn, and told, each time.
        digest = None if complaint else digest_figures(figures, made_of)
        with atomic_write(barcode) as temporary:
            save_bare(pixels, temporary, figures=digest)
        for dropped in drop_other_formats(barcode, figures):
            print(
                f"{dropped}: deleted, of a format no longer asked for", file=sys.stderr
            )


if __name__ == "__main__":
    run(
        render_barcodes,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        database=Path(snakemake.input.database),
        pictures=map(Path, snakemake.output),
        drawing=snakemake.params.drawing,
        code=snakemake.params.code,
        go_on=bool(snakemake.resources.go_on),
    )
