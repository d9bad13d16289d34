"""Databases of films whose frames have given mean colors, and their own palettes."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from databases import merge
from reelbow.database.frames import add_frames
from reelbow.database.opening import open_new
from reelbow.database.schema import ONLY_FILM, FilmRow
from reelbow.database.writing import add_film, add_shard, add_skipped, finish


def write_course(
    folder: Path,
    film: str,
    colors: NDArray[np.floating],
    *,
    step_s: float | None = 1.0,
    missing: tuple[int, ...] = (),
) -> Path:
    """Write a film of frames of one color each, (n, 3) sRGB, a frame every `step_s`.

    step_s : None: frames have no times
    missing : the frames that could not be read
    """
    folder.mkdir(parents=True, exist_ok=True)
    there = np.array([i for i in range(len(colors)) if i not in missing], np.int64)
    colors = np.asarray(colors, np.float32)
    n = len(there)
    row = FilmRow(film, film.title(), f"{film}.mkv", width=64, height=48)
    shard = folder / f"{film}-00000.sqlite"
    with open_new(shard) as connection:
        add_film(connection, ONLY_FILM, row._replace(n_frames=len(colors)))
        if n:
            add_frames(
                connection,
                "00000",
                frames=there,
                times_s=np.full(n, np.nan) if step_s is None else there * step_s,
                names=[f"{frame:08d}.jpg" for frame in there],
                mean_colors=colors[there],
                lumas=np.full(n, 100.0),
                strips=colors[there][:, np.newaxis].repeat(2, axis=1),
                measures=np.zeros((n, 10)),
                colors=colors[there][:, np.newaxis],
                shares=np.ones((n, 1), np.float32),
            )
        skipped = [(f"{frame:08d}.jpg", "damaged") for frame in missing]
        add_skipped(connection, "00000", skipped)
        add_shard(connection, "00000", engine="numba", version="1")
        finish(connection, {"settings": "{}"}, n_colors=3)
    database = folder / film / "palettes.sqlite"
    database.parent.mkdir()
    row = row._replace(n_frames=len(colors))
    return merge([shard], [len(colors)], database, row=row)


def make_course(n: int, seed: int = 0) -> NDArray[np.float64]:
    """Make mean colors (n, 3) of shots of 3 to 12 frames, with a little movement."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(3, 13, n)
    shots = rng.uniform(20, 235, (n, 3)).repeat(lengths, axis=0)[:n]
    return np.clip(shots + np.cumsum(rng.normal(0, 0.7, (n, 3)), axis=0), 0, 255)


def grade(colors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Grade colors as a warm print: less contrast, more red, less blue."""
    return np.clip(colors * [0.9, 0.85, 0.75] + [25, 12, 5], 0, 255)
