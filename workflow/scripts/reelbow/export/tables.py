"""What a film's database says, as tables for spreadsheets, pandas and R.

The columns are those of docs/tables.md, and new ones come behind the others. Rows are
read and written some at a time, so that memory does not grow with the film.
"""

import json
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from reelbow.color.names import name_colors
from reelbow.database.opening import list_tables, telling_damage
from reelbow.database.schema import TOLD
from reelbow.database.shot_rows import measure_lengths, read_shots
from reelbow.export.columns import (
    LAB,
    SHARE_DECIMALS,
    TIME_DECIMALS,
    describe_lab,
    describe_times,
    format_colors,
    format_hms,
    make_text,
    read_parts,
    to_lab,
)
from reelbow.export.swatches import SWATCHES, Swatch
from reelbow.export.table_files import write_table
from reelbow.jobs.files import atomic_write

# Columns of frames that have a place of their own, or none; others, such as measures,
# go along as they are.
_OF_FRAMES = {
    *("film_id", "frame", "time_s", "name", "shard", "mean_color", "luma", "strip")
}

# Columns of films with the names that tables give them, by which the units are told.
_RENAMED = {"width": "width_px", "height": "height_px"}

_COUNTS = """
SELECT film_id,
    (SELECT count(*) FROM frames WHERE frames.film_id = films.film_id),
    (SELECT count(*) FROM skipped WHERE skipped.film_id = films.film_id)
FROM films
"""


def export_film(
    database: Path, folder: Path, formats: Sequence[str], *, shots: bool = False
) -> list[str]:
    """Write the tables of a film's database, what is known of it, and swatches.

    That is frames and palettes in each of the formats, film.json, and film.ase, .gpl,
    .aco and .css of the palette of the whole film.

    Parameters
    ----------
    shots : whether to write what `export_shots` writes, too

    Returns
    -------
    what could not be told of shots, in a sentence each
    """
    complaints = []
    with telling_damage(database) as connection:
        write_table(_read_frames(connection), folder, "frames", formats)
        write_table(_read_palettes(connection), folder, "palettes", formats)
        (about,) = describe_films(connection)
        swatches = _read_film_palette(connection, 1)
        if not shots:
            # Of an earlier run that looked for them.
            for path in [*folder.glob("shots.*"), *folder.glob("shot_palettes.*")]:
                path.unlink()
                print(f"{path}: deleted, no longer asked for", file=sys.stderr)
        if shots:
            # Imported for who asks for it.
            from reelbow.export.shots import export_shots

            complaints = export_shots(connection, folder, formats)
    with atomic_write(folder / "film.json") as temporary:
        text = json.dumps(about, ensure_ascii=False, indent=1)
        temporary.write_text(f"{text}\n", encoding="utf-8")
    for suffix, make in SWATCHES.items():
        with atomic_write(folder / f"film.{suffix}") as temporary:
            temporary.write_bytes(make(swatches, about["title"]))
    return complaints


def export_films(database: Path, folder: Path, formats: Sequence[str]) -> None:
    """Write the table of all films of a database, a row a film."""
    with telling_damage(database) as connection:
        films = describe_films(connection)
    rows = [_flatten(film) for film in films]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    table = {name: _to_column([row.get(name) for row in rows]) for name in columns}
    # Behind all others, since the next sheet has other ones.
    for name in dict.fromkeys(name for film in films for name in film["sheet"]):
        values = [film["sheet"].get(name) for film in films]
        table[f"sheet_{name}" if name in columns else name] = make_text(values)
    write_table(iter([pd.DataFrame(table)]), folder, "films", formats)


def _flatten(film: dict[str, Any]) -> dict[str, Any]:
    """Take what is of one cell, and each color of the film's palette with three.

    What is told of shots comes behind the others, and only of films that have it.
    """
    groups = ("palette", "shots", "sheet", "metadata")
    alone = {name: value for name, value in film.items() if name not in groups}
    for color in film["palette"]:
        name = f"color_{color['rank'] + 1}"
        alone |= {
            name: color["color"],
            f"{name}_name": color["color_name"],
            f"{name}_share": color["share"],
        }
    return alone | (film["shots"] or {})


def _to_column(values: Sequence[Any]) -> Any:
    """Take values as whole numbers, numbers or text; missing ones are None."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int}:
        return pd.array(list(values), dtype="Int64")
    if kinds and kinds <= {int, float}:
        return np.array(values, np.float64)
    return make_text(values)


def describe_films(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """Say what is known of each film of a database."""
    cursor = connection.execute("SELECT * FROM films ORDER BY film_id")
    names: list[str] = [column for column, *_ in cursor.description]
    metadata = dict(connection.execute("SELECT key, value FROM metadata ORDER BY key"))
    counts = {film_id: counted for film_id, *counted in connection.execute(_COUNTS)}
    described = []
    for row in cursor.fetchall():
        film = dict(zip(names, row, strict=True))
        film_id, sheet = film.pop("film_id"), json.loads(film.pop("sheet") or "{}")
        about: dict[str, Any] = {
            _RENAMED.get(name, name): value for name, value in film.items()
        }
        times = ("start_s", "end_s", "duration_s")
        about |= {
            f"{name[:-1]}hms": None if film[name] is None else format_hms(film[name])
            for name in times
        }
        about |= dict(zip(("n_read", "n_skipped"), counts[film_id], strict=True))
        swatches = _read_film_palette(connection, film_id)
        labs = to_lab(np.array([swatch.color for swatch in swatches], np.int64))
        about["palette"] = [
            {
                "rank": rank,
                "color": f"#{swatch.color:06x}",
                **dict(zip(LAB, lab, strict=True)),
                "share": round(swatch.share, SHARE_DECIMALS),
                "color_name": swatch.name,
            }
            for rank, (swatch, lab) in enumerate(
                zip(swatches, labs.tolist(), strict=True)
            )
        ]
        about["shots"] = _describe_shots(connection, film_id, film["film"])
        described.append({**about, "sheet": sheet, "metadata": metadata})
    return described


def _describe_shots(
    connection: sqlite3.Connection, film_id: int, film: str
) -> dict[str, Any] | None:
    """Say how many shots a film has and how long they are; None: nobody looked."""
    shots = read_shots(connection, film_id, film)
    if shots is None:
        return None
    lengths_s = measure_lengths(shots)
    return {
        "n_shots": len(shots),
        **{
            f"{name}_shot_s": length_s and round(length_s, TIME_DECIMALS)
            for name, length_s in zip(("mean", "median"), lengths_s, strict=True)
        },
    }


def _read_film_palette(connection: sqlite3.Connection, film_id: int) -> list[Swatch]:
    rows = connection.execute(
        "SELECT color, share FROM film_palettes WHERE film_id = ? ORDER BY rank",
        (film_id,),
    ).fetchall()
    names = name_colors(np.array([color for color, _ in rows], np.int64))
    return [
        Swatch(color, share, name)
        for (color, share), name in zip(rows, names, strict=True)
    ]


def _read_frames(connection: sqlite3.Connection) -> Iterator[pd.DataFrame]:
    more = {
        name: kind
        for name, kind in _list(connection, "frames").items()
        if name not in _OF_FRAMES
    }
    joined = "frames"
    for table in sorted(TOLD.keys() & list_tables(connection)):
        if connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone():
            of_table = _list(connection, table)
            more |= {name: of_table[name] for name in TOLD[table]}
            joined += f" LEFT JOIN {table} USING (film_id, frame)"
    (film,) = connection.execute("SELECT film FROM films").fetchone()
    columns = ", ".join(["frame", "time_s", "name", "shard", "mean_color", "luma"])
    rows = connection.execute(
        f"SELECT {', '.join([columns, *more])} FROM {joined} ORDER BY frame"
    )
    for frames, times_s, names, shards, colors, lumas, *others in read_parts(rows):
        packed = np.array(colors, np.int64)
        yield pd.DataFrame(
            {
                "film": make_text([film] * len(frames)),
                "frame": np.array(frames, np.int64),
                **describe_times(times_s),
                "name": make_text(names),
                "shard": make_text(shards),
                "mean_color": format_colors(packed),
                **describe_lab(packed, "mean_"),
                "luma": np.array(lumas, np.float64).round(3),
                **{
                    name: _TYPES[kind](values)
                    for (name, kind), values in zip(more.items(), others, strict=True)
                },
            }
        )


def _read_palettes(connection: sqlite3.Connection) -> Iterator[pd.DataFrame]:
    (film,) = connection.execute("SELECT film FROM films").fetchone()
    rows = connection.execute(
        """SELECT frame, time_s, rank, color, share, accent
        FROM palettes JOIN frames USING (film_id, frame)
        ORDER BY film_id, frame, rank"""
    )
    for frames, times_s, ranks, colors, shares, accents in read_parts(rows):
        packed = np.array(colors, np.int64)
        yield pd.DataFrame(
            {
                "film": make_text([film] * len(frames)),
                "frame": np.array(frames, np.int64),
                **describe_times(times_s),
                "rank": np.array(ranks, np.int64),
                "color": format_colors(packed),
                **describe_lab(packed, ""),
                "color_name": make_text(name_colors(packed)),
                "share": np.array(shares, np.float64).round(SHARE_DECIMALS),
                "accent": np.array(accents, np.int64),
            }
        )


# What makes a column of values, by its type in the database.
_TYPES: dict[str, Callable[[Sequence[Any]], Any]] = {
    "TEXT": make_text,
    "INTEGER": lambda values: pd.array(list(values), dtype="Int64"),
    "REAL": lambda values: np.array(values, np.float64),
}


def _list(connection: sqlite3.Connection, table: str) -> dict[str, str]:
    """List the columns of a table in their order, each with its type."""
    there = connection.execute("SELECT name, type FROM pragma_table_info(?)", (table,))
    return dict(there.fetchall())
