"""Files in stores, S3 buckets and web servers: their addresses, and copies of them.

Snakemake fetches a copy for the jobs that read it. For them it is a path like any
other, but in plans, databases and sentences it has its address.
"""

import re
from pathlib import Path, PosixPath
from typing import NamedTuple

from reelbow.errors import ReelbowError

URL = re.compile(r"(s3|https?)://", re.IGNORECASE)

# What a copy begins with that could not be fetched; then follows why.
NOT_FETCHED = b"Reelbow could not fetch this file.\n"
MOST_BYTES = 2000


def is_url(source: str) -> bool:
    """Whether a source lies in a store, and not on this machine."""
    return URL.match(source) is not None


class _AddressedPath(PosixPath):
    """A path that is shown as the address of what it is a copy of."""

    url: str | None = None

    def __str__(self) -> str:
        return self.url or super().__str__()

    def __fspath__(self) -> str:
        return super().__str__()


class LocalCopy(_AddressedPath):
    """A copy of a stored file, here for a job; it is opened like any path."""

    @classmethod
    def of(cls, path: str | Path, url: str) -> "LocalCopy":
        """Name a copy, there or not, by its address."""
        copy = cls(path)
        copy.url = url
        return copy

    def check(self) -> None:
        """Raise `ReelbowError` if it could not be fetched."""
        if not self.exists():
            raise ReelbowError(f"{self}: was not fetched; run again")
        with self.open("rb") as stream:
            start = stream.read(MOST_BYTES)
        if start.startswith(NOT_FETCHED):
            raise ReelbowError(start.removeprefix(NOT_FETCHED).decode())


class Status(NamedTuple):
    """What a store tells of a file, by the names of `os.stat_result`."""

    st_size: int
    st_mtime_ns: int


class StoredFile(_AddressedPath):
    """A file in a store, as far as the run itself asks for it: it opens none.

    As a path it has the names of its bucket or server, folders and file.
    """

    status = Status(0, 0)
    # Another one with other content; empty: the store tells none.
    version = ""

    @classmethod
    def of(cls, url: str, status: Status, version: str) -> "StoredFile":
        """Name a file by its address, with what the store tells of it."""
        file = cls(URL.sub("", url))
        file.url, file.status, file.version = url, status, version
        return file

    def stat(self, **_: bool) -> Status:  # type: ignore[override]
        """Return its size and time."""
        return self.status

    def exists(self, **_: bool) -> bool:
        """Say that it is there, since the store told of it."""
        return True
