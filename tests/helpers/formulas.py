"""Colors and averages in floats, from the standards alone: the truth of tests."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Report ITU-R BT.2407-0, equation 2, and SMPTE EG 432-1's P3 (D65) to BT.709.
TO_BT709 = {
    "bt2020": np.array(
        [
            [1.660491, -0.587641, -0.072850],
            [-0.124550, 1.132900, -0.008349],
            [-0.018151, -0.100579, 1.118730],
        ]
    ),
    "p3": np.array(
        [
            [1.224940, -0.224940, 0.0],
            [-0.042057, 1.042057, 0.0],
            [-0.019638, -0.078636, 1.098274],
        ]
    ),
}


def to_light(code: Floats) -> Floats:
    """Convert sRGB to linear light, both [0, 1]: IEC 61966-2-1."""
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)


def to_code(light: Floats) -> Floats:
    """Convert linear light to sRGB, both [0, 1]."""
    return np.where(
        light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055
    )


def average_exactly(
    picture: NDArray[np.uint8], rows: int, space: str
) -> tuple[Floats, Floats, float]:
    """Average all pixels: mean (3,), strip (rows, 3) and luma, all [0, 255]."""
    values = picture / 255
    luma = float(values.mean((0, 1)) @ [0.2126, 0.7152, 0.0722]) * 255
    if space == "linear":
        values = to_light(values)
    mean, strip = values.mean((0, 1)), _average_lines(values.mean(1), rows)
    if space == "linear":
        mean, strip = to_code(mean), to_code(strip)
    return 255 * mean, 255 * strip, luma


def _average_lines(lines: Floats, rows: int) -> Floats:
    """Average (h, 3) lines to fewer rows, each line by the part that falls in."""
    edges = np.linspace(0, len(lines), rows + 1)
    sums = np.concatenate([np.zeros((1, 3)), np.cumsum(lines, axis=0)])
    at = np.array(
        [np.interp(edges, np.arange(len(sums)), channel) for channel in sums.T]
    ).T
    averages: Floats = np.diff(at, axis=0) / (len(lines) / rows)
    return averages
