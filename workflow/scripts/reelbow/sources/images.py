"""What image files of a film have in common: their size and their letterbox."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reelbow.errors import ReelbowError
from reelbow.pictures.geometry import Levels, shape_picture
from reelbow.pictures.image_files import decode_image, find_size
from reelbow.pictures.letterbox import find_letterbox
from reelbow.shards.members import DecodedPicture
from reelbow.sources.crop import (
    LETTERBOX_FRAMES,
    LETTERBOX_LINES,
    enlarge_crop,
    read_crop,
)


def look_at_images(
    images: Iterator[bytes | DecodedPicture], crop: str, source: Path, max_pixels: int
) -> tuple[int | None, int | None, str | None, bool]:
    """Look at some images of a film.

    Parameters
    ----------
    crop : auto, none or w:h:x:y
    source : what they are of, for the sentence that says what is wrong

    Returns
    -------
    their width and height, None: they have several; what of them is kept, w:h:x:y, or
    None: all; and whether any of them can be read

    Raises
    ------
    ReelbowError
        If the crop does not fit them.
    """
    sizes: set[tuple[int, ...]] = set()

    def decode(data: bytes | DecodedPicture) -> Levels:
        if isinstance(data, bytes):
            image = decode_image(data, max_pixels=max_pixels)
            sizes.add(image.full)
            return image.picture
        picture = data.to_bgr()[..., ::-1]
        sizes.add(picture.shape[:2])
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
            if (
                not isinstance(data, bytes)
                or find_size(data, max_pixels=max_pixels) not in sizes
            ):
                decode(data)
    has_pictures = bool(sizes)
    # Images of several sizes have none in common, and no common bars.
    height, width = sizes.pop() if len(sizes) == 1 else (None, None)
    kept = None
    if crop != "auto":
        kept = read_crop(crop, source, width, height)
    elif height is not None and width is not None:
        kept = found and enlarge_crop(found, width, height)
    return width, height, kept and str(kept), has_pictures
