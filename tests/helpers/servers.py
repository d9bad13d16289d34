"""The server of a results folder as its users start it, and requests as bytes."""

import contextlib
import http.client
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass
class Answer:
    """An answer: its status, headers by small names, and body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Server:
    """A server that runs."""

    port: int
    process: subprocess.Popen

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        connection: http.client.HTTPConnection | None = None,
        **headers: str,
    ) -> Answer:
        """Ask for a path, which is sent as it is."""
        own = connection or self.connect()
        names = {name.replace("_", "-"): text for name, text in headers.items()}
        try:
            own.request(method, path, headers=names)
            answer = own.getresponse()
            told = {name.lower(): text for name, text in answer.getheaders()}
            return Answer(answer.status, told, answer.read())
        finally:
            if connection is None:
                own.close()


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[Server]:
    """Serve a folder on a free port."""
    command = [sys.executable, ROOT / "serve.py", folder, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            told = process.stdout.readline()
            (port,) = re.findall(r"http://127\.0\.0\.1:(\d+)/", told)
            yield Server(int(port), process)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)
