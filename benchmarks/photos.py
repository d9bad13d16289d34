"""Photos: what planning many of them costs, and a picture of a film of photos.

10,000 photos of a camera, made here of one JPEG with a time of its own each, are
planned in either order, as files and in a ZIP; and the photographs of ../shared/data
are made a film, of which the palettes and the contact sheet are shown.

    uv run python benchmarks/photos.py

writes the table of docs/photos.md and draws docs/photos.png.
"""

import datetime
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from machine import name_machine, write_between
from measuring import ROOT, Project
from PIL import ExifTags, Image

sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from reelbow.sources.photos import make_plan

FOLDER = ROOT.parent / "shared" / "data" / "photos"
CAMERA = FOLDER / "prairie_falcon.jpg"
PAGE = ROOT / "docs" / "photos.md"
PICTURE = ROOT / "docs" / "photos.png"

N_PHOTOS = 10_000
FIRST = datetime.datetime(2024, 1, 1)
RUNS = 3

# Of the picture in the documentation.
WIDTH, BAND, GAP = 700, 120, 8
FEW_COLORS = 200


def make_photo(picture: bytes, own: Image.Exif, number: int) -> bytes:
    """Give a JPEG the Exif of a camera's, with a time of its own."""
    taken = FIRST + datetime.timedelta(seconds=number)
    directory = own.get_ifd(ExifTags.IFD.Exif)
    directory[ExifTags.Base.DateTimeOriginal] = taken.strftime("%Y:%m:%d %H:%M:%S")
    exif = own.tobytes()
    return picture[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2) + exif + picture[2:]


def make_photos(folder: Path) -> tuple[list[Path], Path]:
    """Write the photos, as files and in a ZIP."""
    with Image.open(CAMERA) as image:
        own = image.getexif()
    picture = CAMERA.read_bytes()
    # Without its own Exif: that is the first marker.
    picture = picture[:2] + picture[4 + int.from_bytes(picture[4:6]) :]
    archive = folder / "photos.zip"
    paths = []
    with zipfile.ZipFile(archive, "w") as packed:
        for number in range(N_PHOTOS):
            data = make_photo(picture, own, number)
            paths.append(folder / f"{number:05d}.jpg")
            paths[-1].write_bytes(data)
            packed.writestr(paths[-1].name, data)
    return paths, archive


def take_ms(do: Callable[[], Any]) -> float:
    """Take the CPU ms a photo, the least of some runs."""
    taken = []
    for _ in range(RUNS):
        began = time.process_time()
        do()
        taken.append(time.process_time() - began)
    return 1000 * min(taken) / N_PHOTOS


def measure(folder: Path) -> list[str]:
    """Plan the photos in each way."""
    paths, archive = make_photos(folder)
    how: dict[str, Any] = {"per_shard": 600, "crop": "auto", "max_pixels": 10**9}
    lines = [
        f"{N_PHOTOS:,} photos of {paths[0].stat().st_size / 1000:.0f} kB, on one core "
        f"({name_machine()}), the least of {RUNS} runs:",
        "",
        "| photos | order | CPU ms a photo |",
        "|---|---|---|",
    ]
    for name, files in [("files", paths), ("in a ZIP", [archive])]:
        for order in ("name", "time"):
            ms = take_ms(lambda: make_plan(files, order=order, **how))  # noqa: B023
            lines.append(f"| {name} | {order} | {ms:.3f} |")
    return lines


def draw_picture(folder: Path) -> None:
    """Make a film of the shared photographs, and show what becomes of it."""
    project = Project(folder / "project")
    kinds = f"barcodes={{kinds: [stacked, contact], height: {BAND}, width: {WIDTH}}}"
    project.run(
        *("--cores", "2", "--config", f"films={FOLDER}", kinds),
        *("explorer={page: false}", "search={index: false}"),
    )
    barcodes = project.folder / "results" / FOLDER.name / "barcodes"
    stacked, contact = (
        Image.open(barcodes / f"{kind}.png").convert("RGB")
        for kind in ("stacked", "contact")
    )
    stacked = stacked.resize((contact.width, BAND), Image.Resampling.NEAREST)
    page = Image.new("RGB", (contact.width, BAND + GAP + contact.height), "white")
    page.paste(stacked, (0, 0))
    page.paste(contact, (0, BAND + GAP))
    page.quantize(FEW_COLORS).save(PICTURE, optimize=True)
    print(f"{PICTURE}: {PICTURE.stat().st_size / 1000:.0f} kB, {np.shape(page)}")


def main() -> None:
    """Measure, and write the table and the picture."""
    with tempfile.TemporaryDirectory() as folder:
        lines = measure(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        draw_picture(Path(folder))
    print("\n".join(lines))
    write_between(PAGE, "measured", "\n".join(lines))


if __name__ == "__main__":
    main()
