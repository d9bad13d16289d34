"""The errors of Reelbow whose texts are meant for the user."""

import errno
from collections.abc import Sequence
from pathlib import Path

# What the system says of a file now, and maybe not tomorrow: the disk or its server is
# away, too many files are open, memory is short. It tells nothing of the file.
PASSING = frozenset(
    {
        *(errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM),
        *(errno.ESTALE, errno.ETIMEDOUT),
    }
)


class ReelbowError(Exception):
    """Bad input, told in one sentence: what, where, what would be right."""


class UnreadableError(ReelbowError):
    """A file cannot be read by no fault of its own: it may be another time."""


class DamagedError(ReelbowError):
    """Finished files of Reelbow's own are damaged: a run can make them again.

    why : of the first of the files
    """

    def __init__(
        self, why: str, paths: Sequence[Path], advice: str = "delete {} and run again"
    ) -> None:
        more = f", and {len(paths) - 1} more like it" if len(paths) > 1 else ""
        what = advice.format("them" if more else "it")
        super().__init__(f"{paths[0]}: {why}{more}; {what}")
        self.why = why
        self.paths = paths
