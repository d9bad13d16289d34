"""What the user sees of a run: refusals, the time left, and how it ended."""

import logging
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from . import database, slurm
from .errors import ReelbowError
from .failures import (
    TABLE,
    Failure,
    explain_log,
    explain_silence,
    format_table,
    read_log,
    write_table,
)

# Seconds between two lines: more than a glance, less than a doubt.
INTERVAL_S = 5.0
# The same for a run of hours, whose output is often a file.
SLURM_INTERVAL_S = 30.0

# What of a table of failures can be read at the end of a run.
MOST_ROWS = 20

# The rules of a shard, in their order; on Slurm they are one job.
STAGES = ("extract_frames", "downsample_frames", "cluster_shard")

# What Snakemake says of its own housekeeping: some lines a shard or film.
HOUSEKEEPING = (
    "Removing temporary output",
    "DAG of jobs will be updated",
    "Updating checkpoint dependencies",
    # The old one stays; the end of the run tells.
    "Restored previous version of",
)

# What is said of each job that is submitted; failed ones are told with their logs.
SUBMISSION = ("Auto-selected partition", "Trying to restart job", "Group job")
SUBMITTED = " has been submitted with SLURM jobid "

# What Snakemake says at the end of a run in which jobs failed.
NOTHING_NEW = (
    "Exiting because a job execution failed. Look above for error messages",
    "At least one job did not complete successfully.",
)

LOCKED = (
    "another run is going on in this folder, or one was killed here. If none is going "
    "on, give the same command with --unlock added, and then the same command again: "
    "it goes on where the killed run was."
)


def refuse(sentence: str) -> NoReturn:
    """End before any job has started: one sentence, exit status 1."""
    tell(sentence)
    sys.exit(1)


def tell(sentence: str) -> None:
    """Say something to the user, whatever Snakemake's logger shows."""
    write(f"Reelbow: {sentence}")


def write(text: str) -> None:
    """Write to the user's terminal, at once: the logger does so in another thread."""
    sys.stderr.write(f"{text}\n")


@dataclass
class Job:
    """A job as its last attempt began."""

    rule: str
    wildcards: dict[str, str]
    logs: list[Path]
    # When each log was last written before: one of an earlier attempt tells nothing.
    logs_before: list[int | None] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, ...]:
        """What fails as one: a shard, or else a job."""
        if self.rule in STAGES:
            return self.wildcards.get("film", ""), self.wildcards.get("shard", "")
        return self.rule, *self.wildcards.values()

    def find_logs(self) -> list[Path]:
        """Find the logs that this attempt has opened."""
        return [
            log
            for log, before in zip(self.logs, self.logs_before, strict=True)
            if _find_time(log) not in (None, before)
        ]


class Progress(logging.Handler):
    """Follows a run by the events in its log records.

    It logs how many shards are done and about how long the rest will take, and keeps
    what failed. Of Snakemake's workflow it asks which jobs are left. On Slurm it takes
    jobs back that have waited for a GPU for too many minutes.
    """

    def __init__(
        self,
        logger: logging.Logger,
        workflow: Any = None,
        gpu_wait_min: float | None = None,
    ) -> None:
        super().__init__()
        self.logger = logger
        self.workflow = workflow
        self.gpu_wait_min = gpu_wait_min
        # Ids of jobs that waited too long.
        self.late: set[str] = set()
        self.on_slurm = False
        self.started_at: float | None = None
        self.told_at = 0.0
        self.told = ""
        self.n_jobs = 0, 0
        self.n_frames = 0
        self.jobs: dict[int, Job] = {}
        self.done: set[tuple[str, ...]] = set()
        self.running: set[int] = set()
        self.attempts: Counter[tuple[str, ...]] = Counter()
        self.failed: dict[tuple[str, ...], Failure] = {}
        # Jobs whose failure was told with that of their group.
        self.explained: set[int] = set()
        # On a cluster's nodes nobody looks on, and Slurm's log has all that is said.
        if workflow is None or not workflow.remote_exec:
            logger.addHandler(self)
            logger.addFilter(self._has_news)

    def start(self) -> None:
        """Begin a run, which has the folder's lock by now."""
        self.on_slurm = self.workflow.executor_plugin.name == "slurm"
        if self.on_slurm:
            slurm.prepare_executor(self.look)
        # Nothing that runs here alone, as the table of a run, disturbs another run.
        if self.on_slurm and not all(
            job.is_local for job in self.workflow.dag.needrun_jobs()
        ):
            try:
                found = end_dead_run(Path.cwd())
            except ReelbowError as error:
                refuse(str(error))
            if found:
                # Dying jobs took away files that this run had counted as done.
                refuse("now give the same command again.")

    def look(self, gpu_jobs: list[str]) -> None:
        """Look after a run on Slurm, now and then."""
        # Shards take long: what changes in the queue is news too.
        self._tell(*self.n_jobs)
        if gpu_jobs and self.gpu_wait_min is not None:
            try:
                self._give_up_gpus(gpu_jobs, 60 * self.gpu_wait_min)
            except ReelbowError as error:
                # A busy controller; the next look will do.
                self.logger.debug(f"jobs that wait for a GPU: {error}")

    def _give_up_gpus(self, job_ids: list[str], longest_s: float) -> None:
        """Cancel jobs that wait too long: their next attempt asks for no GPU."""
        late = slurm.find_late(job_ids, longest_s)
        if late:
            self.late.update(late)
            slurm.cancel_waiting(late)

    def emit(self, record: logging.LogRecord) -> None:
        """Take note of an event; other records are none of its business."""
        about = record.__dict__
        match str(about.get("event")):
            case "job_info":
                self._begin(about)
            case "job_error":
                self._fail([about["jobid"]], about)
            case "job_finished":
                self._finish(about["job_id"])
            case "progress":
                self._tell(about["done"], about["total"])

    def _has_news(self, record: logging.LogRecord) -> bool:
        """Whether a record tells more than the failed job's log and `tell_failure` do.

        A job that was killed says so in its CalledProcessError only: that one stays.
        """
        about = record.__dict__
        event, text = str(about.get("event")), record.getMessage()
        if about.get("exception") == "LockException":
            tell(LOCKED)
            return False
        if event == "group_error":
            # Snakemake shows the logs of the group and of all its jobs: some 200 lines.
            self._fail_group(about)
            return False
        if event == "job_error" and about["jobid"] in self.explained:
            self.explained.discard(about["jobid"])
            return False
        if event == "job_error" and self.on_slurm:
            self._fail_job(about)
            return False
        if text.startswith(HOUSEKEEPING):
            return False
        if self.on_slurm and (text.startswith(SUBMISSION) or SUBMITTED in text):
            return False
        if text.startswith("Nothing to be done"):
            self._forget_failures()
        if "CalledProcessError" in text:
            return not text.rstrip().endswith("returned non-zero exit status 1.")
        return not (self.failed and text.endswith(NOTHING_NEW))

    def _begin(self, about: dict[str, Any]) -> None:
        logs = [Path(log) for log in about.get("log") or []]
        wildcards = {
            name: str(value)
            for name, value in dict(about.get("wildcards") or {}).items()
        }
        job = Job(
            about["rule_name"], wildcards, logs, [_find_time(log) for log in logs]
        )
        self.jobs[about["jobid"]] = job
        self.running.add(about["jobid"])
        self.failed.pop(job.key, None)
        if job.rule in STAGES:
            self.started_at = self.started_at or time.monotonic()

    def _finish(self, jobid: int) -> None:
        self.running.discard(jobid)
        job = self.jobs.get(jobid)
        if job is None:
            return
        self.failed.pop(job.key, None)
        self.done.add((job.rule, *job.wildcards.values()))
        if job.rule == STAGES[-1]:
            path = Path("results", job.key[0], "palettes", f"{job.key[1]}.sqlite")
            try:
                self.n_frames += database.count_skipped(path)[1]
            except (ReelbowError, OSError):
                # The merge looks into it; here it is only counted.
                self.logger.debug(f"{path}: frames not counted")

    def _fail(
        self, jobids: Sequence[int], about: dict[str, Any], ended: str | None = None
    ) -> Failure:
        """Take note of a failed attempt of a job, or of a group's jobs.

        The guilty one says so in its log; else it is the last that began.
        """
        self.running.difference_update(jobids)
        unknown = Job(str(about.get("rule_name", "a job")), {}, [])
        jobs = [self.jobs.get(jobid, unknown) for jobid in jobids]
        jobs.sort(key=lambda job: STAGES.index(job.rule) if job.rule in STAGES else 0)
        begun = [job for job in jobs if job.find_logs()]
        reasons = {
            index: reason
            for index, job in enumerate(begun)
            if (reason := explain_log("".join(map(read_log, job.find_logs()))))
        }
        index = min(reasons, default=-1)
        guilty = begun[index] if begun else jobs[0]
        # On a cluster a job that did not begin has only the cluster's log, if any.
        logs = guilty.find_logs() or about.get("aux_logs", guilty.logs)
        key = guilty.key
        self.attempts[key] += 1
        how = ended or reasons.get(index) or explain_silence(Path.cwd())
        failure = Failure(
            guilty.wildcards.get("film", ""),
            guilty.wildcards.get("shard", ""),
            guilty.rule,
            how.replace("RULE:", f"{guilty.rule}:"),
            self.attempts[key],
            os.path.relpath(logs[0]) if logs else "",
        )
        self.failed[key] = failure
        return failure

    def _fail_group(self, about: dict[str, Any]) -> None:
        """Take note of a group's failure; its jobs' come right after."""
        jobids = [info["jobid"] for info in about["job_error_info"]]
        self.explained.update(jobids)
        logs = [log for log in about["aux_logs"] if log]
        group = {"rule_name": about["groupid"], "aux_logs": logs}
        self._fail_away(jobids, {**about, **group})

    def _fail_job(self, about: dict[str, Any]) -> None:
        """Take note of the failure of a job that is one by itself at Slurm."""
        job = self.jobs.get(about["jobid"])
        own = [str(log) for log in job.logs] if job else []
        logs = [log for log in about["log"] or [] if log and log not in own]
        rule = {"rule_name": about["rule_name"], "aux_logs": logs}
        self._fail_away([about["jobid"]], {**about["aux"], **rule})

    def _fail_away(self, jobids: Sequence[int], about: dict[str, Any]) -> None:
        """Take note of a failed attempt on a cluster, and say so in one line."""
        ended = _explain_on_slurm(about) if self.on_slurm else None
        # A late job may have begun all the same, and failed in its own way.
        if (
            about.get("external_jobid") in self.late
            and ended == slurm.ENDINGS["CANCELLED"]
        ):
            ended = (
                f"waited for a GPU for more than {self.gpu_wait_min:g} minutes "
                "(cluster.gpu_wait_min)"
            )
        failure = self._fail(jobids, about, ended)
        name = " ".join(filter(None, [failure.film, failure.shard]))
        log = f" (log: {failure.log})" if failure.log else ""
        self.logger.warning(
            f"{name or 'all films'}: attempt {failure.attempts} failed in "
            f"{failure.stage}: {failure.ended}{log}"
        )

    def _tell(self, done: int, total: int) -> None:
        """Log a line, if the last one is some time ago and said something else."""
        self.n_jobs = done, total
        now = time.monotonic()
        interval_s = SLURM_INTERVAL_S if self.on_slurm else INTERVAL_S
        if not total or now - self.told_at < interval_s:
            return
        try:
            line = self._describe(done, total, now)
        except RuntimeError:
            # Snakemake is just changing its jobs; the next time will do.
            return
        if line.split(";")[0] != self.told.split(";")[0]:
            self.told_at, self.told = now, line
            self.logger.info(f"Reelbow: {line}")

    def _describe(self, done: int, total: int, now: float) -> str:
        """Say how far the run is, how fast, and how long the rest takes.

        Shards that are done already, before this run, do not count.
        """
        left = self._count_jobs_left()
        n_done = sum(rule == STAGES[-1] for rule, *_ in self.done)
        n_left = left[STAGES[-1]]
        n_failed = sum(failure.stage in STAGES for failure in self.failed.values())
        n_others = len(self.failed) - n_failed
        n_planned = left["plan_shards"]
        if n_done or n_left:
            parts = [f"{n_done:,} of {_count(n_done + n_left, 'shard')} done"]
            parts += self._describe_running()
        else:
            parts = [f"{done:,} of {_count(total, 'job')} done"]
        if n_failed:
            parts.append(f"{n_failed:,} failed")
        if n_others:
            parts.append(f"{_count(n_others, 'other job')} failed")
        if n_planned:
            parts.append(f"{_count(n_planned, 'film')} not planned yet")
        elif n_done and n_left == n_failed:
            others = left.total() - sum(left[rule] for rule in (*STAGES, "all"))
            parts.append(f"{_count(others, 'merge or picture')} left")
        line = ", ".join(parts)
        if n_done and n_left > n_failed and self.started_at is not None:
            elapsed_s = max(now - self.started_at, 1e-3)
            if self.n_frames:
                line += f"; {self.n_frames / elapsed_s:,.0f} frames/s"
            if not n_planned:
                left_s = elapsed_s / n_done * (n_left - n_failed)
                line += f"; about {format_time(left_s)} left"
        return line

    def _describe_running(self) -> list[str]:
        jobs = [self.jobs[jobid] for jobid in self.running]
        n_running = len({job.key for job in jobs if job.rule in STAGES})
        if not n_running or not self.on_slurm:
            return [f"{n_running:,} running"] if n_running else []
        try:
            queue = slurm.list_jobs(Path.cwd())
        except ReelbowError:
            return [f"{n_running:,} submitted"]
        n_waiting = sum(job.state == "PENDING" for job in queue)
        parts = [f"{max(0, n_running - n_waiting):,} running"]
        return [*parts, f"{n_waiting:,} waiting"] if n_waiting else parts

    def _count_jobs_left(self) -> Counter[str]:
        """Count the jobs of each rule that are not done, those that failed too.

        Snakemake tells of a job's end before it counts it as done.
        """
        if self.workflow is None:
            return Counter()
        return Counter(
            job.rule.name
            for job in self.workflow.dag.needrun_jobs()
            if (job.rule.name, *job.wildcards) not in self.done
        )

    def _forget_failures(self) -> None:
        """Remove the table of failures if this run was to make all and could."""
        if self.workflow is None or self.workflow.dryrun:
            return
        if any(job.rule.name == "all" for job in self.workflow.dag.targetjobs):
            TABLE.unlink(missing_ok=True)

    def lacks(self, rule: str) -> bool:
        """Whether the only job of a rule was neither done nor tried in this run."""
        return (rule,) not in self.done and (rule,) not in self.failed

    def tell_success(self, films: Iterable[str]) -> None:
        """Say where the results are."""
        self._forget_failures()
        if {job.rule for job in self.jobs.values()} <= {"profile_run"}:
            return
        names = list(films)
        _warn_of_skipped(names)
        _warn_of_fallbacks(names)
        where = names[0] if len(names) == 1 else "FILM"
        write(
            f"\nReelbow: the barcodes are in results/{where}/barcodes/, "
            "the palettes in results/palettes.sqlite."
        )

    def tell_failure(self, films: Iterable[str]) -> None:
        """Say what failed and how to go on, and leave it as a table."""
        if not self.failed:
            return
        names = list(films)
        _warn_of_skipped(names)
        _warn_of_fallbacks(names)
        failures = sorted(self.failed.values())
        write_table(failures, TABLE)
        more = len(failures) - MOST_ROWS
        all_of_them = f"{TABLE} has the same"
        if more > 0:
            all_of_them = f"... and {more:,} more: {TABLE} has all"
        write(
            f"\nReelbow: {len(failures):,} failed:\n\n"
            f"{format_table(failures[:MOST_ROWS])}\n\n"
            f"{all_of_them}. What does not need them is done. Mend the cause and "
            "give the\nsame command again: only what is missing will run."
        )


def end_dead_run(folder: Path) -> bool:
    """Cancel the Slurm jobs of a run that was killed: they would write beside ours.

    Say whether there were any. Raises `ReelbowError` if Slurm does not do it.
    """
    jobs = slurm.list_jobs(folder)
    if not jobs:
        return False
    ids = slurm.join_ids(jobs)
    if slurm.count_locks(folder) > 1:
        tell(f"another run in this folder has jobs at Slurm ({ids}): they are left.")
        return False
    tell(
        f"a run that was killed in this folder left {_count(len(jobs), 'job')} at "
        f"Slurm ({ids}), to be cancelled now; what is not finished runs again."
    )
    slurm.cancel_jobs([job.job_id for job in jobs], folder)
    return True


def unlock() -> None:
    """End the dead run whose lock is to be removed, before anything looks at its files.

    Its jobs that are cancelled delete what they were about to finish.
    """
    if shutil.which("squeue") is None:
        return
    try:
        end_dead_run(Path.cwd())
    except ReelbowError as error:
        # Asked again at the start of the next run.
        tell(str(error))


def _explain_on_slurm(about: dict[str, Any]) -> str | None:
    """Say how a job ended, if Slurm knows more than that it failed."""
    job_id = about.get("external_jobid")
    if job_id is None:
        return slurm.explain_refusal(about.get("slurm_message") or "")
    text = "".join(read_log(Path(log)) for log in about["aux_logs"])
    return slurm.explain_state(slurm.find_state(job_id), text)


def _find_time(log: Path) -> int | None:
    """When a log was last written; None if there is none."""
    try:
        return log.stat().st_mtime_ns
    except OSError:
        return None


def _warn_of_skipped(films: Iterable[str]) -> None:
    """Say of which films pictures are missing."""
    for film, path in _find_databases(films):
        try:
            n_skipped, n_frames, first = database.count_skipped(path)
        except (ReelbowError, OSError) as error:
            tell(f"film {film}: {error}")
            continue
        if n_skipped:
            write(
                f"\nReelbow: film {film}: {n_skipped} of {n_frames + n_skipped} "
                f"pictures are missing ({first}, ...); the table skipped of {path} "
                "has them all."
            )


def _warn_of_fallbacks(films: Iterable[str]) -> None:
    """Say of which films shards that were a GPU's were done by a CPU."""
    for film, path in _find_databases(films):
        try:
            n_fallbacks, n_shards, first = database.count_fallbacks(path)
        except (ReelbowError, OSError):
            # Told of its pictures.
            continue
        if n_fallbacks:
            write(
                f"\nReelbow: film {film}: {n_fallbacks} of {_count(n_shards, 'shard')} "
                f"meant for a GPU, but done by a CPU ({first}); the table shards of "
                f"{path} has them all."
            )


def _find_databases(films: Iterable[str]) -> list[tuple[str, Path]]:
    """Find the films that are done, with their databases."""
    paths = [(film, Path("results") / film / "palettes.sqlite") for film in films]
    return [(film, path) for film, path in paths if path.exists()]


def _count(number: int, what: str) -> str:
    """Write a number of things."""
    if number == 1:
        return f"1 {what}"
    return f"{number:,} {' or '.join(f'{word}s' for word in what.split(' or '))}"


def format_time(seconds: float) -> str:
    """Write a time as h:mm:ss, or m:ss below an hour."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
