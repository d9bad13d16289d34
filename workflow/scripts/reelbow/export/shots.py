"""What is made of a film's shots: tables, swatches of each, and markers."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelbow.color.names import name_colors
from reelbow.color.spaces import SPACES
from reelbow.database.film_palettes import FrameTimes
from reelbow.database.reading import read_row
from reelbow.database.schema import ONLY_FILM, FilmRow
from reelbow.database.shot_rows import ShotRow, read_shots
from reelbow.errors import ReelbowError
from reelbow.export.columns import (
    SHARE_DECIMALS,
    SOME_ROWS,
    describe_lab,
    describe_times,
    format_colors,
    make_text,
    read_parts,
)
from reelbow.export.markers import (
    MarkedFilm,
    Marker,
    find_media,
    find_rate,
    save_markers,
)
from reelbow.export.swatches import MOST_ACO, SWATCHES, Swatch
from reelbow.export.table_files import write_table
from reelbow.jobs.files import atomic_write
from reelbow.pictures.measure_names import MEASURES
from reelbow.text import count

_MEASURE_DECIMALS = 6

# Colors that a marker names.
_NAMED_COLORS = 3


@dataclass(frozen=True)
class _Means:
    """Of each shot: how many frames could be read, and the means of these over time.

    Attributes
    ----------
    n_frames : (n,)
    colors : (n,) 0xRRGGBB; 0 without frames
    lumas : (n,) NaN: without frames
    measures : by name, each (n,), as `lumas`
    """

    n_frames: NDArray[np.int64]
    colors: NDArray[np.int64]
    lumas: NDArray[np.float64]
    measures: dict[str, NDArray[np.float64]]


def export_shots(
    connection: sqlite3.Connection, folder: Path, formats: Sequence[str]
) -> list[str]:
    """Write all that is made of the shots of a film's database.

    That is shots and shot_palettes in each of the formats of tables, and shots.ase,
    .gpl, .aco, .css, .edl, .otio, .vtt and .eaf.

    Returns
    -------
    what could not be told in these files, in a sentence each

    Raises
    ------
    ReelbowError
        If shots were not looked for.
    """
    film = read_row(connection, ONLY_FILM)
    shots = read_shots(connection, ONLY_FILM, film.film)
    if shots is None:
        raise ReelbowError(
            f"the database of {film.film} says nothing of shots; delete it and run "
            "again with shots.detector"
        )
    palettes = _read_palettes(connection, shots)
    table = _make_shots(connection, film.film, shots, palettes)
    write_table(table, folder, "shots", formats)
    colors = _make_palettes(film.film, shots, palettes)
    write_table(colors, folder, "shot_palettes", formats)
    swatches = [swatch for palette in palettes for swatch in palette]
    for suffix, make in SWATCHES.items():
        with atomic_write(folder / f"shots.{suffix}") as temporary:
            temporary.write_bytes(make(swatches, f"{film.title}: shots"))
    complaints = []
    if len(swatches) > MOST_ACO:
        complaints.append(
            f"shots.aco has the first {MOST_ACO:,} of {count(len(swatches), 'color')}, "
            "as many as its format can hold"
        )
    return complaints + _mark(connection, folder, film, shots, palettes)


def _mark(
    connection: sqlite3.Connection,
    folder: Path,
    film: FilmRow,
    shots: Sequence[ShotRow],
    palettes: Sequence[Sequence[Swatch]],
) -> list[str]:
    """Write the files of markers; return what could not be told in them."""
    rate, complaint = find_rate(film.n_pictures, film.duration_s)
    about = MarkedFilm(
        title=film.title,
        media=find_media(film.source, folder) if film.sampling else None,
        duration_s=film.duration_s,
        rate=rate,
        made_at=film.made_at,
        rate_note=complaint,
    )
    markers = [
        Marker(
            name=_name(shot.shot),
            start_s=shot.start_s,
            end_s=shot.end_s,
            colors=", ".join(
                f"{swatch.name} #{swatch.color:06x} {100 * swatch.share:.0f} %"
                for swatch in palette[:_NAMED_COLORS]
            ),
        )
        for shot, palette in zip(shots, palettes, strict=True)
        if shot.start_s is not None and shot.end_s is not None
    ]
    complaints = [complaint] if complaint and markers else []
    if len(markers) < len(shots):
        n_left = count(len(shots) - len(markers), "shot")
        complaints.append(
            f"{n_left} of {len(shots):,} have no markers, since their times are not "
            "known; the column fps of the sheet gives images times"
        )
    return complaints + save_markers(folder, about, markers)


def _name(shot: int) -> str:
    return f"shot {shot}"


def _read_palettes(
    connection: sqlite3.Connection, shots: Sequence[ShotRow]
) -> list[list[Swatch]]:
    """Read the palette of each shot; one without frames has none."""
    palettes: list[list[Swatch]] = [[] for _ in shots]
    places = {shot.shot: place for place, shot in enumerate(shots)}
    rows = connection.execute(
        """SELECT shot, color, share FROM shot_palettes WHERE film_id = ?
        ORDER BY shot, rank""",
        (ONLY_FILM,),
    )
    for numbers, colors, shares in read_parts(rows):
        names = name_colors(np.array(colors, np.int64))
        for shot, color, share, name in zip(
            numbers, colors, shares, names, strict=True
        ):
            swatch = Swatch(color, share, name, group=_name(shot))
            palettes[places[shot]].append(swatch)
    return palettes


def _make_palettes(
    film: str, shots: Sequence[ShotRow], palettes: Sequence[Sequence[Swatch]]
) -> Iterator[pd.DataFrame]:
    """Make the table shot_palettes, a row a color."""
    rows = [
        (shot.shot, rank, swatch)
        for shot, palette in zip(shots, palettes, strict=True)
        for rank, swatch in enumerate(palette)
    ]
    for start in range(0, len(rows), SOME_ROWS) or [0]:
        some = rows[start : start + SOME_ROWS]
        packed = np.array([swatch.color for *_, swatch in some], np.int64)
        shares = np.array([swatch.share for *_, swatch in some], np.float64)
        yield pd.DataFrame(
            {
                "film": make_text([film] * len(some)),
                "shot": np.array([shot for shot, *_ in some], np.int64),
                "rank": np.array([rank for _, rank, _ in some], np.int64),
                "color": format_colors(packed),
                **describe_lab(packed, ""),
                "color_name": make_text([swatch.name for *_, swatch in some]),
                "share": shares.round(SHARE_DECIMALS),
            }
        )


def _make_shots(
    connection: sqlite3.Connection,
    film: str,
    shots: Sequence[ShotRow],
    palettes: Sequence[Sequence[Swatch]],
) -> Iterator[pd.DataFrame]:
    """Make the table shots, a row a shot."""
    means = _find_means(connection, shots)
    n_colors = max(map(len, palettes), default=0)
    for start in range(0, len(shots), SOME_ROWS) or [0]:
        part = slice(start, start + SOME_ROWS)
        columns = zip(*shots[part], strict=True) if shots else [[]] * 5
        numbers, firsts, lasts, starts_s, ends_s = columns
        table = {
            "film": make_text([film] * len(numbers)),
            "shot": np.array(numbers, np.int64),
            "first_frame": pd.array(list(firsts), dtype="Int64"),
            "last_frame": pd.array(list(lasts), dtype="Int64"),
            "n_frames": means.n_frames[part],
            **describe_times(starts_s, "start"),
            **describe_times(ends_s, "end"),
            **describe_times([shot.length_s for shot in shots[part]], "length"),
            **_describe_means(means, part),
        }
        for rank in range(n_colors):
            table |= _describe_color(rank, palettes[part])
        yield pd.DataFrame(table)


def _describe_means(means: _Means, part: slice) -> dict[str, Any]:
    """Make the columns of means; missing in shots without frames."""
    is_there = means.n_frames[part] > 0
    colors = means.colors[part]
    lab = describe_lab(colors, "mean_")
    return {
        "mean_color": make_text(
            [
                text if there else None
                for text, there in zip(format_colors(colors), is_there, strict=True)
            ]
        ),
        **{name: np.where(is_there, values, np.nan) for name, values in lab.items()},
        "mean_luma": means.lumas[part].round(3),
        **{
            f"mean_{name}": values[part].round(_MEASURE_DECIMALS)
            for name, values in means.measures.items()
        },
    }


def _describe_color(rank: int, palettes: Sequence[Sequence[Swatch]]) -> dict[str, Any]:
    """Make the columns of one color of each palette; missing where there is none."""
    found = [palette[rank] if rank < len(palette) else None for palette in palettes]
    name = f"color_{rank + 1}"
    return {
        name: make_text([each and f"#{each.color:06x}" for each in found]),
        f"{name}_name": make_text([each and each.name for each in found]),
        f"{name}_share": np.array(
            [np.nan if each is None else each.share for each in found], np.float64
        ).round(SHARE_DECIMALS),
    }


def _find_means(connection: sqlite3.Connection, shots: Sequence[ShotRow]) -> _Means:
    """Find the means over time of the frames of each shot.

    Each frame counts by the time that it stands for, as in the palettes of shots.
    Colors are averaged in the space in which those of frames were.
    """
    durations_s = FrameTimes.read(connection).durations_s
    space = SPACES[_find_mean_space(connection)]
    # Those of no frame are in no frame's way.
    at = [place for place, shot in enumerate(shots) if shot.first_frame is not None]
    firsts, lasts = (
        np.array([shots[place][column] for place in at], np.int64) for column in (1, 2)
    )
    sums = np.zeros((len(shots), 5 + len(MEASURES)))
    n_frames = np.zeros(len(shots), np.int64)
    rows = connection.execute(
        f"SELECT frame, mean_color, luma, {', '.join(MEASURES)} FROM frames "
        "WHERE film_id = ? ORDER BY frame",
        (ONLY_FILM,),
    )
    for frames, colors, *numbers in read_parts(rows):
        frame, packed = np.array(frames, np.int64), np.array(colors, np.int64)
        found = np.searchsorted(firsts, frame, side="right") - 1
        inside = found >= 0
        inside[inside] = frame[inside] <= lasts[found[inside]]
        rgb = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=1)
        values = np.column_stack(
            [np.ones(len(frame)), space.from_srgb(rgb), np.array(numbers, float).T]
        )
        places = np.array(at, np.int64)[found[inside]]
        np.add.at(sums, places, (values * durations_s[frame][:, np.newaxis])[inside])
        np.add.at(n_frames, places, 1)
    averages = sums[:, 1:] / np.where(n_frames, sums[:, 0], 1.0)[:, np.newaxis]
    srgb = space.to_srgb(averages[:, :3]).clip(0, 255).round().astype(np.int64)
    averages[n_frames == 0] = np.nan
    return _Means(
        n_frames,
        srgb @ np.array([1 << 16, 1 << 8, 1]),
        averages[:, 3],
        dict(zip(MEASURES, averages[:, 4:].T, strict=True)),
    )


def _find_mean_space(connection: sqlite3.Connection) -> str:
    """Find in which space the mean colors of frames are averages."""
    row = connection.execute(
        "SELECT value FROM metadata WHERE key = 'settings'"
    ).fetchone()
    space: str = json.loads(row[0] if row else "{}").get("mean.space", "srgb")
    return space
