"""A film through all stages up to its shards' databases, as functions, without jobs."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import plans
from cluster_shard import cluster_shard
from downsample_frames import downsample_frames
from plan_shards import plan_shards
from reelbow.pictures.geometry import MAX_PIXELS
from reelbow.shards.batches import ThumbnailOptions
from reelbow.shards.kinds import name_kind
from reelbow.shards.plan import read_plan
from reelbow.shards.thumbnails import Thumbnails

USUAL: dict[str, Any] = {
    **plans.USUAL,
    "every": 1.0,
    "stream": None,
    "trim": "none",
    "max_pixels": MAX_PIXELS,
    "height": 90,
    "space": "srgb",
    "missing_frames": "skip",
    "n_colors": 4,
    "n_init": 3,
}


class Found(NamedTuple):
    """What the stages made of a film of one shard."""

    plan: dict[str, Any]
    frames: dict[int, tuple[int, float, bytes]]  # packed mean color, luma, strip
    palettes: dict[int, list[tuple[int, float]]]  # colors with shares, largest first
    skipped: list[tuple[str, str]]
    means: NDArray[np.float64]  # before they are rounded to 24 bits
    strips: list[NDArray[np.float64]]
    pixels: list[NDArray[np.uint8]]  # thumbnails


def plan_files(
    files: Sequence[Path], plan: Path, *, go_on: bool = False, **settings: Any
) -> None:
    """Plan a film by the usual settings, as far as these are for its kind."""
    kind = name_kind(files[0].name)
    how = USUAL | {"shards": [path.stem for path in files]} | settings
    how = {key: how[key] for key in ("crop", "max_pixels", *kind.settings)}
    plan_shards(files, plan, kind=kind.name, go_on=go_on, **how)


def cluster(frames: Path, plan: Path, palettes: Path, **settings: Any) -> Path:
    """Cluster a shard by the usual settings, as far as no others are given."""
    usual: dict[str, Any] = {
        **{"film": "film", "source": "film", "shard": "00000"},
        **{"n_colors": 4, "n_accents": 0},
        **{"color_space": "srgb", "n_init": 3, "seed": 0, "engine": "numba"},
        "metadata": {},
        "shaping": ThumbnailOptions(90, None, "srgb", MAX_PIXELS, "skip"),
    }
    cluster_shard(frames, plan, palettes, **(usual | settings))
    return palettes


def run_chain(source: Path, folder: Path, **settings: Any) -> Found:
    """Run a film or a tarball through the stages, as one shard."""
    how = USUAL | settings
    plan = folder / "plan.json"
    thumbnails, palettes = folder / "thumbnails.npz", folder / "palettes.sqlite"
    plan_files([source], plan, shards=["00000"], **how)
    planned = read_plan(plan)
    assert len(planned["shards"]) == 1
    shaping = ThumbnailOptions(
        height=how["height"],
        crop=planned["crop"],
        mean_space=how["space"],
        max_pixels=how["max_pixels"],
        missing_frames=how["missing_frames"],
    )
    downsample_frames(source, plan, thumbnails, shard="00000", shaping=shaping)
    more = {"n_colors": how["n_colors"], "n_init": how["n_init"]}
    cluster(thumbnails, plan, palettes, shaping=shaping, **more)
    with closing(sqlite3.connect(palettes)) as connection:
        found = {
            frame: (mean, luma, strip)
            for frame, mean, luma, strip in connection.execute(
                "SELECT frame, mean_color, luma, strip FROM frames ORDER BY frame"
            )
        }
        colors: dict[int, list[tuple[int, float]]] = {frame: [] for frame in found}
        for frame, color, share in connection.execute(
            "SELECT frame, color, share FROM palettes ORDER BY frame, rank"
        ):
            colors[frame].append((color, share))
        skipped = connection.execute("SELECT name, reason FROM skipped").fetchall()
    with Thumbnails(thumbnails) as small:
        batches = list(small.batches())
    return Found(
        planned,
        found,
        colors,
        skipped,
        np.concatenate([np.zeros((0, 3)), *[batch.means for batch in batches]]),
        [strip for batch in batches for strip in batch.strips],
        [pixels for batch in batches for pixels in batch.pixels],
    )


def unpack(color: int) -> NDArray[np.int64]:
    """Split 0xRRGGBB."""
    return np.array([color >> 16, color >> 8 & 0xFF, color & 0xFF])


def is_alike(
    first: list[tuple[int, float]],
    second: list[tuple[int, float]],
    *,
    levels: float,
    share: float,
) -> bool:
    """Whether each large color of one palette is in the other, with about its share."""
    return all(
        any(
            np.abs(unpack(color) - unpack(other)).max() <= levels
            and abs(weight - weight_of_other) <= share
            for other, weight_of_other in others
        )
        for palette, others in ((first, second), (second, first))
        for color, weight in palette
        if weight > share
    )
