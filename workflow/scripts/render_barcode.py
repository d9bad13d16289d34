"""Rule render_barcode: one kind of barcode of one film, bare and as figures."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reelbow.barcode import draw_barcode
from reelbow.barcode.film_record import read_film
from reelbow.barcode.picture_files import drop_other_formats, save_bare
from reelbow.jobs.files import atomic_write
from reelbow.jobs.job import run


def render_barcode(
    database: Path,
    barcode: Path,
    figures: Sequence[Path],
    *,
    kind: str,
    drawing: dict[str, Any],
    go_on: bool = False,
) -> None:
    """Draw the bare barcode as a PNG of exact pixels, and each figure by its suffix.

    drawing : as `draw_barcode` takes it
    go_on : whether a film of which no frame could be read has a picture
    """
    from reelbow.barcode.caption import describe_barcode, describe_making
    from reelbow.barcode.figure import save_figure

    pixels = draw_barcode(database, kind, empty=go_on, **drawing)
    with atomic_write(barcode) as temporary:
        save_bare(pixels, temporary)

    film = read_film(database, skip_black=drawing["skip_black"])
    for figure in figures:
        with atomic_write(figure) as temporary:
            complaint = save_figure(
                pixels,
                temporary,
                title=film.title,
                subtitle=describe_barcode(film, kind),
                note=describe_making(film, kind, drawing.get("order", "share")),
                frames=film.frames,
                times_s=film.times_s,
                gap_color=drawing["gap_color"] if film.n_missing else None,
            )
        if complaint:
            print(f"WARNING: {figure}: {complaint}", file=sys.stderr)
    for dropped in drop_other_formats(barcode, figures):
        print(f"{dropped}: deleted, of a format no longer asked for", file=sys.stderr)


if __name__ == "__main__":
    run(
        render_barcode,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        database=Path(snakemake.input.database),
        barcode=Path(snakemake.output.barcode),
        figures=[Path(figure) for figure in snakemake.output.figures],
        kind=snakemake.wildcards.kind,
        drawing=snakemake.params.drawing,
        go_on=bool(snakemake.resources.go_on),
    )
