"""What is asked of stores and told of them, without one; runs are in tests/workflow."""

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from reelbow.errors import ReelbowError
from reelbow.jobs.stored_files import NOT_FETCHED
from reelbow.runs.films import read_films
from reelbow.runs.source_states import find_states
from reelbow.runs.stores import StoreError, Stores, explain, translate

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


class ClientError(Exception):
    """As botocore has it."""

    def __init__(self, code: str) -> None:
        super().__init__(f"An error occurred ({code})")
        self.response = {"Error": {"Code": code}}


def make_error(name: str, *inside: Exception) -> Exception:
    return type(name, (Exception,), {})("what is in it is not told", *inside)


class Bucket:
    """As much of a provider as is asked of, with its files and their sizes."""

    def __init__(self, files: dict[str, int], error: Exception | None = None) -> None:
        self.files, self.error, self.asked = files, error, []
        self.s3c = SimpleNamespace(meta=SimpleNamespace(client=self))

    def describe(self, key: str) -> dict[str, object]:
        return {"LastModified": NOON, "ETag": f'"{key}-{self.files[key]}"'}

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, object]:
        self.asked.append(Key)
        if self.error or Key not in self.files:
            raise self.error or ClientError("404")
        return {"ContentLength": self.files[Key], **self.describe(Key)}

    def get_paginator(self, name: str) -> "Bucket":
        assert name == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str, Delimiter: str = ""):
        self.asked.append(Prefix)
        if self.error:
            raise self.error
        for key, size in self.files.items():
            if key.startswith(Prefix):
                yield {"Contents": [{"Key": key, "Size": size, **self.describe(key)}]}


def find_films(bucket: Bucket, *films: str, **how: object):
    return read_films(list(films), find_stored=Stores(lambda name: bucket).find, **how)


def test_a_glob_of_tarballs_is_a_film_of_shards():
    bucket = Bucket({"t/10.tar": 3, "t/9.tar": 2, "t/x.txt": 1, "t/a/1.tar": 1})
    (film,) = find_films(bucket, "s3://b/t/*.tar")
    assert film.film == "t"
    assert film.source == "s3://b/t/*.tar"
    assert list(map(str, film.files)) == ["s3://b/t/9.tar", "s3://b/t/10.tar"]
    assert film.shards == ["9", "10"]
    assert bucket.asked == ["t/"]
    (film,) = find_films(bucket, "s3://b/**/*.tar")
    assert film.shards == ["t-9", "t-10", "t-a-1"]


def test_a_glob_of_videos_is_a_film_of_each_and_asked_after_once():
    bucket = Bucket({"v/b.mkv": 3, "v/a.mp4": 2})
    films = find_films(bucket, "s3://b/v/*")
    assert [film.film for film in films] == ["a", "b"]
    assert [film.source for film in films] == ["s3://b/v/a.mp4", "s3://b/v/b.mkv"]
    assert bucket.asked == ["v/"]


def test_a_name_that_the_plugin_would_take_for_another_is_refused():
    with pytest.raises(ReelbowError, match=r"^s3://b/t/a\?b.tar has \?, #, "):
        find_films(Bucket({"t/a?b.tar": 1, "t/a": 1}), "s3://b/t/*.tar")


def test_jobs_have_it_from_the_record(tmp_path):
    bucket, record = Bucket({"t/1.tar": 3}), tmp_path / "stored.json"
    stores = Stores(lambda name: bucket)
    found = stores.find("s3://b/t/*.tar")
    stores.keep(record)
    jobs = Stores(lambda name: pytest.fail("asked again"), record)
    assert list(map(str, jobs.find("s3://b/t/*.tar"))) == list(map(str, found))
    assert jobs.find("s3://b/t/1.tar")[0].stat().st_size == 3
    # And what it could not have; else each would wait for the network again.
    for error, kind in [
        (ClientError("404"), FileNotFoundError),
        (make_error("ConnectTimeoutError"), StoreError),
    ]:
        stores = Stores(lambda name, error=error: Bucket({}, error))
        with pytest.raises(kind) as first:
            stores.find("s3://b/a.mkv")
        stores.keep(record)
        jobs = Stores(lambda name: pytest.fail("asked again"), record)
        with pytest.raises(kind, match=re.escape(str(first.value))):
            jobs.find("s3://b/a.mkv")
    # Where no disk is shared.
    assert Stores(lambda name: bucket, tmp_path / "no").find("s3://b/t/*.tar")


def test_who_has_no_address_leaves_no_record_and_asks_for_no_plugin(tmp_path):
    stores = Stores(lambda name: pytest.fail("asked for a plugin"))
    Path(tmp_path / "a.mp4").write_bytes(b"film")
    read_films([str(tmp_path / "a.mp4")], find_stored=stores.find)
    stores.keep(tmp_path / "stored.json")
    assert not (tmp_path / "stored.json").exists()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://me:secret@host/a.mkv", "at host has a user or password in it"),
        ("s3://AKIA:secret@bucket/a.mkv", "log in by the file ~/.netrc, or for s3"),
        ("https://host/a.mkv?sig=secret", "at host has a ? or # in it"),
        ("https://host/*.mkv", "web servers list no files"),
        ("s3://bucket", "names no file"),
        ("s3://bucket/films/", "names no file; give one, as s3://bucket/film.mkv"),
        ("s3:///a.mkv", "names no file"),
        ("s3://b*/a.mkv", "a bucket is named in full"),
        ("s3://b/{film}.mkv", "rename it"),
        ("s3://b/../a.mkv", "rename it"),
        ("s3://b//a.mkv", "rename it"),
        ("s3://b/a#1.mkv", "rename it"),
        ("https://[::1/a.mkv", "an address is none"),
    ],
)
def test_an_address_that_cannot_be_read_or_told_is_refused(url, words, tmp_path):
    sheet = tmp_path / "films.tsv"
    sheet.write_text(f"film\tsource\na\t{url}\n")
    for films in ([url], str(sheet)):
        with pytest.raises(ReelbowError, match=re.escape(words)) as error:
            read_films(films, find_stored=Stores(pytest.fail).find)
        assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ClientError("404"), "s3://b/a.tar: no such file"),
        (ClientError("NoSuchBucket"), "s3://b/a.tar: no such bucket"),
        (ClientError("403"), "you may not read it (403); check SNAKEMAKE_STORAGE_S3"),
        (ClientError("InvalidAccessKeyId"), "you may not read it (InvalidAccessKeyId)"),
        (make_error("NoCredentialsError"), "s3://b: no credentials; set SNAKEMAKE_"),
        (make_error("EndpointConnectionError"), "cannot be reached; check the network"),
        (make_error("ReadTimeoutError"), "cannot be reached"),
        (make_error("WorkflowError", make_error("IncompleteRead")), "was cut off"),
        (ClientError("SlowDown"), "cannot be fetched (SlowDown); try it again"),
        (make_error("Surprise"), "cannot be fetched (Surprise); try it again"),
    ],
)
def test_each_failure_is_a_sentence_that_tells_nothing_secret(error, words):
    sentence = explain("s3://b/a.tar", error)
    assert words in sentence
    assert "what is in it" not in sentence


def test_of_a_server_its_status_is_told():
    error = make_error("HTTPError")
    error.response = SimpleNamespace(status_code=403)
    sentence = explain("https://host/a.mkv", error)
    assert "you may not read it (403); check the file ~/.netrc" in sentence


@pytest.mark.parametrize(
    ("glob", "matched", "other"),
    [
        ("a/*.tar", "a/1.tar", "a/b/1.tar"),
        ("a/**/*.tar", "a/1.tar", "b/1.tar"),
        ("a/**/*.tar", "a/b/c/1.tar", "a/b/c/1.txt"),
        ("?.tar", "1.tar", "10.tar"),
        ("[12].tar", "2.tar", "3.tar"),
        ("[!12].tar", "3.tar", "2.tar"),
        ("a+(b).tar*", "a+(b).tar.gz", "aab.tar"),
    ],
)
def test_globs_mean_what_they_mean_on_disk(glob, matched, other):
    pattern = re.compile(translate(glob))
    assert pattern.fullmatch(matched)
    assert not pattern.fullmatch(other)


def test_a_film_alone_that_cannot_be_had_is_refused():
    with pytest.raises(ReelbowError, match=r"s3://b/a\.mkv: no such file"):
        find_films(Bucket({}), "s3://b/a.mkv")
    with pytest.raises(ReelbowError, match="you may not read it"):
        find_films(Bucket({}, ClientError("403")), "s3://b/a.mkv")
    with pytest.raises(ReelbowError, match="nothing matches 's3://b/t/"):
        find_films(Bucket({}), "s3://b/t/*.tar")


def test_of_several_the_one_that_cannot_be_had_fails_in_its_own_name():
    bucket = Bucket({"a.mkv": 1}, make_error("EndpointConnectionError"))
    films = find_films(bucket, "s3://b/a.mkv", "s3://b/c.mkv")
    assert [film.files for film in films] == [[], []]
    assert "cannot be reached" in films[0].fault


def test_photos_of_a_store_are_refused():
    with pytest.raises(ReelbowError, match="pack them into tarballs"):
        find_films(Bucket({"p/a.jpg": 1}), "s3://b/p/*.jpg")


def test_without_the_plugin_it_is_said_how_to_get_it():
    def get_provider(name):
        raise make_error("InvalidPluginException")

    with pytest.raises(ReelbowError, match="uv run --extra stores snakemake") as error:
        read_films(["s3://b/a.mkv"], find_stored=Stores(get_provider).find)
    assert not isinstance(error.value, StoreError)


def test_a_file_that_was_replaced_has_the_version_that_the_store_tells(tmp_path):
    def look(before, size):
        films = find_films(Bucket({"t/1.tar": size}), "s3://b/t/*.tar")
        return find_states(films, tmp_path, before)

    made = tmp_path / "t/palettes/1.sqlite"
    made.parent.mkdir(parents=True)
    made.write_bytes(b"newer than the file")
    first = look({}, 5)
    assert first["t"]["s3://b/t/1.tar"].state == ""
    second = look(first, 6)
    assert second["t"]["s3://b/t/1.tar"].state == "t/1.tar-6"
    assert look(second, 6) == second


class Plugin:
    """A plugin's object, as far as it is called."""

    def __init__(self, query, keep_local, retrieve, provider):
        self.query, self.keep_local, self.retrieve = query, keep_local, retrieve
        self.provider, self.own = provider, None
        self.__post_init__()

    def __post_init__(self):
        pass

    def local_path(self):
        return self.own or Path("copies/a.tar")

    def set_local_path(self, path):
        self.own = path

    async def wait_for_free_space(self):
        pass

    def retrieve_object(self):
        self.local_path().write_bytes(b"half")
        if self.provider.error:
            raise self.provider.error

    def exists(self):
        raise AssertionError("asked again")

    async def managed_remove(self):
        raise AssertionError("removed")


@pytest.mark.parametrize("error", [None, make_error("IncompleteRead")])
def test_a_copy_is_whole_or_says_why_it_is_none(error, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stores = Stores(lambda name: Bucket({"a.tar": 4}))
    stores.find("s3://b/a.tar")
    provider = SimpleNamespace(local_prefix=tmp_path / "copies", error=error)
    stored = stores.guard(Plugin("s3://b/a.tar", False, True, provider))
    asyncio.run(stored.managed_retrieve())
    (copy,) = Path("copies").iterdir()
    assert copy.name == "a.tar"
    if error:
        assert copy.read_bytes().startswith(NOT_FETCHED + b"s3://b/a.tar: the conn")
        # For the next job Snakemake fetches it again.
        assert copy.stat().st_mtime < stored.mtime()
    else:
        assert copy.read_bytes() == b"half"
    assert stored.exists()
    assert stored.size() == 4
    asyncio.run(stored.managed_remove())
