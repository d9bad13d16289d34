"""Pictures in memory: crop, area average, letterbox bars, image files."""

import io
import re
import struct
import warnings
import zlib
from collections.abc import Iterable
from typing import NamedTuple, Self

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from .errors import ReelbowError

# Jobs run side by side; a job of several threads would only get in their way.
cv2.setNumThreads(1)

# Only these decoders ever see foreign bytes.
IMAGE_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "PPM")
# A picture this large is refused before a byte of it is decoded.
MAX_PIXELS = 200_000_000
Image.MAX_IMAGE_PIXELS = None

# EXIF orientations whose rows are the viewer's columns.
TURNED = frozenset({5, 6, 7, 8})

# Bars are near black: noise and lossy coding lift black by some levels.
BAR_LEVEL = 24
# A row is picture if it is lit in this part of the frames that show anything at all.
LIT_FRAMES = 0.15
# ... and lit means this part of its pixels.
LIT_PIXELS = 0.05


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
    picture: NDArray[np.uint8],
    *,
    full: tuple[int, int] | None = None,
    crop: Crop | None = None,
    height: int | None = None,
) -> NDArray[np.uint8]:
    """Crop a picture and make it smaller, every result pixel an average over its area.

    Parameters
    ----------
    picture : (h, w, 3) uint8, upright
    full : (height, width) of the whole picture as seen, where pixels are not square or
        `picture` is already reduced
    crop : in pixels of `full`
    height : rows of the result, at most those of the cropped picture; None: all

    Returns
    -------
    (height, width, 3) uint8, in the shape of the cropped `full`
    """
    rows, columns = picture.shape[:2]
    full_height, full_width = full or (rows, columns)
    crop = crop or Crop(full_width, full_height, 0, 0)
    if crop != (full_width, full_height, 0, 0):
        y0, y1 = _scale(crop.y, crop.y + crop.height, rows / full_height)
        x0, x1 = _scale(crop.x, crop.x + crop.width, columns / full_width)
        picture = picture[y0:y1, x0:x1]
    height = min(height or crop.height, crop.height)
    width = max(1, round(crop.width * height / crop.height))
    # OpenCV averages over areas only where neither side grows: first what shrinks.
    rows, columns = picture.shape[:2]
    for size in ((min(width, columns), min(height, rows)), (width, height)):
        if size != (picture.shape[1], picture.shape[0]):
            resized = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
            picture = np.asarray(resized, np.uint8)
    return np.ascontiguousarray(picture)


def _scale(start: int, end: int, factor: float) -> tuple[int, int]:
    """Scale a stretch of pixels; at least one remains."""
    first = round(start * factor)
    return first, max(first + 1, round(end * factor))


def average_frames(
    frames: NDArray[np.uint8],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Average frames over all their pixels, and over their width.

    Parameters
    ----------
    frames : (n, h, w, 3) uint8 sRGB

    Returns
    -------
    means : (n, 3) float64, [0, 255]
    strips : (n, h, 3) float64, [0, 255]
    """
    strips = frames.mean(axis=2, dtype=np.float64)
    return strips.mean(axis=1), strips


def find_letterbox(frames: Iterable[NDArray[np.uint8]]) -> Crop | None:
    """Find what black bars leave of the pictures.

    Parameters
    ----------
    frames : (h, w, 3) uint8 each, spread over the film; looked at one by one

    Returns
    -------
    What to keep; None if there are no bars, nothing but black, or several sizes.
    """
    rows, columns = [], []
    whole: tuple[int, ...] | None = None
    for frame in frames:
        if whole not in (None, frame.shape[:2]):
            return None
        whole = frame.shape[:2]
        lit = frame.max(axis=2) > BAR_LEVEL
        lit_rows, lit_columns = lit.mean(axis=1), lit.mean(axis=0)
        # A dark frame tells nothing of where the picture ends.
        if lit.mean() > LIT_PIXELS:
            rows.append(lit_rows > LIT_PIXELS)
            columns.append(lit_columns > LIT_PIXELS)
    if whole is None or not rows:
        return None
    kept_rows = np.flatnonzero(np.mean(rows, axis=0) >= LIT_FRAMES)
    kept_columns = np.flatnonzero(np.mean(columns, axis=0) >= LIT_FRAMES)
    if not len(kept_rows) or not len(kept_columns):
        return None
    y, x = int(kept_rows[0]), int(kept_columns[0])
    height, width = int(kept_rows[-1]) + 1 - y, int(kept_columns[-1]) + 1 - x
    # A line or two of black is an encoder's padding and changes no palette.
    if height > whole[0] * 0.99 and width > whole[1] * 0.99:
        return None
    return Crop(width, height, x, y)


def load_image(
    data: bytes,
    *,
    height: int | None = None,
    crop: Crop | None = None,
    crop_of: tuple[int, int] | None = None,
) -> NDArray[np.uint8]:
    """Decode an image file, crop it and make it small.

    A JPEG is decoded at a reduced scale of at least twice the wanted rows, so that the
    area average that follows stays within a level of the one over all pixels.

    Parameters
    ----------
    height : rows of the result; None: as in the file
    crop : what to keep of an image of the size `crop_of` (height, width); one of
        another size is another picture, of whose bars nothing is known

    Returns
    -------
    (h, w, 3) uint8 sRGB, upright by its EXIF orientation

    Raises
    ------
    ReelbowError
        If it cannot be decoded whole; it says why, the caller knows where.
    """
    try:
        with (
            warnings.catch_warnings(action="ignore"),
            Image.open(io.BytesIO(data), formats=IMAGE_FORMATS) as image,
        ):
            if image.width * image.height > MAX_PIXELS:
                raise ReelbowError(f"larger than {MAX_PIXELS:,} pixels")
            # Pillow tells the size of a TIFF as it is upright, of others as stored.
            turned = (
                image.format != "TIFF"
                and image.getexif().get(ExifTags.Base.Orientation, 1) in TURNED
            )
            full = (image.width, image.height) if turned else image.size[::-1]
            if full != crop_of:
                crop = None
            if height is not None:
                rows = 2 * height * full[0] // (crop.height if crop else full[0])
                image.draft("RGB", (rows, rows))
            ImageOps.exif_transpose(image, in_place=True)
            picture = _to_rgb(image)
    except UnidentifiedImageError:
        raise ReelbowError("not an image, or a damaged one") from None
    except (OSError, SyntaxError, ValueError, struct.error, zlib.error) as error:
        raise ReelbowError(f"the image does not decode ({error})") from None
    return shape_picture(picture, full=full, crop=crop, height=height)


def _to_rgb(image: Image.Image) -> NDArray[np.uint8]:
    """Decode an opened image: (h, w, 3) uint8."""
    if image.mode.startswith("I"):
        # 16 bits of gray, which Pillow would clip rather than scale.
        gray = (np.asarray(image) >> 8).clip(0, 255).astype(np.uint8)
        return np.repeat(gray[..., np.newaxis], 3, axis=2)
    return np.asarray(image.convert("RGB"))


def encode_jpeg(picture: NDArray[np.uint8], *, quality: int) -> bytes:
    """Encode an (h, w, 3) uint8 sRGB picture; quality in [1, 100]."""
    _, data = cv2.imencode(
        ".jpg",
        cv2.cvtColor(picture, cv2.COLOR_RGB2BGR),
        [cv2.IMWRITE_JPEG_QUALITY, quality],
    )
    return data.tobytes()
