"""What a shard's pictures come from: one by one, in their order, as files hold them.

`FrameTarball` is such a thing. Another one, as for a folder of photos, is written once
and named by its kind in `reelbow.shards.kinds`.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol, Self

# Seconds of the longest film, 30 years. A clock that counts from 1970 says more.
MAX_TIME_S = 10**9


class Member(NamedTuple):
    """One picture of a shard, or the note that stands for a missing one."""

    name: str
    data: bytes | None  # an image file's; None: it was not read, for this reason
    reason: str
    # What is told of it: frame, its number in the film, and time_s; may be empty.
    about: dict[str, Any]

    @property
    def time_s(self) -> float | None:
        """The frame's time, where one is told that can be."""
        told = self.about.get("time_s")
        if isinstance(told, bool) or not isinstance(told, int | float):
            return None
        return float(told) if 0 <= told <= MAX_TIME_S else None


class Members(Protocol):
    """The pictures of a shard, open for reading."""

    @property
    def damage(self) -> str | None:
        """Why not all of them can be read, so far; None: they can."""

    def __len__(self) -> int:
        """Count them, notes of missing ones included."""

    def read(self) -> Iterator[Member]:
        """Read them in their order, again from the first each time."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *about: object) -> bool | None: ...
