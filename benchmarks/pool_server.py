"""The classic way, for serve_load.py: threads hand SQL to a pool of processes and wait.

It has the same HTTP server and the same framework as Reelbow's, with as many processes
as there are cores, each with a connection of its own.
"""

import json
import multiprocessing
import multiprocessing.pool
import os
import sqlite3
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "workflow" / "scripts"))

from reelbow.database.search import ColorSearch  # noqa: E402 (the path comes first)

LOOKUP = (
    "SELECT time_s, color, share FROM films JOIN frames USING (film_id) "
    "JOIN palettes USING (film_id, frame) WHERE film = ? AND frame = ? ORDER BY rank"
)
STATE: dict[str, Any] = {}


def start(database: Path) -> None:
    """Open what a process asks."""
    uri = f"{database.resolve().as_uri()}?mode=ro&immutable=1"
    STATE["connection"] = sqlite3.connect(uri, uri=True)
    STATE["search"] = ColorSearch.open(database)


def ask(sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
    """Run in a process of the pool: a query."""
    rows: list[Any] = STATE["connection"].execute(sql, values).fetchall()
    return rows


def search(color: str, radius: float, limit: int) -> list[Any]:
    """Run in a process of the pool: a search by the index."""
    return list(STATE["search"].find_frames(color, radius=radius, limit=limit))


def start_pool(database: Path) -> multiprocessing.pool.Pool:
    """Start as many processes as there are cores."""
    context = multiprocessing.get_context("spawn")
    return context.Pool(os.cpu_count(), start, (database,))


def main(database: Path, port: int) -> None:
    """Serve until the end."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    pool = start_pool(database)

    # No coroutines: each request is a thread's, which waits for the pool.
    def show_frame(request: Request) -> Response:
        query = request.query_params
        rows = pool.apply(ask, (LOOKUP, (query["film"], int(query["frame"]))))
        palette = [
            {"color": f"#{color:06x}", "share": share} for _, color, share in rows
        ]
        return answer({"time_s": rows[0][0], "palette": palette})

    def find(request: Request) -> Response:
        query = request.query_params
        wanted = (query["color"], float(query["radius"]), int(query["limit"]))
        return answer(pool.apply(search, wanted))

    def scan(request: Request) -> Response:
        return answer(pool.apply(ask, (request.query_params["sql"],)))

    def answer(content: Any) -> Response:
        return Response(json.dumps(content), media_type="application/json")

    routes = [Route("/frame", show_frame), Route("/search", find), Route("/scan", scan)]
    uvicorn.run(
        Starlette(routes=routes),
        host="127.0.0.1",
        port=port,
        lifespan="off",
        log_level="warning",
        access_log=False,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
