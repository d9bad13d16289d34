"""Rule compare_all: the palettes of all films compared, each with each."""

from collections.abc import Sequence
from pathlib import Path

from reelbow.analysis.comparison_files import write_matrix
from reelbow.jobs.job import run


def compare_all(
    database: Path,
    films: Sequence[str],
    *,
    comparison: Path,
    table: Path,
    matrix: Path,
    map_of_films: Path,
) -> None:
    """Compare the films of a database; write the numbers, a matrix and a map."""
    write_matrix(
        database,
        films,
        data=comparison,
        table=table,
        matrix=matrix,
        map_of_films=map_of_films,
    )


if __name__ == "__main__":
    run(
        compare_all,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        database=Path(snakemake.input.database),
        films=snakemake.params.settings["films"],
        comparison=Path(snakemake.output.comparison),
        table=Path(snakemake.output.table),
        matrix=Path(snakemake.output.matrix),
        map_of_films=Path(snakemake.output.map_of_films),
    )
