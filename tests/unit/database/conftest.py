import pytest

from databases import write_shard


@pytest.fixture
def two(tmp_path):
    """Two good shards of two frames each."""
    return [
        write_shard(tmp_path / "0.sqlite", [0, 1]),
        write_shard(tmp_path / "1.sqlite", [2, 3], shard="00001"),
    ]


@pytest.fixture
def result(tmp_path):
    return tmp_path / "result.sqlite"
