"""Movie barcodes: a film drawn as a picture, one column per frame."""

from reelbow.barcode.drawing import draw_barcode, draw_palettes
from reelbow.barcode.shapes import bend_barcode

__all__ = ["bend_barcode", "draw_barcode", "draw_palettes"]
