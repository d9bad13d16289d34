"""k-means engine cupy: batches of frames on an NVIDIA GPU.

The palettes are those of engine numba, to the same bits. The kernels are compiled when
they are first used; CuPy keeps them in the user's folder for all jobs.
"""

import functools
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from reelbow.kmeans.batches import COMPILER_OPTIONS, find_on, read_source
from reelbow.machine.gpu import choose_cache, open_device

choose_cache()

import cupy  # noqa: E402 (it looks for its cache when it is imported)

# Shared memory of a block that every GPU gives without being asked, in bytes.
_SHARED_BYTES = 48 << 10


class CudaDevice:
    """A `batches.Device`: the GPU that this process uses. Queues are streams."""

    def __init__(self) -> None:
        attributes = cupy.cuda.Device().attributes
        self.n_processors: int = attributes["MultiProcessorCount"]
        self._module = cupy.RawModule(code=read_source(), options=COMPILER_OPTIONS)

    def count_free_bytes(self) -> int:
        """Count what is free, and what CuPy holds for the next who asks."""
        free, _ = cupy.cuda.runtime.memGetInfo()
        return int(free + cupy.get_default_memory_pool().free_bytes())

    def make_queue(self) -> Any:
        """Make a stream that does not wait for others."""
        return cupy.cuda.Stream(non_blocking=True)

    def allocate(self, shape: tuple[int, ...], dtype: DTypeLike) -> Any:
        """Allocate an array in the GPU's memory."""
        return cupy.empty(shape, dtype)

    def allocate_here(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """Allocate an array in memory that the GPU reads and writes by itself."""
        size = int(np.prod(shape))
        memory = cupy.cuda.alloc_pinned_memory(size * np.dtype(dtype).itemsize)
        return np.frombuffer(memory, dtype, size).reshape(shape)

    def upload(self, source: NDArray[Any], to: Any, queue: Any) -> None:
        """Copy to the GPU."""
        to.set(source, stream=queue)

    def download(self, source: Any, to: NDArray[Any], queue: Any) -> None:
        """Copy from the GPU, without waiting for it."""
        source.get(stream=queue, out=to, blocking=False)

    def launch(
        self,
        kernel: str,
        queue: Any,
        *arguments: Any,
        blocks: int,
        threads: int,
        shared_bytes: int,
    ) -> None:
        """Run a kernel, without waiting for it."""
        function = self._find_kernel(kernel)
        if shared_bytes > max(_SHARED_BYTES, function.max_dynamic_shared_size_bytes):
            function.max_dynamic_shared_size_bytes = shared_bytes
        with queue:
            function((blocks,), (threads,), arguments, shared_mem=shared_bytes)

    @functools.cache  # noqa: B019 - there is one device a process
    def _find_kernel(self, name: str) -> Any:
        return self._module.get_function(name)

    def wait(self, queue: Any) -> None:
        """Wait until the stream's work is done."""
        queue.synchronize()


@functools.cache
def open_cuda() -> CudaDevice:
    """Open the GPU of this process and compile the kernels, once."""
    open_device()
    return CudaDevice()


def find(
    frames: NDArray[np.uint8], n_colors: int, n_init: int, seed: int, color_space: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cluster the pixels of every frame as `engine_numba.find` does."""
    return find_on(open_cuda(), frames, n_colors, n_init, seed, color_space)
