"""Rule render_posters: the posters of a film, each in its formats."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from reelbow.barcode.film_record import read_film
from reelbow.barcode.picture_files import drop_other_posters
from reelbow.barcode.poster import draw_picture, plan_poster
from reelbow.barcode.poster_files import save_poster
from reelbow.errors import ReelbowError
from reelbow.jobs.files import atomic_write
from reelbow.jobs.job import run


def render_posters(
    database: Path,
    files: Sequence[Path],
    *,
    posters: Mapping[str, Mapping[str, Any]],
    drawing: Mapping[str, Any],
    go_on: bool = False,
) -> None:
    """Draw a film's posters, each to the files that have its name.

    posters : their settings by their names, as the configuration has them
    drawing : order, skip_black, gap_color and sort_by, as `draw_barcode` takes them
    go_on : whether a film of which no frame could be read has posters
    """
    film = read_film(database, skip_black=drawing["skip_black"])
    for name, settings in posters.items():
        try:
            page = plan_poster(settings, film)
        except ReelbowError as error:
            raise ReelbowError(f"posters.{name}.{error}") from None
        pixels = draw_picture(
            page,
            database,
            settings["kind"],
            n_places=len(film.frames),
            empty=go_on,
            **drawing,
        )
        paths = [path for path in files if path.stem == name]
        with ExitStack() as stack:
            for path in paths:
                save_poster(page, pixels, stack.enter_context(atomic_write(path)))
        if page.complaint:
            print(f"WARNING: posters.{name}: {page.complaint}", file=sys.stderr)
        if film.n_missing and settings["subtitle"] is not None:
            print(
                f"WARNING: posters.{name}: {film.n_missing:,} frames are missing, "
                "which its subtitle does not say",
                file=sys.stderr,
            )
    for dropped in drop_other_posters(files[0].parent, files):
        print(f"{dropped}: deleted, no longer asked for", file=sys.stderr)


if __name__ == "__main__":
    drawing = dict(snakemake.params.drawing)
    run(
        render_posters,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        database=Path(snakemake.input.database),
        files=[Path(file) for file in snakemake.output],
        posters=drawing.pop("posters"),
        drawing=drawing,
        go_on=bool(snakemake.resources.go_on),
    )
