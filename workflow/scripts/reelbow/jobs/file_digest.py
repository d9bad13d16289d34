"""Digests of files that tell films apart without reading all of them."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from reelbow.errors import PASSING

# Read are the first, the last and this many chunks between them, evenly spread.
CHUNK_BYTES = 64 << 10
CHUNKS_BETWEEN = 64

# Of each of many: its header, and the end of what is coded.
END_BYTES = 4096


def digest_file(path: Path) -> str:
    """Digest a file by its size and some of its bytes: SHA-256 of both.

    All of a file of less than 4 MiB is read. Of a larger one a change that leaves the
    size as it is may go unseen; what was coded or cut anew differs everywhere.

    Returns
    -------
    64 hexadecimal digits
    """
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    last = size - CHUNK_BYTES
    with path.open("rb") as stream:
        if size <= (CHUNKS_BETWEEN + 2) * CHUNK_BYTES:
            digest.update(stream.read())
        else:
            for number in range(CHUNKS_BETWEEN + 2):
                stream.seek(last * number // (CHUNKS_BETWEEN + 1))
                digest.update(stream.read(CHUNK_BYTES))
    return f"sha256/chunks:{digest.hexdigest()}"


def digest_files(paths: Iterable[Path], *, go_on: bool = False) -> str:
    """Digest many files, in their order, by their sizes and ends; not by their names.

    A file that cannot be read counts as empty.

    go_on : whether that is so, too, of one that can be read another time

    Returns
    -------
    64 hexadecimal digits

    Raises
    ------
    OSError
        If the disk is away or too many files are open, unless that is no matter.
    """
    digest = hashlib.sha256()
    for path in paths:
        size, ends = 0, b""
        try:
            with path.open("rb") as stream:
                size = os.fstat(stream.fileno()).st_size
                ends = stream.read(END_BYTES)
                stream.seek(max(0, size - END_BYTES))
                ends += stream.read(END_BYTES)
        except OSError as error:
            if error.errno in PASSING and not go_on:
                raise
        digest.update(f"{size}:{len(ends)}:".encode())
        digest.update(ends)
    return f"sha256/ends:{digest.hexdigest()}"
