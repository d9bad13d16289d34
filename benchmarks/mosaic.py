"""Mosaics: the pictures of docs/mosaics.md, how like their targets they are, and speed.

Eleven films in ../shared/data are run once, twelve frames a second; of their frames
three targets are made: an animal, a landscape and a graphic that is drawn here.

- How like: SSIM of gray, of the mosaic and the target with four pixels to a cell's
  side, beside what most programs do (the frame of the nearest mean color); and how far
  the cells' mean colors are from the target's.
- Search: 1,000,000 tiles, the films' own with noise, for 10,000 cells, beside faiss's
  flat search of as many neighbors, and phomo's comparison of pixels.
- Beside phomo: mosaics of the same frames in the same grid.
- Once: each tile once, beside SciPy's dense linear sum assignment of all distances.

    uv run --with faiss-cpu --with phomo python benchmarks/mosaic.py

Without one of the two its rows say so. Everything but what is shown is made in a
temporary folder.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from machine import name_machine, write_between
from measuring import ROOT, CommandError, Project, measure
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps
from threadpoolctl import threadpool_limits

sys.path.append(str(ROOT / "workflow" / "scripts"))

from reelbow.color.spaces import srgb_to_oklab
from reelbow.mosaic.assignment import Assignment, assign_tiles, count_repeats
from reelbow.mosaic.cells import Cell, Mosaic
from reelbow.mosaic.features import (
    N_FEATURES,
    N_VIEWS,
    PARTS,
    describe_parts,
    find_means,
    measure_parts,
    weigh,
)
from reelbow.mosaic.matching import match_tiles
from reelbow.mosaic.rendering import draw_mosaic, fill_cell
from reelbow.mosaic.target import Target, read_target
from reelbow.mosaic.tiles import Tiles, cut_tiles, read_tiles
from reelbow.shards.sheets import open_previews

DATA = ROOT.parent / "shared" / "data"
PAGE = ROOT / "docs" / "mosaics.md"
FILMS = {
    "bunny": "bbb_full_384x216_25fps_h264.mp4",
    "tears": "tears_of_steel_battle_800x332_24fps_vp8.webm",
    "city": "city_360p_30.006fps_h264_phone.mp4",
    "flower": "flower_960x540_29.97fps_h264.mp4",
    "bottles": "bottles_640x360_29.83fps_h264.mp4",
    "puppy": "puppy_rotated180_VFR_h264_phone.mp4",
    "chaplin": "chaplin_pillarbox_640x360_25fps_h264.mp4",
    "friday": "his_girl_friday_640x480_30fps_h264.mp4",
    "nasa": "nasa_two_video_streams.mp4",
    "hand": "count_hand_640x480_VFR_h264.mp4",
    "road": "roadtrip_10bit_vp9p2.webm",
}
TARGETS = {
    "animal": DATA / "photos" / "cat-300572_1280.jpg",
    "landscape": DATA / "photos" / "exif" / "Landscape_1.jpg",
}
COLUMNS, APART, ASPECT = 128, 2, (16, 9)
# Pixels of a cell, down and across.
CELL = (18, 32)
N_TILES, N_CELLS, N_NEIGHBORS = 1_000_000, 10_000, 64
# Cells and tiles of which each is used once. 128 columns are some 9,000 cells or more.
ONCE = ((1000, 20_000), (4000, 80_000), (9216, 20_000), (9216, 50_000))
# Of the films' own tiles without noise there are fewer, for fewer columns: whole frames
# and the middle of each.
OWN_COLUMNS, OWN_VIEWS = 88, [0, 5]

# How tiles are compared: whether as details too, whether by parts, and how far shots
# are apart.
COMPARED = {
    "by parts, also of details": (True, True, APART),
    "by parts, whole frames": (False, True, APART),
    "by mean colors": (False, False, APART),
    "by mean colors, also of details": (True, False, APART),
    "by mean colors, shots anywhere": (False, False, 0),
}

# Beside phomo, which compares all pixels: fewer columns, of the frames each second one,
# and of each so many pixels down and across.
PEER_COLUMNS, PEER_STEP, PEER_CELL = 48, 2, (9, 16)
# How frames are chosen here: the views of each, and what `assign_tiles` takes.
WAYS = {
    f"each once, shots {APART} apart": (1, {"apart": APART, "max_use": 1}),
    "each once, shots anywhere": (1, {"apart": 0, "max_use": 1}),
    f"as often as they fit, shots {APART} apart": (
        N_VIEWS,
        {"apart": APART, "mirrors": True},
    ),
}

# Of what is shown: pixels across, and of the part from near.
FAR, NEAR = 480, (960, 540)


def draw_graphic(path: Path) -> None:
    """Draw plain shapes, as a sign or a cover has them."""
    image = Image.new("RGB", (1280, 720), "#f2e9d8")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 480, 1280, 720), fill="#1d3557")
    draw.ellipse((760, 120, 1160, 520), fill="#e63946")
    draw.polygon([(140, 600), (420, 110), (700, 600)], fill="#2a9d8f")
    draw.line([(60, 660), (1220, 560)], fill="#f4a261", width=26)
    image.save(path)


def find_luma(pixels: NDArray[Any]) -> NDArray[np.float64]:
    """Find the luma of a picture, (h, w, 3), in [0, 255]."""
    return np.asarray(pixels @ np.array([0.2126, 0.7152, 0.0722]))


def find_likeness(picture: NDArray[np.uint8], target: Target) -> float:
    """Find the SSIM of a mosaic and its target, four pixels to a cell's side."""
    from skimage.metrics import structural_similarity

    rows, columns = target.rows, target.columns
    wanted = target.parts.reshape(rows, columns, PARTS, PARTS, 3).swapaxes(1, 2)
    wanted = wanted.reshape(rows * PARTS, columns * PARTS, 3)
    size = (columns * PARTS, rows * PARTS)
    small = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))
    return float(
        structural_similarity(find_luma(small), find_luma(wanted), data_range=255)
    )


def find_color_error(picture: NDArray[np.uint8], target: Target) -> float:
    """Find how far cells' mean colors are from the target's: root of squares, OKLab."""
    cells = picture.reshape(target.rows, -1, target.columns, CELL[1], 3).swapaxes(1, 2)
    means = find_means(measure_parts(cells, 1, 1).reshape(-1, 1, 1, 3))
    steps = srgb_to_oklab(means) - srgb_to_oklab(find_means(target.parts))
    return float(np.sqrt(np.square(steps).sum(axis=-1).mean()))


def flatten(features: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Leave of features what the mean color is."""
    flat = features.copy()
    flat[..., :-2] = np.rint(features[..., :-2].mean(axis=-1, keepdims=True))
    return flat


def draw(
    assignment: Assignment,
    tiles: Tiles,
    target: Target,
    sheets: list[Path],
    cell_size: tuple[int, int] = CELL,
) -> NDArray[np.uint8]:
    """Draw a mosaic without a tint."""
    chosen = zip(*(array.tolist() for array in assignment[:3]), strict=True)
    cells = [
        Cell(
            *divmod(cell, target.columns),
            film="",
            frame=0,
            time_s=None,
            view=view,
            mirrored=int(is_mirrored),
            difference=0.0,
            group=0,
            shard=str(tiles.shards[tile]),
            place=int(tiles.places[tile]),
        )
        for cell, (tile, view, is_mirrored) in enumerate(chosen)
    ]
    with tempfile.TemporaryDirectory() as room:
        rows = draw_mosaic(
            Mosaic(target.rows, target.columns, cells, {}),
            target.parts,
            {("", str(place)): sheet for place, sheet in enumerate(sheets)},
            cell_size=cell_size,
            aspect=ASPECT,
            tint=0.0,
            room=Path(room),
        )
        return np.concatenate(list(rows))


def compare_ways(
    name: str, target: Target, tiles: Tiles, sheets: list[Path]
) -> list[str]:
    """Write how like a target mosaics are whose tiles are compared in several ways."""
    cells = describe_parts(target.parts)
    found = {}
    for way, (details, by_parts, apart) in COMPARED.items():
        features = tiles.features if details else tiles.features[:, :1]
        change = np.asarray if by_parts else flatten
        assignment = assign_tiles(
            change(cells),
            target.columns,
            change(features),
            tiles.groups,
            apart=apart,
            mirrors=True,
        )
        picture = draw(assignment, tiles, target, sheets)
        n_repeats = count_repeats(assignment, target.columns, tiles.groups, APART)
        found[way] = (
            find_likeness(picture, target),
            find_color_error(picture, target),
            n_repeats / len(cells),
        )
    best, *_ = found.values()
    return [
        f"| {name}, {len(cells):,} cells | {way} | {likeness:.3f} | "
        f"{best[0] / likeness:.1f} | {error:.3f} | {100 * repeated:.0f} % |"
        for way, (likeness, error, repeated) in found.items()
    ]


def read_pixels(tiles: Tiles, sheets: list[Path]) -> NDArray[np.uint8]:
    """Read tiles, (n, 9, 16, 3), as they are drawn."""
    pixels = np.empty((len(tiles.frames), *PEER_CELL, 3), np.uint8)
    for shard in np.unique(tiles.shards):
        which = np.flatnonzero(tiles.shards == shard)
        cut = cut_tiles(open_previews(sheets[shard]), tiles.places[which], ASPECT)
        for place, tile in zip(which, cut, strict=True):
            pixels[place] = fill_cell(tile, PEER_CELL)
    return pixels


def draw_beside_peer(
    targets: dict[str, Path], tiles: Tiles, sheets: list[Path]
) -> list[str] | None:
    """Draw mosaics of the same frames by phomo and here; None: it is not installed.

    Returns
    -------
    A table of how like each is, and how many cells have a shot beside them
    """
    try:
        from phomo import Master, Pool
        from phomo import Mosaic as PeerMosaic
    except ModuleNotFoundError:
        return None
    from scipy.optimize import linear_sum_assignment

    tiles = Tiles(*(array[::PEER_STEP] for array in tiles))
    pixels = read_pixels(tiles, sheets)
    lines, shown = [], []
    for name, path in targets.items():
        target = read_target(path, PEER_COLUMNS, ASPECT, 10**9)
        size = (target.columns * PEER_CELL[1], target.rows * PEER_CELL[0])
        with Image.open(path) as image:
            wanted = ImageOps.fit(image.convert("RGB"), size, Image.Resampling.BOX)
        began = time.process_time()
        peer = PeerMosaic(Master.from_image(wanted), Pool(pixels))
        distances = peer.d_matrix()
        theirs = np.asarray(peer.build(distances))
        theirs_s = time.process_time() - began
        # What it chose, which it does not say: it goes down columns.
        _, chosen = linear_sum_assignment(distances)
        chosen = chosen.reshape(target.columns, target.rows).T.ravel()
        no_sides = np.zeros(len(chosen), bool)
        pairs = [("target", np.asarray(wanted))]
        ways = {
            "phomo, each once": (
                Assignment(chosen, no_sides * 0, no_sides, no_sides * 1.0),
                theirs,
                theirs_s,
            )
        }
        for way, (n_views, options) in WAYS.items():
            began = time.process_time()
            choice = assign_tiles(
                describe_parts(target.parts),
                target.columns,
                tiles.features[:, :n_views],
                tiles.groups,
                **options,
            )
            picture = draw(choice, tiles, target, sheets, PEER_CELL)
            ways[f"Reelbow, {way}"] = choice, picture, time.process_time() - began
        for way, (choice, picture, cpu_s) in ways.items():
            likeness = find_likeness(picture, target)
            n_repeats = count_repeats(choice, target.columns, tiles.groups, APART)
            lines.append(
                f"| {name}, {len(chosen):,} cells | {way} | {likeness:.2f} | "
                f"{100 * n_repeats / len(chosen):.0f} % | {cpu_s:.1f} |"
            )
            print(lines[-1], flush=True)
            if "anywhere" not in way:
                pairs.append((f"{way}: {likeness:.2f}", picture))
        shown.append(pairs)
    show_beside(shown)
    return [
        f"{len(tiles.frames):,} frames, {PEER_COLUMNS} columns, without a tint:",
        "",
        "| target | | SSIM | cells with a shot beside them | CPU s |",
        "|---|---|---|---|---|",
        *lines,
    ]


def show_beside(columns: list[list[tuple[str, NDArray[np.uint8]]]]) -> None:
    """Write pictures with what they are, a column for each target."""
    width, gap, line = 360, 12, 24
    heights = [
        max(width * pixels.shape[0] // pixels.shape[1] for _, pixels in row)
        for row in zip(*columns, strict=True)
    ]
    size = (len(columns) * (width + gap) - gap, sum(heights) + len(heights) * line)
    canvas = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(14)
    for column, pictures in enumerate(columns):
        left, top = column * (width + gap), 0
        for (label, pixels), height in zip(pictures, heights, strict=True):
            own = (width, width * pixels.shape[0] // pixels.shape[1])
            small = Image.fromarray(pixels).resize(own, Image.Resampling.LANCZOS)
            draw.text((left, top + 3), label, "#222222", font)
            canvas.paste(small, (left, top + line))
            top += height + line
    canvas.save(ROOT / "docs" / "mosaic_peers.jpg", quality=85)


def run_step(step: str, path: Path) -> dict[str, float]:
    """Do one thing with the features of a file; say what it took and what it found."""
    with np.load(path) as saved:
        cells, tiles, groups = (saved[name] for name in ("cells", "tiles", "groups"))
    # Imported and compiled before, as in a longer run.
    from scipy.optimize import linear_sum_assignment

    # As Snakemake tells its jobs.
    threadpool_limits(1)
    assign_tiles(cells[:1], 1, tiles[:9], groups[:9], max_use=1)
    found = 0.0
    began = time.process_time()
    if step == "match":
        match_tiles(cells, tiles, groups, n_best=N_NEIGHBORS)
    elif step == "assign":
        assign_tiles(cells, 100, tiles, groups, apart=APART)
    elif step == "faiss":
        import faiss

        faiss.omp_set_num_threads(1)
        index = faiss.IndexFlatL2(tiles.shape[2])
        index.add(weigh(tiles[:, 0]))
        index.search(weigh(cells), N_NEIGHBORS)
    elif step == "phomo":
        from phomo.metrics import METRICS

        # What it compares: all pixels of tiles, here of no more than 16x9.
        pixels = np.zeros((len(tiles), 9, 16, 3), np.uint8)
        for cell in range(len(cells)):
            METRICS["norm"](pixels[cell], pixels)
    elif step == "once":
        assignment = assign_tiles(cells, 1, tiles, groups, apart=0, max_use=1)
        found = assignment.distances.sum()
    elif step == "dense":
        left, right = weigh(cells).astype(float), weigh(tiles[:, 0]).astype(float)
        # In place: of the largest it is gigabytes.
        distances = left @ right.T
        distances *= -2
        distances += np.square(right).sum(axis=1)
        distances += np.square(left).sum(axis=1)[:, None]
        found = distances[linear_sum_assignment(distances)].sum()
    # Of this program alone: what the system counts begins with who started it.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak_mb = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    cpu_s = time.process_time() - began
    return {"cpu_s": cpu_s, "peak_mb": peak_mb, "found": found}


def measure_step(step: str, path: Path) -> dict[str, float] | None:
    """Do one thing in a process of its own; None: what it needs is not installed."""
    try:
        _, text = measure([sys.executable, __file__, "--step", step, path], path.parent)
    except CommandError as error:
        if "No module named" in str(error):
            return None
        raise
    costs: dict[str, float] = json.loads(text.splitlines()[-1])
    print(f"{step}: {costs}", flush=True)
    return costs


def make_many(
    folder: Path,
    name: str,
    tiles: Tiles,
    parts: NDArray[np.float64],
    n: int,
    m: int,
    n_views: int = 1,
) -> Path:
    """Write m cells of a target and n tiles, those that are there with noise."""
    random = np.random.default_rng(0)
    which = np.sort(random.integers(0, len(tiles.features), n))
    many = tiles.features[which, :n_views]
    noise = random.normal(0, 6, (n, 1, many.shape[2]))
    many = np.clip(np.rint(many + noise), 0, 255).astype(np.uint8)
    cells = describe_parts(parts[:m])
    path = folder / f"{name}.npz"
    np.savez(path, cells=cells, tiles=many, groups=(np.arange(n) // 8).astype(np.int32))
    return path


def compare_once(path: Path, about: str) -> str:
    """Use each tile of a file once, here and by SciPy's dense assignment."""
    once, dense = (measure_step(step, path) for step in ("once", "dense"))
    assert once
    assert dense
    return (
        f"| {about} | {once['cpu_s']:.2f} | {dense['cpu_s']:.1f} | "
        f"{dense['cpu_s'] / once['cpu_s']:.0f} | {once['found'] / dense['found']:.4f} |"
    )


def show(picture: Path, name: str) -> None:
    """Write what a mosaic looks like from afar, and a part of it from near."""
    with Image.open(picture) as image:
        image = image.convert("RGB")
        high = FAR * image.height // image.width
        far = image.resize((FAR, high), Image.Resampling.LANCZOS)
        left, top = image.width * 3 // 8, image.height * 3 // 8
        near = image.crop((left, top, left + NEAR[0], top + NEAR[1]))
    far.save(ROOT / "docs" / f"mosaic_{name}.jpg", quality=88)
    if name == "animal":
        near.save(ROOT / "docs" / "mosaic_near.jpg", quality=88)


def write_share(costs: dict[str, float] | None, other: dict[str, float]) -> str:
    """Write what a step took, and how many times as long as another."""
    if costs is None:
        return "not installed | |"
    share = costs["cpu_s"] / other["cpu_s"]
    return f"{costs['cpu_s']:.1f} | {share:.2f} | {costs['peak_mb']:.0f}"


def main() -> None:
    """Draw what is shown, measure, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--step", nargs=2)
    asked = parser.parse_args()
    if asked.step:
        print(json.dumps(run_step(asked.step[0], Path(asked.step[1]))))
        return
    Image.MAX_IMAGE_PIXELS = None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        targets = {**TARGETS, "graphic": folder / "graphic.png"}
        draw_graphic(targets["graphic"])
        sheet = "".join(f"{film}\t{DATA / file}\n" for film, file in FILMS.items())
        (folder / "films.tsv").write_text(f"film\tsource\n{sheet}")
        project = Project(folder / "project")
        mosaics = ", ".join(f"{each}: {{target: {at}}}" for each, at in targets.items())
        pictures = [f"results/mosaics/{each}.png" for each in targets]
        project.run(
            *("--cores", "2", "--quiet", "all", "--config"),
            *(f"films={folder / 'films.tsv'}", "sampling={every: 0.08}"),
            *("shots={detector: adaptive}", f"mosaics={{{mosaics}}}"),
            *("--", *pictures),
        )
        results = project.folder / "results"
        for each, picture in zip(targets, pictures, strict=True):
            show(project.folder / picture, each)
        films = {
            results / film / "palettes.sqlite": sorted(
                (results / film / "tiles").glob("*.npz")
            )
            for film in FILMS
        }
        sheets = [
            path.parents[1] / "previews" / f"{path.stem}.jpg"
            for paths in films.values()
            for path in paths
        ]
        tiles = read_tiles(films, N_VIEWS)
        lines = [
            f"{len(tiles.frames):,} frames of {int(tiles.groups[-1]) + 1} shots, "
            f"{COLUMNS} columns, without a tint, shots {APART} cells apart:",
            "",
            "| target | compared | SSIM | first / this | "
            "colors off by | cells with a shot beside them |",
            "|---|---|---|---|---|---|",
        ]
        parts = []
        for each, path in targets.items():
            target = read_target(path, COLUMNS, ASPECT, 10**9)
            parts.append(target.parts)
            lines += compare_ways(each, target, tiles, sheets)
        write_between(PAGE, "mosaic.py likeness", "\n".join(lines))
        if beside := draw_beside_peer(targets, tiles, sheets):
            write_between(PAGE, "mosaic.py peers", "\n".join(beside))
        all_parts = np.concatenate(parts)
        all_parts = all_parts[np.random.default_rng(0).permutation(len(all_parts))]
        many = make_many(folder, "many", tiles, all_parts, N_TILES, N_CELLS)
        few = make_many(folder, "few", tiles, all_parts, 20_000, 500)
        match, assign, peer = (
            measure_step(step, many) for step in ("match", "assign", "faiss")
        )
        many = make_many(folder, "details", tiles, all_parts, N_TILES, N_CELLS, N_VIEWS)
        details = measure_step("assign", many)
        many.unlink()
        ours, phomo = (measure_step(step, few) for step in ("match", "phomo"))
        rows = [
            "| | CPU s | times faiss | MiB |",
            "|---|---|---|---|",
        ]
        assert match
        assert assign
        base = peer or match
        rows += [
            f"| find the {N_NEIGHBORS} best, a tile of each shot | "
            f"{write_share(match, base)} |",
            f"| and choose, shots {APART} cells apart | {write_share(assign, base)} |",
            f"| the same with `details: all` | {write_share(details, base)} |",
            f"| faiss, the {N_NEIGHBORS} best | {write_share(peer, base)} |",
        ]
        if ours and phomo:
            pairs = 20_000 * 500 / 1e6
            rows += [
                "",
                "Cells times tiles a CPU second: "
                f"{pairs / ours['cpu_s']:,.0f} million here, "
                f"{pairs / phomo['cpu_s']:,.2f} million by phomo's `norm` over tiles "
                "of 16x9 pixels.",
            ]
        told = f"{N_TILES:,} tiles and {N_CELLS:,} cells on {name_machine()}:"
        write_between(PAGE, "mosaic.py search", "\n".join([told, "", *rows]))
        rows = [
            "| cells | tiles | CPU s | dense | times | sum of distances |",
            "|---|---|---|---|---|---|",
        ]
        for n_cells, n_tiles in ONCE:
            path = make_many(folder, "once", tiles, all_parts, n_tiles, n_cells)
            about = f"{n_cells:,} | {n_tiles:,}"
            rows.append(compare_once(path, about))
        for each, path in targets.items():
            target = read_target(path, OWN_COLUMNS, ASPECT, 10**9)
            cells, path = describe_parts(target.parts), folder / "own.npz"
            own = tiles.features[:, OWN_VIEWS].reshape(-1, 1, N_FEATURES)
            groups = np.repeat(tiles.groups, len(OWN_VIEWS))
            np.savez(path, cells=cells, tiles=own, groups=groups)
            about = f"{len(cells):,}: {each} | {len(own):,}: the films' own"
            rows.append(compare_once(path, about))
        write_between(PAGE, "mosaic.py once", "\n".join(rows))


if __name__ == "__main__":
    main()
