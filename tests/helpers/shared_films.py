"""The real films of ../shared/data, for tests marked `shared`."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "shared" / "data"


def shared_film(name: str) -> Path:
    """Find a real film; skip the test if it is not there."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path
