"""A decoded picture as a viewer sees it: in shape, upright, in sRGB."""

import av
import numpy as np
from numpy.typing import NDArray

from reelbow.film.coding import find_coding, take_field, to_srgb
from reelbow.film.probe import Probe, Turn
from reelbow.pictures.averages import Averages, shape_and_average
from reelbow.pictures.geometry import Crop, find_shape, scale_crop, shape_picture


def develop_frame(frame: av.VideoFrame, probe: Probe) -> NDArray[np.uint8]:
    """Turn a decoded frame into an upright sRGB picture of its stored pixels.

    Of an interlaced frame only the upper field counts: the two are of different times,
    and chroma shared between them would bleed.

    Returns
    -------
    (h, w, 3) uint8; in shape it is the film's only after `shape_picture`
    """
    coding = find_coding(frame, probe.coding)
    if frame.interlaced_frame:
        frame = take_field(frame)
    return probe.turn.apply(to_srgb(frame, coding))


def shape_frame(
    frame: av.VideoFrame,
    probe: Probe,
    *,
    crop: Crop | None,
    height: int | None,
    space: str,
) -> tuple[NDArray[np.uint8], Averages]:
    """Turn a decoded frame into a small sRGB picture, and average all its pixels.

    Parameters
    ----------
    crop : in pixels of the picture as seen
    height, space : as for `shape_and_average`
    """
    full = (probe.height, probe.width)
    shape = (crop.height, crop.width) if crop else full
    size = find_shape(shape, height)
    if space == "srgb" and probe.turn == Turn() and not frame.interlaced_frame:
        # Imported here: only decoding needs it, and planning would pay for it.
        from reelbow.film.yuv_average import average_frame

        stored = (frame.height, frame.width)
        kept = (0, 0, frame.width, frame.height)
        if crop is not None:
            kept = scale_crop(crop, full, stored)
        coding = find_coding(frame, probe.coding)
        averaged = average_frame(frame, coding, crop=kept, size=size)
        if averaged is not None:
            picture, means = averaged
            return picture, Averages.of_rows(means, rows=len(picture))
    return shape_and_average(
        develop_frame(frame, probe),
        full=full,
        crop=crop,
        height=height,
        space=space,
    )


def show_frame(
    frame: av.VideoFrame, probe: Probe, *, height: int | None = None
) -> NDArray[np.uint8]:
    """Turn a decoded frame into the picture a viewer sees: upright, sRGB, in shape.

    Parameters
    ----------
    height : rows of the result, never more than there are; None: as in the film

    Returns
    -------
    (h, w, 3) uint8 sRGB
    """
    full = (probe.height, probe.width)
    return shape_picture(develop_frame(frame, probe), full=full, height=height)
