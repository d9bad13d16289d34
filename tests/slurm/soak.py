"""Kills at random what runs on Slurm are made of, until all is made all the same.

`uv run python tests/slurm/soak.py --kills 100 --seed 0` takes a quarter of an hour.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests/helpers"), str(ROOT / "workflow/scripts")]

from cluster import PARTITIONS, Cluster, explain_absence  # noqa: E402
from projects import (  # noqa: E402
    NO_PICTURES,
    Project,
    Result,
    copy_code,
    make_project,
)
from runs import Running, SlurmProject, equip, write_archive  # noqa: E402

CONFIG = {"films": "tars/*.tar", "cluster": {"n_colors": 8}, **NO_PICTURES}

# What is killed, and how often.
VICTIMS = {"job": 4, "cancelled": 2, "node": 2, "controller": 1, "snakemake": 1}

# Between two kills, and until what was killed is back: means, at random.
PAUSE_S = 5.0
DEAD_S = 5.0

# How often an administrator looks at the nodes.
LOOK_S = 5.0

# No job at all for so long, while all is up, is a run that waits for ever.
PATIENCE_S = 150.0

# No run here takes as long.
LONGEST_S = 3600.0


@dataclass
class Soak:
    """A run again and again, and what is done to it.

    Attributes
    ----------
    targets : what is asked for, of all that can be made
    kills : how often something is killed
    killed : how often each kind was
    rounds : how often all was made, from nothing
    commands : how often the command was given
    hung : how many runs waited for ever
    """

    project: SlurmProject
    targets: Sequence[str]
    config: dict[str, Any]
    kills: int
    random: Random
    killed: Counter[str] = field(default_factory=Counter)
    rounds: int = 0
    commands: int = 0
    hung: int = 0
    # When each node, and the controller, is started again.
    back: dict[str, float] = field(default_factory=dict)

    def last(self, undisturbed: Project) -> None:
        """Run until all kills are done, and all is made as without them."""
        cluster = self.project.cluster
        end = time.monotonic() + LONGEST_S
        while self.killed.total() < self.kills:
            while (result := self.run(end)).status != 0:
                print(self.describe(), file=sys.stderr, flush=True)
                assert time.monotonic() < end, result.stderr
                assert "Traceback" not in result.stderr, result.stderr
                if "--unlock" in result.stderr:
                    self.project.run("--profile", "slurm", "--unlock", **self.config)
            self.rounds += 1
            if self.targets:
                # The rest by a local run.
                self.project.make(**self.config)
            assert self.project.rows() == undisturbed.rows()
            assert self.project.results() == undisturbed.results()
            cluster.mend()
            assert self.project.active() == []
            self.back.clear()
            if self.killed.total() < self.kills:
                for made in ["results", "logs", ".snakemake"]:
                    shutil.rmtree(self.project.folder / made)

    def run(self, end: float) -> Result:
        """Give the command, and kill until it is over or nothing is left to kill."""
        self.commands += 1
        run = Running(self.project, tuple(self.targets), self.config)
        idle_since = next_look = time.monotonic()
        next_kill = idle_since + self.wait(PAUSE_S)
        while not run.over:
            time.sleep(0.2)
            now = time.monotonic()
            for name in [name for name, when in self.back.items() if when < now]:
                self.bring_back(name)
            if now > next_look and "controller" not in self.back:
                self.project.cluster.resume_nodes()
                next_look = now + LOOK_S
            if self.back or self.project.active():
                idle_since = now
            if now - idle_since > PATIENCE_S or now > end:
                self.hung += 1
                run.kill()
            elif self.killed.total() < self.kills and now > next_kill:
                self.kill(run)
                next_kill = time.monotonic() + self.wait(PAUSE_S)
        return run.wait()

    def wait(self, mean_s: float) -> float:
        """Seconds, at random, and at most three times the mean."""
        return min(self.random.expovariate(1 / mean_s), 3 * mean_s)

    def bring_back(self, name: str) -> None:
        """Start what was killed."""
        cluster = self.project.cluster
        del self.back[name]
        if name == "controller":
            cluster.start_controller()
        else:
            cluster.start_node(name)

    def kill(self, run: Running) -> None:
        """Kill something, if it is there to be killed."""
        (kind,) = self.random.choices(list(VICTIMS), list(VICTIMS.values()))
        cluster = self.project.cluster
        name = kind
        if kind == "job":
            processes = [
                process
                for word in ("snakemake", ".py")
                for process in self.project.processes(word)
                if process.job is not None
            ]
            if not processes:
                return
            try:
                self.random.choice(processes).send(signal.SIGKILL)
            except ProcessLookupError:
                return
        elif kind == "cancelled":
            jobs = self.project.active()
            if not jobs:
                return
            cluster.ask("scancel", str(self.random.choice(jobs).number))
        elif kind == "node":
            name = self.random.choice(PARTITIONS["cpu"])
            if name in self.back:
                return
            cluster.kill_node(name)
        elif kind == "controller":
            if name in self.back:
                return
            cluster.kill_controller()
        else:
            run.kill()
        if kind in ("node", "controller"):
            self.back[name] = time.monotonic() + self.wait(DEAD_S)
        self.killed[kind] += 1

    def describe(self) -> str:
        """Say what was done."""
        kinds = ", ".join(f"{self.killed[kind]} {kind}" for kind in VICTIMS)
        return (
            f"{self.killed.total()} killed ({kinds}) in {self.rounds} rounds of "
            f"{self.commands} commands; {self.hung} hung"
        )


def make_undisturbed(folder: Path, code: Path, n_shards: int) -> Project:
    """Make what is to come of it, by a local run."""
    project = make_project(folder, code)
    write_archive(project.folder / "tars", n_tarballs=n_shards, n_frames=1)
    project.make(**CONFIG)
    return project


def begin(folder: Path, undisturbed: Project, cluster: Cluster) -> SlurmProject:
    """Make a folder with the same films, and nothing made of them."""
    project = make_project(folder, undisturbed.code)
    shutil.copytree(undisturbed.folder / "tars", project.folder / "tars")
    return equip(project, cluster)


def main() -> None:
    """Do it once, and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shards", type=int, default=60)
    given = parser.parse_args()
    reason = explain_absence()
    if reason:
        sys.exit(reason)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        code = copy_code(scratch / "code")
        undisturbed = make_undisturbed(scratch / "undisturbed", code, given.shards)
        (scratch / "slurm").mkdir()
        with Cluster(scratch / "slurm").running() as cluster:
            os.environ["SLURM_CONF"] = cluster.environment["SLURM_CONF"]
            project = begin(scratch / "project", undisturbed, cluster)
            soak = Soak(project, (), CONFIG, given.kills, Random(given.seed))
            begun = time.monotonic()
            try:
                soak.last(undisturbed)
            finally:
                minutes = (time.monotonic() - begun) / 60
                print(
                    f"{given.shards} shards: {soak.describe()}; {minutes:.0f} minutes"
                )


if __name__ == "__main__":
    main()
