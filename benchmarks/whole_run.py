"""Whole runs of Reelbow beside what only decodes, and beside the classic way.

CPU seconds are those of Snakemake and of every job together. On the ten-minute film of
1920x1080 (benchmarks/films.py): all four barcodes against `ffmpeg -f null`, keyframes
alone against `ffmpeg -skip_frame nokey`, a sample every 1, 10 and 60 s, one barcode
against four, one core against two. On 300 JPEG frames in a tarball: against decoding
with OpenCV and scikit-learn's k-means on all pixels.

    uv run python benchmarks/whole_run.py
"""

import argparse
import json
import re
import shutil
import sys
import tarfile
import tempfile
import time
import warnings
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from machine import name_machine, write_between
from measuring import ROOT, Cost, Project, by_turns, measure

FIGURES = ROOT / "benchmarks" / "whole_run.json"
PAGE = ROOT / "docs" / "performance.md"

# Frames, spread over the tarball, whose classic cost is measured.
N_CLASSIC = 12

Figures = dict[str, Any]


@dataclass
class RunCost(Cost):
    """What a run of the workflow took."""

    shards_cpu_s: float  # of it, the jobs of shards, by what they say of themselves


def run_workflow(source: Path, *settings: str, options: Iterable[str] = ()) -> RunCost:
    """Run the workflow from nothing on one source."""
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder) / "project")
        arguments = ["--config", f"films={source}", *settings, *options]
        cost, _ = project.run(*arguments)
        logs = project.folder / "logs"
        told = [
            re.search(r"^USED: ([\d.]+) CPU s", log.read_text(), re.M)
            for stage in ("downsample_frames", "cluster_shard")
            for log in logs.glob(f"{stage}/*/*.log")
        ]
    shards_cpu_s = sum(float(match[1]) for match in told if match)
    return RunCost(**asdict(cost), shards_cpu_s=shards_cpu_s)


def run_ffmpeg(film: Path, *options: str) -> Cost:
    """Decode a film by ffmpeg and throw the pictures away."""
    command = ["ffmpeg", "-nostdin", "-v", "error", *options, "-i", film]
    return measure([*command, "-f", "null", "-"], ROOT)[0]


def measure_classic(tarball: Path) -> float:
    """Cluster some frames the classic way; return CPU seconds a frame."""
    import cv2
    import numpy as np
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    cv2.setNumThreads(1)
    with tarfile.open(tarball) as tar:
        members = tar.getmembers()
        some = members[len(members) // (2 * N_CLASSIC) :: len(members) // N_CLASSIC]
        with threadpool_limits(1), warnings.catch_warnings(action="ignore"):
            began = time.process_time()
            for member in some:
                file = tar.extractfile(member)
                assert file is not None
                data = np.frombuffer(file.read(), np.uint8)
                pixels = cv2.imdecode(data, cv2.IMREAD_COLOR).reshape(-1, 3)
                KMeans(8, n_init=5, random_state=0).fit(pixels)
            seconds = time.process_time() - began
    return seconds / len(some)


def decode_jpegs(tarball: Path) -> Cost:
    """Decode all images of a tarball by simplejpeg, and do nothing with them."""
    import simplejpeg

    with tarfile.open(tarball) as tar:
        began = time.perf_counter(), time.process_time()
        for member in tar:
            file = tar.extractfile(member)
            assert file is not None
            simplejpeg.decode_jpeg(file.read(), "RGB")
        ended = time.perf_counter(), time.process_time()
    return Cost(ended[1] - began[1], ended[0] - began[0], 0.0)


def find_films() -> list[Path]:
    """Make the film and the tarball, or find them made.

    Not in this process: those that it starts are charged with the memory it has.
    """
    _, paths = measure([sys.executable, ROOT / "benchmarks" / "films.py"], ROOT)
    return [Path(line) for line in paths.splitlines()[-2:]]


def take_first(tarball: Path, folder: Path) -> Path:
    """Make a tarball of the first frame alone: what it costs, the next ones do not."""
    path = folder / "first.tar"
    with tarfile.open(tarball) as source, tarfile.open(path, "w") as target:
        member = source.getmembers()[0]
        target.addfile(member, source.extractfile(member))
    return path


def count_members(tarball: Path) -> int:
    """Count the pictures of a tarball."""
    with tarfile.open(tarball) as tar:
        return len(tar.getnames())


def measure_film(runs: int, film: Path | None) -> Figures:
    """Measure runs on the film; None: the ten-minute one."""
    film = film.resolve() if film else find_films()[0]
    sharded = "shards={frames: 60}"
    return by_turns(
        runs,
        decode=lambda: run_ffmpeg(film),
        film=lambda: run_workflow(film),
        film_mean=lambda: run_workflow(film, "barcodes={kinds: [mean]}"),
        decode_keyframes=lambda: run_ffmpeg(film, "-skip_frame", "nokey"),
        keyframes=lambda: run_workflow(film, "sampling={mode: keyframes, every: 1}"),
        every_10=lambda: run_workflow(film, "sampling={every: 10}"),
        every_60=lambda: run_workflow(film, "sampling={every: 60}"),
        one_frame=lambda: run_workflow(film, "sampling={every: 3600}"),
        one_core=lambda: run_workflow(film, sharded, options=["--cores", "1"]),
        two_cores=lambda: run_workflow(film, sharded, options=["--cores", "2"]),
    )


def measure_tarball(runs: int, film: Path | None) -> Figures:
    """Measure runs on the tarball, and the classic way; the film does not matter."""
    _, tarball = find_films()
    full_size = "downsample={height: null}"
    with tempfile.TemporaryDirectory() as folder:
        first = take_first(tarball, Path(folder))
        costs = by_turns(
            runs,
            simplejpeg=lambda: decode_jpegs(tarball),
            tarball=lambda: run_workflow(tarball),
            tarball_reduced=lambda: run_workflow(tarball, "mean={exact: false}"),
            tarball_full=lambda: run_workflow(tarball, full_size),
            one_image=lambda: run_workflow(first),
            one_image_full=lambda: run_workflow(first, full_size),
        )
    return costs | {
        "classic": {"cpu_s": measure_classic(tarball), "images": count_members(tarball)}
    }


PARTS = {"film": measure_film, "tarball": measure_tarball}


def render_table(figures: Figures) -> str:
    """Write the measured figures as Markdown."""
    costs = figures["film"] | figures["tarball"]
    n_images = costs["classic"]["images"]

    def cpu(name: str) -> float:
        return float(costs[name]["cpu_s"])

    def beyond(name: str, less: str) -> float:
        return cpu(name) - cpu(less)

    rows = [
        ("`ffmpeg -i film -f null -`", "decode", ""),
        ("a frame a second, four barcodes", "film", _ratio(cpu("film"), cpu("decode"))),
        (
            "a frame a second, mean barcode alone",
            "film_mean",
            f"four: {_ratio(cpu('film'), cpu('film_mean'))}",
        ),
        ("a frame every 10 s", "every_10", _ratio(cpu("every_10"), cpu("decode"))),
        ("a frame every 60 s", "every_60", _ratio(cpu("every_60"), cpu("decode"))),
        ("one frame: what every run costs", "one_frame", ""),
        ("`ffmpeg -skip_frame nokey -i film -f null -`", "decode_keyframes", ""),
        (
            "keyframes, four barcodes",
            "keyframes",
            f"{_ratio(cpu('keyframes'), cpu('decode_keyframes'))}; beyond one frame "
            + _ratio(beyond("keyframes", "one_frame"), cpu("decode_keyframes")),
        ),
        ("10 shards on one core", "one_core", ""),
        (
            "10 shards on two cores",
            "two_cores",
            f"wall {_ratio(costs['two_cores']['wall_s'], costs['one_core']['wall_s'])}",
        ),
    ]
    lines = [
        f"{figures['machine']}; medians of runs by turns: {figures['film_runs']} on "
        f"the film, {figures['tarball_runs']} on the tarball; "
        "`uv run python benchmarks/whole_run.py`",
        "",
        f"| {figures['film_name']} | CPU s | wall s | peak MB | ratio |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {label} | {cpu(name):.1f} | {costs[name]['wall_s']:.1f} "
        f"| {costs[name]['peak_mb']:.0f} | {ratio} |"
        for label, name, ratio in rows
    ]
    classic = cpu("classic")
    lines += [
        "",
        f"| {n_images} JPEG frames in a tarball | CPU s of the run | of it the shard's "
        "jobs | of simplejpeg's decoding alone | CPU ms a frame beyond the first "
        "| fewer than the classic way |",
        "|---|---|---|---|---|---|",
        f"| OpenCV and scikit-learn on all pixels | | | | {1000 * classic:.0f} | |",
        f"| simplejpeg, decoding alone | {cpu('simplejpeg'):.1f} | | | "
        f"{1000 * cpu('simplejpeg') / n_images:.1f} | |",
    ]
    for label, name, less in (
        ("thumbnails of 90 rows, the default", "tarball", "one_image"),
        ("the same, averages not exact", "tarball_reduced", "one_image"),
        ("full size", "tarball_full", "one_image_full"),
    ):
        shard_s = costs[name]["shards_cpu_s"]
        each = (shard_s - costs[less]["shards_cpu_s"]) / (n_images - 1)
        lines.append(
            f"| {label} | {cpu(name):.1f} | {shard_s:.2f} "
            f"| {_ratio(shard_s, cpu('simplejpeg'))} | {1000 * each:.1f} "
            f"| {classic / each:.0f}x |"
        )
    return "\n".join(lines)


def _ratio(one: float, other: float) -> str:
    return f"{one / other:.2f}"


def main() -> None:
    """Measure, and write the tables to docs/performance.md."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3, help="of each, by turns")
    parser.add_argument("--only", choices=PARTS, help="measure this part anew")
    parser.add_argument("--film", type=Path, help="instead of the ten-minute one")
    parser.add_argument("--redraw", action="store_true", help="measure nothing")
    options = parser.parse_args()
    figures = {}
    if FIGURES.exists():
        figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    if not options.redraw:
        if shutil.which("ffmpeg") is None:
            sys.exit("There is no ffmpeg to compare with; install it first.")
        for part in [options.only] if options.only else PARTS:
            figures[part] = PARTS[part](options.runs, options.film)
            figures[f"{part}_runs"] = options.runs
            if part == "film":
                name = options.film.name if options.film else "the ten-minute film"
                figures["film_name"] = name
        figures["machine"] = name_machine()
        text = json.dumps(figures, indent=1)
        FIGURES.write_text(f"{text}\n", encoding="utf-8")
    table = render_table(figures)
    print(table)
    write_between(PAGE, "whole_run", table)


if __name__ == "__main__":
    main()
