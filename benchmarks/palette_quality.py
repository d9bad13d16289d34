"""Palettes of engine numba beside scikit-learn's: inertia and CPU seconds.

Every frame's inertia is taken on its own pixels, each to the nearest of the palette's
float colors, and divided by the least inertia that scikit-learn finds in 20 starts.
Distances are those of the color space that is clustered in.

    uv run python benchmarks/palette_quality.py --frames 60 --color-space oklab
"""

import argparse
import hashlib
import os
import sys
import time
from functools import partial
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from reelbow.color_spaces import SPACES  # noqa: E402  (the path is set just above)
from reelbow.kmeans import Palettes, find_palettes  # noqa: E402

FILM = ROOT.parent / "shared" / "data" / "bbb_full_384x216_25fps_h264.mp4"
CACHE = ROOT / "benchmarks" / "cache"
WIDTH, HEIGHT = 160, 90
BEST_OF = 20


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


def measure_inertia(
    frames: NDArray[np.uint8], palettes: Palettes, color_space: str
) -> NDArray[np.float64]:
    """Sum every frame's squared distances, in a space, to the nearest of its colors.

    Parameters
    ----------
    frames : (n, h, w, 3) uint8

    Returns
    -------
    (n,) float64
    """
    from_srgb = SPACES[color_space].from_srgb
    inertia = np.empty(len(frames))
    for i, (frame, colors, shares) in enumerate(zip(frames, *palettes, strict=True)):
        pixels = from_srgb(frame.reshape(-1, 1, 3))
        squared = ((pixels - from_srgb(colors[shares > 0])) ** 2).sum(axis=2)
        inertia[i] = squared.min(axis=1).sum()
    return inertia


def find_best(
    film: Path, frames: NDArray[np.uint8], k: int, color_space: str
) -> NDArray[np.float64]:
    """Find scikit-learn's least inertia of 20 starts, kept in benchmarks/cache/."""
    digest = hashlib.sha256(frames.tobytes()).hexdigest()[:12]
    space = "" if color_space == "srgb" else f"_{color_space}"
    kept = CACHE / f"best_of_{BEST_OF}_{film.stem}_k{k}{space}_{digest}.npz"
    if kept.exists():
        with np.load(kept) as file:
            best: NDArray[np.float64] = file["inertia"]
        return best
    # Another seed than the measured ones, whose starts would be among these.
    palettes = find_palettes(
        frames,
        n_colors=k,
        n_init=BEST_OF,
        seed=1,
        color_space=color_space,
        engine="sklearn",
    )
    best = measure_inertia(frames, palettes, color_space)
    CACHE.mkdir(parents=True, exist_ok=True)
    np.savez(kept, inertia=best)
    return best


def measure_engine(
    engine: str, frames: NDArray[np.uint8], k: int, color_space: str, repeats: int
) -> tuple[NDArray[np.float64], float]:
    """Measure an engine's inertia per frame, and its CPU seconds: the least of a few.

    The first frame is clustered before, so that no compilation is in the seconds.
    """
    find = partial(
        find_palettes, n_colors=k, n_init=5, color_space=color_space, engine=engine
    )
    find(frames[:1])
    seconds = np.inf
    for _ in range(repeats):
        start = time.process_time()
        palettes = find(frames)
        seconds = min(seconds, time.process_time() - start)
    return measure_inertia(frames, palettes, color_space), seconds


def name_machine() -> str:
    """Name the CPU as the kernel does, with the number of cores."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return f"{line.partition(':')[2].strip()}, {os.cpu_count()} cores"
    return "unknown CPU"


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("film", nargs="?", type=Path, default=FILM)
    parser.add_argument("--frames", type=int, help="only so many, over the whole film")
    parser.add_argument("--n-colors", type=int, default=8)
    parser.add_argument("--color-space", choices=SPACES, default="srgb")
    options = parser.parse_args()
    if not options.film.is_file():
        sys.exit(f"There is no film {options.film}; give the path of one.")

    frames = read_thumbnails(options.film)
    if options.frames is not None and options.frames < len(frames):
        frames = frames[np.linspace(0, len(frames) - 1, options.frames).astype(int)]
    k, space = options.n_colors, options.color_space
    best = find_best(options.film, frames, k, space)
    measured = {
        "numba": measure_engine("numba", frames, k, space, repeats=5),
        "sklearn": measure_engine("sklearn", frames, k, space, repeats=1),
    }

    # A frame of no more than k colors has no inertia to compare.
    compared = best > 0
    slowest = measured["sklearn"][1]
    print(
        f"{options.film.name}: {len(frames)} frames of {WIDTH}x{HEIGHT}, k = {k}, "
        f"{space}, n_init = 5, one thread; {name_machine()}.\n"
        f"Inertia over the best of {BEST_OF} of scikit-learn, "
        f"of the {compared.sum()} frames of more than {k} colors.\n"
    )
    print("| engine | mean | 95th percentile | worst | CPU s | ms per frame | speed |")
    print("|---|---|---|---|---|---|---|")
    for engine, (inertia, seconds) in measured.items():
        ratio = inertia[compared] / best[compared]
        print(
            f"| {engine} | {ratio.mean():.4f} | {np.percentile(ratio, 95):.4f} "
            f"| {ratio.max():.4f} | {seconds:.2f} "
            f"| {1000 * seconds / len(frames):.3f} | {slowest / seconds:.1f}x |"
        )


if __name__ == "__main__":
    main()
