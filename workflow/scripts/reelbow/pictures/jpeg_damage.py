"""Judges JPEGs: kept, or too damaged.

libjpeg goes on over damage, and what it gives then may be far off, or nearly right.
Only the first of its words is told. So a part of the file that decides is decoded by
itself: what is right without a word there is right in the picture. Of much damage there
is no word, but it may show in the pixels.
"""

import itertools
import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Words of damage. Others are about what is unusual (an unknown version of JFIF) or
# about what libjpeg does not read at all.
_DAMAGE = re.compile(r"Corrupt|Premature end|Inconsistent progression")
_PADDING = re.compile(r"(\d+) extraneous bytes before marker 0xd9")

# Levels by which damage may shift the mean, as far as it can be told.
MOST_SHIFT = 2.0

# Part of the stretches between restart markers that may be damaged.
MOST_BAD_PARTS = 0.25

# Levels between rows of MCUs, by the median, that are no break of a picture's own; and
# how far the mean may be shifted by those that are larger.
BREAK = 4.0
MOST_DRIFT = 3.0

# A step that damage leaves is of so many levels or more, and so many times as high as
# breaks are in nine of ten rows of the picture; lines of text have some everywhere. On
# either side of its block it is no shorter than so many MCUs, and so much of it is at
# least half as high, less what has a break where there should be none. Where colors are
# so flat that breaks are smaller than this, a step may well be drawn.
LEAST_STEP = 6.0
LEAST_CONTRAST = 2.0
SHORTEST_STEP = 3
LEAST_AGREEMENT = 0.6
LEAST_TEXTURE = 0.1

# No side of a JPEG is longer for libjpeg.
LONGEST_SIDE = 65_500

# More segments than these, or more bytes of them for all parts, are there to keep us.
MOST_SEGMENTS = 1000
MOST_HEADER_BYTES = 1 << 28

# A marker of a segment: neither a stuffed 0xFF, nor filling, nor a restart, nor one
# without a meaning, over which libjpeg goes on.
_MARKER = re.compile(rb"\xff([\xc0-\xcf\xd8-\xfe])")
_RESTART = re.compile(rb"\xff([\xd0-\xd7])")
_SOF_SEQUENTIAL, _SOF_PROGRESSIVE = (0xC0, 0xC1), 0xC2
_SOI, _EOI, _SOS, _DRI = 0xD8, 0xD9, 0xDA, 0xDD
_END = bytes([0xFF, _EOI])

# The segments of a color profile, and what libjpeg says if one of them is missing.
_APP2, _PROFILE = 0xE2, b"ICC_PROFILE\0"
BROKEN_PROFILE = "bad ICC marker"

# Pixels of an MCU, (height, width), by simplejpeg's names of samplings.
_MCUS = {
    "444": (8, 8),
    "422": (8, 16),
    "420": (16, 16),
    "440": (16, 8),
    "411": (8, 32),
    "Gray": (8, 8),
}


class _Segment(NamedTuple):
    """Where a segment lies in the file; that of a scan's header goes on with the scan.

    Attributes
    ----------
    marker : its second byte
    start, body, end : of the marker, of what comes after it, and of all
    """

    marker: int
    start: int
    body: int
    end: int


def find_damage(data: bytes, said: str) -> str | None:
    """Judge a JPEG by what libjpeg says of it, and by what of it is right.

    Parameters
    ----------
    said : libjpeg's first word of warning

    Returns
    -------
    Why it cannot be kept; None: by this word it can.
    """
    if not _DAMAGE.search(said):
        return None
    segments = list(itertools.islice(_find_segments(data), MOST_SEGMENTS))
    markers = {segment.marker for segment in segments}
    if segments and segments[-1].marker == _EOI:
        padding = _PADDING.search(said)
        if padding and _is_padded(data, segments[-1].start, int(padding[1])):
            return None
        if _SOF_PROGRESSIVE in markers and _has_right_means(data, segments):
            return None
        if _DRI in markers and _has_right_parts(data, segments):
            return None
    return f"damaged ({said})"


def find_silent_damage(data: bytes, picture: NDArray[np.uint8]) -> str | None:
    """Judge a JPEG that libjpeg has no word about by its pixels.

    Parameters
    ----------
    picture : (h, w, 1 or 3) uint8, as it is stored; at a reduced scale nothing is seen

    Returns
    -------
    Why it cannot be kept; None: nothing is to be seen
    """
    import simplejpeg

    if len(picture) != simplejpeg.decode_jpeg_header(data)[0]:
        return None
    # Green is near to luma, which is what counts.
    shift = _find_step(picture[..., picture.shape[2] // 2], *_read_mcu(data))
    if shift < MOST_SHIFT:
        return None
    return f"damaged (from one block on all is too bright or dark, by {shift:.0f})"


def _find_step(plane: NDArray[np.uint8], rows: int, columns: int) -> float:
    """Find by how many levels a step that damage leaves shifts the mean.

    All MCUs that follow a damaged one, from left to right and down, are too bright or
    too dark alike. So there is a break to its right between its row and the one above,
    and to its left, of the same size, between its row and the one below. Where there
    should be none are the other halves of these lines.

    Parameters
    ----------
    plane : (h, w) uint8
    rows, columns : of pixels, in an MCU
    """
    n = plane.shape[1] // columns
    if n < 2 * SHORTEST_STEP or len(plane) < 3 * rows:
        return 0
    breaks = _find_breaks(plane[:, : n * columns], rows)
    cells = breaks.reshape(-1, n, columns) @ np.full(columns, 1 / columns, np.float32)
    # In two rows that part as a step does, half of the MCUs in one of them are large:
    # most pictures are done with here.
    large = (np.abs(cells) >= LEAST_STEP).sum(axis=1)
    if (large[:-1] + large[1:]).max() < n / 2:
        return 0
    typical = np.median(np.abs(cells), axis=1)
    if np.median(typical) < LEAST_TEXTURE:
        return 0
    least = max(LEAST_STEP, LEAST_CONTRAST * np.percentile(typical, 90))
    above, below = cells[:-1], cells[1:]
    # Of each row the block that parts the two lines best.
    sums = (above - below).cumsum(axis=1)
    parted = np.abs(sums[:, -1:] - 2 * sums)[:, SHORTEST_STEP - 1 : n - SHORTEST_STEP]
    left = np.arange(n) < parted.argmax(axis=1)[:, np.newaxis] + SHORTEST_STEP
    step, rest = np.where(left, below, above), np.where(left, above, below)
    middle = np.median(step, axis=1, keepdims=True)
    sizes, half = np.abs(middle)[:, 0], np.abs(middle) / 2
    agrees = (step * np.sign(middle) > half) * 1.0 - (np.abs(rest) > half)
    on_sides = [
        (agrees * side).sum(axis=1) / side.sum(axis=1) for side in (left, ~left)
    ]
    found = (np.minimum(*on_sides) >= LEAST_AGREEMENT) & (sizes >= least)
    parts_after = 1 - rows * (np.arange(len(sizes)) + 1.5) / len(plane)
    return float((sizes * parts_after)[found].max(initial=0))


def cut_out_profile(data: bytes) -> bytes:
    """Leave the color profile out of a JPEG, and all else as it is."""
    kept, at = [], 0
    for marker, start, body, end in itertools.islice(
        _find_segments(data), MOST_SEGMENTS
    ):
        if marker == _APP2 and data.startswith(_PROFILE, body + 2):
            kept.append(data[at:start])
            at = end
    return b"".join([*kept, data[at:]])


def _find_segments(data: bytes) -> Iterator[_Segment]:
    """Find the segments up to the end of the image.

    References
    ----------
    Rec. ITU-T T.81, annex B.
    """
    found = _MARKER.search(data)
    while found:
        marker, at = found[1][0], found.end()
        if marker not in (_SOI, _EOI):
            at += int.from_bytes(data[at : at + 2], "big")
        after = _MARKER.search(data, at) if marker != _EOI else None
        end = after.start() if after else len(data)
        yield _Segment(marker, found.start(), found.end(), end)
        found = after


def _is_padded(data: bytes, end: int, n_bytes: int) -> bool:
    """Whether what libjpeg found behind the scan are zeros, as some writers leave."""
    return not any(data[max(0, end - n_bytes) : end])


def _has_right_means(data: bytes, segments: list[_Segment]) -> bool:
    """Whether damage of a progressive JPEG is in its details only.

    The scans of the first coefficients alone make the mean of each block. The others
    add nothing to it but where colors end at 0 and 255.
    """
    import simplejpeg

    coarse = []
    for marker, start, body, end in segments:
        n_components = int.from_bytes(data[body + 2 : body + 3], "big")
        at = body + 3 + 2 * n_components
        if marker != _SOS or data[at : at + 1] == b"\0":
            coarse.append(data[start:end])
    try:
        blocks = simplejpeg.decode_jpeg(b"".join(coarse), "RGB")
        whole = simplejpeg.decode_jpeg(data, "RGB", strict=False)
    except ValueError:
        return False
    shift = whole.mean(axis=(0, 1)) - blocks.mean(axis=(0, 1))
    drift = _find_drift(whole, _read_mcu(data)[0])
    return bool(np.abs(shift).max() <= MOST_SHIFT and drift <= MOST_DRIFT)


def _find_drift(picture: NDArray[np.uint8], rows: int) -> float:
    """Find by how many levels breaks between rows of MCUs shift the mean.

    A block is coded by its difference to the last one: all that follow a damaged one
    are too bright or too dark alike, and libjpeg need not notice.

    Parameters
    ----------
    rows : of pixels, in an MCU
    """
    breaks = np.median(_find_breaks(picture, rows), axis=1)
    breaks[np.abs(breaks) < BREAK] = 0
    parts_below = 1 - rows * np.arange(1, len(breaks) + 1) / len(picture)
    return float(np.abs(parts_below @ breaks).max(initial=0))


def _find_breaks(picture: NDArray[np.uint8], rows: int) -> NDArray[np.float32]:
    """Find the breaks between rows of MCUs, beyond the slopes on both sides.

    Returns
    -------
    (edges, width, ...), positive where it is brighter below
    """
    n_edges = len(range(rows, len(picture) - 1, rows))
    far_above, above, below, far_below = (
        picture[rows + i :: rows][:n_edges].astype(np.int16) for i in (-2, -1, 0, 1)
    )
    # In place: new memory costs more than what is done in it.
    below -= above
    below *= 3
    below += far_above
    below -= far_below
    return below * np.float32(0.5)


def _read_mcu(data: bytes) -> tuple[int, int]:
    """Read the (height, width) of an MCU in pixels."""
    import simplejpeg

    return _MCUS.get(simplejpeg.decode_jpeg_header(data, strict=False)[3], (8, 8))


def _has_right_parts(data: bytes, segments: list[_Segment]) -> bool:
    """Whether damage of a JPEG with restart markers shifts the mean by little.

    What is between two of them begins anew. A damaged part should have a mean between
    those of its undamaged neighbors.
    """
    import simplejpeg

    parts = _cut_parts(data, segments)
    means = np.zeros((len(parts), 3))
    bad = np.zeros(len(parts), bool)
    for i, part in enumerate(parts):
        try:
            try:
                pixels = simplejpeg.decode_jpeg(part, "RGB")
            except ValueError:
                bad[i] = True
                pixels = simplejpeg.decode_jpeg(part, "RGB", strict=False)
        except ValueError:
            return False
        means[i] = pixels.mean(axis=(0, 1))
    if not len(parts) or bad.mean() > MOST_BAD_PARTS:
        return False
    numbers = np.arange(len(parts))
    for channel in means.T:
        right = np.interp(numbers[bad], numbers[~bad], channel[~bad])
        if abs((channel[bad] - right).sum()) > MOST_SHIFT * len(parts):
            return False
    return True


def _cut_parts(data: bytes, segments: list[_Segment]) -> list[bytes]:
    """Make a JPEG of each part between restart markers.

    Nothing where they are not as many as they should be, or cannot be cut.
    """
    import simplejpeg

    last = {segment.marker: segment for segment in segments}
    frame = next((last[sof] for sof in _SOF_SEQUENTIAL if sof in last), None)
    # At any other marker libjpeg leaves the only scan, and the rest is gray.
    if frame is None or [s.marker for s in segments[-2:]] != [_SOS, _EOI]:
        return []
    scan, restarts = segments[-2], last[_DRI]
    interval = int.from_bytes(data[restarts.body + 2 : restarts.body + 4], "big")
    height, width = simplejpeg.decode_jpeg_header(data, strict=False)[:2]
    rows, columns = _read_mcu(data)
    across = -(-width // columns)
    n_mcus = across * -(-height // rows)
    begin = scan.body + int.from_bytes(data[scan.body : scan.body + 2], "big")
    marks = list(_RESTART.finditer(data, begin, scan.end))
    numbers = [mark[1][0] - 0xD0 for mark in marks]
    n_parts = -(-n_mcus // interval) if interval else 0
    header = bytearray(data[:begin])
    if (
        numbers != [i % 8 for i in range(n_parts - 1)]
        or len(header) * n_parts > MOST_HEADER_BYTES
    ):
        return []
    header[restarts.body + 2 : restarts.body + 4] = bytes(2)
    starts = [begin, *(mark.end() for mark in marks)]
    ends = [*(mark.start() for mark in marks), scan.end]
    parts = []
    for i, (start, end) in enumerate(zip(starts, ends, strict=True)):
        n = min(interval, n_mcus - i * interval)
        wide = across if interval % across == 0 else n
        size = (n // wide * rows, wide * columns)
        if max(size) > LONGEST_SIDE:
            return []
        header[frame.body + 3 : frame.body + 7] = struct.pack(">2H", *size)
        parts.append(bytes(header) + data[start:end] + _END)
    return parts
