"""Thumbnails of a shard on disk: an npz that is written and read in batches.

A batch holds consecutive frames of one size, few enough that memory stays small
whatever the size of the shard. Nothing in the file is pickled.
"""

import contextlib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    # What reads images, which clustering does without.
    from .pictures import Averages

# Large enough that one call of an engine is worth its cost.
BATCH_BYTES = 32 << 20


class Batch(NamedTuple):
    """Consecutive frames of one size."""

    frames: NDArray[np.int64]  # (n,) index in the film (in the shard: of a tarball)
    times_s: NDArray[np.float64]  # (n,) NaN: unknown
    names: list[str]
    pixels: NDArray[np.uint8]  # (n, h, w, 3) sRGB
    means: NDArray[np.float64]  # (n, 3) sRGB, [0, 255], of the whole pictures
    lumas: NDArray[np.float64]  # (n,) [0, 255]
    strips: NDArray[np.float64]  # (n, rows, 3) sRGB, [0, 255]


class ThumbnailWriter:
    """Writes a shard's thumbnails; `skip` notes a picture that could not be read."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path, "w")
        self._pixels: list[NDArray[np.uint8]] = []
        self._n_batches = 0
        self._frames: list[int] = []
        self._times_s: list[float] = []
        self._names: list[str] = []
        self._batch_starts: list[int] = []
        self._averages: list[Averages] = []
        self.skipped: list[tuple[str, str]] = []

    def add(
        self,
        frame: int,
        time_s: float | None,
        name: str,
        pixels: NDArray[np.uint8],
        averages: "Averages",
    ) -> None:
        """Add a frame; pixels (h, w, 3) uint8 sRGB."""
        if self._pixels and (
            pixels.shape != self._pixels[0].shape
            or len(averages.strip) != len(self._averages[0].strip)
            or (len(self._pixels) + 1) * pixels.nbytes > BATCH_BYTES
        ):
            self._flush()
        self._pixels.append(pixels)
        self._averages.append(averages)
        self._frames.append(frame)
        self._times_s.append(np.nan if time_s is None else time_s)
        self._names.append(name)

    def skip(self, name: str, reason: str) -> None:
        """Note a picture that was there and could not be read."""
        self.skipped.append((name, reason))

    def _flush(self) -> None:
        if self._pixels:
            self._batch_starts.append(len(self._frames) - len(self._pixels))
            batch = f"{self._n_batches:06d}"
            means, strips, lumas = map(np.array, zip(*self._averages, strict=True))
            self._write(f"pixels_{batch}", np.stack(self._pixels))
            self._write(f"means_{batch}", means)
            self._write(f"lumas_{batch}", lumas)
            self._write(f"strips_{batch}", strips)
            self._n_batches += 1
            self._pixels.clear()
            self._averages.clear()

    def _write(self, name: str, array: NDArray[np.generic]) -> None:
        with self._zip.open(f"{name}.npy", "w", force_zip64=True) as stream:
            np.lib.format.write_array(stream, array, allow_pickle=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Write what remains."""
        with contextlib.closing(self._zip):
            if kind is not None:
                return
            self._flush()
            self._write("batch_starts", np.array(self._batch_starts, np.int64))
            self._write("frames", np.array(self._frames, np.int64))
            self._write("times_s", np.array(self._times_s, np.float64))
            self._write("names", np.array(self._names, np.str_))
            self._write("skipped", np.array(self.skipped, np.str_).reshape(-1, 2))


class Thumbnails:
    """Reads a shard's thumbnails, one batch at a time."""

    def __init__(self, path: Path) -> None:
        self._file = np.load(path, allow_pickle=False)
        self._starts: list[int] = self._file["batch_starts"].tolist()
        self._frames = self._file["frames"]
        self._times_s = self._file["times_s"]
        self._names: list[str] = self._file["names"].tolist()
        self.skipped: list[tuple[str, str]] = [
            (name, reason) for name, reason in self._file["skipped"].tolist()
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._file.close()

    def __len__(self) -> int:
        """Count the frames that have a picture."""
        return len(self._frames)

    def batches(self) -> Iterator[Batch]:
        """Read the frames in their order."""
        ends = [*self._starts[1:], len(self._frames)]
        for i, (start, end) in enumerate(zip(self._starts, ends, strict=False)):
            yield Batch(
                self._frames[start:end],
                self._times_s[start:end],
                self._names[start:end],
                *(
                    self._file[f"{part}_{i:06d}"]
                    for part in ("pixels", "means", "lumas", "strips")
                ),
            )
