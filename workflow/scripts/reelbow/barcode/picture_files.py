"""The pictures in a film's folder `barcodes`: their names, and which of them are old.

Every picture says that Reelbow made it. What does not say so is the user's own and is
left alone, whatever its name. The bare one also holds a digest of its figures, so that
those that would come out the same are not drawn again.
"""

import hashlib
import struct
import zlib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reelbow.barcode.tiled_tiff import write_tiff

if TYPE_CHECKING:
    from reelbow.barcode.shapes import Shape

KINDS = ("mean", "strip", "dominant", "stacked", "equal", "rarest", "sorted")

# A film's previews side by side, which is no barcode but lies beside them.
CONTACT_KIND = "contact"

# Those that are drawn of palettes, and of these those that are bands in an order.
PALETTE_KINDS = ("dominant", "stacked", "equal", "rarest")
BANDED_KINDS = ("stacked", "equal")

# One whose columns are not in the order of time.
SORTED_KIND = "sorted"

# What follows a kind in the name of the bare barcode: a PNG, or a TIFF where it may be
# wider than most programs can show a PNG.
BARE_ENDINGS = (".png", ".tif")

# And in the names of its figures.
FIGURE_ENDINGS = {"png": "_figure.png", "svg": ".svg", "pdf": ".pdf"}

# Figures of what is drawn below the stacked barcode, of which there is no bare picture.
MEASURES_FIGURE = "measures"
SHOTS_FIGURE = "shots"
FIGURES_ALONE = (MEASURES_FIGURE, SHOTS_FIGURE)

# Who made a picture, as it stands in files of each suffix.
MAKER = "Reelbow"
_MARKS = {
    ".png": f"Software\0{MAKER}".encode(),
    ".tif": f"{MAKER}\0".encode(),
    ".svg": f"<dc:title>{MAKER}</dc:title>".encode(),
    ".pdf": f"/Creator ({MAKER})".encode(),
}

# Of a TIFF, which may have gigabytes, where it says what it is.
_HEAD_BYTES = 1024

# Of zlib, for shapes: a higher one takes twice as long for a tenth less.
_LEVEL = 4

# Where the bare one holds the digest of its figures.
_FIGURES = "Figures"


def sort_pictures(paths: Iterable[Path]) -> dict[str, tuple[Path | None, list[Path]]]:
    """Sort pictures by kind, as their names say it: the bare one, and its figures.

    Figures that have no bare one come last.
    """
    by_name = {path.name: path for path in paths}
    kinds: dict[str, tuple[Path | None, list[Path]]] = {
        kind: (
            by_name[bare],
            [by_name[name] for name in name_figures(kind) if name in by_name],
        )
        for kind in KINDS
        for bare in (f"{kind}{ending}" for ending in BARE_ENDINGS)
        if bare in by_name
    }
    for kind in FIGURES_ALONE:
        names = [name for name in name_figures(kind) if name in by_name]
        if names:
            kinds[kind] = None, [by_name[name] for name in names]
    return kinds


def name_figures(kind: str) -> list[str]:
    """Name the figures of a kind, in all formats."""
    if kind in FIGURES_ALONE:
        return [f"{kind}.{suffix}" for suffix in FIGURE_ENDINGS]
    return [f"{kind}{ending}" for ending in FIGURE_ENDINGS.values()]


def name_pictures(kind: str) -> list[str]:
    """Name the pictures of a kind: bare ones if it has any, and figures."""
    bare = [] if kind in FIGURES_ALONE else [f"{kind}{end}" for end in BARE_ENDINGS]
    return [*bare, *name_figures(kind)]


def save_bare(
    pixels: NDArray[np.uint8],
    path: Path,
    *,
    shape: "Shape | None" = None,
    figures: str | None = None,
) -> None:
    """Write (h, w, 3) uint8 sRGB as a PNG of exactly these pixels, or of their shape.

    Parameters
    ----------
    shape : what the barcode is bent into; None: it stays as it is
    figures : what `digest_figures` says of its figures; None: drawn again next time
    """
    from PIL import Image, PngImagePlugin

    info = PngImagePlugin.PngInfo()
    info.add_text("Software", MAKER)
    if figures:
        info.add_text(_FIGURES, figures)
    if shape is None:
        Image.fromarray(pixels).save(path, pnginfo=info)
    else:
        _save_shape(pixels, shape, path, info)


def save_wide(
    parts: Iterable[NDArray[np.uint8]], path: Path, *, figures: str | None = None
) -> None:
    """Write a barcode of any width, as `draw_parts` gives it, as a tiled TIFF.

    figures : as of `save_bare`
    """
    about = f"{_FIGURES}\0{figures}" if figures else ""
    write_tiff(path, parts, software=MAKER, description=about)


def _save_shape(
    pixels: NDArray[np.uint8], shape: "Shape", path: Path, info: Any
) -> None:
    """Write a shape strip by strip: Pillow would hold all of a large one."""
    from PIL.PngImagePlugin import putchunk

    from reelbow.barcode.shapes import bend_strips

    n_channels = 4 if shape.background == "transparent" else 3
    color_type = 6 if n_channels == 4 else 2
    compressor = zlib.compressobj(_LEVEL)
    above = np.zeros((1, shape.side * n_channels), np.uint8)
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        header = struct.pack(">IIBBBBB", shape.side, shape.side, 8, color_type, 0, 0, 0)
        putchunk(file, b"IHDR", header)
        for name, data, *_ in info.chunks:
            putchunk(file, name, data)
        for strip in bend_strips(pixels, shape):
            rows = strip.reshape(len(strip), -1)
            # Filter 2: each row as what it differs by from the one above.
            differences = np.diff(rows, axis=0, prepend=above)
            filtered = np.insert(differences, 0, 2, axis=1)
            above = rows[-1:]
            if part := compressor.compress(filtered.tobytes()):
                putchunk(file, b"IDAT", part)
        putchunk(file, b"IDAT", compressor.flush())
        putchunk(file, b"IEND", b"")


def digest_figures(figures: Iterable[Path], made_of: Mapping[str, Any]) -> str:
    """Digest figures by their files, and by what they are made of: SHA-256 of both.

    Parameters
    ----------
    made_of : arrays, and what is written as text

    Raises
    ------
    FileNotFoundError
        If a figure is not there.
    """
    digest = hashlib.sha256()
    for name, value in made_of.items():
        if isinstance(value, np.ndarray):
            digest.update(f"{name}{value.dtype}{value.shape}".encode())
            digest.update(value.tobytes())
        else:
            digest.update(repr((name, value)).encode())
    for figure in figures:
        digest.update(
            figure.name.encode() + hashlib.sha256(figure.read_bytes()).digest()
        )
    return digest.hexdigest()


def keep_drawn(
    barcode: Path, figures: Collection[Path], made_of: Mapping[str, Any]
) -> bool:
    """Keep a bare barcode's figures, as new, if they are made of just this.

    Returns
    -------
    Whether they are: False also if one is missing or was changed
    """
    try:
        mark = f"{_FIGURES}\0{digest_figures(figures, made_of)}"
        if mark.encode() not in _read_marks(barcode):
            return False
    except FileNotFoundError:
        return False
    for figure in figures:
        figure.touch()
    return True


def drop_other_formats(
    folder: Path, kind: str, pictures: Collection[Path]
) -> list[Path]:
    """Delete a kind's pictures of formats that are no longer asked for.

    They were drawn by an earlier setting, and would stand beside what is drawn by
    another.
    """
    others = (folder / name for name in name_pictures(kind))
    return _drop(path for path in others if path not in pictures)


# All pictures that a film may have.
PICTURES = [
    name
    for kind in (*KINDS, CONTACT_KIND, *FIGURES_ALONE)
    for name in name_pictures(kind)
]


def drop_pictures(folder: Path) -> list[Path]:
    """Delete all pictures of a film: its palettes are other ones now."""
    return _drop(folder / name for name in PICTURES)


def drop_other_posters(folder: Path, posters: Collection[Path]) -> list[Path]:
    """Delete the posters of a film that are none of these, and so not asked for."""
    return _drop(
        path
        for path in sorted(folder.glob("*"))
        if path.suffix in _MARKS and path not in posters
    )


def _drop(paths: Iterable[Path]) -> list[Path]:
    dropped = [path for path in paths if path.is_file() and _is_ours(path)]
    for path in dropped:
        path.unlink()
    return dropped


def _is_ours(path: Path) -> bool:
    return _MARKS[path.suffix] in _read_marks(path)


def _read_marks(path: Path) -> bytes:
    """Read as much of a picture as says what it is."""
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES if path.suffix == ".tif" else -1)
