"""The frames of a shard as they come out of its tarball, made small and averaged."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from . import pictures
from .code import describe_versions
from .errors import ReelbowError
from .file_digest import digest_file
from .plan import Plan
from .tarball import MAX_TIME_S, FrameTarball, Member
from .thumbnails import Batch, Gathering, Shaping, ShardFrame


class ShardFrames:
    """Reads the frames of a tarball, extracted ones or the user's own.

    Attributes
    ----------
    skipped : (name, reason) of each picture that could not be read, so far
    digest : of the user's own tarball; None: extracted here
    versions : of what read the frames and, so far, of what extracted them
    varies : whether, so far, some of them are coded otherwise than the plan says
    """

    def __init__(self, tarball: Path, planned: Plan, shaping: Shaping) -> None:
        self._path = tarball
        self._tarball = FrameTarball(tarball)
        self._extracted = planned["video"] is not None
        self._shaping = shaping
        self._crop = pictures.Crop.parse(shaping.crop) if shaping.crop else None
        self._crop_of = (planned["height"], planned["width"])
        self.skipped: list[tuple[str, str]] = []
        self.digest = None if self._extracted else digest_file(tarball)
        self.versions = describe_versions()
        self.varies = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *about: object) -> None:
        """Close the tarball."""
        self._tarball.__exit__(*about)

    def __iter__(self) -> Iterator[ShardFrame]:
        """Read them in their order.

        Raises
        ------
        ReelbowError
            At the end, if pictures are missing and none may be.
        """
        strange: list[str] = []
        for index, member in enumerate(self._tarball.read()):
            if member.time_s is None and member.about.get("time_s") is not None:
                told = json.dumps(member.about["time_s"])[:50]
                strange.append(f"{member.name}: {told}")
            if self._extracted:
                self.versions.update(member.about.get("versions", {}))
                self.varies = self.varies or "coding" in member.about
            if member.data is None:
                self.skipped.append((member.name, member.reason))
                continue
            try:
                frame, picture, averages = self._shape(index, member, member.data)
            except ReelbowError as error:
                self.skipped.append((member.name, str(error)))
                continue
            yield ShardFrame(frame, member.time_s, member.name, picture, averages)
        if strange:
            print(
                f"WARNING: {self._path}: the time_s of {len(strange)} pictures is left "
                f"out, the first of {strange[0]}; a film's time is a number of "
                f"seconds from 0 to {MAX_TIME_S}",
                file=sys.stderr,
            )
        if self.skipped and self._shaping.missing_frames == "fail":
            name, reason = self.skipped[0]
            raise ReelbowError(
                f"{self._path}: {len(self.skipped)} of {len(self._tarball)} pictures "
                f"are missing, the first is {name} ({reason}); mend it, or set "
                "errors.missing_frames to skip"
            )

    def _shape(
        self, index: int, member: Member, data: bytes
    ) -> tuple[int, NDArray[np.uint8], pictures.Averages]:
        """Make one picture small: the number of its frame, its pixels, its averages."""
        shaping = self._shaping
        if not self._extracted:
            return index, *pictures.average_image(
                data,
                height=shaping.height,
                crop=self._crop,
                crop_of=self._crop_of,
                max_pixels=shaping.max_pixels,
                space=shaping.mean_space,
                exact=shaping.exact_mean,
            )
        # A reduced JPEG has nearly the same thumbnail. Its averages are those of the
        # film's own pixels, before they became a JPEG.
        image = pictures.decode_image(
            data,
            height=shaping.height,
            crop=self._crop,
            crop_of=self._crop_of,
            max_pixels=shaping.max_pixels,
        )
        picture = pictures.shape_picture(
            image.picture, full=image.full, crop=image.crop, height=shaping.height
        )
        return (
            member.about["frame"],
            picture,
            pictures.Averages.from_json(member.about),
        )

    def batches(self) -> Iterator[Batch]:
        """Read them in batches, as `Thumbnails` does."""
        gathering = Gathering()
        for frame in self:
            yield from gathering.add(frame)
        yield from gathering.finish()
