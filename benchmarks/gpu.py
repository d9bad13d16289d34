"""Engine cupy on this machine's GPU: the bits of engine numba, and frames a second.

Checks first, on the 597 thumbnails of the usual film, that the GPU finds the palettes
of engine numba, bit for bit. Then measures, from host memory to palettes in host
memory: by how many frames are given at a time, by the number of colors, where the time
goes, and beside the peers that are installed, on the same thumbnails. Two bounds
stand beside it: what the bus can carry, and what the GPU can multiply and add.

    uv run --extra gpu python benchmarks/gpu.py
    uv run --extra gpu --with flash-kmeans python benchmarks/gpu.py
    uv run --extra gpu python benchmarks/gpu.py --frames 64
    uv run python benchmarks/gpu.py --cpu-only

All frames of the usual film: written to gpu.json, and from there into docs/gpu.md. A
part of the frames, or another film: only printed. Without a GPU only engine numba is
measured.
"""

import argparse
import json
import os
import statistics
import sys
import textwrap
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from machine import name_machine, write_between
from numpy.typing import NDArray
from palette_quality import FILM, HEIGHT, WIDTH, read_thumbnails, spread

from reelbow.errors import ReelbowError
from reelbow.kmeans import Palettes, find_palettes
from reelbow.kmeans.batches import find_on
from reelbow.machine.gpu import open_device, telling_errors
from reelbow.shards.batches import BATCH_BYTES
from reelbow.sources.demo import draw_frames

ROOT = Path(__file__).resolve().parent.parent
MEASURED = ROOT / "benchmarks" / "gpu.json"
DOCUMENT = ROOT / "docs" / "gpu.md"
MARKER = "gpu"
COMMAND = "uv run --extra gpu python benchmarks/gpu.py"

N_COLORS = 8
N_INIT = 5
# What a shard's job gives to the engine at a time.
SHARD_FRAMES = BATCH_BYTES // (WIDTH * HEIGHT * 3)
BATCHES = [1, 8, 64, 256, SHARD_FRAMES, 4096]
COLORS = [3, 5, 8, 16, 32, 64]
SPACES = ["srgb", "oklab"]
ROUNDS = 5
# A frame at a time is slow: so many are enough.
CUML_FRAMES = 40
# Of flash-kmeans, and of the arithmetic on all pixels: from each of n_init starts.
STEPS = 25
# Subtract, multiply and add for three channels, and compare.
OPERATIONS_PER_DISTANCE = 9
# By compute capability; 128 of all others since Turing.
CORES_PER_PROCESSOR = {"70": 64, "72": 64, "75": 64, "80": 64}

Frames = NDArray[np.uint8]


def load_frames(film: Path) -> Frames:
    """Read the film's thumbnails; without the usual film those of the demo film.

    Returns
    -------
    (n, 90, 160, 3) uint8, sRGB
    """
    if film.is_file():
        return read_thumbnails(film)
    if film != FILM:
        sys.exit(f"There is no film {film}; give the path of one by --film.")
    return np.stack(
        [
            np.asarray(cv2.resize(frame, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))
            for frame in draw_frames(every=24)
        ]
    )


def repeat(frames: Frames, n: int) -> Frames:
    """Take n frames, from the first again where there are not so many."""
    return frames[np.arange(n) % len(frames)]


def time_rounds(work: Callable[[], object]) -> float:
    """Take the median of some rounds, in seconds, after one that is not counted."""
    work()
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def find_on_gpu(frames: Frames, **how: Any) -> Palettes:
    """Find palettes by engine cupy."""
    return find_palettes(frames, engine="cupy", **{"n_colors": N_COLORS, **how})


def find_on_all_cores(frames: Frames, **how: Any) -> None:
    """Find palettes by engine numba, a part of the frames on each core."""
    cores = len(os.sched_getaffinity(0))
    parts = np.array_split(frames, min(cores, len(frames)))

    def find(part: Frames) -> Palettes:
        return find_palettes(part, **{"n_colors": N_COLORS, **how})

    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(find, parts))


def check_parity(frames: Frames) -> dict[str, Any]:
    """Count the frames whose palettes differ from engine numba's in any bit."""
    found = {}
    for space in SPACES:
        how: dict[str, Any] = {"n_colors": N_COLORS, "color_space": space}
        ours = find_palettes(frames, engine="cupy", **how)
        theirs = find_palettes(frames, **how)
        again = find_palettes(frames, engine="cupy", **how)
        found[space] = {
            "frames": len(frames),
            "differ": count_differing(ours, theirs),
            "differ_when_repeated": count_differing(ours, again),
            "farthest_levels": float(np.abs(ours.colors - theirs.colors).max()),
        }
    return found


def count_differing(one: Palettes, other: Palettes) -> int:
    """Count the frames that differ."""
    colors = (one.colors != other.colors).any(axis=(1, 2))
    return int((colors | (one.shares != other.shares).any(axis=1)).sum())


def measure_batches(frames: Frames) -> list[dict[str, Any]]:
    """Measure frames a second by how many are given at a time."""
    rows = []
    for n in BATCHES:
        batch = repeat(frames, n)
        rows.append(
            {"frames": n, "fps": n / time_rounds(lambda b=batch: find_on_gpu(b))}
        )
    return rows


def measure_colors(frames: Frames, n_on_gpu: int) -> list[dict[str, Any]]:
    """Measure frames a second by the number of colors, beside all cores.

    n_on_gpu : frames at a time on the GPU; 0: on the cores only
    """
    batch = repeat(frames, n_on_gpu)
    rows = []
    for space in SPACES:
        for k in COLORS:
            how = {"n_colors": k, "color_space": space}
            taken = time_rounds(lambda h=how: find_on_all_cores(frames, **h))
            row: dict[str, Any] = {**how, "fps_cores": len(frames) / taken}
            if n_on_gpu:
                taken = time_rounds(lambda h=how: find_on_gpu(batch, **h))
                row["fps"] = n_on_gpu / taken
            rows.append(row)
    return rows


def measure_parts(frames: Frames) -> dict[str, float]:
    """Measure each copy and kernel by itself, nothing side by side: ms per frame."""
    import cupy

    from reelbow.kmeans.engine_cupy import CudaDevice

    spent: dict[str, float] = defaultdict(float)

    class TimedDevice(CudaDevice):
        """Waits after all it does, and notes how long it took."""

        def upload(self, source: Any, to: Any, queue: Any) -> None:
            self._time("copy to the GPU", queue, super().upload, source, to, queue)

        def download(self, source: Any, to: Any, queue: Any) -> None:
            self._time("copy back", queue, super().download, source, to, queue)

        def launch(self, kernel: str, queue: Any, *arguments: Any, **how: Any) -> None:
            self._time(kernel, queue, super().launch, kernel, queue, *arguments, **how)

        def _time(
            self,
            name: str,
            queue: Any,
            work: Callable[..., None],
            *how: Any,
            **more: Any,
        ) -> None:
            start, end = cupy.cuda.Event(), cupy.cuda.Event()
            start.record(queue)
            work(*how, **more)
            end.record(queue)
            end.synchronize()
            spent[name] += cupy.cuda.get_elapsed_time(start, end)

    device = TimedDevice()
    pixels = frames.reshape(len(frames), -1, 3)
    for _ in range(2):
        # The first time only warms up.
        spent.clear()
        start = time.perf_counter()
        find_on(device, pixels, N_COLORS, N_INIT, 0, "srgb")
        all_ms = 1000 * (time.perf_counter() - start)
    spent["the CPU, and waiting for it"] = all_ms - sum(spent.values())
    return {name: ms / len(frames) for name, ms in spent.items()}


def measure_floors(frames: Frames) -> dict[str, float]:
    """Find the most frames a second that the bus allows, and plain arithmetic.

    The second is of k-means on all pixels, without fused products and sums; engine
    cupy counts pixels in a histogram first, and so may be faster.
    """
    import cupy

    from reelbow.kmeans.engine_cupy import CudaDevice

    device, n_bytes = CudaDevice(), 256 << 20
    here = device.allocate_here((n_bytes,), np.uint8)
    there = device.allocate((n_bytes,), np.uint8)
    queue = device.make_queue()

    def copy() -> None:
        device.upload(here, there, queue)
        device.wait(queue)

    bytes_s = n_bytes / time_rounds(copy)
    attributes = cupy.cuda.Device().attributes
    capability = cupy.cuda.Device().compute_capability
    cores = attributes["MultiProcessorCount"] * CORES_PER_PROCESSOR.get(capability, 128)
    # The clock is in kHz.
    operations_s = cores * attributes["ClockRate"] * 1000
    distances = WIDTH * HEIGHT * N_COLORS * STEPS * N_INIT
    return {
        "bus_gb_s": bytes_s / 1e9,
        "bus_fps": bytes_s / frames[0].nbytes,
        "arithmetic_fps": operations_s / (distances * OPERATIONS_PER_DISTANCE),
    }


def measure_cuml(frames: Frames) -> float:
    """Measure cuML's KMeans, a frame at a time: frames a second."""
    few = repeat(frames, CUML_FRAMES)
    taken = time_rounds(
        lambda: find_palettes(few, n_colors=N_COLORS, n_init=N_INIT, engine="cuml")
    )
    return len(few) / taken


def measure_flash(frames: Frames) -> dict[str, float]:
    """Measure flash-kmeans on a batch, a start after the other: frames a second.

    It starts from random pixels, does as many steps as it is told, and multiplies in
    TF32. The best start is chosen by inertia, as ours is. It makes no shares.
    """
    import torch
    from flash_kmeans import batch_kmeans_Euclid

    batch = torch.from_numpy(repeat(frames, SHARD_FRAMES)).reshape(SHARD_FRAMES, -1, 3)
    batch = batch.pin_memory()

    def cluster(n_init: int) -> Any:
        points = batch.to("cuda", non_blocking=True).to(torch.float32)
        # Its kernels multiply matrices, which have at least 16 columns.
        points = torch.nn.functional.pad(points, (0, 16 - 3)).contiguous()
        starts = []
        for _ in range(n_init):
            _, centers, *_ = batch_kmeans_Euclid(
                points, N_COLORS, max_iters=STEPS, tol=0.0
            )
            starts.append(centers.float())
        if n_init == 1:
            return starts[0].cpu()
        inertias = torch.stack(
            [
                torch.cat(
                    [
                        torch.cdist(some, near).amin(dim=2).square().sum(dim=1)
                        for some, near in zip(
                            points.split(64), centers.split(64), strict=True
                        )
                    ]
                )
                for centers in starts
            ]
        )
        best = inertias.argmin(dim=0)
        return torch.stack(starts)[best, torch.arange(SHARD_FRAMES)].cpu()

    return {
        "fps_one_start": SHARD_FRAMES / time_rounds(lambda: cluster(1)),
        "fps": SHARD_FRAMES / time_rounds(lambda: cluster(N_INIT)),
    }


def measure_cores(frames: Frames) -> dict[str, Any]:
    """Measure what can be measured without a GPU."""
    return {"machine": name_machine(), "colors": measure_colors(frames, 0)}


def measure(frames: Frames) -> dict[str, Any]:
    """Measure all, in the order of the tables."""
    import cupy

    number = open_device()
    about = cupy.cuda.runtime.getDeviceProperties(number)
    measured: dict[str, Any] = {
        "machine": name_machine(),
        "device": about["name"].decode(),
        "cupy": cupy.__version__,
        "driver": cupy.cuda.runtime.driverGetVersion(),
        "parity": check_parity(frames),
        "batches": measure_batches(frames),
        "colors": measure_colors(frames, SHARD_FRAMES),
        "parts": measure_parts(repeat(frames, SHARD_FRAMES)),
        "floors": measure_floors(frames),
    }
    # They get what is left.
    cupy.get_default_memory_pool().free_all_blocks()
    for name, package, work in [
        ("cuml", "cuml", measure_cuml),
        ("flash", "flash_kmeans", measure_flash),
    ]:
        if find_spec(package):
            measured[f"{name}_version"] = find_package_version(package)
            try:
                measured[name] = work(frames)
            except Exception as error:
                # What was measured is not lost by a peer that fails.
                print(f"{package} fails: {error}", file=sys.stderr)
    return measured


def find_package_version(package: str) -> str:
    """Find the version of an installed package, however its distribution is named."""
    for name in [package, f"{package}-cu12", f"{package}-cu13"]:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return "unknown"


def format_tables(measured: dict[str, Any]) -> Iterator[str]:
    """Write all tables in Markdown, line by line."""
    if "device" not in measured:
        yield from format_cores(measured)
        return
    caption = (
        f"By `{COMMAND}`, on {measured['device']} (CuPy {measured['cupy']}, a driver "
        f"for CUDA {measured['driver'] // 1000}.{measured['driver'] % 1000 // 10}) "
        f"beside {measured['machine']}. Thumbnails of "
        f"{WIDTH}x{HEIGHT}, n_init = {N_INIT}, from host memory to palettes in host "
        f"memory; the median of {ROUNDS} rounds."
    )
    yield from textwrap.wrap(caption, 88, break_on_hyphens=False)
    yield ""
    yield "| space | frames | other bits than numba | other bits when repeated |"
    yield "|---|---|---|---|"
    for space, row in measured["parity"].items():
        yield (
            f"| {space} | {row['frames']} | {row['differ']} "
            f"| {row['differ_when_repeated']} |"
        )
    yield ""
    yield f"| frames at a time (k = {N_COLORS}) | frames a second |"
    yield "|---|---|"
    for row in measured["batches"]:
        yield f"| {row['frames']} | {row['fps']:,.0f} |"
    yield ""
    yield "| space | k | GPU, frames a second | all cores, numba | ratio |"
    yield "|---|---|---|---|---|"
    for row in measured["colors"]:
        yield (
            f"| {row['color_space']} | {row['n_colors']} | {row['fps']:,.0f} "
            f"| {row['fps_cores']:,.0f} | {row['fps'] / row['fps_cores']:.1f} |"
        )
    yield ""
    yield "| where the time goes, nothing side by side | µs per frame | share |"
    yield "|---|---|---|"
    parts = measured["parts"]
    for name, ms in parts.items():
        yield f"| {name} | {1000 * ms:.2f} | {ms / sum(parts.values()):.0%} |"
    yield ""
    yield f"| beside others (k = {N_COLORS}) | frames a second | of engine cupy's |"
    yield "|---|---|---|"
    (ours,) = [
        row["fps"] for row in measured["batches"] if row["frames"] == SHARD_FRAMES
    ]
    yield f"| **engine cupy**, {SHARD_FRAMES} frames at a time | {ours:,.0f} | 1 |"
    for name, fps in list_peers(measured):
        yield f"| {name} | {fps:,.0f} | {fps / ours:,.3f} |"
    floors = measured["floors"]
    yield (
        f"| at most, by bytes over the bus ({floors['bus_gb_s']:.1f} GB/s) "
        f"| {floors['bus_fps']:,.0f} | {floors['bus_fps'] / ours:,.1f} |"
    )
    yield (
        f"| at most, by arithmetic of {STEPS} steps from {N_INIT} starts on all pixels "
        f"| {floors['arithmetic_fps']:,.0f} | {floors['arithmetic_fps'] / ours:,.1f} |"
    )


def format_cores(measured: dict[str, Any]) -> Iterator[str]:
    """Write the table of engine numba alone."""
    caption = (
        f"No GPU could be had yet: `{COMMAND}` measures one and puts its tables here. "
        f"Engine numba on all cores of {measured['machine']}, by `uv run python "
        f"benchmarks/gpu.py --cpu-only`; thumbnails of {WIDTH}x{HEIGHT}, n_init = "
        f"{N_INIT}, the median of {ROUNDS} rounds."
    )
    yield from textwrap.wrap(caption, 88, break_on_hyphens=False)
    yield ""
    yield "| space | k | all cores, numba: frames a second |"
    yield "|---|---|---|"
    for row in measured["colors"]:
        yield f"| {row['color_space']} | {row['n_colors']} | {row['fps_cores']:,.0f} |"


def list_peers(measured: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """List the peers that were there, with their frames a second."""
    if "cuml" in measured:
        name = f"engine cuml (cuML {measured['cuml_version']}), a frame at a time"
        yield name, measured["cuml"]
    if "flash" in measured:
        flash = measured["flash"]
        name = f"flash-kmeans {measured['flash_version']}, {SHARD_FRAMES} frames"
        yield f"{name}, {STEPS} steps from {N_INIT} starts", flash["fps"]
        yield f"{name}, {STEPS} steps from one start", flash["fps_one_start"]


def main() -> None:
    """Check, measure, print tables, and write them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--film", type=Path, default=FILM)
    parser.add_argument("--frames", type=int, help="only so many, over the whole film")
    parser.add_argument(
        "--redraw", action="store_true", help="write the tables of the JSON file"
    )
    parser.add_argument(
        "--cpu-only", action="store_true", help="measure engine numba alone"
    )
    options = parser.parse_args()
    if options.redraw:
        if not MEASURED.exists():
            sys.exit(f"There is no {MEASURED.name}; run {COMMAND} where a GPU is.")
        measured = json.loads(MEASURED.read_text(encoding="utf-8"))
        write_between(DOCUMENT, MARKER, "\n".join(format_tables(measured)))
        return
    if options.frames is not None and options.frames < 1:
        sys.exit(f"--frames must be 1 or more, not {options.frames}.")
    try:
        if not options.cpu_only:
            # Before anything that takes time.
            find_on_gpu(np.zeros((1, 1, 1, 3), np.uint8))
        frames = load_frames(options.film)
        # The demo film stands in for the usual one only to try this.
        whole = options.film == FILM and FILM.is_file() and options.frames is None
        if options.frames is not None and options.frames < len(frames):
            frames = frames[spread(len(frames), options.frames)]
        with telling_errors():
            measured = (measure_cores if options.cpu_only else measure)(frames)
    except ReelbowError as error:
        sys.exit(str(error))
    print("\n".join(format_tables(measured)))
    if whole:
        MEASURED.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
        write_between(DOCUMENT, MARKER, "\n".join(format_tables(measured)))
    if any(row["differ"] for row in measured.get("parity", {}).values()):
        sys.exit("The GPU's palettes are not those of engine numba.")


if __name__ == "__main__":
    main()
