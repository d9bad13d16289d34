"""A page to look into a mosaic: which frame of which film each tile is."""

from pathlib import Path
from urllib.parse import quote

from reelbow import __version__
from reelbow.explorer.filling import fill_page
from reelbow.mosaic.cells import Mosaic

STYLES = ("base.css", "mosaic.css")
SCRIPTS = ("text.js", "mosaic.js")

# The picture lies beside the page.
_SOURCES = {"img-src": "data: 'self' file:"}


def make_page(
    mosaic: Mosaic,
    name: str,
    *,
    picture: Path,
    size: tuple[int, int],
) -> str:
    """Make a mosaic's page.

    Parameters
    ----------
    picture : which will lie beside the page
    size : width and height of the picture in pixels
    """
    films = sorted({cell.film for cell in mosaic.cells})
    places = {film: place for place, film in enumerate(films)}
    return fill_page(
        "mosaic.html",
        styles=STYLES,
        scripts=SCRIPTS,
        sources=_SOURCES,
        version=__version__,
        name=name,
        picture=quote(picture.name),
        size=size,
        about={
            "rows": mosaic.rows,
            "columns": mosaic.columns,
            "films": [
                {
                    "title": mosaic.about["titles"][film],
                    "page": f"../{quote(film)}/explorer.html",
                }
                for film in films
            ],
            # Of each cell, row by row.
            "film": [places[cell.film] for cell in mosaic.cells],
            "frame": [cell.frame for cell in mosaic.cells],
            "time_s": [cell.time_s for cell in mosaic.cells],
            "view": [cell.view for cell in mosaic.cells],
            "mirrored": [cell.mirrored for cell in mosaic.cells],
            "difference": [cell.difference for cell in mosaic.cells],
        },
    )
