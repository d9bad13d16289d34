"""Rule write_explorer: a film's page, and the storyboard of its previews."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reelbow.explorer.film_data import read_film_data
from reelbow.explorer.film_page import link_film, make_page
from reelbow.explorer.storyboard import write_storyboard
from reelbow.jobs.files import atomic_write
from reelbow.jobs.job import run
from reelbow.shards.previews import read_sheet
from reelbow.shards.sheets import place_sheets


def write_explorer(
    database: Path,
    previews: Sequence[Path],
    page: Path,
    storyboard: Path | None,
    *,
    showing: dict[str, Any],
    films_at: str | None,
    source: str,
) -> None:
    """Write what people look at of a film.

    previews : sheets of its shards
    showing : what the page begins with, as `make_page` takes it
    films_at, source : as `link_film` takes them
    """
    data = read_film_data(database)
    sheets = place_sheets({path: read_sheet(path) for path in previews}, data.shards)
    link = link_film(data.record, page, films_at, source)
    text = make_page(data, sheets, page=page, link=link, **showing)
    with atomic_write(page) as temporary:
        temporary.write_text(text, encoding="utf-8")
    if storyboard:
        times_s = data.record.times_s
        at_s = {} if times_s is None else dict(enumerate(times_s.tolist()))
        with atomic_write(storyboard) as temporary:
            write_storyboard(temporary, sheets.items(), at_s, data.about["end_s"])


if __name__ == "__main__":
    output = snakemake.output
    run(
        write_explorer,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        database=Path(snakemake.input.database),
        previews=[Path(path) for path in snakemake.input.previews],
        page=Path(output.page),
        storyboard=Path(output.storyboard) if len(output) > 1 else None,
        **snakemake.params.settings,
    )
