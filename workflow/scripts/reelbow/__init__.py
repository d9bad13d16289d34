"""Reelbow's library: how films, colors, k-means, tables and pictures work.

It knows nothing of Snakemake. Notebooks use ``reelbow.film.read_frames``,
``reelbow.kmeans.find_palettes`` and ``reelbow.barcode.draw_barcode``.
"""

__version__ = "0.2.0"
