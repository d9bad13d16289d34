"""The averages of a picture: its mean color, its luma, and its strip of row means."""

import functools
from typing import NamedTuple, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from reelbow.color.spaces import LUMA_WEIGHTS, SPACES
from reelbow.pictures.geometry import (
    Crop,
    Levels,
    cut_out,
    find_shape,
    round_to_bytes,
    shrink,
)

# Light of an sRGB value, to look up.
_DECODED = SPACES["linear"].from_srgb(np.arange(256))


@functools.cache
def _decode_deep() -> NDArray[np.float64]:
    """Find the light of all sRGB values of 16 bits."""
    return SPACES["linear"].from_srgb(np.arange(65_536) / 257)


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


def shape_and_average(
    picture: Levels,
    *,
    full: tuple[int, int],
    crop: Crop | None,
    height: int | None,
    space: str,
) -> tuple[NDArray[np.uint8], Averages]:
    """Do as `shape_picture`, and average all pixels that are kept.

    A picture of 16 bits is rounded to 8 at the end only, its averages never.

    Parameters
    ----------
    space : srgb or linear, where the average is taken
    """
    # Imported here, since it costs much: only what averages needs it.
    from reelbow.pictures.area_average import MAX_LINES, average_areas, average_rows

    kept = np.ascontiguousarray(cut_out(picture, full, crop))
    shape = (crop.height, crop.width) if crop else full
    size = find_shape(shape, height)
    rows, columns = kept.shape[:2]
    if size == (rows, columns):
        small, means = round_to_bytes(kept), average_rows(kept)
    elif size[0] <= rows <= MAX_LINES * size[0] and size[1] <= columns:
        small, means = average_areas(kept, size)
    else:
        # Pixels that are not square: one side may grow.
        small, means = shrink(kept, shape, height), average_rows(kept)
    averages = Averages.of_rows(means, rows=size[0])
    if space == "linear":
        averages = _average_light(kept, averages)
    return small, averages


def _average_light(picture: Levels, averages: Averages) -> Averages:
    """Average again in linear light, but for the luma."""
    decoded = _DECODED if picture.dtype == np.uint8 else _decode_deep()
    sums = cv2.reduce(decoded[picture], 1, cv2.REDUCE_SUM, dtype=cv2.CV_64F)
    means = np.asarray(sums, np.float64)[:, 0] / picture.shape[1]
    light = Averages.of_rows(means, rows=len(averages.strip))
    to_srgb = SPACES["linear"].to_srgb
    return Averages(to_srgb(light.mean), to_srgb(light.strip), averages.luma)
