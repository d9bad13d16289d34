"""What a database says of how its films were made."""

import json
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from reelbow.database.opening import telling_damage
from reelbow.database.reading import read_row
from reelbow.database.schema import VERSION, FilmRow
from reelbow.database.shot_rows import SHOTS_KEY

# How often a value is there, where `sum_up` wrote several.
_TIMES = re.compile(r" \(\d+\)$")

_PARTS = """
SELECT engine, version, path, digest, made_at, lost FROM shards
WHERE film_id = ? ORDER BY shard
"""


class Engine(NamedTuple):
    """How many parts of a film an engine of k-means made, in which versions."""

    n_parts: int
    versions: frozenset[str]


@dataclass(frozen=True)
class FilmMaking:
    """How a film was made.

    Attributes
    ----------
    row : of the table films
    settings : of its palettes, as "cluster.n_colors"; empty: nothing was read of it
    versions : of each package, those that worked on it
    n_read : frames that have a palette
    n_missing : frames that were sampled and could not be read
    n_lost : parts of it that could not be read whole
    n_colors, n_accents : colors of all palettes, and those of them that are accents
    engines : of k-means, how many parts each made, and in which versions
    tarballs : the name of each and the digest of its bytes, None: unknown
    started_at, ended_at : when its first and its last part were made, UTC
    finding : how shots were found, as the config's `shots`; None: not looked for
    n_shots : how many were found
    """

    row: FilmRow
    settings: Mapping[str, Any]
    versions: Mapping[str, frozenset[str]]
    n_read: int
    n_missing: int
    n_lost: int
    n_colors: int
    n_accents: int
    engines: Mapping[str, Engine]
    tarballs: Mapping[str, str | None]
    started_at: str | None
    ended_at: str | None
    finding: Mapping[str, Any] | None = None
    n_shots: int = 0

    @property
    def is_of_images(self) -> bool:
        """Whether every image of its tarballs counts."""
        return self.row.sampling is None


class Compared(NamedTuple):
    """Films that were compared, by their ids: two of them, or all by palettes alone."""

    films: Sequence[str]
    is_pair: bool


def read_compared(folder: Path, names: Iterable[str]) -> list[Compared]:
    """Read which films were compared, of comparisons that may not have been made.

    Parameters
    ----------
    folder : of comparisons
    names : of their files, as `a--b` or `matrix`
    """
    paths = [folder / f"{name}.json" for name in names]
    found = [json.loads(path.read_bytes()) for path in paths if path.exists()]
    return [Compared(about["films"], "frames" in about) for about in found]


def read_makings(database: Path) -> list[FilmMaking]:
    """Read how the films of a database were made, in their order there.

    Raises
    ------
    ReelbowError
        If it is no database, or one of another schema.
    """
    with telling_damage(database) as connection:
        about: dict[str, dict[str, str]] = {}
        for key, value in connection.execute("SELECT key, value FROM metadata"):
            # Of several films that differ in it, each has a key of its own.
            name, _, film = key.removeprefix(VERSION).partition("/")
            name = f"{VERSION}{name}" if key.startswith(VERSION) else name
            about.setdefault(film, {})[name] = value
        ids = connection.execute("SELECT film_id FROM films ORDER BY film_id")
        return [_read_making(connection, film_id, about) for (film_id,) in [*ids]]


def find_versions(films: Iterable[FilmMaking]) -> dict[str, list[str]]:
    """Find the versions of each package that worked on films."""
    found: dict[str, set[str]] = {}
    for film in films:
        # Those of CuPy and cuML nothing else says.
        own = {name: made.versions for name, made in film.engines.items()}
        for name in ("cupy", "cuml"):
            found.setdefault(name, set()).update(own.get(name, ()))
        for name, versions in film.versions.items():
            found.setdefault(name, set()).update(versions)
    return {name: sorted(found[name]) for name in sorted(found) if found[name]}


def _read_making(
    connection: sqlite3.Connection, film_id: int, about: Mapping[str, dict[str, str]]
) -> FilmMaking:
    row = read_row(connection, film_id)
    own = about.get("", {}) | about.get(row.film, {})
    parts = connection.execute(_PARTS, (film_id,)).fetchall()
    engines: dict[str, Engine] = {}
    for engine, version, *_ in parts:
        n_parts, versions = engines.get(engine, Engine(0, frozenset()))
        engines[engine] = Engine(n_parts + 1, versions | {version})
    times = sorted(made_at for *_, made_at, _ in parts if made_at)
    (n_read,) = connection.execute(
        "SELECT count(*) FROM frames WHERE film_id = ?", (film_id,)
    ).fetchone()
    (unplanned,) = connection.execute(
        "SELECT count(*) FROM skipped WHERE film_id = ? AND shard = ''", (film_id,)
    ).fetchone()
    n_colors, n_accents = connection.execute(
        "SELECT count(*), coalesce(sum(accent), 0) FROM palettes WHERE film_id = ?",
        (film_id,),
    ).fetchone()
    (n_shots,) = connection.execute(
        "SELECT count(*) FROM shots WHERE film_id = ?", (film_id,)
    ).fetchone()
    return FilmMaking(
        row=row,
        settings=json.loads(own.get("settings", "{}")) if parts else {},
        versions={
            key.removeprefix(VERSION): frozenset(
                _TIMES.sub("", value) for value in value.split("; ")
            )
            for key, value in own.items()
            if key.startswith(VERSION)
        }
        if parts
        else {},
        n_read=n_read,
        n_missing=max(0, (row.n_frames or 0) - n_read),
        n_lost=sum(lost is not None for *_, lost in parts) + unplanned,
        n_colors=n_colors,
        n_accents=n_accents,
        engines=engines,
        tarballs={
            path: digest
            for _, _, path, digest, _, _ in parts
            if path is not None and row.digest is None
        },
        started_at=times[0] if times else None,
        ended_at=times[-1] if times else None,
        finding=json.loads(own.get(SHOTS_KEY, "null")),
        n_shots=n_shots,
    )
