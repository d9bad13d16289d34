"""The user's wishes: the configuration and the films, checked before any job starts."""

import contextlib
import copy
import difflib
import errno
import functools
import glob
import hashlib
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

import jsonschema
import yaml

from .errors import ReelbowError
from .shard_names import name_shards
from .sheet import is_sheet, read_number, read_sheet, read_time
from .tarball import TARBALL_SUFFIXES, UNSHOWN, is_tarball, natural_key

SCHEMAS = Path(__file__).parents[2] / "schemas"

# The film that a rule makes; it need not be there yet.
DEMO_FILM = Path("results/demo/film.mp4")

# Names that a film's folder in results/ must not take, in capitals or not: those of
# Reelbow's own files there, and those that Windows keeps for itself.
RESERVED_IDS = frozenset(
    {
        "palettes.sqlite",
        "colors.sqlite",
        "films.tsv",
        "skipped.tsv",
        "failed.tsv",
        "profile.tsv",
        "profile.png",
        "index.html",
    }
)
RESERVED_BY_WINDOWS = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")

# Room for a suffix in a file name of 255 bytes.
LONGEST_ID = 200

# What counts as a film in a folder of films.
VIDEO_NAME = re.compile(
    r"\.(3g2|3gp|asf|avi|divx|dv|f4v|flv|h264|h265|hevc|ivf|m1v|m2ts?|m2v|m4v|mj2|mjpg"
    r"|mkv|mov|mp4|mpe|mpe?g|mts|mxf|nut|obu|og[mv]|qt|rm|rmvb|ts|vob|webm|wmv|wtv|y4m)$",
    re.IGNORECASE,
)

# Keys that say of a single film what a sheet's columns say of each.
SINGLE = ("title", "start_s", "end_s")

# What the schemas' patterns mean, by the key they are for.
PATTERNS = {
    "film": (
        "letters, digits, '-', '_' and '.' only, not starting with '-' or '.' nor "
        "ending with '.'"
    ),
    "crop": "auto, none or w:h:x:y",
    "gap_color": "a color like '#d9d9d9', in quotes",
}


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
    # One of these three.
    video: Path | None
    tarballs: list[Path]
    shards: list[str]  # of the tarballs, in their order
    fault: str | None  # why its file, one of many, is none; its plan says so
    own: dict[str, str]  # the sheet's own columns, in their order

    def give_up(self, fault: str) -> Self:
        """Leave nothing to be read of a film."""
        return self._replace(video=None, tarballs=[], shards=[], fault=fault)


def check_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration with all defaults filled in.

    Raises
    ------
    ReelbowError
        If a key is unknown or a value is not what it should be; it names the key.
    """
    schema = _load_schema("config")
    title = config.get("title")
    if not isinstance(title, str | None):
        # Snakemake reads 1984 as a number, and a colon as a group of keys.
        raise ReelbowError(
            f"config: title is {title!r}, should be a text; on the command line put it "
            """between quotes twice, as title='"1984"'"""
        )
    if unshown := UNSHOWN.search(title or ""):
        raise ReelbowError(
            f"config: title has the control character {unshown[0]!r}; delete it"
        )
    config = _read_texts(config, schema)
    _check(config, schema, "config: ")
    filled = _fill(config, schema)
    sampling = filled["sampling"]
    if sampling["mode"] != "interval" and sampling["every"] % 1:
        raise ReelbowError(
            f"config: sampling.every is {sampling['every']}, but sampling.mode "
            f"{sampling['mode']} counts: give a whole number"
        )
    return filled


def read_films(
    films: str | list[str],
    is_planned: Callable[[str], bool] = lambda film: False,
    **single: Any,
) -> list[Film]:
    """Read the films from a sheet, or from paths, folders and globs.

    What cannot be read of several films has a fault, and its job is to tell. A name of
    which there is no file is refused, since it may be a slip.

    Parameters
    ----------
    is_planned : says by its id whether a film was there before
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
            read = list(_read_sheet(Path(_expand_home(films)), is_planned))
        except OSError as error:
            raise ReelbowError(
                f"films: {films}: {error.strerror}; give a sheet that can be read"
            ) from None
    else:
        sources = [films] if isinstance(films, str) else films
        found = [pair for source in sources for pair in _list_films(source)]
        if given and len(found) > 1:
            raise ReelbowError(
                f"config: {next(iter(given))} is for a single film, and films are "
                f"{len(found)}; give each its own in a sheet"
            )
        read = [
            (where, _read_film({**row, **given}, where, is_planned))
            for where, row in found
        ]
    where, film = read[0]
    if len(read) == 1 and film.fault and _is_named(film.source):
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
    sheet: Path, is_planned: Callable[[str], bool]
) -> Iterator[tuple[str, Film]]:
    schema = _load_schema("films")
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
                shown = _shorten(repr(cell))
                raise ReelbowError(f"{where}: {name} is {shown}, {error}") from None
            # JSON schema takes 8.0 for a whole number, Python does not.
            if kind == "integer" and row[name].is_integer():
                row[name] = int(row[name])
        _check(row, schema, f"{where}: ")
        n_rows += 1
        yield where, _read_film(row, where, is_planned, own, sheet.parent)
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


def _list_films(given: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """List the films that a path, folder or glob of the configuration stands for."""
    where = f"films {given!r}"
    try:
        names = _list_names(_expand_home(given), where)
    except OSError:
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
    # Tarballs of one glob or folder are the shards of one film; videos are films of
    # their own.
    if all(is_tarball(Path(name)) for name in names):
        return [source]
    return sorted(names, key=natural_key)


def _list_folder(folder: Path, where: str) -> list[Path]:
    """List a folder's videos, or its tarballs."""
    # Hidden files are litter: macOS leaves a ._film.mp4 beside film.mp4.
    names = [each.name for each in os.scandir(folder) if not each.name.startswith(".")]
    # No paths yet, which take longer: there may be tens of thousands.
    tarballs = [name for name in names if name.lower().endswith(TARBALL_SUFFIXES)]
    videos = [name for name in names if VIDEO_NAME.search(name)]
    if tarballs and videos:
        raise ReelbowError(
            f"{where}: {folder} has both videos ({videos[0]}, ...) and tarballs "
            f"({tarballs[0]}, ...); give a glob for either"
        )
    if not tarballs and not videos:
        raise ReelbowError(
            f"{where}: {folder} is a folder without videos or tarballs; give the "
            "folder in which they are"
        )
    return [folder / name for name in tarballs or videos]


def _name_film(source: str) -> str:
    """Find a film's name in that of its file (of a glob, in its folder's)."""
    path = Path(source)
    if _is_glob(source):
        return path.parent.resolve().name
    if os.path.isdir(path):  # noqa: PTH112 (what cannot be looked at is none)
        return path.resolve().name
    suffixes = (s for s in TARBALL_SUFFIXES if path.name.lower().endswith(s))
    suffix = next(suffixes, path.suffix)
    return path.name[: len(path.name) - len(suffix)]


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
    video: Path | None = None
    tarballs: list[Path] = []
    try:
        source = _find_source(source, sheet_folder)
        video, tarballs = _resolve(source, where)
        fault = _find_fault([video] if video else tarballs, named=_is_named(source))
    except FileNotFoundError as error:
        fault = f"{source} is gone; bring it back, or take {film} out of the films"
        if not is_planned(film):
            raise ReelbowError(f"{where}: {error}") from None
    except OSError as error:
        fault = f"{source}: {error.strerror}; give a path that can be read"
        if error.errno == errno.ENAMETOOLONG:
            raise ReelbowError(f"{where}: {fault}") from None
    for path in [video] if video else tarballs:
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
    if tarballs and (start_s or end_s is not None):
        raise ReelbowError(
            f"{where}: start_s and end_s are for videos, and {source} is of tarballs, "
            "of which every image counts; leave them empty"
        )
    if tarballs and "stream" in row:
        raise ReelbowError(
            f"{where}: stream is for videos, and {source} is of tarballs; "
            "leave it empty"
        )
    if video and "fps" in row:
        raise ReelbowError(
            f"{where}: fps is for tarballs, and {source} is a video, which has times "
            "of its own; leave it empty"
        )
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
        video=None if fault else video,
        tarballs=[] if fault else tarballs,
        shards=(
            [] if fault else name_shards(tarballs, source if _is_glob(source) else None)
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


def _resolve(source: str, where: str) -> tuple[Path | None, list[Path]]:
    """Find the video or the tarballs that a source means."""
    path = Path(source)
    if _is_glob(source):
        paths = [Path(name) for name in glob.glob(source, recursive=True)]  # noqa: PTH207
        for each in paths:
            if not is_tarball(each):
                raise ReelbowError(
                    f"{where}: {source!r} matches {each}, which is no tarball; a glob "
                    "in a sheet is of tarballs only, and a video has a row of its own"
                )
    elif path.is_dir():
        paths = _list_folder(path, where)
        if not is_tarball(paths[0]):
            raise ReelbowError(
                f"{where}: {source} is a folder of videos; give each a row of its own, "
                "as its path"
            )
    elif not is_tarball(path):
        return path, []
    else:
        paths = [path]
    return None, sorted(paths, key=lambda each: natural_key(str(each)))


def _find_fault(paths: list[Path], *, named: bool) -> str | None:
    """Say why one of a film's files is none, as far as that shows from outside.

    Of many tarballs only links are looked at, which Snakemake would stumble over. What
    else is wrong with one fails its own shard.
    """
    alone = named or not is_tarball(paths[0])
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
            return f"{path} is no file; give the path of a video or a tarball"
        if not os.access(path, os.R_OK, effective_ids=by_user):
            return f"{path} may not be read by you; change its permissions"
        if alone and path.stat().st_size == 0:
            return f"{path} is empty; copy or download it again"
    return None


@functools.cache
def _load_schema(name: str) -> dict[str, Any]:
    text = (SCHEMAS / f"{name}.schema.yaml").read_text(encoding="utf-8")
    schema: dict[str, Any] = yaml.safe_load(text)
    return schema


def _check(value: Mapping[str, Any], schema: dict[str, Any], where: str) -> None:
    """Refuse what the schema does not allow, in one sentence about the first fault."""
    for key, number in _list_numbers(value):
        if not math.isfinite(number):
            raise ReelbowError(f"{where}{key} is {number}, should be a finite number")
    validator = jsonschema.Draft202012Validator(schema)
    error = jsonschema.exceptions.best_match(validator.iter_errors(value))
    if error is None:
        return
    assert isinstance(error.schema, Mapping)
    key = ".".join(str(part) for part in error.absolute_path)
    if error.validator == "additionalProperties":
        assert isinstance(error.instance, Mapping)
        unknown = next(k for k in error.instance if k not in error.schema["properties"])
        full = f"{key}.{unknown}" if key else str(unknown)
        raise ReelbowError(
            f"{where}unknown key {full!r}{_nearest(str(unknown), error.schema)}"
        )
    if error.validator == "required":
        missing = next(k for k in error.schema["required"] if k not in error.instance)
        raise ReelbowError(f"{where}{missing} is missing; fill it in")
    raise ReelbowError(
        f"{where}{key} is {_shorten(repr(error.instance))}, should be {_wish(error)}"
    )


def _list_numbers(value: Any, key: str = "") -> Iterator[tuple[str, float]]:
    """List the numbers with a point, wherever they stand, by their dotted keys."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _list_numbers(part, f"{key}.{name}" if key else str(name))
    elif isinstance(value, float):
        yield key, value


def _shorten(value: Any) -> str:
    """Write what a sentence quotes, the beginning of it if it is long."""
    text = str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _wish(error: jsonschema.ValidationError) -> str:
    """Say in words what a value should be."""
    wanted: Any = error.validator_value
    types = {
        "integer": "a whole number",
        "number": "a number",
        "string": "a text",
        "boolean": "true or false",
        "array": "a list",
        "object": "a group of keys",
        "null": "null",
    }
    pattern = (
        PATTERNS.get(str(error.absolute_path[-1])) if error.absolute_path else None
    )
    match error.validator:
        case "type" | "pattern" if pattern:
            return pattern
        case "type":
            names = [wanted] if isinstance(wanted, str) else wanted
            return " or ".join(types[name] for name in names)
        case "enum":
            return "one of " + ", ".join(str(value) for value in wanted)
        case "minimum":
            return f"at least {wanted}"
        case "exclusiveMinimum":
            return f"above {wanted}"
        case "maximum":
            return f"at most {wanted}"
        case "maxLength":
            return f"at most {wanted} characters"
        case "uniqueItems":
            return "without doubles"
        case _:
            return "not empty"


def _nearest(name: str, schema: Mapping[str, Any]) -> str:
    """Name the known key that an unknown one is most like."""
    known = list(schema["properties"])
    close = difflib.get_close_matches(name, known, n=1, cutoff=0)
    likely = difflib.get_close_matches(name, known, n=1)
    if likely:
        return f"; did you mean {likely[0]!r}?"
    return f"; the nearest known one is {close[0]!r}, of {', '.join(known)}"


def _read_texts(value: Any, schema: Mapping[str, Any], key: str = "") -> Any:
    """Read numbers that came as text: `--config` makes a text of every value."""
    if isinstance(value, Mapping) and "properties" in schema:
        parts = schema["properties"]
        return {
            name: _read_texts(value[name], parts.get(name, {}), name) for name in value
        }
    types = schema.get("type", "string")
    if isinstance(value, str) and types != "string" and "string" not in types:
        if key.endswith("_s") and value not in ("null", "~"):
            try:
                return read_time(value)
            except ReelbowError as error:
                shown = _shorten(repr(value))
                raise ReelbowError(f"config: {key} is {shown}, {error}") from None
        with contextlib.suppress(yaml.YAMLError):
            value = yaml.safe_load(value)
    # JSON schema takes 8.0 for a whole number, Python does not.
    if isinstance(value, float) and "integer" in types and value.is_integer():
        return int(value)
    return value


def _fill(value: Mapping[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    filled = {}
    for key, part in schema["properties"].items():
        filled[key] = copy.deepcopy(value.get(key, part.get("default")))
        if "properties" in part:
            filled[key] = _fill(filled[key], part)
    return filled
