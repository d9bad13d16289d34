"""Thumbnails of a shard on disk: an npz that is written and read in batches.

A batch holds consecutive frames of one size, few enough that memory stays small
whatever the size of the shard. Nothing in the file is pickled.
"""

import contextlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from reelbow.jobs.arrays import telling_damage_of
from reelbow.pictures.picture_sums import PictureSums, WordSum
from reelbow.shards.batches import Batch, BatchBuilder, ShardFrame

# The arrays of a batch that have a file of their own.
_PARTS = ("pixels", "means", "lumas", "strips", "measures")


class ThumbnailWriter:
    """Writes a shard's thumbnails.

    Attributes
    ----------
    skipped : (name, reason) of pictures that could not be read
    lost : why not all of the shard could be read; None: it could
    digest : of the user's tarball; None: a video has one for the whole film
    versions : of what made the thumbnails
    sums : of the pictures, if their kind is averaged
    varies : whether some of the film's pictures are coded otherwise than its plan says
    """

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path, "w")
        self._builder = BatchBuilder()
        self._frames: list[NDArray[np.int64]] = []
        self._times_s: list[NDArray[np.float64]] = []
        self._names: list[str] = []
        self._batch_starts: list[int] = []
        self._told: list[dict[str, Any]] = []
        self.skipped: list[tuple[str, str]] = []
        self.lost: str | None = None
        self.digest: str | None = None
        self.versions: dict[str, str] = {}
        self.sums = PictureSums()
        self.varies = False

    def add(self, frame: ShardFrame) -> None:
        """Add a frame."""
        for batch in self._builder.add(frame):
            self._write_batch(batch)

    def _write_batch(self, batch: Batch) -> None:
        number = f"{len(self._batch_starts):06d}"
        for part in _PARTS:
            self._write(f"{part}_{number}", getattr(batch, part))
        self._batch_starts.append(len(self._names))
        self._frames.append(batch.frames)
        self._times_s.append(batch.times_s)
        self._names += batch.names
        self._told += batch.told

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
            for batch in self._builder.finish():
                self._write_batch(batch)
            self._write("batch_starts", np.array(self._batch_starts, np.int64))
            # With an empty one, for the shard that has no frames.
            frames = [np.empty(0, np.int64), *self._frames]
            times_s = [np.empty(0, np.float64), *self._times_s]
            self._write("frames", np.concatenate(frames))
            self._write("times_s", np.concatenate(times_s))
            self._write("names", np.array(self._names, np.str_))
            self._write("skipped", np.array(self.skipped, np.str_).reshape(-1, 2))
            self._write("lost", np.array(self.lost or "", np.str_))
            self._write("digest", np.array(self.digest or "", np.str_))
            self._write("varies", np.array(self.varies))
            if self._told:
                told = json.dumps(self._told).encode()
                self._write("told", np.frombuffer(told, np.uint8))
            if self.sums:
                words, counts, sums = zip(*self.sums, strict=True)
                self._write("sum_words", np.array(words, np.str_))
                self._write("sum_counts", np.array(counts, np.int64))
                self._write("sums", np.stack(sums))
            versions = [*self.versions.items()]
            self._write("versions", np.array(versions, np.str_).reshape(-1, 2))


# The job that finds them damaged deletes them.
_ADVICE = "give the same command again, which makes it anew"


class Thumbnails:
    """Reads a shard's thumbnails, one batch at a time.

    Raises `DamagedError`, then or when its batches are read, if they are not whole.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with telling_damage_of(path, _ADVICE), contextlib.ExitStack() as stack:
            stream = stack.enter_context(path.open("rb"))
            self._file = file = stack.enter_context(np.load(stream, allow_pickle=False))
            self._starts: list[int] = file["batch_starts"].tolist()
            self._frames = file["frames"]
            self._times_s = file["times_s"]
            self._names: list[str] = file["names"].tolist()
            self._told: list[dict[str, Any]] = (
                json.loads(file["told"].tobytes()) if "told" in file else []
            )
            self.skipped: list[tuple[str, str]] = [
                (name, reason) for name, reason in file["skipped"].tolist()
            ]
            self.lost: str | None = file["lost"].item() or None
            self.digest: str | None = file["digest"].item() or None
            self.versions: dict[str, str] = dict(file["versions"].tolist())
            self.varies: bool = file["varies"].item()
            self.sums = PictureSums()
            if "sums" in file:
                words, counts = file["sum_words"], file["sum_counts"]
                rows = zip(words.tolist(), counts.tolist(), file["sums"], strict=True)
                for row in rows:
                    self.sums.add_sum(WordSum(*row))
            self._open_files = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._open_files.close()

    def __len__(self) -> int:
        """Count the frames that have a picture."""
        return len(self._frames)

    def batches(self) -> Iterator[Batch]:
        """Read the frames in their order."""
        ends = [*self._starts[1:], len(self._frames)]
        for i, (start, end) in enumerate(zip(self._starts, ends, strict=False)):
            with telling_damage_of(self._path, _ADVICE):
                parts = [self._file[f"{part}_{i:06d}"] for part in _PARTS]
            yield Batch(
                self._frames[start:end],
                self._times_s[start:end],
                self._names[start:end],
                self._told[start:end],
                *parts,
            )
