"""What a run tells of itself when asked."""

import csv
import re

from projects import FINISHED, NO_PICTURES, write_tarball

SHARD_JOBS = {
    f"{stage}/colors/00001" for stage in ["downsample_frames", "cluster_shard"]
}


def read_profile(project) -> dict[str, dict[str, str]]:
    with (project.folder / "results/profile.tsv").open(newline="") as lines:
        return {row["stage"]: row for row in csv.DictReader(lines, delimiter="\t")}


def test_a_run_gives_a_table_and_a_figure_of_its_stages(finished, tmp_path):
    project = finished.copy(tmp_path / "project")
    result = project.run("--", "profile_run", **FINISHED)
    assert result.status == 0, result.stderr
    assert result.jobs == {"profile_run"}
    rows = read_profile(project)
    jobs = {
        stage: (int(row["jobs"]), int(row["frames"])) for stage, row in rows.items()
    }
    assert list(jobs.items()) == [
        ("plan_shards", (1, 6)),
        ("downsample_frames", (3, 6)),
        ("cluster_shard", (3, 6)),
        ("merge_film", (1, 6)),
        ("render_barcode", (2, 6)),
        ("merge_films", (1, 6)),
        ("summarize_films", (1, 6)),
    ]
    assert abs(sum(float(row["cpu_share"]) for row in rows.values()) - 1) < 0.001
    for row in rows.values():
        assert float(row["cpu_s"]) > 0
        assert float(row["peak_mb"]) > 10
    assert (project.folder / "results/profile.png").stat().st_size > 1000


def test_it_is_made_again_whenever_it_is_asked_for(project):
    config = {"films": "tars/*.tar", **NO_PICTURES}
    for number in range(2):
        write_tarball(project.folder / f"tars/{number}.tar", {"0.jpg": 0x808080})
        assert project.run(**config).status == 0
        for _ in range(2):
            result = project.run("--", "profile_run", **config)
            assert result.jobs == {"profile_run"}
        row = read_profile(project)["cluster_shard"]
        assert (row["jobs"], row["frames"]) == (str(number + 1),) * 2


def test_without_a_run_it_says_so_and_runs_nothing_else(project):
    write_tarball(project.folder / "tars/0.tar", {"0.jpg": 0x808080})
    result = project.run("--", "profile_run", films="tars/*.tar", **NO_PICTURES)
    assert result.status != 0
    assert "give `uv run snakemake` first" in result.stderr
    assert "Traceback" not in result.stderr
    assert result.jobs == {"profile_run"}
    assert project.results() <= {"failed.tsv"}


def test_shard_jobs_leave_profiles_of_themselves(finished, tmp_path):
    project = finished.copy(tmp_path / "project")
    (project.folder / "results/colors/palettes/00001.sqlite").unlink()
    result = project.run(profile=True, **FINISHED)
    assert result.status == 0, result.stderr
    logs = project.folder / "logs"
    pages = {
        str(page.relative_to(logs)): page.read_text()
        for page in logs.rglob("*.profile.html")
    }
    assert set(pages) == {f"{job}.profile.html" for job in SHARD_JOBS}
    page = pages["cluster_shard/colors/00001.profile.html"]
    assert re.search(r"\bcluster_shard\b", page)
    assert project.rows() == finished.rows()


def test_switching_profiles_on_runs_nothing_again(finished):
    result = finished.run("--dry-run", profile=True, **FINISHED)
    assert result.status == 0, result.stderr
    assert "Nothing to be done" in result.stderr
