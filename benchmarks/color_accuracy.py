"""How far colors and averages are off, beside two ways that are in common use.

Films of known sRGB colors are coded without loss in each matrix, range and transfer,
and read back by Reelbow, by a plain OpenCV read, and by FFmpeg's scaling to one pixel
(swscale with its defaults, by way of PyAV). Errors are in 8-bit levels. The column
"coding" is what Y'CbCr of so many bits itself loses: the same by exact arithmetic.

    uv run python benchmarks/color_accuracy.py
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "workflow" / "scripts"))

from reelbow.color.spaces import linear_to_srgb, srgb_to_linear  # noqa: E402 (the path comes first)
from reelbow.color.tone_mapping import (  # noqa: E402 (the path comes first)
    SDR_WHITE,
    convert_primaries,
    decode_hlg,
    decode_pq,
    encode_pq,
)
from reelbow.film import read_frames  # noqa: E402 (the path comes first)
from reelbow.pictures.averages import shape_and_average  # noqa: E402 (the path comes first)
from reelbow.sources.demo import load_photos  # noqa: E402

Colors = NDArray[np.float64]

# Luma weights of red and blue, and FFmpeg's number of the matrix.
MATRICES = {
    "BT.601": (0.299, 0.114, 6),
    "BT.709": (0.2126, 0.0722, 1),
    "BT.2020": (0.2627, 0.0593, 9),
}


class Kind(NamedTuple):
    """How a film is coded."""

    matrix: str
    color_range: str = "limited"
    bits: int = 8
    transfer: str = "sdr"
    told: bool = True
    size: tuple[int, int] = (64, 64)  # of a patch, as silent films are judged by it

    def __str__(self) -> str:
        """Name it as in the table."""
        said = "" if self.told else ", not said by the film"
        name = {"sdr": "SDR", "pq": "PQ", "hlg": "HLG"}[self.transfer]
        return f"{self.matrix}, {self.color_range}, {self.bits} bit, {name}{said}"


KINDS = [
    *(Kind(matrix, span) for matrix in MATRICES for span in ("limited", "full")),
    Kind("BT.709", bits=10),
    Kind("BT.2020", bits=10),
    Kind("BT.601", told=False),
    Kind("BT.709", told=False, size=(1280, 720)),
    Kind("BT.2020", bits=10, transfer="pq"),
    Kind("BT.2020", bits=10, transfer="hlg"),
]


def make_patches() -> list[Colors]:
    """Make flat colors: grays, primaries and random ones."""
    rng = np.random.default_rng(0)
    grays = [[value] * 3 for value in range(0, 256, 17)]
    pure = [[r, g, b] for r in (0, 255) for g in (0, 255) for b in (0, 255)]
    return [np.array(c, float) for c in [*grays, *pure, *rng.integers(0, 256, (40, 3))]]


def code_rgb(srgb: Colors, kind: Kind) -> Colors:
    """Turn sRGB [0, 255] into the film's R'G'B' [0, 1]."""
    if kind.matrix != "BT.2020":
        return srgb / 255
    light = srgb_to_linear(srgb)
    light = light @ convert_primaries("bt709", "bt2020").T
    light = np.clip(light, 0, 1)
    if kind.transfer == "sdr":
        return linear_to_srgb(light) / 255
    light = light * SDR_WHITE
    if kind.transfer == "pq":
        return encode_pq(light)
    # The inverse of BT.2100's OOTF, then its OETF.
    shown = light / 1000
    luminance = shown @ [0.2627, 0.6780, 0.0593]
    scene = shown / np.maximum(luminance, 1e-12)[..., None] ** (0.2 / 1.2)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(
        scene <= 1 / 12,
        np.sqrt(3 * scene),
        a * np.log(np.maximum(12 * scene - b, 1e-12)) + c,
    )


def darken(srgb: Colors, kind: Kind) -> Colors:
    """Keep what HDR shows as it is: its light parts are compressed, by intent."""
    return srgb if kind.transfer == "sdr" else srgb * (170 / 255)


def decode_rgb(rgb: Colors, kind: Kind) -> Colors:
    """Do the inverse of `code_rgb`, in exact arithmetic."""
    rgb = np.clip(rgb, 0, 1)
    if kind.matrix != "BT.2020":
        return rgb * 255
    if kind.transfer == "sdr":
        light = srgb_to_linear(255 * rgb)
    elif kind.transfer == "pq":
        light = decode_pq(rgb) / SDR_WHITE
    else:
        scene = decode_hlg(rgb)
        luminance = scene @ [0.2627, 0.6780, 0.0593]
        shown = scene * np.maximum(luminance, 1e-12)[..., None] ** 0.2
        light = shown * 1000 / SDR_WHITE
    light = light @ convert_primaries("bt2020").T
    return linear_to_srgb(np.clip(light, 0, 1))


def scale_codes(kind: Kind) -> tuple[float, float, float]:
    """Find the code of black, and the swings of luma and chroma."""
    if kind.color_range == "full":
        return 0, 2**kind.bits - 1, 2**kind.bits - 1
    unit = 2 ** (kind.bits - 8)
    return 16 * unit, 219 * unit, 224 * unit


def write_film(path: Path, frames: list[Colors], kind: Kind) -> Colors:
    """Write frames of sRGB [0, 255] without loss (FFV1, 4:4:4).

    Returns
    -------
    (n, 3) what the coding leaves of their mean colors
    """
    red, blue, number = MATRICES[kind.matrix]
    low, swing, chroma = scale_codes(kind)
    middle = 2 ** (kind.bits - 1)
    left = []
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=Fraction(1))
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv444p" if kind.bits == 8 else "yuv444p10le"
        context = stream.codec_context
        if kind.told:
            context.colorspace = number
            context.color_range = 2 if kind.color_range == "full" else 1
            context.color_trc = {"sdr": 2, "pq": 16, "hlg": 18}[kind.transfer]
            context.color_primaries = 9 if kind.matrix == "BT.2020" else 1
        for i, frame in enumerate(frames):
            rgb = code_rgb(frame, kind)
            luma = rgb @ [red, 1 - red - blue, blue]
            planes = [
                low + swing * luma,
                middle + chroma * (rgb[..., 2] - luma) / (2 - 2 * blue),
                middle + chroma * (rgb[..., 0] - luma) / (2 - 2 * red),
            ]
            planes = [np.rint(values).clip(0, 2**kind.bits - 1) for values in planes]
            y = (planes[0] - low) / swing
            b = y + (planes[1] - middle) / chroma * (2 - 2 * blue)
            r = y + (planes[2] - middle) / chroma * (2 - 2 * red)
            g = (y - red * r - blue * b) / (1 - red - blue)
            exact = decode_rgb(np.stack([r, g, b], axis=-1), kind)
            left.append(exact.mean(axis=(0, 1)))
            coded = av.VideoFrame(stream.width, stream.height, stream.pix_fmt)
            dtype = np.uint8 if kind.bits == 8 else np.uint16
            for plane, values in zip(coded.planes, planes, strict=True):
                columns = plane.line_size // np.dtype(dtype).itemsize
                rows = np.zeros((plane.height, columns), dtype)
                rows[:, : plane.width] = values
                plane.update(rows.tobytes())
            coded.pts = i
            container.mux(stream.encode(coded))
        container.mux(stream.encode(None))
    return np.array(left)


def read_by_reelbow(path: Path) -> Iterator[Colors]:
    """Read mean colors, unrounded."""
    for frame in read_frames(path, every=1):
        _, averages = shape_and_average(
            frame.pixels,
            full=frame.pixels.shape[:2],
            crop=None,
            height=None,
            space="srgb",
        )
        yield averages.mean


def read_by_opencv(path: Path) -> Iterator[Colors]:
    """Read frames plainly and average them."""
    capture = cv2.VideoCapture(str(path))
    while True:
        there, frame = capture.read()
        if not there:
            return
        yield frame[..., ::-1].mean(axis=(0, 1))


def read_by_one_pixel(path: Path) -> Iterator[Colors]:
    """Scale frames to one pixel, as by ffmpeg's scale=1:1."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            pixel = frame.reformat(width=1, height=1, format="rgb24")
            yield pixel.to_ndarray()[0, 0].astype(float)


WAYS = {
    "Reelbow": read_by_reelbow,
    "OpenCV": read_by_opencv,
    "FFmpeg, one pixel": read_by_one_pixel,
}


def measure(title: str, frames_of: dict[Kind, list[Colors]], folder: Path) -> None:
    """Print a table: largest and mean error of the frames' mean colors."""
    print(f"\n| {title} | coding | " + " | ".join(WAYS) + " |")
    print("|---" * (len(WAYS) + 2) + "|")
    for kind, frames in frames_of.items():
        path = folder / "film.mkv"
        found = [write_film(path, frames, kind)]
        truth = np.array([frame.mean(axis=(0, 1)) for frame in frames])
        found += [np.array(list(read(path))) for read in WAYS.values()]
        errors = [np.abs(each - truth) for each in found]
        cells = [f"{error.max():.1f} / {error.mean():.2f}" for error in errors]
        print(f"| {kind} | " + " | ".join(cells) + " |")


def main() -> None:
    """Print both tables."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    print("Errors in 8-bit levels: largest / mean over frames and channels.")
    with tempfile.TemporaryDirectory() as folder:
        patches = {
            kind: [
                np.broadcast_to(darken(color, kind), (kind.size[1], kind.size[0], 3))
                for color in (make_patches() if kind.told else make_patches()[::8])
            ]
            for kind in KINDS
        }
        measure("flat colors", patches, Path(folder))
        photographs = [photo.astype(float) for photo in load_photos().values()]
        averages = {
            kind: [darken(photograph, kind) for photograph in photographs]
            for kind in KINDS
            if kind.told
        }
        measure("mean of photographs", averages, Path(folder))


if __name__ == "__main__":
    main()
