"""cuML without a GPU: its k-means is scikit-learn's."""

__version__ = "26.10.0"
