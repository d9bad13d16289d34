"""Rule index_colors: the index by which frames are found by color, over all films."""

import sys
from pathlib import Path

from reelbow.database.color_index import write_index
from reelbow.jobs.job import run


def index_colors(database: Path, index: Path) -> None:
    """Read films that are new or changed; take the others from the old index."""
    print(f"films read: {write_index(database, index)}", file=sys.stderr)


if __name__ == "__main__":
    run(
        index_colors,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        database=Path(snakemake.input.database),
        index=Path(snakemake.output.index),
    )
