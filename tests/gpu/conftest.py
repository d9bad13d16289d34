"""The kernels of GPUs, made for the CPU."""

import os
from pathlib import Path

import pytest

from cpu_device import compile_kernels, find_compiler


@pytest.fixture(scope="session")
def kernels(tmp_path_factory) -> Path:
    """A library of the kernels, made once for all tests."""
    if not find_compiler():
        if os.environ.get("REELBOW_NEEDS_COMPILER"):
            pytest.fail("there is no compiler of C++")
        pytest.skip("there is no compiler of C++")
    return compile_kernels(tmp_path_factory.mktemp("kernels") / "kernels.so")
