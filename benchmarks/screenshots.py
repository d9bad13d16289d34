"""Pictures of the pages for the documents, made of the demo film in Chromium.

    uv run python benchmarks/screenshots.py

writes docs/explorer.png, docs/explorer_search.png and docs/explorer_films.png.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from measuring import ROOT, Project
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

DOCS = ROOT / "docs"
CHROMIUM = "chromium"
SAMPLING = "sampling={every: 0.1}"
SHOTS = "shots={detector: adaptive}"

# Stretches of the demo film, each as if it were a film of its own.
PARTS = {
    "Dawn": (2, 9),
    "The pagoda": (8, 22),
    "Dahlias": (21, 38),
    "Interval": (36, 46),
    "Red, then blue": (45, 58),
    "All of it": (0, 60),
}


def take(
    browser: Browser, page: Path, state: str, name: str, *, dark: bool = False
) -> None:
    """Take a picture of a page in a state, as small a PNG as it can be."""
    context = browser.new_context(
        viewport={"width": 1200, "height": 700},
        color_scheme="dark" if dark else "light",
    )
    opened = context.new_page()
    opened.goto(f"{page.as_uri()}#{state}")
    opened.wait_for_timeout(2000)
    path = DOCS / name
    opened.screenshot(path=path, full_page=True)
    context.close()
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    small.save(path, optimize=True)
    print(path.relative_to(ROOT), path.stat().st_size)


def main() -> None:
    """Make the films, and take the pictures."""
    program = shutil.which(CHROMIUM)
    if program is None:
        sys.exit(f"screenshots.py needs {CHROMIUM}; install it by apt.")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        project = Project(Path(name) / "demo")
        project.run("--cores", "2", "--config", SAMPLING, SHOTS)
        results = project.folder / "results"
        page = results / "demo" / "explorer.html"
        take(browser, page, "t=17.2&order=track&held=1", "explorer.png")
        searched = (
            "t=30&order=track&color=d98832&tolerance=0.08&share=10&stretch=260-370-0"
        )
        take(browser, page, searched, "explorer_search.png", dark=True)
        rows = ["film\tsource\ttitle\tstart_s\tend_s"]
        for number, (title, (start_s, end_s)) in enumerate(PARTS.items()):
            rows.append(f"part{number}\tfilm.mp4\t{title}\t{start_s}\t{end_s}")
        (project.folder / "parts.tsv").write_text("\n".join(rows) + "\n")
        shutil.copy(results / "demo" / "film.mp4", project.folder / "film.mp4")
        shutil.rmtree(results)
        project.run("--cores", "2", "--config", "films=parts.tsv", SAMPLING)
        take(browser, results / "index.html", "", "explorer_films.png")
        browser.close()


if __name__ == "__main__":
    main()
