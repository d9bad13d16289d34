"""Rule merge_films: one database of all films."""

from pathlib import Path

from reelbow.jobs.job import run
from reelbow.runs import corpus


def merge_films(
    films: list[Path],
    palettes: Path,
    *,
    n_colors: int,
    others: list[str] | None = None,
    settings: str = "{}",
) -> None:
    """Copy the films in the order of the sheet, then those of earlier runs.

    others : the films that earlier runs made; in it are those of the same settings
    """
    before = [palettes.parent / film / "palettes.sqlite" for film in others or []]
    corpus.merge_films(films, before, palettes, settings=settings, n_colors=n_colors)


if __name__ == "__main__":
    settings = snakemake.params.settings
    run(
        merge_films,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        films=[Path(film) for film in snakemake.input.films],
        palettes=Path(snakemake.output.palettes),
        others=settings["others"],
        settings=settings["settings"],
        n_colors=settings["n_colors"],
    )
