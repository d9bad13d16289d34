"""Writes PNGs some rows at a time, however large, with an sRGB profile."""

import io
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

# Most rows are as the one above, of which nothing is left to compress.
_LEVEL = 3
_UP = 2

_SIGNATURE = b"\x89PNG\r\n\x1a\n"

# Of a profile: when it was made, which would make two drawings of one picture differ.
_PROFILE_DATE = slice(24, 36)


def write_png(
    file: io.BufferedIOBase,
    strips: Iterable[NDArray[np.uint8]],
    size: tuple[int, int],
    *,
    has_alpha: bool = False,
    dpi: int | None = None,
    texts: Mapping[str, str],
) -> None:
    """Write a PNG; the same strips give the same bytes.

    Parameters
    ----------
    strips : (n, width, 3 or 4) uint8 sRGB each, from the top
    size : width and height in pixels
    texts : what it says of itself, by PNG's keywords
    """
    from PIL import PngImagePlugin

    def put(name: bytes, data: bytes) -> None:
        PngImagePlugin.putchunk(file, name, data)  # type: ignore[arg-type]

    file.write(_SIGNATURE)
    put(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 6 if has_alpha else 2, 0, 0, 0))
    put(b"iCCP", b"sRGB\0\0" + zlib.compress(make_profile()))
    if dpi is not None:
        per_meter = round(dpi / 0.0254)
        put(b"pHYs", struct.pack(">IIB", per_meter, per_meter, 1))
    about = PngImagePlugin.PngInfo()
    for keyword, text in texts.items():
        about.add_text(keyword, text)
    for name, data, *_ in about.chunks:
        put(name, data)
    for data in compress_rows(strips):
        put(b"IDAT", data)
    put(b"IEND", b"")


def compress_rows(strips: Iterable[NDArray[np.uint8]]) -> Iterator[bytes]:
    """Compress rows as PNG and PDF have them, each as its difference to that above."""
    packer = zlib.compressobj(_LEVEL)
    above: NDArray[np.uint8] | None = None
    for strip in strips:
        rows = strip.reshape(len(strip), -1)
        if above is None:
            above = np.zeros(rows.shape[1], np.uint8)
        filtered = np.empty((len(rows), rows.shape[1] + 1), np.uint8)
        filtered[:, 0] = _UP
        np.subtract(rows[0], above, out=filtered[0, 1:])
        np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
        above = rows[-1].copy()
        if data := packer.compress(filtered.tobytes()):
            yield data
    yield packer.flush()


def make_profile() -> bytes:
    """Make an ICC profile of sRGB, the same each time."""
    from PIL import ImageCms

    profile = bytearray(
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    )
    profile[_PROFILE_DATE] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    return bytes(profile)
