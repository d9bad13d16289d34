"""Which code makes a result: a digest that changes when a job has to run again.

Snakemake sees a changed script, but not a changed module of the library.
"""

import functools
import hashlib
import re
from pathlib import Path

LIBRARY = Path(__file__).parents[1]
PACKAGE = LIBRARY.name

# The library imports by `from` alone, and in full; a contract test holds it. Not by
# `ast`, which would be a tenth of what Snakemake takes to start.
_IMPORT = re.compile(rf"^ *from ({PACKAGE}[\w.]*) import (\([^)]*\)|.*)", re.M)

# What a module names of pages' parts, which lie beside it.
_PART = re.compile(r'"(\w+\.(?:html|css|js))"')

# They tell of failures, keep compiled code or find a place, and change no result.
WITHOUT_RESULT = (
    "errors",
    "jobs",
    "machine",
    "runs.failures",
    "runs.leftovers",
    "runs.messages",
)


def digest_code(script: Path, *by_name: str) -> str:
    """Digest the library modules that a script uses, directly or through others.

    Parameters
    ----------
    script : a rule's script
    by_name : further modules, which it loads by their names

    Returns
    -------
    16 hexadecimal digits
    """
    found: set[str] = set()
    waiting = [*_find_imports(script.read_text(encoding="utf-8")), *by_name]
    while waiting:
        module = waiting.pop()
        package = module.partition(".")[0]
        if module not in found and not {module, package} & set(WITHOUT_RESULT):
            found.add(module)
            text = _find_file(module).read_text(encoding="utf-8")
            waiting.extend(_find_imports(text))
    digest = hashlib.sha256()
    for module in sorted(found):
        path = _find_file(module)
        text = path.read_text(encoding="utf-8")
        digest.update(text.encode())
        for name in _PART.findall(text):
            if (part := path.with_name(name)).exists():
                digest.update(part.read_bytes())
    return digest.hexdigest()[:16]


def _find_file(module: str) -> Path:
    """Find the file of a module, named below the library; of a package its face."""
    path = LIBRARY.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@functools.cache
def _find_imports(text: str) -> list[str]:
    """List the library's modules that a file imports, at its top or in a function.

    Kept, since the scripts of all rules import much the same.
    """
    found = []
    for module, names in _IMPORT.findall(text):
        path = module.split(".")[1:]
        modules = [".".join([*path, name]) for name in re.findall(r"\w+", names)]
        modules += [".".join(path)] if path else []
        found += [each for each in modules if _find_file(each).exists()]
    return found
