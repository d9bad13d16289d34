"""Checks values against the schemas in workflow/schemas; each fault in one sentence."""

import contextlib
import copy
import difflib
import functools
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from reelbow.errors import ReelbowError
from reelbow.runs.sheet import read_time
from reelbow.text import shorten

if TYPE_CHECKING:
    import jsonschema

SCHEMAS = Path(__file__).parents[3] / "schemas"

# What the schemas' patterns mean, by the key they are for.
PATTERNS = {
    "film": (
        "letters, digits, '-', '_' and '.' only, not starting with '-' or '.' nor "
        "ending with '.'"
    ),
    "crop": "auto, none or w:h:x:y",
    "trim": "auto or none",
    "n_colors": "a whole number of 1 to 256, or auto",
    "width": "a whole number of 1 to 1000000000, or frames",
    "auto_colors": "two whole numbers, the fewest colors and the most, as [1, 12]",
    "compare": "all, or pairs of films as [[a, b], [a, c]]",
    "gap_color": "a color like '#d9d9d9', in quotes",
    "background": "white, black, transparent or a color like '#d9d9d9', in quotes",
    "aspect": "two whole numbers, the width and the height, as [16, 9]",
    "mosaics": (
        "mosaics by their names, of letters, digits, '-', '_' and '.', as "
        "{cat: {target: cat.jpg}}"
    ),
    "posters": (
        "posters by their names, of letters, digits, '-', '_' and '.', as "
        "{wall: {size: A2}}"
    ),
}

# How types and bounds are told.
TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "a text",
    "boolean": "true or false",
    "array": "a list",
    "object": "a group of keys",
    "null": "null",
}
BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "maxLength": "at most {} characters",
    "uniqueItems": "without doubles",
}


@functools.cache
def load_schema(name: str) -> dict[str, Any]:
    """Read a schema of workflow/schemas, once."""
    text = (SCHEMAS / f"{name}.schema.yaml").read_text(encoding="utf-8")
    # Every run begins so; the loader in C, which not every build has, is far faster.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    schema: dict[str, Any] = yaml.load(text, loader)
    return schema


def check_value(value: Mapping[str, Any], schema: dict[str, Any], where: str) -> None:
    """Refuse what the schema does not allow, in one sentence about the first fault."""
    for key, number in _list_numbers(value):
        if not math.isfinite(number):
            raise ReelbowError(f"{where}{key} is {number}, should be a finite number")
    # Not before: some jobs use what else is in this room.
    import jsonschema

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
        full = f"{key}.{missing}" if key else missing
        raise ReelbowError(f"{where}{full} is missing; fill it in")
    # A name that cannot be is told with the group that has it.
    verb = "has" if "propertyNames" in error.absolute_schema_path else "is"
    raise ReelbowError(
        f"{where}{key} {verb} {shorten(repr(error.instance))}, should be {_wish(error)}"
    )


def _list_numbers(value: Any, key: str = "") -> Iterator[tuple[str, float]]:
    """List the numbers with a point, wherever they stand, by their dotted keys."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _list_numbers(part, f"{key}.{name}" if key else str(name))
    elif isinstance(value, float):
        yield key, value


def _wish(error: "jsonschema.ValidationError") -> str:
    """Say in words what a value should be."""
    wanted: Any = error.validator_value
    pattern = (
        PATTERNS.get(str(error.absolute_path[-1])) if error.absolute_path else None
    )
    assert isinstance(error.schema, Mapping)
    match error.validator:
        case "type" | "pattern" | "minItems" | "maxItems" if pattern:
            return pattern
        case "type" | "enum" if choices := error.schema.get("enum"):
            return "one of " + ", ".join(str(value) for value in choices)
        case "type":
            names = [wanted] if isinstance(wanted, str) else wanted
            return " or ".join(TYPES[name] for name in names)
        case bound:
            return BOUNDS.get(str(bound), "not empty").format(wanted)


def _nearest(name: str, schema: Mapping[str, Any]) -> str:
    """Name the known key that an unknown one is most like."""
    known = list(schema["properties"])
    close = difflib.get_close_matches(name, known, n=1, cutoff=0)
    likely = difflib.get_close_matches(name, known, n=1)
    if likely:
        return f"; did you mean {likely[0]!r}?"
    return f"; the nearest known one is {close[0]!r}, of {', '.join(known)}"


def read_texts(value: Any, schema: Mapping[str, Any], key: str = "") -> Any:
    """Read numbers that came as text: `--config` makes a text of every value."""
    if isinstance(value, Mapping) and ("properties" in schema or _get_named(schema)):
        parts = schema.get("properties", {})
        other = _get_named(schema) or {}
        return {
            name: read_texts(value[name], parts.get(name, other), name)
            for name in value
        }
    types = schema.get("type", "string")
    if isinstance(value, list) and "items" in schema:
        return [read_texts(part, schema["items"], key) for part in value]
    if isinstance(value, str) and ("string" not in types or "integer" in types):
        if key.endswith("_s") and value not in ("null", "~"):
            try:
                return read_time(value)
            except ReelbowError as error:
                shown = shorten(repr(value))
                raise ReelbowError(f"config: {key} is {shown}, {error}") from None
        with contextlib.suppress(yaml.YAMLError):
            value = yaml.safe_load(value)
    # JSON schema takes 8.0 for a whole number, Python does not.
    if isinstance(value, float) and "integer" in types and value.is_integer():
        return int(value)
    return value


def _get_named(schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """Get the schema of groups that the user names, as posters are; or None."""
    named = schema.get("additionalProperties")
    return named if isinstance(named, dict) else None


def fill_defaults(value: Mapping[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Fill in what is not said; all of it a copy."""
    filled = {}
    for key, part in schema["properties"].items():
        filled[key] = copy.deepcopy(value.get(key, part.get("default")))
        if "properties" in part:
            filled[key] = fill_defaults(filled[key], part)
        if named := _get_named(part):
            filled[key] = {
                name: fill_defaults(group, named) for name, group in filled[key].items()
            }
    return filled
