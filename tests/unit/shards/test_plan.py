from copy import deepcopy

import pytest

from reelbow.errors import DamagedError
from reelbow.runs.corpus import is_planned
from reelbow.runs.source_states import read_digests
from reelbow.shards.plan import read_plan, summarize_plan


@pytest.mark.parametrize(
    "content", [b"", b'{"shards": [', b"[]", b'{"shards": [{}]}', b"\xff", b"[" * 10**5]
)
def test_a_plan_that_is_not_whole_is_told_and_counts_as_none(content, tmp_path):
    path = tmp_path / "film" / "plan.json"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(DamagedError, match=r"plan\.json: the plan is damaged; delete"):
        read_plan(path)
    assert not is_planned(tmp_path, "film")
    assert read_digests(path) == set()


def test_a_summary_has_all_but_the_timestamps():
    plan = {
        "video": {"stored_width": 64},
        "crop": "64:40:0:4",
        "keyframes": [0, 250],
        "n_frames": 3,
        "shards": [
            {"shard": "00000", "first_frame": 0, "n_frames": 2, "pts": [0, None]},
            {"shard": "00001", "first_frame": 2, "n_frames": 1, "pts": [250]},
        ],
    }
    before = deepcopy(plan)
    assert summarize_plan(plan) == {
        "video": {"stored_width": 64},
        "crop": "64:40:0:4",
        "n_frames": 3,
        "shards": {
            "00000": {"shard": "00000", "first_frame": 0, "n_frames": 2},
            "00001": {"shard": "00001", "first_frame": 2, "n_frames": 1},
        },
    }
    assert plan == before


def test_a_summary_of_tarballs_has_their_names():
    plan = {
        "video": None,
        "crop": None,
        "n_frames": None,
        "shards": [{"shard": "a", "n_frames": None, "tarball": "a.tar"}],
    }
    shards = summarize_plan(plan)["shards"]
    assert shards == {"a": {"shard": "a", "n_frames": None, "tarball": "a.tar"}}
