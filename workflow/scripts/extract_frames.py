"""Rule extract_frames: the sampled frames of one shard of a video, as a tarball."""

from fractions import Fraction
from pathlib import Path

from reelbow import film, pictures
from reelbow.job import replacing, run
from reelbow.plan import find_shard, read_plan
from reelbow.tarball import TarballWriter


def extract_frames(
    video: Path,
    plan: Path,
    frames: Path,
    *,
    film_id: str,
    shard: str,
    height: int | None,
    quality: int,
) -> None:
    """Decode a shard's own stretch of a film into a WebDataset tarball."""
    planned = read_plan(plan)
    part = find_shard(planned, shard)
    probe = film.Probe.from_json(planned["video"])
    crop = planned["crop"] and pictures.Crop.parse(planned["crop"])
    time_base = Fraction(planned["time_base"])
    samples = film.decode_samples(video, planned["keyframes"], part["pts"])
    with replacing(frames) as temporary, TarballWriter(temporary) as tarball:
        for index, decoded in samples:
            frame = part["first_frame"] + index
            about = {
                "film": film_id,
                "frame": frame,
                "time_s": float((decoded.pts - planned["first_pts"]) * time_base),
            }
            jpeg = None
            if decoded.frame is None:
                about["reason"] = decoded.reason
            else:
                picture = film.show_frame(
                    decoded.frame, probe, crop=crop, height=height
                )
                jpeg = pictures.encode_jpeg(picture, quality=quality)
            tarball.add(f"{frame:08d}", jpeg, about)


if __name__ == "__main__":
    run(
        extract_frames,
        log=snakemake.log[0],
        video=Path(snakemake.input.video),
        plan=Path(snakemake.input.plan),
        frames=Path(snakemake.output.frames),
        film_id=snakemake.wildcards.film,
        shard=snakemake.wildcards.shard,
        height=snakemake.params.height,
        quality=snakemake.params.quality,
    )
