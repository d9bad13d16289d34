"""What the user sees of a run: the time left, what fails, and how it ended."""

import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reelbow.database.reading import count_frames
from reelbow.errors import ReelbowError
from reelbow.jobs.log import explain_log, explain_silence, read_log
from reelbow.runs import snakemake_inside, summary
from reelbow.runs.failures import TABLE, Failure, format_table, write_table
from reelbow.runs.films import Film
from reelbow.runs.messages import LOCKED, STOPPED, tell
from reelbow.runs.pace import Expected, Pace
from reelbow.runs.slurm import Queue
from reelbow.shards.names import STAGES
from reelbow.text import count, format_time

# Seconds between two lines; on Slurm of a run of hours, whose output is often a file.
INTERVAL_S = 5.0
SLURM_INTERVAL_S = 30.0

# What of a table of failures can be read at the end of a run.
MOST_ROWS = 20


@dataclass
class Job:
    """A job as its last attempt began."""

    rule: str
    wildcards: dict[str, str] = field(default_factory=dict)
    # When each log was last written before: one of an earlier attempt tells nothing.
    logs: dict[Path, int | None] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, ...]:
        """What fails as one: a shard, or else a job."""
        return tuple(self.wildcards.values()) if self.rule in STAGES else self.name

    @property
    def name(self) -> tuple[str, ...]:
        """What tells it from all other jobs."""
        return self.rule, *self.wildcards.values()

    def find_logs(self) -> list[Path]:
        """Find the logs that this attempt has opened."""
        times = {log: _find_time(log) for log in self.logs}
        return [log for log in self.logs if times[log] not in (None, self.logs[log])]


class Progress(logging.Handler):
    """Follows a run by the events in its log records.

    It logs how many films and shards are done and about how long the rest will take,
    and keeps what failed. Of Snakemake's workflow it asks which jobs are left.

    films : by their ids
    weigh : seconds that a job, its rule and wildcards, takes
    expect : what is to come of films that are not planned yet
    keep_finished : keeps for the next run that all is done
    """

    def __init__(
        self,
        logger: logging.Logger,
        workflow: Any,
        *,
        films: Mapping[str, Film],
        weigh: Callable[[tuple[str, ...]], float],
        expect: Callable[[list[Film]], dict[str, Expected]],
        keep_finished: Callable[[], None],
        gpu_wait_min: float | None = None,
    ) -> None:
        super().__init__()
        self.logger = logger
        self.workflow = workflow
        self.films = films
        self.expect = expect
        self.keep_finished = keep_finished
        # Asked if jobs are Slurm's.
        self.queue: Queue | None = None
        self.gpu_wait_min = gpu_wait_min
        self.pace = Pace(weigh)
        # Films that this run plans, and what is to come of them.
        self.unplanned: set[str] = set()
        self.expected: dict[str, Expected] = {}
        self.is_running = self.is_stopped = self.is_over = False
        # What was asked for, if it is known to be there without a look at the jobs.
        self.finished: list[Path] | None = None
        self.began_s = time.time()
        self.told_at, self.told, self.plans = 0.0, "", ""
        self.n_jobs = 0, 0
        self.n_frames = 0
        self.jobs: dict[int, Job] = {}
        self.done: set[tuple[str, ...]] = set()
        self.running: set[int] = set()
        self.attempts: Counter[tuple[str, ...]] = Counter()
        self.failed: dict[tuple[str, ...], Failure] = {}
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
        if self.queue:
            # Its jobs know nothing of the terminal: Snakemake cancels them.
            raise KeyboardInterrupt

    def _end_run(self) -> None:
        self.say(f"\nReelbow: {STOPPED}")
        self.workflow.scheduler.exit_gracefully()
        end_jobs()

    def start(self) -> None:
        """Begin a run, which has the folder's lock by now."""
        self.is_running = True
        snakemake_inside.lift_rate_limit(self.workflow)
        snakemake_inside.renew_seldom(self.workflow)
        # On a full disk each line for Snakemake's own log would be a traceback here;
        # what failed says that there is no room.
        logging.raiseExceptions = False
        self.unplanned = {
            job[1] for job in self._list_left() if job[0] == "plan_shards"
        }
        threading.Thread(target=self._expect, daemon=True).start()
        if self.workflow.executor_plugin.name == "slurm":
            self.queue = Queue(self.gpu_wait_min)
            snakemake_inside.watch_slurm(self.look, self.find_lost)
            # What runs here alone, as the table of a run, disturbs no other run.
            if not all(job.is_local for job in self.workflow.dag.needrun_jobs()):
                self.queue.clear()

    def _expect(self) -> None:
        """Look at what is to come of the films that are not planned yet."""
        self.expected = self.expect([self.films[film] for film in self.unplanned])

    def look(self, gpu_jobs: list[str]) -> None:
        """Look after a run on Slurm, now and then, and its jobs that want a GPU."""
        # Shards take long: what changes in the queue is news too.
        self._tell()
        try:
            if self.queue:
                self.queue.give_up_gpus(gpu_jobs)
        except ReelbowError as error:
            # A busy controller; the next look will do.
            self.logger.debug(f"jobs that wait for a GPU: {error}")

    def find_lost(self, job_ids: list[str]) -> set[str]:
        """Find jobs of a run on Slurm that Slurm will never tell the end of."""
        try:
            return self.queue.find_lost(job_ids) if self.queue else set()
        except ReelbowError as error:
            # No answer says nothing of any job.
            self.logger.debug(f"jobs that Slurm may have forgotten: {error}")
            return set()

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
            case "None" if snakemake_inside.finds_nothing_to_do(record):
                self._forget_failures()
                self._tell_results()
                self.keep_finished()

    def _has_news(self, record: logging.LogRecord) -> bool:
        """Whether a record tells more than Reelbow itself does."""
        about = record.__dict__
        if self.is_stopped and not about.get("reelbow"):
            # How its jobs were ended.
            return False
        if about.get("exception") == "LockException":
            tell(LOCKED)
            return False
        if str(about.get("event")) in ("job_error", "group_error"):
            # Of a group Snakemake shows the logs of all its jobs: some 200 lines.
            self._fail(about)
            return False
        return not snakemake_inside.is_told_better(
            record, failed=bool(self.failed), over=self.is_over
        )

    def _begin(self, about: dict[str, Any]) -> None:
        wildcards = dict(about.get("wildcards") or {})
        logs = [Path(log) for log in about.get("log") or []]
        job = Job(
            about["rule_name"],
            {name: str(value) for name, value in wildcards.items()},
            {log: _find_time(log) for log in logs},
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

    def _fail(self, about: dict[str, Any]) -> None:
        """Take note of a failed attempt, and say so in one line."""
        if about.get("indent"):
            # One of a group, which was told as a whole.
            return
        infos = about.get("job_error_info")
        jobids = [info["jobid"] for info in infos or [about]]
        self.running.difference_update(jobids)
        jobs = [self.jobs[jobid] for jobid in jobids if jobid in self.jobs]
        for job in jobs:
            self.pace.end(job.name, time.monotonic(), is_done=False)
        unknown = Job(about.get("rule_name") or about.get("groupid") or "a job")
        guilty, ended = find_guilty(jobs or [unknown])
        logs = guilty.find_logs() or [*guilty.logs]
        if self.queue:
            own = {str(log) for job in jobs for log in job.logs}
            given = about["aux_logs"] if infos else about["log"]
            others = [log for log in given if log and log not in own]
            aux = about if infos else about["aux"]
            ended = self.queue.explain_end({**aux, "aux_logs": others}) or ended
            # Of a job that did not begin there is only the cluster's log, if any.
            logs = guilty.find_logs() or others
        ended = ended or explain_silence(Path.cwd())
        self.attempts[guilty.key] += 1
        self.failed[guilty.key] = failure = Failure(
            guilty.wildcards.get("film", ""),
            guilty.wildcards.get("shard", ""),
            guilty.rule,
            ended.replace("RULE:", f"{guilty.rule}:"),
            self.attempts[guilty.key],
            os.path.relpath(logs[0]) if logs else "",
        )
        name = " ".join(filter(None, [failure.film, failure.shard]))
        log = f" (log: {failure.log})" if failure.log else ""
        self.logger.warning(
            f"{name or 'all films'}: attempt {failure.attempts} failed in "
            f"{failure.stage}: {failure.ended}{log}"
        )

    def _tell(self) -> None:
        """Tell how far the run is, if the last time is some time ago."""
        now = time.monotonic()
        interval_s = SLURM_INTERVAL_S if self.queue else INTERVAL_S
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
        left = self._list_left()
        n_done = sum(rule == STAGES[-1] for rule, *_ in self.done)
        films_left = self._name_films(left)
        films = films_left | self._name_films(self.done)
        # When a plan is made it takes Snakemake a while to see its shards.
        has_shards = {job[1] for job in (*left, *self.done) if job[0] == STAGES[-1]}
        unplanned = (self.unplanned & films_left) - has_shards - self.failed_films
        n_to_come = sum(
            self.expected[film].n_shards for film in unplanned & self.expected.keys()
        )
        n_left = n_to_come + sum(rule == STAGES[-1] for rule, *_ in left)
        parts = []
        if len(films) > 1:
            n_films = len(films - films_left)
            parts.append(f"{n_films:,} of {count(len(films), 'film')}")
        if n_done + n_left:
            about = "about " if unplanned else ""
            parts.append(f"{n_done:,} of {about}{count(n_done + n_left, 'shard')}")
        else:
            done, total = self.n_jobs
            parts.append(f"{done:,} of {count(total, 'job')}")
        line = ", ".join([" and ".join(parts) + " done", *self._describe_rest()])
        left = list(filter(self._will_run, left))
        n_others = sum(job[0] not in STAGES for job in left)
        if n_others and not n_left and not unplanned:
            line += f", {count(n_others, 'merge or picture')} left"
        if self.n_frames and self.pace.first_s is not None:
            rate = self.n_frames / max(now - self.pace.first_s, 1e-3)
            line += f"; {rate:,.0f} frames/s" if rate >= 1.5 else ""
        # Of a film that cannot be looked into before it is planned nothing is known.
        if unplanned <= self.expected.keys():
            left_s = self.pace.estimate_left_s(left, n_to_come, now)
            line += f"; about {format_time(left_s)} left" if left_s is not None else ""
        return line

    def _will_run(self, job: tuple[str, ...]) -> bool:
        """Say whether a job that is left does not need one that failed."""
        if job[0] in STAGES:
            return job[1:] not in self.failed
        if len(job) > 1:
            return job[1] not in self.failed_films
        return job[0] != "all" and not self.failed

    def _describe_rest(self) -> list[str]:
        """Say how many shards run, wait and have failed."""
        jobs = [self.jobs[jobid] for jobid in self.running]
        n_running = len({job.key for job in jobs if job.rule in STAGES})
        n_waiting, running = 0, "running"
        if n_running and self.queue:
            try:
                n_waiting = self.queue.count_waiting()
            except ReelbowError:
                running = "submitted"
        n_failed = sum(failure.stage in STAGES for failure in self.failed.values())
        n_others = len(self.failed) - n_failed
        parts = [f"{max(0, n_running - n_waiting):,} {running}"] if n_running else []
        parts += [f"{n_waiting:,} waiting"] if n_waiting else []
        parts += [f"{n_failed:,} failed"] if n_failed else []
        return parts + ([f"{count(n_others, 'other job')} failed"] if n_others else [])

    def _name_films(self, jobs: Iterable[tuple[str, ...]]) -> set[str]:
        """Name the films that jobs are of.

        Of a pair or a mosaic the name is none of a film. Tiles are a mosaic's: a film
        is done without them, and Snakemake sees them when all films are planned.
        """
        names = {job[1] for job in jobs if len(job) > 1 and job[0] != "make_tiles"}
        return names & self.films.keys()

    def _list_left(self) -> list[tuple[str, ...]]:
        """List the jobs that are not done, those that failed too.

        Snakemake tells of a job's end before it counts it as done.
        """
        jobs = (
            (job.rule.name, *job.wildcards) for job in self.workflow.dag.needrun_jobs()
        )
        return [job for job in jobs if job not in self.done]

    def lacks(self, *job: str) -> bool:
        """Whether a job, a rule and its wildcards, was neither done nor tried."""
        return job not in self.done and job not in self.failed

    @property
    def failed_films(self) -> set[str]:
        """The films of which anything failed; empty for what is of all films."""
        return {failure.film for failure in self.failed.values()}

    @property
    def folder(self) -> Path:
        """By which files are found from where the command was given."""
        return Path() if self.workflow.overwrite_workdir is None else Path.cwd()

    def find_targets(self) -> list[Path]:
        """List the files that were asked for, by a rule or by their names."""
        if self.finished is not None:
            return self.finished
        files: set[str] = set()
        for job in self.workflow.dag.targetjobs:
            files.update(job.input if job.rule.name == "all" else job.output)
        return [*map(Path, files)]

    def _describe_plans(self) -> str:
        """Say what a run would do, and what would be there then."""
        left = self._list_left()
        unplanned = sorted(job[1] for job in left if job[0] == "plan_shards")
        expected = self.expect([self.films[film] for film in unplanned])
        plans = summary.describe_plans(left, self.films, expected)
        # The place of shards that are not planned yet is held by the plan.
        files = [file for file in self.find_targets() if file.name != "plan.json"]
        return (
            f"\nReelbow: {plans}\n\nThis was a dry run. Without --dry-run there will "
            f"be:\n{summary.describe_files(files, self.folder)}"
        )

    def _forget_failures(self) -> None:
        """Remove the table of failures if this run was to make all and could."""
        targets = self.workflow.dag.targetjobs
        if not self.workflow.dryrun and any(job.rule.name == "all" for job in targets):
            TABLE.unlink(missing_ok=True)

    def _tell_results(self) -> None:
        """Say where that is which was asked for, as far as it is there."""
        there = {file for file in self.find_targets() if file.exists()}
        old = there & self._find_old()
        for files, what in [
            (there - old, "done"),
            (old, "of an earlier run, since this one could not make them again"),
        ]:
            if files:
                files_of_kinds = summary.describe_files(files, self.folder)
                self.say(f"\nReelbow: {what}:\n{files_of_kinds}")

    def _find_old(self) -> set[Path]:
        """Find what is there of earlier runs only, since its job is not done."""
        old = set()
        for job in self.workflow.dag.needrun_jobs():
            name = job.rule.name, *job.wildcards
            if name in self.done:
                continue
            has_failed = name in self.failed or name[1:] in self.failed
            for path in filter(Path.exists, map(Path, job.output)):
                # Some are made without their job at the end of a run that fails, and
                # marked as old, so that the next one makes them.
                if has_failed or path.stat().st_ctime < self.began_s:
                    old.add(path)
        return old

    def _tell_gaps(self) -> None:
        """Say what is missing in the films that are done."""
        failed = self.failed_films
        for film in self.films:
            path = Path("results", film, "palettes.sqlite")
            if path.exists():
                for sentence in summary.describe_gaps(
                    film, path, self.folder, has_failed=film in failed
                ):
                    self.say(f"\nReelbow: {sentence}")

    def tell_success(self) -> None:
        """Say what is missing in the results, and where they are."""
        self._forget_failures()
        if {job.rule for job in self.jobs.values()} <= {"profile_run"}:
            return
        self._tell_gaps()
        self._tell_results()

    def tell_failure(self) -> None:
        """Say what failed and how to go on, and leave it as a table."""
        if not self.failed:
            return
        self.is_over = True
        self._tell_results()
        self._tell_gaps()
        failures = sorted(self.failed.values())
        write_table(failures, TABLE)
        table, more = self.folder / TABLE, len(failures) - MOST_ROWS
        all_of_them = f"{table} has the same"
        if more > 0:
            all_of_them = f"... and {more:,} more: {table} has all"
        self.say(
            f"\nReelbow: {len(failures):,} failed:\n\n"
            f"{format_table(failures[:MOST_ROWS])}\n\n"
            f"{all_of_them}. What does not need them is done. Mend the cause and "
            "give the\nsame command again: only what is missing will run."
        )


def find_guilty(jobs: Sequence[Job]) -> tuple[Job, str | None]:
    """Find which job of a group failed, and what its log says of it.

    The first that says why; else the last that began.
    """
    jobs = [job for stage in STAGES for job in jobs if job.rule == stage] or jobs
    begun = [job for job in jobs if job.find_logs()]
    for job in begun:
        if told := explain_log("".join(map(read_log, job.find_logs()))):
            return job, told
    return (begun[-1] if begun else jobs[0]), None


def end_jobs() -> None:
    """End the jobs of this process, which run in shells that ignore Ctrl-C."""
    import psutil

    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            # Their shells end with them.
            if not process.children():
                process.terminate()


def _find_time(log: Path) -> int | None:
    """When a log was last written; None if there is none."""
    try:
        return log.stat().st_mtime_ns
    except OSError:
        return None
