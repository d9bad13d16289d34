"""Whether results are still those that were made, of files that are still the same.

Databases bear a digest of their rows; plans and databases those of the films' files;
and the RO-Crate, if there is one, those of all that is for readers.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from reelbow.database.verifying import (
    MadeShard,
    read_film_digest,
    read_shards,
    verify_films,
    verify_part,
)
from reelbow.errors import ReelbowError
from reelbow.jobs.file_digest import digest_file, digest_files
from reelbow.jobs.stored_files import is_url
from reelbow.shards.kinds import find_kind
from reelbow.shards.plan import Plan, list_files, read_plan
from reelbow.shards.previews import read_sheet

CRATE = "ro-crate-metadata.json"


class Check(NamedTuple):
    """What became of a check; an empty reason: it is as it was made."""

    film: str
    file: str
    reason: str = ""


def verify_results(results: Path, films: Sequence[str]) -> Iterator[Check]:
    """Verify a results folder, file after file.

    Parameters
    ----------
    films : those that are to be there
    """
    for film in films:
        yield from _verify_film(results / film, film)
    whole = results / "palettes.sqlite"
    try:
        paths = {film: results / film / whole.name for film in films}
        differences = dict(verify_films(whole, paths))
    except ReelbowError as error:
        yield Check("", str(whole), str(error))
    else:
        yield Check("", str(whole))
        for film, reason in differences.items():
            yield Check(film, str(whole), f"not as in the film's own: {reason}")
    if (results / CRATE).exists():
        yield from _verify_crate(results)


def _verify_film(folder: Path, film: str) -> Iterator[Check]:
    database, plan = folder / "palettes.sqlite", folder / "plan.json"
    of_film = _check(film, database, verify_part)
    yield of_film
    try:
        planned = read_plan(plan)
        parts = planned["shards"]
    except (OSError, ValueError, KeyError, TypeError):
        yield Check(film, str(plan), "not there, or damaged; run again")
        return
    if planned.get("error"):
        return
    in_film: Mapping[str, MadeShard] = {}
    digest = None
    if not of_film.reason:
        in_film, digest = read_shards(database), read_film_digest(database)
    made: dict[str, MadeShard] = {}
    for part in parts:
        shard = part["shard"]
        path = folder / "palettes" / f"{shard}.sqlite"
        check = _check(film, path, verify_part)
        if not check.reason:
            made |= read_shards(path)
        yield check
        sheet = folder / "previews" / f"{shard}.jpg"
        if sheet.exists():
            yield _check(film, sheet, read_sheet)
    if in_film and (reason := _find_frames(planned, made, in_film)):
        yield Check(film, str(database), reason)
    yield from _verify_sources(film, planned, digest, in_film)


def _check(film: str, path: Path, verify: Callable[[Path], object]) -> Check:
    try:
        verify(path)
    except (ReelbowError, OSError) as error:
        reason = str(error).removeprefix(f"{path}: ")
        return Check(film, str(path), reason)
    return Check(film, str(path))


def _find_frames(
    planned: Plan, made: Mapping[str, MadeShard], in_film: Mapping[str, MadeShard]
) -> str:
    """Say which planned frames a film has not, or not once; nothing: it has all.

    made : what the databases of its shards tell of them, as far as these are whole
    """
    # Of tarballs nobody planned how many frames there are.
    first = 0
    for part in planned["shards"]:
        shard, n_frames = part["shard"], part["n_frames"]
        if shard not in in_film:
            return f"shard {shard} is not in it; run again"
        own = in_film[shard]
        if shard in made and made[shard].made_at != own.made_at:
            return f"shard {shard} was made anew after it; run again"
        if n_frames is None:
            n_frames = (made.get(shard) or own).n_planned
        if own.n_planned != n_frames:
            told = f"shard {shard} has {own.n_planned} frames"
            return f"{told}, and should have {n_frames}"
        if own.n_frames and not first <= own.first <= own.last < first + n_frames:
            return f"shard {shard} has frames of another one"
        first += n_frames
    others = in_film.keys() - {part["shard"] for part in planned["shards"]}
    if others:
        return f"shard {min(others)} is in it, and not in the plan; run again"
    return ""


def _verify_sources(
    film: str,
    planned: Plan,
    digest: str | None,
    shards: Mapping[str, MadeShard],
) -> Iterator[Check]:
    """Hold the user's files against the digests of those that the film was made of."""
    if any(is_url(list_files(planned, part)[0]) for part in planned["shards"][:1]):
        print(
            f"WARNING: {film}: its files are in a store, and are not read again",
            file=sys.stderr,
        )
        return
    if not find_kind(planned).takes_many:
        yield _check_source(film, [planned["path"]], digest)
        return
    for part in planned["shards"]:
        if part["shard"] in shards:
            files = list_files(planned, part)
            yield _check_source(film, files, shards[part["shard"]].digest)


def _check_source(film: str, files: list[str], digest: str | None) -> Check:
    paths = [Path(file) for file in files]
    shown = files[0] if len(files) == 1 else f"{files[0]} to {files[-1]}"
    gone = next((path for path in paths if not path.exists()), None)
    if gone is not None:
        return Check(film, shown, f"{gone} is not there")
    try:
        is_of_ends = (digest or "").startswith("sha256/ends:")
        found = digest_files(paths) if is_of_ends else digest_file(paths[0])
    except OSError as error:
        return Check(film, shown, f"cannot be read: {error.strerror}")
    if found != digest:
        return Check(film, shown, "has changed since palettes were made of it")
    return Check(film, shown)


def _verify_crate(results: Path) -> Iterator[Check]:
    """Hold files against the digests in the RO-Crate that describes them."""
    crate = results / CRATE
    try:
        entities = json.loads(crate.read_text(encoding="utf-8"))["@graph"]
        listed = {each["@id"]: each["sha256"] for each in entities if "sha256" in each}
    except (OSError, ValueError, KeyError, TypeError):
        yield Check("", str(crate), "damaged; delete it and run again")
        return
    for name, digest in listed.items():
        path = results / name
        try:
            with path.open("rb") as stream:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            yield Check("", str(path), f"cannot be read: {error.strerror}")
            continue
        reason = "" if found == digest else f"not what {crate} tells of"
        yield Check("", str(path), reason)
