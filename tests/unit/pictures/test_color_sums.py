"""Sums of pixels: what is counted where, and that all of it comes back as written."""

import numpy as np
import pytest

from reelbow.pictures.color_sums import (
    LONGEST,
    N_BINS,
    ColorSums,
    find_means,
    unpack,
    weigh_frame,
)

RANDOM = np.random.default_rng(5)


def pack(pictures, times_s, frames=None):
    sums = ColorSums()
    for i, (picture, time_s) in enumerate(zip(pictures, times_s, strict=True)):
        frame = i if frames is None else frames[i]
        sums.add_frames(np.array([frame]), np.array([time_s]), picture[np.newaxis])
    return sums.pack()


def read(packed):
    """Give all sums, dense: alike, by time, and of the last frame."""
    bins, sums, last = unpack(packed)
    assert (np.diff(bins) > 0).all()
    dense = np.zeros((N_BINS, 12), np.int64)
    dense[bins] = np.hstack([sums, last])
    return dense[:, :4], dense[:, 4:8], dense[:, 8:]


def make_picture(height, width):
    """Draw soft noise that reaches black and white."""
    levels = RANDOM.normal(RANDOM.uniform(0, 255, 3), 40, (height, width, 3))
    return levels.clip(0, 255).astype(np.uint8)


def test_colors_of_a_bin_are_averaged_and_others_kept_apart():
    pixels = [
        *[(200, 100, 51), (206, 103, 55)],  # one bin of 8 levels in each channel
        *[(208, 100, 51), (0, 0, 1), (0, 0, 2), (5, 9, 2)],  # where it is dark
        *[(128, 128, 128), (129, 129, 129), (129, 129, 130)],  # grays, and nearly
    ]
    picture = np.array([pixels], np.uint8)
    *_, last = read(pack([picture], [0.0]))
    colors, counts = find_means(last)
    found = sorted(zip(map(tuple, colors.tolist()), counts, strict=True))
    alone = {color: 1 for color in pixels[2:]}
    assert dict(found) == {**alone, (203, 101.5, 53): 2}


def test_every_color_comes_back_as_itself():
    levels = [*range(18), 31, 32, 33, 128, 254, 255]
    for color in np.stack(np.meshgrid(levels, levels, levels), -1).reshape(-1, 3)[::97]:
        picture = np.full((1, 2, 3), color, np.uint8)
        colors, counts = find_means(read(pack([picture], [0.0]))[2])
        assert (colors.tolist(), counts.tolist()) == ([color.tolist()], [2.0])


SIZES = {"one size": [(9, 16)] * 7, "sizes": [(9, 16), (9, 12), (9, 16), (3, 3)]}
TIMES = {
    "alike": np.arange(7.0),
    "29.97": np.rint(np.arange(7) * 29.97) / 29.97,
    "varying": np.array([0, 0.04, 1, 1.001, 3, 3.04, 700]),
    "unknown": np.full(7, np.nan),
    "back": np.array([0, 1.0, 0.5, 2, 2, 2, 3]),
}


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("times_s", TIMES.values(), ids=TIMES)
def test_what_is_written_is_the_sum_over_all_frames_but_the_last(sizes, times_s):
    pictures = [make_picture(*size) for size in sizes]
    times_s = times_s[: len(pictures)]
    frames = np.arange(len(pictures)) * 3
    alike, timed = np.zeros((2, N_BINS, 4), np.int64)
    each = [read(pack([picture], [0.0]))[2] for picture in pictures]
    for counts, duration_s in zip(each, np.diff(times_s) / 3, strict=False):
        weights = weigh_frame(duration_s, int(counts[:, 0].sum()))
        alike += weights[0] * counts
        timed += weights[1] * counts
    found = read(pack(pictures, times_s, frames))
    np.testing.assert_array_equal(found, [alike, timed, each[-1]])


def test_without_frames_there_is_nothing():
    assert all(not part.any() for part in read(ColorSums().pack()))


def test_frames_weigh_by_their_time_whatever_their_size():
    assert weigh_frame(1.0, 1 << 14) == (1 << 20, 1 << 20)
    assert weigh_frame(0.25, 1 << 14) == (1 << 20, 1 << 18)
    assert weigh_frame(0.25, 1 << 12) == (1 << 22, 1 << 20)
    # None is lost, and no time that cannot be takes part.
    assert weigh_frame(1e-9, 1 << 14) == (1 << 20, 1)
    for duration_s in (np.nan, 0, -1, np.inf, LONGEST + 1):
        assert weigh_frame(duration_s, 1 << 14) == (1 << 20, 1 << 20)


def test_sums_of_the_longest_film_stay_whole_numbers():
    # All of the film in one bin, at its highest levels; the last frame for the median.
    largest = 7 * 2 * LONGEST * weigh_frame(1.0, 1)[0]
    assert largest <= np.iinfo(np.int64).max


def test_of_one_rate_what_is_told_by_time_takes_no_room():
    pictures = [make_picture(90, 160) for _ in range(9)]
    unknown, rate = (len(pack(pictures, np.arange(9) * s)) for s in (np.nan, 0.04))
    assert abs(rate - unknown) < 50
