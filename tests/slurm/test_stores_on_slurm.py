"""Films of a bucket on a real Slurm: each job fetches its own."""

from pathlib import Path

import pytest

from projects import COLORS, NO_PICTURES, write_colors, write_tarball
from stores import SECRET, serve_s3

pytestmark = pytest.mark.slurm

CONFIG = {"films": "films.tsv", "shards": {"frames": 3}, **NO_PICTURES}


def test_each_job_fetches_its_own_to_its_node(project):
    folder = project.folder
    before = set(Path("/tmp").glob("snakemake-*"))
    with serve_s3() as server:
        project.environment.update(server.environment)
        bucket = server.make_bucket("films")
        for place in range(2):
            path = write_tarball(folder / "own.tar", COLORS[place:])
            bucket.upload_file(str(path), f"t/{place}.tar")
        bucket.upload_file(str(write_colors(folder / "own.mp4")), "v.mp4")
        rows = ["film\tsource", "t\ts3://films/t/*.tar", "v\ts3://films/v.mp4"]
        (folder / "films.tsv").write_text("\n".join(rows))
        server.refused["/films/t/1.tar"] = "404 NOT FOUND"
        result = project.run_on_slurm("--retries", "0", **CONFIG)
        assert result.status == 1
        (row,) = project.failures()
        assert row["ended"].startswith("s3://films/t/1.tar: no such file")
        lists = [query for _, _, query in server.asked if "prefix=" in query]
        fetched = [path for method, path, _ in server.asked if method == "GET"]
        # Once for its plan, and once for each of its shards.
        assert fetched.count("/films/v.mp4") == 3
        assert len(lists) == 1
    shown = project.cluster.ask("scontrol", "show", "job", "--oneliner")
    assert SECRET not in "".join(shown)
    for path in folder.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path
    # Nor is there a copy on the shared disk.
    assert not [path for path in folder.rglob("storage/**/*") if path.is_file()]
    # Some were there if jobs of an earlier run were killed, and numbers come again.
    assert set(Path("/tmp").glob("snakemake-*")) <= before
