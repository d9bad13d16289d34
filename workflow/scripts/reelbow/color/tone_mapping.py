"""HDR and wide-gamut colors to SDR sRGB.

PQ and HLG are made light by their published curves, the light is compressed to the
range of SDR by the EETF of Report ITU-R BT.2390, brought from its primaries to those of
sRGB and coded as sRGB. Diffuse white is at 203 cd/m2, as Report ITU-R BT.2408 has it.
Wide-gamut SDR goes the same way without the compression. Colors beyond sRGB's gamut are
clipped.

References
----------
SMPTE ST 2084:2014 (PQ); Recommendation ITU-R BT.2100-2, tables 4 and 5 (PQ, HLG).
Report ITU-R BT.2390-11, section 5.4.1 (EETF). Report ITU-R BT.2408-7 (203 cd/m2).
IEC 61966-2-1 (sRGB). SMPTE RP 431-2 (P3).
"""

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelbow.color.spaces import NOMINAL_PEAK, linear_to_srgb, srgb_to_linear
from reelbow.machine.compiled import cached_njit, njit

# Light of the brightest SDR white, cd/m2.
SDR_WHITE = 203.0

# Chromaticities x, y of red, green, blue and white.
PRIMARIES = {
    "bt709": ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), (0.3127, 0.3290)),
    "bt2020": ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), (0.3127, 0.3290)),
    "p3": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.3127, 0.3290)),
}

# Steps of the tables over the square root of light, read by linear interpolation.
_STEPS = 4096


def decode_pq(code: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn PQ code values [0, 1] into light, [0, 10000] cd/m2 (ST 2084, EOTF)."""
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    root = np.power(code, 1 / m2)
    return 10000 * np.power(np.maximum(root - c1, 0) / (c2 - c3 * root), 1 / m1)


def encode_pq(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn light, [0, 10000] cd/m2, into PQ code values [0, 1]."""
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    power = np.power(light / 10000, m1)
    return np.power((c1 + c2 * power) / (1 + c3 * power), m2)


def decode_hlg(code: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn HLG code values [0, 1] into scene light [0, 1] (BT.2100, inverse OETF)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)


def compress_light(light: NDArray[np.float64], peak: float) -> NDArray[np.float64]:
    """Compress light of a range to SDR's, by the EETF of BT.2390.

    Parameters
    ----------
    light : cd/m2, [0, 10000]
    peak : the brightest light of the source, cd/m2

    Returns
    -------
    cd/m2, [0, `SDR_WHITE`]
    """
    source, white = encode_pq(np.array([peak, SDR_WHITE]))
    relative = np.minimum(encode_pq(light) / source, 1)
    most = white / source
    if most >= 1:
        return np.minimum(light, SDR_WHITE)
    knee = 1.5 * most - 0.5
    t = np.clip((relative - knee) / (1 - knee), 0, 1)
    spline = (
        (2 * t**3 - 3 * t**2 + 1) * knee
        + (t**3 - 2 * t**2 + t) * (1 - knee)
        + (-2 * t**3 + 3 * t**2) * most
    )
    return decode_pq(np.where(relative < knee, relative, spline) * source)


def convert_primaries(source: str, target: str = "bt709") -> NDArray[np.float64]:
    """Find the (3, 3) matrix that takes linear RGB of some primaries to others."""
    return np.asarray(np.linalg.solve(_to_xyz(target), _to_xyz(source)), np.float64)


def _to_xyz(primaries: str) -> NDArray[np.float64]:
    """Find the (3, 3) matrix from linear RGB to XYZ of primaries."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in PRIMARIES[primaries]])
    rgb, white = columns[:3].T, columns[3]
    matrix: NDArray[np.float64] = rgb * np.linalg.solve(rgb, white)
    return matrix


class _Tables(NamedTuple):
    """What the loop over pixels looks up."""

    light: NDArray[np.float32]  # (65536,) of a code value; 1 is the peak
    # (_STEPS + 2,) HLG's factor for a luminance; empty: none
    surround: NDArray[np.float32]
    # (_STEPS + 2,) factor for the largest channel's light
    compression: NDArray[np.float32]
    matrix: NDArray[np.float32]  # (3, 3) light at the source's primaries to sRGB's
    luminance: NDArray[np.float32]  # (3,) of the source's primaries
    codes: NDArray[np.uint8]  # (65536,) sRGB code of light [0, 1]


@functools.cache
def _make_tables(transfer: str, primaries: str, peak: float, white: int) -> _Tables:
    code = np.minimum(np.arange(65536) / white, 1)
    steps = (np.arange(_STEPS + 2) / _STEPS) ** 2
    surround = np.ones(0)
    compression = np.ones(_STEPS + 2)
    if transfer == "sdr":
        light = srgb_to_linear(255 * code)
    else:
        if transfer == "hlg":
            peak = NOMINAL_PEAK
            light = decode_hlg(code)
            # BT.2100's OOTF for a display of 1000 cd/m2.
            surround = np.maximum(steps, 1e-9) ** 0.2
        else:
            light = np.minimum(decode_pq(code) / peak, 1)
        compressed = compress_light(steps * peak, peak)
        compression[1:] = (compressed[1:] / SDR_WHITE) / steps[1:]
        compression[0] = compression[1]
    return _Tables(
        light.astype(np.float32),
        surround.astype(np.float32),
        compression.astype(np.float32),
        convert_primaries(primaries).astype(np.float32),
        _to_xyz(primaries)[1].astype(np.float32),
        np.rint(linear_to_srgb(np.arange(65536) / 65535)).astype(np.uint8),
    )


def map_to_srgb(
    codes: NDArray[np.uint16],
    *,
    transfer: str,
    primaries: str,
    peak: float,
    white: int = 65535,
) -> NDArray[np.uint8]:
    """Turn a picture of HDR or wide-gamut code values into sRGB.

    Parameters
    ----------
    codes : (h, w, 3) uint16, RGB code values, full range
    transfer : pq, hlg or sdr
    primaries : one of `PRIMARIES`
    peak : the brightest light of a PQ source, cd/m2
    white : the largest code value

    Returns
    -------
    (h, w, 3) uint8 sRGB
    """
    mapped = np.empty(codes.shape, np.uint8)
    tables = _make_tables(transfer, primaries, float(peak), white)
    _map_pixels(codes, tables, np.empty(3, np.float32), mapped)
    return mapped


@njit
def _look_up(table: NDArray[np.float32], light: np.float32) -> np.float32:
    """Interpolate in a table over the square root of light [0, 1]."""
    at = np.sqrt(light) * np.float32(_STEPS)
    step = int(at)
    part = at - np.float32(step)
    value: np.float32 = table[step] + (table[step + 1] - table[step]) * part
    return value


@cached_njit
def _map_pixels(
    codes: NDArray[np.uint16],
    tables: _Tables,
    light: NDArray[np.float32],
    mapped: NDArray[np.uint8],
) -> None:
    """Fill `mapped` (h, w, 3); `light` is room for one pixel. All was validated."""
    for y in range(codes.shape[0]):
        for x in range(codes.shape[1]):
            luminance = np.float32(0.0)
            for c in range(3):
                light[c] = tables.light[codes[y, x, c]]
                luminance += light[c] * tables.luminance[c]
            if len(tables.surround) > 0:
                factor = _look_up(tables.surround, min(luminance, np.float32(1.0)))
                for c in range(3):
                    light[c] *= factor
            most = min(max(light[0], light[1], light[2]), np.float32(1.0))
            factor = _look_up(tables.compression, most)
            for c in range(3):
                value = np.float32(0.0)
                for d in range(3):
                    value += tables.matrix[c, d] * light[d]
                value = min(max(value * factor, np.float32(0.0)), np.float32(1.0))
                mapped[y, x, c] = tables.codes[int(value * np.float32(65535.0) + 0.5)]
