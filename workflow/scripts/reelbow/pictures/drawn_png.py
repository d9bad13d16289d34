"""Encodes drawings as PNGs, several times as fast as zlib compresses them.

In a row of a drawing most pixels are as the one before. Of such runs, and of codes that
suit drawings, a stream of deflate (RFC 1951) is made in one pass, and its checksum with
it, to which a run of gray adds as a whole.
"""

import functools
import heapq
import struct
import zlib
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from reelbow.machine.compiled import cached_njit

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GRAY, _RGB = 0, 2

# What stands before the rows: a zlib stream of deflate.
_ZLIB = b"\x78\x01"

# Of deflate: how long a code may be, and matches.
_MOST_BITS = 15
_LEAST_MATCH, _MOST_MATCH = 3, 258

# How often symbols come in drawings of 28 to 512 pixels, roughly. 0 to 255 are bytes,
# 256 the end, and from 257 on lengths of matches, of which those up to 10 come first.
_WEIGHTS = np.full(286, 2)
_WEIGHTS[np.rint(255 * np.arange(1, 64) / 64).astype(np.intp)] = 60
_WEIGHTS[[0, 255]] = 1600
_WEIGHTS[257:285] = 70
_WEIGHTS[285] = 300


def encode_drawing(picture: NDArray[np.uint8], *, is_gray: bool) -> bytes:
    """Encode an (h, w, 3) uint8 sRGB drawing as PNG, without loss.

    One that is gray has a single channel there, and may be (h, w) here.
    """
    height, width = picture.shape[:2]
    if is_gray and picture.ndim == 3:
        picture = np.asarray(cv2.extractChannel(picture, 0), np.uint8)
    rows = np.ascontiguousarray(picture).reshape(height, -1)
    n_channels = 1 if is_gray else 3
    header, n_header_bits = _make_header(n_channels)
    start, n_rest = divmod(n_header_bits, 8)
    rest = header >> 8 * start
    before = (header - (rest << 8 * start)).to_bytes(start, "little")
    # At worst all bytes have the longest code.
    room = np.empty((rows.size + height) * _MOST_BITS // 8 + 16, np.uint8)
    n_bytes, checksum = _deflate(
        rows, n_channels, *_CODES, np.uint64(rest), np.uint64(n_rest), room
    )
    parts = [_ZLIB, before, room[:n_bytes].tobytes(), struct.pack(">I", checksum)]
    kind = _GRAY if is_gray else _RGB
    return (
        _SIGNATURE
        + _make_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0))
        + _make_chunk(b"IDAT", b"".join(parts))
        + _make_chunk(b"IEND", b"")
    )


def _make_chunk(name: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(name))
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)


def _find_lengths(weights: Sequence[int]) -> list[int]:
    """Find how long Huffman's codes are for symbols that come as often."""
    lengths = [0] * len(weights)
    heap = [(weight, [symbol]) for symbol, weight in enumerate(weights)]
    heapq.heapify(heap)
    while len(heap) > 1:
        (weight, symbols), (other, more) = heapq.heappop(heap), heapq.heappop(heap)
        symbols = symbols + more
        for symbol in symbols:
            lengths[symbol] += 1
        heapq.heappush(heap, (weight + other, symbols))
    return lengths


def _find_codes(lengths: Sequence[int]) -> list[int]:
    """Find deflate's codes of these lengths, their first bits lowest."""
    codes = [0] * len(lengths)
    code, before = 0, 0
    for length, symbol in sorted((length, i) for i, length in enumerate(lengths)):
        code <<= length - before
        codes[symbol] = _turn(code, length)
        code, before = code + 1, length
    return codes


def _turn(code: int, n_bits: int) -> int:
    return int(f"{code:0{n_bits}b}"[::-1], 2)


_LENGTHS = _find_lengths(_WEIGHTS.tolist())


@functools.cache
def _make_header(n_channels: int) -> tuple[int, int]:
    """Make what tells a block's codes, the first bit lowest, and how many bits it has.

    Each length has a code of four bits. Of distances there is that of a pixel, of which
    the code is a single 0.
    """
    lengths = [*_LENGTHS, *[0] * (n_channels - 1), 1]
    parts = [
        # The last block, with codes of its own, for so many symbols and distances.
        *((1, 1), (2, 2), (len(_LENGTHS) - 257, 5), (n_channels - 1, 5)),
        # Of the codes of lengths there are all, but for those of repeated ones.
        *((15, 4), (0, 9), *[(4, 3)] * 16),
        *((_turn(length, 4), 4) for length in lengths),
    ]
    bits = n_bits = 0
    for value, n in parts:
        bits |= value << n_bits
        n_bits += n
    return bits, n_bits


def _make_codes() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Make the codes of bytes, and from 256 on of matches: of n bytes at 256 + n.

    Returns
    -------
    the codes, their first bits lowest, and how many bits they have
    """
    codes = _find_codes(_LENGTHS)
    found = [(code, n) for code, n in zip(codes, _LENGTHS, strict=True)][:257]
    found += [(0, 0)] * _MOST_MATCH
    symbol, length, n_extra = 257, _LEAST_MATCH, 0
    while length < _MOST_MATCH:
        code, n = codes[symbol], _LENGTHS[symbol]
        for extra in range(1 << n_extra):
            # And a 0 for the distance.
            found[256 + length + extra] = code | extra << n, n + n_extra + 1
        length += 1 << n_extra
        symbol += 1
        n_extra = max(0, (symbol - 261) // 4)
    found[256 + _MOST_MATCH] = codes[285], _LENGTHS[285] + 1
    all_codes, n_bits = np.array(found, np.uint64).T.copy()
    return all_codes, n_bits


_CODES = _make_codes()


@cached_njit
def _deflate(
    rows: NDArray[np.uint8],
    step: int,
    codes: NDArray[np.uint64],
    lengths: NDArray[np.uint64],
    bits: np.uint64,
    n_bits: np.uint64,
    room: NDArray[np.uint8],
) -> tuple[int, int]:
    """Write rows (h, w), each behind a 0, as the rest of a block of deflate.

    Parameters
    ----------
    step : bytes of a pixel
    codes, lengths : as `_make_codes` gives them
    bits, n_bits : what is before, up to 7 bits
    room : for the stream

    Returns
    -------
    its bytes, and the checksum of the rows
    """
    width = rows.shape[1]
    at = 0
    low, high = 1, 0
    for row in range(len(rows)):
        line = rows[row]
        # -1: the 0 that begins a row, and says that it is no difference to another.
        i = -1
        while i < width:
            symbol, n = 0, 1
            if i >= 0:
                symbol = int(line[i])
                # How far bytes are as those of the pixel before, 32 of them at once.
                end = i
                if i >= step and line[i] == line[i - step]:
                    is_alike = True
                    while is_alike and end + 32 <= width:
                        some, before = line[end : end + 32], line[end - step :]
                        found = 0
                        for j in range(32):
                            found |= some[j] ^ before[j]
                        is_alike = found == 0
                        end += 32 if is_alike else 0
                    while end < width and line[end] == line[end - step]:
                        end += 1
                if end - i >= 3:
                    n = min(end - i, 258)
            if step == 1 or n == 1:
                high += n * low + symbol * (n * (n + 1) // 2)
                low += n * symbol
            else:
                for j in range(i, i + n):
                    low += line[j]
                    high += low
            i += n
            if n > 1:
                symbol = 256 + n
            bits |= codes[symbol] << n_bits
            n_bits += lengths[symbol]
            if n_bits >= 32:
                for _ in range(4):
                    room[at] = bits & np.uint64(0xFF)
                    bits >>= np.uint64(8)
                    at += 1
                n_bits -= np.uint64(32)
        low %= 65521
        high %= 65521
    bits |= codes[256] << n_bits
    n_bits += lengths[256]
    while n_bits > 0:
        room[at] = bits & np.uint64(0xFF)
        bits >>= np.uint64(8)
        at += 1
        n_bits -= min(n_bits, np.uint64(8))
    return at, high << 16 | low
