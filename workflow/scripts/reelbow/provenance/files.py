"""What the files of a results folder are, in a sentence each."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class FileKind(NamedTuple):
    """What a file or folder is, and how to open it.

    Attributes
    ----------
    is_for_readers : whether it is of use to others than Reelbow itself
    """

    what: str
    opened: str
    is_for_readers: bool = True


DATABASE = "by SQLite: DB Browser for SQLite, R (RSQLite), Python (sqlite3, pandas)"
BROWSER = "in any browser, by a double click"
SPREADSHEET = "in a spreadsheet"
EDITOR = "in a text editor"

# In a film's folder, in the order in which somebody would look at it.
OF_A_FILM = {
    "explorer.html": FileKind(
        "a page to explore the film: barcode, frames, palettes, search by color",
        BROWSER,
    ),
    "barcodes": FileKind(
        "barcodes: {kind}.png or .tif of exact pixels, and figures with a time axis",
        "in any viewer of pictures",
    ),
    "palettes.sqlite": FileKind(
        "the palette, mean color and strip of every frame", DATABASE
    ),
    "tables": FileKind(
        "the same as tables; swatches, and of shots markers if they were looked for",
        f"{SPREADSHEET}; swatches and markers in programs of designers and editors",
    ),
    "previews": FileKind(
        "the frames, small, many in a picture; storyboard.vtt says where each is",
        "in any viewer of pictures; the storyboard in a video player",
    ),
    "frames": FileKind("frames as JPEGs, in tarballs", "by tar"),
    "defects.sqlite": FileKind("hot pixels of the camera's sensor", DATABASE),
    "defects.csv": FileKind("the same as a table, the worst first", SPREADSHEET),
    "defects.png": FileKind(
        "where on the sensor they are", "in any viewer of pictures"
    ),
    "defects_worst.png": FileKind(
        "the worst of them, enlarged", "in any viewer of pictures"
    ),
    "repaired": FileKind(
        "copies of the photos in which they are mended", "in any viewer of pictures"
    ),
    "README.md": FileKind("this page", EDITOR),
    "palettes": FileKind(
        "the same rows as in palettes.sqlite, by parts of the film", DATABASE, False
    ),
    "thumbnails": FileKind("frames made small for clustering", "by NumPy", False),
    "sums.npz": FileKind("all photos added up, pixel by pixel", "by NumPy", False),
    "cuts": FileKind("how much each picture differs from the last", "by NumPy", False),
    "plan.json": FileKind(
        "what was probed of the film, and where it lies on the computer that read it",
        EDITOR,
        False,
    ),
}

# Beside the films' folders.
OF_ALL_FILMS = {
    "index.html": FileKind("a page of all films", BROWSER),
    "palettes.sqlite": FileKind("what all films' databases have, in one", DATABASE),
    "films.tsv": FileKind("a row for each film", SPREADSHEET),
    "skipped.tsv": FileKind("a row for each picture that was skipped", SPREADSHEET),
    "tables": FileKind("tables of all films", SPREADSHEET),
    "comparisons": FileKind(
        "films compared: figures to look at, and their numbers as JSON and CSV",
        "in any viewer of pictures, the numbers in a text editor or a spreadsheet",
    ),
    "mosaics": FileKind(
        "pictures made of frames, each with maps of it, and a page to look into it",
        "in any viewer of pictures, or a browser",
    ),
    "methods.md": FileKind("how it was made, in a paragraph to cite", EDITOR),
    "CITATION.bib": FileKind("what that paragraph cites", "by BibTeX or Zotero"),
}


def list_files(
    folder: Path, kinds: dict[str, FileKind]
) -> Iterator[tuple[Path, FileKind]]:
    """List the files and folders of these names that are there, in their order."""
    for name, kind in kinds.items():
        if (folder / name).exists():
            yield folder / name, kind
