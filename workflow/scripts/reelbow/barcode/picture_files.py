"""The pictures in a film's folder `barcodes`: their names, and which of them are old.

Every picture says that Reelbow made it. What does not say so is the user's own and is
left alone, whatever its name.
"""

from collections.abc import Collection, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

KINDS = ("mean", "strip", "dominant", "stacked")

# What follows a kind in the names of its figures; the bare barcode is {kind}.png.
FIGURE_ENDINGS = {"png": "_figure.png", "svg": ".svg", "pdf": ".pdf"}

# Who made a picture, as it stands in files of each suffix.
MAKER = "Reelbow"
_MARKS = {
    ".png": f"Software\0{MAKER}".encode(),
    ".svg": f"<dc:title>{MAKER}</dc:title>".encode(),
    ".pdf": f"/Creator ({MAKER})".encode(),
}


def sort_pictures(paths: Iterable[Path]) -> dict[str, tuple[Path, list[Path]]]:
    """Sort pictures by kind, as their names say it: the bare one, and its figures."""
    by_name = {path.name: path for path in paths}
    return {
        kind: (
            by_name[f"{kind}.png"],
            [
                by_name[f"{kind}{ending}"]
                for ending in FIGURE_ENDINGS.values()
                if f"{kind}{ending}" in by_name
            ],
        )
        for kind in KINDS
        if f"{kind}.png" in by_name
    }


def save_bare(pixels: NDArray[np.uint8], path: Path) -> None:
    """Write (h, w, 3) uint8 sRGB as a PNG of exactly these pixels."""
    from PIL import Image, PngImagePlugin

    info = PngImagePlugin.PngInfo()
    info.add_text("Software", MAKER)
    Image.fromarray(pixels).save(path, pnginfo=info)


def drop_other_formats(barcode: Path, figures: Collection[Path]) -> list[Path]:
    """Delete a kind's figures of formats that are no longer asked for.

    They were drawn by an earlier setting, and would stand beside what is drawn by
    another.
    """
    names = [f"{barcode.stem}{ending}" for ending in FIGURE_ENDINGS.values()]
    others = (barcode.with_name(name) for name in names)
    return _drop(path for path in others if path not in figures)


def drop_pictures(folder: Path) -> list[Path]:
    """Delete all pictures of a film: its palettes are other ones now."""
    endings = (".png", *FIGURE_ENDINGS.values())
    return _drop(folder / f"{kind}{ending}" for kind in KINDS for ending in endings)


def _drop(paths: Iterable[Path]) -> list[Path]:
    dropped = [path for path in paths if path.is_file() and _is_ours(path)]
    for path in dropped:
        path.unlink()
    return dropped


def _is_ours(path: Path) -> bool:
    return _MARKS[path.suffix] in path.read_bytes()
