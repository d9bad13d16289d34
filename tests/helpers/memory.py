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
    resource.setrlimit(resource.RLIMIT_DATA, ((int(found[1]) << 10) + n_bytes, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)
