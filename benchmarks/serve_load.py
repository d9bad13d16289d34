"""The server of a results folder under load, beside Datasette and a pool of processes.

    uv run python benchmarks/search.py --palettes results/palettes.sqlite
    uv run --with datasette==0.65.5 python benchmarks/serve_load.py

The first makes the database of a million frames and its index. All three serve the same
files, one after the other; clients are threads of this process, each with a connection
that it keeps, and each asks again as soon as it is answered. CPU is that of the server
and of all processes it started. The pool is the classic way, behind the same HTTP
server as Reelbow's (pool_server.py), and once more without any: see "direct".
"""

import argparse
import json
import os
import socket
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "workflow" / "scripts"))

from machine import name_machine, write_between  # noqa: E402 (the path comes first)
from pool_server import LOOKUP, ask, start_pool  # noqa: E402

FIGURES = ROOT / "benchmarks" / "serve_load.json"
PAGE = ROOT / "docs" / "explorer.md"
CLIENTS = (1, 2, 6, 24)
SECONDS = 2.0
PORT = 8497
DIRECT = 3000
BOX = (
    "SELECT film_id, frame, color, share FROM palettes "
    "WHERE color >> 16 BETWEEN {} AND {} AND color >> 8 & 255 BETWEEN 0 AND 64 "
    "AND color & 255 BETWEEN 0 AND 64 ORDER BY share DESC LIMIT 50"
)
SERVERS = {"reelbow": "Reelbow", "pool": "pool of processes", "datasette": "Datasette"}
WORK = {
    "lookup": "a frame's palette",
    "search": "search by the index",
    "scan": "all colors gone through",
}


def main() -> None:
    """Print the table and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("million"))
    parser.add_argument("--redraw", action="store_true", help="measure nothing")
    given = parser.parse_args()
    if not given.redraw:
        text = json.dumps(measure_all(given.folder), indent=2)
        FIGURES.write_text(f"{text}\n", encoding="utf-8")
    table = render_table(json.loads(FIGURES.read_text(encoding="utf-8")))
    print(table)
    write_between(PAGE, "serve_load", table)


def name_command(server: str, folder: Path) -> list[str | Path]:
    """Give the command that starts a server."""
    database = folder / "palettes.sqlite"
    return {
        "reelbow": [ROOT / "serve.py", folder, "--port", str(PORT)],
        "pool": [ROOT / "benchmarks" / "pool_server.py", database, str(PORT)],
        "datasette": [
            *["-m", "datasette", ROOT / "config" / "datasette", "-i", database],
            *["--port", str(PORT)],
        ],
    }[server]


def name_path(
    server: str, work: str, random: np.random.Generator, films: list[str]
) -> str:
    """Name what is asked for next."""
    film, frame = films[random.integers(len(films))], int(random.integers(10_000))
    color, radius = f"{random.integers(1 << 24):06x}", float(random.uniform(0.02, 0.15))
    low = int(random.integers(100, 200))
    frame_query = urlencode({"film": film, "frame": frame})
    search = {"color": color, "radius": radius, "limit": 50}
    sql = urlencode({"sql": BOX.format(low, low + 40)})
    paths = {
        "lookup": f"/frame?{frame_query}",
        "search": f"/search?{urlencode(search)}",
        # Of Reelbow's all that is no lookup goes by the index, and this one all of it.
        "scan": f"/search?color={color}&radius=2&limit=50&together=1",
    }
    if server == "pool":
        paths["scan"] = f"/scan?{sql}"
    if server == "datasette":
        paths = {
            "lookup": f"/palettes/a_frame.json?_shape=array&{frame_query}",
            "scan": f"/palettes.json?_shape=array&{sql}",
        }
    return paths.get(work, "")


class Client(threading.Thread):
    """Asks again and again until the time is over."""

    def __init__(self, next_path: Callable[[], str], until: float) -> None:
        super().__init__()
        self.times: list[float] = []
        self.failed = 0
        self._next_path, self._until = next_path, until

    def run(self) -> None:
        """Ask; what is under way when the time is over is waited for."""
        with closing(socket.create_connection(("127.0.0.1", PORT))) as connection:
            while time.perf_counter() < self._until:
                request = f"GET {self._next_path()} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
                began = time.perf_counter()
                connection.sendall(request.encode())
                self.failed += not receive(connection).startswith(b"HTTP/1.1 200")
                self.times.append(time.perf_counter() - began)


def receive(connection: socket.socket) -> bytes:
    """Receive an answer that says how long it is, or that comes in chunks."""
    data = b""
    while b"\r\n\r\n" not in data:
        some = connection.recv(1 << 16)
        if not some:
            return b""
        data += some
    head = data.partition(b"\r\n\r\n")[0].lower()
    if b"content-length: " in head:
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        missing = len(head) + 4 + length - len(data)
        while missing > 0:
            some = connection.recv(1 << 16)
            missing -= len(some)
    else:
        while not data.endswith(b"0\r\n\r\n"):
            data += connection.recv(1 << 16)
    return data


def measure_all(folder: Path) -> dict[str, Any]:
    """Measure every server with every work and number of clients."""
    uri = f"{(folder / 'palettes.sqlite').resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        films = [film for (film,) in connection.execute("SELECT film FROM films")]
        (n_frames,) = connection.execute("SELECT sum(n_frames) FROM films").fetchone()
    rows = []
    for server in SERVERS:
        command = [sys.executable, *map(str, name_command(server, folder))]
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                wait_for_port()
                for work in WORK:
                    for n_clients in CLIENTS:
                        row = measure(server, work, n_clients, process.pid, films)
                        if row:
                            print(row, flush=True)
                            rows.append(row)
            finally:
                for each in psutil.Process(process.pid).children(recursive=True):
                    each.terminate()
                process.terminate()
    return {
        "machine": name_machine(),
        "frames": n_frames,
        "seconds": SECONDS,
        "direct_cpu_us": measure_direct(folder / "palettes.sqlite", films),
        "rows": rows,
    }


def wait_for_port() -> None:
    """Wait until a server is there."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", PORT)).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit("the server does not start")


def measure(
    server: str, work: str, n_clients: int, pid: int, films: list[str]
) -> dict[str, Any] | None:
    """Let clients ask for some seconds."""
    random = np.random.default_rng(n_clients)
    if not name_path(server, work, random, films):
        return None
    seeds = random.spawn(n_clients + 1)

    def start(seed: np.random.Generator, until: float) -> Client:
        return Client(lambda: name_path(server, work, seed, films), until)

    # What is read first.
    warm = start(seeds[-1], time.perf_counter() + 0.3)
    warm.start()
    warm.join()
    before, began = count_cpu_s(pid), time.perf_counter()
    clients = [start(seed, began + SECONDS) for seed in seeds[:-1]]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    wall_s, cpu_s = time.perf_counter() - began, count_cpu_s(pid) - before
    times = [each for client in clients for each in client.times]
    return {
        "server": server,
        "work": work,
        "clients": n_clients,
        "requests": len(times),
        "failed": sum(client.failed for client in clients),
        "per_s": len(times) / wall_s,
        "median_ms": statistics.median(times) * 1e3,
        "p99_ms": float(np.percentile(times, 99)) * 1e3,
        "cpu_ms": cpu_s / len(times) * 1e3,
    }


def count_cpu_s(pid: int) -> float:
    """Sum the CPU seconds of a process and all below it."""
    process = psutil.Process(pid)
    tree = [process, *process.children(recursive=True)]
    return sum(sum(each.cpu_times()[:2]) for each in tree)


def measure_direct(database: Path, films: list[str]) -> dict[str, float]:
    """Look up palettes without HTTP: by a connection of one's own, and by the pool."""
    random = np.random.default_rng(0)
    asked = [
        (films[random.integers(len(films))], int(random.integers(10_000)))
        for _ in range(DIRECT)
    ]
    uri = f"{database.resolve().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        began = count_cpu_s(os.getpid())
        for one in asked:
            connection.execute(LOOKUP, one).fetchall()
        own = count_cpu_s(os.getpid()) - began
    with start_pool(database) as pool:
        pool.apply(ask, (LOOKUP, asked[0]))
        began = count_cpu_s(os.getpid())
        for one in asked:
            pool.apply(ask, (LOOKUP, one))
        by_pool = count_cpu_s(os.getpid()) - began
    return {"own": own / DIRECT * 1e6, "pool": by_pool / DIRECT * 1e6}


def render_table(figures: dict[str, Any]) -> str:
    """Write the figures as Markdown."""
    lines = [
        f"{figures['machine']}; {figures['frames']:,} frames of 8 colors, "
        f"{figures['seconds']:g} s of each; "
        "`uv run --with datasette==0.65.5 python benchmarks/serve_load.py`",
        "",
        "| work | clients | server | requests a second | median ms | 99th percentile | "
        "CPU ms a request | failed |",
        "|---|---:|---|---:|---:|---:|---:|---:|",
    ]
    order = {name: place for place, name in enumerate(WORK)}
    rows = sorted(figures["rows"], key=lambda row: (order[row["work"]], row["clients"]))
    for row in rows:
        lines.append(
            f"| {WORK[row['work']]} | {row['clients']} | {SERVERS[row['server']]} | "
            f"{row['per_s']:,.4g} | {row['median_ms']:.2f} | {row['p99_ms']:.2f} | "
            f"{row['cpu_ms']:.3f} | {row['failed']} |"
        )
    direct = figures["direct_cpu_us"]
    lines += [
        "",
        f"Without HTTP a frame's palette takes {direct['own']:.0f} CPU µs by a "
        f"connection of one's own, and {direct['pool']:.0f} by the pool.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
