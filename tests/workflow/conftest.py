"""Whole runs of Snakemake, each in a folder of its own."""

import pytest

from projects import FINISHED, Project, make_project, write_colors


@pytest.fixture
def project(tmp_path, code) -> Project:
    return make_project(tmp_path / "project", code)


@pytest.fixture(scope="session")
def finished(tmp_path_factory, code) -> Project:
    """A run that is done, of a film of known colors; tests only read it, or copy it."""
    project = make_project(tmp_path_factory.mktemp("finished") / "project", code)
    write_colors(project.folder / "colors.mp4")
    project.make(**FINISHED)
    return project


@pytest.fixture
def copied(finished, tmp_path) -> Project:
    """A copy of it, for tests that change something."""
    return finished.copy(tmp_path / "project")
