"""Opens what a shard is clustered from: thumbnails, or its frames at full size."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelbow.shards.batches import ThumbnailOptions
from reelbow.shards.plan import Plan
from reelbow.shards.thumbnails import Thumbnails

if TYPE_CHECKING:
    # What reads images, which clustering does without.
    from reelbow.shards.frames import ShardFrames


def open_frames(
    path: Path,
    planned: Plan,
    shard: str,
    shaping: ThumbnailOptions,
    *,
    go_on: bool = False,
) -> "Thumbnails | ShardFrames":
    """Open what is to be clustered: thumbnails, or a shard's frames at full size."""
    if path.suffix == ".npz":
        return Thumbnails(path)
    # Imported here: thumbnails do without what reads images.
    from reelbow.shards.frames import ShardFrames

    return ShardFrames(path, planned, shard, shaping, go_on=go_on)
