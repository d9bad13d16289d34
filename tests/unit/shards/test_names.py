import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelbow.errors import ReelbowError
from reelbow.jobs.stored_files import Status, StoredFile
from reelbow.shards.names import MAX_LENGTH, PATTERN, name_shards, name_source

HASH = r"-[0-9a-f]{6}"


def name(tarball, pattern=None):
    (shard,) = name_shards([Path(tarball)], pattern)
    return shard


@pytest.mark.parametrize(
    ("tarball", "shard"),
    [
        ("tars/tape_01.tar", "tape_01"),
        ("a-b.c.tar", "a-b.c"),
        ("Tape.TAR", "Tape"),
        ("a.tar.gz", "a.tar.gz"),
        ("a.tgz", "a.tgz"),
    ],
)
def test_a_shard_has_its_tarball_s_name_without_tar(tarball, shard):
    assert name(tarball) == shard


@pytest.mark.parametrize(
    ("tarball", "shard"),
    [
        ("tape 1.tar", "tape_1"),
        ("{film}.tar", "_film_"),
        ("Müll.tar", "M_ll"),
        (".hidden.tar", "_hidden"),
        ("-x.tar", "_x"),
        ("a\n.tar", "a_"),
    ],
)
def test_a_name_that_is_made_safe_has_a_hash(tarball, shard):
    assert re.fullmatch(re.escape(shard) + HASH, name(tarball))


def test_names_that_are_made_alike_stay_apart():
    first, second = name_shards([Path("a 1.tar"), Path("a:1.tar")])
    assert first != second
    assert [first, second] == [name("a 1.tar"), name("a:1.tar")]


def test_a_long_name_is_shortened_and_still_its_own():
    first, second = name(f"{'x' * 240}1.tar"), name(f"{'x' * 240}2.tar")
    assert len(first) == len(second) == MAX_LENGTH
    assert first != second


@pytest.mark.parametrize(
    ("tarball", "pattern", "shard"),
    [
        ("t/2024/a.tar", "t/*/a.tar", "2024-a"),
        ("t/2024/a.tar", "t/2024/*.tar", "a"),
        ("t/x/y/a.tar", "t/**/*.tar", "x-y-a"),
        ("t/a.tar", "t/**/*.tar", "a"),
        ("t/a.tar", "t/**", "a"),
        ("/t/20/a.tar", "/t/[0-9]*/*.tar", "20-a"),
    ],
)
def test_in_several_folders_the_folders_are_in_the_name(tarball, pattern, shard):
    assert name(tarball, pattern) == shard


def test_in_several_folders_a_dash_is_no_folder():
    names = name_shards([Path("t/x/y.tar"), Path("t/x-y.tar")], "t/**/*.tar")
    assert names[0] == "x-y"
    assert re.fullmatch("x-y" + HASH, names[1])


def test_a_difference_of_case_is_none_to_some_disks():
    names = name_shards([Path("A.tar"), Path("a.tar")])
    assert re.fullmatch("A" + HASH, names[0])
    assert names[1] == "a"


def test_the_same_tarball_twice_is_refused():
    with pytest.raises(ReelbowError, match=r"a\.tar: would be the same shard as"):
        name_shards([Path("a.tar"), Path("x/a.tar")])


# Of the surrogates only those that stand for bytes which are no UTF-8.
LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="/\0")
NO_TEXT = st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF, categories=["Cs"])
FILE_NAMES = st.text(LETTERS | NO_TEXT, min_size=1).map(lambda text: f"{text}.tar")


@given(st.lists(FILE_NAMES, unique=True, max_size=6), st.integers(0, 5))
def test_any_names_are_safe_and_apart_and_need_no_others(files, gone):
    names = name_shards([Path("tars", file) for file in files])
    assert all(re.fullmatch(PATTERN, shard) for shard in names)
    assert len({shard.lower() for shard in names}) == len(files)
    if len({file.lower() for file in files}) == len(files) > gone:
        rest = [*files[:gone], *files[gone + 1 :]]
        kept = name_shards([Path("tars", file) for file in rest])
        assert kept == [*names[:gone], *names[gone + 1 :]]


@pytest.mark.parametrize(
    ("source", "file", "named"),
    [
        ("films/a.mkv", None, "films/a.mkv"),
        ("./a.mkv", None, "a.mkv"),
        ("films/[a].mkv", None, "films/[a].mkv"),
        # The working folder is /disk/ann/work.
        ("/disk/ann/work/films/a.mkv", None, "films/a.mkv"),
        ("/disk/ann/films/a.mkv", None, "a.mkv"),
        ("../films/a.mkv", None, "a.mkv"),
        ("/disk/ann/workshop/a.mkv", None, "a.mkv"),
        ("/a.mkv", None, "a.mkv"),
        ("tapes/*.tar", "tapes/1.tar", "tapes/1.tar"),
        ("/far/tapes/*/*.tar", None, "tapes/*/*.tar"),
        ("/far/tapes/*/*.tar", "/far/tapes/a/1.tar", "tapes/a/1.tar"),
        ("/far/tapes/**", "/far/tapes/a/b/1.tar", "tapes/a/b/1.tar"),
        # A folder.
        ("/far/tapes", None, "tapes"),
        ("/far/tapes", "/far/tapes/1.tar", "tapes/1.tar"),
        ("../tapes/*.tar", "../tapes/1.tar", "tapes/1.tar"),
        ("/disk/ann/*/1.tar", "/disk/ann/work/1.tar", "1.tar"),
        ("/*.tar", "/1.tar", "1.tar"),
        # A link of another name.
        ("/far/tapes", "/else/1.tar", "1.tar"),
    ],
)
def test_a_source_is_named_without_where_it_lies(monkeypatch, source, file, named):
    monkeypatch.setattr(Path, "cwd", lambda: Path("/disk/ann/work"))
    monkeypatch.setattr("os.getcwd", lambda: "/disk/ann/work")
    assert name_source(source, file) == named


def test_a_file_that_is_named_like_a_pattern_is_none(tmp_path):
    path = tmp_path / "a*" / "[1].mkv"
    path.parent.mkdir()
    path.touch()
    assert name_source(str(path)) == "[1].mkv"


def test_files_of_a_store_have_their_addresses_and_names_as_those_of_folders():
    assert name_source("s3://b/t/*.tar") == "s3://b/t/*.tar"
    assert name_source("s3://b/t/*.tar", "s3://b/t/1.tar") == "s3://b/t/1.tar"
    files = [
        StoredFile.of(f"s3://b/{key}", Status(1, 1), "") for key in ("a/1.tar", "c.tar")
    ]
    assert name_shards(files, "s3://b/**/*.tar") == ["a-1", "c"]
    assert name_shards(files, "s3://b/*") == ["1", "c"]
