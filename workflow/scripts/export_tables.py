"""Rule export_tables: tables of a film, and swatches of its palette."""

from collections.abc import Sequence
from pathlib import Path

from reelbow.export.tables import export_film
from reelbow.jobs.job import run


def export_tables(database: Path, folder: Path, *, formats: Sequence[str]) -> None:
    """Write them into a folder, each when it is whole."""
    export_film(database, folder, formats)


if __name__ == "__main__":
    run(
        export_tables,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        database=Path(snakemake.input.database),
        folder=Path(snakemake.output.about).parent,
        formats=snakemake.params.settings["formats"],
    )
