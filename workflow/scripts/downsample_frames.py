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
    mean_space: str,
    max_pixels: int,
    missing_frames: str,
    exact_mean: bool = True,
) -> None:
    """Make the images of a tarball small, extracted ones or the user's own.

    Parameters
    ----------
    missing_frames : skip, or fail if a picture is missing or does not decode
    exact_mean : whether the averages of the user's own are of all their pixels
    """
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
                image = pictures.decode_image(
                    member.data,
                    # A reduced JPEG has nearly the same thumbnail, but other averages.
                    height=height if extracted or not exact_mean else None,
                    crop=kept,
                    crop_of=crop_of,
                    max_pixels=max_pixels,
                )
            except ReelbowError as error:
                writer.skip(member.name, str(error))
                continue
            shape = {"full": image.full, "crop": image.crop, "height": height}
            if extracted:
                # Averaged from the film's own pixels, before they became a JPEG.
                frame = member.about["frame"]
                averages = pictures.Averages.from_json(member.about)
                picture = pictures.shape_picture(image.picture, **shape)
            else:
                frame = index
                picture, averages = pictures.shape_and_average(
                    image.picture, **shape, strip_rows=None, space=mean_space
                )
            writer.add(frame, member.time_s, member.name, picture, averages)
        if writer.skipped and missing_frames == "fail":
            name, reason = writer.skipped[0]
            raise ReelbowError(
                f"{tarball}: {len(writer.skipped)} of {len(images)} pictures are "
                f"missing, the first is {name} ({reason}); mend it, or set "
                "errors.missing_frames to skip"
            )


if __name__ == "__main__":
    run(
        downsample_frames,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        # No param: switched on or off, it must not run finished shards again.
        profile=snakemake.config["profile"],
        tarball=Path(snakemake.input.tarball),
        plan=Path(snakemake.input.plan),
        thumbnails=Path(snakemake.output.thumbnails),
        height=snakemake.params.height,
        crop=snakemake.params.crop,
        mean_space=snakemake.params.mean_space,
        exact_mean=snakemake.params.exact_mean,
        max_pixels=snakemake.params.max_pixels,
        missing_frames=snakemake.params.missing_frames,
    )
