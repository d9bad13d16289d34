"""Snakemake that has imported itself once, and runs each command in a fork of itself.

To import Snakemake and its plugins takes longer than most of what tests ask it for. Of
Reelbow only the logger, a plugin too, is imported before: each run reads the code that
it is given, and its jobs are processes of their own, as ever.
"""

import atexit
import functools
import gc
import importlib
import os
import pickle
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import IO

# What a run imports of packages when it begins.
LATER = ["jsonschema", "nbformat", "smart_open", "snakemake.benchmark"]

# More than any command with its environment.
LONGEST = 1 << 17


@functools.cache
def get_warm() -> "WarmSnakemake":
    """Start it where it is wanted for the first time."""
    return WarmSnakemake()


class WarmSnakemake:
    """The process that is forked; it ends with the one that started it."""

    def __init__(self) -> None:
        self._socket, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other:
            number = other.fileno()
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(number)],
                pass_fds=[number],
                # A fork has no other thread than that which forks.
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            )
        atexit.register(self._close, os.getpid())

    def run(
        self,
        command: list[str],
        folder: Path,
        environment: dict[str, str],
        output: tuple[IO[str], IO[str]],
    ) -> int:
        """Run a command that begins with the path of Snakemake; return its status."""
        request = pickle.dumps((command, str(folder), environment))
        assert len(request) < LONGEST
        numbers = [file.fileno() for file in output]
        socket.send_fds(self._socket, [request], numbers)
        return int(self._socket.recv(LONGEST))

    def _close(self, owner: int) -> None:
        # Forks of the tests' process end, too, and share the socket.
        if os.getpid() != owner:
            return
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._process.wait()


def wait_for_command(channel: socket.socket) -> bool:
    """Wait until this is the fork that is to run a command, or until there is none."""
    while True:
        request, numbers, _, _ = socket.recv_fds(channel, LONGEST, 2)
        if not request:
            return False
        child = os.fork()
        if not child:
            break
        for number in numbers:
            os.close(number)
        _, status = os.waitpid(child, 0)
        channel.send(str(os.waitstatus_to_exitcode(status)).encode())
    channel.close()
    for number, standard in zip(numbers, (1, 2), strict=True):
        os.dup2(number, standard)
        os.close(number)
    sys.argv, folder, environment = pickle.loads(request)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    # As where Python begins with the command, in this environment.
    given = environment.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:1] = [str(Path(sys.argv[0]).parent), *filter(None, given)]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    return True


if __name__ == "__main__":
    # Tests of how a run ends its jobs end all children of their process.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    from snakemake.cli import get_argument_parser, main

    get_argument_parser()
    for module in LATER:
        importlib.import_module(module)
    assert "reelbow" not in sys.modules
    # What is there by now is not looked through again, and so not copied.
    gc.collect()
    gc.freeze()
    if wait_for_command(socket.socket(fileno=int(sys.argv[1]))):
        main()
