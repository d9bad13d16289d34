"""What a shard's pictures come from: one by one, in their order, as files hold them.

`FrameTarball` and `VideoShard` are such things. Another one is written once, in a
module of its kind's name.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

from reelbow.shards.image_names import RAW_SUFFIXES, split_name

if TYPE_CHECKING:
    # What makes pictures small, which Snakemake itself does without.
    import numpy as np
    from numpy.typing import NDArray

    from reelbow.pictures.averages import Averages
    from reelbow.shards.batches import ThumbnailOptions

# Seconds of the longest film, 30 years. A clock that counts from 1970 says more.
MAX_TIME_S = 10**9


class DecodedPicture(Protocol):
    """A picture that is no image file: it knows itself how it is made small."""

    def shape(
        self, options: "ThumbnailOptions"
    ) -> "tuple[NDArray[np.uint8], Averages]":
        """Give it cropped and small, (h, w, 3) uint8 sRGB, and its averages."""

    def to_bgr(self) -> "NDArray[np.uint8]":
        """Give all its pixels, (h, w, 3) uint8 BGR, as fast as it goes.

        For what looks how pictures differ, and not at their exact colors.
        """


class DrawnPicture(DecodedPicture, Protocol):
    """A picture of a kind whose pictures are summed up.

    Attributes
    ----------
    drawn : (n, n), or in colors (n, n, 3), uint8 sRGB, on white
    """

    drawn: "NDArray[np.uint8]"


class Member(NamedTuple):
    """One picture of a shard, or the note that stands for a missing one."""

    name: str
    # An image file's bytes, or a picture; None: it was not read, for this reason.
    data: bytes | DecodedPicture | None
    reason: str
    # What is told of it: frame, its number in the film, time_s, and of one that was
    # read what its kind tells; may be empty.
    about: dict[str, Any]

    @property
    def time_s(self) -> float | None:
        """The frame's time, where one is told that can be."""
        told = self.about.get("time_s")
        if isinstance(told, bool) or not isinstance(told, int | float):
            return None
        return float(told) if 0 <= told <= MAX_TIME_S else None


def take_picture(name: str, data: bytes) -> bytes | DecodedPicture:
    """Take the bytes of an image file for what its name says that they are."""
    if split_name(name)[1] not in RAW_SUFFIXES:
        return data
    # Imported for who has such photos.
    from reelbow.shards.raw_photos import RawPhoto

    return RawPhoto(data)


class Members(Protocol):
    """The pictures of a shard, open for reading."""

    @property
    def damage(self) -> str | None:
        """Why not all of them can be read, so far; None: they can."""

    def __len__(self) -> int:
        """Count them, notes of missing ones included."""

    def read(self) -> Iterator[Member]:
        """Read them in their order, again from the first each time."""

    def read_every(self) -> Iterator[Member]:
        """Read all that the source has from its first frame on, sampled or not.

        That is to before the first frame of the next shard, without those that are no
        good.
        """

    def __enter__(self) -> Self: ...

    def __exit__(self, *about: object) -> bool | None: ...
