"""What only Slurm knows: how a job ended, and which jobs are in a folder."""

import os
import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from reelbow.errors import ReelbowError
from reelbow.jobs.log import read_log
from reelbow.runs.messages import refuse, tell
from reelbow.text import count

# Longer than Slurm takes to end a job that does not want to (KillWait, 30 s).
LONGEST_WAIT_S = 180.0

# A job that Slurm does not know at so many looks in a row is lost.
MOST_LOOKS = 3

# A busy controller answers late.
PATIENCE_S = 30
ENDINGS = {
    "TIMEOUT": "took longer than the time it asked for; more is asked for by "
    "--set-resources RULE:runtime=MINUTES",
    "OUT_OF_MEMORY": "used more memory than it asked for; more is asked for by "
    "--set-resources RULE:mem_mb=MB",
    "NODE_FAIL": "its node was lost",
    "BOOT_FAIL": "its node did not start",
    "CANCELLED": "was cancelled",
    "PREEMPTED": "had to make room for another job",
    "DEADLINE": "could not end before its deadline",
}

# What Slurm's log says, for a state that Slurm does not tell: without cgroups it calls
# a job FAILED, or CANCELLED, that took too much memory.
SPEAKER = r"^(slurmstepd|srun)\S*: .*"
IN_LOG = {
    "OUT_OF_MEMORY": r"(exceeded (job )?memory limit|oom[_-]kill|out of memory)",
    "TIMEOUT": r"CANCELLED AT .* DUE TO TIME LIMIT",
    "NODE_FAIL": r"CANCELLED AT .* DUE TO NODE FAIL",
    "PREEMPTED": r"CANCELLED AT .* DUE TO PREEMPTION",
    "CANCELLED": r"(JOB|STEP) \S+ ON \S+ CANCELLED AT \S+ \*\*\*",
}

# The plugin names all jobs of a run after it.
NAME_OF_RUN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


class Job(NamedTuple):
    """A job in the queue."""

    job_id: str
    state: str
    name: str
    folder: str


def list_jobs(folder: Path) -> list[Job]:
    """List the jobs in the queue that a Snakemake run in this folder submitted."""
    text = _ask("squeue", "-h", "--me", "-o", "%i|%T|%j|%Z")
    jobs = [Job(*line.split("|", 3)) for line in text.splitlines() if "|" in line]
    here = os.path.realpath(folder)
    return [
        job
        for job in jobs
        if NAME_OF_RUN.search(job.name) and os.path.realpath(job.folder) == here
    ]


def explain_state(state: str | None, log: str) -> str | None:
    """Say how a job ended, by its state and the text of Slurm's log.

    None if neither tells more than that it failed.
    """
    # Slurm adds by whom a job was cancelled.
    known = (state or "").split(" ")[0]
    of_log = next(
        (
            name
            for name, sign in IN_LOG.items()
            if re.search(SPEAKER + sign, log, re.I | re.M)
        ),
        None,
    )
    if known not in ENDINGS or (known == "CANCELLED" and of_log == "OUT_OF_MEMORY"):
        known = of_log or ""
    if known in ENDINGS:
        return ENDINGS[known]
    killed = re.search(r"died with <Signals\.(\w+)", log)
    return f"was killed on its node ({killed[1]})" if killed else None


def explain_refusal(message: str) -> str | None:
    """Say why Slurm did not take a job, by what the plugin says of it."""
    found = re.search(r"The error message was '(.*?)'\.?\n", message + "\n", re.S)
    if not found:
        return None
    lines = found[1].replace("sbatch: error: ", "").splitlines()
    return f"Slurm did not take the job: {'; '.join(filter(None, lines))}"


def find_state(job_id: str) -> str | None:
    """Ask for the state of a job that may have ended; None if Slurm forgot it."""
    questions = (
        ["squeue", "-h", "-t", "all", "-j", job_id, "-o", "%T"],
        ["sacct", "-n", "-X", "-P", "-j", job_id, "-o", "State"],
    )
    for question in questions:
        try:
            states = _ask(*question).split("\n")
        except ReelbowError:
            continue
        if states[0]:
            return states[0]
    return None


def cancel_jobs(job_ids: Sequence[str], folder: Path) -> None:
    """Cancel jobs of a folder and wait until they are gone.

    Raises `ReelbowError` if they do not go.
    """
    _ask("scancel", *job_ids)
    until = time.monotonic() + LONGEST_WAIT_S
    while left := {job.job_id for job in list_jobs(folder)} & set(job_ids):
        if time.monotonic() > until:
            raise ReelbowError(
                f"Slurm does not end its jobs {', '.join(sorted(left))} in this "
                "folder; wait until `squeue --me` has none of them, and give the same "
                "command again"
            )
        time.sleep(2)


def find_late(job_ids: Collection[str], longest_s: float) -> list[str]:
    """Find those of some jobs that have waited for their start longer than this."""
    # PendingTime is by Slurm's own clock.
    text = _ask("squeue", "-h", "--me", "-t", "PENDING", "-O", "JobID,PendingTime")
    return [
        job_id
        for job_id, waited_s in re.findall(r"^(\d+) +(\d+) *$", text, re.M)
        if job_id in job_ids and int(waited_s) > longest_s
    ]


def count_locks(folder: Path) -> int:
    """Count the runs that have, or had when they were killed, a folder's lock."""
    return len(list((folder / ".snakemake" / "locks").glob("*.output.lock")))


def _ask(*command: str) -> str:
    """Run a command of Slurm; a `ReelbowError` says what it had against it."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    except FileNotFoundError:
        raise ReelbowError(
            f"{command[0]}: no such command; give this one where Slurm's are"
        ) from None
    except subprocess.TimeoutExpired:
        raise ReelbowError(
            f"{command[0]}: no answer within {PATIENCE_S} s; try again later"
        ) from None
    if done.returncode:
        raise ReelbowError(f"{command[0]}: {' '.join(done.stderr.split())}")
    return done.stdout.strip()


class Queue:
    """The queue as one run sees it, in the working folder.

    gpu_wait_min : minutes that a job waits for a GPU; None: for ever
    """

    def __init__(self, gpu_wait_min: float | None = None) -> None:
        self.gpu_wait_min = gpu_wait_min
        # Ids of jobs that waited too long, and of those that Slurm forgot.
        self.late: set[str] = set()
        self.lost: set[str] = set()
        # At how many looks in a row Slurm did not know a job.
        self._unknown: Counter[str] = Counter()

    def clear(self) -> None:
        """End a run that was killed here, and this one, if it left any jobs."""
        try:
            found = end_dead_run(Path.cwd())
        except ReelbowError as error:
            refuse(str(error))
        if found:
            # Dying jobs took away files that this run had counted as done.
            refuse("now give the same command again.")

    def count_waiting(self) -> int:
        """Count the jobs that have not begun."""
        return sum(job.state == "PENDING" for job in list_jobs(Path.cwd()))

    def give_up_gpus(self, job_ids: list[str]) -> None:
        """Cancel jobs that wait too long: their next attempt asks for no GPU."""
        if not job_ids or self.gpu_wait_min is None:
            return
        late = find_late(job_ids, 60 * self.gpu_wait_min)
        if late:
            self.late.update(late)
            # Those that have begun meanwhile go on.
            _ask("scancel", "--state=PENDING", *late)

    def find_lost(self, job_ids: Collection[str]) -> set[str]:
        """Find those jobs that Slurm knows no more: its controller died too early."""
        if not job_ids:
            return set()
        known = _ask("squeue", "-h", "--me", "-t", "all", "-o", "%i").split()
        unknown = set(job_ids) - set(known)
        self._unknown = Counter({job: self._unknown[job] + 1 for job in unknown})
        lost = {
            job
            for job, looks in self._unknown.items()
            # Accounting may know it all the same.
            if looks >= MOST_LOOKS and find_state(job) is None
        }
        self.lost |= lost
        return lost

    def explain_end(self, about: dict[str, Any]) -> str | None:
        """Say how a job ended, if more is known than that it failed.

        Parameters
        ----------
        about : what the executor says of the job, and its logs
        """
        job_id = about.get("external_jobid")
        if job_id is None:
            return explain_refusal(about.get("slurm_message") or "")
        if job_id in self.lost:
            return "Slurm forgot it"
        text = "".join(read_log(Path(log)) for log in about["aux_logs"])
        ended = explain_state(find_state(job_id), text)
        # A late job may have begun all the same, and failed in its own way.
        if job_id in self.late and ended == ENDINGS["CANCELLED"]:
            return (
                f"waited for a GPU for more than {self.gpu_wait_min:g} minutes "
                "(cluster.gpu_wait_min)"
            )
        return ended


def end_dead_run(folder: Path) -> bool:
    """Cancel the jobs of a run that was killed: they would write beside ours.

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
        f"a run that was killed in this folder left {count(len(jobs), 'job')} at "
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


def join_ids(jobs: Iterable[Job], most: int = 5) -> str:
    """Name jobs by their ids, the first few of many."""
    ids = [job.job_id for job in jobs]
    return ", ".join(ids[:most]) + (", ..." if len(ids) > most else "")
