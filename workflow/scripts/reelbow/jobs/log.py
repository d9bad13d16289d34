"""The log of a job: where it goes, its marks, and what it says of a failure."""

import errno
import os
import re
import shutil
import sys
from pathlib import Path

from reelbow.machine.gpu import ADVICE

# The run's end looks for this in the logs of failed jobs.
ERROR_MARK = "ERROR: "

# The table of a run looks for this in the logs of finished jobs.
USAGE_MARK = "USED: "

NO_GPU = "it was given no GPU, or its job there never began"
SILENT = "was killed, or ended without saying why"

# With less room on the disk, in bytes, a job cannot even say that there is none.
LEAST_ROOM = 1 << 20


def log_to(log: str) -> None:
    """Send stderr, of Python and of the C libraries beneath it, to the file `log`."""
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    with Path(log).open("w") as stream:
        os.dup2(stream.fileno(), sys.stderr.fileno())


def explain_log(text: str) -> str | None:
    """Say how a job ended by its log, if it says so.

    That is its own sentence, or the last line of a traceback.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    for line in reversed(lines):
        if line.startswith(ERROR_MARK):
            return line.removeprefix(ERROR_MARK)
    if "Traceback (most recent call last):" in text and re.match(r"[\w.]+", lines[-1]):
        return f"failed unexpectedly: {lines[-1]}"
    return None


def explain_fallback(log: Path) -> str:
    """Say why a CPU does what was a GPU's, by the log of the attempt there."""
    if not log.exists():
        return NO_GPU
    reason = explain_log(read_log(log)) or f"the attempt there {SILENT}"
    # The advice is to run it on a CPU, which was done.
    return reason.removesuffix(f"; {ADVICE}")


def explain_silence(folder: Path) -> str:
    """Say what is known of a job that has left no word in its folder."""
    if shutil.disk_usage(folder).free < LEAST_ROOM:
        return f"{os.strerror(errno.ENOSPC)}, not even for its log"
    return SILENT


def read_log(log: Path) -> str:
    """Read a log, whatever C libraries wrote into it; nothing if there is none."""
    try:
        return log.read_bytes().decode(errors="replace")
    except OSError:
        return ""
