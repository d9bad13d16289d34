"""Files of a job: renamed when they are whole, handed on by a node's scratch."""

import contextlib
import csv
import errno
import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from reelbow.errors import DamagedError
from reelbow.machine.scratch import find_place, release
from reelbow.text import guard_formula

# What a disk says that knows no such thing as waiting for it, as some over a network.
CANNOT_WAIT = frozenset({errno.EINVAL, errno.ENOTSUP, errno.ENOSYS})


@contextlib.contextmanager
def handing_on(path: Path, scratch_mb: int) -> Iterator[Path]:
    """Yield a temporary name for what the shard's next job reads, as in `atomic_write`.

    In a job of a cluster the file may come to lie in the node's scratch, with a link to
    it at `path`; `taking_over` says when it is no longer needed. Only one that is to be
    kept waits for the disk: most others are gone before they would come to lie there.

    Parameters
    ----------
    scratch_mb : how large it may be; 0: it is to be kept, at `path` itself
    """
    place = find_place(path, scratch_mb)
    with atomic_write(place or path, durable=not scratch_mb) as temporary:
        yield temporary
    if place:
        with atomic_write(path, durable=False) as link:
            link.symlink_to(place)


@contextlib.contextmanager
def taking_over(path: Path, *, used_up: bool = False) -> Iterator[None]:
    """Delete what `path` leads to in the node's scratch when all inside is done.

    Snakemake itself deletes the link only. After a failure both are deleted: the shard
    starts over, maybe on another node. So is the file wherever it is if it is found
    damaged, as one that did not wait for the disk may be after a power cut.

    Parameters
    ----------
    used_up : whether to delete the file itself too, wherever it is. Snakemake would,
        but not as long as there are films that are not planned yet
    """
    try:
        yield
    except BaseException as error:
        release(path, with_link=True)
        if isinstance(error, DamagedError) and path in error.paths:
            path.unlink(missing_ok=True)
        raise
    release(path)
    if used_up:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_write(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """Yield a temporary name beside `path` that becomes `path` if all goes well.

    So whoever finds `path` finds it whole: a job that dies leaves nothing that could
    be taken for its result. The suffix is kept, since some writers go by it.

    Parameters
    ----------
    durable : whether the file is on the disk before it gets its name, and the name when
        this returns, so that it is whole or not there after a power cut, too

    Raises
    ------
    OSError
        If the disk cannot keep it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Remove what killed attempts left.
    for left in path.parent.glob(f".{glob.escape(path.stem)}.[0-9]*{path.suffix}"):
        # Only a process number: `.tape.1.1234` is another job's, of the shard `tape.1`.
        if left.stem.removeprefix(f".{path.stem}.").isdecimal():
            left.unlink(missing_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        if durable:
            _wait_for_disk(temporary, path)
        temporary.replace(path)
        if durable:
            _wait_for_disk(path.parent, path)
    finally:
        temporary.unlink(missing_ok=True)


def _wait_for_disk(place: Path, path: Path) -> None:
    """Wait until a file or a folder is on the disk; what is said of it names `path`."""
    try:
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in CANNOT_WAIT:
            raise OSError(error.errno, error.strerror, str(path)) from None


def write_tsv(path: Path, header: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write a table of tab-separated values in UTF-8, of which no cell is a formula."""
    with (
        atomic_write(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as stream,
    ):
        writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
        writer.writerows(
            [guard_formula(cell) if isinstance(cell, str) else cell for cell in row]
            for row in (header, *rows)
        )
