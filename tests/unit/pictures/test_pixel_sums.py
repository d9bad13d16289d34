"""Sums of pictures against numpy's, and where a type of them ends."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from reelbow.pictures.pixel_sums import PixelSums, choose_types

FEW, MANY, MOST = (np.uint16, np.uint32), (np.uint32, np.uint32), (np.uint32, np.uint64)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_levels_and_their_squares_are_added_up(n):
    pictures = np.random.default_rng(n).integers(0, 256, (n, 5, 7, 3)).astype(np.uint8)
    pictures[0, 0] = 255
    sums = PixelSums(5, 7)
    for picture in pictures:
        sums.add(picture)
    sums.finish()
    assert sums.n == n
    assert (sums.totals.dtype, sums.squares.dtype) == FEW
    assert_array_equal(sums.totals, pictures.sum(0, dtype=np.int64))
    assert_array_equal(sums.squares, (pictures.astype(np.int64) ** 2).sum(0))


@pytest.mark.parametrize(
    ("most", "before", "after"), [(257, FEW, MANY), (66_051, MANY, MOST)]
)
def test_sums_of_more_pictures_than_a_type_holds_have_a_wider_one(most, before, after):
    white = np.full((1, 2, 3), 255, np.uint8)
    assert choose_types(most) == before
    sums = PixelSums(1, 2)
    # As after so many of them, but for two.
    sums.n = most - 2
    sums.totals = np.full((1, 2, 3), 255 * sums.n, before[0])
    sums.squares = np.full((1, 2, 3), 255**2 * sums.n, before[1])
    for _ in range(5):
        sums.add(white)
    sums.finish()
    assert (sums.totals.dtype, sums.squares.dtype) == after == choose_types(most + 3)
    assert_array_equal(sums.totals, (most + 3) * 255)
    assert_array_equal(sums.squares, (most + 3) * 255**2)
