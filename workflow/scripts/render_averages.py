"""Rule render_averages: the average of a film's drawings, of each word one."""

import sys
from pathlib import Path

from reelbow.barcode.average_figure import save_averages
from reelbow.jobs.files import atomic_write
from reelbow.jobs.job import run


def render_averages(database: Path, picture: Path) -> None:
    """Draw the average drawings of a film's database on a page."""
    with atomic_write(picture) as temporary:
        complaint = save_averages(database, temporary)
    if complaint:
        print(f"WARNING: {picture}: {complaint}", file=sys.stderr)


if __name__ == "__main__":
    run(
        render_averages,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        database=Path(snakemake.input.database),
        picture=Path(snakemake.output.picture),
    )
