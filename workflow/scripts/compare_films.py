"""Rule compare_films: palettes, frames and barcodes of two films compared."""

from pathlib import Path

from reelbow.analysis.comparison import compare_films as compare
from reelbow.analysis.comparison_files import write_pair
from reelbow.jobs.job import run


def compare_films(first: Path, second: Path, comparison: Path, figure: Path) -> None:
    """Compare the films of two databases; write the numbers and a figure."""
    write_pair(compare(first, second), comparison, figure)


if __name__ == "__main__":
    run(
        compare_films,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        first=Path(snakemake.input.first),
        second=Path(snakemake.input.second),
        comparison=Path(snakemake.output.comparison),
        figure=Path(snakemake.output.figure),
    )
