"""The errors of Reelbow whose texts are meant for the user."""

from collections.abc import Sequence
from pathlib import Path


class ReelbowError(Exception):
    """Bad input, told in one sentence: what, where, what would be right."""


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
