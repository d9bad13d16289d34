"""The averages of a picture: its mean color, its luma, and its strip of row means."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags

from reelbow.color.spaces import SPACES
from reelbow.errors import ReelbowError
from reelbow.pictures.geometry import Crop, cut_out, find_shape, shrink
from reelbow.pictures.image_files import (
    MAX_PIXELS,
    choose_crop,
    decode_image,
    open_image,
)

# Rec. ITU-R BT.709's, of red, green and blue.
LUMA_WEIGHTS = np.array([0.2126, 0.7152, 0.0722])

# Light of an sRGB value, to look up.
_DECODED = SPACES["linear"].from_srgb(np.arange(256))


class Averages(NamedTuple):
    """A picture averaged over its pixels, before anything rounds or compresses them.

    Attributes
    ----------
    mean : (3,) float64, sRGB, [0, 255]
    strip : (rows, 3) float64, sRGB, [0, 255]; each row averaged over the width
    luma : mean luma by Rec. 709 weights on sRGB values, [0, 255]
    """

    mean: NDArray[np.float64]
    strip: NDArray[np.float64]
    luma: float

    @classmethod
    def of_rows(cls, means: NDArray[np.float64], *, rows: int) -> Self:
        """Average the means of a picture's rows, (h, 3), and make a strip of `rows`."""
        strip = means
        if rows != len(means):
            column = cv2.resize(means[:, None], (1, rows), interpolation=cv2.INTER_AREA)
            strip = np.asarray(column, np.float64)[:, 0]
        mean = means.mean(axis=0)
        return cls(mean, strip, float(mean @ LUMA_WEIGHTS))

    def to_json(self) -> dict[str, Any]:
        """Write them for the JSON beside a frame, to a hundredth of a level."""
        return {
            "mean_color": self.mean.round(4).tolist(),
            "luma": round(self.luma, 4),
            "strip": self.strip.round(2).tolist(),
        }

    @classmethod
    def from_json(cls, about: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(
            np.array(about["mean_color"], np.float64),
            np.array(about["strip"], np.float64),
            float(about["luma"]),
        )


def shape_and_average(
    picture: NDArray[np.uint8],
    *,
    full: tuple[int, int],
    crop: Crop | None,
    height: int | None,
    strip_rows: int | None,
    space: str,
) -> tuple[NDArray[np.uint8], Averages]:
    """Do as `shape_picture`, and average all pixels that are kept.

    Parameters
    ----------
    strip_rows : rows of the strip, at most those of the result; None: as many
    space : srgb or linear, where the average is taken
    """
    # Imported here, since it costs much: only what averages needs it.
    from reelbow.pictures.area_average import MAX_LINES, average_areas, average_rows

    kept = np.ascontiguousarray(cut_out(picture, full, crop))
    shape = (crop.height, crop.width) if crop else full
    size = find_shape(shape, height)
    rows, columns = kept.shape[:2]
    if size == (rows, columns):
        small, means = kept, average_rows(kept)
    elif size[0] <= rows <= MAX_LINES * size[0] and size[1] <= columns:
        small, means = average_areas(kept, size)
    else:
        # Pixels that are not square: one side may grow.
        small, means = shrink(kept, shape, height), average_rows(kept)
    averages = Averages.of_rows(means, rows=min(strip_rows or size[0], size[0]))
    if space == "linear":
        averages = _average_light(kept, averages)
    return small, averages


def _average_light(picture: NDArray[np.uint8], averages: Averages) -> Averages:
    """Average again in linear light, but for the luma."""
    sums = cv2.reduce(_DECODED[picture], 1, cv2.REDUCE_SUM, dtype=cv2.CV_64F)
    means = np.asarray(sums, np.float64)[:, 0] / picture.shape[1]
    light = Averages.of_rows(means, rows=len(averages.strip))
    to_srgb = SPACES["linear"].to_srgb
    return Averages(to_srgb(light.mean), to_srgb(light.strip), averages.luma)


def average_image(
    data: bytes,
    *,
    height: int | None,
    crop: Crop | None = None,
    crop_of: tuple[int, int] | None = None,
    max_pixels: int = MAX_PIXELS,
    space: str = "srgb",
    exact: bool = True,
) -> tuple[NDArray[np.uint8], Averages]:
    """Make an image file small and average all pixels that are kept.

    As `decode_image` and `shape_and_average` do, whose parameters these are, but an
    ordinary JPEG that is made much smaller is not decoded to pixels.

    Parameters
    ----------
    exact : whether the averages are of all pixels, or of a JPEG at a reduced scale

    Returns
    -------
    (height, width, 3) uint8 sRGB, and the averages, with a strip of as many rows

    Raises
    ------
    ReelbowError
        If it cannot be decoded whole; it says why, the caller knows where.
    """
    if exact and height is not None and space == "srgb":
        found = _average_jpeg(data, height, crop, crop_of, max_pixels)
        if found is not None:
            small, means = found
            return small, Averages.of_rows(means, rows=len(small))
    image = decode_image(
        data,
        height=None if exact else height,
        crop=crop,
        crop_of=crop_of,
        max_pixels=max_pixels,
    )
    return shape_and_average(
        image.picture,
        full=image.full,
        crop=image.crop,
        height=height,
        strip_rows=None,
        space=space,
    )


def _average_jpeg(
    data: bytes,
    height: int,
    crop: Crop | None,
    crop_of: tuple[int, int] | None,
    max_pixels: int,
) -> tuple[NDArray[np.uint8], NDArray[np.float64]] | None:
    """Make a JPEG small from its coefficients, and average its rows.

    None where it is no ordinary one, damaged, turned, too large, or not made much
    smaller.
    """
    if not data.startswith(b"\xff\xd8\xff"):
        return None
    # Imported here, since it costs much: only what averages needs it.
    from reelbow.pictures.jpeg_average import MIN_CELL, average_jpeg
    from reelbow.pictures.jpeg_coefficients import read_header

    header = read_header(data)
    if header is None or header.width * header.height > max_pixels:
        return None
    full = (header.height, header.width)
    kept = choose_crop(crop, crop_of, full) or Crop(full[1], full[0], 0, 0)
    size = find_shape((kept.height, kept.width), height)
    if size[0] * MIN_CELL > kept.height or size[1] * MIN_CELL > kept.width:
        return None
    if header.is_described and not _is_upright(data, max_pixels):
        return None
    return average_jpeg(
        data, header, crop=(kept.x, kept.y, kept.width, kept.height), size=size
    )


def _is_upright(data: bytes, max_pixels: int) -> bool:
    """Whether a JPEG says that it is, or nothing; False also where it is damaged."""
    try:
        with open_image(data, max_pixels) as (image, _):
            return bool(image.getexif().get(ExifTags.Base.Orientation, 1) == 1)
    except ReelbowError:
        return False
