"""Makes eight small films, and digests the rows of their databases.

    uv run python tests/golden/golden.py                # compare with digests.json
    uv run python tests/golden/golden.py --renew        # write digests.json anew
    NUMBA_CPU_NAME=generic NUMBA_CPU_FEATURES= uv run python tests/golden/golden.py
    uv run python tests/golden/golden.py --cores 1 --per-shard 5
    uv run --isolated --python 3.13 python tests/golden/golden.py

The films are of whole numbers and coded without loss, so that they are the same
wherever they are made. The digests are those of every machine, every number of cores,
every sharding and every version of Python. They are renewed only if other rows are
meant, and then CHANGELOG.md says so, since everybody's films get other colors.
"""

import argparse
import contextlib
import hashlib
import io
import json
import os
import sqlite3
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
ROOT = HERE.parents[2]
sys.path[:0] = [str(ROOT / "workflow" / "scripts"), str(HERE.parents[1] / "helpers")]

import cv2  # noqa: E402 (the path comes first)
import numpy as np  # noqa: E402

from chain import USUAL, cluster, plan_files  # noqa: E402
from downsample_frames import downsample_frames  # noqa: E402
from films import write_film  # noqa: E402
from merge_film import merge_film  # noqa: E402
from reelbow.database.schema import PaletteSettings  # noqa: E402
from reelbow.runs.config import check_config  # noqa: E402
from reelbow.shards.batches import ThumbnailOptions  # noqa: E402
from reelbow.shards.kinds import find_kind  # noqa: E402
from reelbow.shards.plan import read_plan  # noqa: E402
from score_cuts import score_cuts  # noqa: E402
from sketches import write_ndjson  # noqa: E402

DIGESTS = HERE.with_name("digests.json")
N_FRAMES = 24
SIZE = (160, 96)  # width, height

# What any sharding gives. The shard of a frame is another one, and of a film what made
# it, and when.
TABLES = {
    "frames": "frame",
    "palettes": "frame, rank",
    "film_palettes": "rank",
    "shots": "shot",
    "shot_palettes": "shot, rank",
    "skipped": "name",
}
NOT_COMPARED = {"shard"}

# What is set for each film; all else is as usual.
FILMS: dict[str, dict[str, Any]] = {
    "rgb": {"codec": "ffv1", "pix_fmt": "bgr0", "detector": "adaptive"},
    "bt709": {"codec": "ffv1", "pix_fmt": "yuv420p", "n_colors": 8},
    "full_range": {
        "codec": "ffv1",
        "pix_fmt": "yuv422p",
        "matrix": "bt601",
        "color_range": "full",
        "color_space": "oklab",
        "n_accents": 2,
    },
    "hdr": {
        "codec": "ffv1",
        "pix_fmt": "yuv444p10le",
        "matrix": "bt2020",
        "transfer": "pq",
        "primaries": "bt2020",
        "space": "linear",
        "color_space": "cielab",
    },
    "letterboxed": {"codec": "ffv1", "pix_fmt": "yuv420p", "bars": 16, "height": 40},
    "pngs": {"kind": "tarball", "suffix": ".png", "height": 24},
    "full_size": {"kind": "tarball", "suffix": ".webp", "height": None},
    "sketches": {"kind": "sketches", "detector": "hash"},
}


def draw(number: int, bars: int = 0) -> "np.ndarray[Any, np.dtype[np.uint8]]":
    """Draw a frame by whole numbers alone: gradients, edges and grain; 3 scenes."""
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    scene = number // 8
    grain = np.random.default_rng(number).integers(0, 24, (*x.shape, 3))
    picture = np.stack(
        [
            (x * (scene + 1) + 3 * number) % 200,
            (y * 2 + x * scene) % 180 + 20 * scene,
            ((x - 80) ** 2 + (y - 48) ** 2) // 40 % 160 + 30 * (2 - scene),
        ],
        axis=-1,
    )
    picture = np.clip(picture + grain, 0, 255).astype(np.uint8)
    if bars:
        picture[:bars] = picture[-bars:] = 0
    return picture


def make_sources(folder: Path, name: str, per_shard: int) -> list[Path]:
    """Make a film; tarballs of so many pictures each."""
    how = FILMS[name]
    if how.get("kind") == "sketches":
        random = np.random.default_rng(0)
        drawings = []
        for _ in range(N_FRAMES):
            points = random.integers(0, 256, (3, 2, 5)).tolist()
            drawings.append(points)
        return [write_ndjson(folder / f"{name}.ndjson", *drawings)]
    if how.get("kind") == "tarball":
        lossless = {".webp": [cv2.IMWRITE_WEBP_QUALITY, 101]}.get(how["suffix"], [])
        paths = []
        for first in range(0, N_FRAMES, per_shard):
            paths.append(folder / f"{name}-{first:02d}.tar")
            with tarfile.open(paths[-1], "w") as tar:
                for number in range(first, min(N_FRAMES, first + per_shard)):
                    _, data = cv2.imencode(how["suffix"], draw(number), lossless)
                    member = tarfile.TarInfo(f"{number:02d}{how['suffix']}")
                    member.size = len(data)
                    tar.addfile(member, io.BytesIO(data.tobytes()))
        return paths
    keys = ("codec", "pix_fmt", "matrix", "color_range", "transfer", "primaries")
    coding = {key: how[key] for key in keys if key in how}
    frames = (draw(number, how.get("bars", 0)) for number in range(N_FRAMES))
    return [write_film(folder / f"{name}.mkv", frames, rate=12, gop=6, **coding)]


def make_film(folder: Path, name: str, *, per_shard: int, shuffled: bool) -> Path:
    """Make a film's database, shard by shard, in their order or another."""
    how = FILMS[name]
    files = make_sources(folder, name, per_shard)
    plan = folder / f"{name}.json"
    config = check_config({})
    sampling = {"mode": "frames", "every": 1, "per_shard": per_shard}
    sketching = {key: config["sketches"][key] for key in config["sketches"]}
    plan_files(files, plan, **{**sketching, **sampling})
    planned = read_plan(plan)
    is_file = find_kind(planned).files_are_shards
    height = how.get("height", 48)
    space = how.get("space", "srgb")
    limit = USUAL["max_pixels"]
    shaping = ThumbnailOptions(height, planned["crop"], space, limit, "skip")
    settings = {"n_colors": how.get("n_colors", 5), "n_init": 3, "seed": 0}
    color_space = how.get("color_space", "srgb")
    finding = None
    if "detector" in how:
        finding = dict(config["shots"]) | {"detector": how["detector"]}
    parts = list(enumerate(planned["shards"]))
    shards, cuts = {}, {}
    for place, part in reversed(parts) if shuffled else parts:
        shard = part["shard"]
        source = files[place] if is_file else files[0]
        frames = source
        if height is not None:
            frames = folder / f"{name}-{shard}.npz"
            downsample_frames(source, plan, frames, shard=shard, shaping=shaping)
        shards[place] = cluster(
            frames,
            plan,
            folder / f"{name}-{shard}.sqlite",
            shard=shard,
            shaping=shaping,
            **settings,
            color_space=color_space,
            n_accents=how.get("n_accents", 0),
        )
        if finding:
            cuts[place] = folder / f"{name}-{shard}.cuts.npz"
            metric = "hash" if how["detector"] == "hash" else "content"
            score_cuts(
                *(source, plan, cuts[place]),
                shard=shard,
                metric=metric,
                max_pixels=limit,
            )
    database = folder / name / "palettes.sqlite"
    merge_film(
        [shards[place] for place, _ in parts],
        plan,
        database,
        film=name,
        title=name,
        source=name,
        fps=12.0,
        n_colors=8,
        palette=PaletteSettings(**settings, color_space=color_space),
        cuts=[cuts[place] for place in sorted(cuts)],
        finding=finding,
        logs=folder / "logs",
    )
    return database


def digest_tables(database: Path) -> dict[str, str]:
    """Digest the rows of each table that has some."""
    digests = {}
    with contextlib.closing(sqlite3.connect(database)) as connection:
        for table, order in TABLES.items():
            columns = [
                column
                for _, column, *_ in connection.execute(f"PRAGMA table_info({table})")
                if column not in NOT_COMPARED
            ]
            rows = connection.execute(
                f"SELECT {', '.join(columns)} FROM {table} ORDER BY {order}"
            ).fetchall()
            if rows:
                # repr() tells numbers apart to the last bit.
                text = repr((columns, rows)).encode()
                digests[table] = hashlib.sha256(text).hexdigest()[:16]
    return digests


def digest_films(
    *, per_shard: int = N_FRAMES, shuffled: bool = False
) -> dict[str, dict[str, str]]:
    """Make all films; digest the tables of each."""
    with tempfile.TemporaryDirectory() as temporary:
        return {
            name: digest_tables(
                make_film(Path(temporary), name, per_shard=per_shard, shuffled=shuffled)
            )
            for name in FILMS
        }


def list_differences(
    found: dict[str, dict[str, str]], known: dict[str, dict[str, str]]
) -> Iterator[str]:
    """List the tables whose rows are others than they were."""
    for film in sorted({*found, *known}):
        for table in TABLES:
            one, other = (each.get(film, {}).get(table) for each in (found, known))
            if one != other:
                yield f"{film}: {table} is {one}, was {other}"


def main() -> int:
    """Compare, or renew."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--renew", action="store_true")
    parser.add_argument("--per-shard", type=int, default=N_FRAMES)
    parser.add_argument("--shuffled", action="store_true", help="the last shard first")
    parser.add_argument("--cores", type=int, help="that the process may use")
    options = parser.parse_args()
    if options.cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])
    found = digest_films(per_shard=options.per_shard, shuffled=options.shuffled)
    if options.renew:
        DIGESTS.write_text(json.dumps(found, indent=2) + "\n")
        return 0
    differences = list(list_differences(found, json.loads(DIGESTS.read_text())))
    print("\n".join(differences) or f"the rows of {len(found)} films are as they were")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
