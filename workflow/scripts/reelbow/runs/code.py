"""Which code makes a result: a digest that changes when a job has to run again.

Snakemake sees a changed script, but not a changed module of the library.
"""

import ast
import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path

LIBRARY = Path(__file__).parents[1]
PACKAGE = LIBRARY.name

# They tell of failures, keep compiled code or find a place, and change no result.
WITHOUT_RESULT = (
    "errors",
    "jobs",
    "machine",
    "runs.failures",
    "runs.leftovers",
    "runs.messages",
)


def digest_code(script: Path, *engines: str) -> str:
    """Digest the library modules that a script uses, directly or through others.

    Parameters
    ----------
    script : a rule's script
    engines : further modules, which are loaded by name

    Returns
    -------
    16 hexadecimal digits
    """
    found: set[str] = set()
    waiting = [*_find_imports(script), *engines]
    while waiting:
        module = waiting.pop()
        package = module.partition(".")[0]
        if module not in found and not {module, package} & set(WITHOUT_RESULT):
            found.add(module)
            waiting.extend(_find_imports(_find_file(module)))
    digest = hashlib.sha256()
    for module in sorted(found):
        digest.update(_find_file(module).read_bytes())
    return digest.hexdigest()[:16]


def _find_file(module: str) -> Path:
    """Find the file of a module, named below the library; of a package its face."""
    path = LIBRARY.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _find_imports(source: Path) -> tuple[str, ...]:
    """List the library's modules that a file imports, at its top or in a function."""
    return _parse_imports(source.read_text(encoding="utf-8"))


@functools.cache
def _parse_imports(text: str) -> tuple[str, ...]:
    # Kept, since the scripts of all rules import much the same.
    return tuple(_walk_imports(ast.parse(text)))


def _walk_imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        # The library imports by `from` alone, and in full; a contract test holds it.
        if not isinstance(node, ast.ImportFrom) or not node.module:
            continue
        top, *path = node.module.split(".")
        if top != PACKAGE:
            continue
        if path and _find_file(".".join(path)).exists():
            yield ".".join(path)
        for alias in node.names:
            name = ".".join([*path, alias.name])
            if _find_file(name).exists():
                yield name
