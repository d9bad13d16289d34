"""Color spaces to cluster and compare in: conversions from sRGB and back.

Everything is done by additions, products, quotients and square roots, which IEEE 754
rounds in one way, and roots are found by a fixed number of Halley's steps. So results
are the same bits on every machine, which the powers of C libraries are not.

References
----------
IEC 61966-2-1:1999, "Default RGB colour space - sRGB".
B. Ottosson, "A perceptual color space for image processing", 2020 (its matrices as
revised in 2021).
CIE 15:2018, "Colorimetry"; ISO/CIE 11664-4:2019, "CIE 1976 L*a*b* colour space".
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Matrix = NDArray[np.float64]

# Of red, green and blue: Rec. ITU-R BT.709.
LUMA_WEIGHTS = np.array([0.2126, 0.7152, 0.0722])

# What HDR films are mastered to where they do not say, and HLG's nominal peak: cd/m2.
NOMINAL_PEAK = 1000.0

# Each of Halley's steps triples the digits of a root; the first guess has one.
ROOT_STEPS = 3

# The bits of the float64 1.0.
ONE_BITS = 0x3FF0000000000000

# CIE L*a*b*: below this cube the root is continued by its tangent.
CIE_EPSILON = (6 / 29) ** 3
CIE_SLOPE = (29 / 6) ** 2 / 3
CIE_OFFSET = 4 / 29


def _invert(matrix: Matrix) -> Matrix:
    """Invert a 3x3 matrix by its cofactors: LAPACK's last bits vary by machine."""
    a, b, c = matrix
    columns = [np.cross(b, c), np.cross(c, a), np.cross(a, b)]
    return np.stack(columns, axis=1) / float((a * columns[0]).sum())


# From linear light to the cones' responses, and from their roots to L, a, b.
OKLAB_FROM_LINEAR: Matrix = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
OKLAB_FROM_ROOTS: Matrix = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)

# From linear light to X, Y, Z by the primaries of sRGB and white at x 0.3127, y 0.3290,
# each divided by white's; from their roots to L + 16, a, b.
_XYZ_FROM_LINEAR: Matrix = np.array(
    [
        [506752 / 1228815, 87881 / 245763, 12673 / 70218],
        [87098 / 409605, 175762 / 245763, 12673 / 175545],
        [7918 / 409605, 87881 / 737289, 1001167 / 1053270],
    ]
)
CIELAB_FROM_LINEAR: Matrix = _XYZ_FROM_LINEAR / (
    _XYZ_FROM_LINEAR[:, :1] + _XYZ_FROM_LINEAR[:, 1:2] + _XYZ_FROM_LINEAR[:, 2:]
)
CIELAB_FROM_ROOTS: Matrix = np.array(
    [[0.0, 116.0, 0.0], [500.0, -500.0, 0.0], [0.0, 200.0, -200.0]]
)
CIELAB_ORIGIN: NDArray[np.float64] = np.array([-16.0, 0.0, 0.0])

# Published inverses are rounded; those of what is above bring every color back.
_LINEAR_FROM_OKLAB = _invert(OKLAB_FROM_LINEAR)
_ROOTS_FROM_OKLAB = _invert(OKLAB_FROM_ROOTS)
_LINEAR_FROM_CIELAB = _invert(CIELAB_FROM_LINEAR)
_ROOTS_FROM_CIELAB = _invert(CIELAB_FROM_ROOTS)


class ColorSpace(NamedTuple):
    """A pair of conversions, each of (..., 3) to (..., 3) float64.

    Attributes
    ----------
    from_srgb : from sRGB, [0, 255]
    to_srgb : to sRGB; a color that sRGB does not have lies outside of [0, 255]
    """

    from_srgb: Callable[[ArrayLike], NDArray[np.float64]]
    to_srgb: Callable[[ArrayLike], NDArray[np.float64]]


def srgb_to_srgb(colors: ArrayLike) -> NDArray[np.float64]:
    """Leave sRGB as it is."""
    return np.asarray(colors, np.float64)


def srgb_to_linear(colors: ArrayLike) -> NDArray[np.float64]:
    """Convert sRGB, (..., 3) in [0, 255], to linear light, [0, 1]."""
    value = np.asarray(colors, np.float64) / 255
    base = (np.maximum(value, 0.04045) + 0.055) / 1.055
    # x ** 2.4
    root = _take_root(base, 5)
    return np.where(value <= 0.04045, value / 12.92, base * base * (root * root))


def linear_to_srgb(colors: ArrayLike) -> NDArray[np.float64]:
    """Convert linear light, (..., 3) in [0, 1], to sRGB, [0, 255]."""
    value = np.asarray(colors, np.float64)
    # x ** (5 / 12)
    root = _take_root(np.sqrt(np.sqrt(np.maximum(value, 0.0031308))), 3)
    square = root * root
    curved = 1.055 * (square * square * root) - 0.055
    return np.where(value <= 0.0031308, value * 12.92, curved) * 255


def srgb_to_oklab(colors: ArrayLike) -> NDArray[np.float64]:
    """Convert sRGB, (..., 3) in [0, 255], to OKLab.

    L is in [0, 1], a and b in about [-0.4, 0.4].
    """
    cones = _multiply(OKLAB_FROM_LINEAR, srgb_to_linear(colors))
    return _multiply(OKLAB_FROM_ROOTS, _take_root(cones, 3))


def oklab_to_srgb(colors: ArrayLike) -> NDArray[np.float64]:
    """Convert OKLab, as of `srgb_to_oklab`, to sRGB."""
    roots = _multiply(_ROOTS_FROM_OKLAB, np.asarray(colors, np.float64))
    return linear_to_srgb(_multiply(_LINEAR_FROM_OKLAB, roots * roots * roots))


def srgb_to_cielab(colors: ArrayLike) -> NDArray[np.float64]:
    """Convert sRGB, (..., 3) in [0, 255], to CIE L*a*b* under D65, the white of sRGB.

    L is in [0, 100], a and b in [-108, 99].
    """
    relative = _multiply(CIELAB_FROM_LINEAR, srgb_to_linear(colors))
    return _multiply(CIELAB_FROM_ROOTS, take_cie_root(relative)) + CIELAB_ORIGIN


def take_cie_root(relative: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take the roots behind CIE L*a*b*: of X, Y or Z relative to white's, [0, 1].

    They are cube roots, continued by a straight line below `CIE_EPSILON`.
    """
    straight = relative * CIE_SLOPE + CIE_OFFSET
    return np.where(relative > CIE_EPSILON, _take_root(relative, 3), straight)


def cielab_to_srgb(colors: ArrayLike) -> NDArray[np.float64]:
    """Convert CIE L*a*b* under D65, as of `srgb_to_cielab`, to sRGB."""
    shifted = np.asarray(colors, np.float64) - CIELAB_ORIGIN
    roots = _multiply(_ROOTS_FROM_CIELAB, shifted)
    relative = np.where(
        roots > 6 / 29, roots * roots * roots, (roots - CIE_OFFSET) / CIE_SLOPE
    )
    return linear_to_srgb(_multiply(_LINEAR_FROM_CIELAB, relative))


SPACES = {
    "srgb": ColorSpace(srgb_to_srgb, srgb_to_srgb),
    "linear": ColorSpace(srgb_to_linear, linear_to_srgb),
    "oklab": ColorSpace(srgb_to_oklab, oklab_to_srgb),
    "cielab": ColorSpace(srgb_to_cielab, cielab_to_srgb),
}


def _multiply(matrix: Matrix, colors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Multiply colors (..., 3) by a matrix, in one order: BLAS would choose its own."""
    first, second, third = np.moveaxis(colors, -1, 0)
    return np.stack(
        [row[0] * first + row[1] * second + row[2] * third for row in matrix], axis=-1
    )


def _take_root(values: NDArray[np.float64], degree: int) -> NDArray[np.float64]:
    """Take the root of an odd degree, by Halley's steps.

    The first guess divides the number's bits, which begin with its exponent, by the
    degree.
    """
    size = np.asarray(np.abs(values))
    bits: NDArray[np.int64] = (size.view(np.int64) - ONE_BITS) // degree + ONE_BITS
    root = np.asarray(bits).view(np.float64)
    for _ in range(ROOT_STEPS):
        power = root * root * root
        if degree == 5:
            power = power * root * root
        less, more = degree - 1.0, degree + 1.0
        root = root * ((less * power + more * size) / (more * power + less * size))
    return np.where(size > 0, np.copysign(root, values), 0.0)
