"""The library's rooms: which there are, and which may use which."""

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import reelbow

LIBRARY = Path(reelbow.__file__).parent
assert reelbow.__doc__
ROOMS = re.findall(r"^(\w+) {2,}\w", reelbow.__doc__, re.MULTILINE)
MODULES = {
    ".".join(path.relative_to(LIBRARY).with_suffix("").parts): path
    for path in sorted(LIBRARY.rglob("*.py"))
    if path.parent != LIBRARY or path.stem != "__init__"
}


# What that page names beside the library.
OTHERS = {"workflow/"}


def find_imports(path: Path) -> set[str]:
    """List the modules of the library that one imports, wherever in its text."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom) or node.module is None:
            continue
        top, _, module = node.module.partition(".")
        if top == "reelbow":
            names = {f"{module}.{alias.name}".strip(".") for alias in node.names}
            found |= names & MODULES.keys() or {module} - {""}
    return found


def get_room(module: str) -> str:
    return module.partition(".")[0]


def test_the_map_names_every_room():
    rooms = {get_room(module) for module in MODULES}
    assert sorted(ROOMS) == sorted(rooms)


@pytest.mark.parametrize("module", MODULES)
def test_a_room_uses_only_rooms_above_it_in_the_map(module):
    place = ROOMS.index(get_room(module))
    later = {m for m in find_imports(MODULES[module]) if m.split(".")[0] in ROOMS}
    assert not {used for used in later if ROOMS.index(get_room(used)) > place}


def test_no_module_needs_itself():
    needs = {module: find_imports(path) for module, path in MODULES.items()}
    # Raises where there is a circle, and names it.
    assert list(TopologicalSorter(needs).static_order())


def test_there_is_one_style_of_imports():
    """In full and by `from`, as the digest of the code reads them."""
    for path in MODULES.values():
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"^\s*(import reelbow|from \.)", text, re.MULTILINE), path


def test_the_page_of_the_way_of_a_frame_names_files_that_are_there():
    page = (LIBRARY.parents[2] / "docs" / "inside.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+/\w*(?:\.py)?)`", page))
    assert len(named) > 30
    assert not {name for name in named if not (LIBRARY / name).exists()} - OTHERS
