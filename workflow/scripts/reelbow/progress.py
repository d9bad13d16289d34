"""What the user sees of a run: refusals, the time left, and how it ended."""

import logging
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from . import database
from .job import ERROR_MARK

# Seconds between two lines: more than a glance, less than a doubt.
INTERVAL_S = 5.0

# What Snakemake says of its own housekeeping: two lines a shard or film.
HOUSEKEEPING = (
    "Removing temporary output",
    "DAG of jobs will be updated",
    "Updating checkpoint dependencies",
)

# What Snakemake says at the end of a run in which jobs failed.
NOTHING_NEW = (
    "Exiting because a job execution failed. Look above for error messages",
    "At least one job did not complete successfully.",
)


def refuse(sentence: str) -> NoReturn:
    """End before any job has started: one sentence, exit status 1."""
    print(f"Reelbow: {sentence}", file=sys.stderr)
    sys.exit(1)


class Progress(logging.Handler):
    """Follows a run by the events in its log records.

    It logs how many jobs are done and about how long the rest will take, and keeps
    which jobs failed.
    """

    def __init__(self, logger: logging.Logger) -> None:
        super().__init__()
        self.logger = logger
        self.started_at: float | None = None
        self.told_at = 0.0
        self.jobs: dict[int, dict[str, Any]] = {}
        self.failed: dict[int, str] = {}
        logger.addHandler(self)
        logger.addFilter(self._has_news)

    def emit(self, record: logging.LogRecord) -> None:
        """Take note of an event; other records are none of its business."""
        about = record.__dict__
        match str(about.get("event")):
            case "job_info":
                self.started_at = self.started_at or time.monotonic()
                self.jobs[about["jobid"]] = about
            case "job_error":
                self.failed[about["jobid"]] = self._explain(about["jobid"])
            case "job_finished":
                self.failed.pop(about["job_id"], None)
            case "progress":
                self._tell(about["done"], about["total"])

    def _has_news(self, record: logging.LogRecord) -> bool:
        """Whether a record tells more than the failed job's log and `tell_failure` do.

        A job that was killed says so in its CalledProcessError only: that one stays.
        """
        text = record.getMessage()
        if text.startswith(HOUSEKEEPING):
            return False
        if "CalledProcessError" in text:
            return not text.rstrip().endswith("returned non-zero exit status 1.")
        return not (self.failed and text.endswith(NOTHING_NEW))

    def _tell(self, done: int, total: int) -> None:
        now = time.monotonic()
        if self.started_at is None or not done or now - self.told_at < INTERVAL_S:
            return
        self.told_at = now
        left_s = (now - self.started_at) / done * (total - done)
        failed = f", {len(self.failed)} failed" if self.failed else ""
        self.logger.info(
            f"{done} of {total} jobs done{failed}, about {format_time(left_s)} left"
        )

    def _explain(self, jobid: int) -> str:
        """Say which job failed, and why if its log says so."""
        job = self.jobs.get(jobid, {})
        name = " ".join([job.get("rule_name", "a job"), *_values(job)])
        for log in job.get("log") or []:
            path = Path(log)
            text = path.read_bytes() if path.exists() else b""
            lines = text.decode(errors="replace").splitlines()
            sentences = [line for line in lines if line.startswith(ERROR_MARK)]
            if sentences:
                return f"{name}: {sentences[-1].removeprefix(ERROR_MARK)} (log: {log})"
            return f"{name}: see {log}"
        return name

    def tell_success(self, films: Iterable[str]) -> None:
        """Say where the results are."""
        if {job.get("rule_name") for job in self.jobs.values()} <= {"profile_run"}:
            return
        names = list(films)
        _warn_of_skipped(names)
        where = names[0] if len(names) == 1 else "FILM"
        print(
            f"\nReelbow: the barcodes are in results/{where}/barcodes/, "
            "the palettes in results/palettes.sqlite.",
            file=sys.stderr,
        )

    def tell_failure(self, films: Iterable[str]) -> None:
        """Say what failed and how to go on."""
        if not self.failed:
            return
        _warn_of_skipped(films)
        print(f"\nReelbow: {len(self.failed)} failed:", file=sys.stderr)
        for sentence in self.failed.values():
            print(f"  {sentence}", file=sys.stderr)
        print(
            "All that does not need it is done. Mend the cause and give the same "
            "command again: only what is missing will run.",
            file=sys.stderr,
        )


def _warn_of_skipped(films: Iterable[str]) -> None:
    """Say of which films pictures are missing."""
    for film in films:
        path = Path("results") / film / "palettes.sqlite"
        if not path.exists():
            continue
        n_skipped, n_frames, first = database.count_skipped(path)
        if n_skipped:
            print(
                f"\nReelbow: film {film}: {n_skipped} of {n_frames + n_skipped} "
                f"pictures are missing ({first}, ...); the table skipped of {path} "
                "has them all.",
                file=sys.stderr,
            )


def _values(job: dict[str, Any]) -> list[str]:
    wildcards = job.get("wildcards") or {}
    return [str(value) for value in dict(wildcards).values()]


def format_time(seconds: float) -> str:
    """Write a time as h:mm:ss, or m:ss below an hour."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
