"""Rule downsample_frames: the thumbnails of one shard's frames."""

from pathlib import Path

from reelbow.jobs.files import handing_on, taking_over
from reelbow.jobs.job import run
from reelbow.runs.plain_paths import find_own_name
from reelbow.shards.batches import ThumbnailOptions
from reelbow.shards.frames import ShardFrames
from reelbow.shards.plan import read_plan
from reelbow.shards.thumbnails import ThumbnailWriter


def downsample_frames(
    tarball: Path,
    plan: Path,
    thumbnails: Path,
    *,
    shaping: ThumbnailOptions,
    scratch_mb: int = 0,
    used_up: bool = False,
    go_on: bool = False,
) -> None:
    """Make the images of a tarball small, extracted ones or the user's own.

    used_up : whether the tarball is deleted when that is done
    go_on : whether of a damaged tarball what can be read is enough
    """
    with (
        taking_over(tarball, used_up=used_up),
        ShardFrames(tarball, read_plan(plan), shaping, go_on=go_on) as frames,
        handing_on(thumbnails, scratch_mb) as temporary,
        ThumbnailWriter(temporary) as writer,
    ):
        for frame in frames:
            writer.add(frame)
        writer.skipped = frames.skipped
        writer.lost = frames.lost
        writer.digest = frames.digest
        writer.versions = frames.versions
        writer.varies = frames.varies


if __name__ == "__main__":
    settings = snakemake.params.settings
    run(
        downsample_frames,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        profile=bool(snakemake.resources.profile),
        tarball=find_own_name(Path(snakemake.input.tarball)),
        plan=Path(snakemake.input.plan),
        thumbnails=Path(snakemake.output.thumbnails),
        shaping=ThumbnailOptions(**settings["shaping"]),
        scratch_mb=snakemake.resources.disk_mb,
        used_up=bool(snakemake.resources.used_up),
        go_on=bool(snakemake.resources.go_on),
    )
