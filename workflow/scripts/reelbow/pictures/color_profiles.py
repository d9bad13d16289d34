"""Color profiles (ICC) of images: judged, and applied by LittleCMS.

References
----------
ICC.1:2022, "Image technology colour management".
"""

import functools
import io
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from reelbow.errors import ReelbowError

if TYPE_CHECKING:
    # Costs some ms, and most images have no profile.
    from PIL.ImageCms import ImageCmsTransform

# Pillow's modes, by what a profile says that it is for.
MODES = {"GRAY": "L", "RGB ": "RGB", "CMYK": "CMYK"}

# A profile that changes these colors by no more than rounding is sRGB's.
_STEPS = np.arange(0, 256, 15, dtype=np.uint8)
_GRAYS = np.arange(256, dtype=np.uint8).reshape(1, 256)
_COLORS = np.stack(np.meshgrid(_STEPS, _STEPS, _STEPS), axis=-1).reshape(1, -1, 3)


class ColorTransform(NamedTuple):
    """Brings the colors of images to sRGB.

    Attributes
    ----------
    mode : Pillow's, of what it takes: L, RGB or CMYK
    """

    mode: str
    transform: "ImageCmsTransform"

    def apply(self, image: Image.Image) -> NDArray[np.uint8]:
        """Bring an image, its alpha left out, to sRGB: (h, w, 3) uint8."""
        image = image.convert(self.mode)
        if self.mode == "L":
            table = np.asarray(self.transform.apply(Image.fromarray(_GRAYS)))
            return np.asarray(table[0, np.asarray(image)], np.uint8)
        return np.asarray(self.transform.apply(image))


@functools.lru_cache(maxsize=8)
def find_transform(profile: bytes, mode: str) -> ColorTransform | None:
    """Find what brings an image with this profile to sRGB.

    With perceptual intent, and the darkest ink as black. What sRGB lacks is clipped by
    a profile of primaries and curves; one of tables says itself what becomes of it.

    Parameters
    ----------
    mode : the image's, without its alpha: L, RGB or CMYK

    Returns
    -------
    None where nothing is to be done: the profile is sRGB's

    Raises
    ------
    ReelbowError
        If the profile is broken, or not for such an image.
    """
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space
        taken = MODES.get(space, space)
        # Many a gray image has the profile of the colors it was made from.
        if taken != mode and (mode, taken) != ("L", "RGB"):
            raise ReelbowError(f"it is for {space.strip()}, the picture is {mode}")
        flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
        if taken == "L":
            # What LittleCMS has to go faster is up to 10 levels off in dark grays.
            flags |= ImageCms.Flags.NOOPTIMIZE
        transform = ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            taken,
            "RGB",
            renderingIntent=ImageCms.Intent.PERCEPTUAL,
            flags=flags,
        )
    except (OSError, ValueError, ImageCms.PyCMSError):
        raise ReelbowError("it is broken") from None
    found = ColorTransform(taken, transform)
    return None if _is_srgb(found) else found


def _is_srgb(found: ColorTransform) -> bool:
    """Whether a transform leaves colors as they are."""
    if found.mode == "CMYK":
        return False
    colors = Image.fromarray(_COLORS).convert(found.mode)
    before = np.asarray(colors.convert("RGB"), np.int16)
    return bool(np.abs(found.apply(colors) - before).max() <= 1)
