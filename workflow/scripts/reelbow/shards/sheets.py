"""The sheets of a film's previews: which frames of the film they show, and how."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from reelbow.errors import ReelbowError
from reelbow.shards.previews import PreviewSheet, read_sheets


class Previews(NamedTuple):
    """The previews of a shard in full size, in its sheet or in those behind it.

    Attributes
    ----------
    path : the file
    sheets : in the order of their frames; their cells are of one size
    """

    path: Path
    sheets: tuple[PreviewSheet, ...]

    @property
    def frames(self) -> NDArray[np.int64]:
        """The frame of each preview, as of `PreviewSheet`."""
        return np.concatenate([sheet.frames for sheet in self.sheets])

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of each."""
        return self.sheets[0].cell_height, self.sheets[0].cell_width

    @property
    def sizes(self) -> NDArray[np.int64]:
        """The width and height of each picture, in the middle of its cell, (n, 2)."""
        whole = self.shape[::-1]
        return np.concatenate(
            [
                np.full((len(sheet.frames), 2), whole)
                if sheet.sizes is None
                else sheet.sizes
                for sheet in self.sheets
            ]
        )

    def number_from(self, first: int) -> Self:
        """Count the frames so that the first one is `first`."""
        step = first - self.frames[:1]
        moved = (sheet._replace(frames=sheet.frames + step) for sheet in self.sheets)
        return self._replace(sheets=tuple(moved))

    def read(self, places: Collection[int]) -> Iterator[NDArray[np.uint8]]:
        """Yield some of them, (h, w, 3) uint8 sRGB, by their places, which ascend.

        Sheets are decoded one at a time.

        Raises
        ------
        ReelbowError
            If a sheet cannot be decoded.
        """
        wanted, first = np.array(list(places), np.int64), 0
        for sheet in self.sheets:
            begin, end = np.searchsorted(wanted, [first, first + len(sheet.frames)])
            cells = (wanted[begin:end] - first).tolist()
            yield from read_cells(self.path, sheet, cells)
            first += len(sheet.frames)


def open_previews(path: Path) -> Previews:
    """Find the previews of a shard, without decoding or reading pixels.

    Raises
    ------
    ReelbowError
        If it is no sheet of Reelbow's, or cut off.
    """
    sheet, *behind = read_sheets(path)
    return Previews(path, tuple(behind) or (sheet,))


Shown = TypeVar("Shown", PreviewSheet, Previews)


def place_sheets(
    sheets: Mapping[Path, Shown], shards: Mapping[str, tuple[int, int, int]]
) -> dict[Path, Shown]:
    """Order previews by their frames, and number these as the film does.

    Parameters
    ----------
    sheets : named as their shards are
    shards : how many frames each shard has that has some, its first and its last one

    Raises
    ------
    ReelbowError
        If a sheet has other frames than its shard.
    """
    placed: dict[int, tuple[Path, Shown]] = {}
    for path, sheet in sheets.items():
        n_frames, first, last = shards.get(path.stem, (0, 0, -1))
        n_shown = len(sheet.frames)
        if not n_frames and not n_shown:
            continue
        moved = sheet.number_from(first)
        # Of very many frames only some have a preview.
        ends = moved.frames[-1:].tolist()
        if not ends or ends[0] > last or (n_shown >= n_frames and ends != [last]):
            raise ReelbowError(
                f"{path} is not of the frames that the database has of shard "
                f"{path.stem}; delete it, and run again."
            )
        placed[int(moved.frames[0])] = path, moved
    return dict(placed[first] for first in sorted(placed))


def read_cells(
    path: Path, sheet: PreviewSheet, cells: Collection[int]
) -> Iterator[NDArray[np.uint8]]:
    """Yield previews of a sheet, (h, w, 3) uint8 sRGB, by their places in it.

    Raises
    ------
    ReelbowError
        If the sheet cannot be decoded.
    """
    import simplejpeg

    if not len(cells):
        return
    pixels = None
    try:
        # Upsampled without a look at what is beside a block, which may be another cell.
        # Pillow does not, and takes twice the memory.
        with path.open("rb") as stream:
            stream.seek(sheet.start)
            data = stream.read(sheet.n_bytes)
        pixels = simplejpeg.decode_jpeg(data, "RGB", fastupsample=True)
    except ValueError as error:
        if "Insufficient memory" in str(error):
            raise MemoryError from None
    if pixels is None or pixels.shape[:2] != (sheet.height, sheet.width):
        raise ReelbowError(
            f"{path}: is no sheet of previews, or is damaged; delete it and run again"
        )
    for cell in cells:
        x, y, width, height = sheet.locate(cell)
        yield np.asarray(pixels[y : y + height, x : x + width], np.uint8)
