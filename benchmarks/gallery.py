"""Draws docs/gallery.md, of films of ../shared/data, and what docs/pictures.md shows.

    uv run python benchmarks/gallery.py

How far the edges of shapes are off is told against 64 points in each pixel. With
`--side 2000`, only pictures of this side are written, and their time and memory told.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from machine import write_between
from measuring import ROOT, Project
from numpy.typing import NDArray

sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from reelbow.barcode import draw_barcode
from reelbow.barcode.contact import draw_contact
from reelbow.barcode.drawing import GAP_COLOR
from reelbow.barcode.film_record import read_film
from reelbow.barcode.picture_files import KINDS, save_bare
from reelbow.barcode.shapes import SHAPES, Shape, bend_strips
from reelbow.barcode.shot_marks import read_shot_marks
from reelbow.barcode.smoothing import smooth_in_time
from reelbow.shards.sheets import open_previews

DATA = ROOT.parent / "shared" / "data"
DOCS = ROOT / "docs"

# Of each film: its file, seconds from frame to frame, title, and whose it is.
BLENDER = "Blender Foundation, CC BY 3.0"
FILMS = {
    "bunny": (
        *("bbb_full_384x216_25fps_h264.mp4", 1.0, "Big Buck Bunny"),
        f"(c) 2008 {BLENDER}, peach.blender.org",
    ),
    "tears": (
        *("tears_of_steel_battle_800x332_24fps_vp8.webm", 0.25, "Tears of Steel"),
        f"70 seconds; (CC) {BLENDER}, mango.blender.org",
    ),
    "hand": (
        *("count_hand_640x480_VFR_h264.mp4", 0.25, "A hand that counts"),
        "a webcam; Apache-2.0",
    ),
    "city": (
        *("city_360p_30.006fps_h264_phone.mp4", 0.25, "A city"),
        "a phone; Apache-2.0",
    ),
    "nasa": (
        *("nasa_two_video_streams.mp4", 0.25, "NASA"),
        "a promotional video; public domain",
    ),
    "chaplin": (
        *("chaplin_pillarbox_640x360_25fps_h264.mp4", 0.25, "Charlie Chaplin"),
        "black and white, without the bars beside it; public domain",
    ),
    "friday": (
        *("his_girl_friday_640x480_30fps_h264.mp4", 0.25, "His Girl Friday"),
        "1940, one shot; public domain",
    ),
    "flower": (
        *("flower_960x540_29.97fps_h264.mp4", 0.25, "A flower"),
        "five seconds; MDN shared-assets",
    ),
}
GALLERY_KINDS = ("mean", "strip", "stacked")
GALLERY_LINE = (90, 980)

BENT = SHAPES[1:]
SIDE = 420
LINE = (90, 1300)
MARGIN = 20
CONTACT_WIDTH = 800

# Of the colors of a PNG of the documentation: a smaller file, not seen.
FEW_COLORS = 160

SMOOTH_S = 6.0

# Points of a pixel, across and down, that are compared with 8.
SAMPLES = (1, 2, 4)


def bend(pixels: NDArray[np.uint8], shape: Shape, samples: int) -> NDArray[np.uint8]:
    """Bend a barcode with so many points of a pixel, across and down."""
    return np.concatenate(list(bend_strips(pixels, shape, samples=samples)))


def save_small(picture: NDArray[np.uint8], path: Path) -> None:
    """Write a picture of the documentation."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).quantize(FEW_COLORS).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def draw_pictures(database: Path, folder: Path, minutes: float) -> None:
    """Draw one picture of all kinds, and one of all shapes."""
    height, width = LINE
    lines: list[NDArray[np.uint8]] = []
    for kind in KINDS:
        line = draw_barcode(database, kind, height=height, width=width, order="track")
        lines += [line, np.full((MARGIN // 2, width, 3), 255, np.uint8)]
    save_small(np.concatenate(lines[:-1]), folder / "pictures_kinds.png")
    shapes: list[NDArray[np.uint8]] = []
    for name, kind in zip(BENT, ("stacked", "mean", "strip"), strict=True):
        line = draw_barcode(database, kind, height=300, order="track")
        shape = Shape(name, side=SIDE, minutes=minutes)
        shapes += [
            np.concatenate(list(bend_strips(line, shape))),
            np.full((SIDE, MARGIN, 3), 255, np.uint8),
        ]
    save_small(np.concatenate(shapes[:-1], axis=1), folder / "pictures_shapes.png")


def draw_blended(database: Path, path: Path) -> None:
    """Draw barcodes as they are, blended within shots, and blended across cuts."""
    height, width = LINE
    film = read_film(database)
    shots = read_shot_marks(database, film)
    lines: list[NDArray[np.uint8]] = []
    for kind in ("mean", "stacked"):
        line = draw_barcode(database, kind, height=height, width=width, order="track")
        lines.append(line)
        for known in (shots, None):
            lines.append(
                smooth_in_time(line, SMOOTH_S, film, shots=known, gap_color=GAP_COLOR)
            )
    between = np.full((MARGIN // 2, width, 3), 255, np.uint8)
    parts = [part for line in lines for part in (line, between)]
    save_small(np.concatenate(parts[:-1]), path)


def draw_previews(database: Path, path: Path) -> None:
    """Draw a contact sheet; of a video previews are numbered as its frames are."""
    sheets = sorted((database.parent / "previews").glob("*.jpg"))
    contact = draw_contact(
        {sheet: open_previews(sheet) for sheet in sheets},
        read_film(database).frames,
        width=CONTACT_WIDTH,
        gap_color=GAP_COLOR,
    )
    save_small(contact.pixels, path)


def make_films(films: Iterable[str], folder: Path) -> dict[str, Path]:
    """Run the workflow on films; return the database of each."""
    databases = {}
    for film in films:
        file, every, title, _ = FILMS[film]
        project = Project(folder / film)
        settings = {
            "films": DATA / file,
            "title": title,
            "sampling": f"{{every: {every}}}",
        }
        project.run(
            *("--cores", "2", "--quiet", "all", "--config"),
            *(f"{key}={value}" for key, value in settings.items()),
            *("shots={detector: adaptive}", "explorer={page: false}"),
            *("barcodes={kinds: [mean]}", "search={index: false}"),
        )
        (database,) = project.folder.glob("results/*/palettes.sqlite")
        databases[film] = database
    return databases


def draw_gallery(databases: dict[str, Path]) -> None:
    """Draw a picture of each film, and write the page that shows them."""
    height, width = GALLERY_LINE
    between = MARGIN // 2
    lines = []
    for film, database in databases.items():
        record = read_film(database)
        bars: list[NDArray[np.uint8]] = []
        for kind in GALLERY_KINDS:
            bars += [
                draw_barcode(database, kind, height=height, width=width),
                np.full((between, width, 3), 255, np.uint8),
            ]
        column = np.concatenate(bars[:-1])
        line = draw_barcode(database, "stacked", height=300)
        shape = Shape("ring", side=len(column), minutes=record.minutes)
        ring = np.concatenate(list(bend_strips(line, shape)))
        space = np.full((len(column), MARGIN, 3), 255, np.uint8)
        path = DOCS / f"gallery_{film}.png"
        save_small(np.concatenate([column, space, ring], axis=1), path)
        _, every, title, owner = FILMS[film]
        frames = f"{len(record.frames)} frames, one every {every:g} s"
        lines.append(f"**{title}**, {frames}; {owner}.\n\n![{title}]({path.name})")
    write_between(DOCS / "gallery.md", "gallery", "\n\n".join(lines))


def measure_errors(database: Path, minutes: float) -> None:
    """Print how far pixels are off the average of 64 points."""
    print("| shape | points of a pixel | root mean square | largest |")
    print("|---|---|---|---|")
    line = draw_barcode(database, "stacked", height=300, order="track")
    for name in BENT:
        shape = Shape(name, side=SIDE, minutes=minutes)
        exact = bend(line, shape, 8).astype(np.float64)
        for samples in SAMPLES:
            apart = np.abs(bend(line, shape, samples) - exact)
            square = np.sqrt((apart**2).mean())
            print(f"| {name} | {samples**2} | {square:.2f} | {apart.max():.0f} |")
    print()


def measure_cost(database: Path, side: int, minutes: float) -> None:
    """Print what a picture of a side costs, and how much of it is memory for more."""
    print("| shape | side | CPU s | ns a pixel | MiB before | MiB at most | file, MB |")
    print("|---|---|---|---|---|---|---|")
    line = draw_barcode(database, "stacked", height=300, order="track")
    # What is imported and compiled at first is not counted.
    cv2.resize(line, (1, 1), interpolation=cv2.INTER_AREA)
    for name in BENT:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "shape.png"
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            start = time.process_time()
            save_bare(line, path, shape=Shape(name, side=side, minutes=minutes))
            cpu_s = time.process_time() - start
            most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            n_bytes = path.stat().st_size
        print(
            f"| {name} | {side:,} | {cpu_s:.1f} | {cpu_s / side**2 * 1e9:.0f} "
            f"| {before:.0f} | {most:.0f} | {n_bytes / 1e6:.1f} |",
            flush=True,
        )


def main() -> None:
    """Draw, or measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--side", type=int, help="measure pictures of this side alone")
    side = parser.parse_args().side
    with tempfile.TemporaryDirectory() as folder:
        databases = make_films(["bunny"] if side else FILMS, Path(folder))
        database = databases["bunny"]
        minutes = read_film(database).minutes
        if side:
            measure_cost(database, side, minutes)
            return
        draw_gallery(databases)
        draw_pictures(database, DOCS, minutes)
        draw_blended(database, DOCS / "pictures_blended.png")
        draw_previews(database, DOCS / "pictures_contact.png")
        measure_errors(database, minutes)


if __name__ == "__main__":
    main()
