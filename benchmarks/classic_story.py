"""The classic story of making such a program faster, each of its steps measured.

A program that finds palettes begins with OpenCV's `read` and scikit-learn's k-means on
all pixels. This measures the steps by which such programs are usually made faster,
beside what Reelbow does there: on the film and the JPEGs of benchmarks/films.py, by
turns, in one thread where no row says otherwise.

    uv run --with cython==3.3.1 --with turbojpeg==0.0.2 \
        --with pocl-binary-distribution==3.0 python benchmarks/classic_story.py

Cython also needs a C compiler. Where something is not installed its row says so.
"""

import argparse
import csv
import ctypes
import importlib.util
import io
import json
import os
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))


def find_library(module: str, pattern: str) -> str | None:
    """Find a shared library that a package brings along; None: not installed."""
    spec = importlib.util.find_spec(module)
    places = [spec.origin, *(spec.submodule_search_locations or [])] if spec else []
    found = [path for at in places if at for path in Path(at).parent.glob(pattern)]
    return str(found[0]) if found else None


# OpenCV looks for OpenCL's drivers when it first needs one; PoCL's computes on the CPU.
if POCL := find_library("pyopencl", "pyopencl/.libs/libpocl*"):
    os.environ |= {
        "OCL_ICD_VENDORS": POCL,
        "OPENCV_OPENCL_DEVICE": ":CPU:",
        "POCL_MAX_PTHREAD_COUNT": "1",
    }

import av  # noqa: E402 (the driver comes first)
import cv2  # noqa: E402
import numba  # noqa: E402
import numpy as np  # noqa: E402
import simplejpeg  # noqa: E402
from machine import name_machine, write_between  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from PIL import Image  # noqa: E402
from sklearn.cluster import KMeans, MiniBatchKMeans  # noqa: E402
from threadpoolctl import threadpool_limits  # noqa: E402

import films  # noqa: E402
from reelbow.film.coding import find_coding, to_srgb  # noqa: E402
from reelbow.film.decoding import decode_samples  # noqa: E402
from reelbow.film.probe import probe_film  # noqa: E402
from reelbow.film.timeline import sample_interval, scan_timeline  # noqa: E402
from reelbow.film.view import shape_frame  # noqa: E402
from reelbow.film.yuv_average import WEIGHTS  # noqa: E402
from reelbow.kmeans import find_palettes  # noqa: E402
from reelbow.pictures.area_average import average_areas  # noqa: E402
from reelbow.pictures.image_files import decode_image  # noqa: E402

FIGURES = ROOT / "benchmarks" / "classic_story.json"
# What the rows of the tables say beside figures. A line without a row heads a table,
# with what its errors are; all else is measured against the first row.
WORDS = ROOT / "benchmarks" / "classic_story.tsv"
PAGE = ROOT / "docs" / "performance.md"
MARKER = "story"
PACKAGES = ("cython==3.3.1", "turbojpeg==0.0.2", "pocl-binary-distribution==3.0")
COMMAND = (
    f"uv run {' '.join(f'--with {package}' for package in PACKAGES)} "
    "python benchmarks/classic_story.py"
)
VERSIONS = ("opencv-python-headless", "scikit-learn", "numpy", "numba", "simplejpeg")

# One frame a second of the film; JPEGs spread over the tarball, and the first of them
# whose palettes are also found of all pixels, which takes seconds each.
N_SECONDS, N_JPEGS, N_FULL = 12, 12, 3
ROWS, COLUMNS = 90, 160
K = 8
# (x, y, width, height) in 1920x1080.
BETWEEN_BARS, MIDDLE = (0, 140, 1920, 800), (480, 270, 960, 540)

Picture = NDArray[np.uint8]
Floats = NDArray[np.float64]
Figures = dict[str, Any]


# Two threads beside one.
THREADS = {
    "decode": "decode a film, a frame a second",
    "resize": "`resize` by `INTER_AREA`, `cv2.setNumThreads`",
    "kmeans": "`KMeans` of 160x90, OpenMP",
    "jpeg": "decode JPEGs, `ThreadPoolExecutor`",
}
# Whole programs, on the film and on the tarball: the steps that they add up.
PROGRAMS = {
    "OpenCV, `KMeans` on all pixels": (
        ["decode.read", "kmeans.all_pixels"],
        ["jpeg.imread", "kmeans.all_pixels"],
    ),
    "`resize` to 160x90 first": (
        ["decode.read", "kmeans.linear"],
        ["jpeg.imread", "kmeans.linear"],
    ),
    "`grab` what is thrown away; unpack nothing": (
        ["decode.grab", "kmeans.linear"],
        ["jpeg.frombuffer", "kmeans.linear"],
    ),
    "one start of k-means, not five": (
        ["decode.grab", "kmeans.one_start"],
        ["jpeg.frombuffer", "kmeans.one_start"],
    ),
    "**Reelbow's** steps, with means and strips": (
        ["decode.reelbow", "planes.reelbow", "kmeans.reelbow"],
        ["jpeg.reelbow", "kmeans.reelbow"],
    ),
}


# Minutes of two hours at a frame a second, and days of 11 million, per ms a frame.
UNITS = (7200 / 60e3, 11e6 / 86.4e6)


class Step(NamedTuple):
    """A function that does so many frames, and one that tells how far off it is."""

    run: Callable[[], Any]
    n_frames: int
    judge: Callable[[], str] = str


def each(
    function: Callable[[Any], Any],
    items: Sequence[Any],
    judge: Callable[[Any], str] | None = None,
) -> Step:
    """Make a step of a function of one frame, with what tells the error of all."""

    def run() -> None:
        # Results are not kept, so that each finds the memory of the last, as in a loop.
        for item in items:
            function(item)

    if judge is None:
        return Step(run, len(items))
    return Step(run, len(items), lambda: judge([function(item) for item in items]))


def make_decoding(film: Path) -> dict[str, Step]:
    """Make the steps of table `decode`."""
    probe = probe_film(film)

    def seek() -> None:
        capture = open_capture(film)
        for second in range(N_SECONDS):
            capture.set(cv2.CAP_PROP_POS_MSEC, 1000 * second)
            capture.read()

    def grab() -> None:
        capture = open_capture(film)
        for i in range(N_SECONDS * films.RATE):
            capture.grab()
            if i % films.RATE == 0:
                capture.retrieve()

    def keyframes() -> list[Picture]:
        with av.open(str(film)) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            stream.codec_context.skip_frame = "NONKEY"
            return [
                np.asarray(to_srgb(frame, find_coding(frame, probe.coding)))
                for frame in container.decode(stream)
            ]

    return {
        "read": Step(lambda: read_film(film), N_SECONDS),
        "grab": Step(grab, N_SECONDS),
        "seek": Step(seek, N_SECONDS),
        "keyframes": Step(keyframes, len(keyframes())),
        "reelbow": Step(lambda: decode_film(film), N_SECONDS),
    }


def open_capture(film: Path, threads: int = 1) -> cv2.VideoCapture:
    """Open a film by OpenCV, to be decoded by so many threads."""
    options = [cv2.CAP_PROP_N_THREADS, threads]
    return cv2.VideoCapture(str(film), cv2.CAP_FFMPEG, options)


def read_film(film: Path, threads: int = 1) -> None:
    """Read every picture by OpenCV, as most programs begin."""
    capture = open_capture(film, threads)
    for _ in range(N_SECONDS * films.RATE):
        capture.read()


def decode_film(film: Path) -> list[av.VideoFrame]:
    """Decode one frame a second as Reelbow does; its planes are not converted."""
    timeline = scan_timeline(film)
    samples = sample_interval(timeline, every=1, start=0, end=N_SECONDS)
    decoded = decode_samples(film, timeline.keyframes.tolist(), samples)
    return [each.frame for _, each in decoded if each.frame is not None]


def judge_thumbnails(exact: Sequence[Floats]) -> Callable[[Any], str]:
    """Make what tells how far off pictures, or their thumbnails, are in levels."""

    def judge(found: Sequence[Any]) -> str:
        mean_off = pixel_off = 0.0
        for picture, truth in zip(found, exact, strict=True):
            small = average_exactly(picture)
            mean_off = max(mean_off, np.abs((small - truth).mean((0, 1))).max())
            pixel_off = max(pixel_off, np.abs(small - truth).max())
        return f"{mean_off:.1f} / {pixel_off:.0f}"

    return judge


def average_exactly(picture: NDArray[Any]) -> Floats:
    """Average a picture over the areas of 160x90 in float64."""
    if picture.shape[:2] == (ROWS, COLUMNS):
        return picture.astype(np.float64)
    # By whole pixels, after each was repeated where its edges are none of theirs.
    height, width = picture.shape[:2]
    down, across = (int(np.lcm(a, b)) for a, b in ((height, ROWS), (width, COLUMNS)))
    larger = picture.repeat(down // height, 0).repeat(across // width, 1)
    blocks = larger.reshape(ROWS, down // ROWS, COLUMNS, across // COLUMNS, 3)
    return np.asarray(blocks.mean(axis=(1, 3)), np.float64)


def make_jpegs(jpegs: list[bytes], folder: Path) -> dict[str, Step]:
    """Make the steps of table `jpeg`."""
    paths = [folder / f"{i}.jpg" for i in range(len(jpegs))]
    for path, data in zip(paths, jpegs, strict=True):
        path.write_bytes(data)
    judge = judge_thumbnails([average_exactly(decode(data)) for data in jpegs])

    def by_opencv(flag: int) -> Callable[[bytes], Picture]:
        return lambda data: np.asarray(
            cv2.imdecode(np.frombuffer(data, np.uint8), flag), np.uint8
        )

    def by_pillow(data: bytes, draft: tuple[int, int] | None = None) -> Picture:
        image = Image.open(io.BytesIO(data))
        if draft:
            image.draft("RGB", draft)
        return np.asarray(image.convert("RGB"))

    def judge_bgr(found: Sequence[Picture]) -> str:
        return judge([picture[..., ::-1] for picture in found])

    def convert(data: bytes) -> Picture:
        return cv2.cvtColor(by_opencv(cv2.IMREAD_COLOR)(data), cv2.COLOR_BGR2RGB)

    def cut(data: bytes) -> Picture:
        _, y, _, height = BETWEEN_BARS
        return decode(data)[y : y + height]

    steps = {
        "imread": each(lambda path: cv2.imread(str(path)), paths, judge_bgr),
        "frombuffer": each(by_opencv(cv2.IMREAD_COLOR), jpegs, judge_bgr),
        "cvtcolor": each(convert, jpegs, judge),
        "pillow": each(by_pillow, jpegs, judge),
        "simplejpeg": each(decode, jpegs, judge),
        "fast": each(
            lambda data: simplejpeg.decode_jpeg(data, fastdct=True, fastupsample=True),
            jpegs,
            judge,
        ),
        "draft": each(lambda data: by_pillow(data, (240, 135)), jpegs, judge),
        "gray_opencv": each(by_opencv(cv2.IMREAD_GRAYSCALE), jpegs),
        "gray": each(lambda data: simplejpeg.decode_jpeg(data, "GRAY"), jpegs),
        "crop": each(cut, jpegs),
        "reelbow": each(lambda data: decode_image(data).picture, jpegs, judge),
        "reelbow_reduced": each(
            lambda data: decode_image(data, height=ROWS).picture, jpegs, judge
        ),
    }
    for scale in (2, 4, 8):
        flag = getattr(cv2, f"IMREAD_REDUCED_COLOR_{scale}")
        steps[f"reduced_{scale}"] = each(by_opencv(flag), jpegs, judge_bgr)
    library = find_library("turbojpeg", "turbojpeg.libs/libturbojpeg*")
    if library:
        decode_region = load_turbojpeg(library)
        for name, region in (("region", BETWEEN_BARS), ("middle", MIDDLE)):
            x, y, width, height = region
            decoded, whole = decode_region(jpegs[0], region), decode(jpegs[0])
            # At its edges chroma is not interpolated with what is outside.
            inner = np.s_[y + 2 : y + height - 2, x + 2 : x + width - 2]
            if np.abs(decoded[2:-2, 2:-2].astype(int) - whole[inner]).max() > 2:
                raise ValueError(f"{library}: other pixels than those of the whole")
            steps[name] = each(
                lambda data, region=region: decode_region(data, region), jpegs
            )
    return steps


def decode(data: bytes) -> Picture:
    """Decode a JPEG to RGB."""
    return np.asarray(simplejpeg.decode_jpeg(data), np.uint8)


def load_turbojpeg(path: str) -> Callable[[bytes, tuple[int, int, int, int]], Picture]:
    """Load what decodes a region (x, y, width, height) of a JPEG; x: in 16ths.

    References
    ----------
    TurboJPEG API 3.0: tj3SetCroppingRegion, tj3Decompress8.
    """

    class Region(ctypes.Structure):
        _fields_ = [(name, ctypes.c_int) for name in "xywh"]

    library = ctypes.CDLL(path)
    library.tj3Init.restype = ctypes.c_void_p
    handle = ctypes.c_void_p(library.tj3Init(1))

    def decode_region(data: bytes, region: tuple[int, int, int, int]) -> Picture:
        picture = np.empty((region[3], region[2], 3), np.uint8)
        size, out = ctypes.c_size_t(len(data)), ctypes.c_void_p(picture.ctypes.data)
        if (
            library.tj3DecompressHeader(handle, data, size)
            or library.tj3SetCroppingRegion(handle, Region(*region))
            or library.tj3Decompress8(handle, data, size, out, 3 * region[2], 0)
        ):
            raise ValueError(f"{path}: does not decode the region {region}")
        return picture

    return decode_region


# The loop that people write, for sizes that divide: rows of sums over the width, and
# sums over areas. Cython's has the same body, with types.
FUSED = """
def fuse(picture, strip, area):
    lines = picture.shape[0] // area.shape[0]
    pixels = picture.shape[1] // area.shape[1]
    for y in range(picture.shape[0]):
        row = y // lines
        strip[y, 0] = strip[y, 1] = strip[y, 2] = 0
        for column in range(area.shape[1]):
            red = green = blue = 0
            for x in range(column * pixels, (column + 1) * pixels):
                red += picture[y, x, 0]
                green += picture[y, x, 1]
                blue += picture[y, x, 2]
            strip[y, 0] += red
            strip[y, 1] += green
            strip[y, 2] += blue
            area[row, column, 0] += red
            area[row, column, 1] += green
            area[row, column, 2] += blue
"""
CYTHON_HEAD = """# cython: boundscheck=False, wraparound=False, cdivision=True
def fuse(const unsigned char[:, :, ::1] picture, unsigned int[:, ::1] strip,
         unsigned int[:, :, ::1] area):
    cdef Py_ssize_t y, row, column, x, lines, pixels
    cdef unsigned int red, green, blue
"""


def compile_by_numba() -> Callable[..., None]:
    """Compile the loop by numba, when it is first called."""
    names: dict[str, Any] = {}
    exec(FUSED, names)
    return numba.njit(names["fuse"])  # type: ignore[no-any-return]


def compile_by_cython(folder: Path) -> Callable[..., None] | None:
    """Compile the loop by Cython and a C compiler; None if there is none of them."""
    compiler = shutil.which("cc")
    if importlib.util.find_spec("Cython") is None or compiler is None:
        return None
    source, library = folder / "fused.pyx", folder / "fused.so"
    source.write_text(CYTHON_HEAD + FUSED.partition("area):\n")[2])
    subprocess.run([sys.executable, "-m", "cython", "-3", source], check=True)
    flags = ["-O3", "-march=native", "-shared", "-fPIC", "-w"]
    include = f"-I{sysconfig.get_path('include')}"
    code = source.with_suffix(".c")
    subprocess.run([compiler, *flags, include, code, "-o", library], check=True)
    spec = importlib.util.spec_from_file_location("fused", library)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.fuse  # type: ignore[no-any-return]


def make_averages(pictures: list[Picture], folder: Path) -> dict[str, Step]:
    """Make the steps of table `averages`; each gives 160x90 first."""
    judge = judge_thumbnails([average_exactly(picture) for picture in pictures])

    def judge_first(found: Sequence[tuple[Picture, ...]]) -> str:
        return judge([averages[0] for averages in found])

    def by_numpy(picture: Picture) -> tuple[NDArray[Any], ...]:
        blocks = picture.reshape(ROWS, 12, COLUMNS, 12, 3)
        return blocks.mean((1, 3)), picture.mean(1), picture.mean((0, 1))

    def by_numpy_once(picture: Picture) -> tuple[NDArray[Any], ...]:
        sums = picture.reshape(-1, COLUMNS, 12, 3).sum(2, dtype=np.uint16)
        small = sums.reshape(ROWS, 12, COLUMNS, 3).sum(1, dtype=np.uint32) / 144
        strip = sums.sum(1, dtype=np.uint32) / (12 * COLUMNS)
        return small, strip, strip.mean(0)

    def by_opencv(picture: Any) -> tuple[Any, ...]:
        small = cv2.resize(picture, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)
        strip = cv2.reduce(picture, 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F)
        return small, strip, cv2.mean(picture)

    def by_umat(picture: Picture, device: bool) -> tuple[Any, ...]:
        cv2.ocl.setUseOpenCL(device)
        small, strip, mean = by_opencv(cv2.UMat(picture))
        return small.get(), strip.get(), mean

    def by_linear(picture: Picture) -> tuple[Any, ...]:
        small = cv2.resize(picture, (COLUMNS, ROWS))
        return small, small.mean(1), small.mean((0, 1))

    def by_loop(fuse: Callable[..., None], picture: Picture) -> tuple[Any, ...]:
        sums = np.empty((len(picture), 3), np.uint32)
        area = np.zeros((ROWS, COLUMNS, 3), np.uint32)
        fuse(picture, sums, area)
        strip = sums / picture.shape[1]
        return area / 144, strip, strip.mean(0)

    def by_reelbow(picture: Picture) -> tuple[Any, ...]:
        small, strip = average_areas(picture, (ROWS, COLUMNS))
        return small, strip, strip.mean(0)

    ways: dict[str, Callable[[Picture], Any]] = {
        "numpy": by_numpy,
        "numpy_once": by_numpy_once,
        "opencv": by_opencv,
        "umat": lambda picture: by_umat(picture, device=False),
        "linear": by_linear,
        "reelbow": by_reelbow,
    }
    by_numba, by_cython = compile_by_numba(), compile_by_cython(folder)
    ways["numba"] = lambda picture: by_loop(by_numba, picture)
    if by_cython:
        ways["cython"] = lambda picture: by_loop(by_cython, picture)
    if cv2.ocl.haveOpenCL():
        ways["umat_pocl"] = lambda picture: by_umat(picture, device=True)
    for way in ways.values():
        way(pictures[0])  # compiles what is to be compiled
    return {name: each(way, pictures, judge_first) for name, way in ways.items()}


def make_planes(film: Path, frames: list[av.VideoFrame]) -> dict[str, Step]:
    """Make the steps of table `planes`; each gives 160x90 first."""
    probe = probe_film(film)
    coding = find_coding(frames[0], probe.coding)
    red, blue = WEIGHTS[coding.matrix]
    judge = judge_thumbnails([convert_exactly(frame, red, blue) for frame in frames])

    def judge_first(found: Sequence[tuple[Picture, ...]]) -> str:
        return judge([averages[0] for averages in found])

    def by_rgb(frame: av.VideoFrame) -> tuple[Any, ...]:
        picture = to_srgb(frame, coding)
        small = cv2.resize(picture, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)
        strip = cv2.reduce(picture, 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F)
        return small, strip, cv2.mean(picture)

    def by_swscale(frame: av.VideoFrame) -> tuple[Any, ...]:
        small = frame.reformat(
            COLUMNS,
            ROWS,
            "rgb24",
            src_colorspace="ITU709",
            dst_colorspace="ITU709",
            interpolation="AREA",
            src_color_range="MPEG",
            dst_color_range="JPEG",
        ).to_ndarray()
        return small, small.mean(1), small.mean((0, 1))

    def by_planes(frame: av.VideoFrame) -> tuple[Any, ...]:
        luma, cb, cr = (
            cv2.resize(plane, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)
            for plane in view_planes(frame)
        )
        small = np.rint(convert_planes(luma, cb, cr, red, blue)).astype(np.uint8)
        return small, small.mean(1), small.mean((0, 1))

    def by_reelbow(frame: av.VideoFrame) -> tuple[Any, ...]:
        return shape_frame(frame, probe, crop=None, height=ROWS, space="srgb")

    ways: dict[str, Callable[[av.VideoFrame], Any]] = {
        "rgb": by_rgb,
        "swscale": by_swscale,
        "after": by_planes,
        "reelbow": by_reelbow,
    }
    by_reelbow(frames[0])  # compiles
    return {name: each(way, frames, judge_first) for name, way in ways.items()}


def view_planes(frame: av.VideoFrame) -> list[Picture]:
    """View the planes of a frame, (lines, columns) uint8 each."""
    return [
        np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:, : plane.width]
        for plane in frame.planes
    ]


def convert_planes(
    luma: NDArray[Any], cb: NDArray[Any], cr: NDArray[Any], red: float, blue: float
) -> Floats:
    """Convert Y'CbCr of limited range to RGB, (h, w, 3) float64 in [0, 255].

    References
    ----------
    Recommendation ITU-R BT.709-6, with the weights of red and blue of the matrix.
    """
    y = (luma.astype(np.float64) - 16) * (255 / 219)
    to_blue, to_red = (
        2 * (1 - weight) * (255 / 224) * (chroma.astype(np.float64) - 128)
        for weight, chroma in ((blue, cb), (red, cr))
    )
    green = y - (red * to_red + blue * to_blue) / (1 - red - blue)
    return np.clip(np.stack([y + to_red, green, y + to_blue], axis=-1), 0, 255)


def convert_exactly(frame: av.VideoFrame, red: float, blue: float) -> Floats:
    """Convert all pixels of a frame to RGB in float64, and average them to 160x90."""
    luma, cb, cr = view_planes(frame)
    # A pixel's chroma is the nearest; that of an area is nearly the same then.
    full = (chroma.repeat(2, 0).repeat(2, 1) for chroma in (cb, cr))
    return average_exactly(convert_planes(luma, *full, red, blue))


def make_kmeans(pictures: list[Picture]) -> dict[str, Step]:
    """Make the steps of table `kmeans`; each gives the colors (8, 3)."""
    some = pictures[:N_FULL]
    cache: dict[str, list[Floats]] = {}

    def judge(found: Sequence[Any]) -> str:
        sizes = {"full": some, "small": [shrink(picture) for picture in some]}
        texts = []
        for name, images in sizes.items():
            inertia = [
                measure_inertia(image, colors)
                for image, colors in zip(images, found, strict=False)
            ]
            cache.setdefault(name, inertia)
            ratio = np.mean(np.divide(inertia, cache[name]))
            texts.append(f"{ratio:.3f}")
        return " / ".join(texts)

    def fit(pixels: NDArray[Any], n_init: int = 5, **options: Any) -> Floats:
        model = KMeans(K, n_init=n_init, random_state=0)
        return np.asarray(model.fit(pixels.reshape(-1, 3), **options).cluster_centers_)

    def fit_batches(pixels: NDArray[Any]) -> Floats:
        model = MiniBatchKMeans(K, n_init=5, random_state=0)
        return np.asarray(model.fit(pixels.reshape(-1, 3)).cluster_centers_)

    def fit_small_batches(picture: Picture) -> Floats:
        return fit_batches(shrink(picture))

    def fit_by_opencv(picture: Picture) -> Floats:
        end = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 100, 0.2)
        points = shrink(picture).reshape(-1, 3).astype(np.float32)
        start = cv2.KMEANS_PP_CENTERS
        return np.asarray(cv2.kmeans(points, K, None, end, 5, start)[2])

    def fit_unique(picture: Picture) -> Floats:
        colors, counts = np.unique(
            shrink(picture).reshape(-1, 3), axis=0, return_counts=True
        )
        return fit(colors, sample_weight=counts)

    def fit_bins(picture: Picture) -> Floats:
        pixels = picture.reshape(-1, 3)
        red, green, blue = (pixels >> 3).astype(np.int32).T
        bins = (red << 10) + (green << 5) + blue
        counts = np.bincount(bins, minlength=1 << 15)
        used = counts > 0
        sums = [np.bincount(bins, channel, 1 << 15)[used] for channel in pixels.T]
        return fit(np.stack(sums, -1) / counts[used, None], sample_weight=counts[used])

    def find(picture: Picture) -> Any:
        return find_palettes(picture[np.newaxis], n_colors=K, n_init=5).colors[0]

    def fit_jointly() -> list[Floats]:
        colors = fit_batches(np.stack([shrink(picture) for picture in pictures]))
        return [colors] * len(pictures)

    def fit_batched() -> Any:
        return cluster_together(np.stack([shrink(picture) for picture in pictures]))

    def linear(picture: Picture) -> Floats:
        return fit(cv2.resize(picture, (COLUMNS, ROWS)))

    find(pictures[0])  # compiles
    n = len(pictures)
    return {
        "all_pixels": each(fit, some, judge),
        "linear": each(linear, pictures, judge),
        "area": each(lambda picture: fit(shrink(picture)), pictures, judge),
        "one_start": each(lambda picture: fit(shrink(picture), 1), pictures, judge),
        "minibatch": each(
            lambda picture: fit_batches(shrink(picture)), pictures, judge
        ),
        "joint": Step(fit_jointly, n, lambda: judge(fit_jointly())),
        "batched": Step(fit_batched, n, lambda: judge(fit_batched())),
        "opencv": each(fit_by_opencv, pictures, judge),
        "unique": each(fit_unique, pictures, judge),
        "bins": each(fit_bins, pictures, judge),
        "reelbow": each(lambda picture: find(shrink(picture)), pictures, judge),
        "reelbow_full": each(find, pictures, judge),
    }


def shrink(picture: Picture) -> Picture:
    """Average a picture over the areas of 160x90."""
    return average_areas(picture, (ROWS, COLUMNS))[0]


def measure_inertia(picture: Picture, colors: Floats) -> float:
    """Sum the squared distances of all pixels to the nearest of the colors."""
    points = picture.reshape(-1, 3).astype(np.float32)
    nearest = np.full(len(points), np.inf, np.float32)
    for color in np.asarray(colors, np.float32):
        np.minimum(nearest, ((points - color) ** 2).sum(1), out=nearest)
    return float(nearest.sum(dtype=np.float64))


def cluster_together(frames: NDArray[np.uint8], iterations: int = 100) -> Floats:
    """Find palettes of all frames (n, h, w, 3) by the same calls: (n, 8, 3)."""
    n = len(frames)
    points = frames.reshape(n, -1, 3).astype(np.float32)
    dice = np.random.default_rng(0)
    centers = points[:, dice.choice(points.shape[1], K, replace=False)]
    first = K * np.arange(n)[:, None]
    for _ in range(iterations):
        squares = (centers**2).sum(-1)[:, None]
        distances = squares - 2 * points @ centers.transpose(0, 2, 1)
        labels = (distances.argmin(2) + first).ravel()
        counts = np.bincount(labels, minlength=n * K)
        sums = [
            np.bincount(labels, points[..., channel].ravel(), n * K)
            for channel in range(3)
        ]
        last = centers
        means = np.stack(sums, -1) / np.maximum(counts, 1)[:, None]
        centers = means.reshape(n, K, 3).astype(np.float32)
        if np.abs(centers - last).max() < 0.2:
            break
    return np.asarray(centers, np.float64)


def make_threads(
    film: Path, jpegs: list[bytes], pictures: list[Picture], threads: int
) -> Iterator[tuple[str, Step]]:
    """Make the steps of `THREADS`, with so many threads."""

    def resize() -> None:
        cv2.setNumThreads(threads)
        for picture in pictures:
            cv2.resize(picture, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)
        cv2.setNumThreads(1)

    def fit() -> None:
        with threadpool_limits(threads):
            for picture in pictures:
                model = KMeans(K, n_init=5, random_state=0)
                model.fit(shrink(picture).reshape(-1, 3))

    def decode_all() -> None:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(decode, jpegs))

    yield "decode", Step(lambda: read_film(film, threads), N_SECONDS)
    yield "resize", Step(resize, len(pictures))
    yield "kmeans", Step(fit, len(pictures))
    yield "jpeg", Step(decode_all, len(jpegs))


def read_jpegs(tarball: Path) -> list[bytes]:
    """Read JPEGs, spread over a tarball."""
    with tarfile.open(tarball) as tar:
        members = tar.getmembers()[:: films.N_IMAGES // N_JPEGS][:N_JPEGS]
        files = [tar.extractfile(member) for member in members]
        return [file.read() for file in files if file is not None]


def measure(runs: int, only: str | None) -> Iterator[Figures]:
    """Measure all steps by turns; after each round yield what goes into the file.

    only : the table to measure; None: all
    """
    film, jpegs = films.make_short_film(), read_jpegs(films.make_tarball())
    pictures = [decode(data) for data in jpegs]
    with tempfile.TemporaryDirectory() as name, threadpool_limits(1):
        folder = Path(name)
        os.environ["POCL_CACHE_DIR"] = name
        tables = {
            "decode": make_decoding(film),
            "jpeg": make_jpegs(jpegs, folder),
            "averages": make_averages(pictures, folder),
            "planes": make_planes(film, decode_film(film)),
            "kmeans": make_kmeans(pictures),
        }
        steps = {
            f"{table}.{row}": step
            for table, rows in tables.items()
            for row, step in rows.items()
        }
        for threads in (1, 2):
            for what, step in make_threads(film, jpegs, pictures, threads):
                steps[f"threads.{what}.{threads}"] = step
        steps = {
            name: step for name, step in steps.items() if name.startswith(only or "")
        }
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in steps}
        errors: dict[str, str] = {}
        for run in range(1, runs + 1):
            for name, step in steps.items():
                cpu, wall = time.process_time(), time.perf_counter()
                step.run()
                spent = (time.process_time() - cpu, time.perf_counter() - wall)
                times[name].append(tuple(1000 * s / step.n_frames for s in spent))
                if name not in errors:
                    errors[name] = step.judge()
                print(f"{name}: {times[name][-1][0]:.2f}, {errors[name]}", flush=True)
            yield {
                "machine": name_machine(),
                "runs": run,
                "versions": {name: version(name) for name in VERSIONS},
                "steps": {
                    name: {
                        "cpu_ms": statistics.median(cpu for cpu, _ in times[name]),
                        "wall_ms": statistics.median(wall for _, wall in times[name]),
                        "error": errors[name],
                    }
                    for name in steps
                },
            }


def render_tables(figures: Figures) -> dict[str, str]:
    """Write the figures as Markdown: the tables by the names of their markers."""
    steps = figures["steps"]
    versions = ", ".join(map(" ".join, figures["versions"].items()))
    program = [
        f"The first {N_SECONDS} s of the film, {N_JPEGS} of the JPEGs, {N_FULL} for "
        f"scikit-learn on all pixels; {figures['machine']}; one thread; "
        f"medians of {figures['runs']} runs by turns; {versions}; `{COMMAND}`",
        "",
        "| program | film: CPU ms a frame | times faster | two hours, CPU minutes "
        "| JPEGs: CPU ms each | times faster | 11 million, CPU days |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    firsts: list[float] = []
    for label, programs in PROGRAMS.items():
        sums = [sum(steps[part]["cpu_ms"] for part in parts) for parts in programs]
        firsts = firsts or sums
        cells = []
        for ms, first, whole in zip(
            sums, firsts, (7200 / 60e3, 11e6 / 86.4e6), strict=True
        ):
            total = ms * whole
            cells += [format_ms(ms), format_times(first / ms)]
            cells.append(f"{total:,.0f}" if total >= 10 else f"{total:.1f}")
        program.append(f"| {label} | {' | '.join(cells)} |")
    tables = {"program": program}
    with WORDS.open(encoding="utf-8", newline="") as file:
        words = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    for line in words:
        table, row, what, verdict = line.values()
        if not row:
            error, first = verdict, 0.0
            columns = ["CPU ms", "times faster", *([error] if error else []), "verdict"]
            rule = f"|---|{'---:|' * (len(columns) - 1)}---|"
            head = f"| {' | '.join([what, *columns])} |"
            tables[table] = ["By the command of the first table.", "", head, rule]
            continue
        figure = steps.get(f"{table}.{row}")
        cells = ["-", "-", *(["-"] if error else []), "not installed"]
        if figure:
            ms = figure["cpu_ms"]
            first = first or ms
            off = [figure["error"]] if error else []
            cells = [format_ms(ms), format_times(first / ms), *off, verdict]
        tables[table].append(f"| {' | '.join([what, *cells])} |")
    tables["threads"] = [
        "By the command of the first table.",
        "",
        "| of a frame | CPU ms: one thread | two | wall ms: one thread | two |",
        "|---|---:|---:|---:|---:|",
    ]
    for what, label in THREADS.items():
        cells = [
            format_ms(steps[f"threads.{what}.{threads}"][kind])
            for kind in ("cpu_ms", "wall_ms")
            for threads in (1, 2)
        ]
        tables["threads"].append(f"| {label} | {' | '.join(cells)} |")
    return {f"{MARKER}_{name}": "\n".join(text) for name, text in tables.items()}


def format_ms(ms: float) -> str:
    """Write milliseconds with as many digits as tell something."""
    return f"{ms:,.0f}" if ms >= 100 else f"{ms:.1f}"


def format_times(ratio: float) -> str:
    """Write a ratio with as many digits as tell something."""
    return (
        f"{ratio:,.0f}"
        if ratio >= 10
        else f"{ratio:.2g}"
        if ratio < 1
        else f"{ratio:.1f}"
    )


def main() -> None:
    """Measure, and write the tables to docs/performance.md."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3, help="of each, by turns")
    tables = ("decode", "jpeg", "averages", "planes", "kmeans", "threads")
    parser.add_argument("--only", choices=tables, help="measure this table anew")
    parser.add_argument("--redraw", action="store_true", help="measure nothing")
    options = parser.parse_args()
    if not options.redraw:
        cv2.setNumThreads(1)
        with warnings.catch_warnings(action="ignore"):
            last = json.loads(FIGURES.read_text()) if options.only else {"steps": {}}
            for figures in measure(options.runs, options.only):
                figures["steps"] = last["steps"] | figures["steps"]
                text = json.dumps(figures, indent=1)
                FIGURES.write_text(f"{text}\n", encoding="utf-8")
    figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    for name, text in render_tables(figures).items():
        print(f"\n{text}")
        write_between(PAGE, name, text)


if __name__ == "__main__":
    main()
