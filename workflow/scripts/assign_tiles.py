"""Rule assign_tiles: which frame is where in a mosaic."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reelbow.errors import ReelbowError
from reelbow.jobs.files import atomic_write
from reelbow.jobs.job import run
from reelbow.mosaic.cells import write_mosaic
from reelbow.mosaic.planning import plan_mosaic
from reelbow.mosaic.target import read_target
from reelbow.runs.plain_paths import find_own_name


def assign_tiles(
    target: Path,
    films: Mapping[Path, Sequence[Path]],
    mosaic: Path,
    *,
    name: str,
    aspect: tuple[int, int],
    columns: int,
    max_pixels: int,
    planning: Mapping[str, Any],
) -> None:
    """Choose a tile for every cell of the target.

    films : of each film's database the tiles of its shards
    planning : as `plan_mosaic` takes it
    """
    try:
        planned = plan_mosaic(
            read_target(target, columns, aspect, max_pixels), films, **planning
        )
    except ReelbowError as error:
        raise ReelbowError(f"mosaics.{name}: {error}") from None
    with atomic_write(mosaic) as temporary:
        write_mosaic(temporary, planned)


if __name__ == "__main__":
    settings = dict(snakemake.params.settings)
    shards: dict[str, list[Path]] = {
        Path(database).parent.name: [] for database in snakemake.input.databases
    }
    for tiles in map(Path, snakemake.input.tiles):
        shards[tiles.parents[1].name].append(tiles)
    run(
        assign_tiles,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        target=find_own_name(snakemake.input.target),
        films={
            Path(database): shards[Path(database).parent.name]
            for database in snakemake.input.databases
        },
        mosaic=Path(snakemake.output.mosaic),
        name=snakemake.wildcards.mosaic,
        aspect=tuple(settings.pop("aspect")),
        columns=settings.pop("columns"),
        max_pixels=settings.pop("max_pixels"),
        planning=settings,
    )
