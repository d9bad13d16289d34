"""Measures of a frame: numbers that say how light, colorful or warm it is.

They are of the pixels that are clustered, of each frame for itself, added up in one
order; so they are the same bits however a film is cut into shards and batches.

References
----------
CIE 15:2018, "Colorimetry": L*, C* and h of CIE 1976 L*a*b*.
E. Peli, "Contrast in complex images", J. Opt. Soc. Am. A 7(10), 1990: the contrast.
A. R. Smith, "Color gamut transform pairs", SIGGRAPH 1978: the saturation of HSV.
D. Hasler and S. Suesstrunk, "Measuring colourfulness in natural images", Human Vision
and Electronic Imaging VIII, 2003: the colorfulness, their third metric.
L.-C. Ou, M. R. Luo, A. Woodcock and A. Wright, "A study of colour emotion and colour
preference. Part I", Color Research and Application 29(3), 2004: the warmest hue.
A. Santos et al., "Evaluation of autofocus functions in molecular cytogenetic analysis",
Journal of Microscopy 188(3), 1997: the absolute gradient.
"""

import functools
import math

import numpy as np
from numpy.typing import NDArray

from reelbow.color.spaces import (
    CIELAB_FROM_LINEAR,
    LUMA_WEIGHTS,
    srgb_to_linear,
    take_cie_root,
)
from reelbow.machine.compiled import cached_njit
from reelbow.pictures.measure_names import OF_PICTURES

# The roots behind L*a*b* are straight lines between so many values: L* is right to
# 0.0002, C* to 0.001.
_ROOT_STEPS = 8192

# A hue is warm up to 60 degrees from Ou's warmest one, if there is a hue to be seen.
WARMEST_HUE = math.radians(50)
WARM_COSINE = 0.5
LEAST_CHROMA = 5.0

# L* from 0 to 100 of what is nearly black or white.
BLACK_LIGHTNESS = 5.0
WHITE_LIGHTNESS = 95.0

# cos and sin of `WARMEST_HUE`, `WARM_COSINE` and the other three, for compiled code.
_LIMITS = np.array(
    [
        *(0.6427876096865394, 0.766044443118978, WARM_COSINE),
        *(LEAST_CHROMA, BLACK_LIGHTNESS, WHITE_LIGHTNESS),
    ]
)


@functools.cache
def _make_tables() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Tabulate the light of sRGB levels, and roots from 0 to 1 in straight pieces.

    Of each piece the table has its value at 0, and its slope.
    """
    roots = take_cie_root(np.arange(_ROOT_STEPS + 2) / _ROOT_STEPS)
    slopes = np.diff(roots)
    at_zero = roots[:-1] - np.arange(_ROOT_STEPS + 1) * slopes
    return srgb_to_linear(np.arange(256)), np.stack([at_zero, slopes], axis=1)


def measure_pictures(
    pixels: NDArray[np.uint8], strips: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Measure pictures and their strips.

    Parameters
    ----------
    pixels : (n, h, w, 3) uint8 sRGB, contiguous
    strips : (n, rows, 3) sRGB, [0, 255]; taken as databases have them, in whole levels

    Returns
    -------
    (n, 10) float64, the columns of `OF_PICTURES`
    """
    measures = np.empty((len(pixels), len(OF_PICTURES)))
    points = pixels.reshape(len(pixels), -1, 3)
    light, roots = _make_tables()
    # Light in steps of the table of roots.
    to_steps = CIELAB_FROM_LINEAR * _ROOT_STEPS
    _measure_points(points, light, to_steps, roots, _LIMITS, measures)
    measures[:, 2] /= _ROOT_STEPS
    measures[:, -1] = _measure_sharpness(np.rint(strips))
    return measures


def _measure_sharpness(strips: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average the steps of luma from row to row: 0 where there is one row."""
    if strips.shape[1] < 2:
        return np.zeros(len(strips))
    red, green, blue = np.moveaxis(strips, -1, 0)
    weights = LUMA_WEIGHTS
    luma = weights[0] * red + weights[1] * green + weights[2] * blue
    steps: NDArray[np.float64] = np.abs(np.diff(luma, axis=1)).mean(axis=1)
    return steps


@cached_njit
def _measure_points(
    points: NDArray[np.uint8],
    light: NDArray[np.float64],
    to_steps: NDArray[np.float64],
    roots: NDArray[np.float64],
    limits: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Measure pictures, (n, pixels, 3); fills all of `out` but its last column.

    Its contrast is in steps of the table of roots.
    """
    warm_a, warm_b, warm_cosine = limits[0], limits[1], limits[2]
    least_chroma, black, white = limits[3], limits[4], limits[5]
    x_red, x_green, x_blue = to_steps[0]
    y_red, y_green, y_blue = to_steps[1]
    z_red, z_green, z_blue = to_steps[2]
    for i in range(len(points)):
        n = len(points[i])
        # Differences to the first pixel: so a flat picture has no deviation at all.
        first_l = first_y = 0.0
        sum_l = sum_ll = sum_y = sum_yy = sum_c = sum_s = 0.0
        # Whole numbers; of the opponent colors twice the second one.
        sum_rg = sum_rg2 = sum_yb = sum_yb2 = np.int64(0)
        n_warm = n_black = n_white = 0
        for p in range(n):
            red = points[i, p, 0]
            green = points[i, p, 1]
            blue = points[i, p, 2]
            r, g, b = np.int64(red), np.int64(green), np.int64(blue)
            rg = r - g
            yb = r + g - 2 * b
            sum_rg += rg
            sum_rg2 += rg * rg
            sum_yb += yb
            sum_yb2 += yb * yb
            high = max(r, g, b)
            if high > 0:
                sum_s += (high - min(r, g, b)) / high

            red_light, green_light, blue_light = light[red], light[green], light[blue]
            x = x_red * red_light + x_green * green_light + x_blue * blue_light
            y = y_red * red_light + y_green * green_light + y_blue * blue_light
            z = z_red * red_light + z_green * green_light + z_blue * blue_light
            # Unsigned index: numba skips its wraparound check.
            k = np.uint32(x)
            root_x = roots[k, 0] + roots[k, 1] * x
            k = np.uint32(y)
            root_y = roots[k, 0] + roots[k, 1] * y
            k = np.uint32(z)
            root_z = roots[k, 0] + roots[k, 1] * z
            lightness = 116.0 * root_y - 16.0
            lab_a = 500.0 * (root_x - root_y)
            lab_b = 200.0 * (root_y - root_z)
            chroma = np.sqrt(lab_a * lab_a + lab_b * lab_b)
            sum_c += chroma
            warmth = warm_a * lab_a + warm_b * lab_b
            n_warm += (chroma >= least_chroma) & (warmth >= warm_cosine * chroma)
            n_black += lightness <= black
            n_white += lightness >= white
            if p == 0:
                first_l = lightness
                first_y = y
            lightness -= first_l
            y -= first_y
            sum_l += lightness
            sum_ll += lightness * lightness
            sum_y += y
            sum_yy += y * y
        out[i, 0] = min(max(first_l + sum_l / n, 0.0), 100.0)
        out[i, 1] = np.sqrt(max(sum_ll / n - (sum_l / n) ** 2, 0.0))
        out[i, 2] = np.sqrt(max(sum_yy / n - (sum_y / n) ** 2, 0.0))
        out[i, 3] = sum_c / n
        out[i, 4] = sum_s / n
        mean_rg = sum_rg / n
        mean_yb = sum_yb / n
        spread = (sum_rg2 / n - mean_rg**2) + (sum_yb2 / n - mean_yb**2) / 4
        mean = mean_rg**2 + mean_yb**2 / 4
        out[i, 5] = np.sqrt(max(spread, 0.0)) + 0.3 * np.sqrt(mean)
        out[i, 6] = n_warm / n
        out[i, 7] = n_black / n
        out[i, 8] = n_white / n
