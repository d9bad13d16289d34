"""Rule plan_shards: what a film is, its sampled frames and the shards they make."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from reelbow.errors import ReelbowError
from reelbow.jobs.files import atomic_write
from reelbow.jobs.job import run
from reelbow.jobs.stored_files import LocalCopy
from reelbow.runs.plain_paths import find_own_name
from reelbow.shards.plan import plan_nothing, write_plan


def plan_shards(
    files: Sequence[Path],
    plan: Path,
    *,
    kind: str,
    crop: str,
    fault: str | None = None,
    state: str = "",
    go_on: bool = False,
    **settings: Any,
) -> None:
    """Probe a film and write its plan.

    files : the film's, in its order
    kind : of its source; the module of this name in `sources/` plans it
    fault : why there is nothing to probe, if that is known
    state : of what the film was when it was planned
    go_on : whether a film that cannot be read has a plan that says so
    settings : as the `make_plan` of its kind takes them
    """
    source = import_module(f"reelbow.sources.{kind}")
    try:
        if fault:
            raise ReelbowError(fault)
        if isinstance(files[0], LocalCopy) and len(files) == 1:
            files[0].check()
        planned = source.make_plan(files, crop=crop, go_on=go_on, **settings)
    except ReelbowError as error:
        if not go_on:
            raise
        planned = plan_nothing(str(error), crop=crop)
    planned = {"kind": kind, "state": state, **planned}
    with atomic_write(plan) as temporary:
        write_plan(planned, temporary)


if __name__ == "__main__":
    settings = dict(snakemake.params.settings)
    # Another plan is worth it, that is all.
    settings.pop("source_state")
    # Files that are shards are no input; of those in a store some are.
    files = [Path(file) for file in settings.pop("files")]
    if urls := settings.pop("urls", []):
        copies = dict(zip(settings.pop("fetched"), snakemake.input, strict=True))
        files = [LocalCopy.of(copies.get(url, "not fetched"), url) for url in urls]
    run(
        plan_shards,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        files=files or [find_own_name(file) for file in snakemake.input],
        plan=Path(snakemake.output.plan),
        go_on=bool(snakemake.resources.go_on),
        **settings,
    )
