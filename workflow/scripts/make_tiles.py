"""Rule make_tiles: what the previews of a shard are compared by."""

from pathlib import Path

from reelbow.jobs.files import atomic_write
from reelbow.jobs.job import run
from reelbow.mosaic.tiles import measure_tiles, save_tiles


def make_tiles(previews: Path, tiles: Path, *, aspect: tuple[int, int]) -> None:
    """Measure all previews of a shard, cut to the aspect of a tile."""
    frames, features = measure_tiles(previews, aspect)
    with atomic_write(tiles) as temporary:
        save_tiles(temporary, frames, features)


if __name__ == "__main__":
    width, height = snakemake.params.settings["aspect"]
    run(
        make_tiles,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        previews=Path(snakemake.input.previews),
        tiles=Path(snakemake.output.tiles),
        aspect=(width, height),
    )
