"""Rule plan_shards: what a film is, its sampled frames and the shards they make."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reelbow.demuxing import Reading
from reelbow.errors import ReelbowError
from reelbow.job import replacing, run
from reelbow.plan import write_plan
from reelbow.planning import plan_tarballs, plan_video


def plan_shards(
    video: Path | None,
    tarballs: Mapping[str, Path],
    plan: Path,
    *,
    crop: str,
    max_pixels: int,
    fault: str | None = None,
    stream: int | None = None,
    **sampling: Any,
) -> None:
    """Probe a film and write its plan.

    tarballs : by the names of their shards, in the film's order
    fault : why there is nothing to probe, if that is known
    sampling : of a video, as `plan_video` takes it
    """
    if fault:
        raise ReelbowError(fault)
    if video is None:
        planned = plan_tarballs(tarballs, crop=crop, max_pixels=max_pixels)
    else:
        reading = Reading(stream, max_pixels)
        planned = plan_video(video, crop=crop, reading=reading, **sampling)
    with replacing(plan) as temporary:
        write_plan(planned, temporary)


if __name__ == "__main__":
    settings = dict(snakemake.params.settings)
    tarballs = settings.pop("tarballs", {})
    run(
        plan_shards,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        video=Path(snakemake.input.video) if snakemake.input else None,
        tarballs={shard: Path(tarball) for shard, tarball in tarballs.items()},
        plan=Path(snakemake.output.plan),
        **settings,
    )
