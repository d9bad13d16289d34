"""What a run tells of itself when asked, and the profiles that one may take.

uv run --with snakemake-executor-plugin-kubernetes==0.5.1 \\
  --with snakemake-storage-plugin-fs==1.1.3 pytest tests/workflow/test_profiles.py
"""

import csv
import importlib.util
import os
import re

import pytest
import yaml
from snakemake.cli import parse_args

from projects import FINISHED, NO_PICTURES, ROOT, name_jobs, write_tarball
from reelbow.shards.names import STAGES


def read_profile(project) -> dict[str, dict[str, str]]:
    with (project.folder / "results/profile.tsv").open(newline="") as lines:
        return {row["stage"]: row for row in csv.DictReader(lines, delimiter="\t")}


def test_a_run_gives_a_table_and_a_figure_of_its_stages(copied):
    result = copied.make("--", "profile_run", **FINISHED)
    assert result.jobs == {"profile_run"}
    rows = read_profile(copied)
    jobs = {
        stage: (int(row["jobs"]), int(row["frames"])) for stage, row in rows.items()
    }
    assert list(jobs.items()) == [
        ("plan_shards", (1, 6)),
        ("downsample_frames", (3, 6)),
        ("cluster_shard", (3, 6)),
        ("merge_film", (1, 6)),
        ("render_barcodes", (1, 6)),
        ("merge_films", (1, 6)),
        ("summarize_films", (1, 6)),
    ]
    assert abs(sum(float(row["cpu_share"]) for row in rows.values()) - 1) < 0.001
    for row in rows.values():
        assert float(row["cpu_s"]) > 0
        assert float(row["peak_mb"]) > 10
    assert (copied.folder / "results/profile.png").stat().st_size > 1000


def test_it_is_made_again_whenever_it_is_asked_for(project):
    config = {"films": "tars/*.tar", **NO_PICTURES}
    for number, n_times in enumerate([2, 1]):
        write_tarball(project.folder / f"tars/{number}.tar", {"0.jpg": 0x808080})
        project.make(**config)
        for _ in range(n_times):
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


def test_shard_jobs_leave_profiles_of_themselves(copied, finished):
    (copied.folder / "results/colors/palettes/00001.sqlite").unlink()
    copied.make(profile=True, **FINISHED)
    logs = copied.folder / "logs"
    pages = {
        str(page.relative_to(logs)): page.read_text()
        for page in logs.rglob("*.profile.html")
    }
    jobs = name_jobs(STAGES, "colors", "00001")
    assert set(pages) == {f"{job}.profile.html" for job in jobs}
    page = pages["cluster_shard/colors/00001.profile.html"]
    assert re.search(r"\bcluster_shard\b", page)
    assert copied.rows() == finished.rows()


def read_settings(name: str) -> dict[str, object]:
    return yaml.safe_load((ROOT / "profiles" / name / "config.yaml").read_text())


def plan_with(project, name: str, *arguments: str):
    """Say what each rule's jobs ask for by a profile, with all of profiles/default."""
    mine, default = read_settings(name), read_settings("default")
    # That would win, and silently.
    assert not mine.keys() & default.keys()
    write_tarball(project.folder / "tars/0.tar", {"0.jpg": 0x808080})
    given = ["--dry-run", "--profile", str(ROOT / "profiles" / name), *arguments]
    config = {"films": "tars/*.tar", **NO_PICTURES}
    assert "merge film" in project.make(*given, **config).stderr
    # The usual logger does not show what jobs ask for.
    told = project.make(*given, "--workflow-profile", "none", **config).stdout
    return dict(re.findall(r"rule (\w+):.*? resources: (.*?)\n", told, re.S)), told


def test_the_profile_of_large_machines_bounds_memory(project):
    asked, _ = plan_with(project, "local-large")
    assert "mem_mb=700" in asked["merge_film"]
    _, taken = parse_args(["--profile", str(ROOT / "profiles/local-large")])
    assert taken.resources == {"mem_mb": 200000, "gpu": 1}
    assert taken.retries == 1


def test_the_profile_of_kubernetes_says_what_pods_want(project, tmp_path):
    plugins = ["executor_plugin_kubernetes", "storage_plugin_fs"]
    if not all(importlib.util.find_spec(f"snakemake_{name}") for name in plugins):
        assert not os.environ.get("REELBOW_NEEDS_KUBERNETES")
        pytest.skip("no plugin for Kubernetes, or none for folders as a store")
    # There is no bucket here; a folder is a store as well.
    store = ["--default-storage-provider", "fs"]
    store += ["--default-storage-prefix", str(tmp_path / "store")]
    asked, told = plan_with(project, "kubernetes", *store)
    assert "gpu_manufacturer=nvidia, scale=False" in asked["merge_film"]
    assert f"output: {tmp_path}/store/results/palettes.sqlite (" in told
