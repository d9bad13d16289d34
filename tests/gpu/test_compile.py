"""The kernels, compiled for GPUs by the compiler that CuPy uses; it needs no GPU."""

import ctypes
import os
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from reelbow.kmeans.batches import COMPILER_OPTIONS, read_source

# What CuPy adds.
CUPY_OPTIONS = ["-ftz=true", "--device-as-default-execution-space"]


@pytest.fixture(scope="session")
def nvrtc():
    """NVIDIA's compiler, by pip."""
    package = find_spec("nvidia.cuda_nvrtc") if find_spec("nvidia") else None
    if package is None:
        if os.environ.get("REELBOW_NEEDS_NVRTC"):
            pytest.fail("the package nvidia-cuda-nvrtc-cu12 is not installed")
        pytest.skip("the package nvidia-cuda-nvrtc-cu12 is not installed")
    folder = Path(next(iter(package.submodule_search_locations or []))) / "lib"
    return ctypes.CDLL(str(sorted(folder.glob("libnvrtc.so.*"))[0]))


def compile_for(nvrtc, architecture):
    """Compile the kernels; give status, log and program."""
    program = ctypes.c_void_p()
    source = read_source().encode()
    nvrtc.nvrtcCreateProgram(ctypes.byref(program), source, b"", 0, None, None)
    options = [*COMPILER_OPTIONS, *CUPY_OPTIONS]
    options.append(f"-arch={architecture}")
    passed = (ctypes.c_char_p * len(options))(*map(str.encode, options))
    status = nvrtc.nvrtcCompileProgram(program, len(options), passed)
    return status, read_text(nvrtc, "ProgramLog", program), program


def read_text(nvrtc, what, program):
    size = ctypes.c_size_t()
    nvrtc[f"nvrtcGet{what}Size"](program, ctypes.byref(size))
    text = ctypes.create_string_buffer(size.value)
    nvrtc[f"nvrtcGet{what}"](program, text)
    return text.value.decode()


# Turing, Ampere, Hopper: the oldest that CUDA 13 has, and those of clusters.
@pytest.mark.parametrize("architecture", ["sm_75", "sm_80", "sm_90"])
def test_kernels_compile_without_a_warning(nvrtc, architecture):
    status, log, _ = compile_for(nvrtc, architecture)
    assert (status, log) == (0, "")


def test_no_product_is_fused_with_a_sum(nvrtc):
    _, _, program = compile_for(nvrtc, "compute_75")
    code = read_text(nvrtc, "PTX", program)
    assert re.search(r"mul\.\S*f32", code)
    assert "fma." not in code
