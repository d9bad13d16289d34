# What results depend on: the settings of each rule, digests of code and of sources.
import functools
import json
import sqlite3

from reelbow.database.reading import find_lost as find_lost_shards
from reelbow.machine.versions import describe_versions
from reelbow.runs.code import digest_code
from reelbow.runs.config import count_most_colors
from reelbow.runs.source_states import digest_seen
from reelbow.shards.kinds import KINDS

# What decides a film's palettes, of whatever kind, as it stands in their databases.
GROUPS = ["crop", "downsample", "mean", "cluster"]
# Of a frame, and so the columns of the view `images`.
MOST_COLORS = count_most_colors(config["cluster"]) + config["cluster"]["accents"]
WITHOUT_RESULT = {"keep", "gpu_engine", "gpu_share", "gpu_wait_min"}
CHOOSES_N_COLORS = config["cluster"]["n_colors"] == "auto"
if not CHOOSES_N_COLORS:
    WITHOUT_RESULT.add("auto_colors")


def get_source_state(wildcards):
    """What becomes another one with other content of the film's file, or the shard's.

    What comes in the place of a film's only file makes another plan, and by it all
    shards. Of many each may change the plan, and only its own shard.
    """
    film, shard = get_film(wildcards), wildcards.get("shard")
    seen = STATES_OF_FILMS.get(wildcards.film, {})
    files, origin = film.files, ""
    if film.kind.files_are_shards:
        place = place_shards(wildcards.film).get(shard)
        files = [] if place is None else [film.files[place]]
    elif film.kind.takes_many and shard is None:
        return digest_seen(seen.values())
    elif film.kind.takes_many:
        plan = get_plan(wildcards)
        files = list_files(plan, plan["shards"][shard])
        # From when on times are counted, which another shard may change.
        origin = plan.get("origin") or ""
    states = {seen[str(file)].state for file in files if str(file) in seen}
    return " ".join([*sorted(states - {""}), origin]).strip()


def gather(**settings):
    """A params function: a rule's settings as one dict; functions are asked.

    Snakemake compares the values of params without their names: two params that swap
    their values would run nothing again.
    """
    return lambda wildcards: {
        name: value(wildcards) if callable(value) else value
        for name, value in settings.items()
    }


def get_plan_settings(wildcards):
    """What a film's plan depends on: much of it only for some kinds of sources."""
    film = get_film(wildcards)

    def find(path):
        group, _, key = path.rpartition(".")
        if not group:
            return getattr(film, key) or config[key]
        return getattr(film, key) if group == "film" else config[group][key]

    return {
        "kind": film.kind.name,
        "files": [
            str(file)
            for file in film.files
            if film.kind.takes_many and not is_url(film.source)
        ],
        "crop": film.crop or config["crop"]["letterbox"],
        "max_pixels": config["limits"]["pixels"],
        "fault": film.fault,
        "state": find_state(wildcards.film),
        "source_state": get_source_state(wildcards),
        **get_urls(film),
        **{name: find(path) for name, path in film.kind.settings.items()},
    }


def get_urls(film):
    """The addresses of a film in a store, and which of its files are fetched to plan."""
    if not film.files or not is_url(film.source):
        return {}
    return {"urls": list(map(str, film.files)), "fetched": list_fetched(film)}


def find_state(film):
    """What makes a film without a picture worth another plan; of others it stays.

    That is another wish about errors, or a newer file that is no input of the plan.
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
        file.stat().st_mtime_ns
        for file in FILMS[film].files
        if FILMS[film].kind.takes_many and file.exists()
    ]
    return f"{max(times_ns, default=0)}{' salvaged' if go_on else ''}"


def get_shaping(height):
    """A params function: what becomes of a shard's pictures, made of so many rows."""
    return lambda wildcards: {
        "height": height,
        "crop": get_plan(wildcards)["crop"],
        "mean_space": config["mean"]["space"],
        "exact_mean": config["mean"]["exact"],
        "max_pixels": config["limits"]["pixels"],
        "missing_frames": config["errors"]["missing_frames"],
    }


def get_previewing(rule):
    """How previews are made, or None where a rule makes none."""
    return dict(config["previews"]) if makes_previews(rule) else None


def get_metadata(wildcards):
    """What made a shard: settings and the digest of the code."""
    return describe_shards(get_film(wildcards).kind)


@functools.cache
def describe_shards(kind):
    """What makes the shards of all films of a kind; the same for thousands."""
    return {
        "settings": describe_groups(*kind.groups),
        "digest": f"{digest_reading('downsample_frames', kind)} {CLUSTERING_CODE}",
    }


def describe_groups(*groups):
    """The settings that decide palettes, as text: of every kind, and of these groups."""
    settings = {
        f"{group}.{key}": value
        for group in [*GROUPS, *groups]
        for key, value in config[group].items()
        if key not in WITHOUT_RESULT
    }
    return json.dumps(settings, sort_keys=True)


def get_code(script, *by_name):
    """Digest of the library code that a script runs: when it changes, so may results."""
    return digest_code(SCRIPTS / f"{script}.py", *by_name)


def get_shard_code(script):
    """A params function: digest of the code that reads a shard of the film's kind."""
    return lambda wildcards: digest_reading(script, get_film(wildcards).kind)


CLUSTERING_CODE = get_code(
    "cluster_shard", f"kmeans.engine_{config['cluster']['cpu_engine']}"
)


@functools.cache
def digest_reading(script, kind):
    """Digest of what a script runs for films of a kind; the same for thousands."""
    return get_code(script, f"shards.{kind.name}")


def get_clustering_code(wildcards):
    """Digest of the code of cluster_shard, which at full size reads pictures too."""
    if config["downsample"]["height"] is not None:
        return CLUSTERING_CODE
    reading = digest_reading("downsample_frames", get_film(wildcards).kind)
    return f"{CLUSTERING_CODE} {reading}"


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
        return sorted(find_lost_shards(path)) if path.exists() else []
    except (ReelbowError, sqlite3.Error):
        # Snakemake finds out itself whether it has to be made again.
        return []


def get_corpus_settings():
    """What all films of the results folder have in common, or a part of it."""
    return describe_groups(*{group for kind in KINDS.values() for group in kind.groups})


def get_film_palette():
    """How the palette of a whole film is found: as those of its frames."""
    about = config["cluster"]
    keys = ["n_init", "seed", "color_space"]
    return {
        "n_colors": count_most_colors(about),
        **{key: about[key] for key in keys},
    }


def get_shot_finding():
    """How shots are found, or None: they are not looked for."""
    return dict(config["shots"]) if FINDS_SHOTS else None


def get_drawing():
    """How barcodes are drawn, in one entry: Snakemake compares params without names."""
    keys = ["height", "width", "skip_black", "gap_color"]
    if {"stacked", "equal"} & {*config["barcodes"]["kinds"]} or FIGURES_ALONE:
        keys.append("order")
    if "sorted" in config["barcodes"]["kinds"]:
        keys.append("sort_by")
    drawing = {key: config["barcodes"][key] for key in keys}
    if config["barcodes"]["shape"] != "line":
        keys = {"name": "shape", "side": "side", "background": "background"}
        drawing["shape"] = {key: config["barcodes"][of] for key, of in keys.items()}
    if config["barcodes"]["smooth"]:
        drawing["smooth"] = config["barcodes"]["smooth"]
    return {**drawing, "measures": config["measures"], "shots": FINDS_SHOTS}


def get_contact_drawing():
    """How contact sheets are drawn, in one entry: see get_drawing."""
    about = config["barcodes"]
    keys = ["skip_black", "gap_color"]
    return {
        "width": None if is_wide(about) else about["width"],
        **{key: about[key] for key in keys},
    }


def get_poster_drawing():
    """How posters are drawn, in one entry: Snakemake compares params without names."""
    keys = ["order", "skip_black", "gap_color"]
    if "sorted" in {poster["kind"] for poster in config["posters"].values()}:
        keys.append("sort_by")
    about = {key: config["barcodes"][key] for key in keys}
    return {**about, "posters": config["posters"]}


def get_assigning(wildcards):
    """How the tiles of a mosaic are chosen."""
    about = config["mosaics"][wildcards.mosaic]
    keys = ["columns", "apart", "max_use", "mirror", "details", "seed"]
    return {
        "aspect": config["tiles"]["aspect"],
        "max_pixels": config["limits"]["pixels"],
        **{key: about[key] for key in keys},
    }


def get_mosaic_drawing(wildcards):
    """How a mosaic is drawn of its tiles."""
    about = config["mosaics"][wildcards.mosaic]
    return {
        "aspect": config["tiles"]["aspect"],
        "max_pixels": config["limits"]["pixels"],
        **{key: about[key] for key in ("width", "tint")},
    }


def get_shown_kind():
    """The kind of barcode that pages show first: stacked, if that is drawn."""
    # Pages go through a film in its time.
    kinds = [kind for kind in LINE_KINDS if kind != "sorted"]
    return kinds[0] if kinds and "stacked" not in kinds else "stacked"


def get_wall_drawing():
    """How the barcodes on the page of all films are drawn."""
    kind, about = get_shown_kind(), config["barcodes"]
    # Without the order of bands: another one only draws pictures again.
    return {"kind": kind, **{key: about[key] for key in ("skip_black", "gap_color")}}


def get_showing():
    """What a film's page begins with."""
    return {"kind": get_shown_kind(), "gap_color": config["barcodes"]["gap_color"]}
