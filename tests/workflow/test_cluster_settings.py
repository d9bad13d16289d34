"""What is for clusters leaves local runs as they are."""

import os

from projects import FINISHED
from reelbow.machine.scratch import MEMORY

SHARD = {f"{stage}/colors/00001" for stage in ["downsample_frames", "cluster_shard"]}


def test_asking_for_gpus_runs_nothing_again(finished):
    cluster = {"gpu_share": 0.5, "gpu_wait_min": 5}
    result = finished.run("--dry-run", **FINISHED, cluster=cluster)
    assert result.status == 0, result.stderr
    assert "Nothing to be done" in result.stderr


def test_links_to_a_node_that_a_killed_run_left_are_done_again(finished, tmp_path):
    project = finished.copy(tmp_path / "project")
    film = project.folder / "results/colors"
    (film / "palettes/00001.sqlite").unlink()
    # On this machine too, as where the head is a node.
    own = MEMORY / f"reelbow-{os.getuid()}"
    own.mkdir(mode=0o700, exist_ok=True)
    place = own / f"test-{os.getpid()}.npz"
    place.write_bytes(b"half of a shard of another node")
    try:
        (film / "thumbnails").mkdir(exist_ok=True)
        (film / "thumbnails/00001.npz").symlink_to(place)
        result = project.run(**FINISHED)
    finally:
        place.unlink()
    assert result.status == 0, result.stderr
    assert result.jobs >= SHARD
    assert project.rows() == finished.rows()
    assert not (film / "thumbnails/00001.npz").is_symlink()
