"""A device for kmeans.batches on the CPU: its kernels, made by a compiler of C++."""

import ctypes
import shutil
import subprocess
import threading
from pathlib import Path

import numpy as np

from reelbow.kmeans.batches import read_source

SHIM = Path(__file__).with_name("kernels_on_cpu.h")
# As on a GPU, products and sums are not fused.
FLAGS = ["-std=c++20", "-O2", "-ffp-contract=off", "-fPIC", "-shared", "-pthread"]


def find_compiler() -> str | None:
    return shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")


def compile_kernels(library: Path, source: str | None = None) -> Path:
    subprocess.run(
        [
            *(find_compiler() or "c++", *FLAGS, "-x", "c++", "-include", SHIM),
            *("-", "-o", library),
        ],
        input=source or read_source(),
        text=True,
        check=True,
    )
    return library


class CpuDevice:
    """Runs each kernel at once.

    Parameters
    ----------
    n_threads : of each block; None: one, whatever is asked for, which is fastest
    """

    n_processors = 2

    def __init__(self, library, *, n_threads=1, free_bytes=1 << 30):
        self._library = ctypes.CDLL(str(library))
        self._n_threads = n_threads
        self._free_bytes = free_bytes
        self.batches = []
        self.allocated_bytes = 0

    def count_free_bytes(self):
        return self._free_bytes

    def make_queue(self):
        return None

    def allocate(self, shape, dtype):
        array = np.empty(shape, dtype)
        self.allocated_bytes += array.nbytes
        # Nothing may count on zeros.
        array.view(np.uint8)[...] = 0xA5
        return array

    def allocate_here(self, shape, dtype):
        return np.empty(shape, dtype)

    def upload(self, source, to, queue):
        to[...] = source

    def download(self, source, to, queue):
        to[...] = source

    def wait(self, queue):
        pass

    def launch(self, kernel, queue, *arguments, blocks, threads, shared_bytes):
        if kernel == "make_histograms":
            self.batches.append(blocks)
        run_kernel(self._library, kernel, arguments, blocks, self._n_threads)


def run_kernel(library, kernel, arguments, n_blocks, n_threads=1):
    """Run a kernel, its blocks one after the other."""
    function = library[kernel]
    passed = [as_c(argument) for argument in arguments]
    library.open_grid(n_blocks, n_threads)

    def run_thread(block, thread):
        library.enter_block(block, thread)
        function(*passed)

    for block in range(n_blocks):
        if n_threads == 1:
            run_thread(block, 0)
            continue
        workers = [
            threading.Thread(target=run_thread, args=[block, thread])
            for thread in range(n_threads)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()


def as_c(argument):
    if isinstance(argument, np.ndarray):
        return ctypes.c_void_p(argument.ctypes.data)
    return np.ctypeslib.as_ctypes_type(argument.dtype)(argument)
