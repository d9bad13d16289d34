"""The sampled pictures of a shard of a video, decoded as they are read."""

import math
import sys
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, Self

import av
import numpy as np
from numpy.typing import NDArray

from reelbow.errors import ReelbowError
from reelbow.film.coding import find_coding
from reelbow.film.decoding import Decoded, decode_samples, decode_stretch
from reelbow.film.demuxing import ReadOptions
from reelbow.film.probe import Probe
from reelbow.film.view import shape_frame
from reelbow.pictures.averages import Averages
from reelbow.pictures.geometry import Crop
from reelbow.shards.batches import ThumbnailOptions
from reelbow.shards.members import Member
from reelbow.shards.plan import Plan, find_shard


class VideoShard:
    """Reads the pictures of a shard: a stretch of a video, by its plan.

    Attributes
    ----------
    damage : why not all of them can be read, so far; None: they can
    """

    def __init__(
        self, path: Path, planned: Plan, shard: str, *, max_pixels: int, salvage: bool
    ) -> None:
        """Look into the plan only; the film is opened when it is read."""
        self._path = path
        self._salvage = salvage
        self._planned = planned
        self._part = find_shard(planned, shard)
        self._probe = Probe.from_json(planned["video"])
        self._time_base = Fraction(planned["time_base"])
        self._reading = ReadOptions(
            planned["stream"], max_pixels, cut=planned["cut_pts"]
        )
        self.damage: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *about: object) -> None:
        """Do nothing: nothing is open between two readings."""

    def __len__(self) -> int:
        """Count its samples, missing pictures included."""
        n_frames: int = self._part["n_frames"]
        return n_frames

    def read(self) -> Iterator[Member]:
        """Decode them in their order."""
        others: defaultdict[str, list[int]] = defaultdict(list)
        n_read = 0
        samples = decode_samples(
            self._path, self._planned["keyframes"], self._part["pts"], self._reading
        )
        try:
            for index, decoded in samples:
                member = self._describe(index, decoded)
                if coding := member.about.get("coding"):
                    others[coding].append(member.about["frame"])
                n_read = index + 1
                yield member
        except ReelbowError as error:
            if not self._salvage:
                raise
            self.damage = str(error)
            for index in range(n_read, len(self)):
                yield self._describe(index, Decoded(None, None, self.damage))
        for coding, frames in others.items():
            print(
                f"WARNING: {len(frames)} frames, {frames[0]} to {frames[-1]}, are "
                f"coded as {coding}, and so they were read; by its plan the film is "
                f"{self._probe.coding}",
                file=sys.stderr,
            )

    def read_every(self) -> Iterator[Member]:
        """Decode all pictures of its stretch, sampled or not."""
        starts = [
            next((pts for pts in part["pts"] if pts is not None), None)
            for part in self._planned["shards"]
        ]
        place = self._planned["shards"].index(self._part)
        start, after = starts[place], starts[place + 1 :]
        if start is None:
            return
        end = next((pts for pts in after if pts is not None), None)
        if end is None and self._planned["end_s"] is not None:
            ticks = Fraction(str(self._planned["end_s"])) / self._time_base
            end = self._planned["start_pts"] + math.ceil(ticks)
        keyframes = self._planned["keyframes"]
        for decoded in decode_stretch(self._path, keyframes, start, end, self._reading):
            about = self._tell_time(decoded.pts)
            data = VideoPicture(decoded.frame, self._probe) if decoded.frame else None
            yield Member("", data, decoded.reason, about)

    def _tell_time(self, pts: int | None) -> dict[str, Any]:
        if pts is None:
            return {}
        ticks = max(pts - self._planned["start_pts"], 0)
        return {"time_s": float(ticks * self._time_base)}

    def _describe(self, index: int, decoded: Decoded) -> Member:
        frame = self._part["first_frame"] + index
        about: dict[str, Any] = {"frame": frame, **self._tell_time(decoded.pts)}
        if decoded.frame is None:
            return Member(f"{frame:08d}", None, decoded.reason, about)
        coding = find_coding(decoded.frame, self._probe.coding)
        if not coding.is_as(self._probe.coding):
            about["coding"] = str(coding)
        picture = VideoPicture(decoded.frame, self._probe)
        return Member(f"{frame:08d}.jpg", picture, "", about)


class VideoPicture(NamedTuple):
    """A decoded picture of a video."""

    frame: av.VideoFrame
    probe: Probe

    def shape(self, options: ThumbnailOptions) -> tuple[NDArray[np.uint8], Averages]:
        """Make it small and average it, as `DecodedPicture` says."""
        return shape_frame(
            self.frame,
            self.probe,
            crop=Crop.parse(options.crop) if options.crop else None,
            height=options.height,
            space=options.mean_space,
        )

    def to_bgr(self) -> NDArray[np.uint8]:
        """Give it as libswscale converts it, as stored: not turned, not in shape."""
        return np.asarray(self.frame.to_ndarray(format="bgr24"), np.uint8)


# As `Kind.open_shard` calls it.
open_shard = VideoShard
