"""What measures cost: CPU seconds of a shard's two jobs, with them and without.

Films of ../shared/data, or the demo film where these are absent, and a tarball of small
JPEGs, of which everything else costs least. The jobs' functions run in processes of
their own, as in a run, by turns; of each the median counts, and the ratio of a turn's
two. Without measures nothing of them is loaded or found, and zeros are written.

    uv run python benchmarks/measures.py

writes its table to docs/measures.md, and draws docs/measures.png.
"""

import argparse
import statistics
import sys
import tarfile
import tempfile
import types
from pathlib import Path
from typing import Any

import numpy as np
from machine import name_machine, write_between
from measuring import Cost, measure

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "workflow" / "scripts"), str(ROOT / "tests" / "helpers")]

PAGE = ROOT / "docs" / "measures.md"
SHARED = ROOT.parent / "shared" / "data"
LONG = SHARED / "bbb_full_384x216_25fps_h264.mp4"
CLIP = SHARED / "tears_of_steel_battle_800x332_24fps_vp8.webm"
DEMO = ROOT / "benchmarks" / "cache" / "demo.mp4"

PICTURE = ROOT / "docs" / "measures.png"
DRAWN = ["lightness", "colorfulness", "warm_share", "black_share", "strip_sharpness"]
WIDTH = 1400

RUNS = 4
STEPS = ("downsample", "cluster")


def leave_out_measures() -> None:
    """Let this process find no measures: their module is replaced by zeros."""
    from reelbow.database import frames

    name = "reelbow.pictures.measures"
    without: Any = types.ModuleType(name)
    without.measure_pictures = lambda pixels, strips: np.zeros((len(pixels), 10))
    sys.modules[name] = without
    vars(frames)["find_entropy"] = lambda palette: 0.0


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
            previews=folder / "a.webp",
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
    import io

    import simplejpeg

    from reelbow.film import read_frames

    with tarfile.open(path, "w") as tar:
        for frame in read_frames(film, every=1.0, height=216):
            data = simplejpeg.encode_jpeg(np.ascontiguousarray(frame.pixels), 90)
            about = tarfile.TarInfo(f"{frame.index:06d}.jpg")
            about.size = len(data)
            tar.addfile(about, io.BytesIO(data))
    return path


def count_frames(folder: Path) -> int:
    """Count the frames that a shard's database has."""
    from reelbow.database import reading

    return reading.count_frames(folder / "a.sqlite")


def compare(source: Path, folder: Path, every: float) -> str:
    """Measure a source by turns; give its row of the table."""
    import chain

    folder.mkdir()
    chain.plan_files(
        [source], folder / "plan.json", every=every, shards=[name_shard(source)]
    )
    costs: dict[str, list[float]] = {"without": [], "with": []}
    for turn in range(RUNS + 1):
        for how in costs:
            parts: list[Cost] = []
            for step in STEPS:
                command = [sys.executable, __file__, "--step", step, "--how", how]
                parts.append(measure([*command, source, folder], folder)[0])
            # The first turn compiles.
            if turn:
                costs[how].append(sum(part.cpu_s for part in parts))
            print(f"{source.name}, {how}: {sum(p.cpu_s for p in parts):.2f} CPU s")
    n_frames = count_frames(folder)
    ratios = [a / b for a, b in zip(costs["with"], costs["without"], strict=True)]
    more, less = (statistics.median(costs[how]) for how in ("with", "without"))
    return (
        f"| {source.name}, {n_frames:,} frames | {less:.2f} | {more:.2f} "
        f"| {(more - less) / n_frames * 1000:.2f} "
        f"| {statistics.median(ratios):.3f} |"
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
    parser.add_argument("--how", choices=["with", "without"], default="with")
    parser.add_argument("paths", nargs="*", type=Path)
    asked = parser.parse_args()
    if asked.step:
        if asked.how == "without":
            leave_out_measures()
        run_step(asked.step, *asked.paths)
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
    head = "| source | CPU s without | with | ms a frame | ratio |\n"
    head += "|---|---:|---:|---:|---:|\n"
    about = f"On {name_machine()}; medians of {RUNS} turns; `jpegs.tar` has 216 rows.\n"
    write_between(PAGE, "measures", f"{about}\n{head}" + "\n".join(rows))


if __name__ == "__main__":
    main()
