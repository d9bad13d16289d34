"""Search by color over a million frames: times and sizes, beside a scan.

    uv run python benchmarks/search.py --palettes results/palettes.sqlite

The palettes are those of some real films, of which a million frames are made (see
many_frames.py). The scan is of a box in sRGB, since SQLite knows no OKLab: that is as
fast as it goes through all colors, and Python's distance would take ten times as long.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "workflow" / "scripts"))

from machine import name_machine, write_between  # noqa: E402 (the path comes first)
from many_frames import make_database  # noqa: E402

from reelbow.database.color_index import write_index  # noqa: E402
from reelbow.database.opening import connect  # noqa: E402
from reelbow.database.search import ColorSearch  # noqa: E402

FIGURES = ROOT / "benchmarks" / "search.json"
PAGE = ROOT / "docs" / "explorer.md"
SEARCHES = 1000
TOGETHER = 100
SCANS = 3
RADII = (0.02, 0.15)


def main() -> None:
    """Print the table and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--palettes", type=Path, help="of real films")
    parser.add_argument("--folder", type=Path, default=Path("million"))
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--redraw", action="store_true", help="measure nothing")
    given = parser.parse_args()
    if not given.redraw:
        database = prepare(given.palettes, given.folder, given.frames)
        text = json.dumps(measure(database, given.frames), indent=2)
        FIGURES.write_text(f"{text}\n", encoding="utf-8")
    table = render_table(json.loads(FIGURES.read_text(encoding="utf-8")))
    print(table)
    write_between(PAGE, "search", table)


def prepare(palettes: Path | None, folder: Path, n_frames: int) -> Path:
    """Make the database, unless it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    database = folder / "palettes.sqlite"
    if not database.exists():
        if palettes is None:
            raise SystemExit("give the database of some real films by --palettes")
        make_database(palettes, database, n_frames)
    return database


def measure(database: Path, n_frames: int) -> dict[str, Any]:
    """Measure the index, searches of random colors, radii and shares, and scans."""
    index = database.with_name("colors.sqlite")
    index.unlink(missing_ok=True)
    began = time.process_time()
    write_index(database, index)
    index_s = time.process_time() - began
    random = np.random.default_rng(1)
    with closing(connect(database)) as connection:
        n_colors, film_id = connection.execute(
            "SELECT count(*), max(film_id) FROM palettes"
        ).fetchone()
        # Half of the colors are such as films have, half any.
        rows = connection.execute(
            "SELECT color FROM palettes WHERE film_id = ?", (film_id // 2 + 1,)
        ).fetchall()
        scans = measure_scans(connection)
    there = [color for (color,) in rows]

    def draw() -> dict[str, Any]:
        any_color = int(random.integers(1 << 24))
        color = (
            there[random.integers(len(there))] if random.random() < 0.5 else any_color
        )
        return {
            "color": int(color),
            "radius": float(random.uniform(*RADII)),
            "least_share": float(random.choice([0.0, random.uniform(0, 0.6)])),
        }

    search = ColorSearch.open(database)
    asked = [draw() for _ in range(SEARCHES)]
    together = [draw() for _ in range(TOGETHER)]
    for one in asked[:20]:
        search.find_frames(**one)
    times = take_times(asked, lambda one: search.find_frames(**one, limit=50))
    sums = take_times(
        together, lambda one: search.find_frames(**one, limit=50, together=True)
    )
    search.close()
    began = time.perf_counter()
    ColorSearch.open(database).close()
    return {
        "machine": name_machine(),
        "frames": n_frames,
        "colors": n_colors,
        "database_mb": database.stat().st_size / 1e6,
        "index_mb": index.stat().st_size / 1e6,
        "index_cpu_s": index_s,
        "open_ms": (time.perf_counter() - began) * 1e3,
        "top 50": summarize(times),
        "top 50, colors together": summarize(sums),
        **scans,
    }


def take_times(asked: list[dict[str, Any]], ask: Callable[..., Any]) -> list[float]:
    """Give the milliseconds of each."""
    times = []
    for one in asked:
        began = time.perf_counter()
        ask(one)
        times.append((time.perf_counter() - began) * 1e3)
    return times


def summarize(times: list[float]) -> dict[str, float]:
    """Give median, 95th percentile and the longest."""
    return {
        "n": len(times),
        "median_ms": statistics.median(times),
        "p95_ms": float(np.percentile(times, 95)),
        "most_ms": max(times),
    }


def measure_scans(connection: Any) -> dict[str, Any]:
    """Go through all colors: with a box in sRGB, which only C looks at."""
    sql = (
        "SELECT film_id, frame, color, share FROM palettes "
        "WHERE color >> 16 BETWEEN 160 AND 224 AND color >> 8 & 255 BETWEEN 0 AND 64 "
        "AND color & 255 BETWEEN 0 AND 64 AND share >= 0.1 ORDER BY share DESC LIMIT 50"
    )
    summed = (
        "SELECT film_id, frame, sum(share) AS s FROM palettes "
        "WHERE color >> 16 BETWEEN 160 AND 224 AND color >> 8 & 255 BETWEEN 0 AND 64 "
        "AND color & 255 BETWEEN 0 AND 64 GROUP BY film_id, frame HAVING s >= 0.1 "
        "ORDER BY s DESC LIMIT 50"
    )
    ask = lambda one: connection.execute(one).fetchall()  # noqa: E731 (a name for it)
    return {
        "scan of a box": summarize(take_times([sql] * SCANS, ask)),
        "scan of a box, summed": summarize(take_times([summed] * SCANS, ask)),
    }


def render_table(figures: dict[str, Any]) -> str:
    """Write the figures as Markdown."""
    lines = [
        f"{figures['machine']}; {figures['frames']:,} frames with "
        f"{figures['colors']:,} colors; `uv run python benchmarks/search.py`",
        "",
        "| search | times | median ms | 95th percentile | longest |",
        "|---|---:|---:|---:|---:|",
    ]
    names = {
        "top 50": "top 50, with the index",
        "top 50, colors together": "top 50, near colors together, with the index",
        "scan of a box": "top 50 of a box in sRGB, a scan by SQLite",
        "scan of a box, summed": "the same, near colors together",
    }
    for key, name in names.items():
        row = figures[key]
        lines.append(
            f"| {name} | {row['n']:,} | {row['median_ms']:.1f} | {row['p95_ms']:.1f} | "
            f"{row['most_ms']:.1f} |"
        )
    part = figures["index_mb"] / figures["database_mb"]
    index_s, open_ms = figures["index_cpu_s"], figures["open_ms"]
    lines += [
        "",
        f"The database has {figures['database_mb']:,.0f} MB, the index "
        f"{figures['index_mb']:,.0f} MB ({part:.0%}). To make it takes "
        f"{index_s:.0f} CPU s, to open both {open_ms:.0f} ms.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
