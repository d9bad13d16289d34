import csv
import json

import numpy as np
import pytest
from PIL import Image

from profile_run import profile_run
from reelbow.errors import ReelbowError
from reelbow.runs.profile import Job, draw_figure, sum_all, sum_stages


@pytest.fixture
def folder(tmp_path):
    """A folder in which one job has run."""
    plan = {"video": None, "shards": [{"shard": "00000", "n_frames": 7}]}
    files = {
        "results/a/plan.json": json.dumps(plan),
        "logs/plan_shards/a.log": "USED: 2.000 CPU s, at most 90.0 MB\n",
        "logs/plan_shards/a.tsv": "s\tmax_rss\tcpu_time\n3.00\tNA\tNA\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def profile(folder, films):
    profile_run(
        folder / "results/profile.tsv",
        folder / "results/profile.png",
        films=films,
        kinds=["mean"],
        logs=folder / "logs",
        results=folder / "results",
    )


def test_the_table_is_written_and_printed(folder, capsys):
    profile(folder, ["a"])
    with (folder / "results/profile.tsv").open(newline="") as lines:
        (row,) = csv.DictReader(lines, delimiter="\t")
    assert row["stage"] == "plan_shards"
    assert row["frames_per_cpu_s"] == "3.50"
    assert (folder / "results/profile.png").stat().st_size > 1000
    printed = capsys.readouterr().out.split()
    for word in ["plan_shards", "2.00", "3.00", "100.0%", "all"]:
        assert word in printed


def test_without_a_run_one_sentence_says_what_to_do(folder):
    with pytest.raises(ReelbowError, match="give `uv run snakemake` first"):
        profile(folder, ["another"])
    assert not (folder / "results/profile.tsv").exists()


def test_the_bars_are_as_long_as_the_seconds(tmp_path):
    path = tmp_path / "profile.png"
    jobs = [
        Job("extract_frames", {"a": 1}, 8.0, 10.0, 1.0),
        Job("cluster_shard", {"a": 1}, 2.0, 5.0, 1.0),
    ]
    draw_figure(sum_stages(jobs), sum_all(jobs), path)
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    blue = (abs(pixels - [0x2F, 0x5D, 0x8A]) <= 2).all(axis=2).sum(axis=1)
    grey = (abs(pixels - 0xD4) <= 2).all(axis=2).sum(axis=1)
    # Each bar is some rows of pixels; the first half of the rows has the first stage.
    middle = (np.flatnonzero(blue)[0] + np.flatnonzero(blue)[-1]) // 2
    assert blue[:middle].max() == pytest.approx(4 * blue[middle:].max(), rel=0.01)
    assert grey[:middle].max() == pytest.approx(2 * grey[middle:].max(), rel=0.01)
    assert blue[:middle].max() == pytest.approx(0.8 * grey[:middle].max(), rel=0.01)
