"""The GPU of a job: a device of its own, and what goes wrong with it in one sentence.

Only devices that are visible count: where Slurm gave a job some, it set
CUDA_VISIBLE_DEVICES. Among these, jobs that run side by side take different ones, by a
lock on a file for each device.
"""

import contextlib
import fcntl
import functools
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from reelbow.errors import ReelbowError
from reelbow.machine.scratch import make_own_folder

# What a user can do whatever is wrong.
ADVICE = "with --retries 1 the shard is done on a CPU, with cluster.gpu_share 0 all are"

# Of CuPy, where CUPY_CACHE_DIR is not set.
DEFAULT_CACHE = "~/.cupy/kernel_cache"

# What CuPy, cuML and the libraries beneath them raise, as class: message.
_SIGNS = {
    "the GPU has too little memory free": (
        r"OutOfMemoryError|NoRoomError|cudaErrorMemoryAllocation|CUDA_ERROR_OUT_OF_MEMORY"
        r"|std::bad_alloc: .*(CUDA|RMM)"
    ),
    "there is no driver of NVIDIA's here, or it is too old": (
        r"cudaErrorInsufficientDriver|failed to load libcuda"
        r"|cudaErrorSystemDriverMismatch|CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"
    ),
    "there is no GPU that this job may use": (
        r"cudaErrorNoDevice|cudaErrorInvalidDevice|CUDA_ERROR_NO_DEVICE"
    ),
    "CuPy does not find a library of CUDA's; install its package with [ctk]": (
        r"DynamicLibNotFoundError|libnvrtc|failed to load lib"
    ),
    "CuPy cannot compile for this GPU": r"CompileException|NVRTC",
    "the GPU failed": r"cudaError|CUDA(Runtime|Driver)Error|CUDA_ERROR|CUDA error",
}

# Errors of a device are of these classes; CuPy's CompileException is none of them.
_KINDS = (RuntimeError, MemoryError, ImportError, OSError)

# Characters of an error's text that are told; compilers write pages.
_LONGEST = 200


def choose_cache() -> None:
    """Give CuPy, before it is imported, a folder that it can write to.

    It keeps compiled kernels there, for all jobs of a user.
    """
    try:
        folder = Path(os.environ.get("CUPY_CACHE_DIR") or DEFAULT_CACHE).expanduser()
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return
    except (OSError, RuntimeError):
        # No home, or none that can be written to.
        pass
    with contextlib.suppress(OSError):
        own = make_own_folder(Path(tempfile.gettempdir()))
        os.environ["CUPY_CACHE_DIR"] = str(own / "cupy")


@functools.cache
def open_device() -> int:
    """Take a device for the rest of this process, and have CuPy use it.

    It is the first that no other job of this user has on this machine; if all are
    taken, one is shared.

    Returns
    -------
    the device's number among those that are visible
    """
    from cupy import cuda

    names = [
        cuda.runtime.deviceGetPCIBusId(number)
        for number in range(cuda.runtime.getDeviceCount())
    ]
    number = claim(names)
    cuda.Device(number).use()
    return number


def claim(names: Sequence[str]) -> int:
    """Choose one of some devices and hold it until this process ends.

    Parameters
    ----------
    names : of the devices, the same in every process
    """
    # Without locks, and when all are taken, jobs spread by chance.
    with contextlib.suppress(OSError):
        folder = make_own_folder(Path(tempfile.gettempdir()))
        for number, name in enumerate(names):
            # Never closed: the lock ends with the process, however that ends.
            lock = os.open(folder / f"gpu-{name}.lock", os.O_RDWR | os.O_CREAT)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return number
            except OSError:
                os.close(lock)
    return os.getpid() % len(names)


@contextlib.contextmanager
def telling_errors() -> Iterator[None]:
    """Turn what a GPU's libraries raise inside into a `ReelbowError`."""
    try:
        yield
    except Exception as error:
        sentence = explain_error(error)
        if sentence is None:
            raise
        raise ReelbowError(sentence) from error


def explain_error(error: Exception) -> str | None:
    """Say what is wrong with the GPU; None if the error is none of a GPU."""
    names = [kind.__name__ for kind in type(error).__mro__]
    if not isinstance(error, _KINDS) and "CompileException" not in names:
        return None
    text = f"{names[0]}: {error}"
    for sentence, sign in _SIGNS.items():
        if re.search(sign, text):
            return f"{sentence} ({_shorten(str(error) or names[0])}); {ADVICE}"
    return None


def _shorten(text: str) -> str:
    """Cut a message to one line."""
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."
