"""Films as a viewer sees them, by time: upright, in shape, in sRGB."""

from reelbow.film.reading import Frame, read_frames

__all__ = ["Frame", "read_frames"]
