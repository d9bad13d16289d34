"""Palettes of frames by k-means.

The engines share one face: `find` in the engine's module takes frames that were
validated here and gives clusters in any order. Frames are clustered one by one, each
from the seed alone, so a palette depends on the frame's own pixels and on nothing else.

Distances and means are those of a color space. An engine finds clusters in the space;
their colors are brought back to sRGB here.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelbow.arguments import check_whole
from reelbow.color.spaces import SPACES
from reelbow.errors import ReelbowError
from reelbow.kmeans.number_of_colors import choose_numbers
from reelbow.machine.gpu import ADVICE, telling_errors

# Modules, imported when first used: every job pays for its imports.
ENGINES = {
    "numba": "reelbow.kmeans.engine_numba",
    "sklearn": "reelbow.kmeans.engine_sklearn",
    "cupy": "reelbow.kmeans.engine_cupy",
    "cuml": "reelbow.kmeans.engine_cuml",
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

# Pixels of frames that come one after the other are held up to so many bytes.
_BATCH_BYTES = 64 << 20
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

    def hex(self) -> list[list[str]]:
        """Write each frame's colors as #rrggbb, without the missing ones."""
        return [
            [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in colors]
            for colors in (
                np.rint(row[weights > 0]).astype(np.uint8).tolist()
                for row, weights in zip(self.colors, self.shares, strict=True)
            )
        ]


def find_palettes(
    frames: NDArray[np.uint8] | Iterable[Any],
    *,
    n_colors: int | Literal["auto"],
    auto_colors: Sequence[int] = (1, 12),
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
    frames : (n, h, w, 3) uint8, sRGB; or any number of pictures one after the other,
        of `film.read_frames` or arrays (h, w, 3), of which only some are held at a time
    n_colors : k, [1, 256]; or "auto": for each frame as many as it needs, by the
        criterion of `number_of_colors`
    auto_colors : with "auto", the fewest and the most of a frame, [1, 256]
    n_init : how many starts; the one of least inertia is kept. Engine numba makes each
        start the best of three cheap ones
    seed : [0, 2**32)
    color_space : one of `COLOR_SPACES`; that of distances and of means. The mean of
        colors in oklab or cielab may be none of sRGB: it is clipped
    engine : one of `ENGINES`

    Returns
    -------
    Palettes of n_colors, or of the most of auto_colors; equal shares are ranked by
    color

    Raises
    ------
    ReelbowError
        If a setting is outside of what is said above, the frames are not of that shape
        and type or have no pixels, the engine is not installed, or its GPU fails.
    """
    if isinstance(n_colors, str):
        least, most = _check_auto(n_colors, auto_colors)
    else:
        least = most = n_colors
    check_settings(most, n_init, seed, color_space)
    module = _load_engine(engine)

    def cluster(pixels: NDArray[np.uint8], k: int, n_init: int) -> Palettes:
        with telling_errors():
            colors, weights = module.find(pixels, k, n_init, seed, color_space)
        return _rank(_return_to_srgb(colors, color_space), weights)

    found = [
        cluster(pixels, most, n_init)
        if n_colors != "auto"
        else _cluster_by_need(cluster, pixels, least, most, n_init)
        for pixels in _gather(frames)
    ]
    if len(found) == 1:
        return found[0]
    none = Palettes(np.zeros((0, most, 3), np.float32), np.zeros((0, most), np.float32))
    return Palettes(*map(np.concatenate, zip(none, *found, strict=True)))


def _cluster_by_need(
    cluster: Callable[[NDArray[np.uint8], int, int], Palettes],
    pixels: NDArray[np.uint8],
    least: int,
    most: int,
    n_init: int,
) -> Palettes:
    """Choose the number of colors of every frame, then cluster those of a number."""
    # More starts choose no better: see docs/color.md.
    first = cluster(pixels, most, 1)
    numbers = choose_numbers(*first).clip(least, most)
    colors, shares = map(np.zeros_like, first)
    for k in np.unique(numbers).tolist():
        alike = numbers == k
        colors[alike, :k], shares[alike, :k] = cluster(pixels[alike], k, n_init)
    return Palettes(colors, shares)


def _gather(
    frames: NDArray[np.uint8] | Iterable[Any],
) -> Iterator[NDArray[np.uint8]]:
    """Yield pictures in batches (n, pixels, 3) uint8, each of pictures of one size."""
    if isinstance(frames, np.ndarray):
        check_frames(frames, "(n, h, w, 3)")
        n, height, width, _ = frames.shape
        yield np.ascontiguousarray(frames).reshape(n, height * width, 3)
        return
    try:
        pictures = iter(frames)
    except TypeError:
        raise ReelbowError(
            "frames must be an array (n, h, w, 3) or pictures one after the other, not "
            f"one {type(frames).__name__}."
        ) from None
    batch: list[NDArray[np.uint8]] = []
    for frame in pictures:
        pixels = getattr(frame, "pixels", frame)
        if not isinstance(pixels, np.ndarray):
            raise ReelbowError(
                "Each of the frames must be of read_frames or an array (h, w, 3), not "
                f"{type(frame).__name__}."
            )
        check_frames(pixels, "(h, w, 3)")
        full = batch and (len(batch) + 1) * pixels.size > _BATCH_BYTES
        if full or (batch and batch[0].size != pixels.size):
            yield np.stack(batch)
            batch = []
        batch.append(pixels.reshape(-1, 3))
    if batch:
        yield np.stack(batch)


def check_frames(frames: NDArray[Any], shape: str) -> None:
    """Refuse pixels that are not of this shape, (n, h, w, 3) say, or type."""
    if frames.dtype != np.uint8:
        raise ReelbowError(
            f"frames must be uint8 of 0 to 255, not {frames.dtype}: convert them first."
        )
    if frames.ndim != shape.count(",") + 1 or frames.shape[-1] != 3:
        raise ReelbowError(f"frames must be {shape}, not {frames.shape}.")
    height, width = frames.shape[-3:-1]
    if height * width == 0:
        raise ReelbowError(f"frames must have pixels, these are {width}x{height}.")


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
    check_settings(n_colors, _COMBINE_N_INIT, _COMBINE_SEED, "srgb")
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
    return combine_colors(points, weights, n_colors=n_colors)


def combine_colors(
    colors: NDArray[np.float64],
    weights: NDArray[np.float64],
    *,
    n_colors: int,
    n_init: int = _COMBINE_N_INIT,
    seed: int = _COMBINE_SEED,
    color_space: str = "srgb",
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Find the palette of colors that have weights, by engine numba.

    Parameters
    ----------
    colors : (m, 3) float64, sRGB, [0, 255]; not none
    weights : (m,) float64, above 0; their sum is at most 1 in another space than srgb
    n_colors, n_init, seed, color_space : as `find_palettes` takes them

    Returns
    -------
    colors : (n_colors, 3) float32, sRGB, [0, 255], ranked by share; 0 where missing
    shares : (n_colors,) float32, [0, 1], sum 1; 0 where missing
    """
    check_settings(n_colors, n_init, seed, color_space)
    found, sums = _load_engine("numba").find_weighted(
        colors, weights, n_colors, n_init, seed, color_space
    )
    palettes = _rank(_return_to_srgb(found, color_space), sums)
    return palettes.colors[0], palettes.shares[0]


def _return_to_srgb(
    colors: NDArray[np.float64], color_space: str
) -> NDArray[np.float64]:
    """Bring colors (..., 3) of a space back, into [0, 255]."""
    if color_space == "srgb":
        return colors
    colors = SPACES[color_space].to_srgb(colors)
    return np.clip(np.rint(colors * _PARTS) / _PARTS, 0, 255)


def check_settings(n_colors: int, n_init: int, seed: int, color_space: str) -> None:
    """Refuse settings that no engine could follow."""
    check_whole("n_colors", n_colors, 1, MAX_COLORS)
    check_whole("n_init", n_init, 1)
    check_whole("seed", seed, 0, MAX_SEED)
    if color_space not in COLOR_SPACES:
        raise ReelbowError(
            f"There is no color_space {color_space!r}; "
            f"it must be one of: {', '.join(COLOR_SPACES)}."
        )


def _check_auto(n_colors: str, auto_colors: Sequence[int]) -> tuple[int, int]:
    """Take the fewest and the most colors of a frame, of which it needs some."""
    if n_colors != "auto":
        raise ReelbowError(
            f"n_colors must be a whole number, 1 to {MAX_COLORS}, or 'auto', not "
            f"{n_colors!r}."
        )
    try:
        least, most = auto_colors
    except (TypeError, ValueError):
        raise ReelbowError(
            "auto_colors must be two whole numbers, the fewest colors and the most, "
            f"not {auto_colors!r}."
        ) from None
    most = check_whole("the most of auto_colors", most, 1, MAX_COLORS)
    return check_whole("the fewest of auto_colors", least, 1, most), most


def _load_engine(engine: str) -> ModuleType:
    """Import the engine's module."""
    if engine not in ENGINES:
        raise ReelbowError(
            f"There is no k-means engine {engine!r}; "
            f"it must be one of: {', '.join(ENGINES)}."
        )
    try:
        with telling_errors():
            return import_module(ENGINES[engine])
    except ModuleNotFoundError as error:
        reason = f"needs the Python package {error.name!r}, which is not installed here"
        if engine in COMMANDS:
            reason += f"; run `{COMMANDS[engine]} ...`, see docs/gpu.md; {ADVICE}"
        raise ReelbowError(f"The k-means engine {engine!r} {reason}") from error
    except ImportError as error:
        # CuPy frames the reason, at the end, with lines of "=".
        lines = [line.strip() for line in str(error).splitlines() if line.strip(" =")]
        reason = f"cannot be loaded: {lines[-1] if lines else 'no reason is given'}"
        if engine in COMMANDS:
            reason += f"; {ADVICE}"
        raise ReelbowError(f"The k-means engine {engine!r} {reason}") from error


def order_colors(
    colors: NDArray[np.floating], weights: NDArray[np.floating]
) -> NDArray[np.intp]:
    """Give the order of every palette's colors (n, k, 3) by weight, then by color."""
    red, green, blue = np.moveaxis(colors, -1, 0)
    return np.lexsort((blue, green, red, -weights), axis=-1)


def _rank(colors: NDArray[np.float64], weights: NDArray[np.float64]) -> Palettes:
    """Order every palette by weight, then by color, and turn weights into shares.

    Parameters
    ----------
    colors : (n, k, 3) float64
    weights : (n, k) float64; 0 where missing
    """
    order = order_colors(colors, weights)
    colors = np.take_along_axis(colors, order[..., None], axis=1)
    weights = np.take_along_axis(weights, order, axis=1)
    shares = weights / weights.sum(axis=1, keepdims=True)
    return Palettes(
        np.where(weights[..., None] > 0, colors, 0).astype(np.float32),
        shares.astype(np.float32),
    )
