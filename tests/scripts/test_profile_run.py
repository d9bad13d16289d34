import csv
import json

import pytest

from profile_run import profile_run
from reelbow.errors import ReelbowError


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
