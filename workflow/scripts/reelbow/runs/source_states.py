"""Whether films' files are still those that their results were made of.

Snakemake makes again what is older than its input. A file that is replaced by an older
one, as by `mv`, `cp -p` or from a backup, it takes for the same. So each file has a
state among the parameters of its jobs, which is another one with other content.

The size and time of each file are kept, so that at the start of a run a file costs no
more than to ask for these. Only what has others is read, and then only some of it.
"""

import contextlib
import datetime
import hashlib
import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from reelbow.database.opening import open_database
from reelbow.errors import ReelbowError
from reelbow.jobs.file_digest import digest_file, digest_files
from reelbow.jobs.files import atomic_write
from reelbow.jobs.stored_files import StoredFile
from reelbow.runs.films import Film
from reelbow.shards.plan import list_files, read_plan

# Seconds by which the clock of a shared disk may be ahead.
CLOCKS_DIFFER_S = 10


class Seen(NamedTuple):
    """A film's file as a run saw it."""

    size: int
    mtime_ns: int
    # A parameter of its jobs: empty, or the digest of what came in its place.
    state: str = ""


States = dict[str, dict[str, Seen]]


def read_states(record: Path) -> States:
    """Read what the last run saw: by the film, then by the file."""
    try:
        films = json.loads(record.read_text(encoding="utf-8"))
        return {
            film: {path: Seen(*seen) for path, seen in files.items()}
            for film, files in films.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        # None is there, or none that can be read: what there is counts as it is.
        return {}


def find_states(films: Iterable[Film], results: Path, before: States) -> States:
    """Look at the files of all films; nothing is written.

    before : what the last run saw
    """
    found = dict(before)
    for film in films:
        if film.fault:
            # As it was when it could be read.
            continue
        known = before.get(film.film, {})
        found[film.film] = {
            str(path): seen
            for path, made, together in _list_files(film, results)
            if (seen := _look(path, made, together, known.get(str(path))))
        }
    return found


def keep_states(found: States, record: Path) -> None:
    """Keep what was seen for the next run."""
    # Without a folder that can be written to Snakemake itself does nothing.
    if found != read_states(record):
        with contextlib.suppress(OSError), atomic_write(record) as temporary:
            temporary.write_text(json.dumps(found), encoding="utf-8")


def _list_files(
    film: Film, results: Path
) -> Iterator[tuple[Path, Path, Sequence[Path]]]:
    """List a film's files, each with the result that has its digest.

    Where that is of several files, as of the photos of a shard, these come too.
    """
    folder = results / film.film
    plan = folder / "plan.json"
    if film.kind.files_are_shards:
        for file, shard in zip(film.files, film.shards, strict=True):
            yield file, folder / "palettes" / f"{shard}.sqlite", ()
    elif film.kind.takes_many:
        made: dict[Path, tuple[Path, Sequence[Path]]] = {}
        with contextlib.suppress(OSError, ReelbowError):
            planned = read_plan(plan)
            for part in planned["shards"]:
                together = [Path(file) for file in list_files(planned, part)]
                database = folder / "palettes" / f"{part['shard']}.sqlite"
                made |= dict.fromkeys(together, (database, together))
        for file in film.files:
            yield file, *made.get(file, (plan, ()))
    else:
        for file in film.files:
            yield file, plan, ()


def _look(
    path: Path, made: Path, together: Sequence[Path], known: Seen | None
) -> Seen | None:
    """Look at a file; None: it cannot be looked at, and its own job will tell."""
    with contextlib.suppress(OSError):
        now = path.stat()
        seen = Seen(now.st_size, now.st_mtime_ns, known.state if known else "")
        if known in (None, seen) or not made.exists():
            return seen
        if made.stat().st_mtime_ns < seen.mtime_ns:
            # Snakemake sees that by itself.
            return seen
        if isinstance(path, StoredFile):
            # It is not fetched for that; the store tells one content from another.
            return seen._replace(state=path.version or f"{seen.size} {seen.mtime_ns}")
        digest = digest_files(together) if together else digest_file(path)
        return seen if digest in read_digests(made) else seen._replace(state=digest)
    return known


def read_digests(made: Path) -> set[str]:
    """Read of which files a plan or a database was made; none if it cannot be read."""
    try:
        if made.suffix == ".json":
            return {read_plan(made)["digest"]}
        with contextlib.closing(open_database(made)) as connection:
            rows = connection.execute("SELECT digest FROM shards").fetchall()
            return {digest for (digest,) in rows}
    except (ReelbowError, OSError, sqlite3.Error, ValueError, KeyError, TypeError):
        return set()


def digest_seen(files: Iterable[Seen]) -> str:
    """Digest the sizes and times of many files, in their order."""
    sizes = [(seen.size, seen.mtime_ns) for seen in files]
    return hashlib.sha256(json.dumps(sizes).encode()).hexdigest()


def find_future(seen: Mapping[str, Seen]) -> str | None:
    """Say which of a film's files is from the future: no result would be newer."""
    latest_ns = time.time_ns() + CLOCKS_DIFFER_S * 10**9
    for path, (_, mtime_ns, _) in seen.items():
        if mtime_ns > latest_ns:
            # Not all systems know all years.
            with contextlib.suppress(OSError, OverflowError, ValueError):
                when = datetime.datetime.fromtimestamp(mtime_ns // 10**9)
                return (
                    f"{path} was changed in the future, {when:%Y-%m-%d %H:%M}; give it "
                    "the time of now, as by touch, or set the clock"
                )
            return f"{path} was changed in the far future; give it the time of now"
    return None
