"""Palettes of engine numba beside those of other k-means: inertia and CPU seconds.

The same pixels go to each, block by block and by turns, in one thread. Every frame's
inertia is taken on all its pixels, each to the nearest of the colors found, in the
space that is clustered in. On thumbnails it is divided by the least inertia that
scikit-learn finds in 20 starts; on full frames, where these would take hours, by that
of scikit-learn in the same run. The seconds of the engine are from sRGB bytes to the
palette; those of the others are of k-means alone, on float32 points made before.

    uv run --with faiss-cpu==1.15.1 python benchmarks/palette_quality.py
    uv run python benchmarks/palette_quality.py --only k8 --frames 60

All frames of the usual film: written to palette_quality.json, and from there into
docs/performance.md. A part of the frames, or another film: only printed.
"""

import argparse
import hashlib
import json
import sys
import tarfile
import textwrap
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import av
import cv2
import numpy as np
from machine import name_machine, write_between
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from reelbow.color.spaces import SPACES  # noqa: E402  (the path is set just above)
from reelbow.kmeans import Palettes, find_palettes  # noqa: E402

FILM = ROOT.parent / "shared" / "data" / "bbb_full_384x216_25fps_h264.mp4"
CACHE = ROOT / "benchmarks" / "cache"
MEASURED = ROOT / "benchmarks" / "palette_quality.json"
PERFORMANCE = ROOT / "docs" / "performance.md"
MARKER = "palettes"
FAISS = "faiss-cpu==1.15.1"
COMMAND = f"uv run --with {FAISS} python benchmarks/palette_quality.py"

WIDTH, HEIGHT = 160, 90
FULL_FRAMES = 12
BEST_OF = 20
N_INIT = 5
# Frames that one clusters before it is another's turn: what else the machine does in a
# minute then falls on all alike.
BLOCK = 60
# As in most examples of cv2.kmeans; 100 is also the most that it does.
OPENCV_ITERATIONS = 100
OPENCV_LEVELS = 0.2
# Its default; it has no other end.
FAISS_ITERATIONS = 25

Points = NDArray[np.float32]


class Table(NamedTuple):
    """What one table compares."""

    n_colors: int
    color_space: str = "srgb"
    full: bool = False


TABLES = {
    "k8": Table(8),
    "k3": Table(3),
    "k5": Table(5),
    "k16": Table(16),
    "oklab": Table(8, "oklab"),
    "full": Table(8, full=True),
}


def read_thumbnails(film: Path) -> NDArray[np.uint8]:
    """Read one frame a second, made small by area.

    Returns
    -------
    (n, 90, 160, 3) uint8, sRGB
    """
    thumbnails: list[NDArray[np.uint8]] = []
    with av.open(str(film)) as container:
        for frame in container.decode(video=0):
            if frame.time is None or frame.time < len(thumbnails):
                continue
            pixels = frame.to_ndarray(format="rgb24")
            small = cv2.resize(pixels, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
            thumbnails.append(np.asarray(small, np.uint8))
    return np.stack(thumbnails)


def read_full_frames(tarball: Path) -> NDArray[np.uint8]:
    """Read frames spread evenly over a tarball of JPEGs.

    Returns
    -------
    (12, h, w, 3) uint8, sRGB
    """
    with tarfile.open(tarball) as archive:
        members = [member for member in archive if member.isfile()]
        frames = []
        for i in spread(len(members), FULL_FRAMES):
            file = archive.extractfile(members[i])
            assert file is not None
            data = np.frombuffer(file.read(), np.uint8)
            frames.append(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB))
    return np.stack(frames)


def spread(n: int, chosen: int) -> list[int]:
    """Choose so many of n in the middles of equal stretches."""
    return [(2 * i + 1) * n // (2 * chosen) for i in range(chosen)]


def cluster_with_sklearn(points: Points, table: Table) -> NDArray[np.floating[Any]]:
    """Find centers (k, 3) by scikit-learn with its defaults."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        # A frame may have fewer colors than are asked for.
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = KMeans(table.n_colors, n_init=N_INIT, random_state=0).fit(points)
    centers: NDArray[np.float32] = found.cluster_centers_
    return centers


def cluster_with_opencv(points: Points, table: Table) -> NDArray[np.floating[Any]]:
    """Find centers (k, 3) by OpenCV."""
    # OKLab's L is in [0, 1].
    level = 1 / 255 if table.color_space == "oklab" else 1
    either = cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER
    cv2.setRNGSeed(0)
    _, _, centers = cv2.kmeans(
        points,
        table.n_colors,
        None,
        (either, OPENCV_ITERATIONS, OPENCV_LEVELS * level),
        N_INIT,
        cv2.KMEANS_PP_CENTERS,
    )
    return np.asarray(centers, np.float32)


def cluster_with_faiss(points: Points, table: Table) -> NDArray[np.floating[Any]]:
    """Find centers (k, 3) by faiss, on all points and not on a sample of them."""
    import faiss

    found = faiss.Kmeans(
        3,
        table.n_colors,
        niter=FAISS_ITERATIONS,
        nredo=N_INIT,
        init_method=faiss.ClusteringInitMethod_KMEANS_PLUS_PLUS,
        max_points_per_centroid=len(points),
        seed=0,
    )
    found.train(points)
    centers: NDArray[np.float32] = found.centroids
    return centers


PEERS: dict[str, Callable[[Points, Table], NDArray[np.floating[Any]]]] = {
    "scikit-learn": cluster_with_sklearn,
    "OpenCV": cluster_with_opencv,
    "faiss": cluster_with_faiss,
}
ENGINES = ("numba", *PEERS)
PACKAGES = {
    "numba": "numba",
    "scikit-learn": "scikit-learn",
    "OpenCV": "opencv-python-headless",
    "faiss": "faiss-cpu",
}


def list_engines() -> list[str]:
    """List the engines that are installed; each then has one thread."""
    cv2.setNumThreads(1)
    if find_spec("faiss") is None:
        return [engine for engine in ENGINES if engine != "faiss"]
    import faiss

    faiss.omp_set_num_threads(1)
    return list(ENGINES)


def count_colors(frame: NDArray[np.uint8]) -> int:
    """Count the distinct colors of a frame (h, w, 3)."""
    return len(np.unique(frame.astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])))


def measure_inertia(
    points: NDArray[np.float64], centers: NDArray[np.floating[Any]]
) -> float:
    """Sum the squared distances of points (p, 3) to the nearest of centers (k, 3)."""
    squared = np.full(len(points), np.inf)
    for center in centers.astype(np.float64):
        np.minimum(squared, ((points - center) ** 2).sum(axis=1), out=squared)
    return float(squared.sum())


def measure_palettes(
    frames: NDArray[np.uint8], palettes: Palettes, color_space: str
) -> list[float]:
    """Find every frame's inertia by its palette, in a color space."""
    from_srgb = SPACES[color_space].from_srgb
    return [
        measure_inertia(from_srgb(frame.reshape(-1, 3)), from_srgb(colors[shares > 0]))
        for frame, colors, shares in zip(frames, *palettes, strict=True)
    ]


def find_best(film: Path, frames: NDArray[np.uint8], table: Table) -> list[float]:
    """Find scikit-learn's least inertia of 20 starts, kept in benchmarks/cache/."""
    k, space = table.n_colors, table.color_space
    digest = hashlib.sha256(frames.tobytes()).hexdigest()[:12]
    suffix = "" if space == "srgb" else f"_{space}"
    kept = CACHE / f"best_of_{BEST_OF}_{film.stem}_k{k}{suffix}_{digest}.npz"
    if not kept.exists():
        # Another seed than the measured ones, whose starts would be among these.
        palettes = find_palettes(
            frames,
            n_colors=k,
            n_init=BEST_OF,
            seed=1,
            color_space=space,
            engine="sklearn",
        )
        CACHE.mkdir(parents=True, exist_ok=True)
        np.savez(kept, inertia=measure_palettes(frames, palettes, space))
    with np.load(kept) as file:
        best: list[float] = file["inertia"].tolist()
    return best


def run_engine(
    engine: str, frames: NDArray[np.uint8], table: Table
) -> tuple[list[float], float]:
    """Cluster frames (n, h, w, 3); find the inertia of each, and the CPU seconds."""
    space = table.color_space
    if engine == "numba":
        start = time.process_time()
        palettes = find_palettes(
            frames, n_colors=table.n_colors, n_init=N_INIT, color_space=space
        )
        seconds = time.process_time() - start
        return measure_palettes(frames, palettes, space), seconds
    inertia, seconds = [], 0.0
    for frame in frames:
        exact = SPACES[space].from_srgb(frame.reshape(-1, 3))
        points = exact.astype(np.float32)
        start = time.process_time()
        centers = PEERS[engine](points, table)
        seconds += time.process_time() - start
        inertia.append(measure_inertia(exact, centers))
    return inertia, seconds


def measure_table(
    table: Table, frames: NDArray[np.uint8], best: list[float] | None
) -> dict[str, Any]:
    """Measure all engines on the same frames.

    Parameters
    ----------
    frames : (n, h, w, 3) uint8, sRGB
    best : the n inertias to divide by; None for those of scikit-learn here

    Returns
    -------
    what `format_table` shows, as it goes into the JSON file
    """
    # Where there are no more than k colors, inertia is nothing but rounding.
    compared = np.array([count_colors(frame) > table.n_colors for frame in frames])
    if not compared.any():
        sys.exit(
            f"No frame has more than {table.n_colors} colors to compare; give others."
        )
    engines = list_engines()
    inertia: dict[str, list[float]] = {engine: [] for engine in engines}
    seconds = dict.fromkeys(engines, 0.0)
    # A full frame has as many pixels as 144 thumbnails.
    block = 1 if table.full else BLOCK
    for engine in engines:
        # What is compiled or imported at first is in no seconds.
        run_engine(engine, frames[:1, :HEIGHT, :WIDTH], table._replace(n_colors=2))
    # After the imports: it reaches only what is loaded.
    with threadpool_limits(limits=1):
        for i in range(0, len(frames), block):
            for engine in engines:
                found, spent = run_engine(engine, frames[i : i + block], table)
                inertia[engine] += found
                seconds[engine] += spent

    divisor = np.array(inertia["scikit-learn"] if best is None else best)
    rows = {}
    for engine in engines:
        ratio = np.array(inertia[engine])[compared] / divisor[compared]
        rows[engine] = {
            "version": version(PACKAGES[engine]),
            "mean": round(float(ratio.mean()), 5),
            "percentile_95": round(float(np.percentile(ratio, 95)), 5),
            "worst": round(float(ratio.max()), 5),
            "cpu_s": round(seconds[engine], 4),
        }
    return {
        "machine": name_machine(),
        "frames": len(frames),
        "compared": int(compared.sum()),
        "width": frames.shape[2],
        "height": frames.shape[1],
        "engines": rows,
    }


def format_title(name: str, measured: dict[str, Any]) -> str:
    """Say what was clustered."""
    table = TABLES[name]
    kind = "full frames" if table.full else "thumbnails"
    space = "OKLab" if table.color_space == "oklab" else "sRGB"
    size = f"{measured['width']}x{measured['height']}"
    return f"{measured['frames']} {kind} of {size}, k = {table.n_colors}, {space}"


def format_table(name: str, measured: dict[str, Any]) -> str:
    """Show one table in Markdown, with a sentence on its figures before it."""
    table, rows = TABLES[name], measured["engines"]
    over = f"`KMeans({table.n_colors}, n_init={N_INIT})`, in the same run"
    if not table.full:
        over = f"the best of {BEST_OF} starts"
    versions = ", ".join(f"{each} {row['version']}" for each, row in rows.items())
    caption = (
        f"Inertia over that of scikit-learn, {over} (1 is equal, more is worse), of "
        f"the {measured['compared']} frames of more than {table.n_colors} colors. "
        f"One thread; {measured['machine']}; {versions}."
    )
    lines = [
        *textwrap.wrap(caption, 88, break_on_hyphens=False),
        "",
        "| engine | mean | 95th percentile | worst | CPU s | ms per frame | speed |",
        "|---|---|---|---|---|---|---|",
    ]
    slowest = rows["scikit-learn"]["cpu_s"]
    for engine in ENGINES:
        if engine not in rows:
            lines.append(f"| {engine} | not installed: `{COMMAND}` | | | | | |")
            continue
        row = rows[engine]
        each = 1000 * row["cpu_s"] / measured["frames"]
        speed = slowest / row["cpu_s"]
        lines.append(
            f"| {engine} | {row['mean']:.4f} | {row['percentile_95']:.4f} "
            f"| {row['worst']:.4f} | {row['cpu_s']:.2f} "
            f"| {each:.{2 if each < 1000 else 0}f} "
            f"| {speed:.{1 if speed < 100 else 0}f}x |"
        )
    return "\n".join(lines) + "\n"


def format_performance(measured: dict[str, Any]) -> str:
    """Write what stands between the markers of docs/performance.md."""
    parts = [
        f"""By `{COMMAND}`.
Thumbnails are of Big Buck Bunny, one frame a second; full frames are of the tarball of
`benchmarks/films.py`: photographs as JPEGs.

All get the same pixels, in blocks by turns. The seconds of numba are from sRGB bytes to
the ranked palette; those of the others are of k-means alone, on float32 points made
before. "speed" is scikit-learn's seconds over the engine's. Called as:

- numba: `find_palettes(frames, n_colors=k, n_init={N_INIT})`
- scikit-learn: `KMeans(k, n_init={N_INIT})`
- OpenCV: `cv2.kmeans` with {N_INIT} attempts by `KMEANS_PP_CENTERS`, each of at most \
{OPENCV_ITERATIONS}
  iterations or until no center moves by more than {OPENCV_LEVELS} level
  ({OPENCV_LEVELS} / 255 in OKLab)
- faiss: `faiss.Kmeans` on all points, `niter={FAISS_ITERATIONS}` (its default), \
`nredo={N_INIT}`, from
  k-means++ (which finds better colors than its default start, random points)
"""
    ]
    for name in TABLES:
        if name in measured:
            one = measured[name]
            title = format_title(name, one)
            parts.append(f"### {title}\n\n{format_table(name, one)}")
    return "\n".join(parts)


def write_tables() -> None:
    """Write the tables of the JSON file into the documents."""
    measured = json.loads(MEASURED.read_text(encoding="utf-8"))
    write_between(PERFORMANCE, MARKER, format_performance(measured))


def keep_table(name: str, one: dict[str, Any]) -> None:
    """Put a table into the JSON file, in the place of what was there of it."""
    measured = {}
    if MEASURED.exists():
        measured = json.loads(MEASURED.read_text(encoding="utf-8"))
    measured[name] = one
    ordered = {name: measured[name] for name in TABLES if name in measured}
    MEASURED.write_text(json.dumps(ordered, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Measure, print tables, and write them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--film", type=Path, default=FILM, help="of the thumbnails")
    parser.add_argument("--frames", type=int, help="only so many, over the whole film")
    parser.add_argument("--only", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument(
        "--write-only", action="store_true", help="write the tables of the JSON file"
    )
    options = parser.parse_args()
    if options.write_only:
        write_tables()
        return
    if options.frames is not None and options.frames < 1:
        sys.exit(f"--frames must be 1 or more, not {options.frames}.")
    small = any(not TABLES[name].full for name in options.only)
    if small and not options.film.is_file():
        sys.exit(f"There is no film {options.film}; give the path of one by --film.")

    thumbnails = read_thumbnails(options.film) if small else np.empty((0,), np.uint8)
    whole = options.film == FILM and options.frames is None
    for name in options.only:
        table = TABLES[name]
        if table.full:
            # Here and not above: tests have a module of the same name.
            from films import make_tarball

            frames = read_full_frames(make_tarball())
        else:
            frames = thumbnails
        if options.frames is not None and options.frames < len(frames):
            frames = frames[spread(len(frames), options.frames)]
        best = None if table.full else find_best(options.film, frames, table)
        one = measure_table(table, frames, best)
        print(f"### {format_title(name, one)}\n\n{format_table(name, one)}", flush=True)
        if whole:
            keep_table(name, one)
    if whole:
        write_tables()


if __name__ == "__main__":
    main()
