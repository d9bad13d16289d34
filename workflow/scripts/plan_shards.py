"""Rule plan_shards: what a film is, its sampled frames and the shards they make."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reelbow.errors import ReelbowError
from reelbow.film.demuxing import ReadOptions
from reelbow.jobs.files import atomic_write
from reelbow.jobs.job import run
from reelbow.runs.plain_paths import find_own_name
from reelbow.shards.plan import write_plan
from reelbow.sources.tarballs import plan_tarballs
from reelbow.sources.video import plan_nothing, plan_video


def plan_shards(
    video: Path | None,
    tarballs: Mapping[str, Path],
    plan: Path,
    *,
    crop: str,
    max_pixels: int,
    fault: str | None = None,
    stream: int | None = None,
    state: str = "",
    go_on: bool = False,
    **sampling: Any,
) -> None:
    """Probe a film and write its plan.

    tarballs : by the names of their shards, in the film's order
    fault : why there is nothing to probe, if that is known
    state : of what the film was when it was planned
    go_on : whether a film that cannot be read has a plan that says so
    sampling : of a video, as `plan_video` takes it
    """
    try:
        if fault:
            raise ReelbowError(fault)
        if video is None:
            planned = plan_tarballs(
                tarballs, crop=crop, max_pixels=max_pixels, go_on=go_on
            )
        else:
            reading = ReadOptions(stream, max_pixels)
            planned = plan_video(video, crop=crop, reading=reading, **sampling)
    except ReelbowError as error:
        if not go_on:
            raise
        planned = plan_nothing(str(error), crop=crop)
    planned = {"state": state, **planned}
    with atomic_write(plan) as temporary:
        write_plan(planned, temporary)


if __name__ == "__main__":
    settings = dict(snakemake.params.settings)
    tarballs = settings.pop("tarballs", {})
    # Another plan is worth it, that is all.
    settings.pop("source_state")
    run(
        plan_shards,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        video=find_own_name(Path(snakemake.input.video)) if snakemake.input else None,
        tarballs={shard: Path(tarball) for shard, tarball in tarballs.items()},
        plan=Path(snakemake.output.plan),
        go_on=bool(snakemake.resources.go_on),
        **settings,
    )
