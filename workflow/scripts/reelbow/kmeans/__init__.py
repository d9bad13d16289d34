"""Palettes of frames by k-means."""

from reelbow.kmeans.palettes import Palettes, combine_palettes, find_palettes

__all__ = ["Palettes", "combine_palettes", "find_palettes"]
