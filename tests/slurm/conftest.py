"""A real Slurm, and what is run on it."""

import os
import shutil
from collections.abc import Iterator

import pytest

from cluster import Cluster, explain_absence
from projects import Project, make_project
from runs import ARCHIVE, N_TARBALLS, SlurmProject, equip, write_archive


@pytest.fixture(scope="session")
def cluster(tmp_path_factory) -> Iterator[Cluster]:
    """The cluster of all tests, which start it only where it is wanted."""
    absent = explain_absence()
    if absent and os.environ.get("REELBOW_NEEDS_SLURM"):
        pytest.fail(f"no Slurm can be started: {absent}")
    if absent:
        pytest.skip(f"no Slurm can be started: {absent}")
    with Cluster(tmp_path_factory.mktemp("slurm")).running() as running:
        yield running


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory, code) -> Project:
    """An archive of tarballs that is done, by a local run."""
    project = make_project(tmp_path_factory.mktemp("undisturbed") / "project", code)
    write_archive(project.folder / "tars", n_tarballs=N_TARBALLS, n_frames=2)
    project.make(**ARCHIVE)
    return project


@pytest.fixture
def project(tmp_path, cluster, code, monkeypatch) -> SlurmProject:
    """An empty folder to run in."""
    monkeypatch.setenv("SLURM_CONF", cluster.environment["SLURM_CONF"])
    cluster.mend()
    return equip(make_project(tmp_path / "project", code), cluster)


@pytest.fixture
def archive(project, undisturbed) -> SlurmProject:
    """The archive, planned, without its shards."""
    shutil.rmtree(project.folder)
    copy = undisturbed.copy(project.folder)
    results = project.folder / "results"
    shutil.rmtree(results / "tars/palettes")
    (results / "tars/palettes.sqlite").unlink()
    (results / "palettes.sqlite").unlink()
    return equip(copy, project.cluster)
