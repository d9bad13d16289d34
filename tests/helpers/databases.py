"""Databases of shards with known rows."""

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from reelbow.database.frames import add_frames
from reelbow.database.merging import merge_shards
from reelbow.database.opening import connect, digest_rows, open_new
from reelbow.database.schema import ONLY_FILM, FilmRow, PaletteSettings
from reelbow.database.writing import (
    add_color_sums,
    add_film,
    add_shard,
    add_skipped,
    finish,
)
from reelbow.errors import ReelbowError
from reelbow.pictures.color_sums import ColorSums

ROW = FilmRow("demo", "The Demo", "demo.mkv", width=64, height=48, duration_s=12.0)
N_COLORS = 3
PALETTE = PaletteSettings(N_COLORS, n_init=5, seed=0, color_space="srgb")


def write_shard(
    path: Path,
    frames=(),
    *,
    shard="00000",
    times_s=None,
    palettes=None,
    pictures=None,
    skipped=(),
    metadata=None,
    row=ROW,
    engine="numba",
    gpu_fallback=None,
    made_at="2026-01-02T03:04:05+00:00",
) -> Path:
    """Write a shard whose frames are told apart by their mean color and strip.

    pictures : (h, w, 3) uint8 of each frame; {}: their pixels are not counted; None:
        they are of 100 pixels or more, of the colors of their palettes
    """
    palettes = palettes or {}
    sums = ColorSums()
    with open_new(path) as connection:
        add_film(connection, ONLY_FILM, row)
        for frame in frames:
            usual = [((frame % 256, 1, 2), 0.75), ((3, 4, 5), 0.25)]
            colors, shares, *accents = zip(*palettes.get(frame, usual), strict=True)
            time_s = frame / 2 if times_s is None else times_s
            if isinstance(times_s, list):
                time_s = times_s[frame]
            if pictures is None:
                n_pixels = max(100, 10 * len(shares))
                n_pixels = np.rint(np.multiply(shares, n_pixels)).astype(int)
                levels = np.rint(colors).astype(np.uint8)
                picture = np.repeat(levels, n_pixels, axis=0)[np.newaxis]
            if pictures != {}:
                picture = pictures[frame] if pictures else picture
                told_s = np.array([time_s], float)
                sums.add_frames(np.array([frame]), told_s, picture[np.newaxis])
            add_frames(
                connection,
                shard,
                frames=np.array([frame]),
                times_s=np.array([time_s]),
                names=[f"{frame:08d}.jpg"],
                mean_colors=np.array([[frame % 256, 0, 0]], np.float32),
                lumas=np.array([frame + 0.25]),
                strips=np.full((1, 2, 3), frame % 256, np.float32),
                measures=np.arange(10.0)[np.newaxis] + frame + 0.5,
                colors=np.array([colors], np.float32),
                shares=np.array([shares], np.float32),
                is_accent=np.array(accents) if accents else None,
            )
        if pictures != {}:
            add_color_sums(connection, sums.pack())
        add_skipped(connection, shard, skipped)
        # By the file's name: no two shards of a film have the same.
        add_shard(
            connection,
            path.stem,
            engine=engine,
            version="1.2",
            gpu_fallback=gpu_fallback,
            path=f"{path.stem}.tar",
            digest=f"digest of {path.stem}",
            made_at=made_at,
        )
        finish(connection, metadata or {"settings": "{}"}, n_colors=N_COLORS)
    return path


def read_rows(path: Path) -> dict[str, list]:
    """Read what any sharding gives, bit for bit."""
    with closing(connect(path)) as connection:
        rows = {
            table: connection.execute(f"SELECT * FROM {table}").fetchall()
            for table in ["frames", "palettes", "skipped"]
        }
    # When it was made and of which shards may differ.
    rows["frames"] = [(*row[:4], *row[5:]) for row in rows["frames"]]
    return rows


def query(path: Path, sql: str) -> list:
    with closing(connect(path)) as connection:
        return connection.execute(sql).fetchall()


def change(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(sql)


def write_anew(path: Path, sql: str) -> None:
    """Change rows as if they had been written so."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(sql)
        connection.execute("DELETE FROM metadata WHERE key = 'rows'")
        rows = digest_rows(connection, "main")
        connection.execute("INSERT INTO metadata VALUES ('rows', ?)", (rows,))


def merge(
    shards: list[Path],
    planned,
    result: Path,
    *,
    row=ROW,
    fps=None,
    palette=PALETTE,
    **more,
) -> Path:
    names = [f"{number:05d}" for number in range(len(shards))]
    merge_shards(
        dict(zip(names, shards, strict=True)),
        result,
        row=row,
        planned=dict(zip(names, planned, strict=True)),
        fps=fps,
        n_colors=N_COLORS,
        palette=palette,
        **more,
    )
    return result


def refuse(*arguments, **more) -> str:
    with pytest.raises(ReelbowError) as caught:
        merge(*arguments, **more)
    assert "\n" not in str(caught.value)
    return str(caught.value)
