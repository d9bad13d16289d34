"""The coefficients of a JPEG: its header, and its scan from bits to blocks.

For the JPEGs that nearly everybody writes: 8 bits, Huffman codes, one scan of Y'CbCr
(ITU-T T.81 | ISO/IEC 10918-1, T.871). All others, and all that are not wholly as they
should be, are left to libjpeg.
"""

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelbow.machine.compiled import cached_njit, compile_into, inner_njit

# Bits of a code and its value that one look finds; longer ones take some more steps.
# With more bits the tables crowd out what else is near the processor.
_LOOK = 10
_TABLES = 8

# An entry of the look-up table: bits to go on by, flags, coefficients to skip, value.
_LENGTH = 63
_SPLIT = 64  # the value follows; its bits stand in its place
_LAST = 128  # the block ends behind it
_RUN_AT = 8
_VALUE_AT = 16
_END = 100  # as a run: past the end of a block, whatever was skipped before

# What one MCU may take beyond the end before that is noticed: 6 blocks of 64 values,
# each of a code of 16 bits and 11 of its own, which `_is_known` sees to.
_SPARE_WORDS = 6 * 64

# Blocks across and down in an MCU, of luma, Cb and Cr.
_SAMPLINGS = {bytes([luma, 0x11, 0x11]) for luma in (0x11, 0x12, 0x21, 0x22)}
_RESTART, _END_OF_IMAGE = 0xD0, 0xD9

# (8, 8) what each frequency adds to each sample: the orthonormal cosine transform.
BASIS = np.cos(np.outer(np.arange(8), 2 * np.arange(8) + 1) * np.pi / 16) / 2
BASIS[0] /= np.sqrt(2)

# (64,) the frequencies of each coefficient, in the order of the scan: along diagonals,
# to and fro.
_ACROSS, _DOWN = np.array(
    sorted(np.ndindex(8, 8), key=lambda at: (sum(at), at[sum(at) % 2]))
).T

# In a block they lie by columns.
_NATURAL = (8 * _ACROSS + _DOWN).astype(np.uint64)

# The most that one adds to a sample, rounded up.
_REACHES = abs(BASIS).max(axis=1)[_ACROSS] * abs(BASIS).max(axis=1)[_DOWN]
_REACHES = np.nextafter(_REACHES.astype(np.float32), np.float32(1))

# mypy's view; numba makes both one.
_Int = int | np.int64

# An index without a sign, at which numba need not look.
_BLOCK = np.uint64(64)


class Header(NamedTuple):
    """What stands before a JPEG's scan.

    Attributes
    ----------
    height, width : in pixels
    down, across : blocks of luma to one of chroma
    interval : MCUs between restarts; 0: none
    quantizers : (3, 64) float32, in the order of the scan
    dc, ac : (3,) int64, the tables of Huffman codes of each component
    codes : which tables there are: number, and what a file says of it
    scan : where the scan's data begin
    is_described : whether it has a part by EXIF or XMP, which may say that it is turned
    """

    height: int
    width: int
    down: int
    across: int
    interval: int
    quantizers: NDArray[np.float32]
    dc: NDArray[np.int64]
    ac: NDArray[np.int64]
    codes: tuple[tuple[int, bytes], ...]
    scan: int
    is_described: bool

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of MCUs."""
        return (
            -(-self.height // (8 * self.down)),
            -(-self.width // (8 * self.across)),
        )


class Codes(NamedTuple):
    """Huffman codes; axis 0 are tables, of AC from 4 on.

    Attributes
    ----------
    entries : flat, (8, 2**10) int32, by table and the next bits
    limits : (8, 17) int64, the first number of so many bits that is no code of them
    shifts : (8, 17) int64, from a code of so many bits to the place of its symbol
    symbols : (8, 256) uint8
    ends : (8, 2) uint64, the code that ends a block, highest bit first, and its length
    """

    entries: NDArray[np.int32]
    limits: NDArray[np.int64]
    shifts: NDArray[np.int64]
    symbols: NDArray[np.uint8]
    ends: NDArray[np.uint64]


class Coefficients(NamedTuple):
    """The coefficients of a JPEG, which `decode_mcu` takes one MCU after the other.

    Attributes
    ----------
    n_luma : blocks of luma in an MCU; one of Cb and one of Cr follow
    interval : MCUs between restarts
    words : uint32, the bits of the scan, the first one highest
    parts : (n, 2) int64, the bit that each part between restarts begins with, and the
        one behind it
    state : (6,) int64, the next bit, the part it is of, and the MCUs left in that; of
        each component the first value of its last block
    starts : (6,) uint64, where the codes of the components' first values begin in the
        entries, then those of all others
    codes : the Huffman codes
    factors : (3 * 64,) float32, what values are times, by component
    reaches : (3 * 64,) float32, the most that a value of 1 adds to a sample
    natural : (64,) uint64, where each value lies in a block
    """

    n_luma: int
    interval: int
    words: NDArray[np.uint32]
    parts: NDArray[np.int64]
    state: NDArray[np.int64]
    starts: NDArray[np.uint64]
    codes: Codes
    factors: NDArray[np.float32]
    reaches: NDArray[np.float32]
    natural: NDArray[np.uint64]


def read_header(data: bytes) -> Header | None:
    """Read what stands before the scan; None if it is not of the kind known here."""
    quantizers: dict[int, NDArray[np.float32]] = {}
    codes: dict[int, bytes] = {}
    frame = scan = b""
    interval = 0
    is_jfif = is_described = False
    adobe = None
    at = 2
    while not scan:
        mark, kind = data[at : at + 1], data[at + 1 : at + 2]
        length = int.from_bytes(data[at + 2 : at + 4])
        part = data[at + 4 : at + 2 + length]
        at += 2 + length
        if mark != b"\xff" or length < 2 or len(part) != length - 2:
            return None
        match kind[0]:
            case 0xDB:
                while part:
                    # Of 8 bits each.
                    if part[0] > 3 or len(part) < 65:
                        return None
                    factors = np.frombuffer(part[1:65], np.uint8)
                    quantizers[part[0]] = factors.astype(np.float32)
                    part = part[65:]
            case 0xC4:
                while part:
                    n = 17 + sum(part[1:17])
                    if part[0] & 0xEC or len(part) < n:
                        return None
                    codes[(part[0] >> 4) * 4 + (part[0] & 3)] = part[1:n]
                    part = part[n:]
            case 0xC0 | 0xC1:
                if frame:
                    return None
                frame = part
            case 0xDD:
                if len(part) != 2:
                    return None
                interval = int.from_bytes(part)
            case 0xDA:
                scan = part
            # libjpeg believes neither if it is shorter.
            case 0xE0:
                is_jfif = is_jfif or (len(part) >= 14 and part.startswith(b"JFIF\0"))
            case 0xE1:
                is_described = True
            case 0xEE:
                if len(part) >= 12 and part.startswith(b"Adobe"):
                    adobe = part[11:12]
            case other if other != 0xFE and not 0xE0 <= other <= 0xEF:
                return None
    height, width = int.from_bytes(frame[1:3]), int.from_bytes(frame[3:5])
    # Three components of 8 bits, chroma at most halved, all in one scan and one pass.
    ids, sampling, tables = frame[6::3], frame[7::3], frame[8::3]
    if (
        len(frame) != 15
        or frame[0] != 8
        or frame[5] != 3
        or not height
        or not width
        or sampling not in _SAMPLINGS
        or len(scan) != 10
        or scan[0] != 3
        or scan[1:7:2] != ids
        or scan[7:] != b"\0\x3f\0"
    ):
        return None
    # That they are Y'CbCr is said, or taken for granted, as libjpeg does.
    if not is_jfif and (ids != b"\1\2\3" if adobe is None else adobe != b"\1"):
        return None
    dc = [each >> 4 for each in scan[2:8:2]]
    ac = [4 + (each & 15) for each in scan[2:8:2]]
    if not {*tables} <= {*quantizers} or not {*dc, *ac} <= {*codes} or max(dc) > 3:
        return None
    return Header(
        height=height,
        width=width,
        down=sampling[0] & 15,
        across=sampling[0] >> 4,
        interval=interval,
        quantizers=np.stack([quantizers[table] for table in tables]),
        dc=np.array(dc),
        ac=np.array(ac),
        codes=tuple(sorted(codes.items())),
        scan=at,
        is_described=is_described,
    )


def open_scan(data: bytes, header: Header) -> Coefficients | None:
    """Make the coefficients ready; None if it is plain by now that they are damaged."""
    codes = _find_codes(header.codes)
    n_mcus = header.shape[0] * header.shape[1]
    interval = header.interval or n_mcus
    n_parts = -(-n_mcus // interval)
    rest = np.frombuffer(data, np.uint8)[header.scan :]
    # Each part takes some bytes: who claims more could have us make room for anything.
    if codes is None or n_parts > len(rest):
        return None
    words, parts, is_whole = _read_scan(rest, n_parts)
    if not is_whole:
        return None
    return Coefficients(
        header.down * header.across,
        interval,
        words,
        parts,
        np.array([parts[0, 0], 0, interval, 0, 0, 0]),
        (np.concatenate([header.dc, header.ac]) << _LOOK).astype(np.uint64),
        codes,
        header.quantizers.reshape(-1),
        (header.quantizers * _REACHES).reshape(-1),
        _NATURAL,
    )


# A film's frames have mostly the same.
@functools.lru_cache(maxsize=16)
def _find_codes(tables: tuple[tuple[int, bytes], ...]) -> Codes | None:
    """Make ready for looking up the codes of these tables; None if they are none."""
    codes = Codes(
        np.zeros(_TABLES << _LOOK, np.int32),
        np.zeros((_TABLES, 17), np.int64),
        np.zeros((_TABLES, 17), np.int64),
        np.zeros((_TABLES, 256), np.uint8),
        np.zeros((_TABLES, 2), np.uint64),
    )
    for table, about in tables:
        n_codes = np.frombuffer(about[:16], np.uint8).astype(np.int64)
        symbols = np.frombuffer(about[16:], np.uint8)
        if len(symbols) > 256 or not _fill_codes(codes, table, n_codes, symbols):
            return None
    return codes


@cached_njit
def _fill_codes(
    codes: Codes, table: int, n_codes: NDArray[np.int64], symbols: NDArray[np.uint8]
) -> bool:
    """Fill one table from its (16,) codes of each length, and their symbols.

    Returns
    -------
    Whether that many codes can be
    """
    entries = codes.entries[table << _LOOK : (table + 1) << _LOOK]
    entries[:] = _SPLIT
    code = place = 0
    end_code, end_length = -1, 0
    for length in range(1, 17):
        codes.shifts[table, length] = place - code
        for _ in range(n_codes[length - 1]):
            symbol = np.int64(symbols[place])
            # All ones are no code.
            if code + 1 >= 1 << length or not _is_known(symbol, table >= 4):
                return False
            codes.symbols[table, place] = symbol
            if table >= 4 and symbol == 0:
                end_code, end_length = code, length
            if length <= _LOOK:
                _fill_entries(entries, code, length, symbol, table >= 4)
            code += 1
            place += 1
        codes.limits[table, length] = code
        code <<= 1
    if end_length:
        codes.ends[table, 0] = np.uint64(end_code) << np.uint64(64 - end_length)
        codes.ends[table, 1] = end_length
    # Where the end of the block follows within the bits that are looked at, both are
    # found at once.
    for bits in range(1 << _LOOK):
        entry = np.int64(entries[bits])
        used = entry & _LENGTH
        run = entry >> _RUN_AT & 127
        left = _LOOK - used - end_length
        if not end_length or not used or left < 0 or run == _END or entry & _SPLIT:
            continue
        if bits >> left & ((1 << end_length) - 1) == end_code:
            entries[bits] = np.int32((entry + end_length) | _LAST)
    return True


@inner_njit
def _is_known(symbol: _Int, is_ac: bool) -> bool:
    """Whether a symbol is one of T.81's for samples of 8 bits."""
    if not is_ac:
        return bool(symbol <= 11)
    size = symbol & 15
    return bool(size <= 10 and (size > 0 or symbol in (0x00, 0xF0)))


@inner_njit
def _fill_entries(
    entries: NDArray[np.int32], code: int, length: int, symbol: _Int, is_ac: bool
) -> None:
    """Fill the entries of all bits that begin with a code."""
    run, size = (symbol >> 4, symbol & 15) if is_ac else (0, symbol & 15)
    if is_ac and symbol == 0:
        run = _END
    left = _LOOK - length
    for bits in range(1 << left):
        if size <= left:
            value = _extend(bits >> (left - size), size)
            entry = value << _VALUE_AT | run << _RUN_AT | (length + size)
        else:
            entry = size << _VALUE_AT | run << _RUN_AT | _SPLIT | length
        entries[(code << left) + bits] = np.int32(entry)


@inner_njit
def _extend(bits: _Int, size: _Int) -> _Int:
    """Tell the value that so many bits stand for."""
    value: _Int = bits - (1 << size) + 1 if bits < (1 << size) >> 1 else bits
    return value


@cached_njit
def _read_scan(
    data: NDArray[np.uint8], n_parts: int
) -> tuple[NDArray[np.uint32], NDArray[np.int64], bool]:
    """Read the bits of a scan, up to the end of the image.

    Parameters
    ----------
    n_parts : between restarts

    Returns
    -------
    words of 32 bits, the first one highest; (n_parts, 2) the bit that each part begins
    with, and the one behind it; and whether there are as many, in order
    """
    words = np.zeros(len(data) // 4 + n_parts + _SPARE_WORDS, np.uint32)
    # In the order of a machine whose words begin with the lowest byte.
    in_words = words.view(np.uint8)
    parts = np.zeros((n_parts, 2), np.int64)
    part = start = at = 0
    after_ones = False
    for byte in data:
        if not after_ones:
            in_words[np.uint64(at ^ 3)] = byte
            at += 1
            after_ones = byte == 0xFF
            continue
        after_ones = False
        if byte == 0:
            continue
        # A marker: the byte before it is none of the scan's.
        parts[part, 0] = 8 * start
        parts[part, 1] = 8 * (at - 1)
        part += 1
        if part == n_parts:
            return words, parts, byte == _END_OF_IMAGE
        if byte != _RESTART + (part - 1) % 8:
            break
        start = at = (at + 2) & ~3
    return words, parts, False


@compile_into
def decode_mcu(
    jpeg: Coefficients,
    blocks: NDArray[np.float32],
    at: np.uint64,
    swings: NDArray[np.float32],
) -> bool:
    """Decode the blocks of the next MCU.

    Parameters
    ----------
    blocks : flat; filled from `at` on with (blocks, 8, 8): the frequencies across, down
    swings : (blocks,) filled with the most that samples differ from a block's mean

    Returns
    -------
    Whether its bits make sense
    """
    codes, state = jpeg.codes, jpeg.state
    if state[2] == 0:
        if not is_part_done(jpeg):
            return False
        state[1] += 1
        state[0] = jpeg.parts[state[1], 0]
        state[2] = jpeg.interval
        state[3:] = 0
    state[2] -= 1
    # The next bits, highest first; how many they are; and the next word.
    word, n_bits = (state[0] >> 5) + 1, 32 - (state[0] & 31)
    bits = np.uint64(jpeg.words[word - 1]) << np.uint64(64 - n_bits)
    for block in range(jpeg.n_luma + 2):
        component = max(0, block - jpeg.n_luma + 1)
        own = at + np.uint64(64 * block)
        for i in range(_BLOCK):
            blocks[own + i] = 0
        # The mean, as a difference from the block before.
        if n_bits < 32:
            n_bits += 32
            bits |= np.uint64(jpeg.words[word]) << np.uint64(64 - n_bits)
            word += 1
        start = jpeg.starts[component]
        length, _, value, _ = _look_up(codes, start, bits)
        if length == 0:
            return False
        bits <<= np.uint64(length)
        n_bits -= length
        state[3 + component] += value
        factor = np.uint64(64 * component)
        blocks[own] = np.float32(state[3 + component]) * jpeg.factors[factor]
        start = jpeg.starts[component + 3]
        swing = np.float32(0)
        place: _Int = 1
        while place < 64:
            if n_bits < 32:
                n_bits += 32
                bits |= np.uint64(jpeg.words[word]) << np.uint64(64 - n_bits)
                word += 1
            length, run, value, last = _look_up(codes, start, bits)
            if length == 0:
                return False
            bits <<= np.uint64(length)
            n_bits -= length
            place += run
            if place > 63:
                if place < _END:
                    return False
                break
            coefficient = np.float32(value)
            blocks[own + jpeg.natural[np.uint64(place)]] = (
                coefficient * jpeg.factors[factor + np.uint64(place)]
            )
            swing += abs(coefficient) * jpeg.reaches[factor + np.uint64(place)]
            place += 1 + last
        if place == 64 + _LAST:
            # Behind the very last value stands no end: those bits are of what follows.
            table = start >> np.uint64(_LOOK)
            bits = bits >> codes.ends[table, 1] | codes.ends[table, 0]
            n_bits += np.int64(codes.ends[table, 1])
        if swing == 0:
            # Where all samples are one, so is how they are rounded: black is black.
            mean = np.floor(blocks[own] * np.float32(0.125) + np.float32(0.5))
            blocks[own] = mean * np.float32(8)
        swings[block] = swing
    state[0] = 32 * word - n_bits
    return bool(state[0] <= jpeg.parts[state[1], 1])


@inner_njit
def is_part_done(jpeg: Coefficients) -> bool:
    """Whether all bits are taken up to the next restart, but what fills up a byte."""
    left = jpeg.parts[jpeg.state[1], 1] - jpeg.state[0]
    return bool(0 <= left < 8)


@compile_into
def _look_up(
    codes: Codes, start: np.uint64, bits: np.uint64
) -> tuple[_Int, _Int, _Int, _Int]:
    """Look up the next code and its value.

    Returns
    -------
    the bits of both, 0 if there is no such code; the coefficients to skip; the value;
    and `_LAST` if the block ends behind it
    """
    entry = np.int64(codes.entries[start + (bits >> np.uint64(64 - _LOOK))])
    if entry & _SPLIT:
        length, run, size = _find_code(codes, start, bits, entry)
        if length == 0:
            return 0, 0, 0, 0
        return length + size, run, _take_value(bits << np.uint64(length), size), 0
    return entry & _LENGTH, entry >> _RUN_AT & 127, entry >> _VALUE_AT, entry & _LAST


@inner_njit
def _find_code(
    codes: Codes, start: np.uint64, bits: np.uint64, entry: _Int
) -> tuple[_Int, _Int, _Int]:
    """Find a code that is longer than what was looked at, or whose value is.

    Returns
    -------
    its length, 0 if there is none; the coefficients to skip; the bits of the value
    """
    if entry & _LENGTH:
        return entry & _LENGTH, entry >> _RUN_AT & 127, entry >> _VALUE_AT
    table = np.int64(start) >> _LOOK
    for length in range(_LOOK + 1, 17):
        code = np.int64(bits >> np.uint64(64 - length))
        if code < codes.limits[table, length]:
            symbol = np.int64(codes.symbols[table, code + codes.shifts[table, length]])
            if table < 4:
                return length, 0, symbol
            return length, symbol >> 4 if symbol else _END, symbol & 15
    return 0, 0, 0


@inner_njit
def _take_value(bits: np.uint64, size: _Int) -> _Int:
    """Take the value that the next bits stand for."""
    return _extend(np.int64(bits >> np.uint64(1) >> np.uint64(63 - size)), size)
