"""Rule render_contact: a film's previews side by side, bare and as figures."""

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from reelbow.barcode.caption import describe_barcode, describe_making
from reelbow.barcode.contact import draw_contact
from reelbow.barcode.film_record import count_shards, find_film, read_film
from reelbow.barcode.picture_files import CONTACT_KIND, drop_other_formats, save_bare
from reelbow.database.opening import telling_damage
from reelbow.errors import ReelbowError
from reelbow.jobs.files import atomic_write
from reelbow.jobs.job import run
from reelbow.shards.sheets import open_previews, place_sheets
from reelbow.text import count


def render_contact(
    database: Path,
    previews: Sequence[Path],
    pictures: Sequence[Path],
    *,
    drawing: dict[str, Any],
) -> None:
    """Draw a film's contact sheet, and the figures of it.

    previews : sheets of its shards
    pictures : first the bare one
    drawing : skip_black as `read_film` takes it, width and gap_color as `draw_contact`
    """
    film = read_film(database, skip_black=drawing["skip_black"])
    if not len(film.frames):
        raise ReelbowError(
            f"{database} has no frames of which a sheet could be made, or skip_black "
            "leaves out all of them."
        )
    if not previews:
        raise ReelbowError(
            "A contact sheet is made of previews, but previews.height is null; give "
            "them rows, such as 72"
        )
    with telling_damage(database) as connection:
        shards = count_shards(connection, find_film(connection, database, None)[0])
    of_shards = place_sheets({path: open_previews(path) for path in previews}, shards)
    about = {key: drawing[key] for key in ("width", "gap_color")}
    sheet = draw_contact(of_shards, film.frames, **about)
    bare, *figures = pictures
    with atomic_write(bare) as temporary:
        save_bare(sheet.pixels, temporary)
    if figures:
        # Not before: it imports matplotlib.
        from reelbow.barcode.figure import save_figures

        shown = f"{count(sheet.n_cells, 'preview')} shown"
        with ExitStack() as stack:
            complaint = save_figures(
                sheet.pixels,
                [stack.enter_context(atomic_write(path)) for path in figures],
                title=film.title,
                subtitle=f"{describe_barcode(film, CONTACT_KIND)} · {shown}",
                note=describe_making(film, CONTACT_KIND, ""),
                frames=film.frames,
                times_s=film.times_s,
                gap_color=drawing["gap_color"] if sheet.n_gaps else None,
                row_starts=sheet.row_starts,
            )
        for figure in figures if complaint else []:
            print(f"WARNING: {figure}: {complaint}", file=sys.stderr)
    for dropped in drop_other_formats(bare.parent, CONTACT_KIND, pictures):
        print(f"{dropped}: deleted, no longer asked for", file=sys.stderr)


if __name__ == "__main__":
    run(
        render_contact,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        database=Path(snakemake.input.database),
        previews=[Path(path) for path in snakemake.input.previews],
        pictures=[Path(picture) for picture in snakemake.output],
        drawing=dict(snakemake.params.drawing),
    )
