"""Which shards an audit makes anew."""

import hashlib
import math
from collections.abc import Sequence


def choose_shards(
    shards: Sequence[tuple[str, str]], *, share: float, seed: int
) -> list[tuple[str, str]]:
    """Choose a share of shards, each by its film and name; of any at least one.

    Which come first depends on their names and the seed alone: with some more shards,
    most are the same.
    """

    def draw(shard: tuple[str, str]) -> bytes:
        return hashlib.sha256(f"{seed}/{'/'.join(shard)}".encode()).digest()

    chosen = {*sorted(shards, key=draw)[: math.ceil(share * len(shards))]}
    return [shard for shard in shards if shard in chosen]
