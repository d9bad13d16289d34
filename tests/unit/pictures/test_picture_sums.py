"""Sums of drawings, in whatever order and parts they are added."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from reelbow.pictures import picture_sums
from reelbow.pictures.picture_sums import PictureSums

RNG = np.random.default_rng(0)
WORDS = [RNG.choice(["bee", "ant", "dog", "cat", "eel"]) for _ in range(40)]


def add_up(drawings, words):
    sums = PictureSums()
    for word, drawing in zip(words, drawings, strict=True):
        sums.add(word, drawing)
    return sums


def join(parts):
    whole = PictureSums()
    for each in itertools.chain(*parts):
        whole.add_sum(each)
    return whole


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 3)])
@pytest.mark.parametrize("most", [2, 48])
def test_parts_in_any_order_have_the_same_sums(shape, most, monkeypatch):
    monkeypatch.setattr(picture_sums, "MOST_WORDS", most)
    drawings = RNG.integers(0, 256, (len(WORDS), *shape), np.uint8)
    wanted = {}
    for word in sorted({*WORDS})[:most]:
        of_word = 255 - drawings[np.array(WORDS) == word].astype(np.int64)
        wanted[word] = len(of_word), of_word.sum(axis=0)
    for _ in range(20):
        order = RNG.permutation(len(WORDS))
        parts = [
            add_up(drawings[part], [WORDS[i] for i in part])
            for part in np.array_split(order, RNG.integers(1, 12))
        ]
        found = list(join(parts))
        assert [each.word for each in found] == [*wanted]
        for each in found:
            n_drawings, sums = wanted[each.word]
            assert each.n_drawings == n_drawings
            assert each.sums.dtype == np.uint32
            assert_array_equal(each.sums, sums)


def test_large_drawings_are_summed_up_smaller():
    drawing = np.full((600, 600), 255, np.uint8)
    drawing[:300] = 0
    (found,) = add_up([drawing], [None])
    assert (found.word, found.sums.shape) == ("", (256, 256))
    assert_array_equal(found.sums[[0, 127, 128, 255], 9], [255, 255, 0, 0])
