"""Opens what a shard is clustered from: thumbnails, or its frames at full size."""

from pathlib import Path
from typing import TYPE_CHECKING

from reelbow.shards.batches import ThumbnailOptions
from reelbow.shards.kinds import find_kind
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
    # At full size a film's own file is read, and that of sketches may be an .npz, too.
    is_own = shaping.height is None and find_kind(planned).pattern.search(path.name)
    if path.suffix == ".npz" and not is_own:
        return Thumbnails(path)
    # Imported here: thumbnails do without what reads images.
    from reelbow.shards.frames import ShardFrames

    return ShardFrames(path, planned, shard, shaping, go_on=go_on)
