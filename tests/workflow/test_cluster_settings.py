"""What is for clusters leaves local runs as they are."""

import os

from projects import FINISHED, NO_PICTURES, write_tarball
from reelbow.scratch import MEMORY

SHARD = {
    f"{stage}/colors/00001"
    for stage in ["extract_frames", "downsample_frames", "cluster_shard"]
}


def test_asking_for_gpus_runs_nothing_again(finished):
    cluster = {"gpu_share": 0.5, "gpu_wait_min": 5}
    result = finished.run("--dry-run", **FINISHED, cluster=cluster)
    assert result.status == 0, result.stderr
    assert "Nothing to be done" in result.stderr


def test_without_an_engine_a_shard_with_a_gpu_is_done_in_its_second_attempt(project):
    for number in range(2):
        write_tarball(project.folder / f"tars/{number}.tar", {"0.jpg": 0x808080})
    config = {"films": "tars/*.tar", "cluster": {"gpu_share": 0.5}, **NO_PICTURES}
    result = project.run(**config)
    assert result.status != 0
    assert "needs the Python package 'cupy'" in result.stderr
    assert "tars/palettes/00000.sqlite" in project.results()
    result = project.run("--retries", "1", **config)
    assert result.status == 0, result.stderr
    assert result.jobs == {
        # Its thumbnails are still there.
        "cluster_shard/tars/00001",
        "merge_film/tars",
        "merge_films",
    }
    assert len(project.rows()["frames"]) == 2


def test_a_column_of_the_sheet_says_which_films_ask_for_gpus(project):
    for film in ["a", "b"]:
        write_tarball(project.folder / f"{film}.tar", {"0.jpg": 0x808080})
    sheet = project.folder / "films.tsv"
    sheet.write_text("film\tsource\tgpu\na\ta.tar\t0\nb\tb.tar\t\n")
    config = {"films": "films.tsv", "cluster": {"gpu_share": 1}, **NO_PICTURES}
    result = project.run(**config)
    assert result.status != 0
    assert "a/palettes/00000.sqlite" in project.results()
    assert "b/palettes/00000.sqlite" not in project.results()


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
