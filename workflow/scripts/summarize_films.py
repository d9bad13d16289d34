"""Rule summarize_films: tables of all films and of the pictures that were skipped."""

from pathlib import Path

from reelbow.database.tables import write_tables
from reelbow.jobs.job import run


def summarize_films(database: Path, films: Path, skipped: Path) -> None:
    """Write both as tab-separated values with a header."""
    write_tables(database, films=films, skipped=skipped)


if __name__ == "__main__":
    run(
        summarize_films,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        database=Path(snakemake.input.database),
        films=Path(snakemake.output.films),
        skipped=Path(snakemake.output.skipped),
    )
