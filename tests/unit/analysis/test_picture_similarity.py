import numpy as np
import pytest

from reelbow.analysis.picture_similarity import Similarity, measure_similarity

PICTURE = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
DARK, BRIGHT = np.full((2, 9, 9, 3), [[[[40]]], [[[90]]]], np.uint8)


def test_a_picture_is_like_itself():
    assert measure_similarity(PICTURE, PICTURE) == pytest.approx([1, 1, 1])


def test_its_negative_is_not():
    found = measure_similarity(PICTURE, 255 - PICTURE)
    assert found.cross_correlation == pytest.approx(-1)
    assert found.ssim_similarity < 0.2


def test_the_error_is_divided_by_the_larger_range():
    shifted = (PICTURE // 2) + 20
    error = np.sqrt(((PICTURE.astype(float) - shifted) ** 2).mean())
    found = measure_similarity(PICTURE, shifted).nrmse_similarity
    assert found == pytest.approx(1 - error / 255)
    assert measure_similarity(shifted, PICTURE).nrmse_similarity == found


def test_flat_pictures_have_the_ssim_of_their_luminance_alone():
    # (2 a b + C1) / (a^2 + b^2 + C1), of which C1 is (0.01 255)^2.
    c1 = (0.01 * 255) ** 2
    ssim = (2 * 40 * 90 + c1) / (40**2 + 90**2 + c1)
    found = measure_similarity(DARK, BRIGHT)
    assert found == (pytest.approx((ssim + 1) / 2), None, None)


def test_small_pictures_have_no_structure_and_none_has_nothing():
    assert measure_similarity(PICTURE[:, :6], PICTURE[:, :6]) == (None, 1, 1)
    empty = PICTURE[:, :0]
    assert measure_similarity(empty, empty) == Similarity(None, None, None)
