"""Reelbow's own files of arrays (npz), and what is said of a damaged one."""

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from reelbow.errors import DamagedError, ReelbowError


@contextlib.contextmanager
def telling_damage_of(
    path: Path, advice: str = "delete {} and run again"
) -> Iterator[None]:
    """Say in one sentence that an npz is damaged, of which something is read within.

    advice : as `DamagedError` takes it

    Raises
    ------
    OSError
        If it is not there or may not be read.
    DamagedError
        If it is not whole.
    """
    try:
        yield
    except (ReelbowError, MemoryError):
        raise
    except Exception as error:
        # Zips and numpy's headers that are damaged raise whatever comes of them; one is
        # what the system says of a place before the start of a file.
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        raise DamagedError("damaged", [path], advice) from None
