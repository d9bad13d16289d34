"""The files of comparisons: JSON and a table to compute with, figures to look at."""

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbow import __version__
from reelbow.analysis.comparison import DECIMALS, Comparison
from reelbow.analysis.film_matrix import compare_palettes
from reelbow.analysis.palette_distance import read_film_colors, read_film_palettes
from reelbow.barcode.comparison_figure import save_map, save_matrix, save_pair
from reelbow.barcode.drawing import GAP_COLOR
from reelbow.barcode.ticks import find_frame_ticks, find_time_ticks
from reelbow.database.opening import telling_damage
from reelbow.errors import ReelbowError
from reelbow.jobs.files import atomic_write
from reelbow.text import count

# Below such an agreement a shift is but the best of many bad ones.
CLEAR = 0.8


def write_pair(comparison: Comparison, data: Path, figure: Path) -> None:
    """Write what was found of two films, and draw it."""
    _write_json(data, comparison.about)
    found = comparison.about["frames"]
    unit = "s" if "shift_s" in found else "frames"
    columns, differences = lay_out(comparison)
    gap = np.frombuffer(bytes.fromhex(GAP_COLOR[1:]), np.uint8)
    panels = []
    for film, course, strip, shown in zip(
        comparison.films, comparison.courses, comparison.strips, columns, strict=True
    ):
        pixels = strip[:, shown]
        pixels[:, shown < 0] = gap
        there = np.flatnonzero(shown >= 0)
        positions = course.positions[shown[there]]
        ticks = (
            find_time_ticks(positions)
            if unit == "s"
            else find_frame_ticks(np.rint(positions).astype(np.intp))
        )
        panels.append(
            (film.record.title, pixels, [(at + there[0], label) for at, label in ticks])
        )
    best = found[found["best"]]
    agreement = found["agreement"]
    shift = f"shift {found[f'shift_{unit}']:.2f}".rstrip("0").rstrip(".") + f" {unit}"
    if agreement is None or agreement < CLEAR:
        shift = "no common shift"
    if agreement is not None:
        shift += f" (agreement {agreement:.2f})"
    moved = comparison.about["palettes"]["earth_movers_distance"]
    words = {"with_band": "a constant shift and a band", "without_band": "any pace"}
    subtitle = (
        f"Aligned, mean colors differ by {best['mean_difference']:.1f} in CIEDE2000"
        f"{_tell_ungraded(best['ungraded_difference'])} · "
        f"{shift} · "
        f"palettes of the whole films differ by {moved:.1f}"
    )
    note = (
        f"aligned by dynamic time warping, with {words[found['best']]} · a column is "
        f"{round(found[f'column_{unit}'], 2):g} {unit} · gray: not in this film, or "
        "missing; what is far "
        f"from the other film is not shown · Reelbow {__version__}"
    )
    first, second = (film.record.title for film in comparison.films)
    with atomic_write(figure) as temporary:
        complaint = save_pair(
            temporary,
            title=f"{first} and {second}",
            subtitle=subtitle,
            note=note,
            panels=panels,
            differences=differences,
        )
    _tell(figure, complaint)


def lay_out(
    comparison: Comparison,
) -> tuple[tuple[NDArray[np.intp], NDArray[np.intp]], NDArray[np.float64]]:
    """Lay two films side by side: the columns of both, and the difference of each.

    What only one film has before or after what is aligned stands beside -1 and NaN. Of
    it no more is laid out than is aligned, so that a part of a film is not lost in it.
    """
    aligned = comparison.alignment
    sizes = [len(course.positions) for course in comparison.courses]
    pairs = aligned.first, aligned.second
    n = len(aligned.first)
    before = min(n, max(int(each[0]) for each in pairs))
    after = min(
        n, max(size - 1 - each[-1] for size, each in zip(sizes, pairs, strict=True))
    )
    laid = []
    for size, each in zip(sizes, pairs, strict=True):
        head = np.arange(-before, 0) + each[0]
        tail = np.arange(1, after + 1) + each[-1]
        head, tail = np.maximum(head, -1), np.where(tail < size, tail, -1)
        laid.append(np.concatenate([head, each, tail]))
    differences = np.pad(aligned.differences, (before, after), constant_values=np.nan)
    return (laid[0], laid[1]), differences


def write_matrix(
    database: Path,
    films: Sequence[str],
    *,
    data: Path,
    table: Path,
    matrix: Path,
    map_of_films: Path,
) -> None:
    """Compare all films of a database by their palettes, and draw it.

    Parameters
    ----------
    films : which of the database's, in this order
    """
    with telling_damage(database) as connection:
        titles = dict(connection.execute("SELECT film, title FROM films"))
        there = read_film_colors(connection)
        shown = read_film_palettes(connection)
    palettes = {film: there[film] for film in films if film in there}
    left_out = [film for film in films if film not in there]
    if len(palettes) < 2:
        raise ReelbowError(
            f"{database} has {count(len(palettes), 'film')} with frames, and "
            "compare: all needs two or more"
        )
    if left_out:
        print(
            f"WARNING: left out, without frames: {', '.join(left_out)}", file=sys.stderr
        )
    found = compare_palettes(palettes)
    about: dict[str, Any] = {
        "films": found.films,
        "left_out": left_out,
        **{
            name: np.round(getattr(found, name), DECIMALS).tolist()
            for name in ("earth_movers_distance", "minimum_color_difference")
        },
        "tree": np.round(found.tree, DECIMALS).tolist(),
        "map": np.round(found.places, DECIMALS).tolist(),
    }
    _write_json(data, about)
    with (
        atomic_write(table) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as stream,
    ):
        names = ["earth_movers_distance", "minimum_color_difference"]
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["film_a", "film_b", *names])
        for i, film in enumerate(found.films):
            for j in range(i + 1, len(found.films)):
                values = [about[name][i][j] for name in names]
                writer.writerow([film, found.films[j], *values])
    names = [titles[film] for film in found.films]
    title = f"{count(len(names), 'film')} by their palettes"
    note = f"earth mover's distance over CIEDE2000 · Reelbow {__version__}"
    with atomic_write(matrix) as temporary:
        complaint = save_matrix(
            temporary,
            title=title,
            subtitle="How far apart the palettes are; what is nearest is joined first",
            note=note,
            names=names,
            distances=found.earth_movers_distance,
            tree=found.tree,
        )
    with atomic_write(map_of_films) as temporary:
        save_map(
            temporary,
            title=title,
            subtitle="Films with palettes that are alike lie near each other",
            note=note,
            names=names,
            places=found.places,
            palettes=[(shown[film].colors, shown[film].shares) for film in palettes],
        )
    # The same names are in both.
    _tell(matrix, complaint)


def _tell_ungraded(difference: float | None) -> str:
    return "" if difference is None else f", {difference:.1f} beyond a grading"


def _write_json(path: Path, about: Mapping[str, Any]) -> None:
    with atomic_write(path) as temporary:
        text = json.dumps(about, ensure_ascii=False, indent=1, allow_nan=False)
        temporary.write_text(f"{text}\n", encoding="utf-8")


def _tell(path: Path, complaint: str | None) -> None:
    if complaint:
        print(f"WARNING: {path}: {complaint}", file=sys.stderr)
