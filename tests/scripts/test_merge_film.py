from pathlib import Path

import numpy as np
import pytest

from databases import PALETTE, query, write_shard
from merge_film import merge_film
from reelbow.barcode.picture_files import save_bare
from reelbow.database.schema import PLAN_COLUMNS
from reelbow.errors import ReelbowError
from reelbow.shards.plan import write_plan


def merge(tmp_path: Path, shards, planned, **settings) -> Path:
    plan = {
        "video": {"coding": {"matrix": "bt709", "assumed": "matrix"}},
        "sampling": None,
        **dict.fromkeys(PLAN_COLUMNS),
        "shards": [
            {"shard": f"{number:05d}", "n_frames": n_frames}
            for number, n_frames in enumerate(planned)
        ],
    }
    write_plan(plan, tmp_path / "plan.json")
    palettes = tmp_path / "out" / "palettes.sqlite"
    how = {
        "film": "demo",
        "title": "The Demo",
        "source": "demo.mkv",
        "fps": None,
        "n_colors": 1,
        "palette": PALETTE,
        **settings,
    }
    merge_film(shards, tmp_path / "plan.json", palettes, **how)
    return palettes


def test_shards_of_a_video_keep_their_numbers(tmp_path):
    shards = [
        write_shard(tmp_path / "0.sqlite", [0, 1]),
        write_shard(tmp_path / "1.sqlite", [2]),
    ]
    path = merge(tmp_path, shards, [2, 1])
    frames = query(path, "SELECT frame, name FROM frames")
    assert frames == [(frame, f"{frame:08d}.jpg") for frame in range(3)]
    films = query(path, "SELECT film, title, matrix, assumed FROM films")
    assert films == [("demo", "The Demo", "bt709", "matrix")]


def test_shards_of_tarballs_are_counted_on_and_timed(tmp_path):
    shards = [
        write_shard(tmp_path / f"{name}.sqlite", [0, 1], times_s=np.nan)
        for name in "ab"
    ]
    path = merge(tmp_path, shards, [None, None], fps=4.0)
    times = query(path, "SELECT frame, time_s FROM frames")
    assert times == [(0, 0.0), (1, 0.25), (2, 0.5), (3, 0.75)]


def test_pictures_of_the_palettes_before_go_only_when_the_new_ones_are_there(tmp_path):
    shard = write_shard(tmp_path / "0.sqlite", [0, 1])
    picture = tmp_path / "out" / "barcodes" / "strip.png"
    picture.parent.mkdir(parents=True)
    save_bare(np.zeros((2, 2, 3), np.uint8), picture)
    with pytest.raises(ReelbowError, match="shard 00000 has 2 frames"):
        merge(tmp_path, [shard], [3])
    assert list((tmp_path / "out").iterdir()) == [picture.parent]
    assert picture.exists()
    merge(tmp_path, [shard], [2])
    assert not picture.exists()
