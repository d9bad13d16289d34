"""Draws a mosaic, a row of cells at a time."""

import contextlib
import functools
import math
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from reelbow.mosaic.cells import Cell, Mosaic
from reelbow.mosaic.features import PARTS, cut_view, measure_parts
from reelbow.mosaic.target import Aspect
from reelbow.mosaic.tiles import cut_tiles
from reelbow.shards.sheets import open_previews

# A film and one of its shards.
Shard = tuple[str, str]

# What colors, and weights of parts, are counted in: sums of their products stay small.
_UNIT = 64


def find_cell_size(columns: int, width: int, aspect: Aspect) -> tuple[int, int]:
    """Find the (height, width) of a cell, in pixels, of a mosaic at most so wide."""
    wide = max(PARTS, width // columns)
    return max(PARTS, round(wide * aspect[1] / aspect[0])), wide


def draw_mosaic(
    mosaic: Mosaic,
    parts: NDArray[np.float64],
    sheets: Mapping[Shard, Path],
    *,
    cell_size: tuple[int, int],
    aspect: Aspect,
    tint: float,
    room: Path,
) -> Iterator[NDArray[np.uint8]]:
    """Draw a mosaic: yield each row of its cells, (height, width, 3) uint8 sRGB.

    Parameters
    ----------
    parts : (n_cells, 4, 4, 3) sRGB, of the target
    sheets : of the previews of all shards
    cell_size : (height, width) of a cell in pixels
    aspect : (width, height) of a tile, as a ratio
    tint : how much of the way the colors of a tile's parts are brought to the cell's
    room : a folder where there is room for all tiles while it is drawn

    Notes
    -----
    Sheets are decoded one after the other, each once. Tiles wait in a file: a mosaic of
    many large ones would need more memory than a job has.
    """
    used = sorted({_name_tile(cell) for cell in mosaic.cells})
    numbers = {tile: number for number, tile in enumerate(used)}
    by_shard: dict[Shard, dict[int, list[int]]] = defaultdict(dict)
    for film, shard, place, view in used:
        by_shard[film, shard].setdefault(place, []).append(view)
    height, width = cell_size
    own_parts = np.empty((len(used), PARTS, PARTS, 3), np.float32)
    with _make_room(room, (len(used), height, width, 3)) as tiles:
        number = 0
        for name, places in by_shard.items():
            cut = cut_tiles(open_previews(sheets[name]), places, aspect)
            for tile, views in zip(cut, places.values(), strict=True):
                for view in views:
                    tiles[number] = fill_cell(cut_view(tile, view), cell_size)
                    own_parts[number] = measure_parts(tiles[number], PARTS, PARTS)
                    number += 1
        for row in range(mosaic.rows):
            first = row * mosaic.columns
            strip = np.empty((height, mosaic.columns, width, 3), np.uint8)
            for column, cell in enumerate(mosaic.cells[first : first + mosaic.columns]):
                number = numbers[_name_tile(cell)]
                side = -1 if cell.mirrored else 1
                steps = parts[first + column] - own_parts[number][:, ::side]
                tile = tiles[number][:, ::side]
                if tint:
                    tile = np.clip(tile + _spread(tint * steps, cell_size), 0, 255)
                strip[:, column] = tile
            yield strip.reshape(height, -1, 3)


def _name_tile(cell: Cell) -> tuple[str, str, int, int]:
    return cell.film, cell.shard, cell.place, cell.view


def _spread(steps: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.int32]:
    """Spread the steps of parts, (4, 4, 3), over a cell, so that no edge is seen.

    In whole numbers: the same on every machine.
    """
    down, across = (_weigh_parts(length) for length in size)
    fine = np.rint(steps * _UNIT).astype(np.int32)
    # (h, 4) with (4, w, 3).
    spread = np.tensordot(down, across @ fine, axes=1)
    return np.asarray((spread + _UNIT**3 // 2) // _UNIT**3, np.int32)


@functools.cache
def _weigh_parts(length: int) -> NDArray[np.int32]:
    """Weigh the parts around each pixel of a side, by how near their middles are.

    Returns
    -------
    (length, 4) int32, in `_UNIT`
    """
    places = (np.arange(length) + 0.5) * PARTS / length - 0.5
    parts = np.arange(PARTS)
    nearness = 1 - np.abs(places.clip(0, PARTS - 1)[:, None] - parts)
    return np.asarray(np.rint(nearness.clip(0, 1) * _UNIT), np.int32)


def fill_cell(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Bring a tile to the (height, width) of a cell."""
    smaller = size[0] < pixels.shape[0]
    how = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, size[::-1], interpolation=how), np.uint8)


@contextlib.contextmanager
def _make_room(folder: Path, shape: tuple[int, ...]) -> Iterator[NDArray[np.uint8]]:
    """Make an array in a file that nobody else sees, and that is gone afterwards."""
    with tempfile.TemporaryFile(dir=folder) as file:
        if hasattr(os, "posix_fallocate"):
            # Else a full disk would kill the process where it writes to the array.
            os.posix_fallocate(file.fileno(), 0, math.prod(shape))
        else:
            file.truncate(math.prod(shape))
        yield np.memmap(file, np.uint8, "r+", shape=shape)
