"""Runs on Slurm that go on beside the test, so that it can do them harm."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from cluster import Cluster, wait_for
from projects import NO_PICTURES, Project, Result, name_merges, write_tarball

# Each shard is clustered for some seconds: time enough to do it harm.
ARCHIVE = {
    "films": "tars/*.tar",
    "cluster": {"n_colors": 256, "n_init": 40},
    **NO_PICTURES,
}
N_TARBALLS = 3

# Plans and merges are the same for all: a test of what happens to shards does without.
SHARDS = [f"results/tars/palettes/{i}.sqlite" for i in range(N_TARBALLS)]

# More than any run takes here; whoever waits longer waits for ever.
LONGEST_S = 300

ACTIVE = ("PENDING", "CONFIGURING", "RUNNING", "COMPLETING")


@dataclass
class Job:
    """A job as Slurm has it."""

    number: int
    purpose: str  # rule_merge_film_wildcards_tars; rule_shard_... of any shard
    state: str
    partition: str
    node: str
    minutes: int
    memory_mb: int
    gpus: int
    submitted: datetime

    @classmethod
    def parse(cls, line: str) -> "Job":
        """Read a line of `scontrol show job --oneliner`."""
        has = dict(re.findall(r"(\w+)=(\S*)", line))
        hours, minutes, _ = map(int, has["TimeLimit"].split(":"))
        memory, unit = re.fullmatch(r"(\d+)([MG])", has["MinMemoryNode"]).groups()
        return cls(
            number=int(has["JobId"]),
            purpose=has["Comment"],
            state=has["JobState"],
            partition=has["Partition"],
            node=has["NodeList"].replace("(null)", ""),
            minutes=60 * hours + minutes,
            memory_mb=int(memory) * {"M": 1, "G": 1024}[unit],
            gpus=int(has.get("TresPerJob", "gres:gpu:0").rpartition(":")[2]),
            submitted=datetime.fromisoformat(has["SubmitTime"]),
        )


@dataclass
class Process:
    """A process of this machine, on whatever node."""

    number: int
    parent: int
    command: str
    folder: Path  # in which it works
    log: Path  # where its errors go
    job: int | None  # of which it is, as Slurm has it

    @classmethod
    def read(cls, path: Path) -> "Process":
        """Read a folder of /proc."""
        command = (path / "cmdline").read_bytes().replace(b"\0", b" ")
        job = re.search(rb"(?:^|\0)SLURM_JOB_ID=(\d+)", (path / "environ").read_bytes())
        return cls(
            number=int(path.name),
            parent=int((path / "stat").read_text().rpartition(")")[2].split()[1]),
            command=command.decode(errors="replace"),
            folder=(path / "cwd").readlink(),
            log=(path / "fd/2").readlink(),
            job=int(job[1]) if job else None,
        )

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.number, number)


class Running:
    """A run that goes on."""

    def __init__(
        self, project: "SlurmProject", arguments: tuple[str, ...], config: Any
    ) -> None:
        self._project = project
        pool = ThreadPoolExecutor(1)
        slurm = ("--profile", "slurm")
        self._result = pool.submit(project.run, *slurm, *arguments, **config)
        pool.shutdown(wait=False)

    @property
    def over(self) -> bool:
        """Whether it is over."""
        return self._result.done()

    def wait(self) -> Result:
        """Wait for its end."""
        return self._result.result(LONGEST_S)

    def wait_for_clustering(self, *jobs: int | None) -> Process:
        """Wait until some shard is clustered by a job that is none of these."""
        found: list[Process] = []

        def find() -> bool:
            assert not self.over, self._result.result().stderr
            found[:] = [
                process
                for process in self._project.processes("cluster_shard.py")
                # once it writes to its log it works
                if process.job not in jobs and process.log.parent.name == "tars"
            ]
            return bool(found)

        wait_for(find, "clustering", 120)
        return found[0]

    def kill(self) -> None:
        """Kill Snakemake, which leaves its jobs to themselves."""
        for process in self._project.processes("snakemake"):
            if process.parent == os.getpid():
                process.send(signal.SIGKILL)
        self.wait()


@dataclass
class SlurmProject(Project):
    """A folder in which a user runs Snakemake on Slurm."""

    cluster: Cluster

    def _execute(
        self, command: list[str], environment: dict[str, str]
    ) -> tuple[int, str, str]:
        """Run a command as a process of its own, which others find and may kill."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def run_on_slurm(self, *arguments: str, **config: Any) -> Result:
        """Run Snakemake on Slurm, to its end."""
        with self.running(*arguments, **config) as run:
            return run.wait()

    def make_on_slurm(self, *arguments: str, **config: Any) -> Result:
        """Run Snakemake on Slurm, which has to go well."""
        result = self.run_on_slurm(*arguments, **config)
        assert result.status == 0, result.stderr
        return result

    @contextmanager
    def running(self, *arguments: str, **config: Any) -> Iterator[Running]:
        """Run Snakemake on Slurm while something else is done; nothing outlives it."""
        run = Running(self, arguments, config)
        try:
            yield run
        finally:
            if not run.over:
                run.kill()
            self.cluster.ask("scancel", *[str(job.number) for job in self.active()])
            wait_for(lambda: not self.active(), "the end of cancelled jobs", 60)

    def jobs(self) -> list[Job]:
        """List the jobs that Slurm remembers of this folder, in their order."""
        lines = self.cluster.ask("scontrol", "show", "job", "--oneliner")
        own = [Job.parse(line) for line in lines if f" WorkDir={self.folder} " in line]
        return sorted(own, key=lambda job: job.number)

    def shard_jobs(self) -> list[Job]:
        """List the jobs that are shards."""
        return [job for job in self.jobs() if job.purpose.startswith("rule_shard_")]

    def active(self) -> list[Job]:
        """List the jobs that wait, run or are just ending."""
        return [job for job in self.jobs() if job.state in ACTIVE]

    def processes(self, word: str) -> list[Process]:
        """Find the processes of this folder with a word in their command."""
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                process = Process.read(path)
            except OSError:
                # It has ended meanwhile, or is the kernel's.
                continue
            if process.folder == self.folder and word in process.command:
                found.append(process)
        return found

    def check_against(self, undisturbed: Project) -> None:
        """Check that there are all shards and no more than were made without harm."""
        merged = self.make(**ARCHIVE)
        assert merged.jobs == name_merges("tars")
        assert self.rows() == undisturbed.rows()
        assert self.results() == undisturbed.results()


def equip(project: Project, cluster: Cluster) -> SlurmProject:
    """Give a folder the profiles, as they lie in a clone."""
    for folder in ["profiles", "slurm"]:
        (project.folder / folder).symlink_to(project.code / folder)
    return SlurmProject(project.folder, project.code, cluster)


def write_archive(folder: Path, n_tarballs: int, n_frames: int) -> None:
    """Write tarballs of noise, in which there are many colors."""
    random = np.random.default_rng(0)
    for number in range(n_tarballs):
        noise = random.integers(0, 256, (n_frames, 90, 160, 3), np.uint8)
        write_tarball(
            folder / f"{number}.tar",
            {
                f"{i}.png": cv2.imencode(".png", pixels)[1].tobytes()
                for i, pixels in enumerate(noise)
            },
        )
