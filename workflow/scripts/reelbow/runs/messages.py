"""What is said to the user outside of a run's log."""

import sys
from typing import NoReturn

LOCKED = (
    "another run is going on in this folder, or one was killed here. If none is going "
    "on, give the same command with --unlock added, and then the same command again: "
    "it goes on where the killed run was."
)
STOPPED = (
    "stopping (Ctrl-C): jobs that run are ended, what is finished stays. Give the same "
    "command again, and it goes on from there."
)


def refuse(sentence: str) -> NoReturn:
    """End before any job has started: one sentence, exit status 1."""
    tell(sentence)
    sys.exit(1)


def tell(sentence: str) -> None:
    """Say something to the user, whatever Snakemake's logger shows."""
    # At once: the logger does so in another thread.
    sys.stderr.write(f"Reelbow: {sentence}\n")
