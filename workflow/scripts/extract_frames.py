"""Rule extract_frames: the sampled frames of one shard of a video, as a tarball."""

import sys
from collections import defaultdict
from fractions import Fraction
from pathlib import Path
from typing import Any

from reelbow import film, pictures
from reelbow.code import describe_versions
from reelbow.colors import find_coding
from reelbow.decoding import decode_samples
from reelbow.demuxing import AS_PLAYERS, Reading
from reelbow.errors import ReelbowError
from reelbow.job import handing_on, run
from reelbow.plain_paths import find_own_name
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
    strip_rows: int | None,
    mean_space: str,
    scratch_mb: int = 0,
    reading: Reading = AS_PLAYERS,
    go_on: bool = False,
) -> None:
    """Decode a shard's own stretch of a film into a WebDataset tarball.

    go_on : whether of a stretch that fails what can be decoded is enough
    """
    planned = read_plan(plan)
    part = find_shard(planned, shard)
    probe = film.Probe.from_json(planned["video"])
    crop = planned["crop"] and pictures.Crop.parse(planned["crop"])
    time_base = Fraction(planned["time_base"])
    # Other environments make the rest, so that the frames must say it.
    versions = describe_versions()
    others: defaultdict[str, list[int]] = defaultdict(list)
    reading = reading._replace(cut=planned["cut_pts"])
    samples = decode_samples(video, planned["keyframes"], part["pts"], reading)
    with (
        handing_on(frames, scratch_mb) as temporary,
        TarballWriter(temporary) as tarball,
    ):
        left = dict.fromkeys(range(part["n_frames"]))
        try:
            for index, decoded in samples:
                frame = part["first_frame"] + index
                about: dict[str, Any] = {"film": film_id, "frame": frame}
                jpeg = None
                if decoded.pts is not None:
                    ticks = max(decoded.pts - planned["start_pts"], 0)
                    about["time_s"] = float(ticks * time_base)
                if decoded.frame is None:
                    about["reason"] = decoded.reason
                else:
                    picture, averages = film.shape_frame(
                        decoded.frame,
                        probe,
                        crop=crop,
                        height=height,
                        strip_rows=strip_rows,
                        space=mean_space,
                    )
                    about.update(averages.to_json(), versions=versions)
                    coding = find_coding(decoded.frame, probe.coding)
                    if not coding.is_as(probe.coding):
                        about["coding"] = str(coding)
                        others[str(coding)].append(frame)
                    jpeg = pictures.encode_jpeg(picture, quality=quality)
                tarball.add(f"{frame:08d}", jpeg, about)
                left.pop(index)
        except ReelbowError as error:
            if not go_on:
                raise
            for index in left:
                frame = part["first_frame"] + index
                about = {"film": film_id, "frame": frame, "reason": str(error)}
                tarball.add(f"{frame:08d}", None, {**about, "lost": str(error)})
    for coding_of, numbers in others.items():
        print(
            f"WARNING: {len(numbers)} frames, {numbers[0]} to {numbers[-1]}, are coded "
            f"as {coding_of}, and so they were read; by its plan the film is "
            f"{probe.coding}",
            file=sys.stderr,
        )


if __name__ == "__main__":
    settings = snakemake.params.settings
    run(
        extract_frames,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        profile=bool(snakemake.resources.profile),
        video=find_own_name(Path(snakemake.input.video)),
        plan=Path(snakemake.input.plan),
        frames=Path(snakemake.output.frames),
        film_id=snakemake.wildcards.film,
        shard=snakemake.wildcards.shard,
        height=settings["height"],
        quality=settings["quality"],
        strip_rows=settings["strip_rows"],
        mean_space=settings["mean_space"],
        scratch_mb=snakemake.resources.disk_mb,
        reading=Reading(settings["stream"], settings["max_pixels"]),
        go_on=bool(snakemake.resources.go_on),
    )
