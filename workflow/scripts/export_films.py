"""Rule export_films: the table of all films."""

from collections.abc import Sequence
from pathlib import Path

from reelbow.export import tables
from reelbow.jobs.job import run


def export_films(database: Path, folder: Path, *, formats: Sequence[str]) -> None:
    """Write it into a folder, in each of the formats."""
    tables.export_films(database, folder, formats)


if __name__ == "__main__":
    run(
        export_films,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        database=Path(snakemake.input.database),
        folder=Path(snakemake.output.tables[0]).parent,
        formats=snakemake.params.settings["formats"],
    )
