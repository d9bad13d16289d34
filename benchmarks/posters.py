"""Posters: the pictures of docs/posters.md, and how long one takes to be drawn again.

The film is run once. Then its database is made as long as that of a film of two hours,
of which a frame is taken every second, by repeating its frames. Of this an A2 poster
is drawn again and again, each time with another background, by turns with
`snakemake --version`.

    uv run python benchmarks/posters.py

The film is in ../shared/data. Everything but the figures is made in a temporary folder.
"""

import argparse
import itertools
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from machine import name_machine, write_between
from measuring import ROOT, Cost, Project, by_turns
from PIL import Image

FILM = ROOT.parent / "shared" / "data" / "bbb_full_384x216_25fps_h264.mp4"
PAGE = ROOT / "docs" / "posters.md"
TWO_HOURS = 7200

SETTINGS = (
    f"films={FILM}",
    "title=Big Buck Bunny",
    "barcodes={kinds: [], formats: []}",
    "previews={height: null}",
    "explorer={page: false}",
    "search={index: false}",
)
CREDITS = "credits: '© 2008 Blender Foundation, peach.blender.org, CC BY 3.0'"
SHOWN = (
    f"{{wall: {{size: A3, dpi: 72, {CREDITS}}}, "
    "black: {size: A3, orientation: portrait, dpi: 72, kind: stacked, "
    f"background: black, {CREDITS}}}, "
    "column: {size: 85mm, dpi: 200}}"
)

# Pixels across and down in the document, at most.
LARGEST = (640, 640)

TOLD = {"version": "`snakemake --version`"}


def draw(project: Project, posters: str, *files: str) -> Cost:
    """Run the workflow with some posters."""
    cost, _ = project.run(
        *("--cores", "1", "--config", *SETTINGS, f"posters={posters}"),
        *("--quiet", "all", "--", *files),
    )
    return cost


def lengthen(database: Path, n_frames: int) -> None:
    """Repeat a film's frames and palettes until there are so many frames."""
    with closing(sqlite3.connect(database)) as connection, connection:
        (n,) = connection.execute("SELECT max(frame) + 1 FROM frames").fetchone()
        for table in ("frames", "palettes"):
            names = [
                row[1] for row in connection.execute(f"PRAGMA table_info({table})")
            ]
            values = ", ".join(
                {"frame": "frame + :by", "time_s": "time_s + :by"}.get(name, name)
                for name in names
            )
            for by in range(n, n_frames, n):
                connection.execute(
                    f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} "
                    f"FROM {table} WHERE frame < min(:n, :most - :by)",
                    {"by": by, "n": n, "most": n_frames},
                )


def main() -> None:
    """Draw what is shown, measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only-pictures", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder) / "project")
        names = [
            f"results/{FILM.stem}/posters/{name}.png"
            for name in ("wall", "black", "column")
        ]
        draw(project, SHOWN, *names)
        for name in names:
            with Image.open(project.folder / name) as image:
                image.thumbnail(LARGEST, Image.Resampling.LANCZOS)
                image.quantize(128).save(
                    ROOT / "docs" / f"poster_{Path(name).name}", optimize=True
                )
        if asked.only_pictures:
            return
        lengthen(project.folder / f"results/{FILM.stem}/palettes.sqlite", TWO_HOURS)
        numbers = itertools.count()

        def redraw(kind: str) -> Cost:
            about = (
                f"{{wall: {{kind: {kind}, background: '#ffff{next(numbers):02x}'}}}}"
            )
            return draw(project, about, names[0])

        costs = by_turns(
            asked.runs,
            version=lambda: project.run("--version")[0],
            mean=lambda: redraw("mean"),
            strip=lambda: redraw("strip"),
            stacked=lambda: redraw("stacked"),
        )
    least = costs["version"]
    lines = [
        f"Seconds on {name_machine()}, the medians of {asked.runs}:",
        "",
        "| | seconds | times the first | CPU s | times the first | MiB |",
        "|---|---|---|---|---|---|",
        *(
            f"| {TOLD.get(name, f'`{name}`')} | "
            f"{cost['wall_s']:.1f} | {cost['wall_s'] / least['wall_s']:.1f} | "
            f"{cost['cpu_s']:.1f} | {cost['cpu_s'] / least['cpu_s']:.1f} | "
            f"{cost['peak_mb']:.0f} |"
            for name, cost in costs.items()
        ),
    ]
    write_between(PAGE, "posters.py", "\n".join(lines))


if __name__ == "__main__":
    main()
