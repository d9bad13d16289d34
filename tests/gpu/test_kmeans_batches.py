import contextlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal

from cpu_device import CpuDevice
from reelbow.kmeans.batches import NoRoomError, find_on
from reelbow.kmeans.engine_numba import find, split_moments
from reelbow.kmeans.histogram import make_histogram
from reelbow.kmeans.palettes import COLOR_SPACES, MAX_COLORS, MAX_SEED
from reelbow.kmeans.search import _move_centers, make_scratch
from shared_films import shared_film

every_space = pytest.mark.parametrize("color_space", COLOR_SPACES)

HOW = {"n_colors": 8, "n_init": 5, "seed": 0, "color_space": "srgb"}


def make_photos(n, n_pixels=3000):
    """Frames like photos, smooth and noisy, bright and dark: (n, p, 3)."""
    rng = np.random.default_rng(0)
    at = np.linspace(0, 1, n_pixels)[:, None]
    frames = []
    for number in range(n):
        waves = np.sin(2 * np.pi * (rng.uniform(0, 3, 3) * at + rng.uniform(0, 1, 3)))
        noise = rng.normal(0, [0, 4, 15][number % 3], (n_pixels, 3))
        light = [1, 1, 1, 0.12][number % 4]
        frames.append(np.clip((128 + 90 * waves + noise) * light, 0, 255))
    return np.array(frames).astype(np.uint8)


def assert_as_numba(kernels, frames, *, n_threads=1, free_bytes=1 << 30, **how):
    """The kernels find the bits that engine numba finds; returns the device."""
    device = CpuDevice(kernels, n_threads=n_threads, free_bytes=free_bytes)
    how = {**HOW, **how}
    colors, weights = find_on(device, frames, **how)
    expected_colors, expected_weights = find(frames, **how)
    assert_array_equal(colors, expected_colors)
    assert_array_equal(weights, expected_weights)
    return device


@every_space
@pytest.mark.parametrize("n_colors", [1, 2, 3, 5, 8, 16])
def test_kernels_find_the_same_bits_as_numba(kernels, n_colors, color_space):
    assert_as_numba(
        kernels, make_photos(8), n_colors=n_colors, color_space=color_space, seed=7
    )


def test_the_most_colors_and_one_start(kernels):
    assert_as_numba(kernels, make_photos(2), n_colors=MAX_COLORS, n_init=1)


@pytest.mark.parametrize("n_threads", [2, 5, 16])
def test_threads_of_a_block_do_not_change_a_bit(kernels, n_threads):
    frames = make_photos(4, n_pixels=700)
    assert_as_numba(kernels, frames, n_threads=n_threads, n_init=2)
    assert_as_numba(kernels, frames, n_threads=n_threads, n_init=2, color_space="oklab")


@settings(max_examples=60, deadline=None)
@given(
    # Few levels, so that colors meet, clusters get empty and distances tie.
    frames=arrays(
        np.uint8,
        st.tuples(st.integers(1, 3), st.integers(1, 60), st.just(3)),
        elements=st.sampled_from([0, 1, 2, 3, 64, 128, 254, 255]),
    ),
    n_colors=st.integers(1, 20),
    n_init=st.integers(1, 4),
    seed=st.integers(0, MAX_SEED),
    color_space=st.sampled_from(COLOR_SPACES),
)
def test_kernels_find_the_same_bits_as_numba_in_any_frame(
    kernels, frames, n_colors, n_init, seed, color_space
):
    assert_as_numba(
        kernels,
        frames,
        n_colors=n_colors,
        n_init=n_init,
        seed=seed,
        color_space=color_space,
    )


class BadStarts(CpuDevice):
    """Finishes palettes from centers that leave clusters empty, as no seeding does."""

    def launch(self, kernel, queue, *arguments, **how):
        if kernel == "finish_palettes":
            # All on one place, but for the first: ties go to the lowest, all others
            # are empty.
            starts = arguments[-3]
            starts[...] = 50
            starts[..., 0, :] = 200
            self.histogram = [array[0, 0] for array in arguments[:3]]
            self.start = starts[0, 0].copy()
        super().launch(kernel, queue, *arguments, **how)


@pytest.mark.parametrize("n_threads", [1, 5])
@pytest.mark.parametrize("n_colors", [4, 8])
def test_centers_of_empty_clusters_start_anew_as_with_numba(
    kernels, n_colors, n_threads
):
    device = BadStarts(kernels, n_threads=n_threads)
    frame = make_photos(1, n_pixels=500)
    colors, weights = find_on(device, frame, **{**HOW, "n_colors": n_colors})
    _, moments, points = device.histogram
    n = int((np.cumsum(moments[:, 0]) < 500).sum()) + 1
    histogram = make_histogram(n)
    histogram.moments[:] = moments[:n]
    histogram.points[:] = points[:3, :n]
    histogram.weights[:] = points[3, :n]
    scratch = make_scratch(n, n_colors)
    _move_centers(histogram, n, device.start, 0.0, scratch)
    assert scratch.members.min() > 0
    expected_colors, expected_weights = split_moments(scratch.sums)
    assert_array_equal(weights[0], expected_weights)
    assert_array_equal(colors[0], expected_colors)


def test_no_frames_have_no_palettes(kernels):
    colors, weights = find_on(CpuDevice(kernels), np.empty((0, 9, 3), np.uint8), **HOW)
    assert (colors.shape, weights.shape) == ((0, 8, 3), (0, 8))


def test_frames_go_in_two_batches_so_that_copies_overlap_with_work(kernels):
    frames = make_photos(7, n_pixels=200)
    assert assert_as_numba(kernels, frames).batches == [4, 3]
    assert assert_as_numba(kernels, frames[:1]).batches == [1]


def test_a_batch_that_does_not_fit_is_split(kernels):
    frames = make_photos(9, n_pixels=2000)
    room = 5 << 20
    device = assert_as_numba(kernels, frames, free_bytes=room)
    assert len(device.batches) > 2
    assert sum(device.batches) == 9
    assert device.allocated_bytes <= room


@pytest.mark.parametrize("n_colors", [2, 8, 40])
@pytest.mark.parametrize("n_init", [1, 50])
@pytest.mark.parametrize("color_space", ["srgb", "oklab"])
def test_no_more_memory_is_taken_than_is_free(kernels, n_colors, n_init, color_space):
    class Planning(CpuDevice):
        """Allocates, and clusters nothing."""

        def launch(self, *arguments, **how):
            pass

    n_tried = 0
    for n_pixels in [300, 20_000]:
        frames = np.zeros((40, n_pixels, 3), np.uint8)
        for room in np.geomspace(1 << 18, 1 << 29, 60).astype(int):
            device = Planning(kernels, free_bytes=int(room))
            how = {"n_colors": n_colors, "n_init": n_init, "color_space": color_space}
            with contextlib.suppress(NoRoomError):
                find_on(device, frames, **{**HOW, **how})
                n_tried += 1
            assert device.allocated_bytes <= room
    assert n_tried > 30


def test_a_device_too_small_for_one_frame_is_told(kernels):
    device = CpuDevice(kernels, free_bytes=1 << 20)
    with pytest.raises(NoRoomError, match=r"a frame needs \d+ MB .* 1 MB are free"):
        find_on(device, make_photos(1, n_pixels=100_000), **HOW)
    assert device.allocated_bytes == 0


@pytest.mark.shared
@every_space
def test_kernels_find_the_same_bits_as_numba_on_a_real_film(kernels, color_space):
    film = cv2.VideoCapture(str(shared_film("bbb_480p_24fps_h264_bframes.mp4")))
    frames = []
    for _ in range(12):
        for _ in range(50):
            film.grab()
        frames.append(
            cv2.resize(film.read()[1], (160, 90), interpolation=cv2.INTER_AREA)
        )
    pixels = np.array(frames)[..., ::-1].reshape(len(frames), -1, 3)
    assert_as_numba(kernels, np.ascontiguousarray(pixels), color_space=color_space)
