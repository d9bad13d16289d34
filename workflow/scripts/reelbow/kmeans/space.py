"""A color space as compiled code takes it: tables and matrices, sRGB to points."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelbow.color.spaces import (
    CIE_EPSILON,
    CIE_OFFSET,
    CIE_SLOPE,
    CIELAB_FROM_LINEAR,
    CIELAB_FROM_ROOTS,
    CIELAB_ORIGIN,
    OKLAB_FROM_LINEAR,
    OKLAB_FROM_ROOTS,
    srgb_to_linear,
)
from reelbow.kmeans.histogram import Histogram, place_points
from reelbow.machine.compiled import njit

# The curve of sRGB is a table of so many values a level, and straight in between: right
# to 1e-7, and exact at whole levels.
CURVE_STEPS = 8

# No coordinate of a color is larger than 2 to this power.
_RANGE_BITS = {"srgb": 8, "linear": 0, "oklab": 1, "cielab": 8}

# Halley's steps of a cube root, enough for float64. A constant of this module and not a
# field of `Space`, so that the compiler can unroll the loop; not imported from another
# module, since numba's cache does not see a change there.
ROOT_STEPS = 3
ONE_BITS = 0x3FF0000000000000


class Space(NamedTuple):
    """How to leave sRGB; all that compiled code must not take for constant.

    Attributes
    ----------
    curve : (255 * 8 + 1,) float64, linear light of sRGB; empty for sRGB itself
    from_linear : (3, 3) float64; empty for linear light itself
    epsilon, slope, offset : up to epsilon, the straight line that stands for the root
    from_roots : (3, 3) float64, from the cube roots
    origin : (3,) float64, added at last
    parts : moments are whole multiples of 1 / parts, so that their sums are exact
    """

    curve: NDArray[np.float64]
    from_linear: NDArray[np.float64]
    epsilon: float
    slope: float
    offset: float
    from_roots: NDArray[np.float64]
    origin: NDArray[np.float64]
    parts: float


def describe_space(color_space: str, n_pixels: int) -> Space:
    """Gather the numbers of a color space, for frames of so many pixels."""
    if color_space == "srgb":
        curve = np.empty(0)
    else:
        levels = np.arange(255 * CURVE_STEPS + 1) / CURVE_STEPS
        curve = srgb_to_linear(levels)
    # No sum of moments needs more than the 53 bits of float64.
    bits = 52 - n_pixels.bit_length() - _RANGE_BITS[color_space]
    space = Space(
        curve,
        np.empty((0, 0)),
        0.0,
        0.0,
        0.0,
        np.empty((0, 0)),
        np.zeros(3),
        2.0**bits,
    )
    if color_space == "oklab":
        return space._replace(
            from_linear=OKLAB_FROM_LINEAR,
            from_roots=OKLAB_FROM_ROOTS,
        )
    if color_space == "cielab":
        return space._replace(
            from_linear=CIELAB_FROM_LINEAR,
            epsilon=CIE_EPSILON,
            slope=CIE_SLOPE,
            offset=CIE_OFFSET,
            from_roots=CIELAB_FROM_ROOTS,
            origin=CIELAB_ORIGIN,
        )
    return space


@njit
def leave_srgb(histogram: Histogram, n: int, space: Space) -> None:
    """Move points to the color space, each with its weight."""
    moments = histogram.moments
    for i in range(n):
        weight = moments[i, 0]
        for channel in range(1, 4):
            at = moments[i, channel] / weight * CURVE_STEPS
            below = min(int(at), len(space.curve) - 2)
            low = space.curve[below]
            moments[i, channel] = low + (at - below) * (space.curve[below + 1] - low)
        if len(space.from_linear) > 0:
            _multiply(space.from_linear, moments, i)
            for channel in range(1, 4):
                value = moments[i, channel]
                if value > space.epsilon:
                    moments[i, channel] = _take_cube_root(value)
                else:
                    moments[i, channel] = value * space.slope + space.offset
            _multiply(space.from_roots, moments, i)
        for channel in range(1, 4):
            value = moments[i, channel] + space.origin[channel - 1]
            moments[i, channel] = np.rint(weight * value * space.parts) / space.parts
    place_points(histogram, n)


@njit
def _multiply(
    matrix: NDArray[np.float64], moments: NDArray[np.float64], i: int
) -> None:
    """Multiply a matrix (3, 3) and the coordinates of point i, in their place."""
    a, b, c = moments[i, 1], moments[i, 2], moments[i, 3]
    for j in range(3):
        moments[i, j + 1] = matrix[j, 0] * a + matrix[j, 1] * b + matrix[j, 2] * c


@njit
def _take_cube_root(value: float) -> float:
    """Take the cube root of a number above 0, as `color.spaces` does."""
    bits = (np.float64(value).view(np.int64) - ONE_BITS) // 3 + ONE_BITS
    root = np.int64(bits).view(np.float64)
    for _ in range(ROOT_STEPS):
        power = root * root * root
        root = root * ((2.0 * power + 4.0 * value) / (4.0 * power + 2.0 * value))
    return float(root)
