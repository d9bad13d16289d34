"""What Snakemake costs with many shards and many films, and the merge of many frames.

Makes a project of one film of many tarballs, one of many films, each a little video,
and one film of a million frames. Measures what a user waits for before any job begins
(a dry run, a run with nothing to do), Snakemake's own bookkeeping of all the jobs,
and the memory of the jobs that handle all frames at once.

    uv run python benchmarks/many_shards.py
    uv run python benchmarks/many_shards.py --films 2000 --shards 0 --frames 0
    uv run python benchmarks/many_shards.py --shards 1200 --films 0 --frames 0

The last one with `--database`, too.
"""

import argparse
import io
import json
import multiprocessing
import re
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "workflow" / "scripts"))

from machine import name_machine, write_between  # noqa: E402 (the path comes first)
from measuring import Cost, Project, measure  # noqa: E402

from reelbow.runs.resources import NEEDS  # noqa: E402
from reelbow.shards.plan import write_plan  # noqa: E402

FIGURES = ROOT / "benchmarks" / "many_shards.json"
PAGE = ROOT / "docs" / "performance.md"
KINDS = ["mean", "strip", "dominant", "stacked"]
ENDINGS = [".png", "_figure.png", ".svg"]
DRAWING = {"height": 300, "width": None, "skip_black": False, "gap_color": "#d9d9d9"}
N_COLORS = 8
STRIP_ROWS = 90
PER_SHARD = 600

# As `snakemake --touch`, without its rest of 0.1 s after each job, which stands for no
# work, and with a stub for what is not there: what is left is what Snakemake does.
STUBS = """
import shutil, sys
from pathlib import Path
import snakemake.cli
from snakemake.executors import touch
touch.Executor.SLEEPING_TIME = 0
database, touch_job = sys.argv.pop(1), touch.Executor.run_job
def run_job(self, job):
    for output in map(Path, job.output):
        output.parent.mkdir(parents=True, exist_ok=True)
        if output.suffix == ".sqlite":
            shutil.copy(database, output)
        elif output.name != "plan.json":
            output.touch()
    touch_job(self, job)
touch.Executor.run_job = run_job
snakemake.cli.main()
"""

DATABASE = [
    *("--persistence-backend", "db"),
    *("--persistence-backend-db-url", "sqlite:///.snakemake/records.sqlite"),
]

# A job in a process of its own, with its rule's memory, as Snakemake would run it.
JOB = """
import json, sys
from pathlib import Path
sys.path.append(sys.argv[1])
from reelbow.jobs.job import run
function, arguments = json.loads(sys.argv[2])
module = __import__(function)
def read(name, value):
    if name == "palette":
        from reelbow.database.schema import PaletteSettings
        return PaletteSettings(**value)
    if name in ("shards", "films", "pictures"):
        return [Path(each) for each in value]
    paths = ("plan", "palettes", "database")
    return Path(value) if name in paths else value
run(
    getattr(module, function),
    **{name: read(name, value) for name, value in arguments.items()},
)
"""


@dataclass
class Row:
    """A measured step: of what project, how many jobs Snakemake spoke of."""

    project: str
    step: str
    n_jobs: int
    cost: Cost
    result_mb: float | None = None


def apart(function: Callable[..., None], *arguments: Any) -> None:
    """Call a function in a process of its own.

    Linux counts what a process had before it became another command to that one's
    peak: this one has to stay small.
    """
    process = multiprocessing.get_context("fork").Process(
        target=function, args=arguments
    )
    process.start()
    process.join()
    if process.exitcode:
        sys.exit(f"{function.__name__} failed")


Measured = tuple[Cost, str]


class ManyShards:
    """A project of many shards."""

    def __init__(self, folder: Path, films: str, code: Path, *more: str) -> None:
        self.project = Project(folder, code)
        self.folder = folder
        self.arguments = [*more, "--config", f"films={films}"]

    def run(self, *arguments: str | Path, stubs: Path | None = None) -> Measured:
        """Run Snakemake; with a database as a stub of all, no job of its own is run."""
        start = ["-c", STUBS, str(stubs)] if stubs else ["-m", "snakemake"]
        more = ["--touch", "--forceall"] if stubs else []
        return self.project.run(*self.arguments, *more, *arguments, start=start)

    def measure_steps(self, name: str, stub: Path) -> list[Row]:
        """Measure what comes before and between jobs; stubs are there after."""
        rows: list[Row] = []

        def add(step: str, measured: Measured, n_jobs: int | None = None) -> None:
            cost, text = measured
            n_jobs = count_jobs(text) if n_jobs is None else n_jobs
            rows.append(Row(name, step, n_jobs, cost))
            print(format_row(rows[-1]), flush=True)

        add("dry run, nothing made", self.run("--dry-run"))
        add("films are planned", self.run("--until", "plan_shards"))
        add("dry run, films planned", self.run("--dry-run"))
        # Of those that are planned and of the plans.
        n_jobs = rows[-1].n_jobs + len(list(self.folder.glob("results/*/plan.json")))
        add("what Snakemake does beside all jobs", self.run(stubs=stub), n_jobs)
        add("dry run, nothing to do", self.run("--dry-run"))
        # What stands for jobs is no run of them: only this one finds all done.
        for step in ("run, nothing to do", "the same again"):
            nothing = self.run()
            if "Nothing to be done" not in nothing[1]:
                sys.exit(f"{name}: there is something to be done:\n{nothing[1]}")
            add(step, nothing)
        return rows


def count_jobs(text: str) -> int:
    """Read how many jobs Snakemake has for this run."""
    totals = re.findall(r"\btotal\b\W+(\d+)", text)
    return int(totals[-1]) if totals else 0


def make_tarballs(folder: Path, n_shards: int) -> None:
    """Make tarballs of two small JPEGs each, no two alike."""
    import cv2
    import numpy as np

    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for shard in range(n_shards):
        with tarfile.open(folder / f"tape_{shard:05d}.tar", "w") as tar:
            for frame in range(2):
                coarse = rng.integers(0, 256, (3, 4, 3), np.uint8)
                picture = cv2.resize(coarse, (64, 48))
                data = cv2.imencode(".jpg", picture)[1].tobytes()
                member = tarfile.TarInfo(f"{frame:04d}.jpg")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))


def make_films(folder: Path, n_films: int) -> None:
    """Make a sheet of little videos, of two seconds each."""
    import av
    import numpy as np

    folder.mkdir(parents=True)
    first = folder / "film_000.mp4"
    with av.open(str(first), "w") as container:
        stream = container.add_stream("libx264", rate=12)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for color in range(24):
            picture = np.full((48, 64, 3), 10 * color, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode(None))
    rows = ["film\tsource"]
    for number in range(n_films):
        path = folder / f"film_{number:03d}.mp4"
        if path != first:
            shutil.copy(first, path)
        rows.append(f"{path.stem}\t{folder.name}/{path.name}")
    (folder / "films.tsv").write_text("\n".join(rows) + "\n")


def make_million(folder: Path, n_frames: int) -> None:
    """Make a plan and the databases of its shards, of frames with random colors."""
    import numpy as np

    from reelbow.database.frames import add_frames
    from reelbow.database.opening import open_new
    from reelbow.database.schema import ONLY_FILM, PLAN_COLUMNS, FilmRow
    from reelbow.database.writing import add_color_sums, add_film, finish
    from reelbow.pictures.color_sums import ColorSums

    rng = np.random.default_rng(0)
    row = FilmRow("film", "film", "film", duration_s=float(n_frames))
    parts = []
    (folder / "palettes").mkdir(parents=True)
    for number, first in enumerate(range(0, n_frames, PER_SHARD)):
        n = min(PER_SHARD, n_frames - first)
        shares = -np.sort(-rng.dirichlet(np.ones(N_COLORS), n), axis=1)
        path = folder / "palettes" / f"{number:05d}.sqlite"
        with open_new(path) as connection:
            add_film(connection, ONLY_FILM, row)
            add_frames(
                connection,
                f"{number:05d}",
                frames=np.arange(first, first + n),
                times_s=np.arange(first, first + n, dtype=np.float64),
                names=[f"{frame:08d}.jpg" for frame in range(first, first + n)],
                mean_colors=rng.uniform(0, 255, (n, 3)),
                lumas=rng.uniform(10, 255, n),
                strips=rng.uniform(0, 255, (n, STRIP_ROWS, 3)),
                measures=rng.uniform(0, 1, (n, 10)),
                colors=rng.uniform(0, 255, (n, N_COLORS, 3)),
                shares=shares,
            )
            # As of small thumbnails: whatever their size, sums are of as many bins.
            sums, times_s = ColorSums(), np.arange(2, dtype=np.float64)
            pixels = rng.integers(0, 256, (2, 90, 160, 3), np.uint8)
            sums.add_frames(np.arange(2), times_s, pixels)
            add_color_sums(connection, sums.pack())
            finish(connection, {"settings": "{}"}, n_colors=N_COLORS)
        parts.append({"shard": f"{number:05d}", "first_frame": first, "n_frames": n})
    plan: dict[str, Any] = {
        **dict.fromkeys(PLAN_COLUMNS),
        "video": None,
        "sampling": None,
        "duration_s": float(n_frames),
        "n_frames": n_frames,
        "shards": parts,
    }
    write_plan(plan, folder / "plan.json")


def measure_job(folder: Path, script: str, mem_mb: int, arguments: Any) -> Cost:
    """Run a script's function in a process of its own, held to its rule's memory."""
    given = {"log": str(folder / "job.log"), "mem_mb": mem_mb, **arguments}
    command = [sys.executable, "-c", JOB, ROOT / "workflow" / "scripts"]
    cost, _ = measure([*command, json.dumps([script, given])], folder)
    return cost


def measure_million(folder: Path, n_frames: int) -> list[Row]:
    """Measure the jobs that see all frames of a film or of all films."""
    apart(make_million, folder, n_frames)
    shards = sorted((folder / "palettes").iterdir())
    name = f"{n_frames:,} frames in {len(shards):,} shards"
    rows = []

    def add(step: str, script: str, result: Path, arguments: Mapping[str, Any]) -> None:
        cost = measure_job(folder, script, NEEDS[script].mb, arguments)
        rows.append(Row(name, step, 1, cost, result.stat().st_size / 2**20))
        print(format_row(rows[-1]), flush=True)

    film, second = folder / "palettes.sqlite", folder / "second.sqlite"
    everything = folder / "films.sqlite"
    merging = {
        "shards": [str(path) for path in shards],
        "plan": str(folder / "plan.json"),
        "palettes": str(film),
        "palette": dict(n_colors=N_COLORS, n_init=5, seed=0, color_space="srgb"),
        "n_colors": N_COLORS,
        **dict.fromkeys(("film", "title", "source"), "film"),
        "fps": None,
    }
    add("merge_film", "merge_film", film, merging)
    other = {"palettes": str(second), "film": "second"}
    measure_job(folder, "merge_film", NEEDS["merge_film"].mb, merging | other)
    shutil.rmtree(folder / "palettes")
    both = [str(film), str(second)]
    add(
        "merge_films, of two such films",
        "merge_films",
        everything,
        {"films": both, "palettes": str(everything), "n_colors": N_COLORS},
    )
    everything.unlink()
    second.unlink()
    for kind in KINDS:
        pictures = [str(folder / f"{kind}{ending}") for ending in ENDINGS]
        add(
            f"render_barcode, {kind}",
            "render_barcodes",
            Path(pictures[0]),
            {"database": str(film), "pictures": pictures, "drawing": DRAWING},
        )
    return rows


HEADER = """\
| project | step | jobs | wall s | CPU s | peak MB | result MB |
|---|---|---:|---:|---:|---:|---:|"""


def format_row(row: Row) -> str:
    """Make a line of the table."""
    cost = row.cost
    result = "" if row.result_mb is None else f"{row.result_mb:.1f}"
    return (
        f"| {row.project} | {row.step} | {row.n_jobs:,} | {cost.wall_s:.1f} | "
        f"{cost.cpu_s:.1f} | {cost.peak_mb:.0f} | {result} |"
    )


def keep_figures(rows: Iterable[Row]) -> str:
    """Write the figures beside those of other projects; give the table of all."""
    before = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    # Those of another machine would not stand beside these.
    kept = before["rows"] if before.get("machine") == name_machine() else []
    new = [asdict(row) for row in rows]
    projects = {row["project"] for row in new}
    everything = [row for row in kept if row["project"] not in projects] + new
    figures = {"machine": name_machine(), "rows": everything}
    FIGURES.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    lines = [
        format_row(Row(**{**row, "cost": Cost(**row["cost"])})) for row in everything
    ]
    return "\n".join([f"Measured on {name_machine()}.", "", HEADER, *lines])


def main() -> None:
    """Measure, print the table and keep it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shards", type=int, default=11_000, help="tarballs; 0: none")
    parser.add_argument("--films", type=int, default=300, help="videos; 0: none")
    parser.add_argument("--frames", type=int, default=1_000_000, help="0: none")
    parser.add_argument(
        "--database",
        action="store_true",
        help="have Snakemake keep its records of jobs in one, not in files",
    )
    parser.add_argument("--code", type=Path, default=ROOT, help="another checkout")
    parser.add_argument("--keep", type=Path, help="keep the projects in this folder")
    parser.add_argument("--dry", action="store_true", help="write no file of figures")
    a = parser.parse_args()
    rows: list[Row] = []
    more, kept_in = (DATABASE, ", records in a database") if a.database else ([], "")
    print(HEADER, flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = a.keep or Path(temporary)
        apart(make_million, folder / "stub", 1)
        stub = folder / "stub" / "palettes" / "00000.sqlite"
        if a.shards:
            project = ManyShards(folder / "shards", "tape/", a.code, *more)
            apart(make_tarballs, project.folder / "tape", a.shards)
            name = f"1 film, {a.shards:,} tarballs{kept_in}"
            rows += project.measure_steps(name, stub)
        if a.films:
            project = ManyShards(folder / "films", "films/films.tsv", a.code, *more)
            apart(make_films, project.folder / "films", a.films)
            name = f"{a.films:,} films, 1 shard each{kept_in}"
            rows += project.measure_steps(name, stub)
        if a.frames:
            rows += measure_million(folder / "million", a.frames)
    if not a.dry:
        table = keep_figures(rows)
        if PAGE.exists() and "<!-- many_shards -->" in PAGE.read_text(encoding="utf-8"):
            write_between(PAGE, "many_shards", table)


if __name__ == "__main__":
    main()
