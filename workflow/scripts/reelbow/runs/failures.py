"""What failed in a run: a row for each shard, as a file and as a table to read."""

import csv
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from reelbow.jobs.files import write_tsv
from reelbow.text import align

# Removed after the next good run.
TABLE = Path("results") / "failed.tsv"

# What a terminal is taken to be wide; the last column is never narrower than this.
WIDTH = 100
NARROWEST = 40


class Failure(NamedTuple):
    """A shard, or another job, that failed at its last attempt."""

    film: str  # empty for what is of all films
    shard: str  # empty for what is of no shard
    stage: str  # the rule that failed
    ended: str  # how, in one sentence
    attempts: int
    log: str


def write_table(failures: Sequence[Failure], table: Path) -> None:
    """Write the failures as tab-separated values with a header."""
    rows = ([" ".join(str(value).split()) for value in each] for each in failures)
    write_tsv(table, Failure._fields, rows)


def read_table(table: Path = TABLE) -> list[dict[str, str]]:
    """Read the failures of the last run; none if all went well."""
    if not table.exists():
        return []
    with table.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def format_table(failures: Sequence[Failure]) -> str:
    """Align the failures for reading: how each ended and its log are the last column.

    A column that is empty in all rows is left out.
    """
    columns = [("film", *(each.film or "all" for each in failures))]
    if any(each.shard for each in failures):
        columns.append(("shard", *(each.shard for each in failures)))
    columns.append(("stage", *(each.stage for each in failures)))
    columns.append(("attempts", *(str(each.attempts) for each in failures)))
    head, *starts = align(list(zip(*columns, strict=True)))
    lines = [f"{head}  how it ended, and its log"]
    rest = max(NARROWEST, WIDTH - len(head) - 2)
    for failure, start in zip(failures, starts, strict=True):
        told = [
            line
            for text in (failure.ended, failure.log)
            for line in textwrap.wrap(
                text, rest, break_long_words=False, break_on_hyphens=False
            )
        ]
        lines.append(f"{start}  " + ("\n" + " " * (len(head) + 2)).join(told))
    return "\n".join(lines)
