"""The measures of a frame, by name: columns of the database, lines of a figure.

Without NumPy, which merges of databases do without. docs/measures.md has the formulas.
"""

from typing import NamedTuple


class Measure(NamedTuple):
    """What is told of a measure beside its numbers.

    Attributes
    ----------
    label : what it is, for an axis
    largest : no frame has more; the smallest is 0 for all; None: it depends
    """

    label: str
    largest: float | None


# Of the thumbnail and the strip, in the order in which `measure_pictures` gives them.
OF_PICTURES = {
    "lightness": Measure("mean lightness L*", 100.0),
    "lightness_deviation": Measure("deviation of L*", 50.0),
    "contrast": Measure("contrast of luminance", 0.5),
    "chroma": Measure("mean chroma C*", 134.0),
    "saturation": Measure("mean saturation", 1.0),
    "colorfulness": Measure("colorfulness M3", 298.0),
    "warm_share": Measure("share of warm colors", 1.0),
    "black_share": Measure("share near black", 1.0),
    "white_share": Measure("share near white", 1.0),
    "strip_sharpness": Measure("sharpness of the strip", 255.0),
}

MEASURES = {**OF_PICTURES, "palette_entropy": Measure("palette entropy (bit)", None)}
