"""The page of one film: everything that it shows, in one file."""

import base64
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from reelbow import __version__
from reelbow.explorer.film_data import FilmData, pack
from reelbow.explorer.filling import fill_page
from reelbow.shards.previews import PreviewSheet

STYLES = ("base.css", "page.css")
SCRIPTS = (
    *("color.js", "film.js", "columns.js", "tracks.js"),
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
    folder: Path,
    kind: str,
    order: str,
    gap_color: str,
    link: str | None,
) -> str:
    """Make a film's page.

    Parameters
    ----------
    sheets : the film's previews, in the order of their frames
    folder : of the page
    kind, order : of the barcode that it shows first
    gap_color : #rrggbb of missing frames
    link : address of the film, of which {time_s} becomes the time; None: there is none
    """
    is_embedded = data.about["n_places"] <= MOST_EMBEDDED
    about, arrays = pack(data)
    about |= {
        "kind": kind,
        "order": order,
        "gap_color": gap_color,
        "link": link,
        "sheets": [
            {
                "file": quote(path.relative_to(folder).as_posix()),
                "embedded": is_embedded,
                "cell": [sheet.cell_width, sheet.cell_height],
                "pitch": [sheet.pitch_x, sheet.pitch_y],
                "columns": sheet.columns,
                "frames": list_runs(sheet.frames.tolist()),
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
        arrays=arrays,
        sheets=[
            base64.b64encode(path.read_bytes()).decode() if is_embedded else ""
            for path in sheets
        ],
    )


def list_runs(frames: list[int]) -> list[tuple[int, int]]:
    """List the runs of consecutive frames, each as its first and last one."""
    runs: list[tuple[int, int]] = []
    for frame in frames:
        if runs and frame == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], frame)
        else:
            runs.append((frame, frame))
    return runs
