"""Three users, each with a folder, material and a clone of Reelbow."""

import pytest

from projects import Project


@pytest.fixture
def desk(tmp_path, code) -> Project:
    """An empty folder, with no configuration in it."""
    (tmp_path / "desk").mkdir()
    return Project(tmp_path / "desk", code)
