from pathlib import Path

import pytest

from reelbow.errors import ReelbowError
from reelbow.jobs.stored_files import (
    NOT_FETCHED,
    LocalCopy,
    Status,
    StoredFile,
    is_url,
)


def test_addresses_are_told_from_paths():
    assert is_url("s3://bucket/a.tar")
    assert is_url("HTTPS://host/a.mkv")
    assert not is_url("a/s3://b")
    assert not is_url("c:/films/a.mkv")


def test_a_copy_is_opened_where_it_lies_and_shown_by_its_address(tmp_path):
    (tmp_path / "a.tar").write_bytes(b"content")
    copy = LocalCopy.of(tmp_path / "a.tar", "s3://bucket/a.tar")
    assert f"{copy}" == "s3://bucket/a.tar"
    assert copy.read_bytes() == b"content"
    with open(copy, "rb") as stream:  # noqa: PTH123 (as libraries do)
        assert stream.read() == b"content"
    assert copy.exists()
    assert copy.name == "a.tar"
    copy.check()


def test_a_copy_that_could_not_be_fetched_says_why(tmp_path):
    copy = LocalCopy.of(tmp_path / "a.tar", "s3://bucket/a.tar")
    with pytest.raises(ReelbowError, match=r"s3://bucket/a\.tar: was not fetched"):
        copy.check()
    copy.write_bytes(NOT_FETCHED + b"s3://bucket/a.tar: no such file")
    with pytest.raises(ReelbowError, match=r"^s3://bucket/a\.tar: no such file$"):
        copy.check()


def test_a_stored_file_has_names_as_a_path_and_tells_what_the_store_told():
    file = StoredFile.of("s3://bucket/a/b.tar", Status(7, 8), "etag")
    assert str(file) == "s3://bucket/a/b.tar"
    assert file.name == "b.tar"
    assert file.relative_to(Path("bucket")).as_posix() == "a/b.tar"
    assert file.exists()
    assert file.stat().st_size == 7
    assert file.stat().st_mtime_ns == 8
