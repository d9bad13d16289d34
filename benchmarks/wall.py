"""What the page of all films costs, and how fast it is in Chromium.

Databases of films that are made up: scenes of 2 to 40 frames, 8 colors a frame. Of a
thousand films there are but 30 different ones, under many names.

    uv run python benchmarks/wall.py

writes its table to docs/explorer.md.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from machine import name_machine, write_between
from measuring import Cost, measure
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))

from reelbow.color.spaces import LUMA_WEIGHTS, oklab_to_srgb  # noqa: E402 (the path comes first)
from reelbow.database.frames import add_frames  # noqa: E402
from reelbow.database.merging import merge_shards  # noqa: E402
from reelbow.database.opening import open_new  # noqa: E402
from reelbow.database.schema import ONLY_FILM, FilmRow  # noqa: E402
from reelbow.database.writing import add_film, add_shard, finish  # noqa: E402

DOCUMENT = ROOT / "docs" / "explorer.md"
N_COLORS = 8
N_DIFFERENT = 30
# Films, and frames of each.
CASES = ((1, 600), (30, 600), (1000, 600), (1, 7200))
RUNS = 3

WRITE = f"""
import sys
from pathlib import Path
sys.path.append({str(SCRIPTS)!r})
from reelbow.explorer.index_page import write_page
page = Path(sys.argv[1])
films = sorted(path.parent.name for path in page.parent.glob("*/palettes.sqlite"))
write_page(page, films, drawing={{"kind": "stacked"}}, code="")
"""

# Milliseconds until what changed is laid out.
STEPS = {
    "sort": "update({sort: 'hue'})",
    "text": "update({text: '7'}); update({text: ''})",
    "color": "update({color: '#204060', near: 0.1 + Math.random() / 100})",
}
TIME = "() => {{ const began = performance.now(); {}; document.body.offsetHeight; "
TIME += "return performance.now() - began; }}"


def make_film(folder: Path, n_frames: int, seed: int) -> None:
    """Write the database of a film that is made up."""
    dice = np.random.default_rng(seed)
    film = np.array([dice.uniform(0.25, 0.75), *dice.normal(0, 0.06, 2)])
    colors, shares = np.empty((n_frames, N_COLORS, 3)), np.empty((n_frames, N_COLORS))
    first = 0
    while first < n_frames:
        scene = slice(first, first := min(n_frames, first + int(dice.integers(2, 41))))
        n = scene.stop - scene.start
        means = film + dice.normal(0, [0.18, 0.05, 0.05], (N_COLORS, 3))
        lab = means + dice.normal(0, [0.02, 0.006, 0.006], (n, N_COLORS, 3))
        colors[scene] = oklab_to_srgb(lab).clip(0, 255)
        shares[scene] = dice.dirichlet(np.full(N_COLORS, 0.8), n)
    means = (colors * shares[..., np.newaxis]).sum(axis=1)
    name = f"film-{seed:02}"
    row = FilmRow(name, f"Film {seed}", "x", duration_s=float(n_frames))
    shard = folder / "00000.sqlite"
    folder.mkdir(parents=True)
    with open_new(shard) as connection:
        add_film(connection, ONLY_FILM, row)
        add_frames(
            connection,
            "00000",
            frames=np.arange(n_frames),
            times_s=np.arange(n_frames, dtype=float),
            names=[f"{frame:08}" for frame in range(n_frames)],
            mean_colors=means.astype(np.float32),
            lumas=means @ LUMA_WEIGHTS,
            strips=means[:, np.newaxis].astype(np.float32),
            colors=colors.astype(np.float32),
            shares=shares.astype(np.float32),
        )
        add_shard(connection, "00000", engine="none", version="0")
        finish(connection, {"settings": "{}"}, n_colors=N_COLORS)
    planned = {"00000": n_frames}
    merge_shards(
        {"00000": shard},
        folder / "palettes.sqlite",
        row=row,
        planned=planned,
        fps=None,
        n_colors=N_COLORS,
    )
    shard.unlink()


def make_results(folder: Path, n_films: int, n_frames: int) -> Path:
    """Make a results folder; return its page, which is to be made."""
    for number in range(n_films):
        film = folder / f"film-{number:04}"
        if number < N_DIFFERENT:
            make_film(film, n_frames, number)
        else:
            film.mkdir()
            same = folder / f"film-{number % N_DIFFERENT:04}" / "palettes.sqlite"
            (film / "palettes.sqlite").hardlink_to(same)
    return folder / "index.html"


def write(page: Path) -> Cost:
    """Write the page in a process of its own."""
    return measure([sys.executable, "-c", WRITE, page], page.parent)[0]


def use(browser_page: Page, page: Path) -> dict[str, float]:
    """Open the page, and time what is done on it: each the best of some runs."""
    found: dict[str, list[float]] = {name: [] for name in ("open", *STEPS)}
    for _ in range(RUNS):
        browser_page.goto("about:blank")
        browser_page.goto(page.as_uri())
        browser_page.wait_for_function("document.querySelector('img').naturalWidth > 0")
        entry = "performance.getEntriesByType('navigation')[0].loadEventEnd"
        found["open"].append(browser_page.evaluate(entry))
        for name, step in STEPS.items():
            found[name].append(browser_page.evaluate(TIME.format(step)))
    return {name: min(times) for name, times in found.items()}


def main() -> None:
    """Measure all cases and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--print-only", action="store_true")
    arguments = parser.parse_args()
    program = shutil.which("chromium")
    rows = []
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        browser_page = browser.new_page(viewport={"width": 1400, "height": 900})
        for n_films, n_frames in CASES:
            page = make_results(
                Path(temporary) / f"{n_films}_{n_frames}", n_films, n_frames
            )
            first, again = write(page), write(page)
            times = use(browser_page, page)
            rows.append(
                f"| {n_films:,} | {n_frames:,} | {first.cpu_s:.2f} | {again.cpu_s:.2f} "
                f"| {first.peak_mb:.0f} | {page.stat().st_size / 1e6:.2f} "
                f"| {times['open'] / 1000:.2f} | {times['sort']:.0f} "
                f"| {times['text']:.0f} | {times['color']:.0f} |"
            )
            print(rows[-1], flush=True)
        version = browser.version
        browser.close()
    table = [
        f"`uv run python benchmarks/wall.py` on {name_machine()}, Chromium {version}; "
        "stacked barcodes.",
        "",
        "| films | frames of each | first, CPU s | nothing changed, CPU s | peak MB "
        "| page, MB | opens in s | sorts in ms | filters by text in ms "
        "| and by color in ms |",
        f"|{'---:|' * 10}",
        *rows,
    ]
    if not arguments.print_only:
        write_between(DOCUMENT, "index_cost", "\n".join(table))


if __name__ == "__main__":
    main()
