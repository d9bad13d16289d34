"""The page of one film: everything that it shows, in one file."""

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from reelbow import __version__
from reelbow.barcode.film_record import FilmRecord
from reelbow.color.names import describe_names
from reelbow.explorer.filling import fill_page
from reelbow.explorer.film_data import FilmData, pack
from reelbow.jobs.stored_files import is_url
from reelbow.shards.previews import PreviewSheet, find_runs

STYLES = ("base.css", "page.css")
SCRIPTS = (
    *("colors.js", "names.js", "text.js", "film.js", "columns.js", "tracks.js"),
    *("stretch.js", "exports.js", "timeline.js", "page.js"),
)

# With more frames their previews lie beside the page.
MOST_EMBEDDED = 20_000

# Pages beside this one are opened for a second film, and sheets that are not embedded.
_SOURCES = {"img-src": "data: 'self' file:", "frame-src": "'self' file:"}


def make_page(
    data: FilmData,
    sheets: Mapping[Path, PreviewSheet],
    *,
    page: Path,
    kind: str,
    gap_color: str,
    link: str | None,
) -> str:
    """Make a film's page.

    Parameters
    ----------
    sheets : the film's previews, in the order of their frames
    page : where it will be
    kind : of the barcode that it shows first
    gap_color : #rrggbb of missing frames
    link : address of the film, of which {time_s} becomes the time; None: there is none
    """
    is_embedded = data.about["n_places"] <= MOST_EMBEDDED
    about, arrays = pack(data)
    about |= {
        "kind": kind,
        "gap_color": gap_color,
        "link": link,
        "sheets": [
            {
                "file": quote(path.relative_to(page.parent).as_posix()),
                "embedded": is_embedded,
                "cell": [sheet.cell_width, sheet.cell_height],
                "pitch": [sheet.pitch_x, sheet.pitch_y],
                "columns": sheet.columns,
                "frames": find_runs(sheet.frames),
            }
            for path, sheet in sheets.items()
        ],
    }
    return fill_page(
        "page.html",
        styles=STYLES,
        scripts=SCRIPTS,
        sources=_SOURCES,
        version=__version__,
        title=about["title"],
        about=about,
        names=describe_names(),
        arrays=arrays,
        sheets=[
            base64.b64encode(path.read_bytes()[: sheet.n_bytes]).decode()
            if is_embedded
            else ""
            for path, sheet in sheets.items()
        ],
    )


def link_film(
    record: FilmRecord, page: Path, films_at: str | None, source: str
) -> str | None:
    """Find the address of a film at a time, from its page.

    Parameters
    ----------
    films_at : "source": the film's file, where it lies; an address or a folder, ending
        in /, to which the file's name is added; None: no link
    source : where the file lies. The link is the way there from the page, so that a
        page that is handed on does not tell more of this machine
    """
    if films_at is None or record.is_of_images:
        return None
    if films_at != "source":
        address = films_at + quote(Path(source).name)
    elif is_url(source):
        # No browser opens a bucket.
        if not source.lower().startswith("http"):
            return None
        address = source
    else:
        address = quote(Path(os.path.relpath(source, page.parent)).as_posix())
    return address + "#t={time_s}"
