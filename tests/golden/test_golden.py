"""Eight small films have the rows that they always had, by any sharding and kernels."""

import json
import os
import subprocess
import sys

import golden
import pytest

RENEW = (
    "rows of databases are others than they were. If that is meant, `uv run python "
    "tests/golden/golden.py --renew`, and say so in CHANGELOG.md"
)
VARIANTS = {
    "as_it_stands": ([], {}),
    # Other shards, in another order, on one core, and without vectors of more than 128
    # bits, nor what multiplies and adds at once.
    "in_all_other_ways": (
        ["--per-shard", "5", "--shuffled", "--cores", "1"],
        {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""},
    ),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_rows_are_what_they_were_to_the_last_bit(variant):
    arguments, environment = VARIANTS[variant]
    told = subprocess.run(
        [sys.executable, golden.HERE, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, f"{told.stdout}{told.stderr}\n{RENEW}"


def test_another_row_is_told():
    known = json.loads(golden.DIGESTS.read_text())
    assert len(known) == len(golden.FILMS) == 8
    other = json.loads(golden.DIGESTS.read_text())
    other["rgb"]["shots"] = "0"
    told = list(golden.list_differences(other, known))
    assert told == [f"rgb: shots is 0, was {known['rgb']['shots']}"]
