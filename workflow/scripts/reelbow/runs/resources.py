"""What jobs ask for: memory and minutes by the pixels of their pictures, and GPUs.

Seconds are those that one core took for 8-bit H.264 and for JPEGs, as measured in
docs/performance.md. Jobs ask for several times that, since nodes may be slow or busy,
and codecs dear: one that asks for too much waits longer, one that asks for too little
is killed. Each further attempt asks for as much again.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from reelbow.machine.scratch import MOST_MEMORY_MB
from reelbow.runs.config import WIDEST_PNG, count_most_colors, is_wide
from reelbow.shards.names import STAGES


class Need(NamedTuple):
    """What a job of a rule takes: by itself, and for the pictures of its film."""

    # In MiB, twice what it used where it was measured, and what the two Snakemakes use
    # that are around it on a cluster.
    mb: int
    bytes_per_pixel: int
    # At least, with slow disks and whatever else does not grow with the shard; a film
    # of ten million frames is merged and drawn in ten minutes.
    minutes: int
    # As pace takes it, on a quiet machine.
    start_s: float


# In the order of the way of the data.
NEEDS = {
    "make_demo_film": Need(500, 0, 5, 4.0),
    "find_source": Need(400, 0, 5, 0.5),
    # Nobody knows yet how large pictures are: these are of 8K.
    "plan_shards": Need(2000, 0, 5, 0.5),
    "extract_frames": Need(700, 60, 5, 0.5),
    "downsample_frames": Need(700, 60, 5, 0.5),
    "cluster_shard": Need(700, 60, 5, 0.7),
    "score_cuts": Need(700, 60, 5, 1.2),
    "make_tiles": Need(700, 0, 5, 0.8),
    # Of three sensors at most, each with its sums.
    "sum_pixels": Need(700, 90, 5, 1.2),
    "merge_sums": Need(600, 50, 10, 1.0),
    "find_defects": Need(700, 55, 10, 3.0),
    "repair_photos": Need(700, 60, 5, 1.2),
    "merge_film": Need(700, 0, 30, 0.9),
    # Its picture is the barcode.
    "render_barcodes": Need(1000, 10, 30, 2.5),
    "render_contact": Need(1000, 0, 30, 2.5),
    "render_averages": Need(1000, 0, 30, 2.5),
    "render_posters": Need(1000, 0, 30, 3.0),
    "export_tables": Need(700, 0, 60, 1.5),
    "write_explorer": Need(1000, 0, 30, 1.0),
    "render_barcode": Need(1000, 10, 30, 1.0),
    "merge_films": Need(500, 0, 30, 0.5),
    "summarize_films": Need(400, 0, 30, 0.5),
    "index_colors": Need(600, 0, 30, 0.6),
    "assign_tiles": Need(1000, 0, 30, 1.5),
    "render_mosaic": Need(1000, 0, 30, 2.5),
    "compare_films": Need(1000, 0, 30, 4.0),
    "compare_all": Need(1000, 0, 60, 5.0),
    "export_films": Need(700, 0, 30, 1.5),
    "write_index": Need(1000, 0, 30, 1.0),
    "write_provenance": Need(400, 0, 30, 1.0),
    "profile_run": Need(600, 0, 30, 1.5),
    # Each file is read, all films' rows one by one.
    "verify": Need(500, 0, 600, 1.0),
    "audit": Need(500, 0, 30, 0.5),
}

# What a GPU's driver and libraries take too, and the batches on their way to it.
GPU_MB = 3000

# Of a contact sheet: bytes for each of its pixels, which it and its figures take; and
# seconds to lay one of its megapixels out (benchmarks/gallery.py).
CONTACT_BYTES = 8
CONTACT_S = 0.2

# Its pixels from side to side if no width is given, and its sides' ratio: as of
# `barcode.contact`, which imports too much for this.
CONTACT_WIDTH = 2000
CONTACT_ASPECT = 3 / 2

# Of a poster: bytes for each pixel of the page, which are its picture and what is
# written below it, and seconds to draw and compress a megapixel of each format.
POSTER_BYTES = 8
POSTER_S = 0.1

# Rules of a film that work on all pixels of its sensor.
OF_SENSORS = ("merge_sums", "find_defects")

# How many times the estimated work is asked for.
MARGIN = 5

# Seconds to decode a megapixel of a video or of a JPEG, to average it, or to write it.
PIXEL_S = 1.4e-3

# And to decode it, and compare it with the one before, for cuts.
SCORE_PIXEL_S = 3e-3

# To decode it and add it up for hot pixels (benchmarks/hot_pixels.py), to find them in
# the sums, and to write a repaired copy of it.
SUM_PIXEL_S = 7e-3
FIND_PIXEL_S = 0.3
REPAIR_PIXEL_S = 30e-3

# k-means of 8 colors and 5 starts: seconds for a thumbnail, and for its megapixels.
CLUSTER_S = {"numba": (0.5e-3, 5e-3), "sklearn": (13e-3, 2.0)}

# Comparing the colors of two films.
PAIR_S = 5e-3

# Looking for accents: seconds for a thumbnail, and for its megapixels.
ACCENTS_S = (0.2e-3, 5e-3)

# Bytes of a JPEG for each of its pixels.
JPEG_BYTES = 0.1

# Of previews, for each of their megapixels: MiB while their sheet is made, as measured,
# and seconds (benchmarks/previews.py). And megapixels of the largest sheet.
SHEET_MB = 8
SHEET_S = 8e-3
LARGEST_SHEET = 34

# Of previews, seconds for each of their megapixels to decode and measure them. Of a
# mosaic, MiB for each million tiles, views of them, cells that choose, and cells that
# are drawn; seconds to decode a tile's preview, for 1e9 views and cells that are
# compared (benchmarks/mosaic.py), and to draw a megapixel.
MEASURE_S = 0.1
TILES_MB = 80
VIEWS_MB = 36
CELLS_MB = 10_000
DRAWN_MB = 4000
TILE_S = 0.5e-3
COMPARE_S = 3.0
MOSAIC_S = 0.5

# Seconds of a megapixel that a barcode is bent into (benchmarks/gallery.py).
BEND_S = 1.0

# And of a column of a barcode that is wider than a PNG should be: of bands, 300 rows.
WIDE_S = 60e-6

# Bytes of a film, or of some of its tarballs, that are read in a second for its plan.
READ_BYTES_S = 50e6
LOOKED_INTO = 32

# And of a file in a store that are fetched.
FETCH_BYTES_S = 20e6

# To look for black and titles at both ends of a large film, with most of a quarter of
# an hour decoded at each.
TRIM_S = 600.0

# Of a picture whose size nobody knows before it is read.
UNKNOWN_MEGAPIXELS = 12

# Its multiples, without their whole parts, are spread evenly, however many there are.
GOLDEN_RATIO = (math.sqrt(5) - 1) / 2

# Minutes of work for which a job of a cluster is well worth its start, and is no great
# loss if it dies: below and above, the user is warned, and advised to take so many.
FEWEST_MINUTES = 2
GOOD_MINUTES = 20
MOST_MINUTES = 120


class Size(NamedTuple):
    """What a job works on, as far as plans tell: frames, and megapixels of each."""

    n_frames: float = 0
    # Pictures that are decoded from a video to get at them.
    n_pictures: float = 0
    source: float = 0
    thumbnail: float = 0
    # Of all its previews together.
    previews: float = 0
    # Columns of a barcode that is wider than a PNG should be.
    n_columns: float = 0
    # Of the contact sheet.
    contact: float = 0
    # Of the largest poster, and of all of them in all formats.
    poster: float = 0
    posters: float = 0
    # Of a mosaic, its tiles, the views of each, and its cells.
    mosaic: float = 0
    n_tiles: int = 0
    n_views: int = 1
    n_cells: int = 0
    # Of a film's pictures; `source` of its rules is their own picture's.
    sensor: float = 0


def measure_shard(
    plan: Mapping[str, Any],
    shard: str,
    config: Mapping[str, Any],
    tarball_bytes: int = 0,
) -> Size:
    """Find a shard's size.

    Parameters
    ----------
    plan : of the film, as `summarize_plan` gives it
    tarball_bytes : of the shard's tarball, if it is no video
    """
    width, height = plan["width"], plan["height"]
    source = shown = _count_megapixels(plan)
    n_frames, n_pictures = plan["shards"][shard]["n_frames"], 0.0
    if n_frames is None:
        n_frames = estimate_frames(plan, tarball_bytes)
    if video := plan["video"]:
        source = video["stored_width"] * video["stored_height"] / 1e6
        n_pictures = plan["n_pictures"] * n_frames / plan["n_frames"]
        if config["sampling"]["mode"] == "keyframes":
            n_pictures = n_frames
    aspect = width / height if width and height else 16 / 9
    thumbnail = _shrink(shown, aspect, config["downsample"]["height"])
    previews = 0.0
    if rows := config["previews"]["height"]:
        previews = n_frames * _shrink(thumbnail, aspect, rows)
    return Size(n_frames, n_pictures, source, thumbnail, previews)


def measure_sensor(plan: Mapping[str, Any] | None) -> float:
    """Find the megapixels of a film's pictures; 0: it is not planned."""
    return _count_megapixels(plan) if plan and "error" not in plan else 0.0


def measure_barcode(config: Mapping[str, Any], n_frames: int = 0) -> Size:
    """Find the size of the barcode and posters of a film, however long that is.

    Parameters
    ----------
    n_frames : of the film, as far as its plan knows, or 0
    """
    about = config["barcodes"]
    # Wider ones are never held as a whole.
    width, n_columns = about["width"], 0
    if is_wide(about):
        n_columns = n_frames if width == "frames" else width
        width = None
    size = Size(
        source=about["height"] * (width or WIDEST_PNG) / 1e6,
        n_columns=n_columns,
        contact=(width or CONTACT_WIDTH) ** 2 / CONTACT_ASPECT / 1e6,
    )
    if not config["posters"]:
        return size
    from reelbow.barcode.paper import parse_paper

    posters = []
    for poster in config["posters"].values():
        width, height = parse_paper(poster).count_pixels(poster["dpi"])
        # A column is wider than high.
        posters.append(width * (height or width) / 1e6)
    formats = [len(poster["formats"]) for poster in config["posters"].values()]
    total = sum(map(math.prod, zip(posters, formats, strict=True)))
    return size._replace(poster=max(posters), posters=total)


def _shrink(megapixels: float, aspect: float, rows: int | None) -> float:
    """Find the megapixels of a picture that is made small, to so many rows."""
    return min(megapixels, rows**2 * aspect / 1e6) if rows else megapixels


def estimate_frames(plan: Mapping[str, Any], tarball_bytes: int) -> float:
    """Estimate how many images there are in tarballs."""
    return tarball_bytes / JPEG_BYTES / 1e6 / _count_megapixels(plan)


def _count_megapixels(plan: Mapping[str, Any]) -> float:
    """Find the megapixels of a film's pictures as they are shown."""
    return (plan["width"] or 0) * (plan["height"] or 0) / 1e6 or UNKNOWN_MEGAPIXELS


def estimate_mb(rule: str, size: Size) -> int:
    """Estimate the MiB that a job takes at most, its files in a node's memory too."""
    files = [estimate_files_mb(stage, size) for stage in STAGES]
    in_memory = sum(mb for mb in files if mb <= MOST_MEMORY_MB)
    if rule in (*STAGES, "make_tiles"):
        # Whichever of them makes it: on a cluster they are one job.
        in_memory += math.ceil(SHEET_MB * min(LARGEST_SHEET, size.previews))
    need = NEEDS[rule]
    source = size.sensor if rule in OF_SENSORS else size.source
    if rule == "render_contact":
        in_memory += math.ceil(CONTACT_BYTES * size.contact)
    if rule == "assign_tiles":
        mb = (TILES_MB + VIEWS_MB * size.n_views) * size.n_tiles
        mb += CELLS_MB * size.n_cells
        in_memory += math.ceil(mb / 1e6)
    if rule == "render_mosaic":
        in_memory += math.ceil(DRAWN_MB * size.n_cells / 1e6)
    if rule == "render_posters":
        in_memory += math.ceil(POSTER_BYTES * size.poster)
    return need.mb + math.ceil(need.bytes_per_pixel * source) + in_memory


def estimate_files_mb(rule: str, size: Size) -> int:
    """Estimate the MiB of what a job leaves for the next one of its shard, at most."""
    if rule == "downsample_frames" and size.n_frames:
        strip = math.sqrt(size.thumbnail * 1e6) * 24 / 1e6
        return 1 + math.ceil(size.n_frames * (3 * size.thumbnail + strip))
    return 0


def estimate_s(rule: str, size: Size, config: Mapping[str, Any]) -> float:
    """Estimate the seconds that a job takes."""
    n_frames, about = size.n_frames, config["cluster"]
    work_s = 0.0
    at_full_size = config["downsample"]["height"] is None
    reading = "cluster_shard" if at_full_size else "downsample_frames"
    if rule in (reading, "extract_frames"):
        # Here pictures are decoded, and those that are wanted averaged.
        work_s += PIXEL_S * ((size.n_pictures or n_frames) + n_frames) * size.source
    if rule == "render_contact":
        work_s += CONTACT_S * size.contact
    if rule == "render_posters":
        work_s += POSTER_S * size.posters
    if rule == "score_cuts":
        work_s += SCORE_PIXEL_S * (size.n_pictures or n_frames) * size.source
    if rule == "sum_pixels":
        work_s += SUM_PIXEL_S * n_frames * size.source
    if rule == "repair_photos":
        work_s += REPAIR_PIXEL_S * n_frames * size.source
    if rule == "find_defects":
        work_s += FIND_PIXEL_S * size.sensor
    if rule == "make_tiles":
        work_s += MEASURE_S * size.previews
    if rule == "assign_tiles":
        work_s += COMPARE_S * size.n_tiles * size.n_views * size.n_cells / 1e9
    if rule == "render_mosaic":
        # Previews of all films may be in it.
        work_s += MOSAIC_S * size.mosaic + TILE_S * size.n_tiles
    if rule == reading:
        work_s += SHEET_S * size.previews
    if rule == "cluster_shard":
        frame_s, megapixel_s = CLUSTER_S[about["cpu_engine"]]
        frame_s += megapixel_s * size.thumbnail
        # Each of more colors takes part in more steps: 256 take 90 times as long as 8.
        # To choose their number and then to find these takes about as long as the most.
        n_colors = count_most_colors(about)
        frame_s *= max(1, n_colors / 8) ** 1.2 * max(1, about["n_init"] / 5)
        if about["accents"]:
            frame_s += ACCENTS_S[0] + ACCENTS_S[1] * size.thumbnail
        work_s += n_frames * frame_s
    bars = config["barcodes"]
    if rule in ("render_barcodes", "render_barcode"):
        work_s += WIDE_S * len(bars["kinds"]) * size.n_columns
        if bars["shape"] != "line":
            work_s += BEND_S * len(bars["kinds"]) * bars["side"] ** 2 / 1e6
    return NEEDS[rule].start_s + work_s


def estimate_pairs_s(n_films: int) -> float:
    """Estimate the seconds that comparing the palettes of all films takes."""
    return NEEDS["compare_all"].start_s + PAIR_S * n_films * n_films / 2


def estimate_minutes(rule: str, work_s: float) -> int:
    """Choose the minutes for a job by the seconds that it works."""
    return NEEDS[rule].minutes + math.ceil(MARGIN * work_s / 60)


def has_gpu(shard: int, share: float, film: int = 0) -> bool:
    """Say whether a shard is one of the part that runs on a GPU, evenly spread.

    Parameters
    ----------
    film : its place among the films, from 0. Each begins at another point of the
        pattern, so that of many films of one shard a part runs on a GPU too
    """
    start = film * GOLDEN_RATIO % 1
    return math.floor((shard + 1) * share + start) > math.floor(shard * share + start)


def reads_source(rule: str, *, at_full_size: bool) -> bool:
    """Say whether a shard's job of a rule reads the user's files."""
    stages = {"extract_frames", "downsample_frames", "score_cuts"}
    stages |= {"sum_pixels", "repair_photos"}
    return rule in stages or (at_full_size and rule == "cluster_shard")


def doubt_shards(
    n_shards: int, n_frames: int, per_shard: int, work_s: float
) -> str | None:
    """Say in a sentence that a film's shards are far too small or too large.

    Parameters
    ----------
    per_shard : shards.frames, as it is
    work_s : seconds that a shard of so many frames takes
    """
    minutes = work_s / 60
    if FEWEST_MINUTES <= minutes <= MOST_MINUTES:
        return None
    # Two digits will do, and the whole film may be less than that.
    better = int(float(f"{max(1, per_shard * GOOD_MINUTES / minutes):.2g}"))
    better = min(n_frames, better)
    if n_shards == 1 and better >= n_frames:
        return None
    return (
        f"each of its shards ({n_shards:,}) takes about {minutes:,.1f} minutes, and a "
        "job on a cluster should take 10 to 60; with shards.frames at "
        f"{better} instead of {per_shard} it would take about "
        f"{minutes * better / per_shard:,.1f}"
    )
