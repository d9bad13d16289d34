"""What failed in a run: a row for each shard, as a file and as a table to read."""

import csv
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from reelbow.jobs.files import atomic_write

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
    with (
        atomic_write(table) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as stream,
    ):
        writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
        writer.writerow(Failure._fields)
        for failure in failures:
            writer.writerow([" ".join(str(value).split()) for value in failure])


def read_table(table: Path = TABLE) -> list[dict[str, str]]:
    """Read the failures of the last run; none if all went well."""
    if not table.exists():
        return []
    with table.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def format_table(failures: Sequence[Failure], width: int = WIDTH) -> str:
    """Align the failures for reading: how each ended and its log are the last column.

    Parameters
    ----------
    width : of the lines, where the last column leaves at least 40 characters
    """
    head = ("film", "shard", "stage", "attempts")
    rows = [
        (failure.film or "all", failure.shard, failure.stage, str(failure.attempts))
        for failure in failures
    ]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    # A column that is empty in all rows is none.
    shown = [any(row[i] for row in rows) for i in range(len(head))]
    lines = [_align(head, widths, shown) + "how it ended, and its log"]
    for failure, row in zip(failures, rows, strict=True):
        start = _align(row, widths, shown)
        rest = max(NARROWEST, width - len(start))
        told = [
            line
            for text in (failure.ended, failure.log)
            for line in textwrap.wrap(
                text, rest, break_long_words=False, break_on_hyphens=False
            )
        ]
        margin = " " * len(start)
        lines.append(start + f"\n{margin}".join(told))
    return "\n".join(lines)


def _align(row: Sequence[str], widths: Sequence[int], shown: Sequence[bool]) -> str:
    return "".join(
        f"{value:<{width}}  "
        for value, width, there in zip(row, widths, shown, strict=True)
        if there
    )
