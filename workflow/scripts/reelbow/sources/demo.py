"""A little film whose truth is known: for the README, the tests and a first try.

One day at a lake, from dawn to night, out of the two photographs that ship with
scikit-learn. It has what real films have: cuts, camera motion, fades to and from
black, a letterboxed stretch, flat title cards, B-frames, and BT.709 colors in
limited range. ``SCENES`` tells what is in every frame.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from importlib.util import find_spec
from itertools import pairwise
from math import cos, pi, radians, sin
from pathlib import Path
from typing import Literal

import av
import cv2
import numpy as np
from av.video.reformatter import (
    ColorPrimaries,
    ColorRange,
    Colorspace,
    ColorTrc,
    Interpolation,
)
from numpy.typing import NDArray

from reelbow.color.spaces import LUMA_WEIGHTS
from reelbow.errors import ReelbowError

FPS = 24
SIZE = (640, 360)  # width, height
SCOPE_BAR = 46  # rows; what is left between two of them is 640x268, 2.39:1
CREDITS = (
    "Made from two photographs that ship with scikit-learn, cropped, mirrored and"
    " tinted: china.jpg by danielbuechele"
    " (https://www.flickr.com/photos/danielbuechele/6061409035/) and flower.jpg by"
    " vultilion (https://www.flickr.com/photos/vultilion/6056698931/), some rights"
    " reserved, both CC BY 2.0 (https://creativecommons.org/licenses/by/2.0/)."
)


@dataclass(frozen=True)
class View:
    """Where the camera looks: a window in a photograph of 640x427 pixels.

    The window is never wider than the photograph, so sampling it only ever enlarges
    and needs no low-pass filter.
    """

    x: float  # of the window's center
    y: float
    width: float
    angle: float = 0.0  # degrees, clockwise


@dataclass(frozen=True)
class Grade:
    """A color grade: where black and white go, and how much color stays."""

    shadows: int  # 0xRRGGBB, what black becomes
    zenith: int  # what white becomes at the top of the photograph
    horizon: int  # what white becomes from the middle of the photograph down
    saturation: float = 1.0
    gamma: float = 1.0


@dataclass(frozen=True)
class Shot:
    """One camera move over one photograph, while one grade turns into another."""

    photo: Literal["china", "flower"]
    first: View
    last: View
    grades: tuple[str, str]
    mirrored: bool = False


@dataclass(frozen=True)
class Scene:
    """What is in the frames from `start_frame` up to, not including, `end_frame`."""

    name: str
    start_frame: int
    end_frame: int
    color: int | None = None  # 0xRRGGBB of a card
    shot: Shot | None = None
    fade_in: int = 0  # frames, from black; the first one is black
    fade_out: int = 0  # frames, to black; the last one is black
    bar: int = 0  # rows of black at the top, and as many at the bottom

    @property
    def kind(self) -> Literal["card", "shot"]:
        """A flat color, or a camera move over a photograph."""
        return "card" if self.shot is None else "shot"


GRADES = {
    "natural": Grade(0x000000, 0xFFFFFF, 0xFFFFFF),
    "before_dawn": Grade(0x0A1026, 0x33457D, 0x8A7BA6, 0.5, 1.35),
    "dawn": Grade(0x1C1838, 0x8FA6D8, 0xFFC2B0, 0.8, 1.1),
    "morning": Grade(0x0C1A24, 0xBFDDF2, 0xFFEFD2, 1.05, 0.95),
    "cool": Grade(0x04161F, 0xC4F0F4, 0xD8F7F0, 0.9, 1.0),
    "noon": Grade(0x000000, 0x5FACFF, 0xF4FBFF, 1.55, 0.95),
    "gold": Grade(0x1E1006, 0xFFE09A, 0xFFCF6E, 1.2, 0.85),
    "sunset": Grade(0x240C28, 0xC8406E, 0xFF9A55, 1.2, 0.95),
    "sepia": Grade(0x1B110A, 0xF0DDB8, 0xE8CFA2, 0.06, 1.15),
    "dusk": Grade(0x120B2B, 0x4B3F8F, 0xE07BA8, 0.75, 1.3),
    "magenta": Grade(0x160526, 0xC86BD6, 0xFF7FA5, 1.0, 1.15),
    "lantern": Grade(0x0A0616, 0x6A3A7C, 0xFF6A3C, 1.2, 1.35),
    "night": Grade(0x040818, 0x1A3474, 0x6E9CE8, 0.7, 1.3),
    "midnight": Grade(0x02040C, 0x0E2050, 0x2E6A94, 0.5, 1.4),
}


def _lay_out() -> Iterator[Scene]:
    """Lay the scenes end to end."""
    frame = 0

    def scene(
        name: str,
        n_frames: int,
        content: Shot | int,
        fade_in: int = 0,
        fade_out: int = 0,
        bar: int = 0,
    ) -> Scene:
        nonlocal frame
        start, frame = frame, frame + n_frames
        color, shot = (content, None) if isinstance(content, int) else (None, content)
        return Scene(name, start, frame, color, shot, fade_in, fade_out, bar)

    def china(first: View, last: View, *grades: str, mirrored: bool = False) -> Shot:
        return Shot("china", first, last, (grades[0], grades[-1]), mirrored)

    def flower(first: View, last: View, *grades: str, mirrored: bool = False) -> Shot:
        return Shot("flower", first, last, (grades[0], grades[-1]), mirrored)

    yield scene("leader", 24, 0x22305C)
    yield scene(
        "dawn_pagoda",
        96,
        china(View(330, 200, 600), View(300, 190, 500), "before_dawn", "dawn"),
        fade_in=48,
    )
    yield scene(
        "dawn_lake",
        72,
        china(View(390, 225, 320), View(470, 235, 320), "dawn", "morning"),
    )
    yield scene(
        "dew", 60, flower(View(250, 190, 330, -8), View(300, 215, 300, 4), "cool")
    )
    yield scene(
        "morning_roof", 48, china(View(150, 110, 250), View(230, 110, 270), "morning")
    )
    yield scene(
        "garden", 48, china(View(230, 350, 270), View(400, 345, 270), "morning", "noon")
    )
    yield scene("noon_card", 24, 0xE2783C)
    yield scene(
        "noon_pagoda", 72, china(View(320, 240, 640), View(220, 200, 420), "noon")
    )
    yield scene("sky", 48, china(View(410, 220, 340), View(400, 120, 360), "noon"))
    yield scene(
        "noon_flower",
        72,
        flower(View(307, 220, 230, -25), View(307, 215, 560, 10), "natural"),
    )
    yield scene(
        "leaves", 48, flower(View(120, 200, 220), View(130, 120, 220), "natural")
    )
    yield scene(
        "scope_lake",
        84,
        china(View(430, 230, 400), View(330, 215, 560), "gold", mirrored=True),
        bar=SCOPE_BAR,
    )
    yield scene(
        "scope_flower",
        60,
        flower(View(250, 215, 420), View(370, 225, 420), "gold"),
        bar=SCOPE_BAR,
    )
    yield scene(
        "scope_pagoda",
        72,
        china(View(210, 320, 330), View(210, 120, 330), "gold", "sunset"),
        bar=SCOPE_BAR,
    )
    yield scene(
        "scope_horizon",
        72,
        china(View(520, 260, 240), View(440, 200, 400), "sunset"),
        bar=SCOPE_BAR,
    )
    yield scene("evening_card", 24, 0xA8324E)
    yield scene(
        "sunset",
        84,
        china(View(330, 200, 440), View(350, 180, 580), "sunset", "dusk"),
        fade_out=24,
    )
    yield scene(
        "memory_pagoda",
        60,
        china(View(250, 200, 560), View(220, 170, 470), "sepia", mirrored=True),
        fade_in=24,
    )
    yield scene(
        "memory_flower",
        36,
        flower(View(307, 240, 460), View(307, 225, 400), "sepia", mirrored=True),
    )
    yield scene(
        "dusk_flower",
        60,
        flower(View(300, 215, 300, 10), View(310, 225, 380, -10), "magenta"),
    )
    yield scene(
        "lanterns", 48, china(View(160, 305, 190), View(270, 290, 190), "lantern")
    )
    yield scene(
        "dusk_pagoda",
        60,
        china(View(300, 190, 520), View(320, 210, 600), "dusk", "night"),
    )
    yield scene(
        "night_flower",
        60,
        flower(View(330, 240, 520), View(307, 225, 330), "night", mirrored=True),
    )
    yield scene(
        "night_lake",
        84,
        china(View(450, 220, 360), View(400, 190, 480), "night", "midnight"),
        fade_out=48,
    )
    yield scene("end_card", 24, 0x14705F)


SCENES = tuple(_lay_out())
N_FRAMES = SCENES[-1].end_frame
CUTS = tuple(
    after.start_frame
    for before, after in pairwise(SCENES)
    # From black to black nothing is seen to change.
    if not (before.fade_out and after.fade_in)
)


def make_demo_film(path: Path, *, every: int = 1) -> None:
    """Write the film as MP4: H.264 with B-frames, BT.709 in limited range.

    The same bytes on every run on one machine.

    Parameters
    ----------
    path
    every
        Write only every nth frame, at as much lower a rate: the same film, sooner.
    """
    with av.open(
        path, "w", format="mp4", options={"movflags": "+faststart"}
    ) as container:
        container.metadata["title"] = "Reelbow's demo film"
        container.metadata["comment"] = CREDITS
        stream = container.add_stream("libx264", rate=Fraction(FPS, every))
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        # More threads would be faster, and give other bytes on other machines.
        stream.thread_count = 1
        stream.options = {
            "preset": "veryfast",
            "profile": "high",
            "crf": "18",
            "x264-params": f"keyint={3 * FPS}:bframes=3:open-gop=0",
        }
        codec = stream.codec_context
        codec.colorspace = Colorspace.ITU709
        codec.color_range = ColorRange.MPEG
        codec.color_primaries = ColorPrimaries.BT709
        codec.color_trc = ColorTrc.BT709
        for pixels in draw_frames(every=every):
            container.mux(stream.encode(_to_bt709(pixels)))
        container.mux(stream.encode(None))


def draw_frames(*, every: int = 1) -> Iterator[NDArray[np.uint8]]:
    """Draw the film's frames: (360, 640, 3) uint8, sRGB."""
    photos = load_photos()
    width, height = SIZE
    for scene in SCENES:
        inner = (width, height - 2 * scene.bar)
        n_frames = scene.end_frame - scene.start_frame
        if scene.shot is not None:
            # Graded once a scene, not once a frame.
            photo = photos[scene.shot.photo]
            graded = {name: _grade(photo, GRADES[name]) for name in scene.shot.grades}
            first, last = (graded[name] for name in scene.shot.grades)
        for frame in range(-scene.start_frame % every, n_frames, every):
            pixels = np.zeros((height, width, 3), np.uint8)
            if scene.shot is None:
                assert scene.color is not None
                pixels[:] = _channels(scene.color)
            else:
                progress = frame / (n_frames - 1)
                photo = first
                if first is not last:
                    photo = cv2.addWeighted(
                        first, 1 - progress, last, progress, 0
                    ).astype(np.uint8, copy=False)
                picture = _film(photo, scene.shot, progress, inner)
                light = _light(scene, frame)
                if light < 1:
                    picture = np.rint(light * picture).astype(np.uint8)
                pixels[scene.bar : height - scene.bar] = picture
            yield pixels


def load_photos() -> dict[str, NDArray[np.uint8]]:
    """Load scikit-learn's photographs, each (427, 640, 3) uint8, sRGB.

    Raises
    ------
    ReelbowError
        If scikit-learn is not installed, or without its photographs.
    """
    # Only found, not imported: that alone takes as long as drawing the whole film.
    spec = find_spec("sklearn")
    photos = {}
    for name in ("china", "flower"):
        photo = None
        if spec is not None and spec.origin is not None:
            file = Path(spec.origin).parent / "datasets" / "images" / f"{name}.jpg"
            photo = cv2.imread(str(file), cv2.IMREAD_COLOR_RGB)
        if photo is None:
            raise ReelbowError(
                f"the demo film needs {name}.jpg of scikit-learn 1.x, which is not"
                " here: install scikit-learn"
            )
        photos[name] = photo.astype(np.uint8, copy=False)
    return photos


def _channels(color: int) -> tuple[int, int, int]:
    """Split 0xRRGGBB into red, green and blue."""
    return color >> 16, color >> 8 & 0xFF, color & 0xFF


def _grade(photo: NDArray[np.uint8], grade: Grade) -> NDArray[np.uint8]:
    """Tint a photograph, (h, w, 3) uint8."""
    scaled = photo.astype(np.float32) / 255
    luma = scaled @ LUMA_WEIGHTS.astype(np.float32)
    gray = luma[..., np.newaxis]
    toned = np.clip(gray + grade.saturation * (scaled - gray), 0, 1) ** grade.gamma
    rows = len(photo)
    height = np.linspace(1, -1, rows, dtype=np.float32).clip(0, 1).reshape(-1, 1, 1)
    shadows, zenith, horizon = (
        np.array(_channels(color), np.float32)
        for color in (grade.shadows, grade.zenith, grade.horizon)
    )
    highlights = horizon + height * (zenith - horizon)
    graded: NDArray[np.uint8] = np.rint(
        shadows + toned * (highlights - shadows)
    ).astype(np.uint8)
    return graded


def _film(
    photo: NDArray[np.uint8], shot: Shot, progress: float, size: tuple[int, int]
) -> NDArray[np.uint8]:
    """Sample what the camera sees of a photograph at `progress`, in [0, 1]."""
    # A camera starts and stops gently, yet is never quite still.
    eased = 0.5 * progress + 0.25 * (1 - cos(pi * progress))
    x, y, width, angle = (
        (1 - eased) * first + eased * last
        for first, last in (
            (shot.first.x, shot.last.x),
            (shot.first.y, shot.last.y),
            (shot.first.width, shot.last.width),
            (shot.first.angle, shot.last.angle),
        )
    )
    scale = width / size[0]
    right = scale * np.array([cos(radians(angle)), sin(radians(angle))])
    down = scale * np.array([-sin(radians(angle)), cos(radians(angle))])
    if shot.mirrored:
        right = -right
    origin = [x, y] - (size[0] - 1) / 2 * right - (size[1] - 1) / 2 * down
    picture = cv2.warpAffine(
        photo,
        np.column_stack([right, down, origin]),
        size,
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return picture.astype(np.uint8, copy=False)


def _light(scene: Scene, frame: int) -> float:
    """How bright a frame of a scene is: 0 black, 1 not faded."""
    left = scene.end_frame - scene.start_frame - 1 - frame
    return min(
        1.0,
        frame / scene.fade_in if scene.fade_in else 1.0,
        left / scene.fade_out if scene.fade_out else 1.0,
    )


def _to_bt709(pixels: NDArray[np.uint8]) -> av.VideoFrame:
    """Convert sRGB pixels to YUV 4:2:0 with the matrix of BT.709, limited range."""
    return av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(
        format="yuv420p",
        src_color_range=ColorRange.JPEG,
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
        interpolation=Interpolation.AREA
        | Interpolation.ACCURATE_RND
        | Interpolation.FULL_CHR_H_INP
        | Interpolation.BITEXACT,
        threads=1,
    )
