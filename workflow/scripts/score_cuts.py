"""Rule score_cuts: how much each picture of a shard differs from the one before."""

import sys
from pathlib import Path

from reelbow.analysis.cut_scores import CutScores, score_pictures
from reelbow.errors import ReelbowError
from reelbow.jobs.files import atomic_write
from reelbow.jobs.job import run
from reelbow.runs.plain_paths import find_own_name
from reelbow.shards.kinds import find_kind
from reelbow.shards.plan import read_plan


def score_cuts(
    source: Path,
    plan: Path,
    scores: Path,
    *,
    shard: str,
    metric: str,
    max_pixels: int,
    go_on: bool = False,
) -> None:
    """Score all pictures of the shard's stretch, sampled or not.

    source : the film, or its file that is this shard
    go_on : whether a shard that cannot be read has no scores
    """
    planned = read_plan(plan)
    found, missing = CutScores.of_nothing(), []
    try:
        with find_kind(planned).open_shard(
            source, planned, shard, max_pixels=max_pixels, salvage=go_on
        ) as members:
            found, missing = score_pictures(
                members.read_every(), metric, max_pixels=max_pixels
            )
    except ReelbowError as error:
        if not go_on:
            raise
        missing = [str(error)]
    if missing:
        print(
            f"WARNING: {source}: cuts at {len(missing)} pictures are not found, the "
            f"first of which cannot be read ({missing[0]})",
            file=sys.stderr,
        )
    with atomic_write(scores) as temporary:
        found.save(temporary)


if __name__ == "__main__":
    settings = snakemake.params.settings
    run(
        score_cuts,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        source=find_own_name(Path(snakemake.input.source)),
        plan=Path(snakemake.input.plan),
        scores=Path(snakemake.output.scores),
        shard=snakemake.wildcards.shard,
        metric=settings["metric"],
        max_pixels=settings["max_pixels"],
        go_on=bool(snakemake.resources.go_on),
    )
