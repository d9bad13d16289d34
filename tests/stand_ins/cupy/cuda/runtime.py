import atexit
import os
import time
from pathlib import Path

from .memory import refuse_memory

# As cudaGetErrorName and cudaGetErrorString have them.
ERRORS = {
    2: "cudaErrorMemoryAllocation: out of memory",
    35: "cudaErrorInsufficientDriver: CUDA driver version is insufficient for CUDA "
    "runtime version",
    46: "cudaErrorDevicesUnavailable: CUDA-capable device(s) is/are busy or "
    "unavailable",
    100: "cudaErrorNoDevice: no CUDA-capable device is detected",
    214: "cudaErrorECCUncorrectable: uncorrectable ECC error encountered",
}


class CUDARuntimeError(RuntimeError):
    def __init__(self, status):
        self.status = status
        super().__init__(ERRORS[status])


def getDeviceCount():
    trace("begins")
    atexit.register(trace, "ends")
    if os.environ.get("REELBOW_TEST_DEVICE") == "none":
        raise CUDARuntimeError(100)
    return 1


def deviceGetPCIBusId(number):
    return f"0000:{number + 1:02X}:00.0"


def trace(what):
    """Leave a line, and time for other jobs to do so too."""
    if path := os.environ.get("REELBOW_TEST_TRACE"):
        with Path(path).open("a") as lines:
            lines.write(f"{what}\n")
        time.sleep(0.2 if what == "begins" else 0)


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return refuse_memory
