"""Rule export_tables: tables of a film, swatches of its palette, and its shots."""

import sys
from collections.abc import Sequence
from pathlib import Path

from reelbow.export.tables import export_film
from reelbow.jobs.job import run


def export_tables(
    database: Path, folder: Path, *, formats: Sequence[str], shots: bool = False
) -> None:
    """Write them into a folder, each when it is whole.

    shots : whether there are to be tables, swatches and markers of shots
    """
    for complaint in export_film(database, folder, formats, shots=shots):
        print(f"WARNING: {folder}: {complaint}", file=sys.stderr)


if __name__ == "__main__":
    run(
        export_tables,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        database=Path(snakemake.input.database),
        folder=Path(snakemake.output.about).parent,
        **snakemake.params.settings,
    )
