"""The films of a results folder: one corpus, with one database of all of them.

A run makes the films that it is given. Those that earlier runs made with the same
settings stay in `results/palettes.sqlite` beside them.
"""

import contextlib
import json
import os
import sqlite3
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from reelbow.database import merging
from reelbow.database.opening import ROWS, is_cut_off, open_database
from reelbow.errors import ReelbowError
from reelbow.jobs.file_digest import digest_file, digest_files
from reelbow.jobs.files import atomic_write
from reelbow.jobs.stored_files import StoredFile
from reelbow.runs.films import Film
from reelbow.runs.kept_output import make_damaged_again, mark_as_old
from reelbow.runs.source_states import States, find_future, read_digests
from reelbow.shards.kinds import find_kind
from reelbow.shards.plan import Plan, read_plan

# What cannot be read of a database.
UNREADABLE = (ReelbowError, OSError, sqlite3.Error, UnicodeDecodeError)

# Names that a sentence lists, and files that are looked into for a moved film.
MOST_NAMES = 10
MOST_FILES = 16


def list_others(results: Path, films: Collection[str]) -> list[str]:
    """List the films that are there beside these, in the order of their ids."""
    there = (path.parent.name for path in results.glob("*/palettes.sqlite"))
    return sorted(film for film in there if film not in films)


def is_planned(results: Path, film: str) -> bool:
    """Say whether a film was there in an earlier run, which left a plan of it."""
    return _read_good_plan(results, film) is not None


def _read_good_plan(results: Path, film: str) -> Plan | None:
    """Read the plan of a film of which something was made, if there is one."""
    with contextlib.suppress(OSError, ReelbowError):
        plan = read_plan(results / film / "plan.json")
        return None if "error" in plan else plan
    return None


def part_films(
    films: Iterable[Film], states: States, results: Path
) -> tuple[dict[str, Film], dict[str, str]]:
    """Part the films of a run from those that cannot be read any more.

    These fail, but nothing that was made of them goes, since a disk may only be away
    for a while. What could never be read has a plan that says so.

    Returns
    -------
    Films by their ids, and why others cannot be read by theirs
    """
    those, unreadable = {}, {}
    for film in films:
        fault = film.fault or find_future(states.get(film.film, {}))
        if fault and is_planned(results, film.film):
            unreadable[film.film] = fault
        else:
            those[film.film] = film.give_up(fault) if fault else film
    return those, unreadable


def find_cut_off(results: Path, films: Collection[str]) -> list[Path]:
    """Find databases that end too early, so that they have to be made again.

    For a glance at thousands at the start of a run; of each the first bytes are read.
    What is damaged within, the merges find.
    """
    paths = [results / "palettes.sqlite", results / "colors.sqlite"]
    paths += [results / film / "palettes.sqlite" for film in films]
    found = []
    for path in paths:
        # One that is not there, or may not be read, is no damage.
        with contextlib.suppress(OSError):
            if is_cut_off(path):
                found.append(path)
    return found


def merge_films(
    films: Sequence[Path],
    others: Sequence[Path],
    palettes: Path,
    *,
    settings: str,
    n_colors: int,
) -> None:
    """Make the database of all films.

    A film whose database is damaged is made again by the next run; one of the others
    is left out.

    Parameters
    ----------
    films : databases of films, all of which are to be in it, in this order
    others : those that are to follow if they were made with the same settings
    settings : of a video, as `metadata` has them
    """
    alike = [path for path in others if is_alike(path, settings)]
    with atomic_write(palettes) as temporary, make_damaged_again():
        left_out = merging.merge_films(
            films, temporary, n_colors=n_colors, others=alike
        )
    for damaged in left_out:
        print(f"WARNING: left out: {damaged}", file=sys.stderr)


def is_alike(path: Path, settings: str) -> bool:
    """Whether a film's database can stand beside others that were made with `settings`.

    That is one of this schema, of the film that its folder is named by.
    """
    try:
        with contextlib.closing(open_database(path)) as connection:
            films = connection.execute("SELECT film FROM films").fetchall()
            about = dict(connection.execute("SELECT key, value FROM metadata"))
            found = json.loads(about.get("settings", "null"))
    except (*UNREADABLE, ValueError):
        return False
    wanted = json.loads(settings)
    return (
        films == [(path.parent.name,)]
        and found is not None
        # Without a digest of its rows it was made by an older version.
        and ROWS in about
        # Tarballs have fewer settings than videos.
        and all(key in wanted and wanted[key] == found[key] for key in found)
    )


def merge_what_is_there(
    results: Path, films: Sequence[str], *, settings: str, n_colors: int
) -> None:
    """Make the database of all films without those that failed.

    The next run makes it again.
    """
    names = [*films, *list_others(results, films)]
    paths = [results / name / "palettes.sqlite" for name in names]
    if any(is_alike(path, settings) for path in paths):
        palettes = results / "palettes.sqlite"
        merge_films([], paths, palettes, settings=settings, n_colors=n_colors)
        mark_as_old(palettes)


def describe(
    results: Path,
    films: Sequence[str],
    failed: Collection[str] = (),
    *,
    is_old: bool = False,
) -> Iterator[str]:
    """Say what is in the database of all films that one would not think, and what not.

    Parameters
    ----------
    films : those of this run
    failed : those of them that failed now
    is_old : whether to make it anew failed
    """
    palettes = results / "palettes.sqlite"
    if not palettes.exists():
        return
    if is_old:
        yield f"{palettes} is as an earlier run left it."
        return
    try:
        with contextlib.closing(open_database(palettes)) as connection:
            inside = {row[0] for row in connection.execute("SELECT film FROM films")}
    except UNREADABLE as error:
        yield str(error)
        return
    missing = [film for film in films if film not in inside]
    if missing:
        yield (
            f"{palettes} has {len(films) - len(missing)} of this run's {len(films)} "
            f"films; {_list(missing)} will be in it when mended."
        )
    old = [film for film in films if film in inside and film in failed]
    if old:
        yield f"{palettes} has {_list(old)} as an earlier run left it."
    others = list_others(results, films)
    kept = [film for film in others if film in inside]
    if kept:
        yield (
            f"{palettes} also has what was made before with the same settings: "
            f"{_list(kept)}."
        )
    left = [film for film in others if film not in inside]
    if left:
        yield (
            f"{palettes} leaves out what was made before with other settings or by "
            f"another version, or is damaged: {_list(left)}; make it again together "
            f"with the rest, or delete its folder in {results}/."
        )


def check_results(results: Path) -> None:
    """Raise `ReelbowError` if there is a file where the results' folder is to be."""
    if results.is_file():
        raise ReelbowError(
            f"{results} is a file; rename it, since results go into a folder of that "
            "name"
        )


def check_films(films: Collection[str], unreadable: Mapping[str, str]) -> None:
    """Raise `ReelbowError` if all films were there before, and none can be read now."""
    if unreadable and not films:
        *others, fault = unreadable.values()
        sentence = "none of the films can be read: " if others else ""
        raise ReelbowError(sentence + fault)


def check_folders(results: Path, films: Collection[str]) -> None:
    """See that results can be written, for those films that are made.

    Raises
    ------
    ReelbowError
        If they cannot; it names the folder.
    """
    for folder in (results, *(results / film for film in sorted(films))):
        # One that is not there is made in the first one above it that is.
        there = next(
            each for each in (folder, *folder.resolve().parents) if each.exists()
        )
        by_user = os.access in os.supports_effective_ids
        if not os.access(there, os.W_OK | os.X_OK, effective_ids=by_user):
            raise ReelbowError(
                f"{there} may not be written to; change its permissions, or run in "
                "another folder (--directory)"
            )


def check_names(results: Path, films: Mapping[str, Film]) -> None:
    """See that no film takes the place of another one that is only named alike.

    For films whose ids are made of their files' names; in a sheet the user has said
    what is what.

    Raises
    ------
    ReelbowError
        If one does; it names both.
    """
    for name, film in films.items():
        plan = _read_good_plan(results, name)
        if film.fault or plan is None:
            # Nothing is made of it, or was.
            continue
        old = _find_old_source(plan, results / name, film)
        if old is not None:
            raise ReelbowError(
                f"films: {film.source} would take the place of {old} in "
                f"{results / name}, since both are named {name!r}; give each an id of "
                f"its own in a sheet, or delete {results / name}"
            )


def _find_old_source(plan: Plan, folder: Path, film: Film) -> str | None:
    """Find what the film of a folder was made of, if that is another film."""
    files = {
        file
        for part in plan["shards"]
        for file in part.get("files") or [part.get("tarball")]
        if file
    }
    if film.kind == find_kind(plan):
        if film.kind.takes_many:
            if not files.isdisjoint(map(str, film.files)):
                return None
            if not film.kind.files_are_shards:
                # What cannot be read now its own job will tell.
                with contextlib.suppress(OSError):
                    if digest_files(film.files) != plan["digest"]:
                        return str(plan["path"])
                return None
            known = read_digests(folder / "palettes.sqlite")
        else:
            known = {plan["digest"]}
            # An older version wrote no path; and the demo may not be made yet.
            if (
                plan.get("path") in (None, str(film.files[0]))
                or not film.files[0].exists()
            ):
                return None
        for file in film.files[:MOST_FILES]:
            if isinstance(file, StoredFile):
                # It is not fetched for that.
                continue
            with contextlib.suppress(OSError):
                if digest_file(file) in known:
                    return None
    return str(plan.get("path") or min(files, default="another film"))


def _list(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMES
    listed = ", ".join(names[:MOST_NAMES])
    return f"{listed} and {more:,} more" if more > 0 else listed
