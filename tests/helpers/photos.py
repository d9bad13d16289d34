"""Photos with what cameras write into them, raw ones too."""

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

TAG = ExifTags.Base

# Of TIFF: type, bytes of one.
BYTE, ASCII, SHORT, LONG, RATIONAL = (1, 1), (2, 1), (3, 2), (4, 4), (5, 8)
S_RATIONAL = (10, 8)


def make_photo(
    suffix: str = "JPEG",
    *,
    color: tuple[int, int, int] = (0, 0, 0),
    size: tuple[int, int] = (8, 6),
    own: dict[str, str] | None = None,
    **tags: str,
) -> bytes:
    """Make a photo; `own` are tags of the Exif directory, others of the image's."""
    exif = Image.Exif()
    for name, value in tags.items():
        exif[TAG[name]] = value
    exif[ExifTags.IFD.Exif] = {
        TAG[name].value: value for name, value in (own or {}).items()
    }
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, suffix, exif=exif.tobytes())
    return file.getvalue()


def write_photo(path: Path, time: str | None = None, **how: Any) -> Path:
    """Write a JPEG, taken at a time as EXIF has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(make_photo(own={"DateTimeOriginal": time} if time else {}, **how))
    return path


def make_dng(sensor: NDArray[np.uint16], *, sees_color: bool = True) -> bytes:
    """Make a raw photo of what a sensor (h, w) saw through red, green, green, blue.

    sees_color : else there was nothing before it
    """
    height, width = sensor.shape
    one = struct.pack("<II", 1, 1)
    matrix = struct.pack(
        "<18i",
        *(32_406, 10_000, -15_372, 10_000, -4_986, 10_000),
        *(-9_689, 10_000, 18_758, 10_000, 415, 10_000),
        *(557, 10_000, -2_040, 10_000, 10_570, 10_000),
    )
    tags = [
        (254, LONG, struct.pack("<I", 0)),
        (256, LONG, struct.pack("<I", width)),
        (257, LONG, struct.pack("<I", height)),
        (258, SHORT, struct.pack("<H", 16)),
        (259, SHORT, struct.pack("<H", 1)),
        (262, SHORT, struct.pack("<H", 32_803 if sees_color else 34_892)),
        (271, ASCII, b"Reelbow\0"),
        (272, ASCII, b"Test\0"),
        (273, LONG, b"data"),
        (277, SHORT, struct.pack("<H", 1)),
        (278, LONG, struct.pack("<I", height)),
        (279, LONG, struct.pack("<I", 2 * height * width)),
        (33_421, SHORT, struct.pack("<HH", 2, 2)),
        (33_422, BYTE, bytes([0, 1, 1, 2])),
        (50_706, BYTE, bytes([1, 4, 0, 0])),
        (50_708, ASCII, b"Reelbow Test\0"),
        (50_717, LONG, struct.pack("<I", 65_535)),
        (50_721, S_RATIONAL, matrix),
        (50_728, RATIONAL, one * 3),
        (50_778, SHORT, struct.pack("<H", 21)),
    ]
    if not sees_color:
        tags = [tag for tag in tags if tag[0] not in (33_421, 33_422)]
    start = 8 + 2 + 12 * len(tags) + 4
    entries, values = b"", b""
    room = sum(len(value) + len(value) % 2 for *_, value in tags if len(value) > 4)
    for tag, (kind, size), value in tags:
        if value == b"data":
            value = struct.pack("<I", start + room)
        field = value.ljust(4, b"\0")
        if len(value) > 4:
            field = struct.pack("<I", start + len(values))
            values += value + b"\0" * (len(value) % 2)
        entries += struct.pack("<HHI", tag, kind, len(value) // size) + field
    header = b"II*\0" + struct.pack("<IH", 8, len(tags))
    data = sensor.astype("<u2").tobytes()
    return header + entries + bytes(4) + values + data
