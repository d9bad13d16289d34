import numpy as np
import pytest

from reelbow.color.spaces import linear_to_srgb, srgb_to_linear, srgb_to_oklab
from reelbow.mosaic.features import (
    CHROMA_FACTOR,
    N_FEATURES,
    N_VIEWS,
    count_views,
    cut_view,
    describe_parts,
    measure_parts,
    measure_views,
    mirror,
    weigh,
)
from reelbow.mosaic.matching import LARGEST_DISTANCE


def test_parts_are_averaged_in_linear_light():
    pixels = np.zeros((2, 8, 12, 3), np.uint8)
    # Half white: as bright as 188, not as 128.
    pixels[0, :2, ::2] = 255
    parts = measure_parts(pixels, 4, 6)
    assert parts.shape == (2, 4, 6, 3)
    assert parts[0, 0] == pytest.approx(np.full((6, 3), 187.5), abs=0.1)
    assert not parts[0, 1:].any()
    assert not parts[1].any()
    # Sides that are no multiples are cut to whole pixels: 2, 3, 3 and 3 of 11.
    uneven = measure_parts(pixels[:, :, :11], 4, 4)[0, 0, :, 0]
    light = [1 / 2, 2 / 3, 1 / 3, 2 / 3]
    assert srgb_to_linear(uneven[:, None].repeat(3, 1))[:, 0] == pytest.approx(light)


@pytest.mark.parametrize("size", [(72, 128), (8, 8), (45, 83)])
def test_views_are_measured_as_they_are_cut(size):
    pixels = np.random.default_rng(0).integers(0, 256, (2, *size, 3), np.uint8)
    measured = measure_views(pixels)
    assert measured.shape == (2, N_VIEWS, 4, 4, 3)
    whole = measure_parts(pixels, 4, 4)
    assert (measured[:, 0] == whole).all()
    for view in range(1, N_VIEWS):
        cut = cut_view(pixels[1], view)
        # Half of each side, but for a pixel.
        assert np.abs(np.subtract(cut.shape[:2], np.array(size) / 2)).max() < 1
        if size != (45, 83):
            own = measure_parts(cut, 4, 4)
            assert measured[1, view] == pytest.approx(own)


def test_of_very_many_frames_there_are_no_details():
    assert [count_views("auto", n) for n in (0, 100_000, 100_001)] == [10, 10, 1]
    assert [count_views(each, 10**7) for each in ("all", "none")] == [10, 1]


def test_details_are_told_row_by_row():
    # Each pixel says where it is.
    pixels = np.stack(np.indices((16, 16)), axis=-1).astype(np.uint8)
    corners = [
        [*cut_view(pixels, view)[0, 0].tolist(), len(cut_view(pixels, view))]
        for view in range(N_VIEWS)
    ]
    assert corners[0] == [0, 0, 16]
    assert corners[1:] == [[top, left, 8] for top in (0, 4, 8) for left in (0, 4, 8)]


def test_features_are_lightness_of_parts_and_mean_chroma():
    parts = np.full((1, 4, 4, 3), 120.0)
    parts[0, 1, 2] = [180, 60, 60]
    parts[0, 3, 3] = 160
    (found,) = describe_parts(parts).tolist()
    lightness = srgb_to_oklab(parts)[0, ..., 0].ravel() * 255
    # Parts differ from their mean half as much more.
    wanted = lightness.mean() + 1.5 * (lightness - lightness.mean())
    assert found[:16] == np.rint(wanted).tolist()
    mean = linear_to_srgb(srgb_to_linear(parts[0]).mean(axis=(0, 1)))
    assert found[16:] == np.rint(srgb_to_oklab(mean)[1:] * 255 + 128).tolist()
    assert found[16] > 128


def test_lightness_stays_in_a_byte():
    parts = np.zeros((1, 4, 4, 3))
    parts[0, :2] = 255
    assert describe_parts(parts)[0, :16].tolist() == [255] * 8 + [0] * 8


def test_gray_has_no_chroma():
    (found,) = describe_parts(np.full((1, 4, 4, 3), 100.0))
    assert found[16:].tolist() == [128, 128]


def test_what_is_mirrored_has_the_features_of_the_mirrored_picture():
    pixels = np.random.default_rng(0).integers(0, 256, (3, 16, 24, 3), np.uint8)
    swapped = describe_parts(measure_parts(pixels[:, :, ::-1], 4, 4))
    found = mirror(describe_parts(measure_parts(pixels, 4, 4)))
    assert (found[:, :16] == swapped[:, :16]).all()
    # Sums of floating point numbers in another order.
    assert np.abs(found.astype(int) - swapped).max() <= 1


def test_plain_pictures_are_as_far_apart_as_in_oklab():
    plain = np.full((2, 4, 4, 3), 120.0)
    plain[1] = [180, 60, 100]
    steps = np.diff(weigh(describe_parts(plain)), axis=0)
    colors = srgb_to_oklab(plain[:, 0, 0]) * 255
    wanted = 16 * np.square(colors[1] - colors[0]).sum()
    # But for the rounding to bytes.
    assert np.square(steps).sum() == pytest.approx(wanted, rel=0.03)


def test_sums_of_products_are_exact_in_float32():
    ends = np.array([[0] * 18, [255] * 18], np.uint8)
    assert ends.shape[1] == N_FEATURES
    weighed = weigh(ends).astype(np.float64)
    assert weighed[0, 16:].tolist() == [-128 * CHROMA_FACTOR] * 2
    # Of a tile's square and twice its product with a cell, and of a price.
    largest = np.square(np.abs(weighed).max(axis=0)).sum()
    assert np.square(weighed[1] - weighed[0]).sum() == LARGEST_DISTANCE
    assert 3 * largest + LARGEST_DISTANCE < 2**24
