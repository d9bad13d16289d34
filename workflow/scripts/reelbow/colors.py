"""Colors: from a film's own coding to sRGB."""

from typing import NamedTuple

import av
import numpy as np
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

# FFmpeg's numbers of a stream's matrix (AVColorSpace) that swscale has coefficients
# for, with swscale's own number and the name that stands in the plan.
MATRICES = {
    1: (Colorspace.ITU709, "bt709"),
    4: (Colorspace.FCC, "fcc"),
    5: (Colorspace.ITU601, "bt601"),
    6: (Colorspace.ITU601, "bt601"),
    7: (Colorspace.SMPTE240M, "smpte240m"),
    9: (Colorspace.BT2020, "bt2020"),
    10: (Colorspace.BT2020, "bt2020"),
}
RGB_MATRIX = 0
LIMITED, FULL = 1, 2

# Correct rounding and chroma at full resolution; swscale's defaults are off by 3.
EXACT = (
    Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
)


class Coding(NamedTuple):
    """How a stream's numbers stand for colors."""

    matrix: str  # bt601, bt709, bt2020, ...; rgb: none needed
    color_range: str  # limited (16 to 235 of 255) or full
    matrix_assumed: bool  # the stream says nothing
    range_assumed: bool


def find_coding(frame: av.VideoFrame) -> Coding:
    """Find a stream's matrix and range, assuming what players do where it is silent.

    Silent streams are BT.709 from 1280 columns or more than 576 lines on, else BT.601,
    and limited in range.
    """
    if frame.format.is_rgb or frame.colorspace == RGB_MATRIX:
        return Coding("rgb", "full", matrix_assumed=False, range_assumed=False)
    if frame.colorspace in MATRICES:
        matrix, matrix_assumed = MATRICES[frame.colorspace][1], False
    else:
        large = frame.width >= 1280 or frame.height > 576
        matrix, matrix_assumed = "bt709" if large else "bt601", True
    # The pixel formats yuvj... are full range by definition.
    declared_full = frame.color_range == FULL or frame.format.name.startswith("yuvj")
    return Coding(
        matrix,
        "full" if declared_full else "limited",
        matrix_assumed=matrix_assumed,
        range_assumed=frame.color_range not in (LIMITED, FULL) and not declared_full,
    )


def to_rgb(frame: av.VideoFrame, coding: Coding) -> NDArray[np.uint8]:
    """Convert a decoded frame to sRGB at its full size: (h, w, 3) uint8."""
    if coding.matrix == "rgb":
        return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    matrix = next(number for number, name in MATRICES.values() if name == coding.matrix)
    converted = VideoReformatter().reformat(
        frame,
        format="rgb24",
        interpolation=EXACT,
        src_colorspace=matrix,
        dst_colorspace=matrix,
        src_color_range=FULL if coding.color_range == "full" else LIMITED,
        dst_color_range=FULL,
    )
    return np.asarray(converted.to_ndarray(), np.uint8)
