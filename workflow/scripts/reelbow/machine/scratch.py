"""The node's own scratch: where the jobs of a shard hand on files, off the shared disk.

A file's declared path becomes a symbolic link that leads there; only jobs on the same
node can follow it. Whoever takes the file last releases it.
"""

import contextlib
import hashlib
import os
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path

# In /dev/shm, which is the node's memory; a larger file goes to the shared disk.
MEMORY = Path("/dev/shm")
MOST_MEMORY_MB = 500

# Everybody's, so that nobody takes away what jobs leave there.
COMMON = frozenset({Path("/tmp"), Path("/var/tmp")})

# Free MB that there must be for each MB that is needed.
SPARE = 2

# Jobs that were killed leave files; whoever comes by later removes them.
LEFTOVER_S = 24 * 3600


def find_place(path: Path, need_mb: int) -> Path | None:
    """Find where on this node a job's file belongs; None: at `path` itself.

    The same path has the same place on a node in every attempt, so that a later one
    overwrites what an earlier one left.

    Parameters
    ----------
    need_mb : how large the file may be; 0: it is to be at `path`
    """
    if "SLURM_JOB_ID" not in os.environ or not need_mb:
        return None
    folder = path.parent.resolve()
    for root in _list_roots(folder, need_mb):
        with contextlib.suppress(OSError):
            own = make_own_folder(root)
            remove_leftovers(own)
            if shutil.disk_usage(own).free < SPARE * need_mb << 20:
                continue
            digest = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
            return own / f"{digest}-{path.name}"
    return None


def _list_roots(folder: Path, need_mb: int) -> list[Path]:
    """List where scratch may be, the best first."""
    roots = []
    if temporary := os.environ.get("TMPDIR"):
        root = Path(temporary).resolve()
        if root.is_dir() and root not in COMMON:
            # A folder on the same disk would gain nothing.
            disk = next(each for each in (folder, *folder.parents) if each.exists())
            if root.stat().st_dev != disk.stat().st_dev:
                roots.append(root)
    if MEMORY.is_dir() and need_mb <= MOST_MEMORY_MB:
        roots.append(MEMORY)
    return roots


def make_own_folder(root: Path) -> Path:
    """Make a folder where everybody may write, that is this user's alone.

    Raises `OSError` if it cannot be made, or is another's: others could have laid a
    link or folder there, and what lies in it may be run.
    """
    own = root / _name_folder()
    own.mkdir(mode=0o700, exist_ok=True)
    about = own.lstat()
    is_closed = not about.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if not (stat.S_ISDIR(about.st_mode) and about.st_uid == os.getuid() and is_closed):
        raise PermissionError(f"{own} is not this user's alone")
    return own


def _name_folder() -> str:
    return f"reelbow-{os.getuid()}"


def remove_leftovers(own: Path) -> None:
    """Remove what has been lying in the scratch for more than a day."""
    oldest = time.time() - LEFTOVER_S
    for path in own.iterdir():
        # Another job may be doing the same.
        with contextlib.suppress(OSError):
            if path.lstat().st_mtime < oldest:
                path.unlink()


def release(path: Path, *, with_link: bool = False) -> None:
    """Delete the file in the scratch that `path` leads to, if it leads there."""
    if leads_to_scratch(path):
        path.readlink().unlink(missing_ok=True)
        if with_link:
            path.unlink(missing_ok=True)


def leads_to_scratch(path: Path) -> bool:
    """Say whether a path is a link to a node's scratch, this one's or another's."""
    return path.is_symlink() and path.readlink().parent.name == _name_folder()


def find_links(results: Path) -> Iterator[Path]:
    """Find the links to nodes' scratch in all films' folders."""
    for path in results.glob("*/thumbnails/*"):
        if leads_to_scratch(path):
            yield path


def drop_links(results: Path) -> None:
    """Remove links to scratch that jobs left which were killed.

    Only while no run is going on: they lead nowhere, or, where this machine is a node
    too, to files that no other node has.
    """
    for path in list(find_links(results)):
        path.unlink(missing_ok=True)
