"""Hostile requests to the server of a results folder, for the fuzzer.

Each must be answered by 2xx or 4xx, or, if it is no request, by the end of the
connection; the server then still answers others, and tells nothing from outside the
folder.
"""

import functools
import random
import re
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SECRET = b"what lies outside"
FILMS = {"a": (12, 2), "b": (30, 1)}

PATHS = ["/", "/search", "/frame", "/films", "/names", "/index.html", "/base.css"]
PATHS += ["/b/explorer.html", "/b/previews/00000.jpg", "/b/barcodes/mean.png"]
PARTS = ["..", ".", "", "%2e%2e", "%2f", "%00", "\\", "~", "a", "b", "previews"]
PARTS += ["barcodes", "explorer.html", "mean.png", "secret.png", "out.png", "A" * 300]
PARTS += ["%ff", "%", "\u00fc", "b%0d%0aX: 1", "C:", "....", "%252e%252e", "*", "link"]
NAMES = ["color", "radius", "share", "limit", "together", "film", "frame", "x", ""]
VALUES = ["", "0", "1", "-1", "b", "..", "red", "%23ff0000", "ff0000", "nan", "inf"]
VALUES += [
    "1e999",
    "1e-320",
    "0x10",
    "9" * 15,
    "9" * 400,
    "%00",
    "%ff",
    "\u0663",
    "1_0",
]
VALUES += ["'; DROP TABLE films; --", "%ed%a0%80", "a" * 3000, "+", "&&", "=", "%F0%9F"]
VALUES += ["\u0130", "rgb(1,2,3)", "#fff", "oklab(nan 0 0)"]
HEADERS = ["Host: evil.example", "Host: 127.0.0.1:99999", "Host:", "Host: localhost"]
HEADERS += ["Range: bytes=0-", "Range: bytes=9-1", "Range: bytes=-0", "Range: x=1-2"]
HEADERS += ["Range: bytes=" + ",".join(f"{i}-{i}" for i in range(900))]
HEADERS += ["Range: bytes=99999999999999999999-", "Range: bytes=\u00b2-"]
HEADERS += ["If-Range: x", "If-None-Match: *", "If-Modified-Since: nonsense"]
HEADERS += ["Content-Length: 5", "Content-Length: -1", "Content-Length: 99999999999999"]
HEADERS += [
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: x, chunked",
    "Upgrade: h2c",
]
HEADERS += ["Connection: Upgrade", "Upgrade: websocket", "Expect: 100-continue"]
HEADERS += ["Sec-Fetch-Site: cross-site", "X: " + "y" * 9000, "Y: " + "z" * 20000]
HEADERS += [
    "Accept-Encoding: gzip;q=nan",
    "\u00fc: 1",
    " folded",
    ": empty",
    "X-Forwarded-For: x",
]
METHODS = ["GET"] * 6 + [
    "HEAD",
    "POST",
    "OPTIONS",
    "CONNECT",
    "TRACE",
    "get",
    "PRI",
    "",
]
VERSIONS = ["HTTP/1.1"] * 6 + ["HTTP/1.0", "HTTP/2.0", "HTTP/9.9", "", "HTTP/1.1\0"]


def make_requests(_: Path) -> "Iterator[Any]":
    """Make whole requests."""
    from fuzz import Seed

    for number, path in enumerate([*PATHS, "/search?color=%23ff0000&radius=0.2"]):
        told = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:8484\r\nAccept: */*\r\n\r\n"
        yield Seed(f"{number}.http", told.encode())
    yield Seed(
        "frame.http", b"GET /frame?film=b&frame=3 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    )


def mix(data: bytes, rng: random.Random) -> bytes:
    """Make another one of hostile parts, or leave it, and perhaps send two at once."""
    if rng.random() < 0.7:
        path = rng.choice(PATHS)
        if rng.random() < 0.6:
            path = "/" + "/".join(rng.choices(PARTS, k=rng.choice((1, 2, 3, 3, 9))))
        if rng.random() < 0.6:
            path = (
                rng.choice(("/search", "/frame", "/films", path))
                + "?"
                + "&".join(
                    f"{rng.choice(NAMES)}={rng.choice(VALUES)}"
                    for _ in range(rng.choice((1, 2, 2, 3, 5)))
                )
            )
        if rng.random() < 0.3:
            path = "/search?color=ff0000&" + path.partition("?")[2]
        host = ["Host: 127.0.0.1"] if rng.random() < 0.9 else []
        lines = [f"{rng.choice(METHODS)} {path} {rng.choice(VERSIONS)}", *host]
        lines += rng.sample(HEADERS, rng.choice((0, 0, 1, 1, 2, 4)))
        data = "\r\n".join([*lines, "", ""]).encode()
    return data + rng.choice((b"", b"", data, b"hello", rng.randbytes(9)))


@functools.cache
def start_server() -> int:
    """Serve results, with ways out of their folder, in a thread; return its port."""
    import numpy as np

    from corpora import index, make_corpus
    from reelbow.explorer.serve import serve
    from reelbow.shards.previews import PreviewWriter

    # For as long as the worker lives.
    base = Path(tempfile.mkdtemp(prefix="reelbow-fuzz-served-"))
    (base / "secret.png").write_bytes(SECRET)
    index(make_corpus(base / "results", FILMS))
    film = base / "results" / "b"
    for folder in ("previews", "barcodes"):
        (film / folder).mkdir(parents=True)
    (film / "explorer.html").write_text("a page")
    (film / "barcodes/mean.png").write_bytes(bytes(3000))
    (film / "barcodes/out.png").symlink_to(base / "secret.png")
    (base / "results/secret.png").symlink_to(base / "secret.png")
    (base / "results/link").symlink_to(base)
    with PreviewWriter(film / "previews/00000.jpg", height=16, quality=50) as writer:
        for frame in range(30):
            writer.add(np.zeros((16, 24, 3), np.uint8), frame)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    threading.Thread(
        target=serve, args=(base / "results",), kwargs={"port": port}, daemon=True
    ).start()
    for _ in range(100):
        try:
            assert ask(port, b"GET /films HTTP/1.0\r\nHost: localhost\r\n\r\n")
        except OSError:
            time.sleep(0.1)
        else:
            return port
    raise OSError("the server does not start")


def ask(port: int, request: bytes, silence_s: float = 5.0) -> bytes:
    """Send a request; read until the server ends it, or says no more for a while."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        try:
            connection.sendall(request)
            connection.settimeout(silence_s)
            while some := connection.recv(1 << 16):
                answer += some
                # Then the next ones of a connection come at once, or never.
                connection.settimeout(min(silence_s, 0.1))
        except (TimeoutError, ConnectionError):
            pass
    return answer


def run_request(path: Path) -> list[str]:
    """Send a request; tell by which statuses it was refused."""
    from reelbow.errors import ReelbowError

    port = start_server()
    request = path.read_bytes()
    is_whole = b"\r\n\r\n" in request
    answer = ask(port, request, 1.0 if is_whole else 0.1)
    assert SECRET not in answer, "it tells what lies outside of the folder"
    statuses = [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3})", answer)]
    # A search that takes too long is given up: 503.
    wrong = [status for status in statuses if status >= 500 and status != 503]
    assert not wrong, f"statuses {statuses} of {request[:300]!r}"
    still = ask(port, b"GET /films HTTP/1.0\r\nHost: localhost\r\n\r\n")
    assert b"200 OK" in still, f"answers no more after {request[:300]!r}"
    refusals = [f"refused by {status}" for status in statuses if status >= 400]
    if len(refusals) == len(statuses):
        raise ReelbowError(f"{path}: {refusals[0] if refusals else 'no request'}")
    return refusals
