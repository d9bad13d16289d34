"""Films with black, a title, credits and black again at their ends, at known times."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from films import write_film

Picture = NDArray[np.uint8]

RATE = 8
SIZE = (320, 180)

# Seconds: black, a title that fades in and out, the film, credits that roll, black.
LENGTHS = (3, 4, 20, 8, 2)
START_S, END_S = 7.0, 27.0
NAMES = ("black, text on black", "text on black, black")
LINES = ["A film of light", "Camera", "Grace Hopper", "Sound", "Alan Turing", "Thanks"]


def write_text(
    picture: Picture, lines: list[str], *, top: float, height: float
) -> Picture:
    """Write white lines into the middle, parts of the picture's height from its top."""
    rows, columns = picture.shape[:2]
    scale = height * rows / 30
    for i, line in enumerate(lines):
        (width, _), _ = cv2.getTextSize(line, cv2.FONT_HERSHEY_DUPLEX, scale, 1)
        place = ((columns - width) // 2, round(rows * (top + 1.6 * height * (i + 1))))
        font = cv2.FONT_HERSHEY_DUPLEX
        cv2.putText(
            picture,
            line,
            place,
            font,
            scale,
            (235,) * 3,
            max(1, rows // 240),
            cv2.LINE_AA,
        )
    return picture


def draw_scene(number: int, size: tuple[int, int] = SIZE) -> Picture:
    """Draw a picture of a film: waves of color that move."""
    width, height = size
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    shift = 3 * number
    waves = [np.sin((x + shift) / 40), np.sin((y + shift) / 25), np.sin((x + y) / 60)]
    picture = np.stack([128 + 90 * wave for wave in waves], axis=2)
    return np.asarray(picture, np.uint8)


def draw_film(size: tuple[int, int] = SIZE) -> Iterator[Picture]:
    """Draw all pictures of the film."""
    width, height = size
    n = [RATE * seconds for seconds in LENGTHS]
    black = np.zeros((height, width, 3), np.uint8)
    yield from [black] * n[0]
    title = write_text(black.copy(), LINES[:1], top=0.35, height=0.1)
    for i in range(n[1]):
        light = min(1.0, (i + 1) / RATE, (n[1] - i) / RATE)
        yield (title * light).astype(np.uint8)
    for i in range(n[2]):
        yield draw_scene(i, size)
    for i in range(n[3]):
        top = 0.9 - 1.8 * i / n[3]
        yield write_text(black.copy(), LINES, top=top, height=0.06)
    yield from [black] * n[4]


def add_bars(picture: Picture, rows: int) -> Picture:
    """Put black bars above and below."""
    return np.pad(picture, ((rows, rows), (0, 0), (0, 0)))


def write_blank_ends(
    path: Path, *, bars: int = 0, size: tuple[int, int] = SIZE, **how: Any
) -> Path:
    """Write the film; `how` goes to `write_film`."""
    pictures = (add_bars(picture, bars) for picture in draw_film(size))
    return write_film(path, pictures, rate=RATE, **how)
