"""The picture that a mosaic is to look like, cut into cells."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelbow.errors import ReelbowError
from reelbow.mosaic.features import PARTS, measure_parts
from reelbow.pictures.geometry import round_to_bytes
from reelbow.pictures.image_files import decode_image, find_size

# Width and height, as a ratio.
Aspect = Sequence[int]


class Target(NamedTuple):
    """A target's cells.

    Attributes
    ----------
    rows, columns : of cells
    parts : (rows * columns, 4, 4, 3) float64 sRGB in [0, 255], the means of their parts
    """

    rows: int
    columns: int
    parts: NDArray[np.float64]


def check_size(path: Path, size: Sequence[int], columns: int, aspect: Aspect) -> int:
    """Return the rows of cells of a target of a (height, width).

    Raises
    ------
    ReelbowError
        If it is too small for so many columns.
    """
    height, width = size
    if _has_room(size, columns, aspect):
        return _count_rows(size, columns, aspect)
    fitting = [n for n in range(1, columns) if _has_room(size, n, aspect)]
    fewer = f"{fitting[-1]} columns or fewer, or " if fitting else ""
    raise ReelbowError(
        f"{path} is {width}x{height} pixels, too small for {columns} columns, since "
        f"each cell takes {PARTS} pixels to the sides and down; give {fewer}a larger "
        "picture"
    )


def _count_rows(size: Sequence[int], columns: int, aspect: Aspect) -> int:
    height, width = size
    return max(1, round(columns * height / width * aspect[0] / aspect[1]))


def _has_room(size: Sequence[int], columns: int, aspect: Aspect) -> bool:
    rows = _count_rows(size, columns, aspect)
    high, wide = _fit(size, (rows * aspect[1], columns * aspect[0]))
    return wide >= columns * PARTS and high >= rows * PARTS


def read_target(path: Path, columns: int, aspect: Aspect, max_pixels: int) -> Target:
    """Read a target; so many rows as fit its shape, what is over is cut off evenly.

    Raises
    ------
    ReelbowError
        If it is no image, or too small for so many columns.
    """
    with _naming(path):
        image = decode_image(_read_bytes(path), max_pixels=max_pixels)
    picture = round_to_bytes(image.picture)
    size = picture.shape[:2]
    rows = check_size(path, size, columns, aspect)
    high, wide = _fit(size, (rows * aspect[1], columns * aspect[0]))
    top, left = (picture.shape[0] - high) // 2, (picture.shape[1] - wide) // 2
    parts = measure_parts(
        picture[top : top + high, left : left + wide], rows * PARTS, columns * PARTS
    )
    cells = parts.reshape(rows, PARTS, columns, PARTS, 3).swapaxes(1, 2)
    return Target(rows, columns, cells.reshape(-1, PARTS, PARTS, 3))


def find_target_size(path: Path, max_pixels: int) -> tuple[int, int]:
    """Find the (height, width) of a target without decoding it."""
    with _naming(path):
        return find_size(_read_bytes(path), max_pixels=max_pixels)


def check_target(path: Path, max_pixels: int) -> None:
    """See that all of a target can be decoded.

    Raises
    ------
    ReelbowError
        If it cannot be.
    """
    with _naming(path):
        decode_image(_read_bytes(path), max_pixels=max_pixels)


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except ReelbowError as error:
        raise ReelbowError(f"{path}: {error}") from error


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ReelbowError(f"cannot be read: {error.strerror}") from error


def _fit(size: Sequence[int], shape: tuple[int, int]) -> tuple[int, int]:
    """Find the largest (height, width) within a size that has a shape."""
    height, width = size
    wide = min(width, round(height * shape[1] / shape[0]))
    return min(height, round(wide * shape[0] / shape[1])), wide
