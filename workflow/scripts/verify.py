"""Rule verify: whether results and films are still what they were."""

import sys
from collections.abc import Sequence
from pathlib import Path

from reelbow.errors import ReelbowError
from reelbow.jobs.files import write_tsv
from reelbow.jobs.job import run
from reelbow.runs.verification import Check, verify_results
from reelbow.text import count


def verify(results: Path, table: Path, *, films: Sequence[str]) -> None:
    """Write what was verified, with what is wrong first; fail if anything is.

    films : those that are to be there
    """
    checks = sorted(verify_results(results, films), key=lambda each: not each.reason)
    write_tsv(table, Check._fields, checks)
    wrong = [each for each in checks if each.reason]
    if wrong:
        first = wrong[0]
        raise ReelbowError(
            f"{len(wrong)} of {count(len(checks), 'file')} are not what they were, the "
            f"first is {first.file} ({first.reason}); {table} lists them"
        )
    print(f"{count(len(checks), 'file')}: all are what they were", file=sys.stderr)


if __name__ == "__main__":
    settings = snakemake.params.settings
    run(
        verify,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        results=Path(settings["results"]),
        table=Path(settings["table"]),
        films=settings["films"],
    )
