"""Movie barcodes: a film drawn as a picture, one column per frame."""

from reelbow.barcode.drawing import draw_barcode, draw_palettes

__all__ = ["draw_barcode", "draw_palettes"]
