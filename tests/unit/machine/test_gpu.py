import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from reelbow.errors import ReelbowError
from reelbow.kmeans import find_palettes
from reelbow.kmeans.palettes import COMMANDS, ENGINES, find_version
from reelbow.machine.gpu import (
    ADVICE,
    choose_cache,
    claim,
    explain_error,
    open_device,
    telling_errors,
)

ROOT = Path(__file__).parents[3]
SCRIPTS = ROOT / "workflow" / "scripts"
FRAME = np.random.default_rng(0).integers(0, 256, (1, 9, 16, 3), np.uint8)


@pytest.fixture
def stand_ins(monkeypatch, tmp_path):
    """CuPy and cuML without a GPU, and a place of their own for locks."""
    ours = ("cupy", "cuml", "reelbow.kmeans.engine_cu")
    monkeypatch.syspath_prepend(ROOT / "tests" / "stand_ins")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    open_device.cache_clear()
    yield
    open_device.cache_clear()
    for name in list(sys.modules):
        if name.startswith(ours):
            del sys.modules[name]


# Devices


def hold_device(folder: Path, *names: str):
    """Start a process that claims a device and holds it; return that one's number."""
    code = "from reelbow.machine.gpu import claim; "
    code += f"print(claim({names!r}), flush=True); input()"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(SCRIPTS), "TMPDIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    return process, int(process.stdout.readline())


def test_jobs_side_by_side_take_different_devices(tmp_path):
    names = ["0000:01:00.0", "0000:02:00.0"]
    first, number = hold_device(tmp_path, *names)
    second, other = hold_device(tmp_path, *names)
    assert [number, other] == [0, 1]
    # All are taken: one is shared.
    third, shared = hold_device(tmp_path, *names)
    assert shared == third.pid % 2
    # Killed or not, a job gives its device back.
    first.kill()
    first.communicate()
    fourth, again = hold_device(tmp_path, *names)
    assert again == 0
    # To whom only one is visible, it is the first, whatever others hold.
    fifth, only = hold_device(tmp_path, "0000:03:00.0")
    assert only == 0
    for process in (second, third, fourth, fifth):
        process.communicate("\n")
        assert process.returncode == 0


def test_without_a_place_for_locks_there_is_a_device_all_the_same(
    tmp_path, monkeypatch
):
    (tmp_path / f"reelbow-{os.getuid()}").write_text("")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert claim(["a"]) == 0


@pytest.mark.usefixtures("stand_ins")
def test_a_process_keeps_its_device(tmp_path):
    assert open_device() == 0
    assert open_device() == 0
    (lock,) = tmp_path.rglob("*.lock")
    assert lock.name == "gpu-0000:01:00.0.lock"


# What goes wrong


def raise_in_engine(monkeypatch, error):
    """Cluster a frame with an engine that raises this; return the sentence."""

    def find(*_):
        raise error

    monkeypatch.setitem(sys.modules, "raising", SimpleNamespace(find=find))
    monkeypatch.setitem(ENGINES, "raising", "raising")
    with pytest.raises(ReelbowError) as caught:
        find_palettes(FRAME, n_colors=2, engine="raising")
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(ADVICE)
    return sentence


@pytest.mark.usefixtures("stand_ins")
@pytest.mark.parametrize(
    ("status", "said"),
    [
        (2, "too little memory free (cudaErrorMemoryAllocation: out of memory)"),
        (35, "no driver of NVIDIA's here, or it is too old (cudaErrorInsufficient"),
        (46, "the GPU failed (cudaErrorDevicesUnavailable: CUDA-capable device(s)"),
        (100, "no GPU that this job may use (cudaErrorNoDevice: no CUDA-capable"),
        (214, "the GPU failed (cudaErrorECCUncorrectable: uncorrectable ECC error"),
    ],
)
def test_an_error_of_the_runtime_is_one_sentence(monkeypatch, status, said):
    from cupy.cuda.runtime import CUDARuntimeError

    assert said in raise_in_engine(monkeypatch, CUDARuntimeError(status))


@pytest.mark.usefixtures("stand_ins")
def test_a_lack_of_memory_is_the_device_s_and_not_the_job_s(monkeypatch):
    from cupy.cuda.memory import OutOfMemoryError

    said = raise_in_engine(monkeypatch, OutOfMemoryError(3000, 2000))
    assert said.startswith(
        "the GPU has too little memory free (Out of memory allocating 3,000 bytes "
        "(allocated so far: 2,000 bytes)); "
    )


@pytest.mark.usefixtures("stand_ins")
def test_a_kernel_that_does_not_compile_is_one_sentence(monkeypatch):
    from cupy.cuda.compiler import CompileException

    story = "a.cu(1): error: expected a ';'\n\n" + 20 * "1 error detected in a.cu.\n"
    error = CompileException(story, "source", "a.cu", ())
    said = raise_in_engine(monkeypatch, error)
    assert said.startswith("CuPy cannot compile for this GPU (a.cu(1): error: ")
    assert "expected a ';'" in said
    assert len(said) < 450


# As they were raised, or as their sources have them, on a machine without a GPU.
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            RuntimeError(
                "CuPy failed to load libcuda.so.1: OSError: libcuda.so.1: cannot open "
                "shared object file: No such file or directory"
            ),
            "there is no driver of NVIDIA's here",
        ),
        (
            RuntimeError('Failure finding "libnvrtc.so.13 or libnvrtc.so.12": No such'),
            "CuPy does not find a library of CUDA's; install its package with [ctk]",
        ),
        (
            MemoryError(
                "std::bad_alloc: out_of_memory: CUDA error (failed to allocate"
            ),
            "the GPU has too little memory free",
        ),
        (
            RuntimeError(
                "CUDA error encountered at: file=x.hpp line=9: call='y', "
                "Reason=cudaErrorNoDevice:no CUDA-capable device is detected"
            ),
            "there is no GPU that this job may use",
        ),
    ],
)
def test_other_libraries_of_the_gpu_are_understood_too(error, said):
    sentence = explain_error(error)
    assert sentence
    assert sentence.startswith(said)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("Unable to allocate 3 GiB for an array"),
        MemoryError("std::bad_alloc"),
        RuntimeError("something else"),
        KeyError("cudaErrorNoDevice"),
        ReelbowError("the GPU failed (cudaErrorUnknown)"),
    ],
)
def test_what_is_no_error_of_a_gpu_is_left_alone(error):
    with pytest.raises(type(error)) as caught, telling_errors():
        raise error
    assert caught.value is error


# Engines


@pytest.mark.parametrize("engine", ["cupy", "cuml"])
def test_an_engine_whose_package_is_missing_says_how_to_run_with_it(
    monkeypatch, engine
):
    monkeypatch.setitem(sys.modules, engine, None)
    monkeypatch.delitem(sys.modules, f"reelbow.kmeans.engine_{engine}", raising=False)
    with pytest.raises(ReelbowError) as caught:
        find_palettes(FRAME, n_colors=2, engine=engine)
    assert str(caught.value).startswith(f"The k-means engine '{engine}' needs the Pyth")
    assert f"run `{COMMANDS[engine]} ...`" in str(caught.value)


def test_a_package_that_does_not_load_is_told_in_one_sentence(monkeypatch, tmp_path):
    # As CuPy frames it.
    (tmp_path / "framed.py").write_text(
        "raise ImportError('''\n=====\nCuPy is not correctly installed.\n\n"
        "Original error:\n  ImportError: libx.so: cannot open\n=====\n''')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(ENGINES, "framed", "framed")
    with pytest.raises(ReelbowError) as caught:
        find_palettes(FRAME, n_colors=2, engine="framed")
    assert str(caught.value) == (
        "The k-means engine 'framed' cannot be loaded: ImportError: libx.so: cannot "
        "open"
    )


@pytest.mark.usefixtures("stand_ins")
@pytest.mark.parametrize("color_space", ["srgb", "oklab"])
def test_cuml_clusters_as_scikit_learn_does_but_for_the_library(color_space):
    frames = np.concatenate([FRAME, np.zeros_like(FRAME)])
    frames[1, :2] = [[[255, 0, 0]], [[0, 0, 9]]]
    settings = {"n_colors": 5, "n_init": 2, "seed": 3, "color_space": color_space}
    one, other = (
        find_palettes(frames, engine=engine, **settings)
        for engine in ("cuml", "sklearn")
    )
    assert_array_equal(one.colors, other.colors)
    assert_array_equal(one.shares, other.shares)
    # Two, and not five, of a frame of few colors.
    assert (one.shares[1] > 0).sum() == 3


@pytest.mark.usefixtures("stand_ins")
def test_engines_say_their_versions():
    assert find_version("cuml") == "26.10.0"
    for engine in ("numba", "sklearn"):
        assert re.match(r"\d+\.\d+", find_version(engine))


# Compiled kernels


@pytest.fixture
def caches(monkeypatch, tmp_path):
    """A home and a folder for temporary files."""
    monkeypatch.delenv("CUPY_CACHE_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_kernels_are_kept_where_cupy_keeps_them(caches):
    choose_cache()
    assert "CUPY_CACHE_DIR" not in os.environ
    assert (caches / "home/.cupy/kernel_cache").is_dir()


def test_without_a_home_kernels_are_kept_with_temporary_files(caches, monkeypatch):
    # Not even root can make a folder in a file.
    (caches / "home").write_text("")
    monkeypatch.setenv("CUPY_CACHE_DIR", "")
    choose_cache()
    folder = Path(os.environ["CUPY_CACHE_DIR"])
    assert folder.parent == caches / f"reelbow-{os.getuid()}"


def test_a_folder_that_the_user_says_comes_first(caches, monkeypatch):
    monkeypatch.setenv("CUPY_CACHE_DIR", str(caches / "own"))
    choose_cache()
    assert os.environ["CUPY_CACHE_DIR"] == str(caches / "own")
    assert (caches / "own").is_dir()
