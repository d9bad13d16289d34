"""Palettes of frames by k-means."""

from reelbow.kmeans.accents import add_accents
from reelbow.kmeans.palettes import Palettes, combine_palettes, find_palettes

__all__ = ["Palettes", "add_accents", "combine_palettes", "find_palettes"]
