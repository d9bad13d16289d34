"""Reelbow beside what a user would pick instead, on the same film in the same run.

Each peer runs as its users run it, in an environment of its own that is made here by
uv with exact versions. The results go to benchmarks/peers.json, the table to
docs/performance.md, its picture to docs/peers.png, and the most telling rows to
README.md. A peer that fails has a row that says why.

    uv run python benchmarks/peers.py
    uv run python benchmarks/peers.py --film movie.mkv
    uv run python benchmarks/peers.py --redraw
"""

import argparse
import json
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Container, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import measuring
from machine import name_machine, write_between

# Nothing large is imported here: a process that this one starts is charged with the
# memory that this one has.

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ROOT / "benchmarks" / "cache" / "envs"
LOOPS = ROOT / "benchmarks" / "peer_loops.py"
RESULTS = ROOT / "benchmarks" / "peers.json"
README = ROOT / "README.md"
PAGE = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "peers.png"
# Frames to extrapolate from.
N_COST = 5
MARKER = "peers"
# What README.md shows of them.
TELLING = ("Reelbow", "ffmpeg, decoding alone", "scikit-learn, all pixels")

# Packages with a version here; those without have the version of Reelbow's own.
PACKAGES = {
    "movie-barcodes": ("3.12", ["movie-barcodes==0.6.3"]),
    # It wants the scikit-image of 2022, and that an older Python.
    "kalmus": (
        "3.10",
        [
            "kalmus==1.3.14",
            "scikit-image==0.19.3",
            "scikit-learn==1.7.2",
            "opencv-python==4.11.0.86",
            "numpy==1.26.4",
        ],
    ),
    "pyav": ("3.11", ["av", "numpy"]),
    "scikit-learn": ("3.11", ["scikit-learn", "av", "numpy"]),
}

# OpenMP's threads wait by spinning, which on a busy machine makes up to 60 times the
# CPU seconds of the work itself; so they sleep, as many as there are.
QUIET_WAITING = {"OMP_WAIT_POLICY": "passive"}

FIGURES = ["cpu_s", "wall_s", "peak_mb"]

Results = dict[str, Any]
Row = dict[str, Any]


class PeerError(Exception):
    """Why a peer has no figures, in one sentence."""


@dataclass(frozen=True)
class Peer:
    """A way to a barcode.

    Attributes
    ----------
    name : as in the table
    brief : what the user then has, for the picture
    delivers : the same, for the table
    command : with the names of `Film`, {bin}, {python}, {loops}, {result} and {n_cost}
    environment : of `PACKAGES`; "" has none of its own
    result : file that it leaves, which tells how many frames it has read
    base : the peer before it whose seconds stand for all but the clustering, if that
        takes seconds a frame: `command` then tells what a few frames cost
    """

    name: str
    brief: str
    delivers: str
    command: str
    environment: str = ""
    result: str = ""
    base: str = ""


DECODING = Peer(
    name="ffmpeg, decoding alone",
    brief="no barcode",
    delivers="nothing: every picture, decoded",
    command="ffmpeg -nostdin -v error -i {path} -map 0:v:0 -f null -",
)
REELBOW_COMMAND = "{bin}/snakemake --config films={path}"
PEERS = [
    DECODING,
    Peer(
        name="ffmpeg, tile of columns",
        brief="strip barcode",
        delivers="strip barcode as PNG",
        command="ffmpeg -nostdin -v error -i {path} "
        "-vf fps=1,scale=1:300,tile={seconds}x1 -frames:v 1 {result}",
        result="barcode.png",
    ),
    Peer(
        name="PyAV, plain loop",
        brief="mean colors",
        delivers="mean color of every frame, as CSV",
        command="{python} {loops} write_means {path} {result}",
        environment="pyav",
        result="means.csv",
    ),
    Peer(
        name="movie-barcodes, avg",
        brief="mean barcode",
        delivers="mean barcode as PNG",
        command="{bin}/movie-barcodes -i {path} -d {result} "
        "--width {seconds} --height 300",
        environment="movie-barcodes",
        result="mean.png",
    ),
    Peer(
        name="kalmus, Average",
        brief="mean colors",
        delivers="mean color of every frame, as JSON",
        command="{bin}/kalmus-generator -p {path} -o {result} -s {rate} "
        "--barcode_type Color --frame_type Whole_frame --color_metric Average",
        environment="kalmus",
        result="average.json",
    ),
    Peer(
        name="Reelbow, its very first run",
        brief="four barcodes, 8 colors of every frame",
        delivers="as Reelbow, while numba compiles once for all later runs",
        command=REELBOW_COMMAND,
        result="results/palettes.sqlite",
    ),
    Peer(
        name="Reelbow",
        brief="four barcodes, 8 colors of every frame",
        delivers="mean, strip, dominant and stacked barcodes as PNG and SVG; "
        "8 colors of every frame with shares, in SQLite",
        command=REELBOW_COMMAND,
        result="results/palettes.sqlite",
    ),
    Peer(
        name="scikit-learn, 160x90",
        brief="8 colors of every frame",
        delivers="8 colors of every frame with shares, as CSV",
        command="{python} {loops} write_palettes {path} {result}",
        environment="scikit-learn",
        result="palettes.csv",
    ),
    Peer(
        name="scikit-learn, 160x90, one thread",
        brief="8 colors of every frame",
        delivers="8 colors of every frame with shares, as CSV",
        command="env OMP_NUM_THREADS=1 {python} {loops} write_palettes {path} {result}",
        environment="scikit-learn",
        result="palettes.csv",
    ),
    Peer(
        name="kalmus, Top-dominant",
        brief="largest of 3 colors of every frame",
        delivers="largest of 3 k-means colors of every frame, as JSON",
        command="{python} {loops} cost_kalmus {path} {result} {n_cost}",
        environment="kalmus",
        result="cost.json",
        base="kalmus, Average",
    ),
    Peer(
        name="movie-barcodes, kmeans",
        brief="largest of 3 colors of every frame",
        delivers="barcode of the largest of 3 k-means colors, as PNG",
        command="{python} {loops} cost_movie_barcodes {path} {result} {n_cost}",
        environment="movie-barcodes",
        result="cost.json",
        base="movie-barcodes, avg",
    ),
    Peer(
        name="scikit-learn, all pixels",
        brief="8 colors of every frame",
        delivers="8 colors of every frame with shares",
        command="{python} {loops} cost_sklearn {path} {result} {n_cost}",
        environment="scikit-learn",
        result="cost.json",
        base="PyAV, plain loop",
    ),
]


@dataclass(frozen=True)
class Film:
    """What commands need to know of the film; `rate` is pictures a second."""

    path: str
    seconds: int
    rate: int
    pictures: int
    width: int
    height: int
    codec: str


def probe_film(path: Path | None) -> Film:
    """Read a film's header and count its pictures; None is the ten-minute film.

    Raises
    ------
    PeerError
        If it is no film.
    """
    import av

    if path is None:
        from films import make_film

        path = make_film()
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            pictures = sum(packet.size > 0 for packet in container.demux(stream))
            rate = float(stream.average_rate or 0)
            seconds = round(pictures / rate) if rate else 0
            context = stream.codec_context
    except (OSError, IndexError, av.FFmpegError):
        seconds = 0
    if not seconds:
        raise PeerError(f"{path} is not a film of a second or more; give --film one.")
    return Film(
        path=str(path.resolve()),
        seconds=seconds,
        rate=round(rate),
        pictures=pictures,
        width=context.width,
        height=context.height,
        codec=context.name,
    )


def list_packages(environment: str) -> list[str]:
    """Name the packages of an environment with their versions."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    own = {pin.partition("==")[0]: pin for pin in project["project"]["dependencies"]}
    return [own.get(package, package) for package in PACKAGES[environment][1]]


def make_environment(environment: str) -> Path:
    """Make an environment, or find it made; return its folder of programs.

    Raises
    ------
    PeerError
        If it does not install.
    """
    python, _ = PACKAGES[environment]
    packages = list_packages(environment)
    folder = ENVIRONMENTS / environment
    made_of = folder / "made_of.txt"
    wanted = "\n".join([python, *packages])
    if not made_of.exists() or made_of.read_text(encoding="utf-8") != wanted:
        # `uv run` says where it is itself.
        uv = shutil.which(os.environ.get("UV", "uv"))
        if uv is None:
            raise PeerError("is not installed, since uv is not there to do it")
        for arguments in [
            ["venv", "--clear", "--python", python, str(folder)],
            ["pip", "install", "--python", str(folder / "bin" / "python"), *packages],
        ]:
            done = subprocess.run(
                [uv, "--quiet", *arguments],
                # Here pyproject.toml says how new a package may be.
                cwd=ROOT,
                env=os.environ | {"PATH": find_pythons()},
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                reason = explain(done.stderr)
                raise PeerError(f"does not install with Python {python}: {reason}")
        made_of.write_text(wanted, encoding="utf-8")
    return folder / "bin"


def find_pythons() -> str:
    """Extend PATH by the Pythons of pyenv, whose shims refuse all but the chosen."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    folders = [str(folder) for folder in sorted(root.glob("versions/*/bin"))]
    return os.pathsep.join([os.environ["PATH"], *folders])


def explain(text: str) -> str:
    """Take the line of an output that says why, without paths and addresses."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # The last line of most programs, but uv's first "cause".
    causes = [line for line in lines if line.startswith("cause: ")]
    line = (causes or lines[-1:] or ["it does not say why"])[0].removeprefix("cause: ")
    line = re.sub(r"\w+://[^\s`]+", "an address", line)
    line = re.sub(r"(?<![\w.])(/[\w.@+-]+)+/([\w.@+-]+)", r"\2", line)
    return line.replace("|", "/").removesuffix(".")[:200]


def measure_command(command: list[str], folder: Path) -> Row:
    """Run a command in a folder and measure it with all processes it starts.

    Returns
    -------
    {"cpu_s", "wall_s", "peak_mb"}; user and system seconds of all processes, and the
    largest memory of a single one, in MiB

    Raises
    ------
    PeerError
        If it is not installed or fails.
    """
    environment = os.environ | QUIET_WAITING
    # A very first run finds nothing compiled.
    environment.pop("NUMBA_CACHE_DIR", None)
    try:
        cost, _ = measuring.measure(command, folder)
    except measuring.CommandError as error:
        reason, failed, printed = str(error).partition("\n")
        raise PeerError(
            f"{reason}: {explain(printed)}" if failed else reason
        ) from error
    return asdict(cost)


def count_frames(result: Path) -> int:
    """Count the frames in what a peer has left: columns, lines, colors or rows.

    Raises
    ------
    PeerError
        If it has left nothing.
    """
    if not result.exists():
        raise PeerError(f"ends well but leaves no {result.name}")
    if result.suffix == ".png":
        # The width stands first in its header.
        return int.from_bytes(result.read_bytes()[16:20], "big")
    if result.suffix == ".csv":
        return len(result.read_text(encoding="utf-8").splitlines())
    if result.suffix == ".json":
        return len(json.loads(result.read_text(encoding="utf-8"))["colors"])
    with closing(sqlite3.connect(result)) as connection:
        (n_frames,) = connection.execute("SELECT count(*) FROM frames").fetchone()
    return int(n_frames)


def prepare_reelbow(folder: Path) -> None:
    """Copy the workflow, or take away what a run has left.

    Raises
    ------
    OSError
        If a file cannot be copied.
    """
    if not (folder / "Snakefile").exists():
        measuring.copy_workflow(folder)
    for name in ["results", "logs", ".snakemake"]:
        shutil.rmtree(folder / name, ignore_errors=True)


def run_peer(
    peer: Peer, film: Film, folder: Path, done: Mapping[str, Row], n_cost: int
) -> Row:
    """Run a peer.

    Parameters
    ----------
    done : rows of the peers that ran before
    n_cost : frames of which a peer with a base tells the cost

    Raises
    ------
    PeerError
        If it has no figures, in one sentence that says why.
    """
    # Also where `base` failed: no cost is measured that cannot be used.
    base = done.get(peer.base, {})
    if "failure" in base:
        raise PeerError(f"is not measured, since {peer.base} has failed")
    if peer.environment:
        programs = make_environment(peer.environment)
    else:
        programs = Path(sys.executable).parent
    if peer.command == REELBOW_COMMAND:
        prepare_reelbow(folder)
    result = folder / peer.result
    if peer.result:
        result.unlink(missing_ok=True)
    names = vars(film) | {
        "bin": programs,
        "python": programs / "python",
        "loops": LOOPS,
        "result": result,
        "n_cost": n_cost,
    }
    # Split before names are put in, which may have blanks.
    command = [part.format_map(names) for part in shlex.split(peer.command)]
    row = measure_command(command, folder)
    if peer.base:
        cost = json.loads(result.read_text(encoding="utf-8"))
        return {
            "cpu_s": base["cpu_s"] + base["frames"] * cost["cpu_s"] / cost["frames"],
            "wall_s": base["wall_s"] + base["frames"] * cost["wall_s"] / cost["frames"],
            "peak_mb": max(base["peak_mb"], row["peak_mb"]),
            "frames": base["frames"],
            "extrapolated_from": cost["frames"],
        }
    return row | {"frames": count_frames(result) if peer.result else film.pictures}


def run_peers(film: Film, n_cost: int) -> list[Row]:
    """Run all peers, one after the other."""
    rows: dict[str, Row] = {}
    with tempfile.TemporaryDirectory(prefix="peers_") as scratch:
        for peer in PEERS:
            folder = Path(scratch) / (peer.environment or peer.name.partition(",")[0])
            folder.mkdir(exist_ok=True)
            row = {"name": peer.name, "brief": peer.brief, "delivers": peer.delivers}
            try:
                row |= run_peer(peer, film, folder, rows, n_cost)
                told = f"{row['cpu_s']:.1f} CPU s, {row['frames']} frames"
            except PeerError as error:
                told = row["failure"] = str(error)
            print(f"{peer.name}: {told}", file=sys.stderr, flush=True)
            rows[peer.name] = row
    for row in rows.values():
        row |= {key: round(row[key], 2) for key in FIGURES if key in row}
    return list(rows.values())


def list_versions() -> list[str]:
    """Name what ran, with its version and Python's."""
    versions = []
    for environment, (python, _) in PACKAGES.items():
        package, _, version = list_packages(environment)[0].partition("==")
        name = "PyAV" if package == "av" else package
        versions.append(f"{name} {version} (Python {python})")
    if shutil.which("ffmpeg"):
        done = subprocess.run(
            ["ffmpeg", "-version"], capture_output=True, text=True, check=True
        )
        versions.append(f"ffmpeg {done.stdout.split()[2].partition('-')[0]}")
    return versions


def format_figure(figure: float, *, about: bool = False) -> str:
    """Write a figure with a tenth below ten, and as rounded as a guess is."""
    text = f"{figure:.1f}" if figure < 10 and not about else f"{figure:,.0f}"
    return f"about {text}" if about else text


def render_table(results: Results, only: Container[str] | None = None) -> str:
    """Write what stands between the markers of docs/performance.md, or of README.md.

    only : the peers of README.md, which has no versions
    """
    film = results["film"]
    decoding = next(row for row in results["rows"] if row["name"] == DECODING.name)
    lines = [
        f"`{film['name']}`, {film['seconds']:,} s of {film['width']}x{film['height']} "
        f"{film['codec']}, {film['pictures']:,} pictures; {results['machine']}; "
        f"`{results['command']}`:",
        "",
        "| | CPU s | x decoding | wall s | peak MiB | frames | delivers |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in sort_rows(results):
        if only is None or row["name"] in only:
            lines.append(_render_row(row, decoding))
    if only is None:
        lines += ["", f"Versions: {', '.join(results['versions'])}."]
    return "\n".join(lines)


def _render_row(row: Row, decoding: Row) -> str:
    name = f"**{row['name']}**" if row["name"] == "Reelbow" else row["name"]
    if "failure" in row:
        return f"| {name} | - | - | - | - | - | {row['failure']} |"
    about = "extrapolated_from" in row
    delivers = row["delivers"]
    if about:
        delivers += f" (extrapolated from {row['extrapolated_from']} frames)"
    ratio = "-"
    if "failure" not in decoding:
        ratio = f"{row['cpu_s'] / decoding['cpu_s']:.1f}"
    cells = [
        name,
        format_figure(row["cpu_s"], about=about),
        ratio,
        format_figure(row["wall_s"], about=about),
        f"{row['peak_mb']:,.0f}",
        f"{row['frames']:,}",
        delivers,
    ]
    return f"| {' | '.join(cells)} |"


def sort_rows(results: Results) -> list[Row]:
    """Sort by CPU seconds, failures last."""
    return sorted(results["rows"], key=lambda row: row.get("cpu_s", float("inf")))


def draw_picture(results: Results, path: Path) -> None:
    """Draw the CPU seconds as bars, on a logarithmic axis."""
    sys.path.insert(0, str(ROOT / "workflow" / "scripts"))
    from matplotlib.figure import Figure

    from reelbow.barcode.figure import GREY, INK, LIGHT_GREY, choose_font

    rows = [row for row in sort_rows(results) if "failure" not in row]
    if not rows:
        raise PeerError("All peers have failed, so that there is nothing to draw.")
    # Inches.
    width, above, below, each = 10.0, 1.15, 0.35, 0.5
    height = above + each * len(rows) + below
    figure = Figure(figsize=(width, height), dpi=150, facecolor="white")
    axes = figure.add_axes((0.31, below / height, 0.6, each * len(rows) / height))
    seconds = [row["cpu_s"] for row in rows]
    axes.set(
        xscale="log",
        xlim=(min(seconds) / 2, max(seconds) * 1.3),
        ylim=(len(rows) - 0.5, -0.5),
    )
    axes.set_axisbelow(True)
    axes.grid(axis="x", color=LIGHT_GREY, alpha=0.35, linewidth=0.6)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.tick_params(axis="both", which="both", length=0, labelcolor=GREY)
    axes.set_yticks([])
    for label in axes.get_xticklabels():
        label.set_fontproperties(choose_font(9.5))
    for side, spine in axes.spines.items():
        spine.set(visible=side == "left", color=LIGHT_GREY)

    for place, row in enumerate(rows):
        about = "extrapolated_from" in row
        own = row["name"].startswith("Reelbow")
        color = INK if own else LIGHT_GREY
        inside = "white" if about else color
        axes.barh(place, row["cpu_s"], 0.56, facecolor=inside, edgecolor=color)
        figure_text = format_figure(row["cpu_s"], about=about)
        for text, at, shift, align, size, shade in [
            (figure_text, (row["cpu_s"], place), (5, 0), "left", 11, INK),
            (row["name"], (0, place), (-8, 6), "right", 12, INK),
            (row["brief"], (0, place), (-8, -8), "right", 9, GREY),
        ]:
            axes.annotate(
                text,
                at,
                xycoords="data" if align == "left" else axes.get_yaxis_transform(),
                xytext=shift,
                textcoords="offset points",
                ha=align,
                va="center",
                color=shade,
                fontproperties=choose_font(size),
                annotation_clip=False,
            )

    film = results["film"]
    note = (
        f"{film['seconds']:,} s of {film['width']}x{film['height']} {film['codec']}, "
        f"one frame a second · logarithmic axis · {results['machine']}"
    )
    if any("extrapolated_from" in row for row in rows):
        note += " · open bars: extrapolated from a few frames"
    for text, down, size, shade in [
        ("CPU seconds for one film", 0.5, 18, INK),
        (note, 0.8, 9.5, GREY),
    ]:
        figure.text(
            0.025,
            1 - down / height,
            text,
            color=shade,
            fontproperties=choose_font(size),
        )
    figure.savefig(path, metadata={"Software": None})


def main() -> None:
    """Run all peers, or only draw what they gave, into docs/ and README.md."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--film", type=Path, help="default: the ten-minute film")
    parser.add_argument(
        "--frames",
        type=int,
        default=N_COST,
        help="frames to extrapolate from, where each takes seconds",
    )
    parser.add_argument(
        "--redraw", action="store_true", help="only draw benchmarks/peers.json again"
    )
    options = parser.parse_args()
    if options.frames < 1:
        parser.error(f"--frames is {options.frames}, but it must be 1 or more.")
    try:
        if not options.redraw:
            RESULTS.write_text(json.dumps(measure(options), indent=1) + "\n")
        if not RESULTS.exists():
            raise PeerError(
                f"No {RESULTS.name} is there to draw: run without --redraw."
            )
        results = json.loads(RESULTS.read_text())
        table = render_table(results)
        write_between(PAGE, MARKER, table)
        write_between(README, MARKER, render_table(results, TELLING))
        draw_picture(results, PICTURE)
    except (PeerError, ValueError) as error:
        sys.exit(str(error))
    print(table)


def measure(options: argparse.Namespace) -> Results:
    """Run all peers on the film of the options."""
    command = "uv run python benchmarks/peers.py"
    if options.film is not None:
        command += f" --film {options.film.name}"
    if options.frames != N_COST:
        command += f" --frames {options.frames}"
    # In a process of its own, for the memory: see above.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        film = pool.submit(probe_film, options.film).result()
    rows = run_peers(film, options.frames)
    return {
        "machine": name_machine(),
        "command": command,
        "versions": list_versions(),
        "film": {"name": Path(film.path).name}
        | {key: value for key, value in vars(film).items() if key != "path"},
        "rows": rows,
    }


if __name__ == "__main__":
    main()
