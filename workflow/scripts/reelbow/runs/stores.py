"""What is in stores, S3 buckets and web servers, asked through Snakemake's plugins.

Once in a run: the jobs of a cluster read the workflow too, and have it from a record.
A plugin is imported for who gives an address, and knows by itself how to log in.
"""

import asyncio
import atexit
import contextlib
import email.utils
import fnmatch
import functools
import glob
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from reelbow.errors import ReelbowError
from reelbow.jobs.files import atomic_write
from reelbow.jobs.stored_files import NOT_FETCHED, Status, StoredFile
from reelbow.runs.plain_paths import SPECIAL

# Gives the provider of a plugin, by its name.
GetProvider = Callable[[str], Any]

# Seconds that a server may be silent.
TIMEOUT_S = 60

INSTALL = (
    "install what reads {} addresses: uv run --extra stores snakemake ..., or pip "
    "install snakemake-storage-plugin-{}"
)

# What libraries call a connection that ends too early, or comes to nothing.
CUT_OFF = {
    *("IncompleteRead", "IncompleteReadError", "ProtocolError", "ChunkedEncodingError"),
    *("ResponseStreamingError", "RetriesExceededError"),
}
UNREACHABLE = {
    *("EndpointConnectionError", "ConnectionError", "ConnectionClosedError"),
    *("ConnectionRefusedError", "ConnectionResetError", "SSLError", "HTTPClientError"),
    *("NameResolutionError", "InvalidEndpointURL"),
}


class StoreError(ReelbowError):
    """A store does not give what is asked of it; the sentence is for the user."""


def name_plugin(url: str) -> str:
    """Name the plugin of Snakemake that reads an address: s3 or http."""
    return "s3" if url.lower().startswith("s3:") else "http"


def check_url(url: str) -> None:
    """Raise `ReelbowError` if an address is none that could be read and be told.

    It stands in logs, databases and pages, and so must have no secret in it.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        # As of brackets without an end.
        raise ReelbowError("an address is none; write it as https://host/a") from None
    if "@" in parts.netloc:
        # Never shown: it is the password.
        raise ReelbowError(
            f"an address at {parts.netloc.rpartition('@')[2]} has a user or password "
            "in it; give it without, and log in by the file ~/.netrc, or for s3 by "
            "SNAKEMAKE_STORAGE_S3_ACCESS_KEY and ..._SECRET_KEY"
        )
    plugin = name_plugin(url)
    if plugin == "http" and (parts.query or parts.fragment):
        raise ReelbowError(
            f"an address at {parts.netloc} has a ? or # in it, behind which a key may "
            "be, and addresses stand in logs and databases; give one without, or "
            "download the file"
        )
    path = url.partition("://")[2].partition("/")[2]
    if not parts.netloc or not path or path.endswith("/"):
        raise ReelbowError(
            f"{url} names no file; give one, as s3://bucket/film.mkv or "
            "https://host/film.mkv, or of a bucket a glob, as s3://bucket/films/*.tar"
        )
    if plugin == "http" and "*" in path:
        raise ReelbowError(
            f"{url} is a glob, and web servers list no files; give each of its own"
        )
    if glob.has_magic(parts.netloc):
        raise ReelbowError(f"{url}: a bucket is named in full; write out its name")
    _check_name(url, signs="#")


def _check_name(url: str, signs: str) -> None:
    """Refuse the address of a file that the plugin would take for another one's."""
    path = url.partition("://")[2]
    odd = {"", ".", ".."} & {*path.split("/")} or {*signs} & {*path}
    if odd or SPECIAL.search(url):
        raise ReelbowError(
            f"{url} has ?, #, //, .., {{word}} or <word> in it, which Snakemake reads "
            "otherwise; rename it there"
        )


def check_results(settings: Any) -> None:
    """Raise `ReelbowError` if results go into a store and stay nowhere else.

    settings : Snakemake's own of stores
    """
    if settings.default_storage_provider and not settings.keep_storage_local:
        raise ReelbowError(
            "results in a store are also read here, by the next run and by you; give "
            "--keep-storage-local-copies as well"
        )


class Stores:
    """Finds the files that addresses stand for, each asked after once.

    Parameters
    ----------
    get_provider : gives the provider of a plugin of Snakemake; raises what it likes
    record : what the main process of this run has found, for its jobs; None: this is
        the main process
    """

    def __init__(self, get_provider: GetProvider, record: Path | None = None) -> None:
        self._get_provider = get_provider
        self._found: dict[str, list[Any]] = {}
        # Sentences, and whether they say that there is none.
        self._faults: dict[str, tuple[str, bool]] = {}
        self._guarded: dict[Any, Any] = {}
        if record is not None:
            # Where no disk is shared, there is none.
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                told = json.loads(record.read_text(encoding="utf-8"))
                self._found, self._faults = told["found"], told["faults"]

    def find(self, url: str) -> list[StoredFile]:
        """Find the files of an address or glob; of a glob there may be none.

        Raises
        ------
        ReelbowError
            If the address is none, or the plugin for it is not there.
        FileNotFoundError
            If there is no such file or bucket.
        StoreError
            If the store cannot be asked, or does not tell.
        """
        check_url(url)
        if url not in self._found and url not in self._faults:
            self._ask(url)
        if url in self._faults:
            sentence, missing = self._faults[url]
            raise FileNotFoundError(sentence) if missing else StoreError(sentence)
        return [
            StoredFile.of(name, Status(size, mtime_ns), version)
            for name, size, mtime_ns, version in self._found[url]
        ]

    def _ask(self, url: str) -> None:
        plugin = name_plugin(url)
        provider = self._load(plugin)
        try:
            if plugin == "s3":
                found = list(_ask_bucket(provider, url))
            else:
                found = [_ask_server(self.guard(provider.object(url)), url)]
        except Exception as error:
            self._faults[url] = explain(url, error), is_missing(error)
            return
        for name, *_ in found:
            _check_name(name, signs="?#")
        self._found[url] = found
        # Each film of a glob of videos is asked after again.
        self._found |= {each[0]: [each] for each in found}

    def guard(self, stored: Any) -> Any:
        """Make of a plugin's object one that fetches carefully, and asks no more."""
        # Which the plugin makes, whether or not anything is fetched.
        _tidy_at_the_end(stored.provider.local_prefix)
        plugin: Any = type(stored)
        if plugin not in self._guarded:
            careful = _CarefulAnswers if hasattr(plugin, "httpr") else _CarefulObject
            known = {"known": self._found}
            self._guarded[plugin] = type(plugin.__name__, (careful, plugin), known)
        # Snakemake makes further ones of its class in the same way.
        return self._guarded[plugin](
            query=stored.query,
            keep_local=stored.keep_local,
            retrieve=stored.retrieve,
            provider=stored.provider,
        )

    def keep(self, record: Path) -> None:
        """Keep what was found for the jobs of this run."""
        if self._found or self._faults:
            told = {"found": self._found, "faults": self._faults}
            with contextlib.suppress(OSError), atomic_write(record) as temporary:
                temporary.write_text(json.dumps(told), encoding="utf-8")

    def _load(self, plugin: str) -> Any:
        try:
            return self._get_provider(plugin)
        except Exception as error:
            # Snakemake's own exception, which jobs need not import.
            if type(error).__name__ != "InvalidPluginException":
                raise ReelbowError(f"{plugin}: {error}") from None
            how = INSTALL.format("s3://" if plugin == "s3" else "http(s)://", plugin)
            raise ReelbowError(
                f"Snakemake's plugin {plugin} is not there; {how}"
            ) from None


def _ask_bucket(provider: Any, url: str) -> Iterator[list[Any]]:
    """Ask for a file or a glob of a bucket."""
    bucket, _, key = url.partition("://")[2].partition("/")
    client = provider.s3c.meta.client
    if not glob.has_magic(key):
        about = client.head_object(Bucket=bucket, Key=key)
        yield _describe(url, about["ContentLength"], about)
        return
    fixed = re.split(r"[*?[]", key, maxsplit=1)[0]
    matches = re.compile(translate(key)).fullmatch
    # Below other folders is nothing that a glob of one folder means.
    one_folder = {"Delimiter": "/"} if "/" not in key[len(fixed) :] else {}
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=fixed, **one_folder
    )
    for page in pages:
        for about in page.get("Contents", []):
            if matches(about["Key"]) and not about["Key"].endswith("/"):
                name = f"s3://{bucket}/{about['Key']}"
                yield _describe(name, about["Size"], about)


def _describe(name: str, size: int, about: Any) -> list[Any]:
    mtime_ns = int(about["LastModified"].timestamp()) * 10**9
    return [name, size, mtime_ns, about.get("ETag", "").strip('"')]


def translate(pattern: str) -> str:
    """Write a glob as a regular expression: * ends at /, and ** goes below folders."""
    parts = []
    for part in re.split(r"(\*\*/|\*\*|\*|\?|\[[^]]+\])", pattern):
        known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
        if part.startswith("[") and len(part) > 2:
            parts.append(fnmatch.translate(part).removeprefix("(?s:").partition(")")[0])
        else:
            parts.append(known.get(part) or re.escape(part))
    return "".join(parts)


def _ask_server(stored: Any, url: str) -> list[Any]:
    """Ask a web server for a file."""
    with stored.httpr(verb="HEAD") as answer:
        answer.raise_for_status()
        headers = answer.headers
        size = int(headers.get("content-length") or 0)
        mtime_s = 0.0
        with contextlib.suppress(KeyError, ValueError, TypeError, OverflowError):
            changed = email.utils.parsedate_to_datetime(headers["last-modified"])
            mtime_s = changed.timestamp()
        version = headers.get("etag", "").strip('"')
    return [url, size, int(mtime_s) * 10**9, version]


def is_missing(error: BaseException) -> bool:
    """Whether an error says that a file or a bucket is not there."""
    return _find_code(error) in ("404", "410", "NoSuchKey", "NoSuchBucket", "NotFound")


def explain(url: str, error: BaseException) -> str:
    """Say in a sentence why a store does not give a file.

    Of the error nothing is told but its kind and number: who knows what is in it.
    """
    shown = f"s3://{urlsplit(url).netloc}" if name_plugin(url) == "s3" else url
    code, kinds = _find_code(error), {type(each).__name__ for each in _chain(error)}
    if is_missing(error):
        what = "no such bucket" if code == "NoSuchBucket" else "no such file"
        return f"{url}: {what}; correct its name, or bring it back"
    if kinds & {"NoCredentialsError", "PartialCredentialsError"}:
        return (
            f"{shown}: no credentials; set SNAKEMAKE_STORAGE_S3_ACCESS_KEY and "
            "SNAKEMAKE_STORAGE_S3_SECRET_KEY, or run aws configure"
        )
    if code in ("401", "403", "AccessDenied") or code.startswith(
        ("InvalidAccess", "Signature", "InvalidToken", "ExpiredToken")
    ):
        how = "the file ~/.netrc"
        if name_plugin(url) == "s3":
            how = "SNAKEMAKE_STORAGE_S3_ACCESS_KEY and ..._SECRET_KEY"
        return f"{url}: you may not read it ({code}); check {how}, or its permissions"
    if "Cannot store" in str(error):
        return f"{url}: is larger than the room that is left; make some"
    if kinds & CUT_OFF:
        return f"{url}: the connection was cut off before its end; run again"
    if kinds & UNREACHABLE or any("Timeout" in kind for kind in kinds):
        return (
            f"{url}: cannot be reached; check the network, the address and "
            "--storage-s3-endpoint-url"
            if name_plugin(url) == "s3"
            else f"{url}: cannot be reached; check the network and the address"
        )
    return f"{url}: cannot be fetched ({code or type(error).__name__}); try it again"


def _find_code(error: BaseException) -> str:
    """Find the code or number that a store gave; empty: none."""
    for each in _chain(error):
        answer = getattr(each, "response", None)
        if isinstance(answer, dict):
            return str(answer.get("Error", {}).get("Code", ""))
        if answer is not None and hasattr(answer, "status_code"):
            return str(answer.status_code)
    return ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    """List an error, and those that it came of or that are in it."""
    todo, seen = [error], set()
    while todo:
        each = todo.pop()
        if id(each) not in seen:
            seen.add(id(each))
            yield each
            inside = [*each.args, each.__cause__, each.__context__]
            inside += getattr(each, "exceptions", ())
            todo += [other for other in inside if isinstance(other, BaseException)]


class _CarefulObject:
    """A plugin's object of a file that is a user's, and one of many.

    What the run found out of it at its start holds: Snakemake would ask again for each
    file of each job, whenever one is done. One that is gone fails its own job.
    """

    known: Mapping[str, list[Any]]

    def __post_init__(self: Any) -> None:
        super().__post_init__()  # type: ignore[misc]
        # The plugin of S3 would ask for each file whether it is a folder.
        self._is_dir = False

    def _find(self: Any) -> list[Any] | None:
        found: list[Any] | None = self.known.get(self.query)
        return found and found[0]

    async def inventory(self: Any, cache: Any) -> None:
        """Look into no folder for what is known."""
        if not self._find():
            await super().inventory(cache)  # type: ignore[misc]

    def exists(self: Any) -> bool:
        """Say whether it is there."""
        return True if self._find() else super().exists()  # type: ignore[misc]

    def mtime(self: Any) -> float:
        """Say when it was changed: seconds."""
        found = self._find()
        return found[2] / 1e9 if found else super().mtime()  # type: ignore[misc, no-any-return]

    def size(self: Any) -> int:
        """Say how many bytes it has."""
        found = self._find()
        return found[1] if found else super().size()  # type: ignore[misc, no-any-return]

    async def managed_retrieve(self: Any) -> None:
        """Fetch a copy; beside others, and whole or not at all.

        Snakemake itself ends the run if one of the files cannot be fetched. Here the
        copy says why, and it is the job that reads it that fails.
        """
        copy: Path = self.local_path()
        part = copy.with_name(f".{os.getpid()}.part")
        part = part.with_suffix(f".{abs(hash(copy.name))}{part.suffix}")
        copy.parent.mkdir(parents=True, exist_ok=True)
        _tidy_at_the_end(copy.parent)
        try:
            await self.wait_for_free_space()
            self.set_local_path(part)
            await asyncio.to_thread(self.retrieve_object)
            part.replace(copy)
        except Exception as error:
            copy.write_bytes(NOT_FETCHED + explain(self.query, error).encode())
            # Older than any file: for the next job it is fetched again.
            os.utime(copy, (-1, -1))
        finally:
            self.set_local_path(None)
            part.unlink(missing_ok=True)

    async def managed_remove(self) -> None:
        """Leave the user's file where it is, whatever Snakemake thinks of it."""


@functools.cache
def _tidy_at_the_end(folder: Path) -> None:
    """Remove folders of copies with this process; Snakemake removes the copies."""

    def remove() -> None:
        # Up to one in which something is left.
        with contextlib.suppress(OSError):
            os.removedirs(folder)

    atexit.register(remove)


class _CarefulAnswers(_CarefulObject):
    """The same of a web server: the plugin waits for ever, and takes any answer."""

    @contextlib.contextmanager
    def httpr(self: Any, verb: str = "GET", stream: bool = False) -> Iterator[Any]:
        """Ask the server; a body is only read by who wants it."""
        import requests

        settings = self.provider.settings
        with requests.request(
            verb if settings.supports_head else "GET",
            self.query,
            stream=True,
            auth=settings.auth,
            allow_redirects=settings.allow_redirects,
            timeout=TIMEOUT_S,
        ) as answer:
            if verb == "GET":
                answer.raise_for_status()
            yield answer
