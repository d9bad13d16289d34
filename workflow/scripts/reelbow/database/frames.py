"""Writes frames and their palettes into the database of a shard.

Apart from what else is written: merges, which copy frames, do without NumPy.
"""

import math
import sqlite3
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbow.database.schema import ONLY_FILM
from reelbow.pictures.measure_names import MEASURES


def add_frames(
    connection: sqlite3.Connection,
    shard: str,
    *,
    frames: NDArray[np.int64],
    times_s: NDArray[np.float64],
    names: Sequence[str],
    mean_colors: NDArray[np.floating],
    lumas: NDArray[np.floating],
    strips: NDArray[np.floating],
    measures: NDArray[np.float64],
    colors: NDArray[np.floating],
    shares: NDArray[np.floating],
    is_accent: NDArray[np.bool_] | None = None,
) -> None:
    """Add frames of a shard with their palettes.

    Parameters
    ----------
    frames, names : (n,)
    times_s : (n,) NaN: unknown
    mean_colors : (n, 3) sRGB [0, 255]
    lumas : (n,) [0, 255]
    strips : (n, h, 3) sRGB [0, 255]
    measures : (n, 10) as `measure_pictures` gives them
    colors : (n, k, 3) sRGB [0, 255], ranked
    shares : (n, k), missing colors 0
    is_accent : (n, k); None: there are no accents

    Notes
    -----
    Colors that are the same in 24 bits are one color of the palette, an accent if one
    of them is.
    """
    if is_accent is None:
        is_accent = np.zeros(np.shape(shares), bool)
    strip_bytes = np.rint(strips).astype(np.uint8)
    palettes = [
        rank_colors(packed, weights, accents)
        for packed, weights, accents in zip(
            pack_colors(colors),
            np.asarray(shares, np.float64).tolist(),
            is_accent.tolist(),
            strict=True,
        )
    ]
    connection.execute("BEGIN")
    connection.executemany(
        f"INSERT INTO frames VALUES (?{', ?' * (7 + len(MEASURES))})",
        (
            (
                ONLY_FILM,
                int(frame),
                None if np.isnan(time_s) else float(time_s),
                name,
                shard,
                mean,
                float(luma),
                strip.tobytes(),
                *measured,
                find_entropy(palette),
            )
            for frame, time_s, name, mean, luma, strip, measured, palette in zip(
                frames,
                times_s,
                names,
                pack_colors(mean_colors),
                lumas,
                strip_bytes,
                measures.tolist(),
                palettes,
                strict=True,
            )
        ),
    )
    connection.executemany(
        "INSERT INTO palettes VALUES (?, ?, ?, ?, ?, ?)",
        (
            (ONLY_FILM, int(frame), rank, *row)
            for frame, palette in zip(frames, palettes, strict=True)
            for rank, row in enumerate(palette)
        ),
    )
    connection.execute("COMMIT")


def pack_colors(colors: NDArray[np.floating]) -> list[Any]:
    """Make 0xRRGGBB of (..., 3) sRGB in [0, 255]."""
    red, green, blue = np.moveaxis(np.rint(colors).astype(np.int64), -1, 0)
    packed: list[Any] = (red << 16 | green << 8 | blue).tolist()
    return packed


def rank_colors(
    packed: Sequence[int], shares: Sequence[float], accents: Sequence[bool]
) -> list[tuple[int, float, bool]]:
    """Join equal colors and order by share; shares of the frame sum to exactly 1."""
    joined: dict[int, tuple[float, bool]] = {}
    for color, share, accent in zip(packed, shares, accents, strict=True):
        if share > 0:
            before, was_accent = joined.get(color, (0.0, False))
            joined[color] = before + share, was_accent or accent
    total = sum(share for share, _ in joined.values())
    return sorted(
        ((color, share / total, accent) for color, (share, accent) in joined.items()),
        key=lambda row: (-row[1], row[0]),
    )


def find_entropy(palette: Sequence[tuple[int, float, bool]]) -> float:
    """Find the entropy of a palette's shares, in bits (C. E. Shannon, 1948)."""
    entropy = sum(share * math.log2(1 / share) for _, share, _ in palette)
    # Logarithms of C libraries differ in their last bits.
    return round(entropy, 12)
