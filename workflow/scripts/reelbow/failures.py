"""What failed in a run: a row for each shard, as a file and as a table to read."""

import csv
import errno
import os
import re
import shutil
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from .gpu import ADVICE
from .job import ERROR_MARK, replacing

# Removed after the next good run.
TABLE = Path("results") / "failed.tsv"

# What a terminal is taken to be wide; the last column is never narrower than this.
WIDTH = 100
NARROWEST = 40

NO_GPU = "it was given no GPU, or its job there never began"

SILENT = "was killed, or ended without saying why"

# With less room on the disk, in bytes, a job cannot even say that there is none.
LEAST_ROOM = 1 << 20


class Failure(NamedTuple):
    """A shard, or another job, that failed at its last attempt."""

    film: str  # empty for what is of all films
    shard: str  # empty for what is of no shard
    stage: str  # the rule that failed
    ended: str  # how, in one sentence
    attempts: int
    log: str


def explain_log(text: str) -> str | None:
    """Say how a job ended by its log, if it says so.

    That is its own sentence, or the last line of a traceback.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    for line in reversed(lines):
        if line.startswith(ERROR_MARK):
            return line.removeprefix(ERROR_MARK)
    if "Traceback (most recent call last):" in text and re.match(r"[\w.]+", lines[-1]):
        return f"failed unexpectedly: {lines[-1]}"
    return None


def explain_fallback(log: Path) -> str:
    """Say why a CPU does what was a GPU's, by the log of the attempt there."""
    if not log.exists():
        return NO_GPU
    reason = explain_log(read_log(log)) or f"the attempt there {SILENT}"
    # That advice has been taken.
    return reason.removesuffix(f"; {ADVICE}")


def explain_silence(folder: Path) -> str:
    """Say what is known of a job that has left no word in its folder."""
    if shutil.disk_usage(folder).free < LEAST_ROOM:
        return f"{os.strerror(errno.ENOSPC)}, not even for its log"
    return SILENT


def read_log(log: Path) -> str:
    """Read a log, whatever C libraries wrote into it; nothing if there is none."""
    try:
        return log.read_bytes().decode(errors="replace")
    except OSError:
        return ""


def write_table(failures: Sequence[Failure], table: Path) -> None:
    """Write the failures as tab-separated values with a header."""
    with (
        replacing(table) as temporary,
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
