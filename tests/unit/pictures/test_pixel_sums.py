"""Sums of pictures against numpy's, and where a type of them ends."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from reelbow.pictures.pixel_sums import PixelSums, choose_types

# Of totals, of squares beyond 16 bits, and of squares of a film.
FEW = (np.uint16, np.uint8, np.uint32)
MANY = (np.uint32, np.uint16, np.uint32)
MOST = (np.uint32, np.uint32, np.uint64)


def get_types(sums):
    return sums.totals.dtype, sums.high.dtype, choose_types(sums.n)[1]


def get_squares(sums):
    return sums.high.astype(np.int64) * 2**16 + sums.low


@pytest.mark.parametrize("n", [1, 2, 7])
def test_levels_and_their_squares_are_added_up(n):
    pictures = np.random.default_rng(n).integers(0, 256, (n, 5, 7, 3)).astype(np.uint8)
    pictures[0, 0] = 255
    sums = PixelSums(5, 7)
    for picture in pictures:
        sums.add(picture)
    sums.finish()
    assert sums.n == n
    assert get_types(sums) == FEW
    assert_array_equal(sums.totals, pictures.sum(0, dtype=np.int64))
    assert_array_equal(get_squares(sums), (pictures.astype(np.int64) ** 2).sum(0))


@pytest.mark.parametrize(
    ("most", "before", "after"), [(257, FEW, MANY), (66_051, MANY, MOST)]
)
def test_sums_of_more_pictures_than_a_type_holds_have_a_wider_one(most, before, after):
    white = np.full((1, 2, 3), 255, np.uint8)
    sums = PixelSums(1, 2)
    # As after so many of them, but for two.
    sums.n = most - 2
    sums.totals = np.full((1, 2, 3), 255 * sums.n, before[0])
    high, low = divmod(255**2 * sums.n, 2**16)
    sums.low[:] = low
    sums.high = np.full((1, 2, 3), high, before[1])
    for n in range(most - 1, most + 4):
        sums.add(white)
        assert get_types(sums) == (before if n <= most else after)
    sums.finish()
    assert_array_equal(sums.totals, (most + 3) * 255)
    assert_array_equal(get_squares(sums), (most + 3) * 255**2)
