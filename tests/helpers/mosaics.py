"""Small films with previews, and features, to make mosaics of."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from databases import ROW, merge, write_shard
from make_tiles import make_tiles
from reelbow.shards.previews import PreviewOptions, write_previews


def make_features(n: int, *, alike: float = 0, seed: int = 0) -> NDArray[np.uint8]:
    """Make features of pictures of which a part is nearly the same, as a sky is."""
    random = np.random.default_rng(seed)
    features = np.full((n, 18), 128)
    base = random.integers(0, 256, (n, 1))
    features[:, :16] = base + random.normal(0, 25, (n, 16))
    features[:, 16:] += random.normal(0, 10, (n, 2)).astype(int)
    n_alike = int(n * alike)
    features[:n_alike] = 200 + random.normal(0, 3, (n_alike, 18))
    return np.clip(features, 0, 255).astype(np.uint8)


def make_views(n: int, n_views: int = 1, *, seed: int) -> NDArray[np.uint8]:
    """Make features of tiles, (n, n_views, 18)."""
    return make_features(n * n_views, seed=seed).reshape(n, n_views, -1)


def write_film(
    folder: Path,
    colors: Sequence[int],
    *,
    film: str = "demo",
    per_shard: int = 100,
    size: tuple[int, int] = (72, 128),
    counts_from_0: bool = False,
) -> dict[Path, list[Path]]:
    """Write a film's database, its previews, and the tiles of these.

    Parameters
    ----------
    colors : of its frames, 0xRRGGBB: of their left half; their right half is half as
        bright
    counts_from_0 : whether the sheet of each shard does, as where files are shards

    Returns
    -------
    Of its database the tiles of its shards
    """
    row = ROW._replace(film=film, title=film.title())
    shards, planned, tiles = [], [], []
    for first in range(0, len(colors), per_shard):
        shard = f"{first // per_shard:05d}"
        frames = range(first, min(len(colors), first + per_shard))
        sheet = folder / film / "previews" / f"{shard}.jpg"
        with write_previews(sheet, PreviewOptions(size[0], 90)) as writer:
            for frame in frames:
                pixels = np.empty((*size, 3), np.uint8)
                pixels[:] = list(colors[frame].to_bytes(3, "big"))
                pixels[:, size[1] // 2 :] //= 2
                writer.add(pixels, frame - first if counts_from_0 else frame)
        path = folder / f"{film}-{shard}.sqlite"
        shards.append(write_shard(path, frames, shard=shard, row=row))
        planned.append(len(frames))
        tiles.append(folder / film / "tiles" / f"{shard}.npz")
        make_tiles(sheet, tiles[-1], aspect=(16, 9))
    database = folder / film / "palettes.sqlite"
    merge(shards, planned, database, row=row)
    return {database: tiles}
