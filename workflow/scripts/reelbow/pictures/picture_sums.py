"""Sums of drawings of each word, of which their averages are made.

They are whole numbers, so that those of shards add up in any order to the same bits.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Of a film of more words those that come first in the alphabet have sums, whatever its
# shards are: a shard that has dropped a word has as many before it.
MOST_WORDS = 48

# Larger drawings are made as small for it.
MOST_ROWS = 256


class WordSum(NamedTuple):
    """The sum of the drawings of a word.

    Attributes
    ----------
    word : '': the film's file tells none
    n_drawings : fewer than 16 million
    sums : (h, w), or in colors (h, w, 3), of 255 less the value of each pixel; uint32,
        or uint8 of a single drawing
    """

    word: str
    n_drawings: int
    sums: NDArray[np.uint32] | NDArray[np.uint8]


class PictureSums:
    """Sums up drawings, word by word."""

    def __init__(self) -> None:
        self._sums: dict[str, WordSum] = {}

    def __iter__(self) -> Iterator[WordSum]:
        """Give the sums in the order of their words."""
        return iter([self._sums[word] for word in sorted(self._sums)])

    def __len__(self) -> int:
        """Count the words."""
        return len(self._sums)

    def add(self, word: str | None, drawing: NDArray[np.uint8]) -> None:
        """Add a drawing, (n, n) or (n, n, 3) uint8 sRGB, on white."""
        if len(drawing) > MOST_ROWS:
            # Imported here: what adds up sums does without.
            import cv2

            size = (MOST_ROWS, MOST_ROWS)
            small = cv2.resize(drawing, size, interpolation=cv2.INTER_AREA)
            drawing = np.asarray(small, np.uint8)
        self.add_sum(WordSum(word or "", 1, ~drawing))

    def add_sum(self, more: WordSum) -> None:
        """Add what a part has of a word."""
        found = self._sums.get(more.word)
        if found is None:
            if len(self._sums) == MOST_WORDS:
                last = max(self._sums)
                if more.word > last:
                    return
                del self._sums[last]
            found = more._replace(
                n_drawings=0, sums=np.zeros_like(more.sums, np.uint32)
            )
        np.add(found.sums, more.sums, out=found.sums)
        n_drawings = found.n_drawings + more.n_drawings
        self._sums[more.word] = found._replace(n_drawings=n_drawings)
