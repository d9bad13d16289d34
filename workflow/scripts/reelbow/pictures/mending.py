"""Mends spots of a picture by what is around them, and writes it as it was written."""

import io
import warnings
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

from reelbow.pictures.image_files import JPEG_FORMATS, find_formats

# Pixels around a spot by which it is mended.
_AROUND = 4

# What stays beside the pixels: how and where it was taken, and what its colors are.
_KEPT = ("exif", "icc_profile", "dpi", "comment", "xmp")


class Spot(NamedTuple):
    """What is wrong in a picture.

    Attributes
    ----------
    y, x : of the pixel that is
    first_y, first_x, last_y, last_x : of the region over which its color is smeared
    channel : 0, 1, 2: in which it is
    gain : by which it is too dark there; None: it says nothing of the scene
    """

    y: int
    x: int
    first_y: int
    first_x: int
    last_y: int
    last_x: int
    channel: int
    gain: float | None


def mend(picture: NDArray[np.uint8], spots: Iterable[Spot]) -> NDArray[np.uint8]:
    """Mend spots; give a copy.

    The luma of the pixel alone is filled from around it, and the chroma of its region:
    so the neighbors keep their detail, which is in luma, where demosaicing and JPEG
    smear hardly anything. One of low gain, which sees the scene, gets back what it has
    lost.

    Parameters
    ----------
    picture : (h, w, 3) uint8 RGB, as it is stored

    References
    ----------
    Telea, An image inpainting technique based on the fast marching method, 2004.
    """
    mended = picture.copy()
    for spot in spots:
        # A region's edge is where it no longer stands out, and not where it ends.
        first_y, first_x = max(0, spot.first_y - 1), max(0, spot.first_x - 1)
        last_y, last_x = spot.last_y + 1, spot.last_x + 1
        top, left = max(0, first_y - _AROUND), max(0, first_x - _AROUND)
        place = slice(top, last_y + _AROUND + 1), slice(left, last_x + _AROUND + 1)
        crop = cv2.cvtColor(np.ascontiguousarray(mended[place]), cv2.COLOR_RGB2YCrCb)
        y, x = spot.y - top, spot.x - left
        mask = np.zeros(crop.shape[:2], np.uint8)
        mask[y, x] = 1
        crop[..., 0] = _fill(crop[..., 0], mask)
        mask[first_y - top : last_y - top + 1, first_x - left : last_x - left + 1] = 1
        for chroma in (1, 2):
            crop[..., chroma] = _fill(crop[..., chroma], mask)
        if spot.gain is not None:
            # The luma with which, by this chroma, the channel is what it should be.
            wanted = mended[spot.y, spot.x, spot.channel] / spot.gain
            filled = cv2.cvtColor(crop[y : y + 1, x : x + 1], cv2.COLOR_YCrCb2RGB)
            more = wanted - filled[0, 0, spot.channel]
            crop[y, x, 0] = round(min(255, max(0, crop[y, x, 0] + more)))
        # Only there: on its way back another pixel may come out a level off.
        colors = cv2.cvtColor(crop, cv2.COLOR_YCrCb2RGB)
        np.copyto(mended[place], colors, where=mask[..., np.newaxis] > 0)
    return mended


def _fill(plane: NDArray[Any], mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    filled = cv2.inpaint(plane.copy(), mask, _AROUND, cv2.INPAINT_TELEA)
    return np.asarray(filled, np.uint8)


def mend_file(
    data: bytes, picture: NDArray[np.uint8], spots: Iterable[Spot]
) -> tuple[bytes, str]:
    """Mend an image file.

    A JPEG is written by its own tables and sampling, with its chroma as it was sampled:
    so where nothing is mended nearly all its numbers stay. Anything else becomes a PNG,
    which loses nothing of 8 bits.

    Parameters
    ----------
    picture : what it is decoded to, (h, w, 3) uint8, as it is stored

    Returns
    -------
    The file's bytes, and its suffix
    """
    file = io.BytesIO()
    with (
        warnings.catch_warnings(action="ignore"),
        Image.open(io.BytesIO(data), formats=find_formats(data)) as image,
    ):
        kept = {key: image.info[key] for key in _KEPT if image.info.get(key)}
        if image.format not in JPEG_FORMATS or image.mode not in ("RGB", "L"):
            Image.fromarray(mend(picture, spots)).save(file, "PNG", **kept)
            return file.getvalue(), ".png"
        mended = mend(_decode_plainly(data, picture), spots)
        Image.fromarray(mended[..., 0] if image.mode == "L" else mended).save(
            file,
            "JPEG",
            qtables=image.quantization,  # type: ignore[attr-defined]
            subsampling=JpegImagePlugin.get_sampling(image),
            progressive=bool(image.info.get("progressive")),
            optimize=True,
            **kept,
        )
    return file.getvalue(), ".jpg"


def _decode_plainly(data: bytes, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Decode a JPEG with each number of its chroma for all pixels that it stands for.

    Smoothed, as pictures are decoded to be seen, they would be other numbers when it is
    sampled again.
    """
    import simplejpeg

    try:
        return np.asarray(simplejpeg.decode_jpeg(data, fastupsample=True), np.uint8)
    except ValueError:
        # Of little damage only Pillow makes nothing.
        return picture


def name_copy(name: str, suffix: str) -> PurePosixPath:
    """Name a mended copy as its original, in the same folders, below a folder for them.

    suffix : of the copy; where the original has another one it is put behind it
    """
    path = PurePosixPath(*(part for part in name.split("/") if part not in ("", "..")))
    alike = {".jpg": {".jpg", ".jpeg", ".jpe", ".jfif"}}.get(suffix, {suffix})
    return path if path.suffix.lower() in alike else path.with_name(path.name + suffix)
