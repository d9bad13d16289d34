"""Whether a run may skip its look at all jobs: only if nothing changed."""

import os
from pathlib import Path

import pytest

from reelbow.runs.finished import Finished

TARGETS = [Path("results/a/mean.png"), Path("results/palettes.sqlite")]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with a workflow, a film and its results."""
    monkeypatch.chdir(tmp_path)
    for path in [*TARGETS, Path("code/rules/run.smk"), Path("code/Snakefile")]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1")
    Path("a.mkv").write_text("1")


def look(given=1):
    return Finished(Path("record.json"), Path("results"), Path("code"), given)


def keep():
    look().keep(["a.mkv", "results/a/mean.png", "gone.ttf"], TARGETS)


def test_nothing_is_known_before_and_all_is_after():
    assert look().find() is None
    keep()
    assert look().find() == TARGETS
    look().forget()
    assert look().find() is None
    look().forget()


def change_time(path):
    os.utime(path, ns=(1, 1))


@pytest.mark.parametrize(
    "change",
    [
        lambda: Path("a.mkv").write_text("12"),
        lambda: change_time("a.mkv"),
        lambda: Path("a.mkv").unlink(),
        lambda: Path("gone.ttf").write_text(""),
        lambda: Path("results/a/mean.png").write_text("12"),
        lambda: change_time("results/a/mean.png"),
        lambda: Path("results/a/mean.png").unlink(),
        lambda: Path("results/a/mean.png").rename("results/mean.png"),
        lambda: Path("results/b").mkdir(),
        lambda: Path("results/b").symlink_to("a"),
        lambda: Path("code/Snakefile").write_text("2"),
        lambda: Path("code/rules/run.smk").write_text("2"),
        lambda: Path("code/rules/run.smk").rename("code/rules/end.smk"),
        lambda: Path("record.json").write_text("{"),
        lambda: Path("record.json").write_text("[]"),
    ],
)
def test_any_change_lets_snakemake_look_at_all_jobs(change):
    keep()
    change()
    assert look().find() is None


def test_other_settings_let_snakemake_look_at_all_jobs():
    keep()
    assert look(given=2).find() is None
    assert look().find() == TARGETS


def test_of_results_elsewhere_nothing_is_kept():
    # What is behind a link may change, and its folder's time does not.
    Path("results/b").symlink_to("a")
    keep()
    assert not Path("record.json").exists()
    assert look().find() is None
