"""Palettes of frames by k-means.

The engines share one face: `find` in the engine's module takes frames that were
validated here and gives clusters in any order. Frames are clustered one by one, each
from the seed alone, so a palette depends on the frame's own pixels and on nothing else.

Distances and means are those of a color space. An engine finds clusters in the space;
their colors are brought back to sRGB here.
"""

from importlib import import_module
from types import ModuleType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelbow import gpu
from reelbow.color_spaces import SPACES
from reelbow.errors import ReelbowError

# Modules, imported when first used: every job pays for its imports.
ENGINES = {
    "numba": "reelbow.kmeans_numba",
    "sklearn": "reelbow.kmeans_sklearn",
    "cupy": "reelbow.kmeans_cupy",
    "cuml": "reelbow.kmeans_cuml",
}
# How to run with the packages that not everybody has.
COMMANDS = {
    "cupy": "uv run --extra gpu snakemake",
    "cuml": "uv run --with cuml-cu12==26.10.0 snakemake",
}
COLOR_SPACES = tuple(SPACES)
MAX_COLORS = 256
# scikit-learn's bound, kept by every engine so that a config can change its engine.
MAX_SEED = 2**32 - 1

# A color taken to another space and back is right to about 1e-10 of a level. Rounded to
# so many parts of a level it is what it was, and a frame's only colors stay exact.
_PARTS = 1e6

_COMBINE_N_INIT = 5
_COMBINE_SEED = 0


class Palettes(NamedTuple):
    """The palettes of n frames, each ranked by share.

    Attributes
    ----------
    colors : (n, k, 3) float32, sRGB, [0, 255]; 0 where missing
    shares : (n, k) float32, [0, 1], sum 1 per frame; 0 where missing
    """

    colors: NDArray[np.float32]
    shares: NDArray[np.float32]


def find_palettes(
    frames: NDArray[np.uint8],
    *,
    n_colors: int,
    n_init: int = 5,
    seed: int = 0,
    color_space: str = "srgb",
    engine: str = "numba",
) -> Palettes:
    """Find the palette of every frame.

    A frame with fewer distinct colors than asked for gets exactly its own; the rest are
    missing.

    Parameters
    ----------
    frames : (n, h, w, 3) uint8, sRGB
    n_colors : [1, 256]
    n_init : how many starts; the one of least inertia is kept. Engine numba makes each
        start the best of three cheap ones
    seed : [0, 2**32)
    color_space : one of `COLOR_SPACES`; that of distances and of means. The mean of
        colors in oklab or cielab may be none of sRGB: it is clipped
    engine : one of `ENGINES`

    Returns
    -------
    Palettes; equal shares are ranked by color

    Raises
    ------
    ReelbowError
        If a setting is outside of what is said above, the engine is not installed, or
        its GPU fails.
    ValueError
        If the frames are not of that shape and type, or have no pixels.
    """
    _check_settings(n_colors, n_init, seed, color_space)
    if frames.dtype != np.uint8:
        raise ValueError(f"frames must be uint8, not {frames.dtype}")
    if frames.ndim != 4 or frames.shape[3] != 3:
        raise ValueError(f"frames must be (n, h, w, 3), not {frames.shape}")
    n, height, width, _ = frames.shape
    if height * width == 0:
        raise ValueError(f"frames must have pixels, these are {width}x{height}")
    pixels = np.ascontiguousarray(frames).reshape(n, height * width, 3)
    module = _load_engine(engine)
    with gpu.telling_errors():
        colors, weights = module.find(pixels, n_colors, n_init, seed, color_space)
    if color_space != "srgb":
        colors = SPACES[color_space].to_srgb(colors)
        colors = np.clip(np.rint(colors * _PARTS) / _PARTS, 0, 255)
    return _rank(colors, weights)


def find_version(engine: str) -> str:
    """Find the version of an engine's package; raises as `find_palettes` does."""
    _load_engine(engine)
    # Engines are named as their packages.
    return str(import_module(engine).__version__)


def combine_palettes(
    colors: NDArray[np.float32], shares: NDArray[np.float32], *, n_colors: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Find the one palette of several frames from the palettes they have.

    Parameters
    ----------
    colors : (m, k, 3) float32, sRGB, [0, 255]
    shares : (m, k) float32; the frames count alike if each of them sums to 1
    n_colors : [1, 256]

    Returns
    -------
    colors : (n_colors, 3) float32, sRGB, [0, 255], ranked by share; 0 where missing
    shares : (n_colors,) float32, [0, 1], sum 1; 0 where missing

    Raises
    ------
    ReelbowError
        If n_colors is outside of what is said above.
    ValueError
        If the shapes disagree, a value is out of range, or every color is missing.
    """
    _check_settings(n_colors, _COMBINE_N_INIT, _COMBINE_SEED, "srgb")
    if shares.ndim != 2 or colors.shape != (*shares.shape, 3):
        raise ValueError(
            f"colors must be (m, k, 3) and shares (m, k), not {colors.shape} and "
            f"{shares.shape}"
        )
    if not (np.isfinite(shares).all() and (shares >= 0).all()):
        raise ValueError("shares must be finite and not below 0")
    present = shares > 0
    points = colors[present].astype(np.float64)
    weights = shares[present].astype(np.float64)
    if not len(points):
        raise ValueError("the palettes to combine have no color with a share")
    if not ((points >= 0) & (points <= 255)).all():
        raise ValueError("colors must be in [0, 255]")
    found = _load_engine("numba").find_weighted(
        points, weights, n_colors, _COMBINE_N_INIT, _COMBINE_SEED
    )
    palettes = _rank(*found)
    return palettes.colors[0], palettes.shares[0]


def _check_settings(n_colors: int, n_init: int, seed: int, color_space: str) -> None:
    """Refuse settings that no engine could follow."""
    if not 1 <= n_colors <= MAX_COLORS:
        raise ReelbowError(f"n_colors must be 1 to {MAX_COLORS}, not {n_colors}.")
    if n_init < 1:
        raise ReelbowError(f"n_init must be 1 or more, not {n_init}.")
    if not 0 <= seed <= MAX_SEED:
        raise ReelbowError(f"seed must be 0 to {MAX_SEED}, not {seed}.")
    if color_space not in COLOR_SPACES:
        raise ReelbowError(
            f"There is no color_space {color_space!r}; "
            f"it must be one of: {', '.join(COLOR_SPACES)}."
        )


def _load_engine(engine: str) -> ModuleType:
    """Import the engine's module."""
    if engine not in ENGINES:
        raise ReelbowError(
            f"There is no k-means engine {engine!r}; "
            f"it must be one of: {', '.join(ENGINES)}."
        )
    try:
        with gpu.telling_errors():
            return import_module(ENGINES[engine])
    except ModuleNotFoundError as error:
        reason = f"needs the Python package {error.name!r}, which is not installed here"
        if engine in COMMANDS:
            reason += f"; run `{COMMANDS[engine]} ...`, see docs/gpu.md; {gpu.ADVICE}"
        raise ReelbowError(f"The k-means engine {engine!r} {reason}") from error
    except ImportError as error:
        # CuPy frames the reason, at the end, with lines of "=".
        lines = [line.strip() for line in str(error).splitlines() if line.strip(" =")]
        reason = f"cannot be loaded: {lines[-1] if lines else 'no reason is given'}"
        if engine in COMMANDS:
            reason += f"; {gpu.ADVICE}"
        raise ReelbowError(f"The k-means engine {engine!r} {reason}") from error


def _rank(colors: NDArray[np.float64], weights: NDArray[np.float64]) -> Palettes:
    """Order every palette by weight, then by color, and turn weights into shares.

    Parameters
    ----------
    colors : (n, k, 3) float64
    weights : (n, k) float64; 0 where missing
    """
    red, green, blue = np.moveaxis(colors, -1, 0)
    order = np.lexsort((blue, green, red, -weights), axis=-1)
    colors = np.take_along_axis(colors, order[..., None], axis=1)
    weights = np.take_along_axis(weights, order, axis=1)
    shares = weights / weights.sum(axis=1, keepdims=True)
    return Palettes(
        np.where(weights[..., None] > 0, colors, 0).astype(np.float32),
        shares.astype(np.float32),
    )
