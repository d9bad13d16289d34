# Loads and checks what the user wants; the functions that rules ask for it.
import functools
import re
import sys
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(workflow.basedir)
SCRIPTS = ROOT / "workflow" / "scripts"
sys.path.append(str(SCRIPTS))

from reelbow import progress
from reelbow.code import describe_run, digest_code
from reelbow.config import DEMO_FILM, check_config, read_films
from reelbow.errors import ReelbowError
from reelbow.plan import read_plan, summarize_plan

try:
    config = check_config(config)
    FILMS = {film.film: film for film in read_films(config["films"])}
except ReelbowError as error:
    progress.refuse(str(error))

PROGRESS = progress.Progress(logger)


# The bare barcode is {kind}.png; the figure is a PNG beside it, or a vector file.
FIGURE_ENDINGS = [
    {"png": "_figure.png"}.get(suffix, f".{suffix}")
    for suffix in config["barcodes"]["formats"]
]

# What decides a film's palettes, as it stands in their databases.
TARBALL_SETTINGS = ["crop", "downsample", "mean", "cluster"]
VIDEO_SETTINGS = ["sampling", "extract", *TARBALL_SETTINGS]
WITHOUT_RESULT = {"keep", "gpu_engine", "gpu_share"}


wildcard_constraints:
    film="|".join(map(re.escape, FILMS)),
    shard=r"\d{5}",
    kind="|".join(config["barcodes"]["kinds"]) or "none",


def get_film(wildcards):
    """The film's row of the sheet."""
    return FILMS[wildcards.film]


def get_video(wildcards):
    """The film's file; tarballs are no input of the plan, which would change with each."""
    film = get_film(wildcards)
    return str(film.video) if film.video else []


def get_tarballs(wildcards):
    """The film's tarballs."""
    return [str(tarball) for tarball in get_film(wildcards).tarballs]


def lookup_film(column):
    """A params function: one column of the film's row."""
    return lambda wildcards: getattr(get_film(wildcards), column)


def keep_if(keep, path):
    """Mark an intermediate file for removal after use, unless it is to be kept."""
    return path if keep else temp(path)


def get_plan(wildcards):
    """The film's plan, once it is made."""
    plan = Path(checkpoints.plan_shards.get(film=wildcards.film).output.plan)
    return load_plan(plan, plan.stat().st_mtime_ns)


@functools.cache
def load_plan(plan, written_ns):
    """What rules ask of a plan, read once and not for each of thousands of shards."""
    return summarize_plan(read_plan(plan))


def get_tarball(wildcards):
    """A shard's frames: extracted from the video, or the user's own tarball."""
    if get_film(wildcards).video:
        return f"results/{wildcards.film}/frames/{wildcards.shard}.tar"
    return get_plan(wildcards)["shards"][int(wildcards.shard)]["tarball"]


def get_clustered(wildcards):
    """What a shard's palettes are of: thumbnails, or its frames at full size."""
    if config["downsample"]["height"] is None:
        return get_tarball(wildcards)
    return f"results/{wildcards.film}/thumbnails/{wildcards.shard}.npz"


def get_shaping(wildcards):
    """What becomes of a shard's pictures before they are clustered."""
    return {
        "height": config["downsample"]["height"],
        "crop": get_crop(wildcards),
        "mean_space": config["mean"]["space"],
        "exact_mean": config["mean"]["exact"],
        "max_pixels": config["limits"]["pixels"],
        "missing_frames": config["errors"]["missing_frames"],
    }


def get_decoding_memory(wildcards):
    """Memory for a video's decoder, which keeps some 20 pictures, in MB."""
    video = get_plan(wildcards)["video"]
    megapixels = video["stored_width"] * video["stored_height"] / 1e6
    return round(450 + 40 * megapixels)


def get_clustering_memory(wildcards):
    """Memory for thumbnails, or for decoding frames at full size, in MB."""
    return 1000 if config["downsample"]["height"] is None else 500


def get_metadata(wildcards):
    """What made a shard: settings, versions and the digest of the code."""
    return describe_shards(get_film(wildcards).video is not None)


@functools.cache
def describe_shards(of_video):
    """What makes the shards of all videos, or of all tarballs; the same for thousands."""
    groups, scripts = TARBALL_SETTINGS, ["downsample_frames", "cluster_shard"]
    if of_video:
        groups, scripts = VIDEO_SETTINGS, ["extract_frames", *scripts]
    engine = f"kmeans_{config['cluster']['cpu_engine']}"
    about = describe_run(
        {
            f"{group}.{key}": value
            for group in groups
            for key, value in config[group].items()
            if key not in WITHOUT_RESULT
        }
    )
    about["digest"] = " ".join(get_code(script, engine) for script in scripts)
    return about


def get_code(script, *engines):
    """Digest of the library code that a script runs: when it changes, so may results."""
    return digest_code(SCRIPTS / f"{script}.py", *engines)


def get_wanted_crop(wildcards):
    """The film's own crop, or that of all films: auto, none or w:h:x:y."""
    return get_film(wildcards).crop or config["crop"]["letterbox"]


def get_crop(wildcards):
    """What is cropped from the user's own images; extracted ones are cropped already."""
    return None if get_film(wildcards).video else get_plan(wildcards)["crop"]


def get_shards(wildcards):
    """The databases of all the film's shards."""
    return [
        f"results/{wildcards.film}/palettes/{part['shard']}.sqlite"
        for part in get_plan(wildcards)["shards"]
    ]


def get_all_shards(wildcards):
    """The databases of the shards of all films."""
    films = [SimpleNamespace(film=film) for film in FILMS]
    return [shard for film in films for shard in get_shards(film)]


def get_all_barcodes(wildcards):
    """Every picture that the configuration asks for."""
    return expand(
        "results/{film}/barcodes/{kind}{ending}",
        film=FILMS,
        kind=config["barcodes"]["kinds"],
        ending=[".png", *FIGURE_ENDINGS],
    )
