"""What is killed at random while a run goes on; soak.py does more of it."""

from random import Random

import pytest

from runs import ARCHIVE, SHARDS
from soak import Soak

pytestmark = pytest.mark.slurm


def test_all_is_made_as_ever_though_much_is_killed_at_random(archive, undisturbed):
    soak = Soak(archive, SHARDS, ARCHIVE, kills=6, random=Random(0))
    soak.last(undisturbed)
    assert soak.hung == 0
    assert soak.killed.total() == 6
