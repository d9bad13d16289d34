"""What is cropped from a film: as the user says, or the bars of a few frames."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from reelbow.errors import ReelbowError
from reelbow.pictures.geometry import Crop

# Frames looked at for letterbox bars, spread over the film: keyframes, which cost
# least, unless there are too few to tell bars from one dark scene.
LETTERBOX_FRAMES = 32
LETTERBOX_KEYFRAMES = 8
LETTERBOX_LINES = 1080

T = TypeVar("T")


def read_crop(
    crop: str, source: Path, width: int | None, height: int | None
) -> Crop | None:
    """Read w:h:x:y and hold it against the picture's size."""
    if crop in ("auto", "none"):
        return None
    kept = Crop.parse(crop)
    if width is None or height is None:
        raise ReelbowError(
            f"{source}: its images are of several sizes, so that crop {crop} fits none "
            "for sure; use auto or none"
        )
    if (
        not kept.width
        or not kept.height
        or kept.x + kept.width > width
        or kept.y + kept.height > height
    ):
        raise ReelbowError(
            f"{source}: crop {crop} reaches beyond the picture of {width}x{height} "
            "pixels; give w:h:x:y within it"
        )
    return kept


def enlarge_crop(crop: Crop, width: int, height: int) -> Crop:
    """Bring a crop of a picture of at most `LETTERBOX_LINES` to its full size."""
    factor = max(1.0, height / LETTERBOX_LINES)
    x, y = math.ceil(crop.x * factor), math.ceil(crop.y * factor)
    right = min(width, math.floor((crop.x + crop.width) * factor))
    bottom = min(height, math.floor((crop.y + crop.height) * factor))
    return Crop(right - x, bottom - y, x, y)


def spread_evenly(items: Sequence[T], n: int = LETTERBOX_FRAMES) -> list[T]:
    """Choose at most n items, evenly spread."""
    if len(items) <= n:
        return list(items)
    return [items[i * len(items) // n] for i in range(n)]
