"""Serves a results folder to this machine alone: frames by color, over all films.

Only reads, only what is in the folder, only on 127.0.0.1, and no page of another origin
gets at it.
"""

import argparse
import asyncio
import functools
import json
import re
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from reelbow.color.names import describe_names
from reelbow.database.search import (
    ColorSearch,
    FoundFrame,
    TooLongError,
)
from reelbow.errors import ReelbowError
from reelbow.explorer.open_results import OpenResults

HERE = Path(__file__).parent
HOST = "127.0.0.1"
PORT = 8484

# Searches at once: several take turns at Python's lock, which costs more than it gains.
# A frame's palette is found by the thread that takes requests.
SEARCHING = 1
MOST_S = 5.0
MOST_FRAMES = 500

# Of all that a request has; browsers send less than 2 KiB to here.
MOST_BYTES = 16 << 10

# Files of its own, and which of the results' it gives; with their media types.
OWN_FILES = {
    "/": ("search_page.html", "text/html"),
    "/base.css": ("base.css", "text/css"),
    "/colors.js": ("colors.js", "text/javascript"),
    "/names.js": ("names.js", "text/javascript"),
    "/text.js": ("text.js", "text/javascript"),
    "/search_page.css": ("search_page.css", "text/css"),
    "/search_page.js": ("search_page.js", "text/javascript"),
}
FOLDERS = {
    # WebP: of films of earlier versions.
    "previews": {".jpg": "image/jpeg", ".webp": "image/webp", ".vtt": "text/vtt"},
    "barcodes": {
        ".png": "image/png",
        ".svg": "image/svg+xml",
        ".pdf": "application/pdf",
    },
}

# What nobody may do with what is sent: run foreign code, load from elsewhere, frame it.
STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# Pages of films are of one file each; they forbid more by themselves.
OF_PAGES = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self'; "
    # A film's page opens that of a second one.
    "frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
# A drawing on its own may have styles, and nothing else.
OF_DRAWINGS = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-cache"),
]

ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Any, Send], Awaitable[None]]


class RequestError(ReelbowError):
    """A request that is refused; its status says how."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


def make_app(results: OpenResults) -> App:
    """Make the application that answers requests for a results folder."""
    server = _Server(results)
    routes = [
        Route("/search", server.search),
        Route("/frame", server.show_frame),
        Route("/films", server.list_films),
        Route("/names", server.list_names),
        Route("/index.html", server.send_index),
        Route("/{film}/explorer.html", server.send_page),
        Route("/{film}/{folder}/{name}", server.send_file),
        *(Route(path, server.send_own) for path in OWN_FILES),
    ]
    app = Starlette(
        routes=routes, exception_handlers={ReelbowError: _tell, 404: _tell_missing}
    )
    app.router.redirect_slashes = False
    return _guard(app)


def _guard(app: App) -> App:
    """Refuse what is not asked by a page of this server, and add headers to answers."""
    own = re.compile(rb"(127\.0\.0\.1|localhost)(:\d+)?")

    async def guarded(scope: Scope, receive: Any, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        # A foreign name that leads here would make a foreign page one of ours.
        if not own.fullmatch(headers.get(b"host", b"")):
            refusal = _json({"error": "this server is 127.0.0.1 alone"}, 403)
        elif headers.get(b"sec-fetch-site", b"none") == b"cross-site" and (
            headers.get(b"sec-fetch-mode") != b"navigate"
        ):
            refusal = _json({"error": "this is not for pages of others"}, 403)
        elif scope["method"] not in ("GET", "HEAD"):
            refusal = _json({"error": "this server only reads"}, 405)
        else:
            refusal = None

        async def send_with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                given = message["headers"]
                message["headers"] = [*given, *HEADERS]
                if not any(name == b"content-security-policy" for name, _ in given):
                    policy = (b"content-security-policy", STRICT.encode())
                    message["headers"].append(policy)
            await send(message)

        await (refusal or app)(scope, receive, send_with_headers)

    return guarded


class _Server:
    """What answers requests; each method one kind of them."""

    def __init__(self, results: OpenResults) -> None:
        self._results = results
        self._threads = ThreadPoolExecutor(SEARCHING, thread_name_prefix="search")

    async def search(self, request: Request) -> Response:
        """Find frames by a color, in a thread: it may take a while."""
        wanted = _read_search(request)
        loop = asyncio.get_running_loop()
        found = functools.partial(self._search, wanted)
        return _json(await loop.run_in_executor(self._threads, found))

    def _search(self, wanted: dict[str, Any]) -> dict[str, Any]:
        with self._results.borrow() as search:
            try:
                found = search.find_frames(**wanted, most_s=MOST_S)
            except TooLongError as error:
                raise RequestError(str(error), 503) from None
            films = {each.film for each in found}
            paged = {film for film in films if self._results.has_page(film)}
            return {
                "frames": [
                    self._describe(search, each, has_page=each.film in paged)
                    for each in found
                ],
                "outdated": self._results.fault,
            }

    def _describe(
        self, search: ColorSearch, found: FoundFrame, *, has_page: bool
    ) -> dict[str, Any]:
        preview = self._results.find_preview(
            search, found.film, found.shard, found.frame
        )
        return {
            "film": found.film,
            "title": found.title,
            "frame": found.frame,
            "time_s": found.time_s,
            "color": f"#{found.color:06x}",
            "share": found.share,
            "distance": found.distance,
            "preview": preview._asdict() if preview else None,
            "page": has_page,
        }

    async def show_frame(self, request: Request) -> Response:
        """Give a frame's palette."""
        query = _read_query(request, "film", "frame")
        film, frame = _need(query, "film"), _read_whole("frame", _need(query, "frame"))
        with self._results.borrow() as search:
            found = search.read_frame(film, frame)
        if found is None:
            raise RequestError(f"film {film!r} has no frame {frame}", 404)
        time_s, palette = found
        return _json(
            {
                "film": film,
                "frame": frame,
                "time_s": time_s,
                "palette": [
                    {"color": f"#{color:06x}", "share": share}
                    for color, share in palette
                ],
            }
        )

    async def list_films(self, request: Request) -> Response:
        """List the films: id, title, frames, length, and whether they have a page."""
        _read_query(request)
        with self._results.borrow() as search:
            films = search.list_films()
        rows = [
            {**film, "page": self._results.has_page(film["film"])} for film in films
        ]
        return _json({"films": rows, "outdated": self._results.fault})

    async def list_names(self, request: Request) -> Response:
        """List the names of colors."""
        _read_query(request)
        return _json(describe_names())

    async def send_own(self, request: Request) -> Response:
        """Send a file of the search page."""
        name, kind = OWN_FILES[request.url.path]
        return FileResponse(HERE / name, media_type=kind)

    async def send_index(self, request: Request) -> Response:
        """Send the page of all films."""
        return self._send("text/html", OF_PAGES, "index.html")

    async def send_page(self, request: Request) -> Response:
        """Send a film's page."""
        film = request.path_params["film"]
        return self._send("text/html", OF_PAGES, self._check(film), "explorer.html")

    async def send_file(self, request: Request) -> Response:
        """Send a sheet of previews or a barcode of a film."""
        film, folder, name = request.path_params.values()
        kind = FOLDERS.get(folder, {}).get(Path(name).suffix)
        if kind is None:
            raise RequestError("there is no such file", 404)
        policy = OF_DRAWINGS if folder == "barcodes" else STRICT
        return self._send(kind, policy, self._check(film), folder, name)

    def _check(self, film: str) -> str:
        """Take a film: no other folders are looked into.

        One that the database of all films leaves out has a page of its own.
        """
        with self._results.borrow() as search:
            if film in search.films or self._results.has_page(film):
                return film
        raise RequestError("there is no such film", 404)

    def _send(self, kind: str, policy: str, *parts: str) -> Response:
        path = self._results.find_file(*parts)
        if path is None or any(part.startswith(".") for part in parts):
            raise RequestError("there is no such file", 404)
        headers = {"content-security-policy": policy}
        return FileResponse(path, media_type=kind, headers=headers)


def _json(content: Any, status: int = 200) -> Response:
    return Response(ENCODE(content), status, media_type="application/json")


async def _tell(request: Request, error: Exception) -> Response:
    return _json({"error": str(error)}, getattr(error, "status", 400))


async def _tell_missing(request: Request, error: Exception) -> Response:
    return _json({"error": "there is no such page"}, 404)


def _read_query(request: Request, *names: str) -> dict[str, str]:
    """Take the parameters of a request; an unknown or doubled one is refused."""
    text = request.scope["query_string"].decode("latin-1")
    given = parse_qsl(text, keep_blank_values=True)
    query = dict(given)
    for name in query:
        if name not in names:
            wanted = f"it takes {', '.join(names)}" if names else "it takes none"
            raise RequestError(f"{name!r} is no parameter of this; {wanted}")
    if len(query) < len(given):
        raise RequestError("a parameter is there twice; give it once")
    return query


def _need(query: dict[str, str], name: str) -> str:
    if name not in query:
        raise RequestError(f"{name} is missing; give ?{name}=")
    return query[name]


def _read_whole(name: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise RequestError(f"{name} must be a whole number, 0 or more, not {text!r}.")
    return int(text)


def _read_number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise RequestError(f"{name} must be a number, not {text!r}.") from None


def _read_search(request: Request) -> dict[str, Any]:
    """Take what a search is for; what it does not say is as `find_frames` has it."""
    names = ("color", "radius", "share", "limit", "together")
    query = _read_query(request, *names)
    wanted: dict[str, Any] = {"color": _need(query, "color")}
    if "radius" in query:
        wanted["radius"] = _read_number("radius", query["radius"])
    if "share" in query:
        wanted["least_share"] = _read_number("share", query["share"])
    if "limit" in query:
        wanted["limit"] = _read_whole("limit", query["limit"])
        if wanted["limit"] > MOST_FRAMES:
            raise RequestError(f"limit must be 1 to {MOST_FRAMES}, not more.")
    if "together" in query:
        if query["together"] not in ("0", "1"):
            raise RequestError("together must be 0 or 1.")
        wanted["together"] = query["together"] == "1"
    return wanted


class _LimitedProtocol(HttpToolsProtocol):
    """HTTP of which a request is no longer than `MOST_BYTES`."""

    _taken = 0

    def data_received(self, data: bytes) -> None:
        self._taken += len(data)
        if self._taken > MOST_BYTES:
            self.transport.write(
                b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
                b"content-length: 0\r\nconnection: close\r\n\r\n"
            )
            self.transport.close()
            return
        super().data_received(data)

    def on_message_complete(self) -> None:
        self._taken = 0
        super().on_message_complete()


def serve(folder: Path, *, port: int) -> None:
    """Serve a results folder until Ctrl-C.

    port : on 127.0.0.1; 0: any that is free

    Raises
    ------
    ReelbowError
        If the folder has no databases, or the port is taken.
    """
    results = OpenResults(folder, n_threads=SEARCHING + 1)
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        # Who reads that it is there may come at once.
        listening.listen()
    except OSError as error:
        raise ReelbowError(
            f"port {port} cannot be used ({error.strerror}); give another one by --port"
        ) from None
    port = listening.getsockname()[1]
    print(f"Reelbow: {folder} is at http://{HOST}:{port}/ - Ctrl-C ends it", flush=True)
    config = uvicorn.Config(
        make_app(results),
        http=_LimitedProtocol,
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
    try:
        uvicorn.Server(config).run(sockets=[listening])
    except KeyboardInterrupt:
        pass
    finally:
        results.close()


def main(arguments: list[str] | None = None) -> None:
    """Serve what the command line says."""
    parser = argparse.ArgumentParser(
        description="Search the films of a results folder by color, in a browser."
    )
    parser.add_argument("results", type=Path, nargs="?", default=Path("results"))
    parser.add_argument("--port", type=int, default=PORT, help="on 127.0.0.1")
    given = parser.parse_args(arguments)
    try:
        serve(given.results, port=given.port)
    except ReelbowError as error:
        parser.exit(1, f"Reelbow: {error}\n")
