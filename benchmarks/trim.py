"""What `trim: auto` leaves out, against what is true, and how many frames it looks at.

    uv run python benchmarks/trim.py

Films of three kinds: those of tests/helpers/blank_films.py, whose truth is known, in
several codings; the demo film; and the real films of ../shared/data that are there,
whose truth was found by looking at their frames. The table goes into docs/trim.md.
"""

import contextlib
import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from machine import name_machine, write_between

ROOT = Path(__file__).resolve().parents[1]
# Before this folder, which has a films.py of its own.
sys.path[:0] = [str(ROOT / "workflow" / "scripts"), str(ROOT / "tests" / "helpers")]

from blank_films import (  # noqa: E402 (the path comes first)
    END_S,
    START_S,
    Picture,
    draw_scene,
    write_blank_ends,
)
from films import write_film  # noqa: E402
from reelbow.jobs.files import atomic_write  # noqa: E402
from reelbow.sources import video  # noqa: E402
from reelbow.sources.demo import make_demo_film  # noqa: E402

PAGE = ROOT / "docs" / "trim.md"
CACHE = ROOT / "benchmarks" / "cache" / "trim"
SHARED = ROOT.parent / "shared" / "data"

# Samples a second, as fine as a frame of most films.
EVERY_S = 0.04

# Of each plan the fastest counts.
TIMES = 2

# An end that is found is off by no more, in seconds: the darkest frames of a fade.
TOLERANCE_S = 0.3

CODINGS: dict[str, dict[str, Any]] = {
    "H.264.mp4": {},
    "H.264, crf 40.mp4": {"options": {"crf": "40"}},
    "H.264, full range.mp4": {"color_range": "full"},
    "H.264, 10 bits.mp4": {"pix_fmt": "yuv420p10le"},
    "H.264, letterboxed.mp4": {"bars": 24},
    "H.264, 1920x1080.mp4": {"size": (1920, 1080), "gop": 250},
    "MPEG-2, q 12.mkv": {
        "codec": "mpeg2video",
        "options": {"qmin": "12", "qmax": "12"},
    },
    "VP9, crf 50.webm": {
        "codec": "libvpx-vp9",
        "options": {"crf": "50", "cpu-used": "8"},
    },
}

# Where the film's picture begins and ends, in seconds; None: at the film's own end.
TRUTHS: dict[str, tuple[float | None, float | None]] = {
    "bbb_full_384x216_25fps_h264.mp4": (0.4, 596.4),
    "bbb_480p_24fps_h264_bframes.mp4": (0.4, None),
    "TRUNCATED_faststart_bbb.mp4": (0.4, None),
    "bbb_rotated90_1080p_24fps_h264.mp4": (0.33, None),
    "bbb_hevc_bframes_854x480_30fps.mp4": (0.03, None),
}
CUT_S = 580
CUT_TRUTH_S = 489.9
# Pictures a second, few: it is 52 minutes long.
ENDLESS_RATE = 2
NO_FILMS = ("TRUNCATED_nomoov_bbb.mp4", "audio_only_15s.mp4", "broken_no_moov.mp4")


class Found(NamedTuple):
    """What a plan leaves out, and what that costs."""

    ends: tuple[float | None, float | None]
    names: tuple[str | None, str | None]
    n_looked: int
    cost_s: float


def list_films() -> Iterator[tuple[str, Path, tuple[float | None, float | None]]]:
    """List films by what they are, each with its truth."""
    for name, how in CODINGS.items():
        path = CACHE / name.replace(", ", "_").replace(" ", "")
        if not path.exists():
            with atomic_write(path) as temporary:
                write_blank_ends(temporary, **how)
        yield f"made: {Path(name).stem}", path, (START_S, END_S)
    endless = CACHE / "endless.mp4"
    if not endless.exists():
        with atomic_write(endless) as temporary:
            write_film(temporary, draw_endless(), rate=ENDLESS_RATE)
    yield "made: black for 16 minutes, twice", endless, (None, None)
    demo = CACHE / "demo.mp4"
    if not demo.exists():
        with atomic_write(demo) as temporary:
            make_demo_film(temporary)
    # It begins and ends with cards of a color.
    yield "the demo film", demo, (None, None)
    for path in sorted(SHARED.glob("*.*")):
        if path.suffix in (".mp4", ".webm", ".ts") and path.name not in NO_FILMS:
            yield path.name, path, TRUTHS.get(path.name, (None, None))
    bunny = SHARED / "bbb_full_384x216_25fps_h264.mp4"
    if bunny.exists():
        yield f"the first {CUT_S} s of {bunny.name}", cut(bunny), (0.4, CUT_TRUTH_S)


def draw_endless() -> Iterator[Picture]:
    """Draw more black than is ever left out, before and behind a film."""
    black = [np.zeros((90, 160, 3), np.uint8)] * (16 * 60 * ENDLESS_RATE)
    yield from black
    yield from (draw_scene(i, (160, 90)) for i in range(20 * 60 * ENDLESS_RATE))
    yield from black


def cut(film: Path) -> Path:
    """Cut off what follows Big Buck Bunny's credits, which are pictures with text."""
    path = CACHE / f"cut_{film.name}"
    if not path.exists():
        with atomic_write(path) as temporary:
            how = ["-t", str(CUT_S), "-c", "copy", "-f", "mp4", "-y", temporary]
            command = ["ffmpeg", "-nostdin", "-v", "error", "-i", film, *how]
            subprocess.run(command, check=True)
    return path


def find(path: Path) -> Found:
    """Plan a film with and without trim."""
    n_looked = 0
    name_blank = video.name_blank

    def count_and_name(picture: Any) -> str | None:
        nonlocal n_looked
        n_looked += 1
        return name_blank(picture)

    how: dict[str, Any] = {
        **{"mode": "interval", "every": EVERY_S, "start_s": 0.0, "end_s": None},
        **{"per_shard": 10**6, "crop": "auto"},
    }
    video.name_blank = count_and_name
    cpu_s: dict[str, float] = {}
    try:
        for trim in ("none", "auto") * TIMES:
            begin, n_looked = time.process_time(), 0
            planned = video.plan_video(path, trim=trim, **how)
            took_s = time.process_time() - begin
            cpu_s[trim] = min(took_s, cpu_s.get(trim, took_s))
    finally:
        video.name_blank = name_blank
    names = planned["trimmed_start"], planned["trimmed_end"]
    ends = planned["start_s"] if names[0] else None, planned["end_s"]
    return Found(ends, names, n_looked, cpu_s["auto"] - cpu_s["none"])


def is_right(found: float | None, truth: float | None) -> bool:
    """Whether an end is where it is, or not there where there is none."""
    if found is None or truth is None:
        return found is truth
    return abs(found - truth) <= TOLERANCE_S


def write_ends(ends: tuple[float | None, float | None]) -> str:
    """Write both ends, in seconds."""
    start, end = ends
    return (
        f"{'-' if start is None else f'{start:.2f}'} | "
        f"{'-' if end is None else f'{end:.2f}'}"
    )


def main() -> None:
    """Judge all films, print the table and write it into the page."""
    os.environ.setdefault("SVT_LOG", "-1")
    CACHE.mkdir(parents=True, exist_ok=True)
    films = list(list_films())
    lines = [
        "| film | begins | ends | found: begins | ends | left out | right | looked at "
        "| CPU s more |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    n_right = 0
    for name, path, truth in films:
        with contextlib.redirect_stderr(io.StringIO()):
            found = find(path)
        right = all(map(is_right, found.ends, truth))
        n_right += right
        left_out = " / ".join(each or "-" for each in found.names)
        lines.append(
            f"| {name} | {write_ends(truth)} | {write_ends(found.ends)} | "
            f"{left_out if any(found.names) else 'nothing'} | "
            f"{'yes' if right else 'no'} | {found.n_looked} | {found.cost_s:.2f} |"
        )
    lines[:0] = [
        f"{n_right} of {len(films)} films are right, to {TOLERANCE_S} s, by `uv run "
        f"python benchmarks/trim.py` with a sample every {EVERY_S} s, on",
        f"{name_machine()}. Times are in seconds; `-`: at the film's own end.",
        "",
    ]
    print("\n".join(lines))
    write_between(PAGE, "trim", "\n".join(lines))


if __name__ == "__main__":
    main()
