"""Rule make_demo_film: a little film to try Reelbow with, made and not downloaded."""

from pathlib import Path

from reelbow.jobs.files import atomic_write
from reelbow.jobs.job import run


def make_demo_film(film: Path) -> None:
    """Write the demo film."""
    from reelbow.sources import demo

    with atomic_write(film) as temporary:
        demo.make_demo_film(temporary)


if __name__ == "__main__":
    run(
        make_demo_film,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        film=Path(snakemake.output.film),
    )
