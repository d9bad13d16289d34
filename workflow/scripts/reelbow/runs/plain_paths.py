"""Names for files whose own names mean something else to Snakemake."""

import contextlib
import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path

# Its wildcards, as {film} or {film,[a-z]+}, and its path variables, as <results>. There
# is no way to escape them.
SPECIAL = re.compile(r"\{\s*[.\w]+\s*[,}]|<[a-z][a-z0-9_]*>")

# Where links to such files are, from the working folder.
LINKS = Path(".snakemake") / "paths"


def name_plainly(path: Path, folder: Path = LINKS) -> Path:
    """Return the path, or a link to it in `folder` if its name has such signs in it."""
    if not SPECIAL.search(str(path)):
        return path
    # The same name wherever the working folder is moved to.
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:8]
    link = folder / digest / re.sub(r"[{}<>]", "_", path.name)
    target = Path.cwd() / path
    if link.is_symlink() and link.readlink() == target:
        return link
    link.parent.mkdir(parents=True, exist_ok=True)
    temporary = link.with_name(f".{os.getpid()}{link.suffix}")
    temporary.symlink_to(target)
    # As old as the file: a newer input would make all of it again.
    with contextlib.suppress(OSError, NotImplementedError):
        times = target.stat().st_atime_ns, target.stat().st_mtime_ns
        os.utime(temporary, ns=times, follow_symlinks=False)
    temporary.replace(link)
    return link


def find_own_name(given: str | Sequence[str], folder: Path = LINKS) -> Path:
    """Return the path for which `name_plainly` gave this one; of several the first."""
    path = Path(given if isinstance(given, str) else given[0])
    if path.parent.parent != folder:
        return path
    target, here = path.readlink(), Path.cwd()
    # As the user gave it, if that was from the working folder.
    return target.relative_to(here) if target.is_relative_to(here) else target
