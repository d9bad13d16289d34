"""PNG and TIFF files of kinds that Pillow writes none of, written by hand."""

import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray


def tiff(pixels: NDArray[Any], *, profile: bytes = b"", **tags: int) -> bytes:
    """Write a TIFF of a kind that Pillow writes none of."""
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    data = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    bits = [8 * pixels.dtype.itemsize] * channels
    kinds = {"u": 1, "i": 2, "f": 3}
    values: dict[int, list[int]] = {
        256: [pixels.shape[1]],
        257: [pixels.shape[0]],
        258: [tags.get("bits", bits[0])] * channels,
        259: [1],
        262: [tags.get("photometric", 1 if channels == 1 else 2)],
        273: [8],
        274: [tags.get("orientation", 1)],
        277: [channels],
        278: [pixels.shape[0]],
        279: [len(data)],
        338: [tags.get("extra", 2)],
        339: [kinds[pixels.dtype.kind]] * channels,
    }
    if channels < 4:
        del values[338]
    if profile:
        values[34675] = list(profile)
    entries, more, at = b"", b"", 8 + len(data) + 2 + 12 * len(values) + 4
    for tag, numbers in values.items():
        kind, letter = (7, "B") if tag == 34675 else (4, "L")
        written = struct.pack(f"<{len(numbers)}{letter}", *numbers)
        if len(written) > 4:
            more, written = more + written, struct.pack("<L", at + len(more))
        entries += struct.pack("<HHL", tag, kind, len(numbers)) + written
    table = struct.pack("<H", len(values)) + entries + bytes(4) + more
    return b"II*\0" + struct.pack("<L", 8 + len(data)) + data + table


def deep_png(pixels: NDArray[np.uint16], *chunks: tuple[bytes, bytes]) -> bytes:
    """Write a PNG of 16 bits, of 1 to 4 channels, with more chunks."""
    height, width = pixels.shape[:2]
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[1 if pixels.ndim == 2 else pixels.shape[2]]
    rows = pixels.astype(">u2").reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    written = b"\x89PNG\r\n\x1a\n"
    for name, body in ((b"IHDR", header), *chunks, (b"IDAT", data), (b"IEND", b"")):
        checked = name + body
        written += struct.pack(">I", len(body)) + checked
        written += struct.pack(">I", zlib.crc32(checked))
    return written
