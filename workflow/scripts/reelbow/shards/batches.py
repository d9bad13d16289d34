"""Frames of a shard, gathered into batches of one size."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    # What reads images, which clustering does without.
    from reelbow.pictures.averages import Averages

# Large enough that one call of an engine is worth its cost.
BATCH_BYTES = 32 << 20


class ThumbnailOptions(NamedTuple):
    """What becomes of a shard's pictures, as the configuration says.

    Attributes
    ----------
    height : rows of the result; None: as many as there are
    crop : what is kept of the user's own images, as w:h:x:y; None: all
    mean_space : srgb or linear, where averages are taken
    exact_mean : whether the averages of the user's own are of all their pixels
    max_pixels : a larger picture is skipped
    missing_frames : skip, or fail if a picture is missing or does not decode
    """

    height: int | None
    crop: str | None
    mean_space: str
    max_pixels: int
    missing_frames: str
    exact_mean: bool = True


class Batch(NamedTuple):
    """Consecutive frames of one size."""

    frames: NDArray[np.int64]  # (n,) index in the film (in the shard: of a tarball)
    times_s: NDArray[np.float64]  # (n,) NaN: unknown
    names: list[str]
    told: list[dict[str, Any]]  # (n,) by their kind, see `Kind.tells`; or empty
    pixels: NDArray[np.uint8]  # (n, h, w, 3) sRGB
    means: NDArray[np.float64]  # (n, 3) sRGB, [0, 255], of the whole pictures
    lumas: NDArray[np.float64]  # (n,) [0, 255]
    strips: NDArray[np.float64]  # (n, rows, 3) sRGB, [0, 255]
    measures: NDArray[np.float64]  # (n, 10) see `measure_pictures`


class ShardFrame(NamedTuple):
    """A frame of a shard."""

    frame: int  # index in the film (in the shard: of a tarball)
    time_s: float | None
    name: str
    pixels: NDArray[np.uint8]  # (h, w, 3) sRGB
    averages: "Averages"
    told: dict[str, Any] | None = None  # by its kind, see `Kind.tells`


class BatchBuilder:
    """Gathers frames to batches."""

    def __init__(self) -> None:
        self._frames: list[ShardFrame] = []

    def add(self, frame: ShardFrame) -> Iterator[Batch]:
        """Add a frame; yield the batch before it if it does not belong there."""
        if self._frames:
            first = self._frames[0]
            if (
                frame.pixels.shape != first.pixels.shape
                or len(frame.averages.strip) != len(first.averages.strip)
                or (len(self._frames) + 1) * frame.pixels.nbytes > BATCH_BYTES
            ):
                yield from self.finish()
        self._frames.append(frame)

    def finish(self) -> Iterator[Batch]:
        """Yield the last batch, if there is one."""
        if self._frames:
            # Imported here: what reads thumbnails does without compiled code.
            from reelbow.pictures.measures import measure_pictures

            numbers, times_s, names, pictures, averages, told = zip(
                *self._frames, strict=True
            )
            self._frames.clear()
            means, strips, lumas = map(np.array, zip(*averages, strict=True))
            pixels = np.stack(pictures)
            yield Batch(
                np.array(numbers, np.int64),
                np.array([np.nan if t is None else t for t in times_s], np.float64),
                list(names),
                [about for about in told if about],
                pixels,
                means,
                lumas,
                strips,
                measure_pictures(pixels, strips),
            )
