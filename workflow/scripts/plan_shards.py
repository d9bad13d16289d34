"""Rule plan_shards: what a film is, its sampled frames and the shards they make."""

from pathlib import Path

from reelbow.demuxing import Reading
from reelbow.errors import ReelbowError
from reelbow.job import replacing, run
from reelbow.plan import write_plan
from reelbow.planning import plan_tarballs, plan_video


def plan_shards(
    video: Path | None,
    tarballs: list[Path],
    plan: Path,
    *,
    mode: str,
    every: float,
    start_s: float,
    end_s: float | None,
    per_shard: int,
    crop: str,
    stream: int | None,
    max_pixels: int,
    fault: str | None = None,
) -> None:
    """Probe a film and write its plan.

    fault : why there is nothing to probe, if that is known
    """
    if fault:
        raise ReelbowError(fault)
    if video is None:
        planned = plan_tarballs(tarballs, crop=crop, max_pixels=max_pixels)
    else:
        planned = plan_video(
            video,
            mode=mode,
            every=every,
            start_s=start_s,
            end_s=end_s,
            per_shard=per_shard,
            crop=crop,
            reading=Reading(stream, max_pixels),
        )
    with replacing(plan) as temporary:
        write_plan(planned, temporary)


if __name__ == "__main__":
    run(
        plan_shards,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        video=Path(snakemake.input.video) if snakemake.input else None,
        tarballs=[Path(tarball) for tarball in snakemake.params.tarballs],
        plan=Path(snakemake.output.plan),
        mode=snakemake.params.mode,
        every=snakemake.params.every,
        start_s=snakemake.params.start_s,
        end_s=snakemake.params.end_s,
        per_shard=snakemake.params.per_shard,
        crop=snakemake.params.crop,
        stream=snakemake.params.stream,
        max_pixels=snakemake.params.max_pixels,
        fault=snakemake.params.fault,
    )
