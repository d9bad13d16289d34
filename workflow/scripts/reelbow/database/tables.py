"""Tables of all films, for a spreadsheet and the report."""

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reelbow.database.opening import connect, explaining
from reelbow.jobs.files import write_tsv

# All that the database says of a film, and how much there is of it.
FILMS = """
SELECT films.*,
    (SELECT count(*) FROM frames WHERE frames.film_id = films.film_id) AS frames,
    (SELECT count(*) FROM skipped WHERE skipped.film_id = films.film_id) AS skipped
FROM films ORDER BY film_id
"""
SKIPPED = """
SELECT film, shard, name, reason FROM skipped JOIN films USING (film_id)
ORDER BY film_id, shard, name
"""


def write_tables(database: Path, *, films: Path, skipped: Path) -> None:
    """Write the films of a database, and the pictures that were skipped."""
    with (
        explaining(database, "the database"),
        contextlib.closing(connect(database)) as connection,
    ):
        found = connection.execute(FILMS)
        columns = [column for column, *_ in found.description]
        rows = [dict(zip(columns, row, strict=True)) for row in found]
        write_tsv(films, *_spread_sheet(columns, rows))
        found = connection.execute(SKIPPED)
        write_tsv(skipped, [column for column, *_ in found.description], found)


def _spread_sheet(
    columns: Sequence[str], rows: Sequence[dict[str, Any]]
) -> tuple[list[str], list[list[Any]]]:
    """Give the sheet's further columns a place of their own, behind all others.

    One that has the name of another column is called sheet_{name}.
    """
    kept = [name for name in columns if name not in ("film_id", "sheet")]
    sheets = [json.loads(row.get("sheet") or "{}") for row in rows]
    own = list(dict.fromkeys(name for sheet in sheets for name in sheet))
    table = [
        [*(row[name] for name in kept), *(sheet.get(name) for name in own)]
        for row, sheet in zip(rows, sheets, strict=True)
    ]
    return [*kept, *(f"sheet_{name}" if name in kept else name for name in own)], table
