"""Rule merge_sums: a film's photos added up, for the sensor that took the most."""

from collections.abc import Sequence
from pathlib import Path

from reelbow.analysis import sensor_sums
from reelbow.jobs.files import atomic_write
from reelbow.jobs.job import run


def merge_sums(shards: Sequence[Path], sums: Path, *, go_on: bool = False) -> None:
    """Add up the sums of all shards.

    shards : their sums, in the order of the film
    go_on : whether of damaged shards what can be read is enough
    """
    with atomic_write(sums) as temporary:
        sensor_sums.merge_sums(
            shards,
            [path.name.removesuffix(".npz") for path in shards],
            temporary,
            go_on=go_on,
        )


if __name__ == "__main__":
    run(
        merge_sums,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        shards=[Path(path) for path in snakemake.input.shards],
        sums=Path(snakemake.output.sums),
        go_on=bool(snakemake.resources.go_on),
    )
