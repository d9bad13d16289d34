"""Three users, each with a folder, material and a clone of Reelbow."""

from pathlib import Path

import pytest

from projects import Project, copy_code


@pytest.fixture(scope="session")
def code(tmp_path_factory) -> Path:
    """A copy of the workflow, so that nobody edits it under a run."""
    return copy_code(tmp_path_factory.mktemp("users_code"))


@pytest.fixture
def desk(tmp_path, code) -> Project:
    """An empty folder, with no configuration in it."""
    (tmp_path / "desk").mkdir()
    return Project(tmp_path / "desk", code)
