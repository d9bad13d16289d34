import os
import tempfile
import time
from pathlib import Path

import pytest

from reelbow.jobs.files import handing_on, taking_over
from reelbow.machine import scratch

DAY_S = 24 * 3600


@pytest.fixture
def memory(tmp_path, monkeypatch) -> Path:
    """A node's /dev/shm, in a job of Slurm."""
    memory = tmp_path / "shm"
    memory.mkdir()
    monkeypatch.setattr(scratch, "MEMORY", memory)
    monkeypatch.setenv("SLURM_JOB_ID", "1")
    monkeypatch.delenv("TMPDIR", raising=False)
    return memory


def hand_on(path: Path, text: str = "frames", *, scratch_mb: int = 1) -> None:
    """Write a file for the next job of a shard."""
    with handing_on(path, scratch_mb) as temporary:
        temporary.write_text(text)


def list_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_symlink() or path.is_file()]


def test_a_file_lies_on_the_node_and_its_path_leads_there(memory, tmp_path):
    path = tmp_path / "results/film/thumbnails/00000.npz"
    hand_on(path)
    assert path.is_symlink()
    assert path.read_text() == "frames"
    assert list_files(memory) == [path.readlink()]
    assert path.readlink().suffix == ".npz"
    assert list(path.parent.iterdir()) == [path]


def test_it_is_gone_when_the_next_job_is_done_with_it(memory, tmp_path):
    path = tmp_path / "00000.tar"
    hand_on(path)
    with taking_over(path):
        assert path.read_text() == "frames"
    assert list_files(memory) == []
    # Snakemake removes the link.
    assert path.is_symlink()


def test_both_are_gone_if_the_next_job_fails(memory, tmp_path):
    path = tmp_path / "00000.tar"
    hand_on(path)
    with pytest.raises(KeyboardInterrupt), taking_over(path):
        raise KeyboardInterrupt
    assert list_files(tmp_path) == []


def test_a_later_attempt_writes_over_what_an_earlier_one_left(memory, tmp_path):
    path = tmp_path / "00000.tar"
    for text in ["first", "second"]:
        hand_on(path, text)
        assert path.read_text() == text
    assert len(list_files(memory)) == 1
    # On a node that has no file of the earlier attempt.
    path.readlink().unlink()
    hand_on(path, "third")
    assert path.read_text() == "third"


def test_shards_stages_and_films_have_places_of_their_own(memory, tmp_path):
    names = ["a/frames/0.tar", "a/frames/1.tar", "b/frames/0.tar", "a/thumbnails/0.tar"]
    for name in names:
        hand_on(tmp_path / name, name)
    assert [(tmp_path / name).read_text() for name in names] == names


def test_nothing_is_left_on_failure(memory, tmp_path):
    path = tmp_path / "00000.tar"

    def fail():
        with handing_on(path, 1) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list_files(tmp_path) == []


@pytest.mark.parametrize(
    ("scratch_mb", "spare", "outside"),
    [
        # Outside of Slurm.
        (1, 2, True),
        # It is to be kept.
        (0, 2, False),
        # It is too large for memory.
        (scratch.MOST_MEMORY_MB + 1, 2, False),
        # The node has no room.
        (1, 1 << 30, False),
    ],
)
def test_a_file_may_have_to_be_where_it_is_declared(
    memory, tmp_path, monkeypatch, scratch_mb, spare, outside
):
    if outside:
        monkeypatch.delenv("SLURM_JOB_ID")
    monkeypatch.setattr(scratch, "SPARE", spare)
    path = tmp_path / "00000.tar"
    hand_on(path, scratch_mb=scratch_mb)
    assert not path.is_symlink()
    with taking_over(path):
        assert path.read_text() == "frames"
    assert path.read_text() == "frames"


def test_a_file_may_fill_what_memory_is_for_files(memory, tmp_path):
    path = tmp_path / "00000.tar"
    hand_on(path, scratch_mb=scratch.MOST_MEMORY_MB)
    assert path.is_symlink()


@pytest.fixture
def other_disk(tmp_path):
    """A folder on another disk than the results."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        if Path(folder).stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("all is one disk here")
        yield Path(folder)


def test_the_job_s_own_folder_comes_before_memory(
    memory, tmp_path, other_disk, monkeypatch
):
    monkeypatch.setenv("TMPDIR", str(other_disk))
    path = tmp_path / "00000.tar"
    # It has no bound but the room that there is.
    hand_on(path, scratch_mb=scratch.MOST_MEMORY_MB + 1)
    assert path.readlink().is_relative_to(other_disk)
    with taking_over(path):
        assert path.read_text() == "frames"
    assert list_files(other_disk) == []


def test_a_folder_on_the_shared_disk_or_of_everybody_is_not_the_node_s_own(
    memory, tmp_path, monkeypatch
):
    path = tmp_path / "00000.tar"
    for folder in [str(tmp_path), "/tmp", "/nowhere"]:
        monkeypatch.setenv("TMPDIR", folder)
        hand_on(path)
        assert path.readlink().is_relative_to(memory)


def test_a_folder_that_another_user_laid_is_not_used(memory, tmp_path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (memory / f"reelbow-{os.getuid()}").symlink_to(theirs)
    path = tmp_path / "00000.tar"
    hand_on(path)
    assert not path.is_symlink()
    assert list(theirs.iterdir()) == []


def test_leftovers_of_more_than_a_day_are_removed(memory, tmp_path):
    paths = [tmp_path / f"{number}.tar" for number in range(3)]
    for path, age_s in zip(paths, [DAY_S + 60, DAY_S - 60], strict=False):
        hand_on(path)
        then = time.time() - age_s
        os.utime(path, (then, then))
    hand_on(paths[2])
    assert [path.exists() for path in paths] == [False, True, True]


def test_only_a_file_in_the_scratch_is_deleted(memory, tmp_path):
    tarball = tmp_path / "archive" / "0.tar"
    tarball.parent.mkdir()
    tarball.write_text("the user's own")
    link = tmp_path / "0.tar"
    link.symlink_to(tarball)
    with taking_over(link), taking_over(tarball):
        pass
    assert tarball.read_text() == "the user's own"


def test_links_of_a_killed_run_are_dropped_and_nothing_else(memory, tmp_path):
    results = tmp_path / "results"
    left = [results / "a/thumbnails/0.tar", results / "b/thumbnails/0.npz"]
    for path in left:
        hand_on(path)
    left[0].readlink().unlink()
    kept = results / "a/thumbnails/1.tar"
    kept.write_text("kept")
    (results / "a/thumbnails/2.tar").symlink_to(kept)
    scratch.drop_links(results)
    assert sorted(list_files(results)) == [kept, results / "a/thumbnails/2.tar"]
