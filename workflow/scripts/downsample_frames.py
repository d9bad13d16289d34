"""Rule downsample_frames: the thumbnails of one shard's frames, and their previews."""

from pathlib import Path

from reelbow.jobs.files import handing_on
from reelbow.jobs.job import run
from reelbow.runs.plain_paths import find_own_name
from reelbow.shards.batches import ThumbnailOptions
from reelbow.shards.frames import ShardFrames
from reelbow.shards.plan import read_plan
from reelbow.shards.previews import PreviewOptions, find_usual_shape, write_previews
from reelbow.shards.thumbnails import ThumbnailWriter


def downsample_frames(
    source: Path,
    plan: Path,
    thumbnails: Path,
    *,
    shard: str,
    shaping: ThumbnailOptions,
    previews: Path | None = None,
    preview_options: PreviewOptions | None = None,
    scratch_mb: int = 0,
    go_on: bool = False,
) -> None:
    """Make the frames of a shard small, whatever they are in.

    source : the film, or its file that is this shard
    previews : where the sheet of them is to be; None: nowhere
    go_on : whether of a damaged shard what can be read is enough
    """
    planned = read_plan(plan)
    with (
        ShardFrames(source, planned, shard, shaping, go_on=go_on) as shard_frames,
        handing_on(thumbnails, scratch_mb) as temporary,
        write_previews(
            previews, preview_options, find_usual_shape(planned, shaping.height)
        ) as sheet,
        ThumbnailWriter(temporary) as writer,
    ):
        for frame in shard_frames:
            writer.add(frame)
            if sheet:
                sheet.add(frame.pixels, frame.frame)
        writer.skipped = shard_frames.skipped
        writer.lost = shard_frames.lost
        writer.digest = shard_frames.digest
        writer.versions = shard_frames.versions
        writer.varies = shard_frames.varies
        writer.sums = shard_frames.sums


if __name__ == "__main__":
    settings = snakemake.params.settings
    run(
        downsample_frames,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        profile=bool(snakemake.resources.profile),
        source=find_own_name(snakemake.input.source),
        plan=Path(snakemake.input.plan),
        thumbnails=Path(snakemake.output.thumbnails),
        shard=snakemake.wildcards.shard,
        shaping=ThumbnailOptions(**settings["shaping"]),
        previews=Path(sheet) if (sheet := snakemake.output.previews) else None,
        preview_options=PreviewOptions(**found)
        if (found := settings["previews"])
        else None,
        scratch_mb=snakemake.resources.disk_mb,
        go_on=bool(snakemake.resources.go_on),
    )
