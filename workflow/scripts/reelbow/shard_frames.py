"""The frames of a shard as they come out of its tarball, made small and averaged."""

from collections.abc import Iterator
from pathlib import Path
from typing import Self

from . import pictures
from .errors import ReelbowError
from .plan import Plan
from .tarball import FrameTarball
from .thumbnails import Batch, Gathering, Shaping, ShardFrame


class ShardFrames:
    """Reads the frames of a tarball, extracted ones or the user's own.

    Attributes
    ----------
    skipped : (name, reason) of each picture that could not be read, so far
    """

    def __init__(self, tarball: Path, planned: Plan, shaping: Shaping) -> None:
        self._path = tarball
        self._tarball = FrameTarball(tarball)
        self._extracted = planned["video"] is not None
        self._shaping = shaping
        self._crop = pictures.Crop.parse(shaping.crop) if shaping.crop else None
        self._crop_of = (planned["height"], planned["width"])
        self.skipped: list[tuple[str, str]] = []

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
        height, space = self._shaping.height, self._shaping.mean_space
        whole = not self._extracted and self._shaping.exact_mean
        for index, member in enumerate(self._tarball.read()):
            if member.data is None:
                self.skipped.append((member.name, member.reason))
                continue
            try:
                image = pictures.decode_image(
                    member.data,
                    # A reduced JPEG has nearly the same thumbnail, but other averages.
                    height=None if whole else height,
                    crop=self._crop,
                    crop_of=self._crop_of,
                    max_pixels=self._shaping.max_pixels,
                )
            except ReelbowError as error:
                self.skipped.append((member.name, str(error)))
                continue
            frame = index
            if self._extracted:
                # Averaged from the film's own pixels, before they became a JPEG.
                frame = member.about["frame"]
                averages = pictures.Averages.from_json(member.about)
                picture = pictures.shape_picture(
                    image.picture, full=image.full, crop=image.crop, height=height
                )
            else:
                picture, averages = pictures.shape_and_average(
                    image.picture,
                    full=image.full,
                    crop=image.crop,
                    height=height,
                    strip_rows=None,
                    space=space,
                )
            yield ShardFrame(frame, member.time_s, member.name, picture, averages)
        if self.skipped and self._shaping.missing_frames == "fail":
            name, reason = self.skipped[0]
            raise ReelbowError(
                f"{self._path}: {len(self.skipped)} of {len(self._tarball)} pictures "
                f"are missing, the first is {name} ({reason}); mend it, or set "
                "errors.missing_frames to skip"
            )

    def batches(self) -> Iterator[Batch]:
        """Read them in batches, as `Thumbnails` does."""
        gathering = Gathering()
        for frame in self:
            yield from gathering.add(frame)
        yield from gathering.finish()
