"""Names of a shard's rules, and of the shards of a film of tarballs.

Each of these is named by its tarball alone, so that one that comes or goes changes no
other shard's name, and no other shard runs again.
"""

import glob
import hashlib
import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from reelbow.errors import ReelbowError
from reelbow.jobs.stored_files import URL, is_url

# The rules with a job for each shard, in their order; on Slurm they are one job.
STAGES = ("downsample_frames", "cluster_shard")

# And with those that are none of these stages.
SHARD_RULES = (
    *("extract_frames", *STAGES, "score_cuts", "make_tiles"),
    *("sum_pixels", "repair_photos"),
)

# They do the same again, to compare.
AUDITS = {"audit_frames": "downsample_frames", "audit_palettes": "cluster_shard"}

# What a shard's name may be, as a wildcard of Snakemake.
PATTERN = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"

# With what is put around a name, far below the 255 bytes that file systems take.
MAX_LENGTH = 120
HASH_DIGITS = 6


def name_shards(tarballs: Sequence[Path], pattern: str | None = None) -> list[str]:
    """Name the shards of a film, in the order of its tarballs.

    A shard has its tarball's file name without `.tar`. Where a pattern spans several
    folders it is the path below the pattern's fixed part, with `-` for `/`. What cannot
    be a name, or could be another's, has digits of a hash at its end.

    Parameters
    ----------
    pattern : the glob that found the tarballs; None: they lie in one folder

    Raises
    ------
    ReelbowError
        If two tarballs would be the same shard.
    """
    fixed = _find_fixed_part(URL.sub("", pattern or ""))
    raw = [
        path.name if fixed is None else path.relative_to(fixed).as_posix()
        for path in tarballs
    ]
    names = [_name(each, spans_folders=fixed is not None) for each in raw]
    # Disks of macOS and Windows take `A` and `a` for one file.
    alike = Counter(name.lower() for name in names)
    found: dict[str, Path] = {}
    for place, path in enumerate(tarballs):
        own = raw[place]
        if alike[names[place].lower()] > 1 and own != own.lower():
            names[place] = _add_hash(names[place], own)
        other = found.setdefault(names[place].lower(), path)
        if other is not path:
            raise ReelbowError(
                f"{path}: would be the same shard as {other}; rename one of the two"
            )
    return names


def name_source(source: str, file: str | None = None) -> str:
    """Name a film's source, or one of its files, without where it lies on this machine.

    What is in the working folder is named as it is seen from there. Else a file is
    named by its name, and what a pattern or a folder stands for by its path from the
    last folder of the fixed part: of `/archive/tapes/*/*.tar` as `tapes/a/1.tar`. In
    a store it has the same address for everybody.
    """
    if is_url(source):
        return file or source
    path = Path(file or source)
    if not path.is_absolute() and ".." not in path.parts:
        return str(path)
    path = Path(os.path.abspath(path))  # noqa: PTH100 (no link is followed)
    if path.is_relative_to(Path.cwd()):
        return str(path.relative_to(Path.cwd()))
    fixed = Path(os.path.abspath(source))  # noqa: PTH100
    if not os.path.lexists(source):
        magic = map(glob.has_magic, fixed.parts)
        fixed = Path(*fixed.parts[: [*magic, True].index(True)])
    if path.is_relative_to(fixed.parent):
        return str(path.relative_to(fixed.parent))
    return path.name


def _find_fixed_part(pattern: str) -> Path | None:
    """Find the folder below which a glob spans several; None: it matches in one."""
    parts = Path(pattern).parts
    magic = [place for place, part in enumerate(parts) if glob.has_magic(part)]
    if not magic or (magic[0] == len(parts) - 1 and parts[-1] != "**"):
        return None
    return Path(*parts[: magic[0]])


def _name(raw: str, *, spans_folders: bool) -> str:
    """Make a name of a tarball's file name, or of its path in several folders."""
    plain = re.sub(r"(?i)\.tar$", "", raw).replace("/", "-")
    safe = re.sub(r"^[.-]", "_", re.sub(r"[^A-Za-z0-9_.-]", "_", plain)) or "_"
    # In several folders x/y is x-y, so that x-y itself has to be another.
    ambiguous = spans_folders and "-" in raw
    if ambiguous or safe != plain or len(safe) > MAX_LENGTH:
        return _add_hash(safe, raw)
    return safe


def _add_hash(name: str, raw: str) -> str:
    digest = hashlib.sha256(os.fsencode(raw)).hexdigest()[:HASH_DIGITS]
    return f"{name[: MAX_LENGTH - HASH_DIGITS - 1]}-{digest}"
