"""How large a film's page is, how fast it opens and moves, and what pages cost a film.

The film is Big Buck Bunny of ../shared/data: every second frame, which is as many as
two hours have at a frame a second; every frame; and those of it again until they are
about 20,000. Pages are opened from disk in Chromium (Debian's package), 1400x900
pixels, without a window. Milliseconds are those of the page's own thread for each step
of a pointer: its script, and all that it does (style, layout, painting).

    uv run python benchmarks/explorer.py

writes its tables to docs/explorer.md.
"""

import os
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from machine import name_machine, write_between
from measuring import Cost, Project, by_turns
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from reelbow.pictures.measure_names import MEASURES  # noqa: E402
from write_explorer import write_explorer  # noqa: E402 (the path comes first)

PAGE = ROOT / "docs" / "explorer.md"
SHARED = ROOT.parent / "shared" / "data"
FILM = SHARED / "bbb_full_384x216_25fps_h264.mp4"
CLIP = SHARED / "tears_of_steel_battle_800x332_24fps_vp8.webm"
CHROMIUM = "chromium"

# Every nth frame; and of the last film how many of its shards come twice.
FILMS = {"7,456": (2, 0), "14,911": (1, 0), "19,711": (1, 8)}
STEPS = 100
RUNS = 5


def make_film(every: int, folder: Path) -> Path:
    """Run the workflow on the film; give the folder of its results."""
    Project(folder).run(
        "--cores",
        str(os.cpu_count()),
        "--config",
        f"films={FILM}",
        f"sampling={{mode: frames, every: {every}}}",
        "barcodes={kinds: []}",
    )
    return folder / "results" / FILM.stem


def repeat(film: Path, n_shards: int) -> None:
    """Let the film's first shards follow its end once more, and make its page anew."""
    database = film / "palettes.sqlite"
    with closing(sqlite3.connect(database)) as connection, connection:
        (n, end_s) = connection.execute(
            "SELECT n_frames, duration_s FROM films"
        ).fetchone()
        shards = [f"{number:05d}" for number in range(n_shards)]
        some = ", ".join(f"'{shard}'" for shard in shards)
        connection.execute(
            f"""INSERT INTO palettes SELECT film_id, frame + {n}, rank, color, share,
            accent FROM palettes WHERE frame IN
            (SELECT frame FROM frames WHERE shard IN ({some}))"""
        )
        connection.execute(
            f"""INSERT INTO frames SELECT film_id, frame + {n}, time_s + {end_s}, name,
            'again' || shard, mean_color, luma, strip, {", ".join(MEASURES)} FROM frames
            WHERE shard IN ({some})"""
        )
        connection.execute("UPDATE films SET n_frames = (SELECT count(*) FROM frames)")
    for shard in shards:
        sheet = film / "previews" / f"{shard}.jpg"
        shutil.copy(sheet, sheet.with_stem(f"again{shard}"))
    write_explorer(
        database,
        sorted((film / "previews").glob("*.jpg")),
        film / "explorer.html",
        None,
        showing={"kind": "stacked", "gap_color": "#d9d9d9"},
        films_at="source",
        source="film.mp4",
    )


def time_page(path: Path, page: Page) -> dict[str, float]:
    """Open a page, and move about in it as people do."""
    began = time.perf_counter()
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready]")
    opened_s = time.perf_counter() - began
    page.wait_for_timeout(500)
    box = page.locator(".over").bounding_box()
    assert box is not None
    x, y = box["x"] + 0.6 * box["width"], box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    mouse = page.mouse

    def zoom(step: int) -> None:
        mouse.wheel(0, -100 if step < STEPS / 2 else 80)

    zoomed = time_steps(page, zoom)
    mouse.down()
    panned = time_steps(page, lambda step: mouse.move(x - 4 * step, y))
    mouse.up()
    hovered = time_steps(page, lambda step: mouse.move(x - 4 * step, y + 1))
    return {
        "opened_s": opened_s,
        "move_ms": max(zoomed["all"], panned["all"]),
        "longest_ms": max(zoomed["longest"], panned["longest"]),
        "hover_script_ms": hovered["script"],
        "hover_longest_ms": hovered["longest"],
    }


def time_steps(page: Page, step: Callable[[int], None]) -> dict[str, float]:
    """Take steps; give ms a step of the page's thread, and its longest of script."""
    page.evaluate(
        """() => {
            window.longest = 0;
            if (window.isTimed) return;
            window.isTimed = true;
            const request = window.requestAnimationFrame.bind(window);
            window.requestAnimationFrame = (draw) => request((now) => {
                const began = performance.now();
                draw(now);
                window.longest = Math.max(window.longest, performance.now() - began);
            });
        }"""
    )
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable")

    def read() -> dict[str, float]:
        metrics: list[dict[str, Any]] = devtools.send("Performance.getMetrics")[
            "metrics"
        ]
        return {each["name"]: each["value"] for each in metrics}

    before = read()
    for number in range(STEPS):
        step(number)
        # One step for each frame of the screen.
        page.wait_for_timeout(20)
    after = read()
    return {
        "script": 1000 * (after["ScriptDuration"] - before["ScriptDuration"]) / STEPS,
        "all": 1000 * (after["TaskDuration"] - before["TaskDuration"]) / STEPS,
        "longest": page.evaluate("longest"),
    }


def time_runs() -> dict[str, dict[str, float]]:
    """Measure a clip's whole run without pages, with them, and both with previews."""

    def run(pages: bool, previews: bool) -> Callable[[], Cost]:
        def step() -> Cost:
            with tempfile.TemporaryDirectory() as folder:
                cost, _ = Project(Path(folder) / "project").run(
                    "--cores",
                    "1",
                    "--config",
                    f"films={CLIP}",
                    f"explorer={{page: {str(pages).lower()}}}",
                    f"previews={{height: {72 if previews else 'null'}}}",
                )
            return cost

        return step

    # Compiled before it is measured.
    run(True, True)()
    return by_turns(
        RUNS,
        neither=run(False, False),
        previews=run(False, True),
        pages=run(True, True),
    )


def main() -> None:
    """Measure, and write the tables."""
    program = shutil.which(CHROMIUM)
    if program is None or not FILM.exists():
        sys.exit(f"explorer.py needs {CHROMIUM} (apt) and {FILM}.")
    rows = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        film = Path()
        for name, (every, n_shards) in FILMS.items():
            if n_shards:
                repeat(film, n_shards)
            else:
                film = make_film(every, Path(folder) / str(every))
            megabytes = (film / "explorer.html").stat().st_size / 1e6
            runs = []
            for _ in range(RUNS):
                context = browser.new_context(viewport={"width": 1400, "height": 900})
                runs.append(time_page(film / "explorer.html", context.new_page()))
                context.close()
            at = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
            rows.append(
                f"| {name} | {megabytes:.1f} | {at['opened_s']:.2f} | "
                f"{at['move_ms']:.1f} | {at['longest_ms']:.1f} | "
                f"{at['hover_script_ms']:.1f} | {at['hover_longest_ms']:.1f} |"
            )
            print(rows[-1], flush=True)
        browser.close()
    costs = time_runs()
    lines = [
        f"{name_machine()}; `uv run python benchmarks/explorer.py`, medians of {RUNS}.",
        "",
        "| frames | MB | opens in s | pan or zoom, ms a step | longest script, ms | "
        "script of a hover, ms | longest, ms |",
        "|---:|---:|---:|---:|---:|---:|---:|",
        *rows,
        "",
        "| whole run of a clip of 70 s, on one core | CPU s | s |",
        "|---|---:|---:|",
        *(
            f"| {title} | {costs[name]['cpu_s']:.2f} | {costs[name]['wall_s']:.2f} |"
            for name, title in {
                "neither": "without previews and pages",
                "previews": "with previews",
                "pages": "with previews, its page and that of all films",
            }.items()
        ),
    ]
    print("\n".join(lines))
    write_between(PAGE, "pages", "\n".join(lines))


if __name__ == "__main__":
    main()
