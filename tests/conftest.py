"""What holds for all tests."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# In CI the same examples every time: new ones are for the developer to find.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture(scope="session")
def code(tmp_path_factory) -> Path:
    """A copy of the workflow, so that nobody edits it under a run."""
    # It loads what most tests do without.
    from projects import copy_code

    return copy_code(tmp_path_factory.mktemp("code"))


@pytest.fixture
def nobody(tmp_path_factory):
    """Be somebody who may not do all, even where tests run as root."""
    before = os.geteuid()
    if before == 0:
        base = tmp_path_factory.getbasetemp()
        for folder in [base, base.parent]:
            folder.chmod(0o755)
    yield lambda: os.seteuid(65534 if before == 0 else before)
    os.seteuid(before)
