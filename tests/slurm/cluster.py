"""A real Slurm on one Debian machine, in seconds: a controller and three nodes.

Each node is a slurmd with processes, and a /dev/shm, of its own, so that it can die as
a machine dies. All files, ports and keys are its own: a Slurm that is there already is
neither used nor touched. Should this process be killed, the kernel ends the cluster.

`python tests/slurm/cluster.py` keeps one up until Enter is pressed, to try things.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "munged", "unshare", "setpriv")

# The nodes of each partition. The GPU is /dev/zero: Slurm counts it, nothing more.
PARTITIONS = {"cpu": ("c1", "c2"), "gpu": ("g1",)}
MEMORY = Path("/dev/shm")
NODES = [node for nodes in PARTITIONS.values() for node in nodes]

CONFIGURATION = """\
ClusterName=reelbow
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
AuthInfo=socket={folder}/munge/socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
MpiDefault=none
GresTypes=gpu
# No cgroups, which containers do not have: memory is watched by samples.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
# Nodes may claim more than there is, since they share one machine.
SlurmdParameters=config_overrides
# A dead node is down after some 10 seconds, and serves again when it is back.
SlurmdTimeout=10
ReturnToService=2
KillWait=2
TaskProlog={folder}/prolog
"""

# On some clusters Slurm gives each job a folder of its own; here one node does.
PROLOG = """\
#!/bin/sh
if [ "$SLURMD_NODENAME" = g1 ]; then
    mkdir -p {local}/$SLURM_JOB_ID
    echo export TMPDIR={local}/$SLURM_JOB_ID
fi
"""


def explain_absence() -> str | None:
    """Say what is missing to start a Slurm here, if anything is."""
    missing = [program for program in PROGRAMS if not find_program(program)]
    if missing:
        return f"no {', '.join(missing)} here (Debian: slurmctld slurmd munge)"
    if os.geteuid() != 0:
        return "slurmd wants to be root, to start jobs as their user"
    if subprocess.run([*ISOLATION, "true"], capture_output=True).returncode:
        return "this machine or container lets nobody make namespaces (unshare)"
    return None


def find_program(name: str) -> str | None:
    """Find a program; Slurm's daemons are in folders that not every PATH has."""
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


# A node's processes die with its first one; their mounts are seen by nobody else.
ISOLATION = ["unshare", "--mount", "--pid", "--mount-proc", "--fork", "--kill-child"]


class Cluster:
    """A running Slurm.

    Attributes
    ----------
    folder : what is Slurm's own, with its logs
    disk : a disk of 24 MB that all nodes share
    local : where each node has a disk of its own; jobs on g1 have their TMPDIR there
    environment : for the processes that are to use this Slurm
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.disk = folder / "disk"
        self.local = folder / "local"
        self.environment = os.environ | {"SLURM_CONF": str(folder / "slurm.conf")}
        self.daemons: list[subprocess.Popen[bytes]] = []
        self.controller: subprocess.Popen[bytes] | None = None
        self.nodes: dict[str, subprocess.Popen[bytes]] = {}

    @contextlib.contextmanager
    def running(self) -> Iterator[Self]:
        """Start it, and end it whatever happens."""
        try:
            self._start()
            yield self
        finally:
            self.stop()

    def _start(self) -> None:
        self._configure()
        munge = self.folder / "munge"
        munged = self._spawn(
            *["munged", "--foreground", f"--socket={munge / 'socket'}"],
            *[f"--key-file={munge / 'key'}", f"--pid-file={munge / 'pid'}"],
            *[f"--seed-file={munge / 'seed'}", f"--log-file={munge / 'log'}"],
            # Its folder is below /tmp, where others may write too.
            "--force",
        )
        self.daemons.append(munged)
        wait_for((munge / "socket").exists, "munged")
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=24m", "reelbow", self.disk],
            check=True,
        )
        self.mend()

    def _configure(self) -> None:
        (self.folder / "munge").mkdir()
        self.disk.mkdir()
        self.local.mkdir()
        (self.folder / "munge/key").write_bytes(os.urandom(1024))
        (self.folder / "munge/key").chmod(0o400)
        port, *ports = find_ports(1 + len(NODES))
        host = socket.gethostname().split(".")[0]
        lines = [CONFIGURATION.format(folder=self.folder, host=host, port=port)]
        for node, node_port in zip(NODES, ports, strict=True):
            gres = " Gres=gpu:1" if node in PARTITIONS["gpu"] else ""
            lines.append(
                f"NodeName={node} NodeHostname={host} "
                f"NodeAddr=127.0.0.1 Port={node_port} CPUs=2 RealMemory=16000{gres}\n"
            )
        for partition, nodes in PARTITIONS.items():
            lines.append(
                f"PartitionName={partition} Nodes={','.join(nodes)} "
                f"Default={'YES' if partition == 'cpu' else 'NO'}\n"
            )
        (self.folder / "slurm.conf").write_text("".join(lines))
        prolog = self.folder / "prolog"
        prolog.write_text(PROLOG.format(local=self.local))
        prolog.chmod(0o755)
        (self.folder / "gres.conf").write_text("NodeName=g1 Name=gpu File=/dev/zero\n")

    def _spawn(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a daemon that ends when this process does."""
        path = find_program(program)
        assert path is not None
        with (self.folder / f"{program}.out").open("ab") as out:
            return subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", path, *arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                # Ctrl-C is for the tests, which then stop this.
                start_new_session=True,
            )

    def mend(self) -> None:
        """Start all that is dead, and wait until all nodes can be used."""
        self.start_controller()
        for node in NODES:
            self.start_node(node)

        def are_idle() -> bool:
            self.resume_nodes()
            return set(self.ask("sinfo", "-h", "-N", "-o", "%T")) == {"idle"}

        wait_for(are_idle, "nodes that are idle", 30)

    def start_controller(self) -> None:
        """Start the controller, unless it runs."""
        if self.controller is None:
            self.controller = self._spawn("slurmctld", "-D")

    def kill_controller(self) -> None:
        """Let the controller die; it is back with what it had written by then."""
        if self.controller is not None:
            kill(self.controller)
            self.controller = None

    def set_first_job(self, number: int) -> None:
        """Set the number that the first job has of a controller that knows of none."""
        with (self.folder / "slurm.conf").open("a") as file:
            file.write(f"FirstJobId={number}\n")

    def start_node(self, node: str) -> None:
        """Start a node, unless it runs."""
        if node not in self.nodes:
            self.nodes[node] = self._spawn(
                *ISOLATION,
                *["sh", "-c"],
                # srun in a job is not told of SLURM_CONF by Snakemake.
                f"mount --bind {self.folder} /etc/slurm && "
                "mount -t tmpfs -o size=500m reelbow /dev/shm && "
                f"mount -t tmpfs -o size=500m reelbow {self.local} && "
                f"{find_program('slurmd')} -D -N {node}",
            )

    def resume_nodes(self) -> None:
        """Do what an administrator does for nodes that Slurm gives no jobs any more.

        A controller that died too early gives a job the number of one it forgot, and
        then puts the node aside that has both.
        """
        for line in self.ask("sinfo", "-h", "-N", "-o", "%N %t"):
            node, state = line.split()
            if state.startswith("dr"):
                self.ask("scontrol", "update", f"NodeName={node}", "State=RESUME")

    def kill_node(self, node: str) -> None:
        """Let a node die with all that runs on it, as if its power had failed."""
        kill(self.nodes.pop(node))

    def list_scratch(self, node: str) -> list[str]:
        """List the files in a node's /dev/shm and on its own disk."""
        sees = Path("/proc", str(self.nodes[node].pid), "root")
        folders = [sees / folder.relative_to("/") for folder in (MEMORY, self.local)]
        return [
            str(path.relative_to(sees))
            for folder in folders
            for path in folder.rglob("*")
        ]

    def stop(self) -> None:
        """End all that was started, whatever state it is in."""
        for node in list(self.nodes):
            self.kill_node(node)
        self.kill_controller()
        while self.daemons:
            kill(self.daemons.pop())
        if self.disk.is_mount():
            subprocess.run(["umount", "--lazy", self.disk], check=True)

    def ask(self, *command: str) -> list[str]:
        """Run one of Slurm's commands; return the lines it says."""
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        )
        return done.stdout.splitlines()


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and wait for its end."""
    process.send_signal(signal.SIGKILL)
    process.wait()


def wait_for(condition: Callable[[], object], what: str, seconds: float = 10) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} not within {seconds} s")
        time.sleep(0.1)


def find_ports(number: int) -> list[int]:
    """Find free ports."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


if __name__ == "__main__":
    reason = explain_absence()
    if reason:
        sys.exit(reason)
    with (
        tempfile.TemporaryDirectory() as scratch,
        Cluster(Path(scratch)).running() as running,
    ):
        print(f"export SLURM_CONF={running.environment['SLURM_CONF']}")
        input("Enter ends it.\n")
