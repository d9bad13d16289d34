"""Contact sheets: previews of a film side by side, as many as fit."""

import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelbow.shards.previews import BACKGROUND
from reelbow.shards.sheets import Previews

# Pixels, if no width is given: about as many as a screen has.
WIDTH = 2000

# Of a sheet's sides, as of photographs.
ASPECT = 3 / 2

# Pixels between pictures.
GAP = 4

# Rows and columns of a picture.
Shape = tuple[int, int]

# Where a film has no preview at all.
_USUAL: Shape = (72, 128)


class Layout(NamedTuple):
    """How pictures lie on a sheet; in pixels, but for their numbers.

    Attributes
    ----------
    n_cells, columns, rows : pictures of a sheet, and of a row and a column of it
    width : of the sheet
    cell_height : of each picture
    """

    n_cells: int
    columns: int
    rows: int
    width: int
    cell_height: int

    @property
    def height(self) -> int:
        """Rows of pixels of the sheet."""
        return self.rows * (self.cell_height + GAP) - GAP

    def locate(self, cell: int) -> tuple[int, int, int, int]:
        """Find where a picture is: x, y, width, height; some are a pixel wider."""
        row, column = divmod(cell, self.columns)
        left, right = (
            round(each * (self.width + GAP) / self.columns)
            for each in (column, column + 1)
        )
        y = row * (self.cell_height + GAP)
        return left, y, right - left - GAP, self.cell_height


class Contact(NamedTuple):
    """A contact sheet.

    Attributes
    ----------
    pixels : (height, width, 3) uint8 sRGB, white between pictures
    n_cells, n_gaps : how many pictures there are, and how many of them are gaps, since
        all frames that they stand for are missing
    row_starts : the place of each row's first frame among those of the barcode, and how
        far down the row's middle is, from 0 at the top to 1
    """

    pixels: NDArray[np.uint8]
    n_cells: int
    n_gaps: int
    row_starts: list[tuple[int, float]]


def draw_contact(
    previews: Mapping[Path, Previews],
    frames: NDArray[np.integer],
    *,
    width: int | None,
    gap_color: str,
) -> Contact:
    """Lay out previews like a text, evenly chosen over the film.

    Of N frames on a sheet of n pictures, picture i stands for the frames from
    floor(i * N / n) up to the next one's, and shows the preview in their middle, or the
    nearest to it that there is. Sheets are decoded one at a time.

    Parameters
    ----------
    previews : of the film's shards, in their order, as `place_sheets` gives them
    frames : (N,) those that have a place in the barcode, ascending; one at least
    width : of the contact sheet, in pixels. None: about 2,000, so that previews keep
        their size. They are made smaller to fit, but never larger, so that the sheet of
        a film of few frames is narrower
    gap_color : #rrggbb of pictures of which all frames are missing
    """
    shapes: Counter[Shape] = Counter()
    for of_shard in previews.values():
        shapes[of_shard.shape] += len(of_shard.frames)
    usual = shapes.most_common(1)[0][0] if shapes else _USUAL
    layout = lay_out(len(frames), usual, width)
    starts = np.arange(layout.n_cells + 1) * len(frames) // layout.n_cells
    places = (starts[:-1] + starts[1:] - 1) // 2
    chosen = _choose(previews, frames, starts, places)
    pixels = np.full((layout.height, layout.width, 3), 255, np.uint8)
    gap = np.frombuffer(bytes.fromhex(gap_color[1:]), np.uint8)
    of_shards: dict[Path, dict[int, int]] = {}
    for cell in range(layout.n_cells):
        if cell in chosen:
            places[cell], path, preview = chosen[cell]
            of_shards.setdefault(path, {})[preview] = cell
        else:
            _find_room(pixels, layout, cell)[:] = gap
    for path, cells in of_shards.items():
        pictures = previews[path].read(cells)
        for cell, picture in zip(cells.values(), pictures, strict=True):
            room = _find_room(pixels, layout, cell)
            room[:] = _fit(picture, (room.shape[0], room.shape[1]), usual)
    middles = (np.arange(layout.rows) + 0.5) / layout.rows
    return Contact(
        pixels,
        layout.n_cells,
        layout.n_cells - len(chosen),
        list(zip(places[:: layout.columns].tolist(), middles.tolist(), strict=True)),
    )


def lay_out(n_frames: int, shape: Shape, width: int | None) -> Layout:
    """Find how many pictures of a shape fit, and how they lie.

    Parameters
    ----------
    shape : rows and columns of each
    width : of the sheet, or None
    """
    down, across = shape[0] + GAP, shape[1] + GAP
    columns = (
        max(1, round((WIDTH + GAP) / across))
        if width is None
        else -(-(width + GAP) // across)
    )
    if width is None:
        width = columns * across - GAP
    height = max(1, round(shape[0] * ((width + GAP) / columns - GAP) / shape[1]))
    rows = max(1, round(width / ASPECT / (height + GAP)))
    if n_frames < columns * rows:
        # All of them, in about the same shape.
        columns = min(columns, math.ceil(math.sqrt(n_frames * ASPECT * down / across)))
        rows = -(-n_frames // columns)
        width = min(width, columns * across - GAP)
        height = round(shape[0] * ((width + GAP) / columns - GAP) / shape[1])
        height = max(1, min(shape[0], height))
    return Layout(min(n_frames, columns * rows), columns, rows, width, height)


def _choose(
    previews: Mapping[Path, Previews],
    frames: NDArray[np.integer],
    starts: NDArray[np.int64],
    middles: NDArray[np.int64],
) -> dict[int, tuple[int, Path, int]]:
    """Choose the preview nearest to the middle of what each picture stands for.

    Returns
    -------
    of pictures of which there is one: its frame's place, its file, its number there
    """
    chosen: dict[int, tuple[int, Path, int]] = {}
    for path, of_shard in previews.items():
        shown = of_shard.frames
        places = np.searchsorted(frames, shown)
        # Black frames may be left out.
        numbers = np.flatnonzero(np.isin(shown, frames))
        places = places[numbers]
        cells = np.searchsorted(starts, places, side="right") - 1
        off = np.abs(places - middles[cells])
        order = np.lexsort((places, off, cells))
        _, firsts = np.unique(cells[order], return_index=True)
        for best in order[firsts].tolist():
            cell, place = int(cells[best]), int(places[best])
            # The picture may stand for frames of several shards.
            if cell in chosen and abs(chosen[cell][0] - middles[cell]) <= off[best]:
                continue
            chosen[cell] = place, path, int(numbers[best])
    return chosen


def _find_room(
    pixels: NDArray[np.uint8], layout: Layout, cell: int
) -> NDArray[np.uint8]:
    x, y, width, height = layout.locate(cell)
    return pixels[y : y + height, x : x + width]


def _fit(picture: NDArray[np.uint8], room: Shape, usual: Shape) -> NDArray[np.uint8]:
    """Make a preview as large as its room; one of another shape lies in the dark."""
    import cv2

    shape = picture.shape[:2]
    if shape == room:
        return picture
    if shape == usual:
        resized = cv2.resize(picture, room[::-1], interpolation=cv2.INTER_AREA)
        return np.asarray(resized, np.uint8)
    scale = min(1.0, room[0] / shape[0], room[1] / shape[1])
    size = tuple(max(1, round(side * scale)) for side in shape)
    framed = np.full((*room, 3), BACKGROUND, np.uint8)
    top, left = (room[0] - size[0]) // 2, (room[1] - size[1]) // 2
    framed[top : top + size[0], left : left + size[1]] = cv2.resize(
        picture, size[::-1], interpolation=cv2.INTER_AREA
    )
    return framed
