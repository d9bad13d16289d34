"""Rule extract_frames: a shard's frames as images, for people and other tools."""

from pathlib import Path

from reelbow.jobs.files import atomic_write
from reelbow.jobs.job import run
from reelbow.pictures.drawn_png import encode_drawing
from reelbow.pictures.image_files import encode_jpeg
from reelbow.runs.plain_paths import find_own_name
from reelbow.shards.batches import ThumbnailOptions
from reelbow.shards.frames import ShardFrames
from reelbow.shards.kinds import find_kind
from reelbow.shards.plan import read_plan
from reelbow.shards.tarballs import TarballWriter


def extract_frames(
    source: Path,
    plan: Path,
    frames: Path,
    *,
    film: str,
    shard: str,
    shaping: ThumbnailOptions,
    quality: int,
    go_on: bool = False,
) -> None:
    """Write the frames of a shard into a WebDataset tarball.

    source : what the shard's pictures are in
    shaping : what becomes of them, their height above all
    quality : of the JPEGs, in [1, 100]; drawings are PNGs
    go_on : whether of a stretch that fails what can be decoded is enough
    """
    planned = read_plan(plan)
    is_drawn = find_kind(planned).is_drawn
    with (
        ShardFrames(source, planned, shard, shaping, go_on=go_on) as shard_frames,
        atomic_write(frames) as temporary,
        TarballWriter(temporary, suffix=".png" if is_drawn else ".jpg") as tarball,
    ):
        for frame in shard_frames:
            about = {"film": film, "frame": frame.frame, "time_s": frame.time_s}
            if is_drawn:
                about |= {"name": frame.name, **(frame.told or {})}
            pixels = frame.pixels
            picture = (
                encode_drawing(pixels, is_gray=planned["sketches"]["color"] == "black")
                if is_drawn
                else encode_jpeg(pixels, quality=quality)
            )
            tarball.add(f"{frame.frame:08d}", picture, about)
        for number, reason in shard_frames.missing.items():
            about = {"film": film, "frame": number, "reason": reason}
            tarball.add(f"{number:08d}", None, about)


if __name__ == "__main__":
    settings = snakemake.params.settings
    run(
        extract_frames,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        profile=bool(snakemake.resources.profile),
        source=find_own_name(snakemake.input.source),
        plan=Path(snakemake.input.plan),
        frames=Path(snakemake.output.frames),
        film=snakemake.wildcards.film,
        shard=snakemake.wildcards.shard,
        shaping=ThumbnailOptions(**settings["shaping"]),
        quality=settings["quality"],
        go_on=bool(snakemake.resources.go_on),
    )
