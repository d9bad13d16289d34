"""Rule find_source: why a film that was there cannot be read any more."""

from pathlib import Path

from reelbow.errors import ReelbowError
from reelbow.jobs.job import run


def find_source(source: Path, *, fault: str) -> None:
    """Fail, so that the film is among what failed, and all that it has stays."""
    raise ReelbowError(f"{fault}; what was made of it stays in {source.parent}")


if __name__ == "__main__":
    run(
        find_source,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        source=Path(snakemake.output.source),
        fault=snakemake.params.settings["fault"],
    )
