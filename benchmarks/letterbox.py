"""Which bars are found, and how exactly: over codings, beside FFmpeg's cropdetect.

    uv run python benchmarks/letterbox.py

Some pictures (the demo film's, and those of the real films of ../shared/data that are
there) get bars of several kinds and are coded in many ways, down to very low bit rates;
others, with no bars, are as likely as can be to be taken for some. The films stay in
benchmarks/cache/letterbox. What the plan crops of each is held against the truth.

cropdetect is no part of PyAV. Its rule is rewritten here from libavfilter 11: a line
counts from a mean luma above 24 on, a frame only ever widens what is kept, two frames
are skipped, and sizes are rounded to 2 pixels (its own 16 would cut up to 14 more).
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from machine import write_between
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
# Before this folder, which has a films.py of its own.
sys.path[:0] = [str(ROOT / "workflow" / "scripts"), str(ROOT / "tests" / "helpers")]

from films import write_film  # noqa: E402
from reelbow.jobs.files import atomic_write  # noqa: E402
from reelbow.pictures.geometry import Crop  # noqa: E402
from reelbow.sources.demo import SCENES, Scene, draw_frames  # noqa: E402 (the path comes first)
from reelbow.sources.video import plan_video  # noqa: E402 (the path comes first)

PAGE = ROOT / "docs" / "color.md"
CACHE = ROOT / "benchmarks" / "cache" / "letterbox"
SHARED = ROOT.parent / "shared" / "data"

Picture = NDArray[np.uint8]

WIDTH, HEIGHT = 512, 288
N_FRAMES = 48
RATE, GOP = 4, 4
# An error of more lines outside, or of more inside of the picture, is none found.
MOST_LEFT, MOST_CUT = 2, 1


@dataclass(frozen=True)
class Coding:
    """How a film is written."""

    codec: str
    options: dict[str, str]
    pix_fmt: str = "yuv420p"
    interlaced: bool = False


def quantized(codec: str, q: int, **how: Any) -> Coding:
    """Code all blocks alike: the older codecs' one scale, 1 to 31."""
    return Coding(codec, {"qmin": str(q), "qmax": str(q)}, **how)


X264 = {"preset": "veryfast"}
X265 = {"preset": "ultrafast", "x265-params": "log-level=none"}
AV1 = {"preset": "10"}
VPX = {"deadline": "realtime", "cpu-used": "8"}
TEN = {"pix_fmt": "yuv420p10le"}
CODINGS = {
    "H.264, crf 18": Coding("libx264", {**X264, "crf": "18"}),
    "H.264, crf 28": Coding("libx264", {**X264, "crf": "28"}),
    "H.264, crf 38": Coding("libx264", {**X264, "crf": "38"}),
    "H.264, crf 48": Coding("libx264", {**X264, "crf": "48"}),
    "H.264, 40 kbit/s": Coding("libx264", {**X264, "b": "40k"}),
    "H.264, no deblocking, crf 38": Coding(
        "libx264", {**X264, "crf": "38", "x264-params": "no-deblock=1"}
    ),
    "H.264, 10 bit, crf 23": Coding("libx264", {**X264, "crf": "23"}, **TEN),
    "H.264, 10 bit, crf 45": Coding("libx264", {**X264, "crf": "45"}, **TEN),
    "H.265, crf 28": Coding("libx265", {**X265, "crf": "28"}),
    "H.265, crf 45": Coding("libx265", {**X265, "crf": "45"}),
    "H.265, 10 bit, crf 40": Coding("libx265", {**X265, "crf": "40"}, **TEN),
    "MPEG-2, q 2": quantized("mpeg2video", 2),
    "MPEG-2, q 12": quantized("mpeg2video", 12),
    "MPEG-2, q 31": quantized("mpeg2video", 31),
    "MPEG-2, interlaced, q 8": quantized("mpeg2video", 8, interlaced=True),
    "MPEG-4, q 4": quantized("mpeg4", 4),
    "MPEG-4, q 31": quantized("mpeg4", 31),
    "VP8, 500 kbit/s": Coding("libvpx", {**VPX, "b": "500k"}),
    "VP8, 50 kbit/s": Coding("libvpx", {**VPX, "b": "50k"}),
    "VP9, crf 32": Coding("libvpx-vp9", {**VPX, "crf": "32", "b": "0"}),
    "VP9, crf 60": Coding("libvpx-vp9", {**VPX, "crf": "60", "b": "0"}),
    "AV1, crf 35": Coding("libsvtav1", {**AV1, "crf": "35"}),
    "AV1, crf 63": Coding("libsvtav1", {**AV1, "crf": "63"}),
    "AV1, 10 bit, crf 50": Coding("libsvtav1", {**AV1, "crf": "50"}, **TEN),
    "Motion JPEG, q 3": quantized("mjpeg", 3, pix_fmt="yuvj420p"),
    "Motion JPEG, q 12": quantized("mjpeg", 12, pix_fmt="yuvj420p"),
    "Motion JPEG, q 31": quantized("mjpeg", 31, pix_fmt="yuvj420p"),
}
FEW_CODINGS = (
    "H.264, crf 18",
    "H.264, crf 48",
    "MPEG-2, q 31",
    "VP8, 50 kbit/s",
    "AV1, crf 63",
    "Motion JPEG, q 12",
)


@dataclass(frozen=True)
class Bars:
    """What is around the picture, in lines, and what disturbs it."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0
    noise: float = 0  # standard deviation in levels, of bars alone
    grain: float = 0  # the same, of the whole film
    smear: float = 0  # the same, of the bar's last 8 lines alone
    logo: bool = False
    subtitles: bool = False
    black: int = 0

    @property
    def kept(self) -> Crop:
        """What is left between them."""
        return Crop(
            WIDTH - self.left - self.right,
            HEIGHT - self.top - self.bottom,
            self.left,
            self.top,
        )


KINDS = {
    "32 lines": Bars(32, 32),
    "40 lines": Bars(40, 40),
    "38 lines": Bars(38, 38),
    "37 and 37": Bars(37, 37),
    "35 and 36": Bars(35, 36),
    "9 lines": Bars(9, 9),
    "64 columns": Bars(left=64, right=64),
    "61 columns": Bars(left=61, right=61),
    "36 lines, 50 columns": Bars(36, 36, 50, 50),
    "black of 20": Bars(38, 38, black=20),
    "noise in the bars": Bars(38, 38, noise=6),
    "noise in their last 8 lines": Bars(38, 38, smear=12),
    "grain": Bars(38, 38, grain=8),
    "logo": Bars(38, 38, logo=True),
    "logo in 61 columns": Bars(left=61, right=61, logo=True),
    "subtitles": Bars(38, 38, subtitles=True),
    "logo, subtitles, grain": Bars(37, 37, logo=True, subtitles=True, grain=5),
}


# --- pictures -------------------------------------------------------------------------


def read_film(name: str, every: int) -> list[Picture]:
    """Read every nth picture of a real film; none if it is not there."""
    pictures = []
    path = SHARED / name
    if path.exists():
        with av.open(str(path)) as container:
            for i, frame in enumerate(container.decode(video=0)):
                if i % every == 0:
                    pictures.append(frame.to_ndarray(format="rgb24"))
                if len(pictures) == N_FRAMES:
                    break
    return pictures


def read_demo(scenes: Callable[[Scene], bool]) -> list[Picture]:
    """Draw every sixth picture of some scenes of the demo film."""
    numbers = {
        number
        for scene in SCENES
        if scenes(scene) and not scene.bar
        for number in range(scene.start_frame, scene.end_frame)
    }
    frames = enumerate(draw_frames(every=6))
    return [frame for i, frame in frames if 6 * i in numbers]


@cache
def read_pictures(name: str) -> list[Picture]:
    """Read a film's pictures, without bars."""
    if name == "lake":
        return read_demo(lambda scene: True)[::4]
    if name == "dim lake":
        return [
            np.rint(0.4 * picture).astype(np.uint8)
            for picture in read_demo(lambda scene: True)[::4]
        ]
    if name == "night":
        return read_demo(lambda scene: scene.name.startswith(("dusk", "night")))
    # Without the soft border that scans have.
    return [picture[8:-8, 8:-8] for picture in read_film(*REAL[name])]


BARRED = {
    "bbb_letterboxed_4x3_320x240_15fps_h264.mp4": Crop(320, 180, 0, 30),
    "chaplin_pillarbox_640x360_25fps_h264.mp4": Crop(496, 360, 72, 0),
}
DARK = ("night", "dim lake")
REAL = {
    "steel": ("tears_of_steel_battle_800x332_24fps_vp8.webm", 7),
    "friday": ("his_girl_friday_640x480_30fps_h264.mp4", 4),
    "bunny": ("bbb_full_384x216_25fps_h264.mp4", 240),
    "city": ("city_360p_30.006fps_h264_phone.mp4", 8),
}


def fit(picture: Picture, size: tuple[int, int]) -> Picture:
    """Enlarge or shrink to (width, height), and cut what is over."""
    width, height = size
    rows, columns = picture.shape[:2]
    factor = max(width / columns, height / rows)
    shape = (max(width, round(columns * factor)), max(height, round(rows * factor)))
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    large = cv2.resize(picture, shape, interpolation=way)
    x, y = (shape[0] - width) // 2, (shape[1] - height) // 2
    return np.asarray(large[y : y + height, x : x + width], np.uint8)


def write_text(picture: Picture, text: str, x: int, y: int, size: float) -> None:
    """Write white text, its baseline's beginning at (x, y)."""
    where, font = (x, y), cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(picture, text, where, font, size, (235,) * 3, 1, cv2.LINE_AA)


def add_bars(name: str, bars: Bars) -> Iterator[Picture]:
    """Put bars around a film's pictures."""
    rng = np.random.default_rng(0)
    kept = bars.kept
    inside = (
        slice(kept.y, kept.y + kept.height),
        slice(kept.x, kept.x + kept.width),
    )
    last = np.zeros((HEIGHT, WIDTH, 1), bool)
    last[
        max(0, kept.y - 8) : kept.y + kept.height + 8,
        max(0, kept.x - 8) : kept.x + kept.width + 8,
    ] = True
    last[inside] = False
    outside = np.ones_like(last)
    outside[inside] = False
    pictures = read_pictures(name)
    for i in range(N_FRAMES):
        whole = np.full((HEIGHT, WIDTH, 3), bars.black, np.uint8)
        picture = fit(pictures[i % len(pictures)], (kept.width, kept.height))
        whole[inside] = np.rint(bars.black + picture * (1 - bars.black / 255))
        if bars.logo:
            if bars.top:
                write_text(whole, "TV5", WIDTH - 60, 26, 0.7)
            else:
                cv2.circle(whole, (WIDTH - 30, 30), 16, (200, 60, 60), -1)
        if bars.subtitles and i % 3:
            text = ("and what is it that", "you see out there?", "No. Nothing.")[i % 3]
            write_text(whole, text, WIDTH // 2 - 90, HEIGHT - bars.bottom + 25, 0.6)
        noise = bars.grain + bars.noise * outside + bars.smear * last
        if noise.any():
            noisy = whole + noise * rng.standard_normal((HEIGHT, WIDTH, 1))
            whole = np.rint(noisy).clip(0, 255).astype(np.uint8)
        yield whole


def draw_night(rng: np.random.Generator) -> Iterator[Picture]:
    """Draw lamps in the dark, in shots of six pictures."""
    for i in range(N_FRAMES):
        if i % 6 == 0:
            lamps = rng.integers((0, 40, 8), (WIDTH, HEIGHT - 40, 40), (6, 3))
        night = np.full((HEIGHT, WIDTH, 3), 6, np.uint8)
        for x, y, size in lamps.tolist():
            cv2.circle(night, (x + 3 * (i % 6), y), size, (230, 200, 140), -1)
        yield cv2.GaussianBlur(night, (0, 0), 3).astype(np.uint8)


def draw_horizon(rng: np.random.Generator) -> Iterator[Picture]:
    """Draw a dark sky and a dark ground, with a lit band whose height differs."""
    y = np.arange(HEIGHT)[:, None, None]
    for i, picture in enumerate(draw_plain("lake")):
        if i % 6 == 0:
            top, bottom = rng.integers((30, 30), (60, 60))
        light = np.minimum(y - top, HEIGHT - bottom - y) / 12
        yield np.rint(3 + picture * np.clip(light, 0, 0.98)).astype(np.uint8)


def draw_credits(rng: np.random.Generator) -> Iterator[Picture]:
    """Draw credits that roll over black."""
    words = ["".join(rng.choice(list("aeimnorstu "), 24)) for _ in range(80)]
    for i in range(N_FRAMES):
        black = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        for line, text in enumerate(words):
            y = HEIGHT - 40 + 26 * line - 11 * i
            if 40 < y < HEIGHT - 40:
                write_text(black, text, 60, y, 0.8)
        yield black


def draw_titles(rng: np.random.Generator) -> Iterator[Picture]:
    """Draw cards of three lines of text at the same place."""
    for i in range(N_FRAMES):
        if i % 6 == 0:
            words = ["".join(rng.choice(list("AEIMNORSTU"), 22)) for _ in range(3)]
        black = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        for line, text in enumerate(words):
            write_text(black, text, 30, 80 + 70 * line, 1.1)
        yield black


def draw_graphics(rng: np.random.Generator) -> Iterator[Picture]:
    """Draw a bar chart that grows, with its axis and a heading."""
    heights = rng.integers(60, 170, 12)
    for i in range(N_FRAMES):
        black = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        write_text(black, "Population by year", 120, 50, 0.9)
        for column, height in enumerate(heights.tolist()):
            x, y = 60 + 33 * column, HEIGHT - 50
            size = height * min(1, (i + 6) / 30)
            cv2.rectangle(black, (x, y - round(size)), (x + 26, y), (40, 160, 220), -1)
        cv2.line(black, (50, HEIGHT - 49), (WIDTH - 50, HEIGHT - 49), (230,) * 3, 1)
        yield black


def draw_visual(rng: np.random.Generator) -> Iterator[Picture]:
    """Draw a ring that beats, on black."""
    for _ in range(N_FRAMES):
        black = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        radius = int(rng.integers(60, 100))
        cv2.circle(black, (WIDTH // 2, HEIGHT // 2), radius, (250, 120, 20), -1)
        yield black


def draw_vignette(rng: np.random.Generator) -> Iterator[Picture]:
    """Draw a film that is dark towards all its edges."""
    y, x = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    light = np.clip(2.6 - 2.6 * np.maximum(np.abs(x), np.abs(y)), 0, 1)[..., None]
    for picture in draw_plain("lake"):
        yield np.rint(picture * light).astype(np.uint8)


def draw_stage(rng: np.random.Generator) -> Iterator[Picture]:
    """Draw one lit shape on a dark stage, seen by a camera that stands still."""
    shape = np.array([[100, 60], [420, 80], [450, 220], [80, 240]])
    mask = cv2.fillPoly(np.zeros((HEIGHT, WIDTH), np.uint8), [shape], 255)
    mask = cv2.GaussianBlur(mask, (0, 0), 2)[..., None] / 255
    for picture in draw_plain("lake"):
        yield np.rint(picture * mask + 2).clip(0, 255).astype(np.uint8)


def draw_fades(rng: np.random.Generator) -> Iterator[Picture]:
    """Draw a film all of whose shots fade in from its middle."""
    for i, picture in enumerate(draw_plain("lake")):
        part = 0.2 + 0.8 * (i % 6) / 5
        x = np.abs(np.linspace(-1, 1, HEIGHT))[:, None, None]
        yield np.rint(picture * np.clip(4 * (part - x) + 1, 0, 1)).astype(np.uint8)


def draw_half(rng: np.random.Generator) -> Iterator[Picture]:
    """Draw a film that has bars in its first three quarters."""
    barred, plain = add_bars("lake", Bars(38, 38)), draw_plain("lake")
    for i, pair in enumerate(zip(barred, plain, strict=True)):
        yield pair[i >= 3 * N_FRAMES // 4]


def draw_one_bar(rng: np.random.Generator) -> Iterator[Picture]:
    """Draw a film with a bar at the bottom alone."""
    return add_bars("lake", Bars(0, 38))


def draw_black(rng: np.random.Generator) -> Iterator[Picture]:
    """Draw nothing but black."""
    for _ in range(N_FRAMES):
        yield np.zeros((HEIGHT, WIDTH, 3), np.uint8)


def draw_plain(name: str) -> Iterator[Picture]:
    """Draw a film as it is."""
    return add_bars(name, Bars())


WITHOUT = {
    "night, lamps": draw_night,
    "dark above and below": draw_horizon,
    "rolling credits": draw_credits,
    "title cards": draw_titles,
    "bar chart": draw_graphics,
    "ring on black": draw_visual,
    "vignette": draw_vignette,
    "lit stage": draw_stage,
    "light that spreads": draw_fades,
    "bars in three quarters": draw_half,
    "one bar": draw_one_bar,
    "all black": draw_black,
}


# --- what is cropped ------------------------------------------------------------------


def find_by_reelbow(path: Path) -> Crop | None:
    """Plan the film."""
    plan = plan_video(
        path,
        mode="interval",
        every=1.0,
        start_s=0.0,
        end_s=None,
        per_shard=600,
        crop="auto",
    )
    return Crop.parse(plan["crop"]) if plan["crop"] else None


def find_by_cropdetect(path: Path) -> Crop | None:
    """Do as FFmpeg's cropdetect=24:2:0 does."""
    first, last = [10**6, 10**6], [0, 0]
    size = (0, 0)
    with av.open(str(path)) as container:
        for i, frame in enumerate(container.decode(video=0)):
            if i < 2:
                continue
            ten = "10" in frame.format.name
            plane = np.frombuffer(frame.planes[0], "<u2" if ten else np.uint8)
            luma = plane.reshape(frame.height, -1)[:, : frame.width]
            size = (frame.width, frame.height)
            for axis in (0, 1):
                lit = np.flatnonzero(luma.mean(axis=axis) > (96 if ten else 24))
                if len(lit):
                    first[axis] = min(first[axis], int(lit[0]))
                    last[axis] = max(last[axis], int(lit[-1]))
    if first[0] > last[0] or first[1] > last[1]:
        return None
    x, y = (first[0] + 1) & ~1, (first[1] + 1) & ~1
    width, height = last[0] - x + 1, last[1] - y + 1
    found = Crop(width - width % 2, height - height % 2, x, y)
    return None if found == Crop(*size, 0, 0) else found


def measure(found: Crop | None, truth: Crop, size: tuple[int, int]) -> tuple[int, int]:
    """Measure how many lines of bars are left at most, and of the picture cut off."""
    found = found or Crop(*size, 0, 0)
    inward = [
        found.x - truth.x,
        found.y - truth.y,
        truth.x + truth.width - found.x - found.width,
        truth.y + truth.height - found.y - found.height,
    ]
    return max(0, -min(inward)), max(0, *inward)


# --- tables ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Film:
    """One film of the benchmark, and what should be kept of it."""

    coding: str
    kind: str
    pictures: str  # whose, or what is drawn
    truth: Crop

    @property
    def bars(self) -> bool:
        """Whether it has any."""
        return self.truth != Bars().kept

    def write(self) -> Path:
        """Write it, or find it written."""
        how = CODINGS[self.coding]
        name = f"{self.coding}_{self.kind}_{self.pictures}".replace(" ", "-")
        path = CACHE / (name.replace(",", "").replace("/", "") + ".mkv")
        if path.exists():
            return path
        if self.kind in KINDS:
            frames = add_bars(self.pictures, KINDS[self.kind])
        elif self.kind == "film":
            frames = draw_plain(self.pictures)
        else:
            frames = WITHOUT[self.kind](np.random.default_rng(1))
        jpeg = how.pix_fmt == "yuvj420p"
        with atomic_write(path) as temporary:
            write_film(
                temporary,
                frames,
                rate=RATE,
                codec=how.codec,
                options=how.options,
                pix_fmt=how.pix_fmt,
                interlaced=how.interlaced,
                gop=GOP,
                matrix="bt601" if jpeg else "bt709",
                color_range="full" if jpeg else "limited",
            )
        return path


def list_films() -> list[Film]:
    """List all films: each kind of bars in each coding, of pictures by turns."""
    real = [name for name in REAL if (SHARED / REAL[name][0]).exists()]
    names = ["lake", *DARK, *real]
    films = [
        Film(coding, kind, names[(i + j) % len(names)], bars.kept)
        for i, coding in enumerate(CODINGS)
        for j, (kind, bars) in enumerate(KINDS.items())
    ]
    for coding in FEW_CODINGS:
        films += [Film(coding, "film", name, Bars().kept) for name in names]
        films += [Film(coding, kind, "", Bars().kept) for kind in WITHOUT]
    return films


FINDERS = (find_by_reelbow, find_by_cropdetect)


def judge(film: Film) -> list[tuple[int, int]]:
    """Find the bars of a film; give each finder's errors."""
    path = film.write()
    return [measure(find(path), film.truth, (WIDTH, HEIGHT)) for find in FINDERS]


def write_row(name: str, judged: list[list[tuple[int, int]]]) -> str:
    """Write how many of some films each finder was right of, and how exactly."""
    cells = []
    for errors in zip(*judged, strict=True):
        right = [e for e in errors if e[0] <= MOST_LEFT and e[1] <= MOST_CUT]
        cells.append(str(len(right)))
        worst = [max(error[i] for error in right) for i in (0, 1)] if right else "--"
        cells.append(f"{worst[0]} / {worst[1]}")
    return f"| {name} | {len(judged)} | {' | '.join(cells)} |"


def write_rows(
    title: str, name: str, judged: dict[Film, list[tuple[int, int]]]
) -> list[str]:
    """Write a table of films with bars, by what a field of theirs says."""
    lines = [
        f"| {title} | films | Reelbow | left / cut | cropdetect | left / cut |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    values = dict.fromkeys(getattr(film, name) for film in judged)
    for value in values:
        some = [each for film, each in judged.items() if getattr(film, name) == value]
        lines.append(write_row(value, some))
    return [*lines, write_row("**all**", list(judged.values()))]


def write_without(judged: dict[Film, list[tuple[int, int]]]) -> list[str]:
    """Write how many films without bars were cropped."""
    lines = [
        "| without bars | films | cropped by Reelbow | by cropdetect |",
        "|---|---:|---:|---:|",
    ]
    by_name: dict[str, list[list[tuple[int, int]]]] = {}
    for film, errors in judged.items():
        name = f"pictures: {film.pictures}" if film.kind == "film" else film.kind
        by_name.setdefault(name, []).append(errors)
    by_name["**all**"] = list(judged.values())
    for name, each in by_name.items():
        cropped = [
            sum(e != (0, 0) for e in errors) for errors in zip(*each, strict=True)
        ]
        lines.append(f"| {name} | {len(each)} | {cropped[0]} | {cropped[1]} |")
    return lines


def write_real() -> list[str]:
    """Write what is found in real films that have bars."""
    lines = ["| real film | kept | Reelbow | cropdetect |", "|---|---|---|---|"]
    for name, truth in BARRED.items():
        if (SHARED / name).exists():
            found = " | ".join(str(find(SHARED / name)) for find in FINDERS)
            lines.append(f"| {name} | {truth} | {found} |")
    return lines


def main() -> None:
    """Judge all films, print the tables and write them into the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=1, help="films at the same time")
    options = parser.parse_args()
    # Else AV1's encoder tells its settings of every film.
    os.environ.setdefault("SVT_LOG", "-1")
    films = list_films()
    with ProcessPoolExecutor(options.jobs) as pool:
        judged = dict(zip(films, pool.map(judge, films), strict=True))
    barred = {film: errors for film, errors in judged.items() if film.bars}
    plain = {film: errors for film, errors in judged.items() if not film.bars}
    lines = [
        f"{len(films)} films of {WIDTH}x{HEIGHT} by `uv run python "
        "benchmarks/letterbox.py`. Found is",
        f"what leaves at most {MOST_LEFT} lines of a bar and cuts off at most "
        f"{MOST_CUT} of the picture; beside it stands",
        "how many were left and cut off at most in those.",
    ]
    for table in (
        write_rows("coding", "coding", barred),
        write_rows("bars", "kind", barred),
        write_without(plain),
        write_real(),
    ):
        lines += ["", *table]
    print("\n".join(lines))
    write_between(PAGE, "letterbox", "\n".join(lines))


if __name__ == "__main__":
    main()
