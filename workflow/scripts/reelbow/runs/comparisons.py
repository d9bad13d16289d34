"""Which films are to be compared, checked before any job starts."""

import difflib
from collections.abc import Collection
from typing import Any

from reelbow.errors import ReelbowError
from reelbow.runs.schemas import PATTERNS
from reelbow.text import shorten

Pair = tuple[str, str]

# Of a pair's file; with what is put around it, below the 255 that file systems take.
MOST_CHARACTERS = 200


def find_pairs(compare: Any, films: Collection[str]) -> dict[str, Pair]:
    """Return the configuration's pairs by their files' names; of `all` there are none.

    Raises
    ------
    ReelbowError
        If a pair is none, names a film that is not there or the same one twice, or
        comes twice; or if all of fewer than two films are to be compared.
    """
    if compare == "all":
        if len(films) < 2:
            raise ReelbowError(
                "config: compare is all, but there is only one film; give two or more"
            )
        return {}
    pairs: dict[str, Pair] = {}
    for given in compare:
        if not isinstance(given, list) or len(given) != 2:
            raise ReelbowError(
                f"config: compare has {shorten(repr(given))}, should be "
                f"{PATTERNS['compare']}"
            )
        # An id such as 1927 is a number to YAML.
        first, second = (str(film) for film in given)
        for film in (first, second):
            if film not in films:
                raise ReelbowError(
                    f"config: compare names film {shorten(repr(film))}, which is not "
                    f"among the films{_suggest(film, films)}"
                )
        if first == second:
            raise ReelbowError(
                f"config: compare has film {first!r} against itself; name two films"
            )
        name = f"{first}--{second}"
        if len(name) > MOST_CHARACTERS:
            raise ReelbowError(
                f"config: compare has the pair of {shorten(repr(first))} and "
                f"{shorten(repr(second))}, whose file would have a name of {len(name)} "
                f"characters; give them ids of at most {MOST_CHARACTERS} together"
            )
        if pairs.get(name, (first, second)) != (first, second):
            raise ReelbowError(
                f"config: compare has two pairs whose file would be {name}.json; give "
                "one of their films another id"
            )
        if {name, f"{second}--{first}"} & pairs.keys():
            raise ReelbowError(
                f"config: compare has the pair of {first!r} and {second!r} twice; "
                "leave one out"
            )
        pairs[name] = first, second
    return pairs


def find_pair(name: str, films: Collection[str]) -> Pair | None:
    """Find the pair of a file's name, such as a--b; an id may itself have a --."""
    for place in range(len(name)):
        if not name.startswith("--", place):
            continue
        first, second = name[:place], name[place + 2 :]
        if first != second and first in films and second in films:
            return first, second
    return None


def _suggest(film: str, films: Collection[str]) -> str:
    near = difflib.get_close_matches(film, films, n=1)
    return f"; did you mean {near[0]!r}?" if near else "; give the id of one of them"
