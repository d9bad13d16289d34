"""Text of the user's own in Markdown."""

import re
from collections.abc import Iterable, Sequence

# What would be markup; an underscore within a word is none, nor is an @.
_MARKUP = re.compile(r"[\\`*\[\]<>|~$^&]|(?<![A-Za-z0-9])[_@#]|_(?![A-Za-z0-9])")


def escape(text: str) -> str:
    """Write a text so that it is shown as it is, in one line."""
    return _MARKUP.sub(r"\\\g<0>", " ".join(text.split()))


def write_table(header: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    """Write a table; its cells are Markdown already."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
