"""How different two colors look: CIEDE2000.

References
----------
G. Sharma, W. Wu and E. Dalal, "The CIEDE2000 color-difference formula: implementation
notes, supplementary test data, and mathematical observations", 2005.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def measure_ciede2000(first: Floats, second: Floats) -> Floats:
    """Measure the difference of colors, each (..., 3) CIE L*a*b*, which broadcast.

    About 1 is just noticeable side by side. All weights (k_L, k_C, k_H) are 1.
    """
    l1, a1, b1 = np.moveaxis(first, -1, 0)
    l2, a2, b2 = np.moveaxis(second, -1, 0)
    chroma = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    stretch = 1.5 - 0.5 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    is_gray = c1 * c2 == 0
    turn = np.where(is_gray, 0, (h2 - h1 + 180) % 360 - 180)
    # Of two opposite hues it is 180, as in the formula.
    turn = np.where((turn == -180) & (h2 > h1), 180, turn)
    mean = np.where(
        is_gray,
        h1 + h2,
        np.where(
            np.abs(h1 - h2) <= 180,
            (h1 + h2) / 2,
            (h1 + h2 + np.where(h1 + h2 < 360, 360, -360)) / 2,
        ),
    )
    chroma = (c1 + c2) / 2
    tint = (
        1
        - 0.17 * np.cos(np.radians(mean - 30))
        + 0.24 * np.cos(np.radians(2 * mean))
        + 0.32 * np.cos(np.radians(3 * mean + 6))
        - 0.20 * np.cos(np.radians(4 * mean - 63))
    )
    rotation = -np.sin(np.radians(60 * np.exp(-(((mean - 275) / 25) ** 2)))) * (
        2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    )
    lightness = (l2 - l1) / weigh_lightness((l1 + l2) / 2)
    saturation = (c2 - c1) / (1 + 0.045 * chroma)
    hue = (2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2)) / (
        1 + 0.015 * chroma * tint
    )
    squares = lightness**2 + saturation**2 + hue**2 + rotation * saturation * hue
    found: Floats = np.sqrt(np.maximum(squares, 0))
    return found


def weigh_lightness(mean: Floats) -> Floats:
    """Find what divides a difference of L* (S_L), by the mean of both L*."""
    squares = (mean - 50) ** 2
    found: Floats = 1 + 0.015 * squares / np.sqrt(20 + squares)
    return found
