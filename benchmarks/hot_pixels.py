"""Hot pixels: what is found of planted ones, what it takes, and the classic way beside.

Photos as of one camera are made from those in ../shared/data and from noise: in linear
light, each with an exposure of its own, through a Bayer sensor with its noise and 300
planted defects of six kinds, demosaicing and JPEG. In one run, each a process of its
own: decoding alone, the rules of Reelbow, and the classic way.

    uv run python benchmarks/hot_pixels.py

writes the tables of docs/hot_pixels.md and draws docs/hot_pixels.png; `--photos 40
--size 1200x900 --defects 60` is a small run, which writes nothing into docs.
"""

import argparse
import contextlib
import multiprocessing
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from machine import name_machine, write_between
from measuring import ROOT, Cost, measure
from numpy.typing import NDArray
from PIL import Image

sys.path[:0] = [str(ROOT / "workflow" / "scripts"), str(ROOT / "tests" / "helpers")]

SHARED = ROOT.parent / "shared" / "data" / "photos"
SCENES = ["*_1280.jpg", "kodim*.png"]

PAGE = ROOT / "docs" / "hot_pixels.md"
PICTURE = ROOT / "docs" / "hot_pixels.png"

N_PHOTOS, SIZE, N_DEFECTS, N_CLEAN = 120, "3648x2736", 300, 8

TURNS = 5

# Of JPEGs as cameras write them.
QUALITY = 92

# Far enough from each other and from the border for each to be told by itself.
APART = 24

# Bits of the sensor's levels, and its noise: of its own, and that of light.
WHITE = 4095
READ_NOISE, SHOT_NOISE = 3.0, 0.7


class Defect(NamedTuple):
    """A planted defect: of what kind, and what it does to its site's level."""

    kind: str
    y: int
    x: int
    gain: float
    offset: float  # of the sensor's full range


# What each does: gain, and an offset from a range; of hot ones it differs by photo.
KINDS = {
    "stuck, bright": (0.0, (0.6, 1.0)),
    "stuck, in the middle": (0.0, (0.05, 0.3)),
    "dead": (0.0, (0.0, 0.0)),
    "hot, strong": (1.0, (0.15, 0.5)),
    "hot, weak": (1.0, (0.02, 0.08)),
    "low gain": ((0.3, 0.6), (0.0, 0.0)),
}


def plant(n: int, height: int, width: int) -> list[Defect]:
    """Choose defects, as many of each kind; always the same."""
    rng = np.random.default_rng(5)
    found: list[Defect] = []
    while len(found) < n:
        y, x = (int(rng.integers(APART, side - APART)) for side in (height, width))
        if any(max(abs(y - d.y), abs(x - d.x)) < APART for d in found):
            continue
        kind = [*KINDS][len(found) % len(KINDS)]
        gain, offset = KINDS[kind]
        if not isinstance(gain, float):
            gain = float(rng.uniform(*gain))
        found.append(Defect(kind, y, x, gain, float(rng.uniform(*offset))))
    return found


class Camera:
    """Makes photos of scenes, with defects or without."""

    def __init__(self, height: int, width: int, defects: list[Defect]) -> None:
        self.size = height, width
        self.defects = defects
        paths = sorted(path for glob in SCENES for path in SHARED.glob(glob))
        self._scenes = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
        levels = np.arange(256) / 255
        linear = np.where(
            levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4
        )
        self._linear = linear.astype(np.float32)
        light = np.arange(WHITE + 1) / WHITE
        coded = np.where(
            light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055
        )
        self._coded = np.round(255 * coded).astype(np.uint8)
        self._texture = self._make_texture(np.random.default_rng(0))

    def _make_texture(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """Make noise as fine as pixels and coarser, as nature has it."""
        height, width = self.size
        texture = np.zeros(self.size, np.float32)
        for octave in range(6):
            shape = -(-height >> octave), -(-width >> octave)
            layer = rng.standard_normal(shape, np.float32)
            texture += cv2.resize(layer, (width, height), interpolation=cv2.INTER_CUBIC)
        return texture / texture.std()

    def take(self, number: int) -> tuple[bytes, bytes]:
        """Take a photo: as JPEGs, with the defects and without them."""
        rng = np.random.default_rng(1000 + number)
        height, width = self.size
        scene = self._scenes[rng.integers(len(self._scenes))]
        side = rng.uniform(0.4, 1.0)
        rows, columns = (max(2, int(side * each)) for each in scene.shape[:2])
        top, left = (
            int(rng.integers(each - part + 1))
            for each, part in zip(scene.shape[:2], (rows, columns), strict=True)
        )
        part = scene[top : top + rows, left : left + columns]
        if rng.integers(2):
            part = part[:, ::-1]
        light = self._linear[
            cv2.resize(part, (width, height), interpolation=cv2.INTER_CUBIC)
        ]
        shifted = np.roll(
            self._texture, rng.integers(height), axis=0
        )  # another place of it each time
        shifted = np.roll(shifted, rng.integers(width), axis=1)[:, :, np.newaxis]
        light *= np.exp(rng.uniform(0.02, 0.2) * shifted)
        light *= WHITE * rng.uniform(0.5, 1.4)
        mosaic = light[..., 1].copy()
        mosaic[::2, ::2] = light[::2, ::2, 0]
        mosaic[1::2, 1::2] = light[1::2, 1::2, 2]
        noise = rng.standard_normal(self.size, np.float32)
        dark = rng.uniform(0.6, 1.4)
        clean = mosaic + noise * np.sqrt(READ_NOISE**2 + SHOT_NOISE * mosaic)
        broken = clean.copy()
        for defect in self.defects:
            of = dark if defect.gain == 1 else 1.0
            site = defect.y, defect.x
            broken[site] = defect.gain * clean[site] + of * defect.offset * WHITE
        return self._develop(broken), self._develop(clean)

    def _develop(self, mosaic: NDArray[np.float32]) -> bytes:
        levels = np.clip(np.round(mosaic), 0, WHITE).astype(np.uint16)
        # OpenCV names the pattern by its second row and column.
        colors = cv2.demosaicing(levels, cv2.COLOR_BayerBG2BGR_EA)
        picture = self._coded[np.minimum(colors, WHITE)]
        _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        return data.tobytes()


def make(photos: Path, folder: Path) -> None:
    """Take photos into a folder, and some of them once more with a good sensor."""
    n, height, width, n_defects = read_numbers(folder)
    camera = Camera(height, width, plant(n_defects, height, width))
    photos.mkdir()
    (folder / "clean").mkdir()
    for number in range(n):
        broken, good = camera.take(number)
        (photos / f"{number:04}.jpg").write_bytes(broken)
        if number < N_CLEAN:
            (folder / "clean" / f"{number:04}.jpg").write_bytes(good)


def read_numbers(folder: Path) -> list[int]:
    """Read how many photos there are, their height and width, and how many defects."""
    return [int(word) for word in (folder / "numbers").read_text().split()]


def decode_barely(photos: Path) -> None:
    """Decode all photos by libjpeg-turbo, and no more."""
    import simplejpeg

    for path in sorted(photos.iterdir()):
        simplejpeg.decode_jpeg(path.read_bytes())


def decode_alone(photos: Path) -> None:
    """Decode all photos as Reelbow reads them: by their headers, judged for damage."""
    from reelbow.pictures.image_files import decode_image

    for path in sorted(photos.iterdir()):
        decode_image(path.read_bytes(), as_stored=True)


def plan(photos: Path, folder: Path) -> None:
    """Plan the photos as a film of one shard."""
    from chain import plan_files

    how = {"order": "name", "per_shard": 10**6}
    plan_files(sorted(photos.iterdir()), folder / "plan.json", **how)


def sum_up(photos: Path, folder: Path) -> None:
    """Add up the photos, as rule sum_pixels does."""
    from sum_pixels import sum_pixels

    first = min(photos.iterdir())
    how = {"shard": "00000", "max_pixels": 10**9}
    sum_pixels(first, folder / "plan.json", folder / "00000.npz", **how)


def merge_up(photos: Path, folder: Path) -> None:
    """Merge the sums of the only shard, as rule merge_sums does."""
    from merge_sums import merge_sums

    merge_sums([folder / "00000.npz"], folder / "sums.npz")


def find(photos: Path, folder: Path) -> None:
    """Find the defects, as rule find_defects does."""
    from find_defects import find_defects

    names = ("defects.sqlite", "defects.csv", "defects.png", "defects_worst.png")
    paths = [folder / name for name in names]
    find_defects(folder / "sums.npz", *paths, film="film", threshold=10)


Moments = tuple[int, NDArray[np.float64], NDArray[np.float64]]


def add_classically(paths: Sequence[Path]) -> Moments:
    """Count photos, and find mean and summed squares of deviations, as Welford did."""
    n, mean, squares = 0, np.zeros(()), np.zeros(())
    for path in paths:
        with Image.open(path) as image:
            levels = np.asarray(image.convert("RGB"), np.float64)
        if n == 0:
            mean, squares = np.zeros_like(levels), np.zeros_like(levels)
        n += 1
        before = levels - mean
        mean += before / n
        squares += before * (levels - mean)
    return n, mean, squares


def find_classically(photos: Path, folder: Path) -> None:
    """Sort all pixels by variance, with a process for each core and all that are asked.

    Writes the order of the least of them, each away from those before.
    """
    paths = sorted(photos.iterdir())
    n_wanted = read_numbers(folder)[-1]
    with multiprocessing.Pool(2) as pool:
        parts = pool.imap(add_classically, [paths[::2], paths[1::2]])
        n, mean, squares = next(parts)
        for m, other, others in parts:
            apart = other - mean
            squares += others + apart**2 * (n * m / (n + m))
            mean += apart * (m / (n + m))
            n += m
    variance = squares.min(axis=2) / n
    some = np.argpartition(variance, 100 * n_wanted, axis=None)[: 100 * n_wanted]
    found: list[tuple[int, int]] = []
    for place in some[np.argsort(variance.ravel()[some])]:
        y, x = divmod(int(place), variance.shape[1])
        if all(max(abs(y - b), abs(x - a)) > 2 for b, a in found):
            found.append((y, x))
        if len(found) == n_wanted:
            break
    np.save(folder / "classic.npy", np.array(found))


STEPS = {
    "make": make,
    "bare": lambda photos, folder: decode_barely(photos),
    "decode": lambda photos, folder: decode_alone(photos),
    "plan": plan,
    "sum": sum_up,
    "merge": merge_up,
    "find": find,
    "classic": find_classically,
}


def run(step: str, folder: Path) -> Cost:
    """Run a step in a process of its own."""
    cost, _ = measure([sys.executable, __file__, "--step", step, folder], folder)
    print(f"{step}: {cost.cpu_s:.1f} CPU s, {cost.peak_mb:.0f} MB", flush=True)
    return cost


class Score(NamedTuple):
    """How right what was found is."""

    precision: float
    recall: float
    of_kinds: dict[str, float]


def judge(found: Sequence[tuple[int, int]], defects: Sequence[Defect]) -> Score:
    """Compare with what was planted; found is what is within a pixel of it."""
    places = np.array(found).reshape(-1, 2)
    planted = np.array([(each.y, each.x) for each in defects])
    near = np.abs(places[:, np.newaxis] - planted).max(axis=2) <= 1
    hits = near.any(axis=0)
    kinds = {
        kind: float(np.mean([hit for hit, each in zip(hits, defects, strict=True)
                             if each.kind == kind]))
        for kind in KINDS
    }  # fmt: skip
    # Of two that are near one planted pixel, one is too many.
    right = int(hits.sum())
    return Score(right / max(1, len(places)), right / len(planted), kinds)


def repair(folder: Path, clean: Sequence[Path]) -> tuple[dict[str, float], list[float]]:
    """Repair some photos, and compare them with those of a good sensor.

    Returns
    -------
    By the kind that was found, and "all": the squared error within 4 pixels of defects,
    as a part of that before. Then, of all pixels further than a block of the JPEG from
    any of them, the part that stayed, and the root of the mean squared change
    """
    from reelbow.analysis.defect_files import read_defects
    from reelbow.analysis.photo_repair import describe_spot
    from reelbow.pictures.image_files import decode_image
    from reelbow.pictures.mending import mend_file

    def decode(data: bytes) -> NDArray[np.float64]:
        return decode_image(data, as_stored=True).picture.astype(np.float64)

    defects = read_defects(folder / "defects.sqlite").defects
    spots = list(map(describe_spot, defects))
    errors: dict[str, NDArray[np.float64]] = {}
    rest = []
    (folder / "repaired").mkdir()
    for good in clean:
        data = (folder / "photos" / good.name).read_bytes()
        before = decode(data)
        copy, _ = mend_file(data, before.astype(np.uint8), spots)
        (folder / "repaired" / good.name).write_bytes(copy)
        after, wanted = decode(copy), decode(good.read_bytes())
        far = np.ones(before.shape[:2], bool)
        for each in defects:
            place = (
                slice(max(0, each.y - 4), each.y + 5),
                slice(max(0, each.x - 4), each.x + 5),
            )
            both = [((p[place] - wanted[place]) ** 2).sum() for p in (before, after)]
            for kind in (each.kind, "all"):
                errors[kind] = errors.get(kind, np.zeros(2)) + both
            far[
                max(0, each.y - 24) : each.y + 25, max(0, each.x - 24) : each.x + 25
            ] = 0
        changes = np.abs(after - before)[far]
        rest.append([(changes == 0).mean(), (changes**2).mean()])
    stayed, changed = np.mean(rest, axis=0)
    return {k: after / before for k, (before, after) in errors.items()}, [
        float(stayed),
        float(np.sqrt(changed)),
    ]


def draw_picture(folder: Path, picture: Path, defects: Sequence[Defect]) -> None:
    """Draw a defect of each kind: in the mean, in a photo, repaired, and as it were."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from reelbow.analysis.defect_files import read_defects
    from reelbow.analysis.defect_pictures import cut_out
    from reelbow.analysis.sensor_sums import FilmSums

    found = read_defects(folder / "defects.sqlite").defects
    titles = ["photos", "repaired", "clean"]
    photos = {
        path.name: [
            np.asarray(Image.open(folder / each / path.name)) for each in titles
        ]
        for path in sorted((folder / "clean").iterdir())
    }
    reach = np.arange(-8, 9)
    columns = []
    for kind in KINDS:
        own = [
            each
            for each in found
            for planted in defects
            if planted.kind == kind
            and max(abs(each.y - planted.y), abs(each.x - planted.x)) <= 1
        ]
        if not own:
            continue
        # Neither the worst nor the least, in the photo in which it is seen most.
        each = own[len(own) // 2]
        around = np.ix_(each.y + reach, each.x + reach)
        crops = max(
            ([pixels[around] for pixels in three] for three in photos.values()),
            key=lambda crops: np.abs(crops[0][8, 8] - crops[2][8, 8].astype(int)).sum(),
        )
        (mean,) = cut_out(FilmSums.load(folder / "sums.npz"), [each])
        columns.append((f"{kind}\nz {each.z:.0f}", [mean, *crops]))
    figure = Figure(figsize=(9, 6.6), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    rows = ["mean of all photos", "a photo", "repaired copy", "by a good sensor"]
    axes = figure.subplots(len(rows), len(columns), squeeze=False)
    for j, (title, crops) in enumerate(columns):
        for i, crop in enumerate(crops):
            axes[i, j].imshow(crop, interpolation="nearest")
            axes[i, j].set_xticks([])
            axes[i, j].set_yticks([])
        axes[0, j].set_title(title, fontsize=9)
    for i, row in enumerate(rows):
        axes[i, 0].set_ylabel(row, fontsize=9)
    figure.savefig(picture)


def main() -> None:
    """Measure one after the other, and write the tables and the picture."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photos", type=int, default=N_PHOTOS)
    parser.add_argument("--size", default=SIZE, help="of photos, in pixels")
    parser.add_argument("--defects", type=int, default=N_DEFECTS)
    parser.add_argument("--step", nargs=2, help="run one step in a folder")
    asked = parser.parse_args()
    if asked.step:
        step, folder = asked.step
        return STEPS[step](Path(folder, "photos"), Path(folder))
    width, height = map(int, asked.size.split("x"))
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        lines = compare(folder, asked.photos, height, width, asked.defects)
        print("\n".join(lines))
        if (asked.photos, asked.size, asked.defects) == (N_PHOTOS, SIZE, N_DEFECTS):
            write_between(PAGE, "measured", "\n".join(lines))
            shutil.copy(folder / PICTURE.name, PICTURE)
    return None


def compare(
    folder: Path, n_photos: int, height: int, width: int, n_defects: int
) -> list[str]:
    """Make photos, run all ways, and say in lines of Markdown what came out."""
    from reelbow.analysis.defect_files import read_defects

    numbers = (n_photos, height, width, n_defects)
    (folder / "numbers").write_text(" ".join(map(str, numbers)))
    run("make", folder)
    defects = plant(n_defects, height, width)
    sizes = [path.stat().st_size for path in (folder / "photos").iterdir()]
    mb = sum(sizes) / n_photos / 1e6
    # What is compiled is compiled once for all runs.
    run("plan", folder)
    run("sum", folder)
    # By turns, and the least counts: the machine may be busier at one time.
    by_turns = ("bare", "decode", "sum")
    turns = [[run(step, folder) for step in by_turns] for _ in range(TURNS)]
    costs = {
        step: min(of_step, key=lambda cost: cost.cpu_s)
        for step, of_step in zip(by_turns, zip(*turns, strict=True), strict=True)
    }
    costs |= {step: run(step, folder) for step in ("merge", "find", "classic")}
    found = read_defects(folder / "defects.sqlite").defects
    own = judge([(each.y, each.x) for each in found], defects)
    classic = judge([tuple(each) for each in np.load(folder / "classic.npy")], defects)
    named = name_kinds(found, defects)
    clean = sorted((folder / "clean").iterdir())
    errors, (stayed, changed) = repair(folder, clean)
    draw_picture(folder, folder / PICTURE.name, defects)
    mine = [costs[step] for step in ("sum", "merge", "find")]
    all_s, all_mb = sum(c.cpu_s for c in mine), max(c.peak_mb for c in mine)
    bare, decode, whole = costs["bare"], costs["decode"], costs["classic"]
    return [
        f"{n_photos} photos of {width}x{height} pixels, JPEGs of {mb:.1f} MB, and "
        f"{n_defects} planted defects, on {name_machine()}. Each way is a process of "
        "its own, with its start; those of the classic way are two. Decoding alone "
        "judges damage, as `sum_pixels` does. Of the first three the least of "
        f"{TURNS} turns counts:",
        "",
        "| way | CPU s | of decoding alone | of the classic way | MB a process |",
        "|---|---:|---:|---:|---:|",
        *(
            f"| {name} | {cpu_s:.1f} | {cpu_s / decode.cpu_s:.2f} | "
            f"{cpu_s / whole.cpu_s:.3f} | {peak_mb:.0f} |"
            for name, cpu_s, peak_mb in [
                ("libjpeg-turbo alone", bare.cpu_s, bare.peak_mb),
                ("decoding alone", decode.cpu_s, decode.peak_mb),
                *(
                    (f"`{rule}`", costs[step].cpu_s, costs[step].peak_mb)
                    for rule, step in [
                        ("sum_pixels", "sum"),
                        ("merge_sums", "merge"),
                        ("find_defects", "find"),
                    ]
                ),
                ("Reelbow, all three", all_s, all_mb),
                ("the classic way", whole.cpu_s, whole.peak_mb),
            ]
        ),
        "",
        f"At z 10 Reelbow finds {len(found)}; of the classic way the first {n_defects} "
        "count:",
        "",
        "| | Reelbow | named rightly | the classic way |",
        "|---|---:|---:|---:|",
        f"| precision | {own.precision:.3f} | | {classic.precision:.3f} |",
        f"| recall | {own.recall:.3f} | | {classic.recall:.3f} |",
        *(
            f"| of {kind} | {own.of_kinds[kind]:.2f} | {named[kind]} | "
            f"{classic.of_kinds[kind]:.2f} |"
            for kind in KINDS
        ),
        "",
        f"In {len(clean)} repaired photos the squared error within 4 pixels of what "
        "was found, against the same photos by a sensor without defects, is "
        f"{errors.pop('all'):.2f} of that before ("
        + ", ".join(f"{kind} {part:.2f}" for kind, part in sorted(errors.items()))
        + f"). Further away {stayed:.1%} of all levels stay, and the others change by "
        f"{changed:.2f} in the root of the mean square.",
    ]


def name_kinds(found: Sequence[Any], defects: Sequence[Defect]) -> dict[str, str]:
    """Count of each planted kind how many of the found ones are named as it."""
    counts, right = Counter[str](), Counter[str]()
    for planted in defects:
        for each in found:
            if max(abs(each.y - planted.y), abs(each.x - planted.x)) <= 1:
                counts[planted.kind] += 1
                right[planted.kind] += planted.kind.startswith(each.kind)
    return {kind: f"{right[kind]} of {counts[kind]}" for kind in KINDS}


if __name__ == "__main__":
    main()
