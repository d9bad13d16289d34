"""k-means of many frames at a time on a device, by the kernels of batches.cu.

The device is a GPU in `engine_cupy`. All that depends on it is behind `Device`, so that
tests can run batches and kernels without one.
"""

from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from reelbow.kmeans.engine_numba import (
    FEW_BINS,
    FEW_BINS_BY_ROOTS,
    MIN_COARSE,
    MIN_COARSE_BY_ROOTS,
    split_moments,
)
from reelbow.kmeans.histogram import N_BINS
from reelbow.kmeans.search import (
    MAX_ITERATIONS,
    MIN_COARSE_PER_COLOR,
    SEEDINGS,
    TOLERANCE,
)
from reelbow.kmeans.space import (
    CURVE_STEPS,
    ONE_BITS,
    ROOT_STEPS,
    Space,
    describe_space,
)

# What the kernels take from the engine of CPUs, so that both give the same bits.
_SHARED_CONSTANTS = {
    "N_BINS": N_BINS,
    "SEEDINGS": SEEDINGS,
    "MAX_ITERATIONS": MAX_ITERATIONS,
    "MIN_COARSE_PER_COLOR": MIN_COARSE_PER_COLOR,
    "CURVE_STEPS": CURVE_STEPS,
    "ROOT_STEPS": ROOT_STEPS,
    "ONE_BITS": ONE_BITS,
}

# A product and a sum that are fused are rounded once, where a CPU rounds twice. CuPy
# adds -ftz=true: squares below 1e-38 become 0. No two colors are so near each other.
COMPILER_OPTIONS = ("--std=c++14", "--fmad=false")

# Threads of a block. A start has some hundred points; a frame has thousands of pixels.
_START_THREADS = 128
_FRAME_THREADS = 256

# Blocks for each of the device's processors: enough to hide how long memory takes.
_BLOCKS_PER_PROCESSOR = 8

# Batches that are on their way at a time: one is copied while one is clustered.
_SLOTS = 2

# More frames at a time gain nothing. Fewer let the copies of one batch overlap with the
# work on another.
_MOST_FRAMES = 512

# Part of the device's free memory that batches may take: others may want some, too.
_MEMORY_PART = 0.8
_HISTOGRAMS = 3


class Device(Protocol):
    """What runs the kernels. A queue's work is done in order, queues side by side."""

    n_processors: int

    def count_free_bytes(self) -> int:
        """Count the bytes of its memory that can be allocated."""

    def make_queue(self) -> Any:
        """Make a queue for copies and kernels."""

    def allocate(self, shape: tuple[int, ...], dtype: DTypeLike) -> Any:
        """Allocate an array in its memory."""

    def allocate_here(
        self, shape: tuple[int, ...], dtype: DTypeLike
    ) -> NDArray[np.generic]:
        """Allocate an array of NumPy that can be copied while other work goes on."""

    def upload(self, source: NDArray[np.generic], to: Any, queue: Any) -> None:
        """Copy to the device; the queue goes on when it is done."""

    def download(self, source: Any, to: NDArray[np.generic], queue: Any) -> None:
        """Copy from the device; done when the queue has been waited for."""

    def launch(
        self,
        kernel: str,
        queue: Any,
        *arguments: Any,
        blocks: int,
        threads: int,
        shared_bytes: int,
    ) -> None:
        """Run a kernel. Arguments are arrays of the device and scalars of NumPy."""

    def wait(self, queue: Any) -> None:
        """Wait until all is done that was put into a queue."""


class NoRoomError(MemoryError):
    """A device has too little memory for a single frame."""


def read_source() -> str:
    """Read the kernels, with the constants they share with the engine of CPUs."""
    constants = [
        f"#define {name} {value}{'LL' if name == 'ONE_BITS' else ''}\n"
        for name, value in _SHARED_CONSTANTS.items()
    ]
    kernels = Path(__file__).with_suffix(".cu").read_text(encoding="utf-8")
    return "".join(constants) + kernels


def find_on(
    device: Device,
    frames: NDArray[np.uint8],
    n_colors: int,
    n_init: int,
    seed: int,
    color_space: str,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cluster the pixels of every frame as `engine_numba.find` does, to the same bits.

    Raises
    ------
    NoRoomError
        If a single frame is too large for the device's memory.
    """
    clusters = np.zeros((len(frames), n_colors, 4))
    if len(frames):
        space = describe_space(color_space, frames.shape[1])
        plan = _plan_batches(device, frames, n_colors, n_init, space)
        slots = [
            _Slot(device, plan, seed, space)
            for _ in range(min(_SLOTS, -(-len(frames) // plan.n_frames)))
        ]
        for number, first in enumerate(range(0, len(frames), plan.n_frames)):
            batch = slice(first, first + plan.n_frames)
            slot = slots[number % len(slots)]
            slot.collect()
            slot.submit(frames[batch], clusters[batch])
        for slot in slots:
            slot.collect()
    return split_moments(clusters)


class _Plan(NamedTuple):
    """The sizes of all arrays.

    Attributes
    ----------
    n_frames : of a batch
    n_blocks : that search at a time
    capacity : points of a histogram
    most_coarse : points of a coarse histogram
    scratch_bytes : of a block
    """

    n_frames: int
    n_pixels: int
    n_colors: int
    n_init: int
    trials: int
    n_blocks: int
    capacity: int
    most_coarse: int
    scratch_bytes: int
    few_bins: int
    min_exact_coarse: int


def _plan_batches(
    device: Device,
    frames: NDArray[np.uint8],
    n_colors: int,
    n_init: int,
    space: Space,
) -> _Plan:
    """Divide the device's free memory between frames and the blocks that search."""
    n, n_pixels, _ = frames.shape
    by_roots = len(space.from_linear) > 0
    few_bins = FEW_BINS_BY_ROOTS if by_roots else FEW_BINS
    min_exact_coarse = MIN_COARSE_BY_ROOTS if by_roots else MIN_COARSE
    trials = 2 + int(np.log(n_colors))
    capacity = min(n_pixels, N_BINS)
    enough = max(min_exact_coarse, MIN_COARSE_PER_COLOR * n_colors)
    # 4 bits a channel, or one bit more than was not enough.
    most_coarse = min(capacity, max(1 << 12, 8 * enough))
    # The same sum as in find_room of batches.cu, which divides this room.
    scratch_bytes = 8 * capacity + (8 + 4 * (1 + trials)) * most_coarse
    scratch_bytes = -(-scratch_bytes // 256) * 256
    frame_bytes = (
        3 * n_pixels
        + _HISTOGRAMS * (4 + 32 + 16) * capacity
        + n_init * (12 * n_colors + 8)
        + 32 * n_colors
        + 4 * _HISTOGRAMS
        + 8
    )
    free = device.count_free_bytes()
    room = int(free * _MEMORY_PART) // _SLOTS
    if frame_bytes + scratch_bytes > room:
        needed = _SLOTS * (frame_bytes + scratch_bytes)
        raise NoRoomError(
            f"a frame needs {needed >> 20} MB of the device's memory, and "
            f"{free >> 20} MB are free"
        )
    n_blocks = device.n_processors * _BLOCKS_PER_PROCESSOR
    # Where memory is short, blocks get half of it, once there is room for one frame.
    left = max(scratch_bytes, min(room // 2, room - frame_bytes))
    n_blocks = min(n_blocks, left // scratch_bytes)
    n_frames = (room - n_blocks * scratch_bytes) // frame_bytes
    n_frames = min(n_frames, _MOST_FRAMES, -(-n // _SLOTS))
    return _Plan(
        n_frames=n_frames,
        n_pixels=n_pixels,
        n_colors=n_colors,
        n_init=n_init,
        trials=trials,
        n_blocks=min(n_blocks, n_frames * n_init),
        capacity=capacity,
        most_coarse=most_coarse,
        scratch_bytes=scratch_bytes,
        few_bins=few_bins,
        min_exact_coarse=min_exact_coarse,
    )


class _Slot:
    """Room on the device for one batch, used again and again."""

    def __init__(self, device: Device, plan: _Plan, seed: int, space: Space) -> None:
        self._device = device
        self._plan = plan
        self._seed = np.uint64(seed)
        self._queue = device.make_queue()
        n, k = plan.n_frames, plan.n_colors
        histograms = (n, _HISTOGRAMS)
        self._pixels_here = device.allocate_here((n, plan.n_pixels, 3), np.uint8)
        self._clusters_here = device.allocate_here((n, k, 4), np.float64)
        self._pixels = device.allocate((n, plan.n_pixels, 3), np.uint8)
        self._clusters = device.allocate((n, k, 4), np.float64)
        self._histograms = (
            device.allocate((*histograms, plan.capacity), np.uint32),
            device.allocate((*histograms, plan.capacity, 4), np.float64),
            device.allocate((*histograms, 4, plan.capacity), np.float32),
            device.allocate(histograms, np.int32),
        )
        self._scatter = device.allocate((n,), np.float64)
        self._starts = device.allocate((n, plan.n_init, k, 3), np.float32)
        self._inertias = device.allocate((n, plan.n_init), np.float64)
        self._scratch = device.allocate((plan.n_blocks, plan.scratch_bytes), np.uint8)
        self._n_curve = len(space.curve)
        packed = [space.curve, _pack_space(space)]
        self._space = [device.allocate(numbers.shape, np.float64) for numbers in packed]
        for numbers, on_device in zip(packed, self._space, strict=True):
            device.upload(numbers, on_device, self._queue)
        # The arrays may go only when they have been copied.
        device.wait(self._queue)
        self._to: NDArray[np.float64] | None = None

    def submit(self, frames: NDArray[np.uint8], to: NDArray[np.float64]) -> None:
        """Start clustering frames (n, p, 3); `collect` fills `to` (n, k, 4)."""
        n, plan = len(frames), self._plan
        self._to = to
        self._pixels_here[:n] = frames
        self._device.upload(self._pixels_here[:n], self._pixels[:n], self._queue)
        curve, space = self._space
        self._launch(
            "make_histograms",
            self._pixels,
            np.int32(plan.n_pixels),
            np.int32(plan.capacity),
            np.int32(plan.few_bins),
            np.int32(MIN_COARSE),
            np.int32(plan.min_exact_coarse),
            np.int32(plan.n_colors),
            curve,
            np.int32(self._n_curve),
            space,
            *self._histograms,
            self._scatter,
            blocks=n,
            threads=_FRAME_THREADS,
            shared_bytes=_count_counting_bytes(plan.few_bins, _FRAME_THREADS),
        )
        sizes = [np.int32(plan.capacity), np.int32(plan.most_coarse)]
        sizes += [np.int32(plan.n_colors), np.int32(plan.n_init)]
        self._launch(
            "try_starts",
            *self._histograms,
            self._scatter,
            np.int32(n),
            *sizes,
            np.int32(plan.trials),
            self._seed,
            np.float64(TOLERANCE),
            self._scratch,
            np.int64(plan.scratch_bytes),
            self._starts,
            self._inertias,
            blocks=min(plan.n_blocks, n * plan.n_init),
            threads=_START_THREADS,
            shared_bytes=_count_search_bytes(plan.n_colors, _START_THREADS),
        )
        self._launch(
            "finish_palettes",
            *self._histograms,
            np.int32(n),
            *sizes,
            self._scratch,
            np.int64(plan.scratch_bytes),
            self._starts,
            self._inertias,
            self._clusters,
            blocks=min(plan.n_blocks, n),
            threads=_FRAME_THREADS,
            shared_bytes=_count_search_bytes(plan.n_colors, _FRAME_THREADS),
        )
        self._device.download(self._clusters[:n], self._clusters_here[:n], self._queue)

    def collect(self) -> None:
        """Wait for the batch that was submitted last, if any."""
        if self._to is not None:
            self._device.wait(self._queue)
            self._to[:] = self._clusters_here[: len(self._to)]
            self._to = None

    def _launch(self, kernel: str, *arguments: Any, **how: int) -> None:
        self._device.launch(kernel, self._queue, *arguments, **how)


def _count_counting_bytes(few_bins: int, threads: int) -> int:
    """Count the memory of a block that counts: see count_pixels of the kernels."""
    # A bit for every bin, and for each of the 64 colors of a few bins; a running sum
    # for every 128 bits.
    n_bits = N_BINS + 64 * few_bins
    return n_bits // 8 + 4 * (n_bits // 128) + 4 * (threads + 1)


def _count_search_bytes(n_colors: int, threads: int) -> int:
    """Count the memory of a block that searches: see find_room of the kernels."""
    doubles = 7 * n_colors + 10
    words = 2 * threads + n_colors + 8 + 1 + 2 * 3 * n_colors
    return 8 * doubles + 4 * words


def _pack_space(space: Space) -> NDArray[np.float64]:
    """Lay out a color space, but for its curve, as the kernels read it: (26,)."""
    by_roots = len(space.from_linear) > 0
    numbers = np.zeros(26)
    numbers[0] = by_roots
    numbers[1] = space.parts
    if by_roots:
        numbers[2:11] = space.from_linear.ravel()
        numbers[11:14] = space.epsilon, space.slope, space.offset
        numbers[14:23] = space.from_roots.ravel()
        numbers[23:26] = space.origin
    return numbers
