"""How far apart the palettes of two films are.

References
----------
Y. Rubner, C. Tomasi and L. J. Guibas, "The earth mover's distance as a metric for image
retrieval", 2000.
Q. Pan and S. Westland, "Comparative evaluation of color differences between color
palettes", 2018.
"""

import sqlite3
import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelbow.barcode.film_record import unpack_colors
from reelbow.color.difference import measure_ciede2000
from reelbow.color.spaces import srgb_to_cielab
from reelbow.database.film_palettes import FrameTimes, find_palette
from reelbow.database.schema import PaletteSettings

# Of a film, of which the distances are those of its palettes.
MANY_COLORS = 64
_SETTINGS = PaletteSettings(MANY_COLORS, n_init=1, seed=0, color_space="cielab")


class FilmPalette(NamedTuple):
    """Colors (k, 3) uint8 sRGB of a whole film, and their shares (k,), of sum 1."""

    colors: NDArray[np.uint8]
    shares: NDArray[np.float64]


class PaletteDistance(NamedTuple):
    """Two distances in CIEDE2000, in which about 1 is just noticeable."""

    # How far colors have to move, on average of the films' time and area, to make those
    # of one film of the other's.
    earth_movers_distance: float
    # From each color to the nearest one of the other film, on average of the colors of
    # both; shares do not count.
    minimum_color_difference: float


def read_film_palettes(connection: sqlite3.Connection) -> dict[str, FilmPalette]:
    """Read the palettes of a database's films, by their ids; some films have none."""
    rows: dict[str, list[tuple[int, float]]] = {}
    for film, color, share in connection.execute(
        """SELECT film, color, share FROM film_palettes JOIN films USING (film_id)
        ORDER BY film, rank"""
    ):
        rows.setdefault(film, []).append((color, share))
    palettes = {}
    for film, listed in rows.items():
        colors, shares = map(np.array, zip(*listed, strict=True))
        palettes[film] = FilmPalette(unpack_colors(colors), shares)
    return palettes


def read_film_colors(connection: sqlite3.Connection) -> dict[str, FilmPalette]:
    """Find many colors of each of a database's films, of their frames' palettes.

    A film's palette of few colors is the best of several that are almost as good: of
    another coding of the film another one of them may be, and be far from it. Of many
    colors all are near each other.

    Returns
    -------
    at most `MANY_COLORS` of each film, by their ids; some films have none
    """
    found = {}
    for film_id, film in connection.execute(
        "SELECT film_id, film FROM films ORDER BY film"
    ).fetchall():
        durations_s = FrameTimes.read(connection, film_id).durations_s
        rows = connection.execute(
            """SELECT frame, color, share FROM palettes WHERE film_id = ?
            ORDER BY frame, rank""",
            (film_id,),
        )
        listed = list(find_palette(rows, durations_s, _SETTINGS))
        if listed:
            _, colors, shares = map(np.array, zip(*listed, strict=True))
            found[film] = FilmPalette(unpack_colors(colors), shares)
    return found


def measure_palettes(first: FilmPalette, second: FilmPalette) -> PaletteDistance:
    """Measure the two distances of two palettes, each the same both ways."""
    lab, other = (srgb_to_cielab(palette.colors) for palette in (first, second))
    costs = measure_ciede2000(lab[:, np.newaxis], other[np.newaxis])
    with warnings.catch_warnings():
        # Of how it is written, when Python compiles it for the first time.
        warnings.simplefilter("ignore")
        import ot
    # Rounded shares may not be of the very same sum.
    shares, others = (
        palette.shares / palette.shares.sum() for palette in (first, second)
    )
    moved = float(ot.emd2(shares, others, costs))
    nearest = (costs.min(axis=1).mean() + costs.min(axis=0).mean()) / 2
    return PaletteDistance(max(0.0, moved), float(nearest))
