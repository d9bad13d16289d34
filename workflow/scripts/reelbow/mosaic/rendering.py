"""Draws a mosaic, a row of cells at a time."""

import contextlib
import math
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from reelbow.mosaic.cells import Mosaic
from reelbow.mosaic.features import PARTS, find_means, measure_parts
from reelbow.mosaic.target import Aspect
from reelbow.mosaic.tiles import crop_to_aspect
from reelbow.shards.previews import read_sheet
from reelbow.shards.sheets import read_cells

# A film and one of its shards.
Shard = tuple[str, str]


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
    tint : how much of the way each tile's mean color is brought to that of its cell
    room : a folder where there is room for all tiles while it is drawn

    Notes
    -----
    Sheets are decoded one after the other, each once. Tiles wait in a file: a mosaic of
    many large ones would need more memory than a job has.
    """
    used = sorted({(cell.film, cell.shard, cell.place) for cell in mosaic.cells})
    numbers = {tile: number for number, tile in enumerate(used)}
    by_shard: dict[Shard, list[int]] = defaultdict(list)
    for film, name, place in used:
        by_shard[film, name].append(place)
    height, width = cell_size
    means = np.empty((len(used), 3))
    with _make_room(room, (len(used), height, width, 3)) as tiles:
        number = 0
        for shard, places in by_shard.items():
            path = sheets[shard]
            for preview in read_cells(path, read_sheet(path), places):
                tiles[number] = fill_cell(crop_to_aspect(preview, aspect), cell_size)
                means[number] = find_means(
                    measure_parts(tiles[number], PARTS, PARTS)[None]
                )
                number += 1
        steps = (
            find_means(parts)
            - means[
                [numbers[cell.film, cell.shard, cell.place] for cell in mosaic.cells]
            ]
        )
        for row in range(mosaic.rows):
            first = row * mosaic.columns
            strip = np.empty((height, mosaic.columns, width, 3), np.uint8)
            for column, cell in enumerate(mosaic.cells[first : first + mosaic.columns]):
                tile = tiles[numbers[cell.film, cell.shard, cell.place]]
                if cell.mirrored:
                    tile = tile[:, ::-1]
                step = np.rint(tint * steps[first + column]).astype(np.int16)
                strip[:, column] = np.clip(tile + step, 0, 255)
            yield strip.reshape(height, -1, 3)


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
