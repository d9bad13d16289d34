"""A page of average drawings, one of each word."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reelbow.barcode.caption import describe_making
from reelbow.barcode.comparison_figure import Page
from reelbow.barcode.figure import (
    GREY,
    INK,
    LABEL_SIZE,
    SOURCE_SIZE,
    break_lines,
    choose_font,
)
from reelbow.barcode.film_record import read_film
from reelbow.barcode.picture_files import CONTACT_KIND
from reelbow.database.drawing_sums import read_sums
from reelbow.database.opening import telling_damage
from reelbow.errors import ReelbowError
from reelbow.pictures.picture_sums import PictureSums, WordSum
from reelbow.text import count

# Inches.
_WIDTH = 14.0
_LARGEST_SIDE = 6.0
_GAP = 0.3
_CAPTION = 0.6

# In a row; more words have several rows.
_MOST_COLUMNS = 8

_SCALE = (
    "white where no drawing has a line, black where the largest share of a word's "
    "drawings has one, which stands below"
)


def save_averages(database: Path, path: Path) -> str | None:
    """Draw the average of the drawings of each word of a film.

    Parameters
    ----------
    database : of a film
    path : a PNG, overwritten

    Returns
    -------
    What could not be drawn, in one sentence; or None

    Raises
    ------
    ReelbowError
        If the database has no drawings.
    """
    film = read_film(database)
    sums = PictureSums()
    with telling_damage(database, oldest=5) as connection:
        read_sums(connection, sums)
        (n_words,) = connection.execute(
            "SELECT count(DISTINCT ifnull(word, '')) FROM sketches"
        ).fetchone()
    if not sums:
        raise ReelbowError(f"{database} has no drawings that could be averaged.")
    n_drawings = sum(each.n_drawings for each in sums)
    words = f" of each of {n_words:,} words" if n_words > 1 else ""
    if n_words > len(sums):
        words = f" of each of the first {len(sums)} of {n_words:,} words"
    n_columns = min(len(sums), _MOST_COLUMNS)
    side = min((_WIDTH - (n_columns - 1) * _GAP) / n_columns, _LARGEST_SIDE)
    page = Page(
        film.title,
        f"The average drawing{words} · {count(n_drawings, 'drawing')}",
        f"{_SCALE} · {describe_making(film, CONTACT_KIND, '')}",
        -(-len(sums) // n_columns) * (side + _CAPTION),
        width=n_columns * (side + _GAP) - _GAP,
    )
    for number, each in enumerate(sums):
        place = number % n_columns
        if place:
            page.leave(-side)
        elif number:
            page.leave(_CAPTION)
        left = place * (side + _GAP)
        axes = page.add_axes(None, side, left=left, width=side)
        axes.imshow(tone(each), interpolation="lanczos")
        axes.set(xticks=[], yticks=[])
        for spine in axes.spines.values():
            spine.set(color=GREY, linewidth=0.5)
        share = each.sums.max() / (255 * each.n_drawings)
        told = f"{count(each.n_drawings, 'drawing')} · {share:.0%}"
        below = -4.0
        for text, color, size in (
            (each.word, INK, LABEL_SIZE),
            (told, GREY, SOURCE_SIZE),
        ):
            if not text:
                continue
            font = choose_font(size, text=text)
            first, *rest = break_lines(text, font, side)
            axes.annotate(
                first + ("\N{HORIZONTAL ELLIPSIS}" if rest else ""),
                (0, 0),
                xycoords="axes fraction",
                xytext=(0, below),
                textcoords="offset points",
                va="top",
                color=color,
                fontproperties=font,
                parse_math=False,
            )
            below -= 1.4 * size
    return page.save(path, "".join(each.word for each in sums))


def tone(about: WordSum) -> NDArray[np.float64]:
    """Make an average drawing that shows something: few lines lie on each other.

    Returns
    -------
    (h, w, 3), [0, 1] sRGB: white where there is no line, black (in colors the mean of
    these) where most are
    """
    dark = about.sums.reshape(*about.sums.shape[:2], -1) / about.sums.max()
    return np.broadcast_to(1 - dark, (*dark.shape[:2], 3))
