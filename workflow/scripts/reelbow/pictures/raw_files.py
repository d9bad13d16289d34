"""Cameras' own files: what the sensor saw, developed by LibRaw to sRGB.

The package rawpy is optional: who has no such files does without it.
"""

import io

import numpy as np
from numpy.typing import NDArray

from reelbow.errors import ReelbowError
from reelbow.pictures.geometry import MAX_PIXELS

# Of sRGB, as LibRaw takes it: the power, and the slope near black.
SRGB_CURVE = (2.4, 12.92)


def decode_raw(data: bytes, *, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint16]:
    """Develop a raw photo: (h, w, 3) uint16 sRGB, upright.

    By the camera's own white balance and not made brighter, so that photos of a film
    can be compared.

    Raises
    ------
    ReelbowError
        If it cannot be read, or has more pixels than `max_pixels`.
    """
    import rawpy

    try:
        with rawpy.imread(io.BytesIO(data)) as raw:
            width, height = raw.sizes.width, raw.sizes.height
            if width * height > max_pixels:
                raise ReelbowError(
                    f"{width}x{height} pixels, allowed by limits.pixels are "
                    f"{max_pixels}"
                )
            pixels = raw.postprocess(
                output_bps=16,
                output_color=rawpy.ColorSpace.sRGB,
                gamma=SRGB_CURVE,
                use_camera_wb=True,
                no_auto_bright=True,
            )
    except rawpy.LibRawError as error:
        reason = error.args[0] if error.args else error
        if isinstance(reason, bytes):
            reason = reason.decode("utf-8", "replace")
        raise ReelbowError(f"the raw photo does not decode ({reason})") from None
    # Of sensors that see no color LibRaw gives one channel.
    return np.broadcast_to(
        np.asarray(pixels, np.uint16).reshape(*pixels.shape[:2], -1),
        (*pixels.shape[:2], 3),
    )
