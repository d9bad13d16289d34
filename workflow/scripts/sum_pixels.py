"""Rule sum_pixels: the pixels of a shard's photos, added up by their sensors."""

import sys
from collections.abc import Iterator
from pathlib import Path

from reelbow.analysis.photo_sums import sum_photos
from reelbow.errors import ReelbowError
from reelbow.jobs.files import atomic_write
from reelbow.jobs.job import run
from reelbow.runs.plain_paths import find_own_name
from reelbow.shards.kinds import find_kind
from reelbow.shards.members import Member
from reelbow.shards.plan import read_plan
from reelbow.text import count


def sum_pixels(
    source: Path,
    plan: Path,
    sums: Path,
    *,
    shard: str,
    max_pixels: int,
    go_on: bool = False,
) -> None:
    """Add up the shard's photos, as their sensors have them.

    source : the film, or its file that is this shard
    go_on : whether of a damaged shard what can be read is enough
    """
    planned = read_plan(plan)

    def read() -> Iterator[Member]:
        with find_kind(planned).open_shard(
            source, planned, shard, max_pixels=max_pixels, salvage=go_on
        ) as members:
            yield from members.read()
            if members.damage:
                raise ReelbowError(members.damage)

    found = sum_photos(read, max_pixels=max_pixels)
    if found.lost and not go_on:
        raise ReelbowError(found.lost)
    if found.lost or found.left_out:
        reasons = [*(reason for _, reason in found.left_out), found.lost]
        print(
            f"WARNING: {source}: {count(len(found.left_out), 'photo')} cannot be read; "
            f"the first reason is: {reasons[0]}",
            file=sys.stderr,
        )
    with atomic_write(sums) as temporary:
        found.save(temporary)


if __name__ == "__main__":
    settings = snakemake.params.settings
    run(
        sum_pixels,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        profile=bool(snakemake.resources.profile),
        source=find_own_name(snakemake.input.source),
        plan=Path(snakemake.input.plan),
        sums=Path(snakemake.output.sums),
        shard=snakemake.wildcards.shard,
        max_pixels=settings["max_pixels"],
        go_on=bool(snakemake.resources.go_on),
    )
