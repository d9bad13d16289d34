"""Which code makes a result: a digest that changes when a job has to run again.

Snakemake sees a changed script, but not a changed module of the library.
"""

import ast
import contextlib
import functools
import hashlib
import importlib.metadata
from collections.abc import Iterator
from pathlib import Path

from . import __version__

LIBRARY = Path(__file__).parent
PACKAGE = LIBRARY.name

# They tell of failures, keep compiled code or find a place, and change no result.
WITHOUT_RESULT = frozenset(
    {"compiled", "errors", "failures", "gpu", "job", "leftovers", "messages", "scratch"}
)


# Packages whose version can show in a palette.
PACKAGES = (
    "av",
    "numba",
    "numpy",
    "opencv-python-headless",
    "pillow",
    "scikit-learn",
    "simplejpeg",
)


def describe_versions() -> dict[str, str]:
    """Say which versions this process works with, for a database's table metadata.

    An environment of conda need not have all packages.
    """
    about = {"version/reelbow": __version__}
    for name in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            about[f"version/{name}"] = importlib.metadata.version(name)
    return about


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
        if module not in found | WITHOUT_RESULT:
            found.add(module)
            waiting.extend(_find_imports(LIBRARY / f"{module}.py"))
    digest = hashlib.sha256()
    for module in sorted(found):
        digest.update((LIBRARY / f"{module}.py").read_bytes())
    return digest.hexdigest()[:16]


def _find_imports(source: Path) -> tuple[str, ...]:
    """List the library's modules that a file imports, at its top or in a function."""
    return _parse_imports(source.read_text(encoding="utf-8"))


@functools.cache
def _parse_imports(text: str) -> tuple[str, ...]:
    # Kept, since the scripts of all rules import much the same.
    return tuple(_walk_imports(ast.parse(text)))


def _walk_imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            yield from (
                name.split(".")[1] for name in names if name.startswith(f"{PACKAGE}.")
            )
        if not isinstance(node, ast.ImportFrom):
            continue
        path = (node.module or "").split(".")
        if node.level:
            path = [PACKAGE, *filter(None, path)]
        if path[0] != PACKAGE:
            continue
        names = path[1:] or [alias.name for alias in node.names]
        yield from (name for name in names if (LIBRARY / f"{name}.py").exists())
