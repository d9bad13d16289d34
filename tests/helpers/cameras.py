"""Photos as of one camera whose sensor has known defects."""

import io
from collections.abc import Iterator, Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

MAKE, MODEL, SERIAL = 0x010F, 0x0110, 0xA431
CAMERA = {MAKE: "Reel", MODEL: "Reel Two", SERIAL: "0042"}
SIZE = (64, 96)

# Of each defect: row, column, channel, gain, and offset in levels.
DEFECTS = {
    "stuck": (20, 30, 0, 0.0, 240.0),
    "dead": (40, 50, 1, 0.0, 0.0),
    "hot": (12, 70, 2, 1.0, 90.0),
    "low gain": (50, 16, 1, 0.8, 0.0),
}


def take(number: int, *, broken: bool = True) -> NDArray[np.uint8]:
    """Take a photo of a scene of its own, (h, w, 3) uint8: soft shapes, fine noise."""
    rng = np.random.default_rng(number)
    coarse = rng.uniform(30, 200, (6, 8, 3)).astype(np.float32)
    large = cv2.resize(coarse, (128, 96), interpolation=cv2.INTER_CUBIC)
    # Cut out anywhere: else it would have the same corners in all photos.
    y, x = rng.integers(33, size=2)
    picture = large[y : y + SIZE[0], x : x + SIZE[1]]
    picture = picture + rng.normal(0, 3, picture.shape)
    for y, x, channel, gain, offset in DEFECTS.values() if broken else ():
        picture[y, x, channel] = gain * picture[y, x, channel] + offset
    return picture.clip(0, 255).round().astype(np.uint8)


def encode(
    picture: NDArray[np.uint8],
    kind: str = "PNG",
    camera: Mapping[int, str] = CAMERA,
    orientation: int = 1,
    **how: Any,
) -> bytes:
    """Encode a picture as that camera does."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    own = exif.get_ifd(0x8769)
    for tag, value in camera.items():
        (own if tag == SERIAL else exif)[tag] = value
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, kind, exif=exif, **how)
    return stream.getvalue()


def take_many(n: int, kind: str = "PNG", **how: Any) -> Iterator[tuple[str, bytes]]:
    """Take photos; give each with its name."""
    for number in range(n):
        yield f"{number:03}.{kind.lower()}", encode(take(number), kind, **how)
