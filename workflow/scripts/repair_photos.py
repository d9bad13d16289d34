"""Rule repair_photos: copies of a shard's photos, with the sensor's defects mended."""

from pathlib import Path

from reelbow.analysis.defect_files import read_defects
from reelbow.analysis.photo_repair import repair_shard
from reelbow.jobs.job import run
from reelbow.runs.plain_paths import find_own_name
from reelbow.shards.kinds import find_kind
from reelbow.shards.plan import read_plan


def repair_photos(
    source: Path,
    plan: Path,
    defects: Path,
    copies: Path,
    *,
    shard: str,
    max_pixels: int,
    go_on: bool = False,
) -> None:
    """Write repaired copies into a folder of their own.

    source : the film, or its file that is this shard
    copies : the folder; originals are never written to
    go_on : whether of a damaged shard what can be read is enough
    """
    planned = read_plan(plan)
    with find_kind(planned).open_shard(
        source, planned, shard, max_pixels=max_pixels, salvage=go_on
    ) as members:
        repair_shard(members, read_defects(defects), copies, max_pixels=max_pixels)


if __name__ == "__main__":
    run(
        repair_photos,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        profile=bool(snakemake.resources.profile),
        source=find_own_name(snakemake.input.source),
        plan=Path(snakemake.input.plan),
        defects=Path(snakemake.input.defects),
        copies=Path(snakemake.output.copies),
        shard=snakemake.wildcards.shard,
        max_pixels=snakemake.params.settings["max_pixels"],
        go_on=bool(snakemake.resources.go_on),
    )
