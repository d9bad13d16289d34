"""Rule audit: whether shards that are made anew are those that there are."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from reelbow.database.verifying import compare_shards, read_shards
from reelbow.errors import ReelbowError
from reelbow.jobs.files import write_tsv
from reelbow.jobs.job import run
from reelbow.text import count


def audit(shards: Sequence[Path], anew: Sequence[Path], table: Path) -> None:
    """Compare databases of shards bit for bit, and write what differs; then fail.

    shards : {film}/palettes/{shard}.sqlite
    anew : the same, as they were made just now
    """
    rows = []
    try:
        for old, new in zip(shards, anew, strict=True):
            difference = compare_shards(old, new) or ""
            engines = [read_shards(path)[old.stem].engine for path in (old, new)]
            rows.append((old.parent.parent.name, old.stem, *engines, difference))
    finally:
        # Another audit makes them again; Snakemake leaves what a target was made of.
        for new in anew:
            new.unlink(missing_ok=True)
            with suppress(OSError):
                new.parent.rmdir()
    header = ("film", "shard", "engine", "engine_of_audit", "difference")
    write_tsv(table, header, sorted(rows, key=lambda row: not row[-1]))
    wrong = [row for row in rows if row[-1]]
    if wrong:
        film, shard, *_, difference = wrong[0]
        raise ReelbowError(
            f"{len(wrong)} of {count(len(rows), 'shard')} came out differently, the "
            f"first is {film} {shard} ({difference}); {table} lists them"
        )
    print(f"{count(len(rows), 'shard')} made anew: all the same", file=sys.stderr)


if __name__ == "__main__":
    run(
        audit,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        shards=[Path(path) for path in snakemake.input.shards],
        anew=[Path(path) for path in snakemake.input.anew],
        table=Path(snakemake.params.settings["table"]),
    )
