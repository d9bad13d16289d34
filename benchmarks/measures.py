"""What measures cost: their part of the CPU seconds of a shard's two jobs.

Films of ../shared/data, or the demo film where these are absent, and a tarball of small
JPEGs, of which everything else costs least. The jobs' functions run in processes of
their own, as in a run, which add up what is spent on loading and finding measures; the
ratio is that of all CPU seconds to those without it. Turns with and without measures
differed by more than that, on a machine that others used too.

    uv run python benchmarks/measures.py

writes its table to docs/measures.md, and draws docs/measures.png.
"""

import argparse
import importlib
import io
import statistics
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from machine import name_machine, write_between
from measuring import measure

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "workflow" / "scripts"), str(ROOT / "tests" / "helpers")]

from reelbow.database.reading import count_frames  # noqa: E402 (the path comes first)

PAGE = ROOT / "docs" / "measures.md"
SHARED = ROOT.parent / "shared" / "data"
LONG = SHARED / "bbb_full_384x216_25fps_h264.mp4"
CLIP = SHARED / "tears_of_steel_battle_800x332_24fps_vp8.webm"
DEMO = ROOT / "benchmarks" / "cache" / "demo.mp4"

PICTURE = ROOT / "docs" / "measures.png"
DRAWN = ["lightness", "colorfulness", "warm_share", "black_share", "strip_sharpness"]
WIDTH = 1400

RUNS = 5
STEPS = ("downsample", "cluster")

# CPU seconds, in the process of a step.
SPENT: list[float] = []


def time_calls(module: str, function: str) -> None:
    """Add up the CPU seconds of a function's calls in this process, and its loading."""
    # What other parts of the job load anyway: numba, NumPy and SQLite.
    for other in ("reelbow.machine.compiled", "reelbow.database.schema"):
        importlib.import_module(other)
    began = time.process_time()
    loaded = importlib.import_module(module)
    SPENT.append(time.process_time() - began)
    plain = getattr(loaded, function)

    def call(*arguments: Any) -> Any:
        began = time.process_time()
        found = plain(*arguments)
        SPENT.append(time.process_time() - began)
        return found

    setattr(loaded, function, call)


def run_step(step: str, source: Path, folder: Path) -> None:
    """Do what one job does."""
    plan, thumbnails = folder / "plan.json", folder / "a.npz"
    if step == "downsample":
        from downsample_frames import downsample_frames
        from reelbow.shards.batches import ThumbnailOptions
        from reelbow.shards.previews import PreviewOptions

        downsample_frames(
            source,
            plan,
            thumbnails,
            shard=name_shard(source),
            shaping=ThumbnailOptions(90, None, "srgb", 200_000_000, "fail"),
            previews=folder / "a.jpg",
            preview_options=PreviewOptions(72, 60),
        )
        return
    from cluster_shard import cluster_shard
    from reelbow.shards.batches import ThumbnailOptions

    cluster_shard(
        thumbnails,
        plan,
        folder / "a.sqlite",
        **{"film": "Big Buck Bunny" if source == LONG else "A film"},
        **{"source": source.name, "shard": name_shard(source)},
        **{"n_colors": 8, "n_accents": 0, "color_space": "srgb", "n_init": 5},
        **{"seed": 0, "engine": "numba", "metadata": {}},
        shaping=ThumbnailOptions(90, None, "srgb", 200_000_000, "fail"),
    )


def name_shard(source: Path) -> str:
    """Name the only shard of a source."""
    return source.stem if source.suffix == ".tar" else "00000"


def make_tarball(film: Path, path: Path) -> Path:
    """Make a tarball of a film's frames, as JPEGs of 216 rows."""
    import simplejpeg

    from reelbow.film import read_frames

    with tarfile.open(path, "w") as tar:
        for frame in read_frames(film, every=1.0, height=216):
            data = simplejpeg.encode_jpeg(np.ascontiguousarray(frame.pixels), 90)
            about = tarfile.TarInfo(f"{frame.index:06d}.jpg")
            about.size = len(data)
            tar.addfile(about, io.BytesIO(data))
    return path


def compare(source: Path, folder: Path, every: float) -> str:
    """Measure the two jobs of a source's only shard; give its row of the table."""
    import chain

    folder.mkdir()
    chain.plan_files(
        [source], folder / "plan.json", every=every, shards=[name_shard(source)]
    )
    runs: list[tuple[float, float]] = []
    for _ in range(RUNS + 1):
        cpu_s = spent_s = 0.0
        for step in STEPS:
            command = [sys.executable, __file__, "--step", step]
            cost, printed = measure([*command, source, folder], folder)
            cpu_s += cost.cpu_s
            spent_s += float(printed.split()[-1])
        print(f"{source.name}: {cpu_s:.2f} CPU s, {spent_s:.3f} for measures")
        runs.append((cpu_s, spent_s))
    # The first one compiles.
    cpu_s, spent_s = map(statistics.median, zip(*runs[1:], strict=True))
    ratio = statistics.median(cpu / (cpu - spent) for cpu, spent in runs[1:])
    n_frames = count_frames(folder / "a.sqlite")
    return (
        f"| {source.name}, {n_frames:,} frames | {cpu_s:.2f} | {spent_s:.3f} "
        f"| {spent_s / n_frames * 1000:.2f} | {ratio:.3f} |"
    )


def draw_picture(database: Path, folder: Path) -> None:
    """Draw the figure of a database, smaller, for the document."""
    from PIL import Image

    from render_barcodes import render_barcodes

    drawing = {"height": 300, "width": None, "skip_black": False}
    render_barcodes(
        database,
        [folder / "measures.png"],
        drawing={**drawing, "gap_color": "#d9d9d9"},
        measures=DRAWN,
    )
    with Image.open(folder / "measures.png") as image:
        height = round(image.height * WIDTH / image.width)
        small = image.resize((WIDTH, height), Image.Resampling.LANCZOS)
    # Flat areas and few colors of text: 256 do.
    small.quantize(256).save(PICTURE, optimize=True)


def main() -> None:
    """Measure all sources, or do one step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--step", choices=STEPS)
    parser.add_argument("paths", nargs="*", type=Path)
    asked = parser.parse_args()
    if asked.step:
        if asked.step == "downsample":
            time_calls("reelbow.pictures.measures", "measure_pictures")
        else:
            time_calls("reelbow.database.frames", "find_entropy")
        run_step(asked.step, *asked.paths)
        print(sum(SPENT))
        return
    films = {LONG: 1.0, CLIP: 0.25}
    films = {film: every for film, every in films.items() if film.exists()}
    if not films:
        from reelbow.sources.demo import make_demo_film

        DEMO.parent.mkdir(parents=True, exist_ok=True)
        if not DEMO.exists():
            make_demo_film(DEMO)
        films = {DEMO: 0.25}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        films[make_tarball(next(iter(films)), folder / "jpegs.tar")] = 1.0
        rows = [
            compare(source, folder / str(number), every)
            for number, (source, every) in enumerate(films.items())
        ]
        draw_picture(folder / "0" / "a.sqlite", folder)
    head = "| source | CPU s | for measures | ms a frame | with / without |\n"
    head += "|---|---:|---:|---:|---:|\n"
    about = f"On {name_machine()}; medians of {RUNS} runs; `jpegs.tar` has 216 rows.\n"
    write_between(PAGE, "measures", f"{about}\n{head}" + "\n".join(rows))


if __name__ == "__main__":
    main()
