"""What the user sees of a run: refusals, the time left, and how it ended."""

import contextlib
import logging
import os
import re
import shutil
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reelbow.database.reading import (
    count_fallbacks,
    count_frames,
    count_skipped,
    find_lost,
)
from reelbow.errors import ReelbowError
from reelbow.jobs.log import explain_log, explain_silence, read_log
from reelbow.runs.failures import TABLE, Failure, format_table, write_table
from reelbow.runs.films import Film
from reelbow.runs.messages import refuse, tell
from reelbow.runs.pace import Expected, Pace
from reelbow.runs.slurm import (
    ENDINGS,
    cancel_jobs,
    cancel_waiting,
    count_locks,
    explain_refusal,
    explain_state,
    find_late,
    find_state,
    join_ids,
    list_jobs,
    prepare_executor,
)
from reelbow.shards.names import STAGES

# Seconds between two lines: more than a glance, less than a doubt.
INTERVAL_S = 5.0

# The same for a run of hours, whose output is often a file.
SLURM_INTERVAL_S = 30.0

# What of a table of failures can be read at the end of a run.
MOST_ROWS = 20

# What a dry run lists of films, and a line of files.
MOST_FILMS = 20
MOST_NAMES = 20

# A barcode for print, with title and axis; the others are bare.
FIGURE = re.compile(r"_figure\.png$|\.(svg|pdf)$")

# What Snakemake says at the end of a run in which jobs failed.
NOTHING_NEW = (
    "Exiting because a job execution failed. Look above for error messages",
    "At least one job did not complete successfully.",
)
STOPPED = (
    "stopping (Ctrl-C): jobs that run are ended, what is finished stays. Give the same "
    "command again, and it goes on from there."
)
LOCKED = (
    "another run is going on in this folder, or one was killed here. If none is going "
    "on, give the same command with --unlock added, and then the same command again: "
    "it goes on where the killed run was."
)


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
        return self.name

    @property
    def name(self) -> tuple[str, ...]:
        """What tells it from all other jobs."""
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

    It logs how many films and shards are done and about how long the rest will take,
    and keeps what failed. Of Snakemake's workflow it asks which jobs are left. On Slurm
    it takes jobs back that have waited for a GPU for too many minutes.

    films : by their ids
    weigh : seconds that a job, its rule and wildcards, works on its frames
    expect : what is to come of films that are not planned yet
    """

    def __init__(
        self,
        logger: logging.Logger,
        workflow: Any,
        *,
        films: Mapping[str, Film],
        weigh: Callable[[tuple[str, ...]], float],
        expect: Callable[[list[Film]], dict[str, Expected]],
        gpu_wait_min: float | None = None,
    ) -> None:
        super().__init__()
        self.logger = logger
        self.workflow = workflow
        self.films = films
        self.expect = expect
        self.gpu_wait_min = gpu_wait_min
        self.pace = Pace(weigh)
        # Films that this run plans, and what is to come of them.
        self.unplanned: set[str] = set()
        self.expected: dict[str, Expected] = {}
        # Films of which this run makes anything.
        self.seen: set[str] = set()
        self.begun_at = time.monotonic()
        self.is_running = self.is_stopped = False
        # Ids of jobs that waited too long.
        self.late: set[str] = set()
        self.on_slurm = False
        self.told_at = 0.0
        self.told = ""
        self.plans = ""
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
        if not workflow.remote_exec:
            logger.addHandler(self)
            logger.addFilter(self._has_news)

    def listen(self) -> None:
        """End in good order at Ctrl-C, unless it is to be ignored, as behind nohup."""
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, self._stop)

    def say(self, text: str) -> None:
        """Tell the user in turn with all else that is logged, above the bars."""
        self.logger.info(text, extra={"reelbow": True})

    def _stop(self, *_: object) -> None:
        """End the run as Snakemake does on SIGTERM, and only once.

        `uv run` sends each Ctrl-C on, beside the terminal's own.
        """
        if self.is_stopped:
            return
        self.is_stopped = True
        if not self.is_running:
            tell(STOPPED)
            sys.exit(130)
        # In another thread: this one may hold a lock that is wanted for it.
        threading.Thread(target=self._end_run).start()
        if self.on_slurm:
            # Its jobs know nothing of the terminal: Snakemake cancels them.
            raise KeyboardInterrupt

    def _end_run(self) -> None:
        self.say(f"\nReelbow: {STOPPED}")
        self.workflow.scheduler.exit_gracefully()
        end_jobs()

    def start(self) -> None:
        """Begin a run, which has the folder's lock by now."""
        self.is_running = True
        # It starts a timer in each round of the scheduler, and each timer a round: with
        # jobs that wait, rounds by the thousand. No option leaves it out.
        self.workflow.scheduler.job_rate_limiter = None
        left = self._list_jobs_left()
        self.unplanned = {job[1] for job in left if job[0] == "plan_shards"}
        threading.Thread(target=self._expect, daemon=True).start()
        self.on_slurm = self.workflow.executor_plugin.name == "slurm"
        if self.on_slurm:
            prepare_executor(self.look)
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

    def _expect(self) -> None:
        """Look at what is to come of the films that are not planned yet."""
        self.expected = self.expect([self.films[film] for film in self.unplanned])

    def look(self, gpu_jobs: list[str]) -> None:
        """Look after a run on Slurm, now and then."""
        # Shards take long: what changes in the queue is news too.
        self._tell()
        if gpu_jobs and self.gpu_wait_min is not None:
            try:
                self._give_up_gpus(gpu_jobs, 60 * self.gpu_wait_min)
            except ReelbowError as error:
                # A busy controller; the next look will do.
                self.logger.debug(f"jobs that wait for a GPU: {error}")

    def _give_up_gpus(self, job_ids: list[str], longest_s: float) -> None:
        """Cancel jobs that wait too long: their next attempt asks for no GPU."""
        late = find_late(job_ids, longest_s)
        if late:
            self.late.update(late)
            cancel_waiting(late)

    def emit(self, record: logging.LogRecord) -> None:
        """Take note of an event; other records are none of its business."""
        about = record.__dict__
        match str(about.get("event")):
            case "job_info":
                self._begin(about)
            case "run_info" if self.workflow.dryrun:
                # It comes before the jobs are gone through, and again after that.
                if self.plans:
                    self.say(self.plans)
                self.plans = self._describe_plans()
            case "job_finished":
                self._finish(about["job_id"])
            case "progress":
                self.n_jobs = about["done"], about["total"]
                self._tell()
            case "None" if record.getMessage().startswith("Nothing to be done"):
                self._forget_failures()
                self._tell_results()

    def _has_news(self, record: logging.LogRecord) -> bool:
        """Whether a record tells more than the failed job's log and `tell_failure` do.

        A job that was killed says so in its CalledProcessError only: that one stays.
        """
        about = record.__dict__
        event, text = str(about.get("event")), record.getMessage()
        if self.is_stopped and not about.get("reelbow"):
            # How its jobs were ended.
            return False
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
        if event == "job_error":
            if self.on_slurm:
                self._fail_job(about)
            else:
                self._warn(self._fail([about["jobid"]], about))
            return False
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
        self.pace.begin(job.name, time.monotonic())

    def _finish(self, jobid: int) -> None:
        self.running.discard(jobid)
        job = self.jobs.get(jobid)
        if job is None:
            return
        self.failed.pop(job.key, None)
        self.done.add(job.name)
        self.pace.end(job.name, time.monotonic(), is_done=True)
        if job.rule == STAGES[-1]:
            path = Path("results", job.key[0], "palettes", f"{job.key[1]}.sqlite")
            try:
                self.n_frames += count_frames(path)
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
        for jobid in jobids:
            if jobid in self.jobs:
                name = self.jobs[jobid].name
                self.pace.end(name, time.monotonic(), is_done=False)
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
        if about.get("external_jobid") in self.late and ended == ENDINGS["CANCELLED"]:
            ended = (
                f"waited for a GPU for more than {self.gpu_wait_min:g} minutes "
                "(cluster.gpu_wait_min)"
            )
        self._warn(self._fail(jobids, about, ended))

    def _warn(self, failure: Failure) -> None:
        """Say in one line that an attempt failed."""
        name = " ".join(filter(None, [failure.film, failure.shard]))
        log = f" (log: {failure.log})" if failure.log else ""
        self.logger.warning(
            f"{name or 'all films'}: attempt {failure.attempts} failed in "
            f"{failure.stage}: {failure.ended}{log}"
        )

    def _tell(self) -> None:
        """Tell how far the run is, if the last time is some time ago."""
        now = time.monotonic()
        interval_s = SLURM_INTERVAL_S if self.on_slurm else INTERVAL_S
        n_jobs = self.n_jobs[1]
        if self.is_stopped or not n_jobs or now - self.told_at < interval_s:
            return
        try:
            line = self._describe(now)
        except Exception as error:
            # Snakemake may just be changing its jobs: the next time will do. No line is
            # worth the end of a run.
            self.logger.debug(f"progress: {error!r}")
            return
        if line.split(";")[0] != self.told.split(";")[0]:
            self.told_at, self.told = now, line
            self.say(f"Reelbow: {line}")

    def _describe(self, now: float) -> str:
        """Say how far the run is, how fast, and how long the rest takes.

        What was done before this run does not count.
        """
        left = self._list_jobs_left()
        counts = Counter(rule for rule, *_ in left)
        n_done = sum(rule == STAGES[-1] for rule, *_ in self.done)
        films_left = {job[1] for job in left if len(job) > 1}
        self.seen |= films_left
        # When a plan is made it takes Snakemake a while to see its shards.
        has_shards = {job[1] for job in (*left, *self.done) if job[0] == STAGES[-1]}
        lost = {failure.film for failure in self.failed.values()}
        unplanned = (self.unplanned & films_left) - has_shards - lost
        n_to_come = sum(
            self.expected[film].n_shards for film in unplanned & self.expected.keys()
        )
        n_left = counts[STAGES[-1]] + n_to_come
        parts = []
        if len(self.seen) > 1:
            n_films = len(self.seen - films_left)
            parts.append(f"{n_films:,} of {_count(len(self.seen), 'film')}")
        if n_done + n_left:
            about = "about " if unplanned else ""
            parts.append(f"{n_done:,} of {about}{_count(n_done + n_left, 'shard')}")
        else:
            done, total = self.n_jobs
            parts.append(f"{done:,} of {_count(total, 'job')}")
        line = ", ".join([" and ".join(parts) + " done", *self._describe_rest(n_left)])
        left = list(filter(self._will_run, left))
        n_others = sum(job[0] not in STAGES for job in left)
        if n_others and not n_left and not unplanned:
            line += f", {_count(n_others, 'merge or picture')} left"
        if self.n_frames and self.pace.first_s is not None:
            rate = self.n_frames / max(now - self.pace.first_s, 1e-3)
            if rate >= 1:
                line += f"; {rate:,.0f} frames/s"
        # Of a film that cannot be looked into before it is planned nothing is known.
        if unplanned <= self.expected.keys():
            left_s = self.pace.estimate_left_s(left, n_to_come, now)
            line += f"; about {format_time(left_s)} left" if left_s is not None else ""
        return line

    def _will_run(self, job: tuple[str, ...]) -> bool:
        """Say whether a job that is left does not need one that failed."""
        if job[0] == "all":
            return False
        if job[0] in STAGES:
            return job[1:] not in self.failed
        lost = {failure.film for failure in self.failed.values()}
        return job[1] not in lost if len(job) > 1 else not lost

    def _describe_rest(self, n_left: int) -> list[str]:
        """Say how many shards run, wait and have failed."""
        jobs = [self.jobs[jobid] for jobid in self.running]
        n_running = len({job.key for job in jobs if job.rule in STAGES})
        parts = [f"{n_running:,} running"] if n_running else []
        if n_running and self.on_slurm:
            parts = self._describe_queue(n_running)
        n_failed = sum(failure.stage in STAGES for failure in self.failed.values())
        if n_failed:
            parts.append(f"{n_failed:,} failed")
        n_others = len(self.failed) - n_failed
        if n_others:
            parts.append(f"{_count(n_others, 'other job')} failed")
        return parts

    def _describe_queue(self, n_running: int) -> list[str]:
        try:
            queue = list_jobs(Path.cwd())
        except ReelbowError:
            return [f"{n_running:,} submitted"]
        n_waiting = sum(job.state == "PENDING" for job in queue)
        parts = [f"{max(0, n_running - n_waiting):,} running"]
        return [*parts, f"{n_waiting:,} waiting"] if n_waiting else parts

    def _list_jobs_left(self) -> list[tuple[str, ...]]:
        """List the jobs that are not done, those that failed too.

        Snakemake tells of a job's end before it counts it as done.
        """
        jobs = (
            (job.rule.name, *job.wildcards) for job in self.workflow.dag.needrun_jobs()
        )
        return [job for job in jobs if job not in self.done]

    def _describe_plans(self) -> str:
        """Say what a run would do, film by film, and what would be there then."""
        left = self._list_jobs_left()
        shards = Counter(job[1] for job in left if job[0] == STAGES[-1])
        unplanned = {job[1] for job in left if job[0] == "plan_shards"}
        expected = self.expect([self.films[film] for film in sorted(unplanned)])
        rows = []
        for film in sorted({job[1] for job in left if len(job) > 1}):
            what = _count(shards[film], "shard")
            fault = getattr(self.films[film], "fault", None)
            if fault:
                what = fault
            elif film in expected:
                what = f"about {_count(expected[film].n_shards, 'shard')}"
            elif film in unplanned:
                what = "unknown before it is planned"
            rows.append((film, self.films[film].source, what))
        n_shards = shards.total() + sum(film.n_shards for film in expected.values())
        about = "about " if unplanned else ""
        whole = f"{_count(len(rows), 'film')}, {about}{_count(n_shards, 'shard')}"
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            f"  {film:<{widths[0]}}  {source:<{widths[1]}}  {what}"
            for film, source, what in rows[:MOST_FILMS]
        ]
        if len(rows) > MOST_FILMS:
            lines.append(f"  ... and {len(rows) - MOST_FILMS:,} more")
        # The place of shards that are not planned yet is held by the plan.
        files = [file for file in self._find_targets() if file.name != "plan.json"]
        films, made = "\n".join(lines), "\n".join(self._describe_files(files))
        return (
            f"\nReelbow: {whole} to do:\n{films}\n\nThis was a dry run. Without "
            f"--dry-run there will be:\n{made}"
        )

    def _forget_failures(self) -> None:
        """Remove the table of failures if this run was to make all and could."""
        if self.workflow.dryrun:
            return
        if any(job.rule.name == "all" for job in self.workflow.dag.targetjobs):
            TABLE.unlink(missing_ok=True)

    def lacks(self, rule: str) -> bool:
        """Whether the only job of a rule was neither done nor tried in this run."""
        return (rule,) not in self.done and (rule,) not in self.failed

    def _find_targets(self) -> list[Path]:
        """List the files that were asked for, by a rule or by their names."""
        files: set[str] = set()
        for job in self.workflow.dag.targetjobs:
            files.update(job.input if job.rule.name == "all" else job.output)
        return sorted(map(Path, files))

    def _describe_files(self, files: Iterable[Path]) -> list[str]:
        """Write a line for the files of each kind."""
        kinds: dict[str, list[Path]] = {}
        for file in files:
            kinds.setdefault(_name_kind(file), []).append(file)
        if len(kinds) > 1:
            kinds.pop("shards", None)
        return [
            f"  {kind:<9} {self._show(_sum_up(paths))}" for kind, paths in kinds.items()
        ]

    def _tell_results(self) -> None:
        """Say where that is which was asked for, as far as it is there."""
        files = [file for file in self._find_targets() if file.exists()]
        if files:
            self.say("\n".join(["\nReelbow: done:", *self._describe_files(files)]))

    def tell_success(self) -> None:
        """Say what is missing in the results, and where they are."""
        self._forget_failures()
        if {job.rule for job in self.jobs.values()} <= {"profile_run"}:
            return
        self._warn_of_lost()
        self._warn_of_skipped()
        self._warn_of_fallbacks()
        self._tell_results()

    def tell_failure(self) -> None:
        """Say what failed and how to go on, and leave it as a table."""
        if not self.failed:
            return
        self._tell_results()
        self._warn_of_lost()
        self._warn_of_skipped()
        self._warn_of_fallbacks()
        failures = sorted(self.failed.values())
        write_table(failures, TABLE)
        more = len(failures) - MOST_ROWS
        all_of_them = f"{self._show(TABLE)} has the same"
        if more > 0:
            all_of_them = f"... and {more:,} more: {self._show(TABLE)} has all"
        self.say(
            f"\nReelbow: {len(failures):,} failed:\n\n"
            f"{format_table(failures[:MOST_ROWS])}\n\n"
            f"{all_of_them}. What does not need them is done. Mend the cause and "
            "give the\nsame command again: only what is missing will run."
        )

    def _warn_of_lost(self) -> None:
        """Say of which films shards could not be read whole, or nothing at all."""
        failed = {failure.film for failure in self.failed.values()}
        for film, path in self._find_databases():
            try:
                lost = find_lost(path)
            except (ReelbowError, OSError):
                # Told of its pictures.
                continue
            # What failed now is in the table; its database is an earlier run's.
            if not lost or film in failed:
                continue
            shard, reason = next(iter(lost.items()))
            sentence = f"is left out: {reason}"
            if shard:
                sentence = (
                    f"{_count(len(lost), 'shard')} could not be read whole ({shard}: "
                    f"{reason}); the table skipped of {self._show(path)} has them all."
                )
            self.say(f"\nReelbow: film {film}{':' if shard else ''} {sentence}")

    def _warn_of_skipped(self) -> None:
        """Say of which films pictures are missing."""
        for film, path in self._find_databases():
            try:
                n_skipped, n_frames, first = count_skipped(path)
            except (ReelbowError, OSError) as error:
                self.say(f"Reelbow: film {film}: {error}")
                continue
            if n_skipped:
                self.say(
                    f"\nReelbow: film {film}: {n_skipped} of {n_frames + n_skipped} "
                    f"pictures are missing ({first}, ...); the table skipped of "
                    f"{self._show(path)} has them all."
                )

    def _warn_of_fallbacks(self) -> None:
        """Say of which films shards that were a GPU's were done by a CPU."""
        for film, path in self._find_databases():
            try:
                n_fallbacks, n_shards, first = count_fallbacks(path)
            except (ReelbowError, OSError):
                # Told of its pictures.
                continue
            if n_fallbacks:
                self.say(
                    f"\nReelbow: film {film}: {n_fallbacks} of "
                    f"{_count(n_shards, 'shard')} meant for a GPU, but done by a CPU "
                    f"({first}); the table shards of {self._show(path)} has them all."
                )

    def _find_databases(self) -> list[tuple[str, Path]]:
        """Find the films that are done, with their databases."""
        paths = {film: Path("results", film, "palettes.sqlite") for film in self.films}
        return [(film, path) for film, path in paths.items() if path.exists()]

    def _show(self, path: Path) -> str:
        """Write a path as it is found from where the command was given."""
        is_elsewhere = self.workflow.overwrite_workdir is not None
        return str(path.absolute() if is_elsewhere else path)


def end_jobs() -> None:
    """End the jobs of this process, which run in shells that ignore Ctrl-C."""
    import psutil

    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            # Their shells end with them.
            if not process.children():
                process.terminate()


def end_dead_run(folder: Path) -> bool:
    """Cancel the Slurm jobs of a run that was killed: they would write beside ours.

    Say whether there were any. Raises `ReelbowError` if Slurm does not do it.
    """
    jobs = list_jobs(folder)
    if not jobs:
        return False
    ids = join_ids(jobs)
    if count_locks(folder) > 1:
        tell(f"another run in this folder has jobs at Slurm ({ids}): they are left.")
        return False
    tell(
        f"a run that was killed in this folder left {_count(len(jobs), 'job')} at "
        f"Slurm ({ids}), to be cancelled now; what is not finished runs again."
    )
    cancel_jobs([job.job_id for job in jobs], folder)
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
        return explain_refusal(about.get("slurm_message") or "")
    text = "".join(read_log(Path(log)) for log in about["aux_logs"])
    return explain_state(find_state(job_id), text)


def _find_time(log: Path) -> int | None:
    """When a log was last written; None if there is none."""
    try:
        return log.stat().st_mtime_ns
    except OSError:
        return None


def _name_kind(file: Path) -> str:
    """Say what a file is among the results."""
    if file.parent.name == "barcodes":
        return "figures" if FIGURE.search(file.name) else "barcodes"
    if file.parent.name == "palettes":
        return "shards"
    if file.suffix == ".tsv":
        return "tables"
    return "palettes" if file.name == "palettes.sqlite" else "others"


def _sum_up(files: Sequence[Path]) -> Path:
    """Write files of one kind in one line; FILM stands for each of several films."""
    # That of all films says enough.
    files = [file for file in files if len(file.parts) == 2] or files
    folders = {file.parent for file in files}
    folder = Path(files[0].parts[0], "FILM", *files[0].parts[2:-1])
    if len(folders) == 1:
        folder = folders.pop()
    names = sorted({file.name for file in files})
    listed = ", ".join(names) if len(names) <= MOST_NAMES else f"{len(names):,} files"
    return folder / listed


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
