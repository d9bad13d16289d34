"""Two films compared: their palettes, frame by frame, and their barcodes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelbow.analysis.alignment import (
    Pairs,
    align_shifted,
    align_whole,
    find_shift,
)
from reelbow.analysis.course import (
    Course,
    Frames,
    measure_in_seconds,
    part_into_columns,
    read_means,
)
from reelbow.analysis.palette_distance import (
    FilmPalette,
    measure_palettes,
    read_film_colors,
)
from reelbow.analysis.picture_similarity import Similarity, measure_similarity
from reelbow.barcode import draw_barcode
from reelbow.color.difference import measure_ciede2000
from reelbow.color.spaces import srgb_to_cielab
from reelbow.database.opening import telling_damage
from reelbow.errors import ReelbowError

# Rows of the barcodes that are compared.
ROWS = 90

# Columns of which a grading is found: it has 12 numbers.
FEWEST_GRADED = 40

# Decimals of what is told: more than can be seen, or than is known of a film.
DECIMALS = 4


class Alignment(NamedTuple):
    """Columns of two films that belong together, and how different they look."""

    # (k,) each, ascending.
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    # (k,) CIEDE2000 of the mean colors.
    differences: NDArray[np.float64]
    # (k,) how much later it is in the first film, in seconds or frames.
    shifts: NDArray[np.float64]
    # The mean of the differences that no grading would make; None: too few columns.
    ungraded: float | None


class Comparison(NamedTuple):
    """What is found of two films."""

    # As it is written to JSON.
    about: dict[str, Any]
    films: tuple[Frames, Frames]
    courses: tuple[Course, Course]
    # The one of the two that has less of a difference.
    alignment: Alignment
    # (ROWS, n, 3) uint8 sRGB: a strip for each column of either film.
    strips: tuple[NDArray[np.uint8], NDArray[np.uint8]]


def compare_films(first: Path, second: Path) -> Comparison:
    """Compare the films of two databases.

    Raises
    ------
    ReelbowError
        If no frame of one could be read, both have none at the same times, or an older
        Reelbow made a database.
    """
    films = read_means(first), read_means(second)
    palettes = [_read_palette(path) for path in (first, second)]
    in_seconds = measure_in_seconds(*films)
    one, two, step = part_into_columns(*films)
    if any(np.isnan(course.colors).all() for course in (one, two)):
        names = " and ".join(film.record.film for film in films)
        raise ReelbowError(
            f"films {names} have no frames at the same times, so there is nothing to "
            "compare; sample both at the same times"
        )
    oklab, other = one.to_oklab(), two.to_oklab()
    shift = find_shift(oklab, other)
    banded, band = align_shifted(oklab, other, shift.columns)
    alignments = {
        "with_band": _measure(banded, one, two),
        "without_band": _measure(align_whole(oklab, other), one, two),
    }
    # Without a stretch that both films have, there is none with a band.
    there = {name: found for name, found in alignments.items() if len(found.first)}
    best = min(there, key=lambda name: float(there[name].differences.mean()))
    # One column for each place of the film, or at most as many as a barcode has.
    drawn = [draw_barcode(path, "strip", height=ROWS) for path in (first, second)]
    strips = [
        strip[:, course.places * strip.shape[1] // len(film.means)]
        for strip, course, film in zip(drawn, (one, two), films, strict=True)
    ]
    aligned = there[best]
    unit = "s" if in_seconds else "frames"
    about = {
        "films": [film.record.film for film in films],
        "palettes": _round(measure_palettes(*palettes)._asdict()),
        "frames": {
            f"shift_{unit}": _round(float(np.median(aligned.shifts))),
            "agreement": _round(shift.agreement),
            "best": best,
            **{name: _describe(found, unit) for name, found in alignments.items()},
            f"column_{unit}": _round(step),
            f"band_{unit}": _round(band * step),
            "missing_columns": [
                int(np.isnan(course.colors[:, 0]).sum()) for course in (one, two)
            ],
        },
        "barcodes": {
            "as_they_are": _round(_compare_as_they_are(drawn, films)._asdict()),
            "aligned": _round(
                measure_similarity(
                    strips[0][:, aligned.first], strips[1][:, aligned.second]
                )._asdict()
            ),
        },
    }
    return Comparison(about, films, (one, two), aligned, (strips[0], strips[1]))


def _read_palette(database: Path) -> FilmPalette:
    with telling_damage(database) as connection:
        (palette,) = read_film_colors(connection).values()
    return palette


def _measure(pairs: Pairs, one: Course, two: Course) -> Alignment:
    """Measure how different the columns are that belong together."""
    first, second = pairs
    colors, others = one.colors[first], two.colors[second]
    return Alignment(
        first,
        second,
        measure_ciede2000(srgb_to_cielab(colors), srgb_to_cielab(others)),
        one.positions[first] - two.positions[second],
        _measure_ungraded(colors, others),
    )


def _measure_ungraded(
    colors: NDArray[np.float64], others: NDArray[np.float64]
) -> float | None:
    """Measure how different colors (k, 3) sRGB are once the others are graded alike.

    That is by the affine map of sRGB that brings them nearest, by least squares: lift,
    gain, tint and saturation are such maps.
    """
    if len(colors) < FEWEST_GRADED:
        return None
    design = np.column_stack([others, np.ones(len(others))])
    found, *_ = np.linalg.lstsq(design, colors)
    graded = (design @ found).clip(0, 255)
    differences = measure_ciede2000(srgb_to_cielab(colors), srgb_to_cielab(graded))
    return float(differences.mean())


def _describe(alignment: Alignment, unit: str) -> dict[str, Any] | None:
    if not len(alignment.first):
        return None
    mean, shifts = float(alignment.differences.mean()), alignment.shifts
    median, most = np.percentile(alignment.differences, [50, 95]).tolist()
    early, late = np.percentile(shifts, [5, 95]).tolist()
    described: dict[str, Any] = _round(
        {
            "mean_difference": mean,
            "median_difference": median,
            "difference_of_95_percent": most,
            "ungraded_difference": alignment.ungraded,
            "columns": len(alignment.first),
            f"shift_{unit}": float(np.median(shifts)),
            f"shift_{unit}_of_90_percent": [early, late],
        }
    )
    return described


def _compare_as_they_are(
    strips: Sequence[NDArray[np.uint8]], films: Sequence[Frames]
) -> Similarity:
    """Compare barcodes as KALMUS does: brought to one length, with no alignment.

    Columns in which a film has only missing frames are left out.
    """
    width = max(strip.shape[1] for strip in strips)
    columns = [np.arange(width) * strip.shape[1] // width for strip in strips]
    there = np.ones(width, bool)
    for strip, film, shown in zip(strips, films, columns, strict=True):
        n, drawn = len(film.means), strip.shape[1]
        known = ~np.isnan(film.means[:, 0])
        counts = np.bincount(np.arange(n) * drawn // n, known, minlength=drawn)
        there &= counts[shown] > 0
    one, two = (
        strip[:, shown[there]] for strip, shown in zip(strips, columns, strict=True)
    )
    return measure_similarity(one, two)


def _round(value: Any) -> Any:
    """Round the numbers of a dict; None stays."""
    if isinstance(value, dict):
        return {name: _round(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_round(each) for each in value]
    # Without a sign of zero.
    return round(value, DECIMALS) + 0.0 if isinstance(value, float) else value
