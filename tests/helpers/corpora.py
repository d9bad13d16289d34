"""Databases of several films, with their index of colors."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from databases import N_COLORS, ROW, write_shard
from reelbow.database.color_index import write_index
from reelbow.database.merging import merge_films

# Crowded on purpose: in few bins, on both sides of their bounds, and the same twice.
CHANNELS = [0, 1, 15, 16, 17, 128, 254, 255]
GRID = np.array(np.meshgrid(CHANNELS, CHANNELS, CHANNELS)).reshape(3, -1).T


def write_random_film(
    path: Path, n_frames: int, seed: int, title: str | None = None
) -> Path:
    """Write a film of random palettes; some of its frames have one color only."""
    random = np.random.default_rng(seed)
    palettes = {}
    for frame in range(n_frames):
        n_colors = random.integers(1, 6)
        colors = random.choice(GRID, n_colors, replace=False)
        # Coarse, so that frames have the same shares.
        shares = np.sort(random.integers(1, 5, n_colors))[::-1]
        shares = shares / shares.sum()
        palettes[frame] = [*zip(map(tuple, colors), shares, strict=True)]
    path.unlink(missing_ok=True)
    row = ROW._replace(film=path.stem, title=title or f"Film {path.stem}")
    return write_shard(path, range(n_frames), palettes=palettes, row=row)


def make_corpus(folder: Path, films: Mapping[str, tuple[int, int]]) -> Path:
    """Make a database of films, each of so many frames and with its seed."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [
        write_random_film(folder / f"{film}.sqlite", n_frames, seed)
        for film, (n_frames, seed) in films.items()
    ]
    return merge(paths, folder / "palettes.sqlite")


def merge(films: list[Path], database: Path) -> Path:
    """Merge films, in the place of what is there."""
    new = database.with_name("new.sqlite")
    merge_films(films, new, n_colors=N_COLORS)
    return new.replace(database)


def index(database: Path) -> int:
    """Write the index beside a database, after the one that may be there."""
    return write_index(database, database.with_name("colors.sqlite"))
