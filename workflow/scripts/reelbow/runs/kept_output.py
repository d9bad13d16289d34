"""Results that stay where they are until their job has new ones, for Snakemake's rules.

Snakemake deletes a rule's results before it runs: for a while readers find none. What
is flagged `update` it copies instead, and puts the copy back if the job fails, bit by
bit and with the time of now: the next run would take what is old for new.

Reelbow's jobs replace their results in one step when all is done. So no copy is needed,
and after a failure the old result gets the oldest time there is, to be made again. Or
it goes then, if no input of its rule is newer than that.
"""

import contextlib
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from reelbow.errors import DamagedError


def mark_as_old(path: Path) -> None:
    """Let the next run make a file again, whatever it depends on."""
    os.utime(path, (0, 0))


@contextlib.contextmanager
def make_damaged_again() -> Iterator[None]:
    """Let the next run make again what is found damaged inside; nothing is deleted."""
    try:
        yield
    except DamagedError as error:
        for path in error.paths:
            mark_as_old(path)
        advice = "give the same command again, which makes {} anew"
        raise DamagedError(error.why, error.paths, advice) from None


def keep_until_replaced(
    persistence: Any, folder: Path, *, kept: Collection[str], dropped: Collection[str]
) -> None:
    """Let Snakemake copy no outputs of these names in this folder.

    Parameters
    ----------
    persistence : its class for what it keeps of outputs
    kept, dropped : names of those that stay after a failure, and of those that go
    """
    back_up, restore = persistence.backup_output, persistence.restore_output

    def is_ours(path: Path) -> bool:
        return path.name in {*kept, *dropped} and path.is_relative_to(folder)

    def backup_output(self: Any, path: Path) -> None:
        if not is_ours(path):
            back_up(self, path)

    def restore_output(self: Any, path: Path) -> bool:
        if not is_ours(path):
            return bool(restore(self, path))
        # What is not restored Snakemake deletes.
        stays = path.name in kept and path.exists()
        if stays:
            mark_as_old(path)
        return stays

    persistence.backup_output = backup_output
    persistence.restore_output = restore_output
