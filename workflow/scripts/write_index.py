"""Rule write_index: one page of all films, a wall of their barcodes."""

from pathlib import Path
from typing import Any

from reelbow.explorer.index_page import write_page
from reelbow.jobs.files import atomic_write
from reelbow.jobs.job import run


def write_index(
    page: Path,
    *,
    films: list[str],
    others: list[str],
    faults: dict[str, str],
    drawing: dict[str, Any],
    code: str,
) -> None:
    """Write the page of the films of this run and of earlier ones.

    What it says of films that have not changed is taken from the page as it was.
    """
    with atomic_write(page) as temporary:
        write_page(
            temporary,
            films,
            others=others,
            faults=faults,
            drawing=drawing,
            code=code,
            old=page,
        )


if __name__ == "__main__":
    settings = snakemake.params.settings
    run(
        write_index,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        page=Path(snakemake.output.page),
        films=settings["films"],
        others=settings["others"],
        faults=settings["faults"],
        drawing=settings["drawing"],
        code=snakemake.params.code,
    )
