"""Rule score_cuts: how much each picture of a shard differs from the one before."""

import sys
from collections.abc import Iterator
from pathlib import Path

from reelbow.analysis.cut_scores import score_pictures
from reelbow.errors import ReelbowError
from reelbow.jobs.files import atomic_write
from reelbow.jobs.job import run
from reelbow.runs.plain_paths import find_own_name
from reelbow.shards.kinds import find_kind
from reelbow.shards.members import Member
from reelbow.shards.plan import read_plan
from reelbow.text import count


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
    go_on : whether of a damaged shard what can be read is enough
    """
    planned = read_plan(plan)
    kind = find_kind(planned)

    def read() -> Iterator[Member]:
        with kind.open_shard(
            source, planned, shard, max_pixels=max_pixels, salvage=go_on
        ) as members:
            yield from members.read_every()
            if members.damage:
                raise ReelbowError(members.damage)

    found, missing = score_pictures(read(), metric, max_pixels=max_pixels)
    if found.lost:
        if not go_on:
            raise ReelbowError(found.lost)
        print(
            f"WARNING: {found.lost}; cuts are found among "
            f"{count(len(found.scores), 'picture')} before that",
            file=sys.stderr,
        )
        if kind.files_are_shards:
            # As in databases, where it is one that was skipped.
            found = found._replace(n_pictures=found.n_pictures + 1)
    if missing:
        print(
            f"WARNING: {source}: no cut is found at {count(len(missing), 'picture')} "
            f"that cannot be read; of the first: {missing[0]}",
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
        profile=bool(snakemake.resources.profile),
        source=find_own_name(snakemake.input.source),
        plan=Path(snakemake.input.plan),
        scores=Path(snakemake.output.scores),
        shard=snakemake.wildcards.shard,
        metric=settings["metric"],
        max_pixels=settings["max_pixels"],
        go_on=bool(snakemake.resources.go_on),
    )
