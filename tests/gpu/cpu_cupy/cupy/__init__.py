"""A stand-in for CuPy: what engine cupy uses of it, on the CPU.

The kernels are the real ones, made by a compiler of C++. What a GPU would refuse is
refused here, too.
"""

import ctypes
import functools
import hashlib
import tempfile
from pathlib import Path

import numpy as np

from cpu_device import compile_kernels, run_kernel

from . import cuda

__version__ = "14.2.0"

# Without being asked for more.
_SHARED_BYTES = 48 << 10
# Of Turing, which has least.
_MOST_SHARED_BYTES = 64 << 10


class ndarray(np.ndarray):
    def set(self, arr, stream=None):
        assert isinstance(stream, cuda.Stream)
        assert (self.shape, self.dtype) == (arr.shape, arr.dtype)
        self[...] = arr

    def get(self, stream=None, order="C", out=None, blocking=True):
        assert isinstance(stream, cuda.Stream)
        assert (self.shape, self.dtype) == (out.shape, out.dtype)
        assert out.flags.c_contiguous
        out[...] = self
        return out


def empty(shape, dtype):
    return np.empty(shape, dtype).view(ndarray)


def get_default_memory_pool():
    return _Pool()


class _Pool:
    def free_bytes(self):
        return 0

    def free_all_blocks(self):
        pass


class RawModule:
    def __init__(self, *, code, options):
        # Without it the bits would differ on a GPU.
        assert "--fmad=false" in options
        self._code = code

    def get_function(self, name):
        return RawKernel(_load(self._code), name)


class RawKernel:
    def __init__(self, library, name):
        self._library = library
        self._name = name
        self.max_dynamic_shared_size_bytes = _SHARED_BYTES

    def __call__(self, grid, block, args, *, shared_mem=0):
        assert len(grid) == len(block) == 1
        assert 0 < block[0] <= 1024
        assert shared_mem <= self.max_dynamic_shared_size_bytes <= _MOST_SHARED_BYTES
        for arg in args:
            # CuPy takes numbers of Python for 64 bits, whatever the kernel wants.
            assert isinstance(arg, (ndarray, np.generic))
        run_kernel(self._library, self._name, args, grid[0])


@functools.cache
def _load(code):
    name = hashlib.sha256(code.encode()).hexdigest()[:16]
    library = Path(tempfile.gettempdir(), f"reelbow-kernels-{name}.so")
    if not library.exists():
        with tempfile.TemporaryDirectory(dir=library.parent) as folder:
            compile_kernels(Path(folder, library.name), code).rename(library)
    return ctypes.CDLL(str(library))
