"""The films of a run: rows of a sheet, or files named on the command line."""

import errno
import glob
import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

from reelbow.errors import ReelbowError
from reelbow.jobs.stored_files import StoredFile, is_url
from reelbow.runs.schemas import check_value, load_schema
from reelbow.runs.sheet import is_sheet, read_number, read_sheet, read_time
from reelbow.runs.stores import StoreError
from reelbow.shards.image_names import UNSHOWN, natural_key
from reelbow.shards.kinds import KINDS, Kind, name_kind
from reelbow.shards.names import name_shards
from reelbow.text import shorten

# The film that a rule makes; it need not be there yet.
DEMO_FILM = Path("results/demo/film.mp4")

# Names that a film's folder in results/ must not take, in capitals or not: those of
# Reelbow's own files there, and those that Windows keeps for itself.
RESERVED_IDS = frozenset(
    {
        "palettes.sqlite",
        "tables",
        "comparisons",
        "mosaics",
        "colors.sqlite",
        "films.tsv",
        "skipped.tsv",
        "failed.tsv",
        "profile.tsv",
        "profile.png",
        "index.html",
        "methods.md",
        "citation.bib",
        "ro-crate-metadata.json",
    }
)
RESERVED_BY_WINDOWS = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")

# Room for a suffix in a file name of 255 bytes.
LONGEST_ID = 200

# Keys that say of a single film what a sheet's columns say of each.
SINGLE = ("title", "start_s", "end_s")


# Finds the files of an address or a glob of a store, as `Stores.find`.
FindStored = Callable[[str], list[StoredFile]]


def _find_none(url: str) -> list[StoredFile]:
    raise StoreError(f"{url}: only a run of Snakemake reads addresses; give a path")


class Film(NamedTuple):
    """One row of the sheet."""

    film: str
    source: str
    title: str
    start_s: float
    end_s: float | None
    fps: float | None
    stream: int | None  # which of a video's streams, None: as players choose
    gpu: float | None  # part of its shards that run on a GPU; None: as for all
    crop: str | None  # auto, none or w:h:x:y; None: as the configuration says
    trim: str | None  # auto or none; None: as the configuration says
    kind: Kind
    files: list[Path]  # in the film's order
    shards: list[str]  # their names, if each is a shard
    fault: str | None  # why its files, of one of many films, are none; its plan says so
    own: dict[str, str]  # the sheet's own columns, in their order

    def give_up(self, fault: str) -> Self:
        """Leave nothing to be read of a film."""
        return self._replace(files=[], shards=[], fault=fault)


def read_films(
    films: str | list[str],
    is_planned: Callable[[str], bool] = lambda film: False,
    find_stored: FindStored = _find_none,
    **single: Any,
) -> list[Film]:
    """Read the films from a sheet, or from paths, folders and globs.

    What cannot be read of several films has a fault, and its job is to tell. A name of
    which there is no file is refused, since it may be a slip.

    Parameters
    ----------
    is_planned : says by its id whether a film was there before
    find_stored : finds the files of an address
    single : of a single film without a sheet: title, start_s, end_s; None: not given

    Raises
    ------
    ReelbowError
        If a row or a file is not what it should be; it names the row or the path.
    """
    given = {key: value for key, value in single.items() if value not in (None, "")}
    if isinstance(films, str) and is_sheet(films):
        if given:
            raise ReelbowError(
                f"config: {next(iter(given))} is for a film that is given without a "
                f"sheet; write it into {films}"
            )
        try:
            sheet = Path(_expand_home(films))
            read = list(_read_sheet(sheet, is_planned, find_stored))
        except OSError as error:
            raise ReelbowError(
                f"films: {films}: {error.strerror}; give a sheet that can be read"
            ) from None
    else:
        sources = [films] if isinstance(films, str) else films
        found = [row for source in sources for row in _list_films(source, find_stored)]
        if given and len(found) > 1:
            raise ReelbowError(
                f"config: {next(iter(given))} is for a single film, and films are "
                f"{len(found)}; give each its own in a sheet"
            )
        read = [
            (where, _read_film({**row, **given}, where, is_planned, find_stored))
            for where, row in found
        ]
    where, film = read[0]
    named = _is_named(film.source) or is_url(film.source)
    if len(read) == 1 and film.fault and named:
        raise ReelbowError(f"{where}: {film.fault}")
    known: dict[str, Film] = {}
    for where, film in read:
        other = known.setdefault(film.film.lower(), film)
        if other is film:
            continue
        twice = f"film {film.film!r} is there twice (the other is {other.source})"
        if other.film != film.film:
            twice = (
                f"film {film.film!r} is {other.film!r} ({other.source}) but for "
                "capitals, and many disks take both for one folder"
            )
        raise ReelbowError(f"{where}: {twice}; give each an id of its own in a sheet")
    return list(known.values())


def _read_sheet(
    sheet: Path, is_planned: Callable[[str], bool], find_stored: FindStored
) -> Iterator[tuple[str, Film]]:
    schema = load_schema("films")
    n_rows = 0
    for where, cells, own, decimal_comma in read_sheet(sheet, schema["properties"]):
        row: dict[str, Any] = dict(cells)
        for name, cell in cells.items():
            kind = schema["properties"][name]["type"]
            if kind == "string":
                continue
            read = read_time if name.endswith("_s") else read_number
            try:
                row[name] = read(cell, decimal_comma=decimal_comma)
            except ReelbowError as error:
                shown = shorten(repr(cell))
                raise ReelbowError(f"{where}: {name} is {shown}, {error}") from None
            # JSON schema takes 8.0 for a whole number, Python does not.
            if kind == "integer" and row[name].is_integer():
                row[name] = int(row[name])
        check_value(row, schema, f"{where}: ")
        n_rows += 1
        film = _read_film(row, where, is_planned, find_stored, own, sheet.parent)
        yield where, film
    if not n_rows:
        raise ReelbowError(
            f"{sheet}: no films in it; give a row with film and source for each"
        )


def _expand_home(source: str) -> str:
    """Read `~` as the user's own folder, unless a file is named so."""
    return source if Path(source).exists() else os.path.expanduser(source)  # noqa: PTH111 (it leaves unknown users alone)


def _is_glob(source: str) -> bool:
    """Whether a source is a pattern, and not a file with such signs in its name."""
    return glob.has_magic(source) and not os.path.lexists(source)


def _is_named(source: str) -> bool:
    """Whether a source is a file, and not all that a glob or a folder has."""
    return not _is_glob(source) and not os.path.isdir(source)  # noqa: PTH112 (what cannot be looked at is none)


def _list_films(
    given: str, find_stored: FindStored
) -> Iterator[tuple[str, dict[str, Any]]]:
    """List the films that a path, folder or glob of the configuration stands for."""
    # An address that is refused may have a secret in it; others name themselves.
    where = "films" if is_url(given) else f"films {given!r}"
    try:
        if is_url(given):
            names = _list_stored(given, find_stored)
        else:
            names = _list_names(_expand_home(given), where)
    except (OSError, StoreError):
        # Told as that of a film.
        names = [given]
    for path in names:
        name = _name_film(path)
        film = _make_id(name)
        yield where, {"film": film, "title": name or film, "source": path}


def _list_names(source: str, where: str) -> list[str]:
    """List the sources of the films."""
    if _is_glob(source):
        names = glob.glob(source, recursive=True)  # noqa: PTH207
        if not names:
            raise ReelbowError(
                f"films: nothing matches {source!r}; give a sheet, a path or a glob"
            )
    elif Path(source).is_dir():
        names = [str(path) for path in _list_folder(Path(source), where)]
    else:
        return [source]
    return _part_names(names, source)


def _list_stored(url: str, find_stored: FindStored) -> list[str]:
    """List the addresses of the films."""
    if not glob.has_magic(url):
        return [url]
    names = [str(file) for file in find_stored(url)]
    return _part_names(names, url)


def _part_names(names: list[str], source: str) -> list[str]:
    """List sources of films: files of a glob or folder may be those of one film."""
    if all(name_kind(name).takes_many for name in names):
        return [source]
    return sorted(names, key=natural_key)


def _list_folder(folder: Path, where: str) -> list[Path]:
    """List the files of a folder that are of the one kind that is in it."""
    # Hidden files are litter: macOS leaves a ._film.mp4 beside film.mp4.
    names = [each.name for each in os.scandir(folder) if not each.name.startswith(".")]
    # No paths yet, which take longer: there may be tens of thousands.
    found = {
        kind.plural: those
        for kind in KINDS.values()
        if (those := [name for name in names if kind.pattern.search(name)])
    }
    if len(found) > 1:
        there = " and ".join(
            f"{kind} ({names[0]}, ...)" for kind, names in found.items()
        )
        raise ReelbowError(
            f"{where}: {folder} has both {there}; give a glob for either"
        )
    if not found:
        kinds = " or ".join(kind.plural for kind in KINDS.values())
        raise ReelbowError(
            f"{where}: {folder} is a folder without {kinds}; give the "
            "folder in which they are"
        )
    return [folder / name for those in found.values() for name in those]


def _name_film(source: str) -> str:
    """Find a film's name in that of its file (of a glob, in its folder's)."""
    path = Path(source)
    if _is_glob(source):
        return path.parent.resolve().name
    if os.path.isdir(path):  # noqa: PTH112 (what cannot be looked at is none)
        return path.resolve().name
    ending = name_kind(path.name).pattern.search(path.name)
    return path.name.removesuffix(ending[0] if ending else path.suffix)


def _make_id(name: str) -> str:
    """Make a film's id of its name."""
    film = re.sub(r"[^A-Za-z0-9_.-]+", "_", name).lstrip(".-")
    film = film[:LONGEST_ID].rstrip(".") or "film"
    if not re.search("[A-Za-z0-9]", film):
        # Names of other letters would all be one.
        film += hashlib.sha256(os.fsencode(name)).hexdigest()[:6]
    return f"{film}_" if _is_reserved(film) else film


def _is_reserved(film: str) -> bool:
    name = film.lower()
    return name in RESERVED_IDS or bool(RESERVED_BY_WINDOWS.fullmatch(name))


def _read_film(
    row: Mapping[str, Any],
    where: str,
    is_planned: Callable[[str], bool],
    find_stored: FindStored,
    own: Mapping[str, str] | None = None,
    sheet_folder: Path | None = None,
) -> Film:
    film = row["film"]
    if _is_reserved(film):
        raise ReelbowError(
            f"{where}: film {film!r} is the name of a file in results/, or one that "
            "Windows keeps for itself; use another id"
        )
    source, fault = row["source"], None
    kind = name_kind(source)
    files: list[Path] = []
    try:
        if is_url(source):
            kind, files = _resolve_stored(source, where, find_stored)
        else:
            source = _find_source(source, sheet_folder)
            kind, files = _resolve(source, where)
            fault = _find_fault(kind, files, named=_is_named(source))
    except StoreError as error:
        fault = str(error)
    except FileNotFoundError as error:
        fault = f"{source} is gone; bring it back, or take {film} out of the films"
        if not is_planned(film):
            raise ReelbowError(f"{where}: {error}") from None
    except OSError as error:
        fault = f"{source}: {error.strerror}; give a path that can be read"
        if error.errno == errno.ENAMETOOLONG:
            told = f"{shorten(source)}: {error.strerror}; give the path of a file"
            raise ReelbowError(f"{where}: {told}") from None
    for path in files:
        if UNSHOWN.search(str(path)):
            raise ReelbowError(
                f"{where}: the name {str(path)!r} has a control character or is not "
                "UTF-8; rename it"
            )
    start_s, end_s = row.get("start_s", 0.0), row.get("end_s")
    if end_s is not None and end_s <= start_s:
        raise ReelbowError(
            f"{where}: start_s {start_s:g} is not before end_s {end_s:g}; swap them"
        )
    for column, reason in kind.refused.items():
        # From 0 s on is all of a film, and so is one that is not trimmed.
        harmless = ("start_s", 0), ("trim", "none")
        if files and column in row and (column, row[column]) not in harmless:
            raise ReelbowError(f"{where}: {reason.format(source=source)}")
    return Film(
        film=film,
        source=source,
        title=row.get("title", film),
        start_s=start_s,
        end_s=end_s,
        fps=row.get("fps"),
        stream=row.get("stream"),
        gpu=row.get("gpu"),
        crop=row.get("crop"),
        trim=row.get("trim"),
        kind=kind,
        files=[] if fault else files,
        shards=(
            name_shards(files, source if _is_glob(source) else None)
            if kind.files_are_shards and not fault
            else []
        ),
        fault=fault,
        own=dict(own or {}),
    )


def _find_source(given: str, sheet_folder: Path | None) -> str:
    """Find a source from the working folder, else from the sheet's."""
    home = _expand_home(given)
    sources = [home]
    folders = [Path.cwd()]
    if sheet_folder and sheet_folder.resolve() != folders[0]:
        sources.append(str(sheet_folder / home))
        folders.append(sheet_folder.resolve())
    for source in sources:
        path = Path(source)
        # A link that leads nowhere is there, and told as what it is.
        if path.exists() or path.is_symlink() or path == DEMO_FILM:
            return source
        if glob.has_magic(source) and glob.glob(source, recursive=True):  # noqa: PTH207
            return source
    among = ""
    if len(folders) > 1 and not Path(home).is_absolute():
        among = f", neither in {folders[0]} nor beside the sheet in {folders[1]}"
    if glob.has_magic(given):
        raise FileNotFoundError(f"nothing matches {given!r}{among}; give a path")
    raise FileNotFoundError(f"no such film {given}{among}; give the path of a file")


def _resolve(source: str, where: str) -> tuple[Kind, list[Path]]:
    """Find the kind and the files that a source means."""
    path = Path(source)
    if _is_glob(source):
        paths = [Path(name) for name in glob.glob(source, recursive=True)]  # noqa: PTH207
        _check_kinds(source, paths, where)
    elif path.is_dir():
        paths = _list_folder(path, where)
        kind = name_kind(paths[0].name)
        if not kind.takes_many:
            raise ReelbowError(
                f"{where}: {source} is a folder of {kind.plural}; give each a row of "
                "its own, as its path"
            )
    else:
        paths = [path]
    paths.sort(key=lambda each: natural_key(str(each)))
    return name_kind(paths[0].name), paths


def _check_kinds(source: str, paths: Sequence[Path], where: str) -> None:
    """Refuse a glob that is not of files that may be those of one film."""
    first = name_kind(paths[0].name)
    for each in paths:
        kind = name_kind(each.name)
        if not kind.takes_many:
            raise ReelbowError(
                f"{where}: {source!r} matches {each}; a glob in a sheet is of "
                "tarballs or of photos, and of any others each has a row of its own"
            )
        if kind is not first:
            raise ReelbowError(
                f"{where}: {source!r} matches {paths[0]} and {each}; give a glob "
                f"that is of {first.plural} or of {kind.plural} only"
            )


def _resolve_stored(
    url: str, where: str, find_stored: FindStored
) -> tuple[Kind, list[Path]]:
    """Find the kind and the files that an address means."""
    try:
        files = find_stored(url)
    except StoreError:
        raise
    except ReelbowError as error:
        raise ReelbowError(f"{where}: {error}") from None
    if not files:
        raise FileNotFoundError(f"nothing matches {url!r}; give an address")
    paths: list[Path] = sorted(files, key=lambda each: natural_key(str(each)))
    if [str(path) for path in paths] != [url]:
        _check_kinds(url, paths, where)
    kind = name_kind(paths[0].name)
    if kind.takes_many and not kind.files_are_shards:
        raise ReelbowError(
            f"{where}: {url} is of {kind.plural}, which are read from this machine "
            "only; download them, or pack them into tarballs"
        )
    return kind, paths


def _find_fault(kind: Kind, paths: list[Path], *, named: bool) -> str | None:
    """Say why one of a film's files is none, as far as that shows from outside.

    Of many only links are looked at, which Snakemake would stumble over. What
    else is wrong with one fails its own shard.
    """
    alone = named or not kind.takes_many
    if not alone:
        links = {
            entry.name
            for folder in {path.parent for path in paths}
            for entry in os.scandir(folder)
            if not entry.is_file(follow_symlinks=False)
        }
        paths = [path for path in paths if path.name in links]
    by_user = os.access in os.supports_effective_ids
    for path in paths:
        if path == DEMO_FILM and not path.exists():
            continue
        if not path.exists():
            return f"{path} is a link to {path.readlink()}, which is not there; mend it"
        if not path.is_file():
            return f"{path} is no file; give the path of one"
        if not os.access(path, os.R_OK, effective_ids=by_user):
            return f"{path} may not be read by you; change its permissions"
        if alone and path.stat().st_size == 0:
            return f"{path} is empty; copy or download it again"
    return None
