"""The user's wishes: the configuration and the films, checked before any job starts."""

import contextlib
import copy
import csv
import difflib
import functools
import glob
import io
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import yaml

from .errors import ReelbowError
from .shard_names import name_shards
from .tarball import TARBALL_SUFFIXES, is_tarball, natural_key

SCHEMAS = Path(__file__).parents[2] / "schemas"

# The film that a rule makes; it need not be there yet.
DEMO_FILM = Path("results/demo/film.mp4")

# Files of results/ that a film's folder must not take the name of.
RESERVED_IDS = frozenset(
    {"palettes.sqlite", "failed.tsv", "profile.tsv", "profile.png"}
)

# What the schemas' patterns mean, by the key they are for.
PATTERNS = {
    "film": "letters, digits, '-', '_' and '.' only, not starting with '-' or '.'",
    "crop": "auto, none or w:h:x:y",
    "gap_color": "a color like '#d9d9d9', in quotes",
}

SHEET_SUFFIXES = {".tsv": "\t", ".csv": ","}


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
    # One of these two.
    video: Path | None
    tarballs: list[Path]
    shards: list[str]  # of the tarballs, in their order


def check_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration with all defaults filled in.

    Raises
    ------
    ReelbowError
        If a key is unknown or a value is not what it should be; it names the key.
    """
    schema = _load_schema("config")
    config = _read_texts(config, schema)
    _check(config, schema, "config: ")
    filled = _fill(config, schema)
    sampling = filled["sampling"]
    if not math.isfinite(sampling["every"]):
        raise ReelbowError(
            f"config: sampling.every is {sampling['every']}, should be a number above 0"
        )
    if sampling["mode"] != "interval" and sampling["every"] % 1:
        raise ReelbowError(
            f"config: sampling.every is {sampling['every']}, but sampling.mode "
            f"{sampling['mode']} counts: give a whole number"
        )
    if math.isnan(filled["cluster"]["gpu_share"]):
        raise ReelbowError("config: cluster.gpu_share is nan, should be 0 to 1")
    if math.isnan(filled["cluster"]["gpu_wait_min"] or 0):
        raise ReelbowError(
            "config: cluster.gpu_wait_min is nan, should be a number or null"
        )
    return filled


def read_films(films: str | list[str]) -> list[Film]:
    """Read the films from a sheet, or from paths and globs.

    Raises
    ------
    ReelbowError
        If a row or a file is not what it should be; it names the row or the path.
    """
    if isinstance(films, str) and is_sheet(films):
        rows = list(_read_sheet(Path(films)))
    else:
        sources = [films] if isinstance(films, str) else films
        rows = [
            (f"films {source!r}", {"film": _id_from(name), "source": name})
            for source in sources
            for name in _expand(source)
        ]
    found: dict[str, Film] = {}
    for where, row in rows:
        film = _read_film(row, where)
        if film.film in found:
            raise ReelbowError(
                f"{where}: film {film.film!r} is there twice (the other is "
                f"{found[film.film].source}); give each an id of its own in a sheet"
            )
        found[film.film] = film
    return list(found.values())


def is_sheet(path: str) -> bool:
    """Whether a name is that of a sheet."""
    return Path(path).suffix.lower() in SHEET_SUFFIXES


def _read_sheet(sheet: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    if not sheet.is_file():
        raise ReelbowError(f"films: no such sheet {sheet}; give a .tsv or .csv file")
    schema = _load_schema("films")
    try:
        text = sheet.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ReelbowError(f"{sheet}: not UTF-8; save the sheet as UTF-8") from None
    delimiter = SHEET_SUFFIXES[sheet.suffix.lower()]
    table = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = next(table, [])
        for column in header:
            if column not in schema["properties"]:
                raise ReelbowError(
                    f"{sheet}: unknown column {column!r}{_nearest(column, schema)}"
                )
        n_rows = 0
        for cells in table:
            where = f"{sheet} line {table.line_num}: "
            if not any(cells) or cells[0].startswith("#"):
                continue
            if len(cells) != len(header):
                raise ReelbowError(
                    f"{where}{len(cells)} cells under {len(header)} column names; "
                    f"separate them by {'tabs' if delimiter == chr(9) else 'commas'}"
                )
            row: dict[str, Any] = {
                name: cell.strip()
                for name, cell in zip(header, cells, strict=True)
                if cell.strip()
            }
            for name, value in row.items():
                if schema["properties"][name]["type"] in ("number", "integer"):
                    row[name] = _number(value, f"{where}{name}")
            _check(row, schema, where)
            n_rows += 1
            yield where.removesuffix(": "), row
    except csv.Error as error:
        raise ReelbowError(f"{sheet} line {table.line_num}: {error}") from None
    if not n_rows:
        raise ReelbowError(
            f"{sheet}: no films in it; give a row with film and source for each"
        )


def _number(text: str, where: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ReelbowError(f"{where} is {text!r}, should be a number")
    return number


def _expand(source: str) -> list[str]:
    """List the films that a path or glob of the configuration stands for."""
    if not glob.has_magic(source) or Path(source).exists():
        return [source]
    names = sorted(glob.glob(source, recursive=True), key=natural_key)  # noqa: PTH207
    if not names:
        raise ReelbowError(
            f"films: nothing matches {source!r}; give a sheet, a path or a glob"
        )
    # Tarballs of one glob are the shards of one film; videos are films of their own.
    if all(is_tarball(Path(name)) for name in names):
        return [source]
    return names


def _id_from(source: str) -> str:
    """Make a film's id from its file's name (of a glob, from its folder's)."""
    path = Path(source)
    if glob.has_magic(source) and not path.exists():
        name = path.parent.resolve().name
    elif path.is_dir():
        name = path.resolve().name
    else:
        suffixes = (s for s in TARBALL_SUFFIXES if path.name.lower().endswith(s))
        suffix = next(suffixes, path.suffix)
        name = path.name[: len(path.name) - len(suffix)]
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", name).lstrip(".-") or "film"


def _read_film(row: Mapping[str, Any], where: str) -> Film:
    film, source = row["film"], row["source"]
    if film in RESERVED_IDS:
        raise ReelbowError(
            f"{where}: film {film!r} is the name of a file in results/; use another id"
        )
    video, tarballs = _resolve(source, where)
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
        video=video,
        tarballs=tarballs,
        shards=name_shards(tarballs, None if Path(source).exists() else source),
    )


def _resolve(source: str, where: str) -> tuple[Path | None, list[Path]]:
    """Find the video or the tarballs that a source means."""
    path = Path(source)
    if glob.has_magic(source) and not path.exists():
        paths = [Path(name) for name in glob.glob(source, recursive=True)]  # noqa: PTH207
        if not paths:
            raise ReelbowError(f"{where}: nothing matches {source!r}")
        for each in paths:
            if not is_tarball(each):
                raise ReelbowError(
                    f"{where}: {source!r} matches {each}, which is no tarball; a glob "
                    "in a sheet is of tarballs only, and a video has a row of its own"
                )
    elif path.is_dir():
        paths = [each for each in path.iterdir() if is_tarball(each)]
        if not paths:
            raise ReelbowError(
                f"{where}: {source} is a folder without tarballs; give a video file, "
                "or a folder of .tar files"
            )
    elif not path.exists() and path != DEMO_FILM:
        raise ReelbowError(f"{where}: no such film {source}; give the path of a file")
    elif path.exists() and path.stat().st_size == 0:
        raise ReelbowError(f"{where}: {source} is empty; copy or download it again")
    elif not is_tarball(path):
        return path, []
    else:
        paths = [path]
    return None, sorted(paths, key=lambda each: natural_key(str(each)))


@functools.cache
def _load_schema(name: str) -> dict[str, Any]:
    text = (SCHEMAS / f"{name}.schema.yaml").read_text(encoding="utf-8")
    schema: dict[str, Any] = yaml.safe_load(text)
    return schema


def _check(value: Mapping[str, Any], schema: dict[str, Any], where: str) -> None:
    """Refuse what the schema does not allow, in one sentence about the first fault."""
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
    raise ReelbowError(f"{where}{key} is {error.instance!r}, should be {_wish(error)}")


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


def _read_texts(value: Any, schema: Mapping[str, Any]) -> Any:
    """Read numbers that came as text: `--config` makes a text of every value."""
    if isinstance(value, Mapping) and "properties" in schema:
        parts = schema["properties"]
        return {key: _read_texts(value[key], parts.get(key, {})) for key in value}
    types = schema.get("type", "string")
    if isinstance(value, str) and types != "string" and "string" not in types:
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
