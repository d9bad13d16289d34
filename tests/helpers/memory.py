"""Too little memory, for tests of what is told then."""

import contextlib
import re
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

STATUS = Path("/proc/self/status")

LINUX_ONLY = pytest.mark.skipif(not STATUS.exists(), reason="Linux only")


@contextlib.contextmanager
def little_memory(n_bytes: int) -> Iterator[None]:
    """Let this process take so much more memory than it has, and no more."""
    found = re.search(r"VmData:\s+(\d+)", STATUS.read_text())
    assert found is not None
    _, most = before = resource.getrlimit(resource.RLIMIT_DATA)
    has = int(found[1]) << 10
    taken = []
    try:
        # Room that earlier tests have left counts as had, and is not to be found again.
        resource.setrlimit(resource.RLIMIT_DATA, (has, most))
        with contextlib.suppress(MemoryError):
            while True:
                taken.append(bytearray(1 << 20))
        resource.setrlimit(resource.RLIMIT_DATA, (has + n_bytes, most))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)
