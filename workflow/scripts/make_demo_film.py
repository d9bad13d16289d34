"""Rule make_demo_film: a little film to try Reelbow with, made and not downloaded."""

from pathlib import Path

from reelbow.job import replacing, run


def make_demo_film(film: Path) -> None:
    """Write the demo film."""
    from reelbow import demo

    with replacing(film) as temporary:
        demo.make_demo_film(temporary)


if __name__ == "__main__":
    run(
        make_demo_film,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        film=Path(snakemake.output.film),
    )
