"""Whether all is as it was when a run left nothing to do.

Snakemake looks at every job of all films to find out that there is nothing to do, which
takes a millisecond and 20 kB of each. What it goes by is the workflow itself, the
configuration, what is known of the films, and names, sizes and times of files. Where
all of these are as they were, so is the answer.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from reelbow.jobs.files import atomic_write


class Finished:
    """What a folder was like when nothing was left to do."""

    def __init__(self, record: Path, results: Path, code: Path, given: Any) -> None:
        """Keep in mind what decides about a run beside files.

        Parameters
        ----------
        record : where that is kept from one run to the next
        results : whose files count, whoever made them
        code : the workflow's folder, of which all files count
        given : what else decides, of things that JSON can have, or their texts
        """
        self._record, self._results = record, results
        about = json.dumps(given, sort_keys=True, default=str)
        self._given = hashlib.sha256(about.encode())
        for path in sorted(code.rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                self._given.update(path.name.encode())
                self._given.update(path.read_bytes())

    def find(self) -> list[Path] | None:
        """Find the files that are there if nothing is to be done, as nothing changed.

        Returns
        -------
        What was asked for then; None: Snakemake has to find out
        """
        try:
            kept = json.loads(self._record.read_text(encoding="utf-8"))
            if kept["digest"] == self._digest(kept["inputs"]):
                return [Path(target) for target in kept["targets"]]
        except (OSError, ValueError, KeyError, TypeError):
            # Whatever is wrong with it: there is no need for it.
            pass
        return None

    def keep(self, inputs: Iterable[str], targets: Iterable[Path]) -> None:
        """Keep that nothing is to be done.

        Parameters
        ----------
        inputs : all files that jobs read; those in the results' folder count anyway
        targets : what was asked for
        """
        within = f"{self._results}/"
        others = sorted({path for path in inputs if not path.startswith(within)})
        kept: dict[str, Any] = {"inputs": others, "targets": sorted(map(str, targets))}
        # Else the next run looks at all jobs.
        with contextlib.suppress(OSError):
            kept["digest"] = self._digest(others)
            with atomic_write(self._record) as temporary:
                temporary.write_text(json.dumps(kept), encoding="utf-8")

    def forget(self) -> None:
        """Let the next run look at all jobs."""
        with contextlib.suppress(OSError):
            self._record.unlink(missing_ok=True)

    def _digest(self, others: Iterable[str]) -> str:
        """Digest what decides, and the names, sizes and times of files."""
        digest = self._given.copy()
        for path in others:
            try:
                about = Path(path).stat()
                seen = f"{about.st_size} {about.st_mtime_ns}"
            except OSError:
                seen = "gone"
            digest.update(f"{path}\0{seen}\n".encode())
        for line in sorted(_list_files(self._results)):
            digest.update(line.encode("utf-8", "surrogateescape"))
        return digest.hexdigest()


def _list_files(folder: Path | str) -> Iterator[str]:
    """List all files in a folder and in those in it, with their sizes and times.

    Raises
    ------
    OSError
        If that cannot be told, or a link leads elsewhere.
    """
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_symlink():
                raise OSError(f"{entry.path} is a link")
            about = entry.stat()
            if entry.is_dir():
                yield f"{entry.path}/\n"
                yield from _list_files(entry.path)
            else:
                yield f"{entry.path}\0{about.st_size} {about.st_mtime_ns}\n"
