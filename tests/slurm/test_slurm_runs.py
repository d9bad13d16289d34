"""Whole runs on a real Slurm."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cluster import MEMORY
from projects import (
    NO_PICTURES,
    make_project,
    name_jobs,
    name_merges,
    write_colors,
)
from reelbow.shards.names import STAGES

pytestmark = pytest.mark.slurm

FILM = {
    "films": "colors.mp4",
    "shards": {"frames": 2},
    **NO_PICTURES,
    "search": {"index": True},
}
SHARDS = {f"{i:05d}" for i in range(3)}


def test_a_film_is_a_job_a_shard_and_nothing_lies_on_the_shared_disk(project, tmp_path):
    write_colors(project.folder / "colors.mp4")
    # what killed jobs of other tests left stays for a day
    before = list_files(project)
    with watch_files(project) as seen:
        result = project.make_on_slurm(**FILM)
    assert result.jobs == {
        "plan_shards/colors",
        *name_jobs(STAGES, "colors", *SHARDS),
        *name_merges("colors"),
        "index_colors",
    }
    assert len(project.shard_jobs()) == len(SHARDS)
    assert len(project.jobs()) == len(SHARDS) + len(
        ["plan", "merge", "merge all", "index"]
    )
    assert project.results() == {
        "palettes.sqlite",
        "colors.sqlite",
        "films.tsv",
        "skipped.tsv",
        "colors/plan.json",
        "colors/palettes.sqlite",
        *[f"colors/palettes/{shard}.sqlite" for shard in SHARDS],
        *[f"colors/previews/{shard}.jpg" for shard in SHARDS],
    }
    # links to the nodes' own memory, in which nothing is left
    assert seen == {MEMORY}
    assert list_files(project) == before

    for again in [project.make_on_slurm(**FILM), project.make(**FILM)]:
        assert "Nothing to be done" in again.stderr
        assert again.jobs == set()

    local = make_project(tmp_path / "local", project.code)
    # Of x264 the same frames are now and then another file, on a busy machine.
    shutil.copy(project.folder / "colors.mp4", local.folder)
    local.make(**FILM)
    assert project.rows() == local.rows()


def test_where_slurm_gives_a_job_a_folder_its_files_lie_there(project):
    write_colors(project.folder / "colors.mp4")
    before = list_files(project)
    on_g1 = ["--default-resources", "slurm_partition=gpu"]
    with watch_files(project) as seen:
        project.make_on_slurm(*on_g1, **FILM)
    jobs = project.shard_jobs()
    assert {job.node for job in jobs} == {"g1"}
    local = project.cluster.local
    assert seen == {local / str(job.number) for job in jobs}
    assert list_files(project) == before


@contextmanager
def watch_files(project) -> Iterator[set[Path | None]]:
    """Watch in which scratch thumbnails lie; None: on the shared disk."""
    seen: set[Path | None] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            folder = project.folder / "results/colors/thumbnails"
            for path in folder.glob("[0-9]*"):
                seen.update(find_scratch(path))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


def find_scratch(path: Path) -> list[Path | None]:
    """Find the scratch to which a path leads; nothing if it is gone meanwhile."""
    try:
        # There each user has a folder.
        return [path.readlink().parents[1]]
    except FileNotFoundError:
        return []
    except OSError:
        return [None]


def list_files(project) -> list[str]:
    """List the files in the nodes' own memory and on their own disks."""
    nodes = ["c1", "c2", "g1"]
    files = [path for node in nodes for path in project.cluster.list_scratch(node)]
    return sorted(path for path in files if path.endswith(".npz"))
