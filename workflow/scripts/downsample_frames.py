"""Rule downsample_frames: the thumbnails of one shard's frames."""

from pathlib import Path

from reelbow import pictures
from reelbow.errors import ReelbowError
from reelbow.job import replacing, run
from reelbow.plan import read_plan
from reelbow.tarball import FrameTarball
from reelbow.thumbnails import ThumbnailWriter


def downsample_frames(
    tarball: Path,
    plan: Path,
    thumbnails: Path,
    *,
    height: int | None,
    crop: str | None,
) -> None:
    """Make the images of a tarball small, extracted ones or the user's own."""
    planned = read_plan(plan)
    extracted = planned["video"] is not None
    kept = crop and pictures.Crop.parse(crop)
    crop_of = (planned["height"], planned["width"])
    with (
        FrameTarball(tarball) as images,
        replacing(thumbnails) as temporary,
        ThumbnailWriter(temporary) as writer,
    ):
        for index, member in enumerate(images.read()):
            if member.data is None:
                writer.skip(member.name, member.reason)
                continue
            try:
                picture = pictures.load_image(
                    member.data, height=height, crop=kept, crop_of=crop_of
                )
            except ReelbowError as error:
                writer.skip(member.name, str(error))
                continue
            frame = member.about["frame"] if extracted else index
            writer.add(frame, member.time_s, member.name, picture)


if __name__ == "__main__":
    run(
        downsample_frames,
        log=snakemake.log[0],
        tarball=Path(snakemake.input.tarball),
        plan=Path(snakemake.input.plan),
        thumbnails=Path(snakemake.output.thumbnails),
        height=snakemake.params.height,
        crop=snakemake.params.crop,
    )
