"""What a film's database says, as tables for spreadsheets, pandas and R.

The columns are those of docs/tables.md, and new ones come behind the others. Rows are
read and written some at a time, so that memory does not grow with the film.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelbow.barcode.film_record import unpack_colors
from reelbow.color.names import name_colors
from reelbow.color.spaces import srgb_to_cielab
from reelbow.database.opening import open_database
from reelbow.export.swatches import SWATCHES, Swatch
from reelbow.export.table_files import write_table
from reelbow.jobs.files import atomic_write
from reelbow.text import format_time

# Of a database, read at a time.
SOME_ROWS = 10_000

# Columns of frames that have a place of their own, or none; others, such as measures,
# go along as they are.
_OF_FRAMES = {
    *("film_id", "frame", "time_s", "name", "shard", "mean_color", "luma", "strip")
}

# Columns of films with the names that tables give them, by which the units are told.
_RENAMED = {"width": "width_px", "height": "height_px"}

# Decimals of L*, a*, b*: a hundredth of what can be seen.
_LAB_DECIMALS = 2
_SHARE_DECIMALS = 6

_COUNTS = """
SELECT film_id,
    (SELECT count(*) FROM frames WHERE frames.film_id = films.film_id),
    (SELECT count(*) FROM skipped WHERE skipped.film_id = films.film_id)
FROM films
"""


def export_film(database: Path, folder: Path, formats: Sequence[str]) -> None:
    """Write the tables of a film's database, what is known of it, and swatches.

    That is frames and palettes in each of the formats, film.json, and film.ase, .gpl,
    .aco and .css of the palette of the whole film.
    """
    with closing(open_database(database)) as connection:
        write_table(_read_frames(connection), folder, "frames", formats)
        write_table(_read_palettes(connection), folder, "palettes", formats)
        (about,) = describe_films(connection)
        swatches = _read_film_palette(connection, 1)
    with atomic_write(folder / "film.json") as temporary:
        text = json.dumps(about, ensure_ascii=False, indent=1)
        temporary.write_text(f"{text}\n", encoding="utf-8")
    for suffix, make in SWATCHES.items():
        with atomic_write(folder / f"film.{suffix}") as temporary:
            temporary.write_bytes(make(swatches, about["title"]))


def export_films(database: Path, folder: Path, formats: Sequence[str]) -> None:
    """Write the table of all films of a database, a row a film."""
    with closing(open_database(database)) as connection:
        films = describe_films(connection)
    rows = [_flatten(film) for film in films]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    table = {name: _to_column([row.get(name) for row in rows]) for name in columns}
    # Behind all others, since the next sheet has other ones.
    for name in dict.fromkeys(name for film in films for name in film["sheet"]):
        values = [film["sheet"].get(name) for film in films]
        table[f"sheet_{name}" if name in columns else name] = _text(values)
    write_table(iter([pd.DataFrame(table)]), folder, "films", formats)


def _flatten(film: dict[str, Any]) -> dict[str, Any]:
    """Take what is of one cell, and each color of the film's palette with three."""
    groups = ("palette", "sheet", "metadata")
    alone = {name: value for name, value in film.items() if name not in groups}
    for color in film["palette"]:
        name = f"color_{color['rank'] + 1}"
        alone |= {
            name: color["color"],
            f"{name}_name": color["color_name"],
            f"{name}_share": color["share"],
        }
    return alone


def _to_column(values: Sequence[Any]) -> Any:
    """Take values as whole numbers, numbers or text; missing ones are None."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int}:
        return pd.array(list(values), dtype="Int64")
    if kinds and kinds <= {int, float}:
        return np.array(values, np.float64)
    return _text(values)


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
            f"{name[:-1]}hms": None if film[name] is None else _format_time(film[name])
            for name in times
        }
        about |= dict(zip(("n_read", "n_skipped"), counts[film_id], strict=True))
        swatches = _read_film_palette(connection, film_id)
        labs = _to_lab(np.array([swatch.color for swatch in swatches], np.int64))
        about["palette"] = [
            {
                "rank": rank,
                "color": f"#{swatch.color:06x}",
                **dict(zip(_LAB, lab, strict=True)),
                "share": round(swatch.share, _SHARE_DECIMALS),
                "color_name": swatch.name,
            }
            for rank, (swatch, lab) in enumerate(
                zip(swatches, labs.tolist(), strict=True)
            )
        ]
        described.append({**about, "sheet": sheet, "metadata": metadata})
    return described


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
    more = [name for name in _list(connection, "frames") if name not in _OF_FRAMES]
    (film,) = connection.execute("SELECT film FROM films").fetchone()
    columns = ", ".join(["frame", "time_s", "name", "shard", "mean_color", "luma"])
    rows = connection.execute(
        f"SELECT {', '.join([columns, *more])} FROM frames ORDER BY frame"
    )
    for frames, times_s, names, shards, colors, lumas, *others in _part(rows):
        packed = np.array(colors, np.int64)
        yield pd.DataFrame(
            {
                "film": _text([film] * len(frames)),
                "frame": np.array(frames, np.int64),
                **_describe_times(times_s),
                "name": _text(names),
                "shard": _text(shards),
                "mean_color": _format_colors(packed),
                **_describe_lab(packed, "mean_"),
                "luma": np.array(lumas, np.float64).round(3),
                **{
                    name: np.array(values, np.float64)
                    for name, values in zip(more, others, strict=True)
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
    for frames, times_s, ranks, colors, shares, accents in _part(rows):
        packed = np.array(colors, np.int64)
        yield pd.DataFrame(
            {
                "film": _text([film] * len(frames)),
                "frame": np.array(frames, np.int64),
                **_describe_times(times_s),
                "rank": np.array(ranks, np.int64),
                "color": _format_colors(packed),
                **_describe_lab(packed, ""),
                "color_name": _text(name_colors(packed)),
                "share": np.array(shares, np.float64).round(_SHARE_DECIMALS),
                "accent": np.array(accents, np.int64),
            }
        )


def _part(rows: sqlite3.Cursor) -> Iterator[Sequence[Sequence[Any]]]:
    """Yield some rows as columns, and without any rows empty ones."""
    some = rows.fetchmany(SOME_ROWS)
    if not some:
        yield [[] for _ in rows.description]
    while some:
        yield list(zip(*some, strict=True))
        some = rows.fetchmany(SOME_ROWS)


def _list(connection: sqlite3.Connection, table: str) -> list[str]:
    """List the columns of a table in their order."""
    there = connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    return [name for (name,) in there]


def _text(values: Sequence[str | None]) -> Any:
    return pd.array(list(values), dtype="str")


_LAB = ("lab_l", "lab_a", "lab_b")


def _describe_times(times_s: Sequence[float | None]) -> dict[str, Any]:
    return {
        "time_s": np.array(times_s, np.float64).round(6),
        "time_hms": _text(
            [None if each is None else _format_time(each) for each in times_s]
        ),
    }


def _format_time(time_s: float) -> str:
    """Write h:mm:ss.mmm."""
    text = format_time(abs(time_s), decimals=3, with_hours=True)
    return f"-{text}" if time_s <= -0.0005 else text


def _format_colors(packed: NDArray[np.int64]) -> Any:
    return _text([f"#{color:06x}" for color in packed.tolist()])


def _describe_lab(packed: NDArray[np.int64], prefix: str) -> dict[str, Any]:
    return {
        f"{prefix}{name}": values
        for name, values in zip(_LAB, _to_lab(packed).T, strict=True)
    }


def _to_lab(packed: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n, 3) CIE L*a*b* under D65, rounded, and never -0."""
    lab = srgb_to_cielab(unpack_colors(packed)).round(_LAB_DECIMALS) + 0.0
    return np.asarray(lab, np.float64)
