"""The shape of a picture in memory: its crop, its size, made small by area."""

import re
from typing import Any, NamedTuple, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from reelbow.errors import ReelbowError

# A picture's values: uint8, or uint16 of which 65535 is 255.
Levels = NDArray[np.unsignedinteger[Any]]

# A picture this large is refused before a byte of it is decoded.
MAX_PIXELS = 200_000_000

# Jobs run side by side; a job of several threads would only get in their way.
cv2.setNumThreads(1)


class Crop(NamedTuple):
    """The part of a picture that is kept, in pixels."""

    width: int
    height: int
    x: int
    y: int

    def __str__(self) -> str:
        """Write it as FFmpeg's crop filter does: w:h:x:y."""
        return f"{self.width}:{self.height}:{self.x}:{self.y}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read w:h:x:y."""
        if not re.fullmatch(r"\d+:\d+:\d+:\d+", text):
            raise ReelbowError(f"crop {text!r}: should be w:h:x:y in pixels")
        return cls(*map(int, text.split(":")))


def shape_picture(
    picture: Levels,
    *,
    full: tuple[int, int] | None = None,
    crop: Crop | None = None,
    height: int | None = None,
) -> NDArray[np.uint8]:
    """Crop a picture and make it smaller, every result pixel an average over its area.

    Parameters
    ----------
    picture : (h, w, 3) uint8 or uint16, upright
    full : (height, width) of the whole picture as seen, where pixels are not square or
        `picture` is already reduced
    crop : in pixels of `full`
    height : rows of the result, at most those of the cropped picture; None: all

    Returns
    -------
    (height, width, 3) uint8, in the shape of the cropped `full`
    """
    shape = full or (picture.shape[0], picture.shape[1])
    kept = cut_out(picture, shape, crop)
    return shrink(kept, (crop.height, crop.width) if crop else shape, height)


def round_to_bytes(picture: Levels) -> NDArray[np.uint8]:
    """Round a picture of 16 bits to 8; one of 8 is given back as it is."""
    if picture.dtype == np.uint8:
        return np.asarray(picture, np.uint8)
    return np.asarray(cv2.convertScaleAbs(picture, alpha=1 / 257), np.uint8)


def cut_out(picture: Levels, full: tuple[int, int], crop: Crop | None) -> Levels:
    """Crop a picture of which `crop`, in pixels of `full`, is to be kept."""
    if crop is None:
        return picture
    x, y, width, height = scale_crop(crop, full, picture.shape[:2])
    return picture[y : y + height, x : x + width]


def scale_crop(
    crop: Crop, full: tuple[int, int], stored: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Bring a crop from pixels as seen to those stored: x, y, width and height.

    Parameters
    ----------
    full, stored : (height, width) as seen and as stored
    """
    y0, y1 = _scale(crop.y, crop.y + crop.height, stored[0] / full[0])
    x0, x1 = _scale(crop.x, crop.x + crop.width, stored[1] / full[1])
    return x0, y0, x1 - x0, y1 - y0


def find_shape(shape: tuple[int, int], height: int | None) -> tuple[int, int]:
    """Find the (height, width) of a picture seen as `shape`, made smaller."""
    rows = min(height or shape[0], shape[0])
    return rows, max(1, round(shape[1] * rows / shape[0]))


def _scale(start: int, end: int, factor: float) -> tuple[int, int]:
    """Scale a stretch of pixels; at least one remains."""
    first = round(start * factor)
    return first, max(first + 1, round(end * factor))


def shrink(
    picture: Levels, shape: tuple[int, int], height: int | None
) -> NDArray[np.uint8]:
    """Make a picture that is seen in the shape (height, width) smaller, of 8 bits."""
    height, width = find_shape(shape, height)
    # OpenCV averages over areas only where neither side grows: first what shrinks.
    rows, columns = picture.shape[:2]
    for size in ((min(width, columns), min(height, rows)), (width, height)):
        if size != (picture.shape[1], picture.shape[0]):
            resized = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
            picture = np.asarray(resized, picture.dtype)
    return np.ascontiguousarray(round_to_bytes(picture))


def check_room(n_bytes: int) -> None:
    """Raise a `MemoryError` if there is no room for so many bytes.

    Many decoders tell only that they failed, as if what they decode were damaged.
    """
    np.empty(n_bytes, np.uint8)
