"""Accents of real frames: what is found, what it looks like, and what it costs.

The films of ../shared/data go as far as thumbnails, with the default settings; its
photographs are one more. Palettes of their frames are found without accents and
with up to three. An accent's pixels are here those that are nearest to it; the table
has their mean distance in OKLab from the nearest color, before and after.

    uv run python benchmarks/accents.py

writes the table to docs/palettes.md and the picture to docs/accents.png.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from machine import name_machine, write_between
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parent.parent
for folder in ("workflow/scripts", "tests/helpers"):
    sys.path.insert(0, str(ROOT / folder))

from chain import run_chain  # noqa: E402 (the path comes first)
from reelbow.color.spaces import srgb_to_oklab  # noqa: E402
from reelbow.errors import ReelbowError  # noqa: E402
from reelbow.kmeans import Palettes, add_accents, find_palettes  # noqa: E402

SHARED = ROOT.parent / "shared" / "data"
PAGE = ROOT / "docs" / "palettes.md"
PICTURE = ROOT / "docs" / "accents.png"

N_COLORS = 8
N_ACCENTS = 3
PHOTOS = "photographs"

# Frames that are shown: of a film, or a photograph.
SHOWN = [
    (PHOTOS, "cow-1715829_1280.jpg"),
    (PHOTOS, "kodim14.png"),
    ("bbb_full_384x216_25fps_h264", 204),
    ("bottles_640x360_29.83fps_h264", 16),
    ("tears_of_steel_battle_800x332_24fps_vp8", 46),
    ("nasa_two_video_streams", 12),
]
# Pixels of a shown frame, of a color below it, and around.
FRAME, SWATCH, GAP, TEXT = (252, 141), 22, 12, 62

Pictures = NDArray[np.uint8]


class Found(NamedTuple):
    """What was found of pictures (n, h, w, 3) of one size."""

    pictures: Pictures
    before: Palettes
    after: Palettes
    is_accent: NDArray[np.bool_]
    # CPU seconds of the palettes, and of their accents.
    seconds: NDArray[np.float64]


def read_photos() -> dict[str, Pictures]:
    """Make the photographs as small as thumbnails."""
    photos = {}
    for path in sorted((SHARED / "photos").glob("*.*")):
        with Image.open(path) as image:
            size = round(image.width * 90 / image.height), 90
            small = image.convert("RGB").resize(size, Image.Resampling.BOX)
        photos[path.name] = np.array(small)
    return photos


def find(pictures: Pictures) -> Found:
    """Find palettes without accents and with them."""
    times = [time.process_time()]
    before = find_palettes(pictures, n_colors=N_COLORS)
    times.append(time.process_time())
    after, is_accent = add_accents(pictures, before, n_accents=N_ACCENTS)
    times.append(time.process_time())
    return Found(pictures, before, after, is_accent, np.diff(times))


def find_distances(found: Found) -> tuple[list[float], list[float]]:
    """Find how far accents' pixels are from the nearest color, before and after."""
    before, after = [], []
    for i in np.flatnonzero(found.is_accent.any(axis=1)):
        points = srgb_to_oklab(found.pictures[i].reshape(-1, 3))[:, np.newaxis]
        first, second = (
            np.linalg.norm(points - srgb_to_oklab(colors[i][shares[i] > 0]), axis=2)
            for colors, shares in (found.before, found.after)
        )
        accents = found.is_accent[i][found.after.shares[i] > 0]
        own = accents[second.argmin(axis=1)]
        before += first[own].min(axis=1).tolist()
        after += second[own].min(axis=1).tolist()
    return before, after


def format_row(film: str, parts: list[Found]) -> str:
    """Write what was found of a film's pictures, which may be of several sizes."""
    n_frames = sum(len(found.pictures) for found in parts)
    frames = sum(int(found.is_accent.any(axis=1).sum()) for found in parts)
    shares = np.concatenate([found.after.shares[found.is_accent] for found in parts])
    row = f"| {film} | {n_frames} | {frames} | {len(shares)} |"
    if not len(shares):
        return f"{row} | | |"
    first, second = map(np.concatenate, zip(*map(find_distances, parts), strict=True))
    return f"{row} {shares.mean():.2%} | {np.mean(first):.3f} | {np.mean(second):.3f} |"


def draw(shown: list[tuple[Pictures, list[Any], list[Any]]]) -> None:
    """Draw frames with their palettes before and after; accents stand apart."""
    width, height = FRAME
    n_columns = 3
    cell = width + GAP, height + 2 * (SWATCH + 4) + GAP
    n_rows = -(-len(shown) // n_columns)
    sheet = Image.new(
        "RGB", (n_columns * cell[0] + GAP, n_rows * cell[1] + GAP), "white"
    )
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for number, (picture, before, after) in enumerate(shown):
        x, y = GAP + number % n_columns * cell[0], GAP + number // n_columns * cell[1]
        scale = min(width / picture.shape[1], height / picture.shape[0])
        size = round(picture.shape[1] * scale), round(picture.shape[0] * scale)
        small = Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC)
        sheet.paste(small, (x + (width - size[0]) // 2, y + height - size[1]))
        for line, palette in enumerate([before, after]):
            top = y + height + 4 + line * (SWATCH + 4)
            pen.text((x, top + 4), ("without", "with")[line], "black", font)
            step = (width - TEXT) / (N_COLORS + N_ACCENTS)
            ordinary = [color for color, accent in palette if not accent]
            accents = [color for color, accent in palette if accent]
            for place, color in enumerate(ordinary + accents):
                # Half a step between.
                at = place + (0.5 if place >= len(ordinary) else 0)
                left = x + 46 + at * step
                box = (round(left), top, round(left + step) - 1, top + SWATCH)
                pen.rectangle(box, tuple(np.rint(color).astype(int).tolist()))
    sheet.save(PICTURE, optimize=True)


def take_shown(found: Found, place: int) -> tuple[Pictures, list[Any], list[Any]]:
    """Take a frame with its palettes: colors, each with whether it is an accent."""
    one, two = (
        [
            (color, bool(accent))
            for color, share, accent in zip(*row, strict=True)
            if share > 0
        ]
        for row in (
            (found.before.colors[place], found.before.shares[place], [0] * N_COLORS),
            (
                found.after.colors[place],
                found.after.shares[place],
                found.is_accent[place],
            ),
        )
    )
    return found.pictures[place], one, two


def main() -> None:
    """Measure, print a row for each film, write the table and the picture."""
    # Compiled before it is measured.
    find(np.zeros((1, 9, 16, 3), np.uint8))
    rows, parts_of_all, shown = [], [], {}
    for path in [*sorted(SHARED.glob("*.[mtw][pse4]*")), PHOTOS]:
        if path == PHOTOS:
            photos, name = read_photos(), PHOTOS
            parts = [find(picture[np.newaxis]) for picture in photos.values()]
            places = dict(zip(photos, ((part, 0) for part in parts), strict=True))
        else:
            name = path.stem
            try:
                with tempfile.TemporaryDirectory() as folder:
                    pixels = run_chain(path, Path(folder)).pixels
            except ReelbowError as error:
                print(f"{path.name}: left out: {error}", file=sys.stderr)
                continue
            parts = [find(np.stack(pixels))]
            places = {place: (parts[0], place) for place in range(len(pixels))}
        rows.append(format_row(name, parts))
        parts_of_all += parts
        print(rows[-1], flush=True)
        for film, frame in SHOWN:
            if film == name:
                shown[film, frame] = take_shown(*places[frame])
    draw([shown[which] for which in SHOWN])
    n_frames = sum(len(found.pictures) for found in parts_of_all)
    palette_s, accents_s = sum(found.seconds for found in parts_of_all) / n_frames
    lines = [
        f"{name_machine()}; `uv run python benchmarks/accents.py`: {N_COLORS} colors, "
        f"and up to {N_ACCENTS} accents, of thumbnails of 90 rows, a frame a second. A "
        f"palette took {1000 * palette_s:.2f} ms of CPU a frame, its accents "
        f"{1000 * accents_s:.2f} ms.",
        "",
        "| film | frames | with accents | accents | mean share | distance before | "
        "after |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *rows,
    ]
    write_between(PAGE, "accents", "\n".join(lines))


if __name__ == "__main__":
    main()
