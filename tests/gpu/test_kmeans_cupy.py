"""Engine cupy: on a GPU where there is one, and everywhere on a stand-in for CuPy."""

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from reelbow.errors import ReelbowError
from reelbow.kmeans import find_palettes
from reelbow.kmeans.palettes import COLOR_SPACES, MAX_COLORS
from reelbow.machine.gpu import explain_error, open_device

STAND_IN = Path(__file__).parent / "cpu_cupy"
FRAMES = np.random.default_rng(0).normal(110, 50, (5, 20, 30, 3)).clip(0, 255)
FRAMES = FRAMES.astype(np.uint8)
# One has few colors.
FRAMES[2] = FRAMES[2] // 8 + 100


def forget_cupy():
    """Let the next import find another CuPy."""
    open_device.cache_clear()
    for name in list(sys.modules):
        if name.startswith(("cupy", "reelbow.kmeans.engine_cupy")):
            del sys.modules[name]


@pytest.fixture
def stand_in(kernels, monkeypatch, tmp_path):
    """A CuPy that works, on the CPU."""
    forget_cupy()
    monkeypatch.syspath_prepend(STAND_IN)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    yield
    forget_cupy()


@pytest.fixture
def real_gpu():
    """A GPU, if this machine has one."""
    if find_spec("cupy") is None:
        pytest.skip("CuPy is not installed")
    try:
        open_device()
    except Exception as error:
        if explain_error(error) is None:
            raise
        pytest.skip(f"no GPU: {error}")
    yield
    forget_cupy()


@pytest.mark.parametrize("color_space", COLOR_SPACES)
@pytest.mark.parametrize("cupy", ["stand_in", "real_gpu"])
def test_palettes_are_those_of_engine_numba_to_the_bit(request, cupy, color_space):
    request.getfixturevalue(cupy)
    for n_colors in [6, "auto"]:
        how = {"n_colors": n_colors, "seed": 3, "color_space": color_space}
        found = find_palettes(FRAMES, engine="cupy", **how)
        expected = find_palettes(FRAMES, **how)
        assert_array_equal(found.colors, expected.colors)
        assert_array_equal(found.shares, expected.shares)


@pytest.mark.usefixtures("stand_in")
def test_kernels_may_have_as_much_memory_of_their_own_as_they_ask_for():
    """More than 48 KB must be asked for; the stand-in refuses it as a GPU does."""
    few = np.zeros((1, 1, 2, 3), np.uint8)
    few[0, 0, 1] = 255
    palettes = find_palettes(
        few, n_colors=MAX_COLORS, color_space="cielab", engine="cupy"
    )
    assert_array_equal(palettes.shares[0, :2], 0.5)


@pytest.mark.usefixtures("stand_in")
def test_a_gpu_too_small_for_a_frame_is_told_in_one_sentence(monkeypatch):
    import cupy

    monkeypatch.setattr(cupy.cuda.runtime, "memGetInfo", lambda: (1 << 20, 1 << 30))
    with pytest.raises(ReelbowError, match=r"too little memory free .* 1 MB are free"):
        find_palettes(np.zeros((1, 300, 300, 3), np.uint8), n_colors=8, engine="cupy")
