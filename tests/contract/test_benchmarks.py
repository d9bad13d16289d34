"""What the documents say of Reelbow's peers is what was measured."""

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

BURN = "import time\nwhile time.process_time() < 0.3: pass"
BURN_IN_A_CHILD = (
    f"import subprocess, sys; subprocess.run([sys.executable, '-c', '''{BURN}'''])"
)


@pytest.fixture
def peers(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import peers

    return peers


@pytest.fixture
def results(peers):
    return json.loads(peers.RESULTS.read_text())


def test_the_documents_have_the_tables_of_the_measured_figures(peers, results):
    for page, only in [(peers.PAGE, None), (peers.README, peers.TELLING)]:
        table = peers.render_table(results, only)
        part = f"<!-- {peers.MARKER} -->\n{table}\n<!-- /{peers.MARKER} -->"
        assert page.read_text().count(part) == 1
    assert set(peers.TELLING) <= {peer.name for peer in peers.PEERS}


def test_the_measured_peers_are_those_that_are_run(peers, results):
    assert [row["name"] for row in results["rows"]] == [
        peer.name for peer in peers.PEERS
    ]
    for row, peer in zip(results["rows"], peers.PEERS, strict=True):
        assert row["delivers"] == peer.delivers
        assert ("extrapolated_from" in row) == (bool(peer.base) and "cpu_s" in row)


def test_all_packages_have_a_version(peers):
    for environment in peers.PACKAGES:
        assert all("==" in package for package in peers.list_packages(environment))


def test_a_base_runs_before_those_that_need_it(peers):
    names = [peer.name for peer in peers.PEERS]
    for place, peer in enumerate(peers.PEERS):
        assert not peer.base or peer.base in names[:place]


def test_the_seconds_of_a_child_count(peers, tmp_path):
    row = peers.measure_command([sys.executable, "-c", BURN_IN_A_CHILD], tmp_path)
    assert row["cpu_s"] >= 0.3


def test_the_memory_of_a_child_counts(peers, tmp_path):
    row = peers.measure_command(
        [sys.executable, "-c", "print(len(bytes(300 << 20).upper()))"], tmp_path
    )
    assert row["peak_mb"] >= 300


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (["no-such-program"], "no-such-program is not installed"),
        (
            [sys.executable, "-c", "open('/deep/down/there.mp4')"],
            "fails with status 1: FileNotFoundError: [Errno 2] No such file or "
            "directory: 'there.mp4'",
        ),
    ],
)
def test_a_peer_that_fails_says_why(peers, tmp_path, command, reason):
    with pytest.raises(peers.PeerError) as caught:
        peers.measure_command(command, tmp_path)
    assert str(caught.value) == reason


def test_a_peer_that_failed_has_a_row_with_the_reason(peers, results):
    row = results["rows"][0]
    for figure in [*peers.FIGURES, "frames"]:
        del row[figure]
    row["failure"] = "ffmpeg is not installed"
    lines = peers.render_table(results).splitlines()
    rows = [line for line in lines if line.startswith("| ")][1:]
    assert len(rows) == len(results["rows"])
    # Sorted behind the others, which have nothing now to be compared with.
    assert (
        rows[-1] == f"| {row['name']} | - | - | - | - | - | ffmpeg is not installed |"
    )
    assert all(line.split(" | ")[2] == "-" for line in rows)


def test_a_peer_without_its_result_fails(peers, tmp_path):
    with pytest.raises(peers.PeerError, match=r"leaves no mean\.png"):
        peers.count_frames(tmp_path / "mean.png")


def test_columns_and_lines_are_counted(peers, tmp_path):
    from PIL import Image

    Image.new("RGB", (7, 3)).save(tmp_path / "barcode.png")
    (tmp_path / "means.csv").write_text("1,2,3\n4,5,6\n")
    (tmp_path / "average.json").write_text('{"colors": [[1, 2, 3]]}')
    assert peers.count_frames(tmp_path / "barcode.png") == 7
    assert peers.count_frames(tmp_path / "means.csv") == 2
    assert peers.count_frames(tmp_path / "average.json") == 1
