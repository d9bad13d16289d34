"""What comparing films costs, how it agrees with KALMUS, and its document's picture.

Two films of ../shared/data that are one, and courses of random shots as long as films
of two hours, of a frame a second; palettes of as many films as a scholar has. Each is
measured in a process of its own, as a job is. KALMUS, which needs older packages, runs
by uv in an environment of its own, on the same two barcodes.

    uv run python benchmarks/comparing.py

writes its tables to docs/comparison.md, and draws docs/comparison.png.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from machine import name_machine, write_between
from measuring import CommandError, by_turns, measure

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "workflow" / "scripts"), str(ROOT / "tests" / "helpers")]

PAGE = ROOT / "docs" / "comparison.md"
PICTURE = ROOT / "docs" / "comparison.png"
SHARED = ROOT.parent / "shared" / "data"
WHOLE = SHARED / "bbb_full_384x216_25fps_h264.mp4"
BOXED = SHARED / "bbb_letterboxed_4x3_320x240_15fps_h264.mp4"
WIDTH = 1400

RUNS = 3
TWO_HOURS = 7_200
N_FILMS = 40

# What KALMUS asks for without versions, in old ones: it does not run with newer ones.
KALMUS = [
    *["kalmus==1.3.14", "scikit-image==0.20.0", "numpy==1.26.4"],
    *["biopython==1.81", "scipy==1.11.4", "opencv-python-headless==4.8.1.78"],
]
ASK_KALMUS = """
import json, sys, warnings
warnings.simplefilter("ignore")
import numpy as np
from kalmus.utils import measure_utils as kalmus
from skimage.metrics import structural_similarity

# As scikit-image 0.19 understood it, the last one that did: of floats from -1 to 1.
def measure_ssim(one, two, win_size, multichannel):
    return structural_similarity(
        one, two, win_size=win_size, channel_axis=-1, data_range=2
    )

kalmus.structural_similarity = measure_ssim
one, two = (np.load(path) for path in sys.argv[1:])
print(json.dumps({
    "ssim_similarity": kalmus.ssim_similarity(one, two),
    "nrmse_similarity": kalmus.nrmse_similarity(one, two),
    "other_way": kalmus.nrmse_similarity(two, one),
    "cross_correlation": kalmus.cross_correlation(one, two),
}))
"""


def run_pair(folder: Path) -> None:
    """Do the job of a pair."""
    from compare_films import compare_films

    films = [folder / name / "palettes.sqlite" for name in ("a", "b")]
    compare_films(*films, folder / "a--b.json", folder / "a--b.png")


def run_matrix(folder: Path) -> None:
    """Do the job of all films."""
    from compare_all import compare_all

    compare_all(
        folder / "palettes.sqlite",
        [f"film{number}" for number in range(N_FILMS)],
        comparison=folder / "matrix.json",
        table=folder / "matrix.csv",
        matrix=folder / "matrix.png",
        map_of_films=folder / "map.png",
    )


STEPS = {"pair": run_pair, "matrix": run_matrix}


def write_databases(folder: Path) -> None:
    """Write two films of two hours, and as many short ones in one database."""
    from courses import make_course, write_course
    from reelbow.database.merging import merge_films

    course = make_course(TWO_HOURS + 5)
    write_course(folder, "a", course[:TWO_HOURS])
    write_course(folder, "b", course[5:])
    films = [
        write_course(folder, f"film{number}", make_course(60, seed=number))
        for number in range(N_FILMS)
    ]
    merge_films(films, folder / "palettes.sqlite", n_colors=3)


def measure_costs(folder: Path) -> str:
    """Measure the jobs of a pair and of all films; write their table."""
    write_databases(folder)

    def do(step: str):
        return lambda: measure([sys.executable, __file__, step, folder], folder)[0]

    costs = by_turns(RUNS, **{step: do(step) for step in STEPS})
    names = {
        "pair": f"a pair of films of {TWO_HOURS:,} frames",
        "matrix": f"{N_FILMS} films, {N_FILMS * (N_FILMS - 1) // 2} pairs, `all`",
    }
    rows = [
        f"| {names[step]} | {cost['cpu_s']:.1f} | {cost['wall_s']:.1f} "
        f"| {cost['peak_mb']:.0f} |"
        for step, cost in costs.items()
    ]
    return "\n".join(
        [
            f"On {name_machine()}; medians of {RUNS} runs by turns.",
            "",
            "| job | CPU s | s | peak MB |",
            "|---|---:|---:|---:|",
            *rows,
        ]
    )


def compare_with_kalmus(folder: Path) -> str:
    """Ask Reelbow and KALMUS of the same pairs of barcodes; write their table."""
    from courses import grade, make_course
    from reelbow.analysis.picture_similarity import measure_similarity

    # As KALMUS draws: frames below one another, and columns side by side.
    course = make_course(16_000)
    film, graded, other = (
        np.rint(each).astype(np.uint8).reshape(100, 160, 3).transpose(1, 0, 2)
        for each in (course, grade(course), make_course(16_000, seed=1))
    )
    pairs = {
        "a film and its grading": (film, graded),
        "two films": (film, other),
        "a film and a dim one, of 40 to 60": (film, film // 13 + 40),
    }
    rows = []
    for name, pair in pairs.items():
        paths = [folder / f"{number}.npy" for number in range(2)]
        for path, picture in zip(paths, pair, strict=True):
            np.save(path, picture)
        given = [part for package in KALMUS for part in ("--with", package)]
        command = ["uv", "run", "--isolated", "--no-project", "--no-build"]
        command += ["--python", "3.11"]
        command += [*given, "python", "-c", ASK_KALMUS, *map(str, paths)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CommandError(done.stderr)
        theirs = json.loads(done.stdout.splitlines()[-1])
        ours = measure_similarity(*pair)
        for key, own in ours._asdict().items():
            back = f" ({theirs['other_way']:.4f})" if key == "nrmse_similarity" else ""
            rows.append(f"| {name} | {key} | {own:.4f} | {theirs[key]:.4f}{back} |")
    return "\n".join(
        [
            f"By `uv run` with {', '.join(KALMUS)}; in brackets the other way round.",
            "",
            "| barcodes | figure | Reelbow | KALMUS |",
            "|---|---|---:|---:|",
            *rows,
        ]
    )


def draw_picture(folder: Path) -> None:
    """Draw the figure of two versions of a film, smaller, for the document."""
    from PIL import Image

    sheet = f"film\tsource\ttitle\nfilm\t{WHOLE}\tBig Buck Bunny\n"
    (folder / "films.tsv").write_text(f"{sheet}part\t{BOXED}\tThe same, letterboxed\n")
    settings = {
        "films": "films.tsv",
        "sampling": {"every": 0.5},
        "compare": [["film", "part"]],
    }
    (folder / "own.yaml").write_text(json.dumps(settings))
    picture = "results/comparisons/film--part.png"
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"]
    measure(
        [*command, "--cores", "2", "--configfile", "own.yaml", "--", picture], folder
    )
    with Image.open(folder / picture) as image:
        height = round(image.height * WIDTH / image.width)
        small = image.resize((WIDTH, height), Image.Resampling.LANCZOS)
    # Flat areas and few colors of text: 256 do.
    small.quantize(256).save(PICTURE, optimize=True)


def main() -> None:
    """Measure all, or do one step."""
    if len(sys.argv) == 3:
        STEPS[sys.argv[1]](Path(sys.argv[2]))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if WHOLE.exists():
            draw_picture(folder)
        write_between(PAGE, "kalmus", compare_with_kalmus(folder))
        write_between(PAGE, "costs", measure_costs(folder))


if __name__ == "__main__":
    main()
