import csv
import subprocess
import sys
from pathlib import Path

import pytest

from reelbow.jobs.log import NO_GPU, SILENT, explain_fallback, explain_log
from reelbow.machine.gpu import ADVICE
from reelbow.runs import failures
from reelbow.runs.failures import Failure, format_table, read_table, write_table

CORRUPT = Failure(
    "sample",
    "00003",
    "downsample_frames",
    "tars/3.tar: cut off in the middle of picture 00000012.jpg, after 12 of its "
    "members; copy or download it again",
    3,
    "logs/downsample_frames/sample/00003.log",
)
PLAN = Failure("b", "", "plan_shards", "b.mp4: no video", 1, "logs/plan_shards/b.log")


@pytest.mark.parametrize(
    ("log", "sentence"),
    [
        ("[mp4] noise\nERROR: a.tar: cut off\n\n", "a.tar: cut off"),
        ("ERROR: a\nERROR: b\nnoise of C at the end", "b"),
        (
            "Traceback (most recent call last):\n  File x\nKeyError: 1\n",
            "failed unexpectedly: KeyError: 1",
        ),
        # Killed in the middle of a traceback, or of its work.
        ("Traceback (most recent call last):\n  File x\n", None),
        ("noise\n", None),
        ("", None),
    ],
)
def test_a_log_says_how_the_job_ended(log, sentence):
    assert explain_log(log) == sentence


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (f"noise\nERROR: the GPU failed; {ADVICE}\n", "the GPU failed"),
        # Killed.
        ("noise\n", f"the attempt there {SILENT}"),
        (None, NO_GPU),
    ],
)
def test_the_log_of_the_attempt_on_a_gpu_says_why_it_is_not_on_a_gpu(
    tmp_path, log, reason
):
    path = tmp_path / "00000.log"
    if log is not None:
        path.write_text(log)
    assert explain_fallback(path) == reason


def test_the_file_has_a_row_for_each(tmp_path):
    table = tmp_path / "results" / "failed.tsv"
    tabbed = PLAN._replace(ended="a\tb\nc")
    write_table([CORRUPT, tabbed], table)
    with table.open(newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    assert list(rows[0]) == ["film", "shard", "stage", "ended", "attempts", "log"]
    assert tuple(rows[0].values()) == (*CORRUPT[:4], "3", CORRUPT.log)
    assert rows[1]["ended"] == "a b c"
    assert rows[1]["shard"] == ""
    assert [path.name for path in table.parent.iterdir()] == ["failed.tsv"]


def test_the_file_is_utf_8_wherever_it_is_written(tmp_path):
    table = tmp_path / "failed.tsv"
    code = (
        "import pathlib; from reelbow.runs.failures import Failure, write_table; "
        "write_table([Failure('a', '', 'b', '\\xe9', 1, '')], "
        f"pathlib.Path({str(table)!r}))"
    )
    # As where nothing is said of the letters of a system.
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    subprocess.run(
        [sys.executable, "-c", code],
        env={**environment, "PYTHONPATH": str(Path(failures.__file__).parents[2])},
        check=True,
    )
    (row,) = read_table(table)
    assert row["ended"] == "\N{LATIN SMALL LETTER E WITH ACUTE}"


def test_the_table_is_aligned_and_fits():
    lines = format_table([CORRUPT, PLAN]).splitlines()
    assert max(map(len, lines)) <= 100
    at = lines[0].index("how it ended")
    starts = [line for line in lines if not line.startswith(" ")]
    assert [line.split()[0] for line in starts] == ["film", "sample", "b"]
    assert starts[1][at:].startswith("tars/3.tar: cut off")
    assert all(line[:at].strip() == "" for line in lines if line not in starts)
    told = " ".join(line[at:] for line in lines[1:])
    assert told == " ".join([CORRUPT.ended, CORRUPT.log, PLAN.ended, PLAN.log])


def test_a_column_without_a_value_is_left_out():
    head = format_table([PLAN]).splitlines()[0].split()
    assert head[:3] == ["film", "stage", "attempts"]


def test_a_long_name_leaves_room_for_the_sentence():
    lines = format_table([CORRUPT._replace(film="f" * 90)]).splitlines()
    assert all(len(line.split("3  ")[-1].strip()) <= 40 for line in lines[1:])
