"""The README of a film's folder, for a colleague who gets no more than that."""

from pathlib import Path

from reelbow.provenance.files import OF_A_FILM, list_files
from reelbow.provenance.markdown import escape, write_table
from reelbow.provenance.methods import describe_methods
from reelbow.provenance.record import FilmMaking
from reelbow.provenance.references import write_reference
from reelbow.text import join_words

_OPENING = """\
```python
import sqlite3

import pandas

frames = pandas.read_sql("SELECT * FROM images", sqlite3.connect("palettes.sqlite"))
```

The table `images` has a row for each frame, with its time in seconds and its colors,
the most frequent first, as `#rrggbb` (`hex0`, `hex1`, ...)."""


def write_readme(film: FilmMaking, folder: Path) -> str:
    """Say what is in a film's folder, how to open it, and how it was made.

    Parameters
    ----------
    folder : of the film, with all that the run makes of it
    """
    # This page too, before it is there.
    found = {path.name: kind for path, kind in list_files(folder, OF_A_FILM)}
    names = [name for name in OF_A_FILM if name in {*found, "README.md"}]
    rows, own = [], []
    for name in names:
        shown = f"`{name}/`" if (folder / name).is_dir() else f"`{name}`"
        rows.append([shown, OF_A_FILM[name].what, OF_A_FILM[name].opened])
        if not OF_A_FILM[name].is_for_readers:
            own.append(shown)
    paragraph, cited = describe_methods([film])
    parts = [
        f"# {escape(film.row.title)}",
        write_table(["file", "what it is", "how to open it"], rows),
        f"Only Reelbow needs {join_words(own)}, to go on with the film: leave them out "
        "when you hand the folder on.",
        _OPENING,
        "## How it was made",
        paragraph,
        "\n".join(f"- {text}" for text in sorted(map(write_reference, cited))),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
