"""Tables of all films, for a spreadsheet and the report."""

import contextlib
import csv
from pathlib import Path

from .database import connect
from .job import replacing

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
    write_query(database, FILMS, films)
    write_query(database, SKIPPED, skipped)


def write_query(database: Path, query: str, table: Path) -> None:
    """Write what a query finds as tab-separated values, without numbers of films."""
    with contextlib.closing(connect(database)) as connection:
        found = connection.execute(query)
        columns = [column for column, *_ in found.description]
        shown = [place for place, name in enumerate(columns) if name != "film_id"]
        with (
            replacing(table) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as stream,
        ):
            writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
            writer.writerow([columns[place] for place in shown])
            writer.writerows([row[place] for place in shown] for row in found)
