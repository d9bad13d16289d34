"""Sums over many pictures of one size, for each pixel and channel, in whole numbers.

So they are the same bits whatever is added first, and sums of sums are sums.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbow.machine.compiled import cached_njit, njit

# Levels, and their squares, of so many pictures fit into so many bits.
_OF_LEVELS = {(2**bits - 1) // 255: np.dtype(f"uint{bits}") for bits in (16, 32, 64)}
_OF_SQUARES = {(2**bits - 1) // 255**2: np.dtype(f"uint{bits}") for bits in (32, 64)}

# What sums of squares have beyond 16 bits. Its first type ends with that of totals, so
# that few kinds of arrays are compiled for.
_OF_HIGH = {257: np.dtype("uint8")} | {
    (2 ** (16 + bits) - 1) // 255**2: np.dtype(f"uint{bits}") for bits in (16, 32)
}

# So many pictures are added at a time: one by one, most of the time goes into reading
# and writing sums. More of them would take more memory than that is worth.
_AT_A_TIME = 5


class PixelSums:
    """The sums of pictures of one size.

    Attributes
    ----------
    n : pictures, each (h, w, 3) uint8
    totals : (h, w, 3), of their levels, of the type that `choose_types` says
    low, high : (h, w, 3), of their levels squared, the last 16 bits and those before:
        of up to 257 pictures that is 3 bytes, which take less time than 4

    Pictures added last are only in them after `finish`.
    """

    def __init__(self, height: int, width: int) -> None:
        self.n = 0
        shape = height, width, 3
        self.totals: NDArray[Any] = np.zeros(shape, _choose(0, _OF_LEVELS))
        self.low = np.zeros(shape, np.uint16)
        self.high: NDArray[Any] = np.zeros(shape, _choose(0, _OF_HIGH))
        self._waiting: list[NDArray[np.uint8]] = []
        self._added: list[NDArray[np.uint8]] = []

    def take_room(self) -> NDArray[np.uint8] | None:
        """Give the memory of a picture that is added, if there is any, for another."""
        return self._added.pop() if self._added else None

    def add(self, picture: NDArray[np.uint8]) -> None:
        """Add a picture, (h, w, 3) uint8, contiguous; it is kept for a while."""
        assert picture.shape == self.totals.shape
        types = [_choose(self.n + 1, kinds) for kinds in (_OF_LEVELS, _OF_HIGH)]
        if types != [self.totals.dtype, self.high.dtype]:
            self._add_waiting()
            self.totals = self.totals.astype(types[0], copy=False)
            self.high = self.high.astype(types[1], copy=False)
        self.n += 1
        self._waiting.append(picture)
        if len(self._waiting) == _AT_A_TIME:
            self._add_waiting()

    def finish(self) -> None:
        """Add what waits for more pictures, and keep no memory of theirs.

        Writing a file takes less time in memory that this process had before.
        """
        self._add_waiting()
        self._added = []

    def _add_waiting(self) -> None:
        if not self._waiting:
            return
        height, width, _ = self.totals.shape
        nothing = np.zeros((1, width, 3), np.uint8)
        pictures = [*self._waiting, *[nothing] * (_AT_A_TIME - len(self._waiting))]
        lines = [each.reshape(len(each), -1) for each in pictures]
        # Some pictures are read-only: so all are one type to the compiler.
        for each in lines:
            each.flags.writeable = False
        first, second, third, fourth, fifth = lines
        totals, low, high = (
            each.reshape(height, -1) for each in (self.totals, self.low, self.high)
        )
        add = _add_few if totals.dtype == np.uint16 else _add_many
        add(first, second, third, fourth, fifth, totals, low, high)
        self._added = [each for each in self._waiting if each.flags.writeable]
        self._waiting = []


def choose_types(n: int) -> tuple[np.dtype[Any], np.dtype[Any]]:
    """Choose the types of the totals and squares of `n` pictures: the least that do."""
    return _choose(n, _OF_LEVELS), _choose(n, _OF_SQUARES)


def _choose(n: int, kinds: dict[int, np.dtype[Any]]) -> np.dtype[Any]:
    return next(kind for most, kind in kinds.items() if n <= most)


@njit
def _add(
    first: NDArray[np.uint8],
    second: NDArray[np.uint8],
    third: NDArray[np.uint8],
    fourth: NDArray[np.uint8],
    fifth: NDArray[np.uint8],
    totals: NDArray[Any],
    low: NDArray[np.uint16],
    high: NDArray[Any],
) -> None:
    """Add five pictures (h, 3 w); of all but the first a line may stand for all."""
    height, length = totals.shape
    for y in range(height):
        # Each a line of its own: so the compiler sees that they do not overlap.
        one, two = first[y], second[y % len(second)]
        three, four = third[y % len(third)], fourth[y % len(fourth)]
        five = fifth[y % len(fifth)]
        total, least, most = totals[y], low[y], high[y]
        for i in range(length):
            a, b = np.uint32(one[i]), np.uint32(two[i])
            c, d = np.uint32(three[i]), np.uint32(four[i])
            e = np.uint32(five[i])
            total[i] += a + b + c + d + e
            square = a * a + b * b + c * c + d * d + e * e + np.uint32(least[i])
            least[i] = square & 0xFFFF
            most[i] += square >> 16


# Two of them, since what is compiled is kept for one kind of arguments.
@cached_njit
def _add_few(
    first: NDArray[np.uint8],
    second: NDArray[np.uint8],
    third: NDArray[np.uint8],
    fourth: NDArray[np.uint8],
    fifth: NDArray[np.uint8],
    totals: NDArray[Any],
    low: NDArray[np.uint16],
    high: NDArray[Any],
) -> None:
    _add(first, second, third, fourth, fifth, totals, low, high)


@cached_njit
def _add_many(
    first: NDArray[np.uint8],
    second: NDArray[np.uint8],
    third: NDArray[np.uint8],
    fourth: NDArray[np.uint8],
    fifth: NDArray[np.uint8],
    totals: NDArray[Any],
    low: NDArray[np.uint16],
    high: NDArray[Any],
) -> None:
    _add(first, second, third, fourth, fifth, totals, low, high)
