# Loads and checks what the user wants; the functions that rules ask for it.
import functools
import json
import re
import sqlite3
import sys
from pathlib import Path
from types import SimpleNamespace

from snakemake.persistence import FileBackupMixin

# Of this file: `workflow.basedir` would be the importer's folder if this is a module.
SCRIPTS = Path(workflow.current_basedir).parent / "scripts"
sys.path.append(str(SCRIPTS))

from reelbow import (
    __version__,
    corpus,
    database,
    failures,
    pace,
    picture_files,
    progress,
    scratch,
    source_states,
    summary,
)
from reelbow import resources as needs
from reelbow.code import describe_versions, digest_code
from reelbow.config import DEMO_FILM, SINGLE, check_config, read_films
from reelbow.errors import ReelbowError
from reelbow.kept_output import keep_until_replaced
from reelbow.messages import refuse, tell
from reelbow.plain_paths import name_plainly
from reelbow.plan import read_plan, summarize_plan
from reelbow.shard_names import PATTERN as SHARD_PATTERN
from reelbow.shard_names import STAGES
from reelbow.sheet import is_sheet

DEFAULT_SHEET = "config/films.tsv"

# As a module of another workflow its results may lie in a folder of their own; what is
# told of a run is that workflow's own matter.
IS_MODULE = workflow.modifier.namespace is not None
RESULTS = Path(workflow.modifier.modify_path("results"))
if RESULTS.is_file():
    refuse(
        f"{RESULTS} is a file; rename it, since results go into a folder of that name"
    )


def is_planned(film):
    """Whether a film was there in an earlier run, which left a plan of it."""
    path = RESULTS / film / "plan.json"
    try:
        return path.exists() and "error" not in read_plan(path)
    except (OSError, ValueError):
        return False


try:
    config = check_config(config)
    # Who has no sheet and names no film sees the demo.
    if config["films"] == DEFAULT_SHEET and not Path(DEFAULT_SHEET).exists():
        config["films"] = str(SCRIPTS.parents[1] / DEFAULT_SHEET)
    SINGLE_FILM = {key: config[key] for key in SINGLE}
    FILMS = {
        film.film: film
        for film in read_films(config["films"], is_planned, **SINGLE_FILM)
    }
except ReelbowError as error:
    refuse(str(error))

# The same in all jobs of a run: only Snakemake itself looks at the films' files.
STATES = Path(".snakemake/sources", RESULTS).with_suffix(".json")
if workflow.is_main_process:
    STATES_OF_FILMS = source_states.find_states(FILMS.values(), RESULTS, STATES)
else:
    STATES_OF_FILMS = source_states.read_states(STATES)

# Films whose files cannot be read any more, and why. They fail, but nothing that was
# made of them goes, since a disk may only be away for a while.
UNREADABLE = {}
for film in [*FILMS.values()]:
    fault = film.fault or source_states.find_future(STATES_OF_FILMS.get(film.film, {}))
    if fault and is_planned(film.film):
        UNREADABLE[film.film] = fault
        del FILMS[film.film]
    elif fault:
        FILMS[film.film] = film.give_up(fault)
if workflow.is_main_process and UNREADABLE and not FILMS:
    refuse(fault if len(UNREADABLE) == 1 else f"none of the films can be read: {fault}")

RULES_OF_A_FILM = [
    "plan_shards",
    *STAGES,
    "merge_film",
    "render_barcode",
]

PLACES = {film: place for place, film in enumerate(FILMS)}

# What earlier runs have made, which stays in the database of all films.
OTHERS = corpus.list_others(RESULTS, FILMS)

if workflow.is_main_process and not (
    isinstance(config["films"], str) and is_sheet(config["films"])
):
    try:
        corpus.check_names(RESULTS, FILMS)
    except ReelbowError as error:
        refuse(str(error))

keep_until_replaced(
    FileBackupMixin, RESULTS, kept=["palettes.sqlite"], dropped=["plan.json"]
)

if workflow.is_main_process:
    for cut_off in corpus.mark_cut_off(RESULTS, FILMS):
        tell(f"{cut_off} is damaged: it is cut off, or no database; it is made again.")

# Links that lead to another machine's scratch: Snakemake would stumble over them. With
# a lock there they may be those of a run that is going on.
if workflow.is_main_process:
    if "--unlock" in sys.argv:
        progress.unlock()
    elif not any(Path(".snakemake/locks").glob("*")):
        scratch.drop_links(RESULTS)
    elif any(scratch.find_links(RESULTS)):
        refuse(progress.LOCKED)


FIGURE_ENDINGS = [
    picture_files.FIGURE_ENDINGS[suffix] for suffix in config["barcodes"]["formats"]
]

# What decides a film's palettes, as it stands in their databases.
TARBALL_SETTINGS = ["crop", "downsample", "mean", "cluster"]
VIDEO_SETTINGS = ["sampling", "extract", *TARBALL_SETTINGS]
WITHOUT_RESULT = {"keep", "gpu_engine", "gpu_share", "gpu_wait_min"}


wildcard_constraints:
    film="|".join(map(re.escape, FILMS)),
    shard=SHARD_PATTERN,
    kind="|".join(config["barcodes"]["kinds"]) or "none",


def get_film(wildcards):
    """The film's row of the sheet."""
    return FILMS[wildcards.film]


def get_video(wildcards):
    """The film's file; tarballs are no input of the plan, which would change with each."""
    film = get_film(wildcards)
    return as_source(film.video) if film.video else []


def as_source(path):
    """Mark a user's file, which lies where it lies also if this is a module.

    Snakemake would read {word} and <word> in its name in its own way.
    """
    if path == DEMO_FILM:
        return str(path)
    return local(str(name_plainly(Path(path))))


def get_source_state(wildcards):
    """What becomes another one with other content of the film's file, or the shard's.

    What comes in the place of a video makes another plan, and by it all shards.
    """
    film = get_film(wildcards)
    path = film.video
    if "shard" in wildcards.keys():
        place = place_tarballs(wildcards.film).get(wildcards.shard)
        path = None if place is None else film.tarballs[place]
    seen = STATES_OF_FILMS.get(wildcards.film, {}).get(str(path))
    return seen.state if seen else ""


def gather(**settings):
    """A params function: a rule's settings as one dict; functions are asked.

    Snakemake compares the values of params without their names: two params that swap
    their values would run nothing again.
    """
    return lambda wildcards: {
        name: value(wildcards) if callable(value) else value
        for name, value in settings.items()
    }


def get_fault(wildcards):
    """Why a film that was there cannot be read any more."""
    return UNREADABLE.get(wildcards.film)


def get_plan_settings(wildcards):
    """What a film's plan depends on; tarballs have no sampling."""
    film = get_film(wildcards)
    settings = {
        "crop": film.crop or config["crop"]["letterbox"],
        "max_pixels": config["limits"]["pixels"],
        "fault": film.fault,
        "state": find_state(wildcards.film),
        "source_state": get_source_state(wildcards),
    }
    if not film.video:
        tarballs = map(str, film.tarballs)
        return settings | {"tarballs": dict(zip(film.shards, tarballs, strict=True))}
    return settings | {
        "stream": film.stream,
        "start_s": film.start_s,
        "end_s": film.end_s,
        "mode": config["sampling"]["mode"],
        "every": config["sampling"]["every"],
        "per_shard": config["shards"]["frames"],
    }


def find_state(film):
    """What makes a film without a picture worth another plan; of others it stays.

    That is another wish about errors, or a newer tarball, which is no input of the plan.
    """
    plan = peek_plan(film)
    go_on = config["errors"]["missing_shards"] == "skip"
    is_good = (
        plan and "error" not in plan and (plan.get("has_pictures", True) or not go_on)
    )
    # An older version wrote none.
    if is_good and "state" in plan:
        return plan["state"]
    times_ns = [
        path.stat().st_mtime_ns for path in FILMS[film].tarballs if path.exists()
    ]
    return f"{max(times_ns, default=0)}{' salvaged' if go_on else ''}"


def peek_plan(film):
    """The plan that is there, whether or not it is to be made again; or None."""
    plan = RESULTS / film / "plan.json"
    return load_plan(plan, plan.stat().st_mtime_ns) if plan.exists() else None


def lookup_film(column):
    """A params function: one column of the film's row."""
    return lambda wildcards: getattr(get_film(wildcards), column)


def get_own_columns(wildcards):
    """The further columns of the film's row, which Reelbow only hands on."""
    return get_film(wildcards).own


def rank(rule):
    """A priority: film by film, and within a film what is nearest to its end."""
    place_in_film = RULES_OF_A_FILM.index(rule)

    def get_rank(wildcards):
        n_later = len(PLACES) - PLACES[wildcards.film]
        return n_later * len(RULES_OF_A_FILM) + place_in_film

    return get_rank


def keep_if(keep, path):
    """Mark an intermediate file for removal after use, unless it is to be kept."""
    return path if keep else temp(path)


def get_plan(wildcards):
    """The film's plan, once it is made."""
    return load_plan(*find_plan(wildcards))


def find_plan(wildcards):
    """Where the film's plan is, and when it was written."""
    plan = Path(checkpoints.plan_shards.get(film=wildcards.film).output.plan)
    return plan, plan.stat().st_mtime_ns


@functools.cache
def load_plan(plan, written_ns):
    """What rules ask of a plan, read once and not for each of thousands of shards."""
    return summarize_plan(read_plan(plan))


def get_tarball(wildcards):
    """A shard's frames: extracted from the video, or the user's own tarball."""
    if get_film(wildcards).video:
        return f"results/{wildcards.film}/frames/{wildcards.shard}.tar"
    shards = get_plan(wildcards)["shards"]
    if wildcards.shard not in shards:
        raise WorkflowError(
            f"film {wildcards.film} has no shard {wildcards.shard}; its shards are in "
            f"{RESULTS / wildcards.film / 'plan.json'}"
        )
    return as_source(shards[wildcards.shard]["tarball"])


def get_clustered(wildcards):
    """What a shard's palettes are of: thumbnails, or its frames at full size."""
    if config["downsample"]["height"] is None:
        return get_tarball(wildcards)
    return f"results/{wildcards.film}/thumbnails/{wildcards.shard}.npz"


def are_frames_used_up(wildcards):
    """Whether a shard's tarball is to go when it is read: 0 or 1."""
    extracted = get_film(wildcards).video is not None
    return int(is_local() and extracted and not config["extract"]["keep"])


def are_clustered_used_up(wildcards):
    """Whether what is clustered is to go then: 0 or 1."""
    if config["downsample"]["height"] is None:
        return are_frames_used_up(wildcards)
    return int(is_local() and not config["downsample"]["keep"])


def is_local():
    """Whether jobs run here; what runs one on a node looks for its files afterwards."""
    return workflow.is_main_process and workflow.local_exec


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


def get_size(wildcards):
    """What a shard holds, as far as its plan tells; nothing before there is one.

    Snakemake knows resources that wait for a checkpoint only when it runs jobs, not in
    a dry run. Before a job starts it asks again.
    """
    plan = peek_plan(wildcards.film)
    if not plan or wildcards.shard not in plan["shards"]:
        return needs.NOTHING
    path = RESULTS / wildcards.film / "plan.json"
    return measure_shard(wildcards.shard, path, path.stat().st_mtime_ns)


@functools.cache
def measure_shard(shard, plan, written_ns):
    """What a shard holds, found once and not for each of its resources."""
    planned = load_plan(plan, written_ns)
    tarball = planned["shards"][shard].get("tarball")
    return needs.measure_shard(
        planned,
        shard,
        mode=config["sampling"]["mode"],
        frame_height=config["extract"]["height"],
        thumbnail_height=config["downsample"]["height"],
        tarball_bytes=count_bytes([tarball] if tarball else []),
    )


def count_bytes(paths):
    """The size of files; one that is gone is for Snakemake to tell."""
    return sum(Path(path).stat().st_size for path in paths if Path(path).exists())


def get_frames_mb(wildcards, attempt):
    """Room on a node for a shard's frames, in MB; 0: they are kept, on the shared disk."""
    if config["extract"]["keep"]:
        return 0
    return attempt * needs.estimate_frames_mb(get_size(wildcards))


def get_thumbnails_mb(wildcards, attempt):
    """Room on a node for a shard's thumbnails, in MB; 0: they are kept."""
    if config["downsample"]["keep"]:
        return 0
    return attempt * needs.estimate_thumbnails_mb(get_size(wildcards))


def get_extraction_memory(wildcards, attempt):
    """Memory for a video's decoder, in MB."""
    size = get_size(wildcards)
    return needs.ask_memory(needs.DECODE_MB, size.stored_megapixels, size, attempt)


def get_downsampling_memory(wildcards, attempt):
    """Memory for images as they are read, in MB."""
    size = get_size(wildcards)
    return needs.ask_memory(needs.PICTURE_MB, size.frame_megapixels, size, attempt)


def get_clustering_memory(wildcards, attempt):
    """Memory for thumbnails, and for the libraries of a GPU, in MB."""
    size = get_size(wildcards)
    on_gpu_mb = needs.GPU_MB * get_gpu(wildcards, attempt)
    return on_gpu_mb + needs.ask_memory(
        needs.CLUSTER_MB, size.thumbnail_megapixels, size, attempt
    )


def get_extraction_minutes(wildcards, attempt):
    """Minutes for the video's stretch and its frames."""
    return needs.ask_minutes(needs.estimate_extraction_s(get_size(wildcards)), attempt)


def get_downsampling_minutes(wildcards, attempt):
    """Minutes for the frames."""
    return needs.ask_minutes(
        needs.estimate_downsampling_s(get_size(wildcards)), attempt
    )


def get_clustering_minutes(wildcards, attempt):
    """Minutes for the thumbnails, on a CPU."""
    return needs.ask_minutes(estimate_clustering_s(get_size(wildcards)), attempt)


def estimate_clustering_s(size):
    """Seconds of clustering with the engine of CPUs."""
    # At full size there are no thumbnails, and the frames are decoded here.
    at_full_size = config["downsample"]["height"] is None
    decoding_s = needs.estimate_downsampling_s(size) if at_full_size else 0
    return decoding_s + needs.estimate_clustering_s(
        size,
        n_colors=config["cluster"]["n_colors"],
        n_init=config["cluster"]["n_init"],
        engine=config["cluster"]["cpu_engine"],
    )


def get_shard_place(wildcards):
    """A shard's place in its film, from 0, known before there is a plan."""
    if get_film(wildcards).video:
        return int(wildcards.shard) if wildcards.shard.isdecimal() else 0
    return place_tarballs(wildcards.film).get(wildcards.shard, 0)


@functools.cache
def place_tarballs(film):
    """The places of a film's shards that are tarballs, by their names."""
    return {shard: place for place, shard in enumerate(FILMS[film].shards)}


def get_gpu_tag(wildcards):
    """GPUs that are meant for a shard, 0 or 1, whatever its attempt."""
    share = get_film(wildcards).gpu
    if share is None:
        share = config["cluster"]["gpu_share"]
    place = PLACES[wildcards.film]
    return int(needs.has_gpu(get_shard_place(wildcards), share, place))


def get_gpu(wildcards, attempt):
    """GPUs that a shard asks for: one if it is tagged, in its first attempt only."""
    return get_gpu_tag(wildcards) if attempt == 1 else 0


def get_group_gpu(wildcards, attempt):
    """GPUs for a shard before it is clustered: on a cluster all that is one job.

    Locally these jobs are none of a GPU's, and are not to wait for one.
    """
    return 0 if workflow.local_exec else get_gpu(wildcards, attempt)


def get_clustering_env(wildcards):
    """Where a shard runs with conda, in all its attempts: for GPUs there is more in it."""
    kind = "cpu"
    if get_gpu_tag(wildcards):
        kind = {"cupy": "gpu", "cuml": "cuml"}[config["cluster"]["gpu_engine"]]
    return f"../../envs/cluster_{kind}.yaml"


def get_planning_minutes(wildcards, attempt):
    """Minutes for reading the film once, or the tarballs that are looked into."""
    film = get_film(wildcards)
    sources = (
        [film.video] if film.video else film.tarballs[: needs.TARBALLS_LOOKED_INTO]
    )
    return needs.ask_minutes(count_bytes(sources) / needs.READ_BYTES_S, attempt)


def get_film_minutes(wildcards, attempt):
    """Minutes for reading or writing the rows of one film."""
    return needs.ask_minutes(needs.ROW_S * count_frames(wildcards.film), attempt)


def get_films_minutes(wildcards, attempt):
    """Minutes for writing the rows of all films."""
    n_frames = sum(map(count_frames, FILMS)) + corpus.count_frames(RESULTS, OTHERS)
    return needs.ask_minutes(needs.ROW_S * n_frames, attempt)


def count_frames(film):
    """Frames of a film, estimated if it is of tarballs; 0 before it is planned."""
    planned = peek_plan(film)
    if not planned:
        return 0
    if planned["n_frames"]:
        return planned["n_frames"]
    return needs.estimate_frames(planned, count_bytes(FILMS[film].tarballs))


def ask_more(least):
    """A resources function: as much more with each attempt, MB or minutes."""
    return lambda wildcards, attempt: attempt * least


def get_metadata(wildcards):
    """What made a shard: settings and the digest of the code."""
    return describe_shards(get_film(wildcards).video is not None)


@functools.cache
def describe_shards(of_video):
    """What makes the shards of all videos, or of all tarballs; the same for thousands."""
    groups, scripts = TARBALL_SETTINGS, ["downsample_frames", "cluster_shard"]
    if of_video:
        groups, scripts = VIDEO_SETTINGS, ["extract_frames", *scripts]
    engine = f"kmeans_{config['cluster']['cpu_engine']}"
    settings = {
        f"{group}.{key}": value
        for group in groups
        for key, value in config[group].items()
        if key not in WITHOUT_RESULT
    }
    return {
        "settings": json.dumps(settings, sort_keys=True),
        "digest": " ".join(get_code(script, engine) for script in scripts),
    }


def get_code(script, *engines):
    """Digest of the library code that a script runs: when it changes, so may results."""
    return digest_code(SCRIPTS / f"{script}.py", *engines)


def get_crop(wildcards):
    """What is cropped from the user's own images; extracted ones are cropped already."""
    return None if get_film(wildcards).video else get_plan(wildcards)["crop"]


def get_shards(wildcards):
    """The databases of all the film's shards."""
    if workflow.is_main_process and not workflow.local_exec:
        doubt_shards(wildcards.film)
    return [
        f"results/{wildcards.film}/palettes/{shard}.sqlite"
        for shard in get_plan(wildcards)["shards"]
    ]


@functools.cache
def doubt_shards(film):
    """Tell once a film that its shards are far too small or too large for a cluster."""
    # A tarball is a shard as it stands; and of what is done nobody wants to hear.
    if not FILMS[film].video or (RESULTS / film / "palettes.sqlite").exists():
        return
    first = SimpleNamespace(film=film, shard="00000")
    if get_plan(first).get("error"):
        return
    plan, size = get_plan(first), get_size(first)
    work_s = needs.estimate_extraction_s(size) + estimate_clustering_s(size)
    if config["downsample"]["height"] is not None:
        work_s += needs.estimate_downsampling_s(size)
    n_shards, per_shard = len(plan["shards"]), config["shards"]["frames"]
    doubt = needs.doubt_shards(n_shards, plan["n_frames"], per_shard, work_s)
    if doubt:
        tell(f"{film}: {doubt}")


def get_lost(wildcards):
    """What an earlier run left out, if nothing may be; then it is tried again."""
    film = RESULTS / wildcards.film
    if config["errors"]["missing_shards"] == "skip" or not workflow.is_main_process:
        return []
    shards = find_lost(film / "palettes.sqlite")
    # Whose own database is new was not left out again.
    return [each for each in shards if find_lost(film / f"palettes/{each}.sqlite")]


def find_lost(path):
    """The shards of a database that could not be read whole."""
    try:
        return sorted(database.find_lost(path)) if path.exists() else []
    except (ReelbowError, sqlite3.Error):
        # Snakemake finds out itself whether it has to be made again.
        return []


def get_all_shards(wildcards):
    """The databases of the shards of all films."""
    films = [SimpleNamespace(film=film) for film in FILMS]
    return [shard for film in films for shard in get_shards(film)]


def get_corpus_settings():
    """What all films of the results folder have in common, or a part of it."""
    return describe_shards(of_video=True)["settings"]


def get_drawing(wildcards):
    """How a kind is drawn, in one entry: Snakemake compares params without their names."""
    keys = ["height", "width", "skip_black", "gap_color"]
    if wildcards.kind == "stacked":
        keys.append("order")
    return {key: config["barcodes"][key] for key in keys}


def check_folders():
    """Refuse to begin where results cannot be written."""
    films = {job.wildcards_dict.get("film") for job in workflow.dag.needrun_jobs()}
    try:
        corpus.check_folders(RESULTS, films - {None})
    except ReelbowError as error:
        refuse(str(error))


def merge_what_is_there():
    """Make the database of all films at the end of a run in which some failed."""
    asked = any(job.rule.name == "merge_films" for job in workflow.dag.needrun_jobs())
    if not asked or not PROGRESS.failed or not PROGRESS.lacks("merge_films"):
        return
    try:
        corpus.merge_what_is_there(
            RESULTS,
            list(FILMS),
            settings=get_corpus_settings(),
            n_colors=config["cluster"]["n_colors"],
        )
        if (RESULTS / "palettes.sqlite").exists():
            summary.write_tables(
                RESULTS / "palettes.sqlite",
                films=RESULTS / "films.tsv",
                skipped=RESULTS / "skipped.tsv",
            )
    except (*corpus.UNREADABLE, MemoryError) as error:
        PROGRESS.say(f"Reelbow: {RESULTS / 'palettes.sqlite'} is not made: {error}")


def tell_corpus():
    """Say what the database of all films has and what not, if this run was to make it."""
    if PROGRESS.lacks("merge_films") and not PROGRESS.failed:
        return
    # A film whose picture failed is in it all the same.
    failed = {
        failure.film
        for failure in PROGRESS.failed.values()
        if failure.stage != "render_barcode"
    }
    is_old = ("merge_films",) in PROGRESS.failed
    films = [*FILMS, *UNREADABLE]
    for sentence in corpus.describe(RESULTS, films, failed, is_old=is_old):
        PROGRESS.say(f"Reelbow: {sentence}")


def get_all_barcodes(wildcards):
    """Every picture that the configuration asks for; none of a film without frames."""
    plans = {film: peek_plan(film) for film in FILMS}
    pictures = expand(
        "results/{film}/barcodes/{kind}{ending}",
        film=[film for film in FILMS if not (plans[film] or {}).get("error")],
        kind=config["barcodes"]["kinds"],
        ending=[".png", *FIGURE_ENDINGS],
    )
    return leave_out_failed(pictures)


def get_tables(wildcards):
    """The tables of all films."""
    return leave_out_failed(["results/films.tsv", "results/skipped.tsv"])


def leave_out_failed(paths):
    """The files; of those of a report only what is there, or there would be none."""
    is_report = any(argument.startswith("--report") for argument in sys.argv)
    if not is_report or "--report-after-run" in sys.argv:
        return paths
    # As a module they lie in a folder of their own.
    return [path for path in paths if (RESULTS.parent / path).exists()]


def weigh_job(job):
    """Seconds that a job, named with its wildcards, works on what is planned."""
    name, *values = job
    if name in ("plan_shards", "find_source"):
        return 0
    if name not in STAGES:
        return needs.ROW_S * sum(map(count_frames, values[:1] or FILMS))
    film, shard = values
    if not (RESULTS / film / "plan.json").exists():
        return 0
    size = get_size(SimpleNamespace(film=film, shard=shard))
    if name == "extract_frames":
        return needs.estimate_extraction_s(size)
    if name == "downsample_frames":
        return needs.estimate_downsampling_s(size)
    return estimate_clustering_s(size)


def expect_films(films):
    """What is to come of films that are not planned yet."""
    return pace.expect_films(
        films,
        mode=config["sampling"]["mode"],
        every=config["sampling"]["every"],
        per_shard=config["shards"]["frames"],
    )


# What a report says beside the configuration.
config["about"] = {
    "version": __version__,
    "failed": failures.read_table(RESULTS / "failed.tsv"),
}

if not IS_MODULE:
    PROGRESS = progress.Progress(
        logger,
        workflow,
        films=FILMS,
        weigh=weigh_job,
        expect=expect_films,
        gpu_wait_min=config["cluster"]["gpu_wait_min"],
    )
    # The terminal sends Ctrl-C to jobs too; those that are just starting would tell of
    # it in Python's way. Reelbow ends them itself.
    shell.prefix("set -euo pipefail; trap '' INT; ")
    if workflow.is_main_process:
        PROGRESS.listen()
