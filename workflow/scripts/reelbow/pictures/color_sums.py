"""What colors the pixels of many pictures have, added up in bins, in whole numbers.

Whole numbers have the same sum in any order, so a film's does not depend on its shards.
A frame counts by the time until the next one, which may be in another shard, or alike
all others, which only the whole film tells: sums are kept for both, and the last frame
apart.

Bins are 8 levels wide in each channel, and narrower where it is dark, since the least
step there is a large one in other color spaces; each exact gray has a bin of its own.
"""

import zlib

import numpy as np
from numpy.typing import NDArray

from reelbow.machine.compiled import cached_njit

# The least level of each bin of a channel.
_STARTS = np.array([*range(4), *range(4, 8, 2), *range(8, 16, 4), *range(16, 256, 8)])
_BINS = np.searchsorted(_STARTS, np.arange(256), side="right") - 1
_ABOVE = np.arange(256) - _STARTS[_BINS]
_PLACES = np.outer([len(_STARTS) ** 2, len(_STARTS), 1], _BINS)
_FIRST_GRAY = len(_STARTS) ** 3
N_BINS = _FIRST_GRAY + 256

# What all pixels of a frame weigh together that stands for a second. In a film that is
# not longer than this, in seconds and frames, sums stay below 2**63, even times 7, the
# most that a level is above the least of its bin.
_UNIT = 1 << 34
LONGEST = 1 << 25


def weigh_frame(duration_s: float, n_pixels: int) -> tuple[int, int]:
    """Give the weight of each pixel of a frame: if frames count alike, and by time."""
    alike = max(1, round(_UNIT / n_pixels))
    # With such a time, or none, times do not count in this film.
    if not 0 < duration_s <= LONGEST:
        return alike, alike
    return alike, max(1, round(_UNIT * duration_s / n_pixels))


class ColorSums:
    """Adds up the pixels of the frames of a shard."""

    def __init__(self) -> None:
        """Begin without any."""
        # By what frames weigh alike, sums are the first of these times the divisor; by
        # time they are the first times the usual weight, and the second. Most frames
        # have the size and the time of the first one: they add nothing to the second.
        self._alike, self._rest = np.zeros((2, N_BINS, 4), np.int64)
        self._divisor = self._usual = 0
        self._last: tuple[int, float, NDArray[np.uint8]] | None = None

    def add_frames(
        self,
        frames: NDArray[np.int64],
        times_s: NDArray[np.float64],
        pixels: NDArray[np.uint8],
    ) -> None:
        """Add the next frames: (n,) numbers and times, NaN: unknown; (n, h, w, 3)."""
        pictures = pixels.reshape(len(pixels), -1, 3)
        for frame, time_s, picture in zip(
            frames.tolist(), times_s.tolist(), pictures, strict=True
        ):
            if self._last is not None:
                before, begin_s, last = self._last
                self._add_last(last, (time_s - begin_s) / (frame - before))
            self._last = frame, time_s, picture

    def _add_last(self, pixels: NDArray[np.uint8], duration_s: float) -> None:
        """Add the last frame, (p, 3), now that its time is known."""
        alike, timed = weigh_frame(duration_s, len(pixels))
        if not self._divisor:
            self._divisor, self._usual = alike, timed
        elif self._divisor not in (1, alike):
            # Of frames of several sizes neither is a multiple of counts.
            self._rest += self._usual * self._alike
            self._alike *= self._divisor
            self._divisor, self._usual = 1, 0
        _add_pixels(pixels, alike // self._divisor, self._alike)
        if timed != self._usual:
            _add_pixels(pixels, timed - self._usual, self._rest)

    def pack(self) -> bytes:
        """Write all as few bytes, for `unpack`: of 600 colorful frames 120 kB."""
        last = np.zeros((N_BINS, 4), np.int64)
        if self._last is not None:
            _add_pixels(self._last[-1], 1, last)
        bins = np.flatnonzero(self._alike[:, 0] + last[:, 0])
        rows = np.zeros((13, 1 + len(bins)), np.int64)
        rows[:2, 0] = self._divisor, self._usual
        rows[0, 1:] = np.diff(bins, prepend=0)
        rows[1:, 1:] = np.hstack([self._alike[bins], self._rest[bins], last[bins]]).T
        # Small ones, also below 0, have bytes of 0, which lie side by side.
        folded = (rows << 1 ^ rows >> 63).astype("<i8")[..., np.newaxis]
        return zlib.compress(folded.view(np.uint8).transpose(0, 2, 1).tobytes())


def unpack(
    packed: bytes,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Read what `ColorSums.pack` has written.

    Returns
    -------
    bins : (m,) ascending, of N_BINS
    sums : (m, 8) of all frames but the last: pixels, and by how much their red, green
        and blue are above the least of the bin; by what they weigh if all frames count
        alike, and the same four by their times
    last : (m, 4) of the last frame, by 1
    """
    planes = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(13, 8, -1)
    folded = np.ascontiguousarray(planes.transpose(0, 2, 1)).view("<u8")[..., 0]
    rows = (folded >> 1).astype(np.int64) ^ -(folded & 1).astype(np.int64)
    divisor, usual = rows[:2, 0]
    alike, rest, last = rows[1:, 1:].reshape(3, 4, -1).transpose(0, 2, 1)
    sums = np.hstack([divisor * alike, usual * alike + rest])
    return rows[0, 1:].cumsum(), sums, last


def find_means(
    sums: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the mean color of each bin that is not empty, and what is in it.

    Parameters
    ----------
    sums : (N_BINS, 4) as `unpack` gives them, alike or by time

    Returns
    -------
    colors : (m, 3) sRGB, [0, 255]
    weights : (m,) above 0
    """
    bins = np.flatnonzero(sums[:, 0])
    gray = bins[bins >= _FIRST_GRAY] - _FIRST_GRAY
    of_colors = np.unravel_index(bins[: len(bins) - len(gray)], [len(_STARTS)] * 3)
    places = np.concatenate([np.transpose(of_colors), np.stack([_BINS[gray]] * 3, 1)])
    weights = sums[bins, 0].astype(np.float64)
    return _STARTS[places] + sums[bins, 1:] / weights[:, np.newaxis], weights


def _add_pixels(
    pixels: NDArray[np.uint8], weight: int, sums: NDArray[np.int64]
) -> None:
    """Add pixels (p, 3) to sums (N_BINS, 4), by a weight."""
    _add(pixels, _PLACES, _FIRST_GRAY, weight, weight * _ABOVE, sums)


@cached_njit
def _add(
    pixels: NDArray[np.uint8],
    places: NDArray[np.int64],
    first_gray: int,
    weight: int,
    above: NDArray[np.int64],
    sums: NDArray[np.int64],
) -> None:
    """Add pixels: what each level of a channel says of the bin, and adds to it."""
    for p in range(len(pixels)):
        red = pixels[p, 0]
        green = pixels[p, 1]
        blue = pixels[p, 2]
        place = places[0, red] + places[1, green] + places[2, blue]
        # As one condition it is no branch, which would take twice as long.
        if (red ^ green) | (green ^ blue) == 0:
            place = first_gray + red
        sums[place, 0] += weight
        sums[place, 1] += above[red]
        sums[place, 2] += above[green]
        sums[place, 3] += above[blue]
