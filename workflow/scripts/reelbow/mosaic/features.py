"""The numbers by which tiles are compared with the cells of a target.

Lightness of 4x4 parts says what is where in a picture, and its mean chroma what color
it has; by mean colors alone a mosaic is a picture of blocks. All are whole numbers, so
that sums of their products are exact in float32, in whatever order a library adds them:
the same tiles give the same picture on every machine.

Of a frame there are several views: the whole, and details of half its width and height.
So a few films have what is flat, and edges of all kinds, for most cells.
"""

import itertools

import numpy as np
from numpy.typing import NDArray

from reelbow.color.spaces import linear_to_srgb, srgb_to_linear, srgb_to_oklab

# Parts of a picture along each side.
PARTS = 4

# Lightness of the parts, row by row; then a and b of OKLab, of the whole picture.
N_FEATURES = PARTS * PARTS + 2

# Views of a frame: first the whole, then details in its corners, at its sides and in
# its middle, row by row. These begin and end between parts, so many to a side. (Of a
# side that is no multiple, parts of what is cut out begin a pixel beside.)
N_VIEWS = 10
FINE = 2 * PARTS
# Of more frames than so many the whole ones are choice enough.
MOST_DETAILED = 100_000
_STARTS = [(row, column) for row in (0, 2, 4) for column in (0, 2, 4)]

# OKLab's lightness, in [0, 1], and its a and b, which lie in [-0.32, 0.32] within sRGB,
# are counted in steps of 1/255; a and b from here.
LEVELS = 255
ZERO_CHROMA = 128

# How much more it counts that one part is lighter than another than that all are: eyes
# find a picture by what is where, and a tint mends the rest. More makes SSIM no better.
CONTRAST = 1.5

# What a step of chroma counts beside one of lightness: of 16 parts each has a
# lightness, so that by 4 all chroma weighs as much as all lightness, as in OKLab.
# Judged by eye, on an animal, a landscape and a graphic: with less the gray is better,
# and the colors worse.
CHROMA_FACTOR = 4

# Linear light in whole numbers, whose sums are exact.
_LIGHT = np.round(srgb_to_linear(np.repeat(np.arange(256), 3).reshape(-1, 3)) * 65535)
_LINEAR = _LIGHT[:, 0].astype(np.uint16)


def measure_parts(
    pixels: NDArray[np.uint8], down: int, across: int
) -> NDArray[np.float64]:
    """Average the parts of a picture in linear light.

    Parameters
    ----------
    pixels : (..., h, w, 3) uint8 sRGB, with h >= down and w >= across

    Returns
    -------
    (..., down, across, 3) float64 sRGB in [0, 255], of parts that are equal but for a
    pixel
    """
    rows, columns = pixels.shape[-3:-1]
    tops, lefts = _find_edges(rows, down), _find_edges(columns, across)
    sums = np.empty((*pixels.shape[:-3], down, across, 3))
    # A row of parts at a time: a target may have very many pixels.
    for row, (top, bottom) in enumerate(itertools.pairwise(tops)):
        light = _LINEAR[pixels[..., top:bottom, :, :]]
        high = light.sum(axis=-3, dtype=np.uint64)
        sums[..., row, :, :] = np.add.reduceat(high, lefts[:-1], axis=-2)
    areas = np.diff(tops)[:, None, None] * np.diff(lefts)[None, :, None]
    return linear_to_srgb(sums / (areas * 65535.0))


def _find_edges(length: int, parts: int) -> NDArray[np.int64]:
    return np.arange(parts + 1, dtype=np.int64) * length // parts


def count_views(details: str, n_frames: int) -> int:
    """Count the views of each frame that may be tiles.

    details : of which frames: "all", "none", or "auto": of up to `MOST_DETAILED`
    """
    is_few = n_frames <= MOST_DETAILED
    return N_VIEWS if details == "all" or (details == "auto" and is_few) else 1


def measure_views(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Average the parts of all views of frames.

    Parameters
    ----------
    pixels : (n, h, w, 3) uint8 sRGB, with h and w at least `FINE`

    Returns
    -------
    (n, N_VIEWS, 4, 4, 3) float64 sRGB in [0, 255]
    """
    fine = measure_parts(pixels, FINE, FINE)
    details = [fine[:, top : top + PARTS, left : left + PARTS] for top, left in _STARTS]
    return np.stack([measure_parts(pixels, PARTS, PARTS), *details], axis=1)


def cut_view(pixels: NDArray[np.uint8], view: int) -> NDArray[np.uint8]:
    """Cut a view out of a frame, (h, w, 3), with h and w at least `FINE`."""
    if not view:
        return pixels
    top, left = _STARTS[view - 1]
    rows, columns = (_find_edges(length, FINE) for length in pixels.shape[:2])
    return pixels[rows[top] : rows[top + PARTS], columns[left] : columns[left + PARTS]]


def describe_parts(parts: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Find the features of pictures by their parts.

    Parameters
    ----------
    parts : (n, 4, 4, 3) sRGB in [0, 255]

    Returns
    -------
    (n, 18) uint8
    """
    lightness = srgb_to_oklab(parts)[..., 0].reshape(len(parts), -1)
    mean = lightness.mean(axis=1, keepdims=True)
    lightness = mean + CONTRAST * (lightness - mean)
    chroma = srgb_to_oklab(find_means(parts))[:, 1:]
    features = np.concatenate(
        [lightness * LEVELS, chroma * LEVELS + ZERO_CHROMA], axis=1
    )
    found: NDArray[np.uint8] = np.clip(np.rint(features), 0, 255).astype(np.uint8)
    return found


def find_means(parts: NDArray[np.floating]) -> NDArray[np.float64]:
    """Average the parts of pictures, (n, ..., 3) sRGB, to (n, 3) in linear light."""
    light = srgb_to_linear(parts)
    return linear_to_srgb(light.mean(axis=tuple(range(1, light.ndim - 1))))


def weigh(features: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Bring features, (..., 18) uint8, to where squared distances are what counts.

    Whole numbers: sums of their squares and products stay below 2**24, up to which
    float32 is exact.
    """
    weighed: NDArray[np.float32] = features.astype(np.float32)
    weighed[..., -2:] = (weighed[..., -2:] - ZERO_CHROMA) * CHROMA_FACTOR
    return weighed


def mirror(features: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Find the features of pictures that are swapped left to right."""
    parts = np.arange(PARTS * PARTS).reshape(PARTS, PARTS)[:, ::-1].ravel()
    swapped: NDArray[np.uint8] = features[:, [*parts.tolist(), -2, -1]]
    return swapped
