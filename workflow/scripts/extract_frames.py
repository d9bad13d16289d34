"""Rule extract_frames: the sampled frames of one shard of a video, as a tarball."""

import sys
from collections import defaultdict
from fractions import Fraction
from pathlib import Path
from typing import Any

from reelbow.errors import ReelbowError
from reelbow.film.coding import find_coding
from reelbow.film.decoding import decode_samples
from reelbow.film.demuxing import AS_PLAYERS, ReadOptions
from reelbow.film.probe import Probe
from reelbow.film.view import shape_frame
from reelbow.jobs.files import handing_on
from reelbow.jobs.job import run
from reelbow.machine.versions import describe_versions
from reelbow.pictures.geometry import Crop
from reelbow.pictures.image_files import encode_jpeg
from reelbow.runs.plain_paths import find_own_name
from reelbow.shards.plan import find_shard, read_plan
from reelbow.shards.tarball import TarballWriter


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
    reading: ReadOptions = AS_PLAYERS,
    go_on: bool = False,
) -> None:
    """Decode a shard's own stretch of a film into a WebDataset tarball.

    go_on : whether of a stretch that fails what can be decoded is enough
    """
    planned = read_plan(plan)
    part = find_shard(planned, shard)
    probe = Probe.from_json(planned["video"])
    crop = planned["crop"] and Crop.parse(planned["crop"])
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
                    picture, averages = shape_frame(
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
                    jpeg = encode_jpeg(picture, quality=quality)
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
        reading=ReadOptions(settings["stream"], settings["max_pixels"]),
        go_on=bool(snakemake.resources.go_on),
    )
