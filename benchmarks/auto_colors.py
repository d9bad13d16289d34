"""How many colors `cluster.n_colors: auto` chooses, beside 8 and two other criteria.

Up to 24 frames of each film of ../shared/data, its photographs, and made graphics are
clustered with every number of colors k, 1 to 12. E(k) is the mean squared distance in
OKLab of a frame's pixels from the nearest color. From these E(k) come the two rivals:

- knee: the k farthest below the line from E(1) to E(12), both axes from 0 to 1
  (V. Satopaa et al., "Finding a 'kneedle' in a haystack", 2011)
- 95 % of variance: the least k with E(k) at most a twentieth of E(1)

    uv run python benchmarks/auto_colors.py

writes the table and docs/auto_colors.png for docs/color.md.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np
from machine import name_machine, write_between
from numpy.typing import NDArray
from palette_quality import ROOT, measure_palettes

from reelbow.film import read_frames
from reelbow.kmeans import find_palettes
from reelbow.kmeans.number_of_colors import COST, choose_numbers

SHARED = ROOT.parent / "shared" / "data"
PAGE = ROOT / "docs" / "color.md"
PICTURE = ROOT / "docs" / "auto_colors.png"

HEIGHT, WIDTH = 90, 160
MOST = 12
FRAMES = 24
ROUNDS = 5
FILMS = {
    "Big Buck Bunny": "bbb_full_384x216_25fps_h264.mp4",
    "Tears of Steel": "tears_of_steel_battle_800x332_24fps_vp8.webm",
    "Chaplin": "chaplin_pillarbox_640x360_25fps_h264.mp4",
    "His Girl Friday": "his_girl_friday_640x480_30fps_h264.mp4",
    "bottles": "bottles_640x360_29.83fps_h264.mp4",
    "city": "city_360p_30.006fps_h264_phone.mp4",
    "counting hand": "count_hand_640x480_VFR_h264.mp4",
    "flower": "flower_960x540_29.97fps_h264.mp4",
    "puppy": "puppy_rotated180_VFR_h264_phone.mp4",
    "road trip, dark": "roadtrip_10bit_vp9p2.webm",
    "timecode on navy": "navy_green_flash_at_15s_320x240.mp4",
    "test card": "testcard_720p_25fps_400k_avc.mp4",
    "all black": "all_black_25s_320x240.mp4",
}
# What the picture shows: seconds of films, and made graphics.
SHOWN = [
    ("Big Buck Bunny", 400),
    ("Big Buck Bunny", 140),
    ("Big Buck Bunny", 80),
    ("Tears of Steel", 40),
    ("bottles", 10),
    ("Tears of Steel", 10),
    ("made: a plain sky", 0),
    ("made: a counter on white", 0),
]

Frames = NDArray[np.uint8]


class Row(NamedTuple):
    """Of a film's n frames: E(k), and the numbers of colors that are chosen."""

    name: str
    errors: NDArray[np.float64]  # (n, 12)
    auto: NDArray[np.intp]  # (n,)
    five_starts: NDArray[np.intp]  # auto, with five starts of the choice


def read_film(name: str, start_s: float = 0, n: int = FRAMES) -> Frames:
    """Read frames (n, 90, w, 3), spread over the film from a time on."""
    path = SHARED / FILMS[name]
    with av.open(str(path)) as container:
        every = max(0.25, (container.duration or 0) / av.time_base / FRAMES)
    found = read_frames(path, every=every, start_s=start_s, height=HEIGHT)
    return np.stack([frame.pixels for _, frame in zip(range(n), found, strict=False)])


def read_photos() -> Iterator[Frames]:
    """Read the photographs, each (1, 90, w, 3), smaller by area."""
    for path in sorted((SHARED / "photos").glob("*.*")):
        photo = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
        size = (round(photo.shape[1] * HEIGHT / photo.shape[0]), HEIGHT)
        small = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
        yield np.asarray(small, np.uint8)[None]


def make_graphics() -> dict[str, Frames]:
    """Make pictures of which it is clear how many colors they need."""
    rng = np.random.default_rng(0)
    below = np.linspace(0, 1, HEIGHT)[:, None, None]

    def add_noise(picture: NDArray[np.float64], level: float = 2) -> Frames:
        noise = rng.normal(0, level, (HEIGHT, WIDTH, 3))
        return (picture + noise).clip(0, 255).astype(np.uint8)[None]

    def write(text: str, color: list[int], ground: list[int]) -> Frames:
        card = np.full((HEIGHT, WIDTH, 3), ground, np.uint8)
        cv2.putText(card, text, (12, 60), 0, 1.2, color, 3, cv2.LINE_AA)
        return card[None]

    scene = read_film("Big Buck Bunny", 140, 1)[0].astype(float)
    fade = [(scene * part / 11).astype(np.uint8) for part in range(12)]
    return {
        "made: a plain sky": add_noise([95, 145, 215] + below * [30, 25, 10]),
        "made: a sky to the horizon": add_noise([70, 120, 200] + below * [80, 70, 30]),
        "made: noise at night": add_noise(np.array([8.0, 8, 12]), 3),
        "made: two colors, noisy": add_noise(
            np.where(np.arange(WIDTH)[:, None] < 80, [200.0, 60, 40], [30, 90, 160]), 8
        ),
        "made: a counter on white": write("042", [200, 0, 60], [255, 255, 255]),
        "made: a title": write("THE END", [230, 220, 190], [20, 20, 40]),
        "made: a fade from black": np.stack(fade),
    }


def measure(name: str, frames: Frames) -> Row:
    """Cluster with every number of colors, and with those that are chosen."""
    errors = [
        measure_palettes(frames, find_palettes(frames, n_colors=k), "oklab")
        for k in range(1, MOST + 1)
    ]
    first = find_palettes(frames, n_colors=MOST, n_init=5)
    auto = find_palettes(frames, n_colors="auto", auto_colors=(1, MOST))
    return Row(
        name,
        np.array(errors).T / (frames.shape[1] * frames.shape[2]),
        (auto.shares > 0).sum(axis=1),
        choose_numbers(*first),
    )


def find_knee(errors: NDArray[np.float64]) -> NDArray[np.intp]:
    """Choose by kneedle, from (n, 12)."""
    spans = np.maximum(errors[:, :1] - errors[:, -1:], 1e-12)
    along = np.linspace(0, 1, errors.shape[1])
    return (1 - along - (errors - errors[:, -1:]) / spans).argmax(axis=1) + 1


def explain_variance(errors: NDArray[np.float64]) -> NDArray[np.intp]:
    """Choose the least number that leaves 5 % of the variance, from (n, 12)."""
    enough = errors <= 0.05 * errors[:, :1]
    return np.where(enough.any(axis=1), enough.argmax(axis=1) + 1, MOST)


def find_rms(errors: NDArray[np.float64], numbers: NDArray[np.intp] | int) -> float:
    """Find the RMS distance that is left with such numbers of colors."""
    return float(np.sqrt(errors[np.arange(len(errors)), numbers - 1].mean()))


def format_row(name: str, errors: NDArray[np.float64], auto: NDArray[np.intp]) -> str:
    """Write a row: with 8 colors, and by each criterion."""
    cells = [name, str(len(errors)), f"{find_rms(errors, 8):.3f}"]
    for numbers in (auto, find_knee(errors), explain_variance(errors)):
        bounds = f"{numbers.min()} to {numbers.max()}"
        spread = f" ({bounds})" if numbers.min() < numbers.max() else ""
        cells.append(f"{numbers.mean():.1f}{spread}")
        cells.append(f"{find_rms(errors, numbers):.3f}")
    return f"| {' | '.join(cells)} |"


def take_times(frames: Frames) -> dict[str, float]:
    """Find the CPU milliseconds of a frame, each the least of some rounds by turns."""
    ways: dict[str, Callable[[], object]] = {
        "8": lambda: find_palettes(frames, n_colors=8),
        "12": lambda: find_palettes(frames, n_colors=12),
        "auto": lambda: find_palettes(frames, n_colors="auto"),
    }
    least = dict.fromkeys(ways, np.inf)
    for _ in range(ROUNDS):
        for name, run in ways.items():
            start = time.process_time()
            run()
            seconds = time.process_time() - start
            least[name] = min(least[name], 1000 * seconds / len(frames))
    return least


def format_page(rows: list[Row], ms: dict[str, float]) -> str:
    """Write what stands between the markers."""
    errors = np.concatenate([row.errors for row in rows])
    auto = np.concatenate([row.auto for row in rows])
    best = (errors + COST * np.arange(1, MOST + 1)).argmin(axis=1) + 1

    def agree(numbers: NDArray[np.intp]) -> str:
        off = np.abs(numbers - best)
        return f"{(off == 0).mean():.0%} and {(off <= 1).mean():.0%}"

    five = np.concatenate([row.five_starts for row in rows])
    # It has the largest errors by far, which would decide what is said of all.
    others = [row for row in rows if row.name != "test card"]
    usual = np.concatenate([row.errors for row in others])
    chosen = np.concatenate([row.auto for row in others])
    mean = round(chosen.mean())
    lines = [
        f"{name_machine()}; `uv run python benchmarks/auto_colors.py`. Clustered in "
        "sRGB; the RMS",
        "distance that is left is in OKLab.",
        "",
        "| film | frames | 8 colors: RMS | auto: colors | RMS | knee: colors | RMS "
        "| 95 % of variance: colors | RMS |",
        f"|---|{'---:|' * 8}",
        *(format_row(row.name, row.errors, row.auto) for row in rows),
        format_row("**all frames**", errors, auto),
        "",
        f"Without the test card, which weighs most, the {chosen.mean():.1f} colors a "
        f"frame of `auto` leave {find_rms(usual, chosen):.4f},",
        f"{mean} in every frame {find_rms(usual, mean):.4f} and 8 in every frame "
        f"{find_rms(usual, 8):.4f}.",
        "",
        f"Clustering with every k and taking the least E(k) + {COST} k would choose "
        "the same number",
        f"in, and one within 1 in, {agree(auto)} of the frames; with five starts of "
        "the choice",
        f"instead of one, {agree(five)}.",
        "",
        f"A thumbnail of 160x90 takes {ms['auto']:.2f} ms of CPU with `auto`, "
        f"{ms['auto'] / ms['8']:.1f} times as long as the",
        f"{ms['8']:.2f} ms with 8 colors; with 12 it takes {ms['12']:.2f} ms.",
    ]
    return "\n".join(lines)


def draw_picture(graphics: dict[str, Frames], path: Path) -> None:
    """Draw frames beside their palettes, of 8 colors and by need."""
    cells = []
    for name, second in SHOWN:
        frame = graphics[name] if name in graphics else read_film(name, second, 1)
        parts = [cv2.resize(frame[0], (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)]
        for n_colors in (8, "auto"):
            (colors,), (shares,) = find_palettes(frame, n_colors=n_colors)
            at = (np.arange(HEIGHT) + 0.5) / HEIGHT
            bands = np.searchsorted(np.cumsum(shares)[: (shares > 0).sum() - 1], at)
            bar = np.rint(colors[bands]).astype(np.uint8)[:, None].repeat(64, axis=1)
            label = str((shares > 0).sum())
            # To be read on light and on dark.
            for color, thick in (((0, 0, 0), 3), ((255, 255, 255), 1)):
                bar = np.ascontiguousarray(bar)
                cv2.putText(bar, label, (4, 14), 0, 0.4, color, thick, cv2.LINE_AA)
            parts += [np.full((HEIGHT, 4, 3), 255, np.uint8), bar]
        cells.append(np.pad(np.hstack(parts), ((0, 8), (0, 16), (0, 0)), mode="edge"))
        cells[-1][HEIGHT:], cells[-1][:, -16:] = 255, 255
    half = len(cells) // 2
    columns = [np.vstack(cells[:half]), np.vstack(cells[half:])]
    picture = np.hstack(columns)[:-8, :-16]
    best = [cv2.IMWRITE_PNG_COMPRESSION, 9]
    cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), best)


def main() -> None:
    """Measure, print the table, and write it and the picture into the documents."""
    graphics = make_graphics()
    rows = [measure(name, read_film(name)) for name in FILMS]
    photos = [measure("", photo) for photo in read_photos()]
    # They are of different sizes.
    columns = zip(*(photo[1:] for photo in photos), strict=True)
    rows.append(Row("photographs", *map(np.concatenate, columns)))
    rows += [measure(name, frames) for name, frames in graphics.items()]
    page = format_page(rows, take_times(read_film("Big Buck Bunny")))
    print(page)
    draw_picture(graphics, PICTURE)
    write_between(PAGE, "auto_colors", page)


if __name__ == "__main__":
    main()
