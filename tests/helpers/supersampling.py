"""Strokes drawn by brute force: every point of every pixel is looked at."""

import itertools

import numpy as np
from numpy.typing import NDArray


def supersample(
    strokes: list[NDArray[np.float64]], size: int, thickness: float, points: int = 8
) -> NDArray[np.float64]:
    """Draw as `draw_strokes` says: look at points of each pixel, how near a line is."""
    top = _find_top(strokes, size, thickness, points)
    return 255 * _find_share(top == 0, points)


def supersample_colors(
    strokes: list[NDArray[np.float64]],
    size: int,
    thickness: float,
    colors: NDArray[np.uint8],
) -> NDArray[np.float64]:
    """Draw in colors (n, 3) of strokes: each point has that of the last one on it."""
    top = _find_top(strokes, size, thickness, 8)
    every = [np.full(3, 255), *colors]
    return np.asarray(
        sum(_find_share(top == k, 8)[..., None] * c for k, c in enumerate(every))
    )


def _find_share(marked: NDArray[np.bool_], points: int) -> NDArray[np.float64]:
    size = len(marked) // points
    parts = marked.reshape(size, points, size, points).mean(axis=(1, 3))
    return np.asarray(parts, np.float64)


def _find_top(
    strokes: list[NDArray[np.float64]], size: int, thickness: float, points: int
) -> NDArray[np.uint8]:
    """Number the stroke that lies on top of each point, from 1; 0: none does."""
    every = np.concatenate(strokes)
    low, high = every.min(axis=0), every.max(axis=0)
    scale = (size * 0.92 - thickness * size) / (high - low).max()
    at = (np.arange(size * points) + 0.5) / points
    top = np.zeros((size * points, size * points), np.uint8)
    radius = thickness * size / 2
    for number, stroke in enumerate(strokes, 1):
        moved = (stroke - (low + high) / 2) * scale + size / 2
        pairs = [*itertools.pairwise(moved)] or [(moved[0], moved[0])]
        for start, end in pairs:
            # Only where it can be, which takes less time.
            x, y = (
                slice(*np.searchsorted(at, [min(ends) - radius, max(ends) + radius]))
                for ends in zip(start, end, strict=True)
            )
            top[y, x][_is_near(at[x], at[y], start, end, radius)] = number
    return top


def _is_near(
    at_x: NDArray[np.float64],
    at_y: NDArray[np.float64],
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    radius: float,
) -> NDArray[np.bool_]:
    along = end - start
    x, y = at_x[None, :] - start[0], at_y[:, None] - start[1]
    part = np.clip((x * along[0] + y * along[1]) / (along @ along or 1), 0, 1)
    return np.hypot(x - part * along[0], y - part * along[1]) <= radius


def find_psnr(picture: NDArray[np.uint8], wanted: NDArray[np.float64]) -> float:
    """Find the peak signal-to-noise ratio of two pictures, in dB."""
    error = np.mean((picture - wanted) ** 2)
    return float(10 * np.log10(255**2 / error)) if error else np.inf
