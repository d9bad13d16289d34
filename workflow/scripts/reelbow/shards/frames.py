"""The frames of a shard, made small and averaged as they are read."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Self, cast

import numpy as np
from numpy.typing import NDArray

from reelbow.errors import ReelbowError
from reelbow.jobs.file_digest import digest_file, digest_files
from reelbow.machine.versions import describe_versions
from reelbow.pictures.averages import Averages, shape_and_average
from reelbow.pictures.geometry import Crop
from reelbow.pictures.image_files import decode_image
from reelbow.pictures.picture_sums import PictureSums
from reelbow.shards.batches import Batch, BatchBuilder, ShardFrame, ThumbnailOptions
from reelbow.shards.kinds import find_kind
from reelbow.shards.members import MAX_TIME_S, DecodedPicture, DrawnPicture, Members
from reelbow.shards.plan import Plan, find_file, find_shard, list_files


class ShardFrames:
    """Reads the frames of a shard, whatever its film's source is.

    Attributes
    ----------
    skipped : (name, reason) of each picture that could not be read, so far
    missing : the numbers of their frames, with the reason
    lost : why not all of the shard could be read, so far; None: it could
    digest : of the user's files that this shard has for itself; None: it has none
    versions : of what reads the frames
    sums : of those that were read so far, if their kind is averaged
    varies : whether, so far, some of them are coded otherwise than the plan says
    """

    def __init__(
        self,
        path: Path,
        planned: Plan,
        shard: str,
        shaping: ThumbnailOptions,
        *,
        go_on: bool = False,
    ) -> None:
        """Open what the shard's pictures are in.

        Parameters
        ----------
        go_on : whether of a shard that fails what can be read is enough
        """
        self._path = path
        self._go_on = go_on
        self._kind = find_kind(planned)
        self.lost: str | None = None
        self._members: Members | None = None
        try:
            self._members = self._kind.open_shard(
                path, planned, shard, max_pixels=shaping.max_pixels, salvage=go_on
            )
        except ReelbowError as error:
            if not go_on:
                raise
            self.lost = str(error)
        self._shaping = shaping
        self._crop = Crop.parse(shaping.crop) if shaping.crop else None
        self._crop_of = (planned["height"], planned["width"])
        self.skipped: list[tuple[str, str]] = []
        self.missing: dict[int, str] = {}
        self.digest = None
        if self._kind.files_are_shards:
            self.digest = digest_file(path)
        elif self._kind.takes_many:
            part = find_shard(planned, shard)
            self._path = Path(find_file(planned, part))
            files = map(Path, list_files(planned, part))
            self.digest = digest_files(files, go_on=go_on)
        self.versions = describe_versions()
        self.sums = PictureSums()
        self.varies = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *about: object) -> None:
        """Close it."""
        if self._members is not None:
            self._members.__exit__(*about)

    def __iter__(self) -> Iterator[ShardFrame]:
        """Read them in their order.

        Raises
        ------
        ReelbowError
            At the end, if pictures are missing and none may be.
        """
        members = self._members if self.lost is None else None
        all_or_none = self._go_on and self._shaping.missing_frames == "fail"
        if members is not None and (not all_or_none or self._is_whole(members)):
            yield from self._read(members)
        if self.lost is not None and self._kind.files_are_shards:
            self.skipped.append((self._path.name, self.lost))

    def _is_whole(self, members: Members) -> bool:
        """Look whether no picture is missing: else none of the shard's counts."""
        try:
            for _ in self._read(members):
                pass
        except ReelbowError as error:
            self.lost = self.lost or str(error)
        self.skipped.clear()
        self.missing.clear()
        self.sums = PictureSums()
        if self.lost is not None and not self._kind.files_are_shards:
            for member in members.read():
                self._skip(member.about["frame"], member.name, self.lost)
        return self.lost is None

    def _read(self, members: Members) -> Iterator[ShardFrame]:
        strange: list[str] = []
        faults: list[str] = []
        for index, member in enumerate(members.read()):
            if member.time_s is None and member.about.get("time_s") is not None:
                told = json.dumps(member.about["time_s"])[:50]
                strange.append(f"{member.name}: {told}")
            number = index
            # In what strangers packed such notes may mean anything.
            if not self._kind.files_are_shards:
                number = member.about["frame"]
                self.varies = self.varies or "coding" in member.about
            if member.data is None:
                self._skip(number, member.name, member.reason)
                continue
            try:
                picture, averages, fault = self._shape(member.data)
            except ReelbowError as error:
                self._skip(number, member.name, str(error))
                continue
            if self._kind.averaged_by is not None:
                drawn = cast(DrawnPicture, member.data).drawn
                self.sums.add(member.about[self._kind.averaged_by], drawn)
            if fault is not None:
                faults.append(f"{member.name}: {fault}")
            yield ShardFrame(
                number,
                member.time_s,
                member.name,
                picture,
                averages,
                {key: member.about[key] for key in self._kind.tells},
            )
        self.lost = self.lost or members.damage
        if strange:
            print(
                f"WARNING: {self._path}: the time_s of {len(strange)} pictures is left "
                f"out, the first of {strange[0]}; a film's time is a number of "
                f"seconds from 0 to {MAX_TIME_S}",
                file=sys.stderr,
            )
        if faults:
            print(
                f"WARNING: {self._path}: the color profiles of {len(faults)} pictures "
                f"are passed over, the first of {faults[0]}; they are read as if they "
                "had none",
                file=sys.stderr,
            )
        if self.skipped and self._shaping.missing_frames == "fail":
            name, reason = self.skipped[0]
            raise ReelbowError(
                f"{self._path}: {len(self.skipped)} of {len(members)} pictures "
                f"are missing, the first is {name} ({reason}); mend it, or set "
                "errors.missing_frames to skip"
            )

    def _skip(self, number: int, name: str, reason: str) -> None:
        self.skipped.append((name, reason))
        self.missing[number] = reason

    def _shape(
        self, data: bytes | DecodedPicture
    ) -> tuple[NDArray[np.uint8], Averages, str | None]:
        """Make one picture small, average it, and tell what its profile lacks."""
        shaping = self._shaping
        if not isinstance(data, bytes):
            return *data.shape(shaping), None
        image = decode_image(
            data,
            # A reduced JPEG has nearly the same thumbnail, and not the same averages.
            height=None if shaping.exact_mean else shaping.height,
            crop=self._crop,
            crop_of=self._crop_of,
            max_pixels=shaping.max_pixels,
        )
        picture, averages = shape_and_average(
            image.picture,
            full=image.full,
            crop=image.crop,
            height=shaping.height,
            space=shaping.mean_space,
        )
        return picture, averages, image.profile_fault

    def batches(self) -> Iterator[Batch]:
        """Read them in batches, as `Thumbnails` does."""
        builder = BatchBuilder()
        for frame in self:
            yield from builder.add(frame)
        yield from builder.finish()
