"""Whole runs of Snakemake, each in a folder of its own."""

from pathlib import Path

import pytest

from projects import FINISHED, Project, copy_code, make_project, write_colors


@pytest.fixture(scope="session")
def code(tmp_path_factory) -> Path:
    """A copy of the workflow, so that nobody edits it under a run."""
    return copy_code(tmp_path_factory.mktemp("code"))


@pytest.fixture
def project(tmp_path, code) -> Project:
    return make_project(tmp_path / "project", code)


@pytest.fixture(scope="session")
def finished(tmp_path_factory, code) -> Project:
    """A run that is done, of a film of known colors; tests only read it, or copy it."""
    project = make_project(tmp_path_factory.mktemp("finished") / "project", code)
    write_colors(project.folder / "colors.mp4")
    result = project.run(**FINISHED)
    assert result.status == 0, result.stderr
    return project
