"""A server of S3 and a web server in this process, which fail as they are told to."""

import base64
import contextlib
import importlib.util
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

PLUGINS = ["snakemake_storage_plugin_s3", "snakemake_storage_plugin_http", "moto"]
if not all(map(importlib.util.find_spec, PLUGINS)) and not os.environ.get(
    "REELBOW_NEEDS_STORES"
):
    pytest.skip(
        "wants plugins: uv run --extra stores --group store-tests pytest",
        allow_module_level=True,
    )

import boto3  # noqa: E402
from moto.moto_server.werkzeug_app import (  # noqa: E402
    DomainDispatcherApplication,
    create_backend_app,
)
from werkzeug.serving import (  # noqa: E402
    WSGIRequestHandler,
    make_server,
    make_ssl_devcert,
)

KEY, SECRET = "AKIAREELBOW", "not-to-be-told-anywhere"


@dataclass
class Store:
    """A server that runs."""

    url: str
    # (method, path, query) of each request.
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    # Of a path: seconds to wait, bytes after which it is cut off, a status instead.
    slow: dict[str, float] = field(default_factory=dict)
    cut: dict[str, int] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What a user has set to read from it."""
        return {
            "SNAKEMAKE_STORAGE_S3_ENDPOINT_URL": self.url,
            "SNAKEMAKE_STORAGE_S3_ACCESS_KEY": KEY,
            "SNAKEMAKE_STORAGE_S3_SECRET_KEY": SECRET,
        }

    def make_bucket(self, name: str) -> Any:
        """Make a bucket, as a user's own tool sees it."""
        connection = boto3.resource(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
        )
        return connection.create_bucket(Bucket=name)


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Say nothing."""


@contextlib.contextmanager
def serve(app: Callable[..., Any], certificate: Path | None = None) -> Iterator[Store]:
    """Run a WSGI application at a free port, with faults.

    certificate : where that of a server with TLS is to be; None: it has none
    """

    def faulty(environ: dict[str, Any], start_response: Any) -> Any:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        store.asked.append((method, path, environ["QUERY_STRING"]))
        if path in store.refused:
            start_response(store.refused[path], [("Content-Length", "0")])
            return []
        body = app(environ, start_response)
        if method != "GET":
            return body
        time.sleep(store.slow.get(path, 0))
        if path in store.cut:
            return [b"".join(body)[: store.cut[path]]]
        return body

    tls = None
    if certificate:
        public, key = make_ssl_devcert(str(certificate.with_suffix("")), "localhost")
        assert public == str(certificate)
        tls = (public, key)
    server = make_server(
        *("127.0.0.1", 0, faulty),
        threaded=True,
        request_handler=_Quiet,
        ssl_context=tls,
    )
    scheme = "https://localhost" if certificate else "http://127.0.0.1"
    store = Store(f"{scheme}:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield store
    finally:
        store.slow.clear()
        server.shutdown()
        thread.join()
        server.server_close()


def serve_s3() -> contextlib.AbstractContextManager[Store]:
    """Run a server of S3."""
    return serve(DomainDispatcherApplication(create_backend_app))


def serve_files(
    files: dict[str, bytes], certificate: Path, login: str
) -> contextlib.AbstractContextManager[Store]:
    """Run a web server of files, by their paths, with TLS, for who logs in.

    login : user:password
    """
    basic = f"Basic {base64.b64encode(login.encode()).decode()}"

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        data = files.get(environ["PATH_INFO"])
        if environ.get("HTTP_AUTHORIZATION") != basic:
            start_response("401 UNAUTHORIZED", [("Content-Length", "0")])
            return []
        if data is None:
            start_response("404 NOT FOUND", [("Content-Length", "0")])
            return []
        start_response(
            "200 OK",
            [
                ("Content-Length", str(len(data))),
                ("Last-Modified", "Mon, 02 Nov 2026 10:00:00 GMT"),
            ],
        )
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [data]

    return serve(app, certificate)
