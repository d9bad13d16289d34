"""Which files are looked into, and what state they have; runs are in tests/workflow."""

import os
import shutil
import time
from pathlib import Path

import pytest

from projects import write_tarball
from reelbow.database.opening import open_new
from reelbow.database.writing import add_shard, finish
from reelbow.jobs.file_digest import digest_file
from reelbow.runs import source_states
from reelbow.runs.films import read_films
from reelbow.shards.plan import write_plan

PAST = 10**9


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A film and two tarballs of which there are results, with their first states."""
    monkeypatch.chdir(tmp_path)
    Path("a.mp4").write_bytes(b"a film")
    for name in "xy":
        write_tarball(Path(f"t/{name}.tar"), {"0.jpg": 0x102030 if name == "x" else 0})
    for path in [Path("a.mp4"), *Path("t").iterdir()]:
        os.utime(path, (PAST, PAST))
    assert set(find().values()) == {""}
    for film in "at":
        Path("results", film, "palettes").mkdir(parents=True)
    digest = digest_file(Path("a.mp4"))
    write_plan({"digest": digest, "shards": []}, Path("results/a/plan.json"))
    for name in "xy":
        digest = digest_file(Path(f"t/{name}.tar"))
        with open_new(Path(f"results/t/palettes/{name}.sqlite")) as connection:
            add_shard(connection, name, engine="numba", version="1", digest=digest)
            finish(connection, {}, n_colors=1)
    return tmp_path


def find() -> dict[str, str]:
    """Find the state of each file; what is kept is what the next run begins with."""
    record = Path(".snakemake/sources.json")
    films = read_films(["a.mp4", "t/*.tar"])
    before = source_states.read_states(record)
    states = source_states.find_states(films, Path("results"), before)
    assert source_states.read_states(record) == before
    source_states.keep_states(states, record)
    assert source_states.read_states(record) == states
    return {path: seen.state for film in states.values() for path, seen in film.items()}


@pytest.fixture
def read(monkeypatch):
    """The files that are digested."""
    paths = []

    def digest(path):
        paths.append(str(path))
        return digest_file(path)

    monkeypatch.setattr(source_states, "digest_file", digest)
    return paths


@pytest.mark.parametrize("name", ["a.mp4", "t/y.tar"])
def test_other_content_gives_another_state_that_stays(project, read, name):
    assert set(find().values()) == {""}
    assert read == []
    old = Path(name).read_bytes()
    Path(name).write_bytes(b"other")
    os.utime(name, (PAST - 5, PAST - 5))
    for _ in range(2):
        states = find()
        assert states.pop(name) == digest_file(Path(name))
        assert set(states.values()) == {""}
    # Once, and nothing else.
    assert read == [name]
    # Nobody knows whether the job began in between: better once too often.
    other = digest_file(Path(name))
    Path(name).write_bytes(old)
    os.utime(name, (PAST - 9, PAST - 9))
    assert find()[name] == other


@pytest.mark.parametrize("name", ["a.mp4", "t/y.tar"])
def test_the_same_content_at_another_time_is_the_same(project, read, name):
    os.utime(name, (PAST - 5, PAST - 5))
    assert set(find().values()) == {""}
    assert set(find().values()) == {""}
    assert read == [name]


def test_what_is_newer_than_its_results_is_snakemake_s_to_see(project, read):
    for name in ["a.mp4", "t/y.tar"]:
        Path(name).write_bytes(b"other")
        os.utime(name, (time.time() + 5, time.time() + 5))
    assert set(find().values()) == {""}
    assert read == []


def test_a_plan_of_nothing_is_of_another_file(project, read):
    write_plan({"digest": None, "shards": []}, Path("results/a/plan.json"))
    os.utime("a.mp4", (PAST - 5, PAST - 5))
    assert find()["a.mp4"] == digest_file(Path("a.mp4"))


def test_what_cannot_be_read_stays_as_it_was_seen(project, read):
    Path("t/y.tar").rename("y.tar")
    Path("t/y.tar").symlink_to("nowhere")
    # A film with a fault has no files.
    assert set(find()) == {"a.mp4", "t/x.tar", "t/y.tar"}
    Path("t/y.tar").unlink()
    Path("y.tar").rename("t/y.tar")
    assert set(find().values()) == {""}
    assert read == []


@pytest.mark.parametrize("text", ["", "[]", '{"a": [1]}', '{"a": {"a.mp4": 3}}', "{"])
def test_a_record_that_cannot_be_read_is_made_anew(project, text):
    Path(".snakemake/sources.json").write_text(text)
    assert set(find().values()) == {""}


def test_a_file_from_the_future_is_named(project):
    def tell():
        states = source_states.find_states(read_films(["t/*.tar"]), Path("results"), {})
        return source_states.find_future(states["t"])

    assert tell() is None
    os.utime("t/x.tar", (time.time() + 1, time.time() + 1))
    assert tell() is None
    os.utime("t/x.tar", (4 * PAST, 4 * PAST))
    sentence = tell()
    assert sentence is not None
    assert sentence.startswith("t/x.tar was changed in the future, 2096-10-0")
    assert sentence.endswith("; give it the time of now, as by touch, or set the clock")


def test_without_results_all_is_as_it_should_be(project):
    shutil.rmtree("results")
    os.utime("a.mp4", (PAST - 5, PAST - 5))
    assert set(find().values()) == {""}
    assert not Path("results").exists()
