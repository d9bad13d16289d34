"""The schema, config/config.yaml and config/README.md say the same."""

import re
from pathlib import Path

import pytest
import yaml

from reelbow.runs.config import check_config
from reelbow.runs.schemas import load_schema

ROOT = Path(__file__).parents[2]


def walk(schema: dict, prefix: str = ""):
    """List every property, groups included, as (dotted key, its schema)."""
    for key, part in schema["properties"].items():
        yield f"{prefix}{key}", part
        if "properties" in part:
            yield from walk(part, f"{prefix}{key}.")
        # Groups to which the user gives names.
        if isinstance(named := part.get("additionalProperties"), dict):
            yield from walk(named, f"{prefix}{key}.NAME.")


def read_table(head: str) -> dict[str, list[str]]:
    """Read the rows of a table of config/README.md, by their keys."""
    rows = {}
    text = (ROOT / "config" / "README.md").read_text()
    table = text.partition(f"| {head} | type |")[2].partition("\n\n")[0]
    for line in table.splitlines()[2:]:
        key, *cells = (cell.strip() for cell in line.strip().strip("|").split(" | "))
        assert key not in rows, f"{key} has two rows"
        rows[key.strip("`")] = cells
    return rows


CONFIG = dict(walk(load_schema("config")))
SHEET = dict(walk(load_schema("films")))
LEAVES = {key: part for key, part in CONFIG.items() if "properties" not in part}


@pytest.mark.parametrize("key", [*CONFIG, *SHEET])
def test_every_key_has_a_type_a_default_and_a_sentence(key):
    part = CONFIG.get(key) or SHEET[key]
    assert part["type"]
    assert part["description"].strip().endswith(".")
    is_needed = key in ("film", "source", "mosaics.NAME.target")
    assert ("default" in part) != is_needed
    if "properties" in part:
        assert part["additionalProperties"] is False


def test_the_config_is_the_defaults():
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    defaults = check_config({})
    assert config == defaults
    # In the order in which the schema explains them, and with every one of them.
    assert list(config) == list(defaults)
    for key, group in config.items():
        if isinstance(group, dict):
            assert list(group) == list(defaults[key])


def test_the_defaults_are_allowed():
    assert check_config(check_config({})) == check_config({})


def test_the_reference_has_a_row_for_every_key_and_no_other():
    assert list(read_table("key")) == list(LEAVES)
    assert list(read_table("column")) == list(SHEET)


@pytest.mark.parametrize("key", LEAVES)
def test_the_reference_has_the_default_and_meaning_of_a_key(key):
    kind, default, meaning = read_table("key")[key]
    assert kind
    if "default" in LEAVES[key]:
        text = re.fullmatch("`(.*)`", default)
        assert text, f"{key} has no default between backticks"
        assert yaml.safe_load(text[1]) == LEAVES[key]["default"]
    else:
        assert default == "required"
    assert meaning == LEAVES[key]["description"].strip()


@pytest.mark.parametrize("key", LEAVES)
def test_the_reference_has_the_bounds_and_choices_of_a_key(key):
    kind, part = read_table("key")[key][0], LEAVES[key]
    choices = part.get("enum") or part.get("items", {}).get("enum", [])
    for word in [part.get("minimum"), part.get("maximum"), *choices]:
        if word is not None:
            assert str(word) in kind


@pytest.mark.parametrize("column", SHEET)
def test_the_reference_has_the_columns_of_the_sheet(column):
    kind, default, meaning = read_table("column")[column]
    part = SHEET[column]
    assert part["type"] in kind
    required = column in load_schema("films")["required"]
    assert default == ("required" if required else str(part["default"]))
    assert meaning == part["description"].strip()
