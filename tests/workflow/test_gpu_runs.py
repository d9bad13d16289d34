"""Shards that are meant for a GPU, on a machine that has none.

Of the GPU's libraries there are stand-ins: they raise what the real ones raise.
"""

import os
import re

import pytest

from projects import (
    COLORS,
    NO_PICTURES,
    ROOT,
    make_project,
    name_merges,
    write_tarball,
)
from reelbow.jobs.log import NO_GPU
from reelbow.machine.gpu import ADVICE

ARCHIVE = {"films": "tars/*.tar", **NO_PICTURES}
STAND_INS = {"PYTHONPATH": str(ROOT / "tests" / "stand_ins")}

RAISED = {
    "none": "there is no GPU that this job may use (cudaErrorNoDevice: no CUDA-capable "
    "device is detected)",
    "full": "the GPU has too little memory free (Out of memory allocating "
    "1,099,511,627,776 bytes (allocated so far: 1,073,741,824 bytes))",
}


def share(share, engine="cupy"):
    """Configure the archive so that a part of its shards are meant for a GPU."""
    return {**ARCHIVE, "cluster": {"gpu_share": share, "gpu_engine": engine}}


def make_archive(folder, code, n_tarballs=3):
    project = make_project(folder, code)
    for number, color in zip(range(n_tarballs), COLORS, strict=False):
        colors = [color, COLORS[number - 1]]
        write_tarball(project.folder / f"tars/{number}.tar", colors)
    project.environment = dict(STAND_INS)
    return project


@pytest.fixture
def archive(tmp_path, code):
    return make_archive(tmp_path / "project", code)


@pytest.fixture(scope="module")
def by_cpu(tmp_path_factory, code):
    """The archive, done without a thought of GPUs."""
    project = make_archive(tmp_path_factory.mktemp("by_cpu") / "project", code)
    result = project.make(**ARCHIVE)
    assert "GPU" not in result.stderr
    return project


def read_shards(project):
    return project.query(
        "SELECT shard, engine, gpu_fallback FROM shards ORDER BY shard"
    )


def read_metadata(project):
    about = dict(project.query("SELECT key, value FROM metadata"))
    # When it was made differs, and with it the digest of all rows.
    differing = {"made_at", *(key for key in about if key.startswith("rows/"))}
    return {key: about[key] for key in about.keys() - differing}


@pytest.mark.parametrize("device", RAISED)
def test_what_a_gpu_cannot_do_a_cpu_does_in_the_next_attempt(archive, by_cpu, device):
    archive.environment["REELBOW_TEST_DEVICE"] = device
    result = archive.make("--retries", "1", **share(0.5))
    assert archive.failures() == []
    assert archive.rows() == by_cpu.rows()
    assert archive.results() == by_cpu.results()
    # Which engine made a shard, and why, is in its log, the database and its metadata.
    untouched, (shard, engine, reason), other = read_shards(archive)
    assert {untouched[1:], other[1:]} == {("numba", None)}
    assert (shard, engine) == ("1", "numba")
    assert reason == RAISED[device]
    log = archive.folder / "logs/cluster_shard/tars/1.log"
    assert [path.name for path in log.parent.glob("*.gpu")] == []
    assert f"not on a GPU: {reason}\n" in log.read_text()
    metadata = read_metadata(archive)
    assert metadata == {**read_metadata(by_cpu), "gpu_fallback": reason}
    assert metadata["engine"] == "numba"
    told = "film tars: 1 of 3 shards meant for a GPU, but done by a CPU"
    assert f"{told} ({reason})" in result.stderr


def test_without_another_attempt_it_is_told_in_one_sentence(archive, by_cpu):
    archive.environment["REELBOW_TEST_DEVICE"] = "none"
    result = archive.run(**share(0.5))
    assert result.status != 0
    (row,) = archive.failures()
    where = row["shard"], row["stage"], row["attempts"]
    assert where == ("1", "cluster_shard", "1")
    assert row["ended"] == f"{RAISED['none']}; {ADVICE}"
    assert "Traceback" not in result.stderr
    # Its thumbnails are still there.
    result = archive.make("--retries", "1", **share(0.5))
    assert result.jobs == {"cluster_shard/tars/1", *name_merges("tars")}
    assert archive.rows() == by_cpu.rows()


def test_a_run_without_gpus_to_give_does_all_on_the_cpu(archive, by_cpu):
    archive.make("--resources", "gpu=0", **share(1))
    assert archive.rows() == by_cpu.rows()
    assert {row[1:] for row in read_shards(archive)} == {("numba", NO_GPU)}


def test_no_more_jobs_run_on_gpus_at_once_than_there_are(archive, tmp_path):
    archive.environment["REELBOW_TEST_DEVICE"] = "none"
    archive.environment["REELBOW_TEST_TRACE"] = str(tmp_path / "trace")
    result = archive.run("--resources", "gpu=1", cores=3, **share(1))
    assert len(archive.failures()) == 3, result.stderr
    lines = (tmp_path / "trace").read_text().splitlines()
    assert lines == ["begins", "ends"] * 3


def test_a_job_that_needs_no_gpu_waits_for_none(by_cpu, tmp_path):
    project = by_cpu.copy(tmp_path / "project")
    forced = ("--rerun-triggers", "mtime", "--forcerun", "downsample_frames")
    # The usual logger does not show what jobs ask for.
    result = project.make(
        "--dry-run", "--workflow-profile", "none", *forced, **share(1)
    )
    asked = re.findall(r"rule (\w+):.*? gpu=(\d)", result.stdout, re.S)
    three = [("cluster_shard", "1"), ("downsample_frames", "0")]
    assert sorted(asked) == sorted(3 * three)


def test_shards_of_both_kinds_make_one_film(archive, by_cpu):
    archive.make(**share(0.5, "cuml"))
    assert archive.rows() == by_cpu.rows()
    assert [row[1:] for row in read_shards(archive)] == [
        ("numba", None),
        ("cuml", None),
        ("numba", None),
    ]
    metadata = read_metadata(archive)
    assert metadata == {**read_metadata(by_cpu), "engine": "cuml (1); numba (2)"}


def test_a_column_of_the_sheet_says_which_films_are_for_gpus(archive):
    rows = ["film\tsource\tgpu", "a\ttars/0.tar\t0", "b\ttars/1.tar\t"]
    (archive.folder / "films.tsv").write_text("\n".join(rows) + "\n")
    archive.make(**share(1, "cuml") | {"films": "films.tsv"})
    engines = archive.query(
        "SELECT film, engine FROM shards JOIN films USING (film_id) ORDER BY film"
    )
    assert engines == [("a", "numba"), ("b", "cuml")]


CONDA = """#!/bin/sh
case "$*" in
*--version*) echo "conda 25.1.0" ;;
*info*) echo '{"conda_prefix": "/none", "conda_version": "25.1.0", "platform": ""}' ;;
*config*) echo '{"get": {"channel_priority": "strict"}}' ;;
esac
"""


@pytest.mark.parametrize(("engine", "kind"), [("cupy", "gpu"), ("cuml", "cuml")])
def test_conda_has_an_environment_for_shards_that_are_meant_for_a_gpu(
    by_cpu, tmp_path, engine, kind
):
    project = by_cpu.copy(tmp_path / "project")
    conda = tmp_path / "bin/conda"
    conda.parent.mkdir()
    conda.write_text(CONDA)
    conda.chmod(0o755)
    project.environment = {"PATH": f"{conda.parent}:{os.environ['PATH']}"}
    made = {}
    for part in (0, 0.5):
        project.make(
            *("--sdm", "conda", "--conda-create-envs-only"),
            # Without the plan made anew, which would have to come first.
            *("--rerun-triggers", "mtime", "--forcerun", "cluster_shard"),
            **share(part, engine),
        )
        environments = (project.folder / ".snakemake/conda").glob("*.yaml")
        made[part] = {path.read_text() for path in environments}
    # None of them but for the tagged ones.
    assert not any("cupy" in environment for environment in made[0])
    (added,) = made[0.5] - made[0]
    assert added == (ROOT / f"envs/cluster_{kind}.yaml").read_text()
