"""What Reelbow must know of Snakemake's and its plugins' insides, and why.

A run is followed by the events in its log records, the interface of logger plugins:
see `progress`. What has no event, option or hook stands here, and nowhere else; but
outputs that stay until they are replaced have a module of their own, `kept_output`.
"""

import asyncio
import functools
import gc
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Seconds between two looks at Slurm's queue.
POLL_S = 15

# What waits for checkpoints is renewed again after this many times the time it took.
RENEWING_RESTS = 9

# New objects between two looks of Python for what nobody needs any more, and how many
# of these before one at all objects.
GARBAGE_THRESHOLDS = 100_000, 50, 1000


def finds_nothing_to_do(record: logging.LogRecord) -> bool:
    """Say whether this is the end of a run without jobs.

    Such a run has no hook at its end, and the record no event.
    """
    from snakemake.common import (  # type: ignore[import-untyped]
        NOTHING_TO_BE_DONE_MSG,
    )

    return bool(record.msg == NOTHING_TO_BE_DONE_MSG)


def is_told_better(record: logging.LogRecord, *, failed: bool, over: bool) -> bool:
    """Say whether an error is one of those that Reelbow tells in its own words.

    Parameters
    ----------
    failed : whether a job has failed, and was told
    over : whether the table of failures was told
    """
    event = getattr(record, "event", None)
    if event == "error" and getattr(record, "exception", None) == "RuleException":
        cause = getattr(sys.exc_info()[1], "__context__", None)
        # The job's log has a sentence. If it was killed, only this says so.
        if isinstance(cause, subprocess.CalledProcessError):
            return cause.returncode == 1
    if record.levelno < logging.ERROR or event not in (None, "error"):
        return False
    # The scheduler says that a job failed, and Snakemake at its very end once more.
    return over or (failed and event is None and record.module == "job_scheduler")


# What Snakemake does with a workflow: it looks what has to be made, makes a report, or
# removes the lock that a dead run left.
BUILD_DAG, REPORT, UNLOCK = "_build_dag", "create_report", "unlock"


def call_before(workflow: Any, doing: str, function: Callable[[], None]) -> None:
    """Call a function before each time that Snakemake does one of these.

    `onstart` comes only before the first job of a run, when Snakemake has looked at all
    files, and never where Reelbow is a module.
    """
    do = getattr(workflow, doing)

    def call(*arguments: Any, **more: Any) -> Any:
        function()
        return do(*arguments, **more)

    setattr(workflow, doing, call)


def is_usual(workflow: Any) -> bool:
    """Say whether this is a run, or a dry run, that has to make all that is old.

    Others are told what to make, make it on other grounds, or only look at the jobs.
    """
    asked, kept = workflow.dag_settings, workflow.storage_settings
    return (
        workflow.executor_plugin is not None
        and not workflow.touch
        and set(asked.targets) <= {"all"}
        and not (asked.forceall or asked.forcerun or asked.forcetargets)
        and not (asked.until or asked.omit_from or asked.batch or asked.target_jobs)
        and not asked.allowed_rules
        and not (kept.default_storage_provider or kept.notemp or kept.all_temp)
        # What is installed for jobs is another reason to make something again.
        and not workflow.deployment_settings.deployment_method
        # A job was killed, and Snakemake runs it again.
        and not any(Path(".snakemake/incomplete").glob("*"))
    )


def ask_for_nothing(workflow: Any) -> None:
    """Have Snakemake find nothing to do; to be called before the DAG."""
    workflow.dag.targetrules, workflow.dag.targetfiles = set(), set()


def make_again(workflow: Any, path: Path) -> None:
    """Have a result made again, whatever it depends on; to be called before the DAG."""
    workflow.dag.forcefiles.add(str(path))


def see_through_links(workflow: Any) -> None:
    """Have links that lead nowhere count as no files; to be called before the DAG.

    Snakemake lists folders, which takes less time than to ask for each file. But then
    it stumbles over such links.
    """
    workflow.iocache.remaining_wait_time = 0


def lift_rate_limit(workflow: Any) -> None:
    """Let as many jobs start as there is room for.

    The limit starts a timer in each round of the scheduler, and each timer a round:
    with jobs that wait, rounds by the thousand. No option leaves it out.
    """
    workflow.scheduler.job_rate_limiter = None


class _EndedTogether(tuple[Any, ...]):
    """Jobs that count as one group, as which Snakemake takes several at once."""

    def is_group(self) -> bool:
        return True


def renew_seldom(workflow: Any) -> None:
    """Have what waits for checkpoints renewed for many at once; for a run's scheduler.

    Snakemake looks at all jobs after each checkpoint, which for many films takes the
    square of their time. No option says how often.
    """
    dag, scheduler = workflow.dag, workflow.scheduler
    finish, finish_jobs = dag.finish, scheduler._finish_jobs
    ended: list[Any] = []
    next_at, is_waking = 0.0, False

    async def finish_later(job: Any, **how: Any) -> Any:
        if job.is_group() or not job.is_checkpoint:
            return await finish(job, **how)
        ended.append(job)
        return False

    def finish_together() -> None:
        nonlocal next_at, is_waking
        finish_jobs()
        if not ended:
            return
        began = time.monotonic()
        if began < next_at and (scheduler.running or any(scheduler.open_jobs)):
            if not is_waking:
                # Perhaps no other job ends until then.
                waking = threading.Timer(next_at - began, scheduler._open_jobs.release)
                waking.daemon = True
                waking.start()
                is_waking = True
            return
        together = _EndedTogether(ended)
        dag._running.difference_update(ended)
        dag._running.add(together)
        ended.clear()
        is_waking = False
        workflow.async_run(finish(together))
        now = time.monotonic()
        next_at = now + RENEWING_RESTS * (now - began)

    dag.finish = finish_later
    scheduler._finish_jobs = finish_together


def build_faster() -> None:
    """Have Snakemake look at thousands of jobs in less time.

    It asks for the parameters of the same functions for every job, and Python looks
    again and again whether all these jobs are still needed.
    """
    from snakemake import (  # type: ignore[import-untyped]
        common,
        jobs,
        rules,
    )

    get_params = functools.cache(common.get_function_params)
    for module in (common, jobs, rules):
        module.get_function_params = get_params
    gc.set_threshold(*GARBAGE_THRESHOLDS)


def watch_slurm(
    look: Callable[[list[str]], None], find_lost: Callable[[list[str]], set[str]]
) -> None:
    """Have Slurm's executor look at the queue each 15 s, and say why a group failed.

    By itself the plugin looks less and less often, down to each 180 s, and a job that
    was cancelled would wait as long before it is tried again. What it says of a job,
    such as why Slurm did not take it, is lost where the job is a group. It waits for
    ever for a job that Slurm does not know, and for all jobs if Slurm does not answer
    for a while. These are methods that executors may have of their own, but there is
    no option for any.

    Parameters
    ----------
    look : is called after each look at the queue, with the ids of those jobs that asked
        for a GPU and have not ended
    find_lost : is given the ids of all jobs that have not ended, and finds those that
        Slurm will never tell the end of
    """
    from snakemake_executor_plugin_slurm import (  # type: ignore[import-untyped]
        Executor,
    )

    check = Executor.check_active_jobs

    async def check_active_jobs(self: Any, active_jobs: list[Any]) -> Any:
        self.has_told = False
        left = [job_info async for job_info in check(self, active_jobs)]
        if not left and not self.has_told:
            # Slurm did not answer, for which the plugin drops them all.
            left = active_jobs
        lost = find_lost([job_info.external_jobid for job_info in left])
        for job_info in left:
            if job_info.external_jobid in lost:
                self.report_job_error(
                    job_info, aux_logs=[str(job_info.aux["slurm_logfile"])]
                )
            else:
                yield job_info

    def report_job_success(self: Any, job_info: Any) -> None:
        self.has_told = True
        super(Executor, self).report_job_success(job_info)

    def report_job_error(
        self: Any, job_info: Any, msg: str | None = None, **about: Any
    ) -> None:
        self.has_told = True
        super(Executor, self).report_job_error(
            job_info, msg=msg, slurm_message=msg, **about
        )

    async def sleep(self: Any) -> None:
        jobs = list(self.active_jobs)
        look([job.external_jobid for job in jobs if job.job.resources.get("gpu")])
        await asyncio.sleep(POLL_S)

    Executor.check_active_jobs = check_active_jobs
    Executor.report_job_success = report_job_success
    Executor.report_job_error = report_job_error
    Executor.sleep = sleep
