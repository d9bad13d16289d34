"""Rule merge_films: one database of all films."""

from pathlib import Path

from reelbow import database
from reelbow.job import replacing, run


def merge_films(films: list[Path], palettes: Path, *, n_colors: int) -> None:
    """Copy the films in the order of the sheet."""
    with replacing(palettes) as temporary:
        database.merge_films(films, temporary, n_colors=n_colors)


if __name__ == "__main__":
    settings = snakemake.params.settings
    run(
        merge_films,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        films=[Path(film) for film in snakemake.input.films],
        palettes=Path(snakemake.output.palettes),
        n_colors=settings["n_colors"],
    )
