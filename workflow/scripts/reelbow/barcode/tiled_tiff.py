"""Pictures of any width as one tiled TIFF, written while they are drawn.

TIFF 6.0, and BigTIFF where the file has more than 4 GB. One part is held at a time.
"""

import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

# Pixels of a tile's side, a multiple of 16; lower pictures have lower tiles.
TILE = 512

# Of a file's beginning, what leaves room for either kind of header.
_HEADER_BYTES = 16

# Where the offsets of a TIFF, which have 32 bits, end.
_MOST_BYTES = 1 << 32

# Of zlib, as for shapes.
_LEVEL = 4

_ASCII, _SHORT, _LONG, _LONG8 = 2, 3, 4, 16
_CODES = {_SHORT: "H", _LONG: "I", _LONG8: "Q"}


def write_tiff(
    path: Path,
    parts: Iterable[NDArray[np.uint8]],
    *,
    software: str,
    description: str = "",
) -> None:
    """Write a picture part by part, from left to right.

    Parameters
    ----------
    parts : (height, n, 3) uint8 sRGB each, n being `TILE`, of the last one less or as
        much; one at least
    software, description : ASCII; they lie in the file's first bytes
    """
    width = height = 0
    # Of each part, where its tiles are in the file, from above, and their bytes.
    offsets: list[list[int]] = []
    sizes: list[list[int]] = []
    with path.open("wb") as file:
        file.write(bytes(_HEADER_BYTES))
        texts: dict[int, tuple[int, bytes]] = {}
        for tag, text in {305: software, 270: description}.items():
            if text:
                texts[tag] = file.tell(), text.encode("ascii") + b"\0"
                file.write(texts[tag][1])
        for part in parts:
            height = part.shape[0]
            width += part.shape[1]
            offsets.append([])
            sizes.append([])
            for tile in _cut_tiles(part):
                data = zlib.compress(tile, _LEVEL)
                offsets[-1].append(file.tell())
                sizes[-1].append(len(data))
                file.write(data)
        is_big = file.tell() + 32 * sum(map(len, sizes)) + 4096 > _MOST_BYTES
        words = _LONG8 if is_big else _LONG
        fields = {
            256: (_LONG, [width]),
            257: (_LONG, [height]),
            258: (_SHORT, [8, 8, 8]),
            259: (_SHORT, [8]),  # deflate
            262: (_SHORT, [2]),  # RGB
            277: (_SHORT, [3]),
            284: (_SHORT, [1]),  # pixel by pixel
            322: (_SHORT, [TILE]),
            323: (_SHORT, [_find_rows(height)]),
            # Tiles are counted row by row.
            324: (words, np.array(offsets).T.ravel().tolist()),
            325: (words, np.array(sizes).T.ravel().tolist()),
        }
        _write_fields(file, fields, texts, is_big=is_big)


def _find_rows(height: int) -> int:
    """Find the rows of a tile, a multiple of 16."""
    return min(TILE, -(-height // 16) * 16)


def _cut_tiles(part: NDArray[np.uint8]) -> Iterable[bytes]:
    """Cut a part into tiles from above; what they lack repeats the last line."""
    rows = _find_rows(len(part))
    below = -len(part) % rows
    padded = np.pad(part, ((0, below), (0, TILE - part.shape[1]), (0, 0)), mode="edge")
    for top in range(0, len(padded), rows):
        yield padded[top : top + rows].tobytes()


def _write_fields(
    file: BinaryIO,
    fields: dict[int, tuple[int, list[int]]],
    texts: dict[int, tuple[int, bytes]],
    *,
    is_big: bool,
) -> None:
    """Write at the file's end what tells of the picture, and in its head where that is.

    texts : where in the file each lies already, and what it is
    """
    word, count = ("Q", "Q") if is_big else ("I", "H")
    entries = {}
    for tag, (kind, values) in fields.items():
        data = struct.pack(f"<{len(values)}{_CODES[kind]}", *values)
        place = file.tell() + file.tell() % 2
        if len(data) > struct.calcsize(word):
            file.write(bytes(place - file.tell()) + data)
        entries[tag] = kind, len(values), place, data
    for tag, (place, data) in texts.items():
        entries[tag] = _ASCII, len(data), place, data
    file.write(bytes(file.tell() % 2))
    directory = file.tell()
    file.write(struct.pack(f"<{count}", len(entries)))
    for tag, (kind, n_values, place, data) in sorted(entries.items()):
        file.write(struct.pack(f"<HH{word}", tag, kind, n_values))
        # What is short enough stands in the place of its place.
        is_short = len(data) <= struct.calcsize(word)
        file.write(
            data.ljust(struct.calcsize(word), b"\0")
            if is_short
            else struct.pack(f"<{word}", place)
        )
    file.write(struct.pack(f"<{word}", 0))
    file.seek(0)
    if is_big:
        file.write(struct.pack("<2sHHHQ", b"II", 43, 8, 0, directory))
    else:
        file.write(struct.pack("<2sHI", b"II", 42, directory))
