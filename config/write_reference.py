"""Write the tables of config/README.md from the schemas: run it after changing them.

uv run python config/write_reference.py
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "config" / "README.md"


def load_schema(name: str) -> dict[str, Any]:
    """Load config.schema.yaml or films.schema.yaml."""
    path = ROOT / "workflow" / "schemas" / f"{name}.schema.yaml"
    schema: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return schema


def list_keys(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """List the keys with a value of their own, dotted, with their schemas."""
    for key, part in schema["properties"].items():
        if "properties" in part:
            yield from ((f"{key}.{inner}", at) for inner, at in list_keys(part))
        else:
            yield key, part
        # Groups to which the user gives names.
        if isinstance(named := part.get("additionalProperties"), dict):
            yield from ((f"{key}.NAME.{inner}", at) for inner, at in list_keys(named))


def describe_type(part: dict[str, Any]) -> str:
    """Say in a few words what a value may be."""
    if "enum" in part.get("items", {}):
        return "list of " + ", ".join(f"`{value}`" for value in part["items"]["enum"])
    if "enum" in part:
        return ", ".join(f"`{value}`" for value in part["enum"])
    types = part["type"] if isinstance(part["type"], list) else [part["type"]]
    limits = ""
    if "minimum" in part and "maximum" in part:
        limits = f" {write_number(part['minimum'])} to {part['maximum']}"
    elif "minimum" in part:
        limits = f" ≥ {part['minimum']}"
    elif "exclusiveMinimum" in part:
        limits = f" > {part['exclusiveMinimum']}, at most {part['maximum']}"
    if types == ["integer", "string"]:
        return f"integer{limits}, or `{part['pattern'].strip('^$')}`"
    if "minItems" in part and part["items"]["type"] == "integer":
        numbers = describe_type(part["items"]).replace("integer", "integers")
        return f"list of {part['minItems']} {numbers}"
    return " or ".join(types) + limits


def write_number(number: float) -> str:
    """Write a number without an exponent."""
    return format(Decimal(str(number)), "f")


def describe_default(value: Any) -> str:
    """Write a default as YAML has it."""
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"
    plain = isinstance(value, str) and not value.startswith("#")
    return str(value) if plain else json.dumps(value)


def write_table(head: str, rows: Iterator[tuple[str, ...]]) -> str:
    """Write a markdown table with the columns key, type, default and meaning."""
    lines = [f"| {head} | type | default | meaning |", "|---|---|---|---|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def main() -> None:
    """Put both tables in their places."""
    config, films = load_schema("config"), load_schema("films")
    tables = {
        "key": (
            (
                f"`{key}`",
                describe_type(part),
                f"`{describe_default(part['default'])}`"
                if "default" in part
                else "required",
                " ".join(part["description"].split()),
            )
            for key, part in list_keys(config)
        ),
        "column": (
            (
                f"`{key}`",
                describe_type(part),
                "required" if key in films["required"] else str(part["default"]),
                " ".join(part["description"].split()),
            )
            for key, part in list_keys(films)
        ),
    }
    text = REFERENCE.read_text(encoding="utf-8")
    for head, rows in tables.items():
        table = write_table(head, rows)
        text = re.sub(rf"\| {head} \| type (.*\n)(\|.*\n)+", lambda _: table, text)  # noqa: B023 (called at once)
    REFERENCE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
