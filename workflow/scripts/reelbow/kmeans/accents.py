"""Accents: small but striking colors of frames, which palettes by share do without."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbow.arguments import check_whole
from reelbow.color.spaces import SPACES, srgb_to_oklab
from reelbow.errors import ReelbowError
from reelbow.kmeans.palettes import (
    Palettes,
    check_frames,
    check_settings,
    order_colors,
)

MAX_ACCENTS = 8


def add_accents(
    frames: NDArray[np.uint8],
    palettes: Palettes,
    *,
    n_accents: int,
    color_space: str = "srgb",
) -> tuple[Palettes, NDArray[np.bool_]]:
    """Add to each palette its frame's accents, as a red coat in a gray street.

    An accent is a saturated color that is far from all colors of the palette, and no
    mixture of two of them. Its pixels are taken from the palette's colors, of which
    each keeps the pixels that are nearest to it. Those of a frame without accents stay
    as they are.

    Parameters
    ----------
    frames : (n, h, w, 3) uint8, sRGB
    palettes : (n, k) of these frames as `find_palettes` ranks them, by any engine
    n_accents : of each frame at most, [0, 8]
    color_space : that of the palettes: means are taken in it

    Returns
    -------
    palettes : (n, k + n_accents), ranked by share; missing colors have share 0
    is_accent : (n, k + n_accents) bool

    Raises
    ------
    ReelbowError
        If a setting is outside of what is said above, the frames are not of that shape
        and type, or the palettes are not theirs.
    """
    from reelbow.kmeans.accent_search import make_room, search_accents
    from reelbow.kmeans.engine_numba import split_moments
    from reelbow.kmeans.space import describe_space

    check_whole("n_accents", n_accents, 0, MAX_ACCENTS)
    check_frames(frames, "(n, h, w, 3)")
    n, n_colors = palettes.shares.shape
    check_settings(n_colors, 1, 0, color_space)
    if len(frames) != n:
        raise ReelbowError(
            f"palettes must be those of the frames, of which there are {len(frames)}, "
            f"not of {n}."
        )
    height, width = frames.shape[1:3]
    pixels = np.ascontiguousarray(frames).reshape(n, height * width, 3)
    n_pixels = pixels.shape[1]
    sums = np.zeros((n, n_colors + n_accents, 4))
    search_accents(
        pixels,
        _to_points(palettes.colors),
        SPACES[color_space].from_srgb(palettes.colors),
        (palettes.shares > 0).sum(axis=1),
        describe_space("oklab", n_pixels),
        describe_space(color_space, n_pixels),
        make_room(n_pixels, n_colors + n_accents),
        sums,
    )
    colors = np.pad(palettes.colors, ((0, 0), (0, n_accents), (0, 0)))
    shares = np.pad(palettes.shares, ((0, 0), (0, n_accents)))
    is_accent = np.zeros(shares.shape, bool)
    found = sums[:, n_colors:, 0].any(axis=1)
    means, weights = split_moments(sums[found])
    means = np.clip(SPACES[color_space].to_srgb(means), 0, 255)
    order = order_colors(means, weights)
    present = np.take_along_axis(weights, order, axis=1) > 0
    colors[found] = (
        np.take_along_axis(means, order[..., None], axis=1) * present[..., None]
    )
    shares[found] = np.take_along_axis(weights, order, axis=1) / n_pixels
    is_accent[found] = (order >= n_colors) & present
    return Palettes(colors, shares), is_accent


def join_accents(
    colors: NDArray[np.uint8], shares: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Make one of accents that are alike, the largest first.

    Parameters
    ----------
    colors : (m, 3) uint8, sRGB, of several frames
    shares : (m,)

    Returns
    -------
    colors : (j, 3) float32, sRGB, [0, 255], means by share
    shares : (j,), their sums
    """
    from reelbow.kmeans.accent_search import FAR

    points = _to_points(colors)
    left = np.argsort(-shares, kind="stable")
    means, sums = [], []
    while len(left):
        is_near = ((points[left] - points[left[0]]) ** 2).sum(axis=1) <= FAR**2
        near, left = left[is_near], left[~is_near]
        sums.append(shares[near].sum())
        # Not by BLAS, whose sums are the machine's.
        weighted = shares[near, None].astype(np.float64) * colors[near]
        means.append(weighted.sum(axis=0) / sums[-1])
    return np.array(means, np.float32), np.array(sums, np.float32)


def _to_points(colors: NDArray[Any]) -> NDArray[np.float64]:
    """Take colors to where accents are compared: OKLab, lightness halved."""
    from reelbow.kmeans.accent_search import LIGHTNESS

    points: NDArray[np.float64] = srgb_to_oklab(colors) * [LIGHTNESS, 1, 1]
    return points
