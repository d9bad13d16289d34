"""Whole runs on a real Slurm."""

import threading

import pytest

from projects import NO_PICTURES, Project, make_project, write_colors

pytestmark = pytest.mark.slurm

FILM = {"films": "colors.mp4", "shards": {"frames": 2}, **NO_PICTURES}
SHARDS = {f"{i:05d}" for i in range(3)}


def test_a_film_is_a_job_a_shard_and_nothing_lies_on_the_shared_disk(project, tmp_path):
    write_colors(project.folder / "colors.mp4")
    # what killed jobs of other tests left stays for a day
    before = list_files(project)
    seen: set[tuple[str, bool]] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            for stage in ["frames", "thumbnails"]:
                folder = project.folder / "results/colors" / stage
                for path in folder.glob("[0-9]*"):
                    seen.add((stage, path.is_symlink()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        result = project.run_on_slurm(**FILM)
    finally:
        over.set()
        watcher.join()
    assert result.status == 0, result.stderr
    assert result.jobs == {
        "plan_shards/colors",
        *[
            f"{rule}/colors/{shard}"
            for rule in ["extract_frames", "downsample_frames", "cluster_shard"]
            for shard in SHARDS
        ],
        "merge_film/colors",
        "merge_films",
    }
    assert len(project.shard_jobs()) == len(SHARDS)
    assert len(project.jobs()) == len(SHARDS) + len(["plan", "merge", "merge all"])
    assert project.results() == {
        "palettes.sqlite",
        "colors/plan.json",
        "colors/palettes.sqlite",
        *[f"colors/palettes/{shard}.sqlite" for shard in SHARDS],
    }
    # links to the nodes' own memory, in which nothing is left
    assert seen == {("frames", True), ("thumbnails", True)}
    assert list_files(project) == before

    for again in [project.run_on_slurm(**FILM), project.run(**FILM)]:
        assert again.status == 0
        assert "Nothing to be done" in again.stderr
        assert again.jobs == set()

    local = Project(tmp_path / "local", project.code)
    make_project(local.folder, project.code)
    write_colors(local.folder / "colors.mp4")
    assert local.run(**FILM).status == 0
    assert project.rows() == local.rows()


def list_files(project) -> list[str]:
    """List the files in the nodes' own memory."""
    nodes = ["c1", "c2"]
    files = [path for node in nodes for path in project.cluster.list_scratch(node)]
    return sorted(path for path in files if path.endswith((".tar", ".npz")))
