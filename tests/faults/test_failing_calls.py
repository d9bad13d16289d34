"""A short run of `faults.py`; all of it is a command."""

import os
import shutil
from collections import Counter

import faults
import pytest

from memory import LINUX_ONLY

MOST = 6  # of each step: one of each kind

# It makes nothing, and fails always. The demo film takes ten seconds each time. What an
# audit compares it deletes.
WITHOUT = {"find_source", "make_demo_film", "audit"}


@LINUX_ONLY
@pytest.mark.skipif(
    shutil.which("gcc") is None and "REELBOW_NEEDS_COMPILER" not in os.environ,
    reason="there is no gcc",
)
def test_whatever_call_fails_each_script_ends_in_a_sentence_or_a_whole_result():
    told = list(faults.find_faults(most=MOST))
    assert [each for each in told if each.complaint] == []
    # All scripts are among them, and what fails makes a difference.
    steps = {each.step.partition(" ")[0] for each in told}
    scripts = {path.stem for path in faults.SCRIPTS.glob("*.py")}
    assert steps == scripts - WITHOUT
    counts = Counter(each.outcome for each in told)
    assert counts["sentence"] > len(told) / 2
    assert counts["killed"] > len(told) / 50
