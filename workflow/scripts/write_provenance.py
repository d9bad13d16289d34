"""Rule write_provenance: how the films were made, to cite and for machines."""

from pathlib import Path

from reelbow.jobs.job import run
from reelbow.provenance import writing


def write_provenance(database: Path, *, films: list[str], compared: list[str]) -> None:
    """Write what lies beside the database of all films, and a README of each film.

    films : those of this run
    compared : names of the comparisons that it was asked for
    """
    writing.write_provenance(database, films, compared=compared)


if __name__ == "__main__":
    run(
        write_provenance,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        database=Path(snakemake.input.database),
        **snakemake.params.settings,
    )
