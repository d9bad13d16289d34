"""What image files of a film have in common: their size and their letterbox."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelbow.errors import ReelbowError
from reelbow.pictures.geometry import Crop, Levels, shape_picture
from reelbow.pictures.image_files import decode_image, find_size
from reelbow.pictures.letterbox import find_letterbox
from reelbow.shards.members import DecodedPicture
from reelbow.sources.crop import (
    LETTERBOX_FRAMES,
    LETTERBOX_LINES,
    enlarge_crop,
    read_crop,
)


class ImagesFound(NamedTuple):
    """What some images of a film have in common.

    Attributes
    ----------
    width, height : None: they have several
    crop : what of them is kept, w:h:x:y; None: all
    usual_size : (width, height) of what is kept of most of them; None: none can be read
    """

    width: int | None
    height: int | None
    crop: str | None
    usual_size: tuple[int, int] | None


def look_at_images(
    images: Iterator[bytes | DecodedPicture], crop: str, source: Path, max_pixels: int
) -> ImagesFound:
    """Look at some images of a film.

    Parameters
    ----------
    crop : auto, none or w:h:x:y
    source : what they are of, for the sentence that says what is wrong

    Raises
    ------
    ReelbowError
        If the crop does not fit them.
    """
    # How many are of a (height, width).
    sizes: Counter[tuple[int, ...]] = Counter()

    def decode(data: bytes | DecodedPicture) -> Levels:
        if isinstance(data, bytes):
            image = decode_image(data, max_pixels=max_pixels)
            sizes[image.full] += 1
            return image.picture
        picture = data.to_bgr()[..., ::-1]
        sizes[picture.shape[:2]] += 1
        return np.ascontiguousarray(picture)

    def show_images() -> Iterator[NDArray[np.uint8]]:
        for data in images:
            with contextlib.suppress(ReelbowError):
                yield shape_picture(decode(data), height=LETTERBOX_LINES)

    found = None
    if crop == "auto":
        found = find_letterbox(show_images(), most=LETTERBOX_FRAMES)
    # `images` goes on where the search stopped. The size of these is enough, but where
    # it is another one: damaged images have none.
    for data in images:
        with contextlib.suppress(ReelbowError):
            size = (
                find_size(data, max_pixels=max_pixels)
                if isinstance(data, bytes)
                else None
            )
            if size is None or size not in sizes:
                decode(data)
            else:
                sizes[size] += 1
    # Images of several sizes have none in common, and no common bars.
    height, width = next(iter(sizes)) if len(sizes) == 1 else (None, None)
    kept: Crop | None = None
    if crop != "auto":
        kept = read_crop(crop, source, width, height)
    elif height is not None and width is not None:
        kept = found and enlarge_crop(found, width, height)
    usual = None
    if sizes:
        # Of as many the larger ones.
        rows, columns = max(sizes, key=lambda size: (sizes[size], size))
        usual = (kept.width, kept.height) if kept else (columns, rows)
    return ImagesFound(width, height, kept and str(kept), usual)
