# What jobs ask for: memory, minutes, room on a node, GPUs, and their order.
from reelbow.runs import resources as needs

PLACES = {film: place for place, film in enumerate(FILMS)}


def rank(rule):
    """A priority: film by film, and within a film what is nearest to its end."""
    rules = list(needs.NEEDS)
    return lambda wildcards: (
        (len(PLACES) - PLACES[wildcards.film]) * len(rules) + rules.index(rule)
    )


def are_thumbnails_used_up(wildcards):
    """Whether thumbnails are to go when they are clustered: 0 or 1."""
    # What runs a job on a node looks for its files afterwards.
    is_local = workflow.is_main_process and workflow.local_exec
    about = config["downsample"]
    return int(is_local and about["height"] is not None and not about["keep"])


def get_size(wildcards):
    """What a job works on, as far as plans tell: a shard, or a film's picture.

    Snakemake knows resources that wait for a checkpoint only when it runs jobs, not in
    a dry run. Before a job starts it asks again.
    """
    if hasattr(wildcards, "mosaic"):
        return measure_mosaic(wildcards.mosaic)
    shard = getattr(wildcards, "shard", None)
    if shard is None:
        film = getattr(wildcards, "film", None)
        plan = peek_plan(film) if film else None
        size = needs.measure_barcode(config, (plan or {}).get("n_frames") or 0)
        return size._replace(sensor=needs.measure_sensor(plan))
    plan, path = peek_plan(wildcards.film), RESULTS / wildcards.film / "plan.json"
    if not plan or shard not in plan["shards"]:
        return needs.Size()
    return measure_shard(wildcards.film, shard, path, path.stat().st_mtime_ns)


def measure_picture(mosaic):
    """The megapixels of a mosaic."""
    about, (width, height) = config["mosaics"][mosaic], config["tiles"]["aspect"]
    cell = (about["width"] / about["columns"]) ** 2 * height / width
    return N_CELLS.get(mosaic, 0) * cell / 1e6


def measure_mosaic(mosaic):
    """What a mosaic is made of: the tiles of all films, as far as these are planned."""
    # Imported for who asks for one.
    from reelbow.mosaic.features import count_views

    planned = [(peek_plan(film) or {}).get("n_frames") for film in FILMS]
    n_tiles = sum(n for n in planned if n)
    return needs.Size(
        n_tiles=n_tiles,
        n_views=count_views(config["mosaics"][mosaic]["details"], n_tiles),
        n_cells=N_CELLS.get(mosaic, 0),
        mosaic=measure_picture(mosaic),
    )


@functools.cache
def measure_shard(film, shard, plan, written_ns):
    """What a shard holds, found once and not for each of its resources."""
    planned = load_plan(plan, written_ns)
    tarball = planned["shards"][shard].get("tarball")
    tarball_bytes = count_bytes(film, [tarball] if tarball else [])
    return needs.measure_shard(planned, shard, config, tarball_bytes)


def count_bytes(film, paths):
    """The size of a film's files; one that is gone is for Snakemake to tell."""
    seen = STATES_OF_FILMS.get(film, {})
    stored = [path for path in map(str, paths) if is_url(path)]
    here = [Path(path) for path in paths if not is_url(str(path))]
    return sum(seen[path].size for path in stored if path in seen) + sum(
        path.stat().st_size for path in here if path.exists()
    )


def ask_mb(rule):
    """A resources function: memory, and what the libraries of a GPU take."""

    def get_mb(wildcards, attempt):
        n_gpus = get_gpu(wildcards, attempt) if rule == "cluster_shard" else 0
        mb = needs.estimate_mb(rule, get_size(wildcards))
        return attempt * mb + n_gpus * needs.GPU_MB

    return get_mb


def ask_minutes(rule):
    """A resources function: time."""

    def get_minutes(wildcards, attempt):
        work_s = needs.estimate_s(rule, get_size(wildcards), config)
        work_s += estimate_fetching_s(rule, wildcards)
        return attempt * needs.estimate_minutes(rule, work_s)

    return get_minutes


def estimate_fetching_s(stage, wildcards):
    """Seconds until a job that reads pictures has its copies, if these are in a store."""
    at_full_size = config["downsample"]["height"] is None
    if not needs.reads_source(stage, at_full_size=at_full_size):
        return 0
    film = get_film(wildcards)
    files = film.files if is_url(film.source) else []
    if film.kind.files_are_shards:
        files = files[get_shard_place(wildcards) :][:1]
    return count_bytes(film.film, files) / needs.FETCH_BYTES_S


def get_planning_minutes(wildcards, attempt):
    """Minutes for reading the film once, or the tarballs that are looked into."""
    film = get_film(wildcards)
    files = list_fetched(film) or film.files[: needs.LOOKED_INTO]
    speed = needs.FETCH_BYTES_S if is_url(film.source) else needs.READ_BYTES_S
    read_s = count_bytes(film.film, files) / speed
    if (film.trim or config["trim"]) == "auto" and "trim" in film.kind.settings:
        read_s += needs.TRIM_S
    return attempt * needs.estimate_minutes("plan_shards", read_s)


def get_comparing_minutes(wildcards, attempt):
    """Minutes for the palettes of all films, each with each."""
    work_s = needs.estimate_pairs_s(len(FILMS))
    return attempt * needs.estimate_minutes("compare_all", work_s)


def ask_room(rule, keep):
    """A resources function: MB on a node for what a job of a shard leaves the next one.

    0: it is kept, on the shared disk.
    """
    return lambda wildcards, attempt: (
        0 if keep else attempt * needs.estimate_files_mb(rule, get_size(wildcards))
    )


def get_shard_place(wildcards):
    """A shard's place in its film, from 0, known before there is a plan."""
    if get_film(wildcards).kind.files_are_shards:
        return place_shards(wildcards.film).get(wildcards.shard, 0)
    return int(wildcards.shard) if wildcards.shard.isdecimal() else 0


@functools.cache
def place_shards(film):
    """The places of a film's files that are shards, by the names of these."""
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


def get_audit_gpu_tag(wildcards):
    """GPUs for a shard that is made anew: what a CPU made, where there are GPUs."""
    share = get_film(wildcards).gpu
    has_gpus = (config["cluster"]["gpu_share"] if share is None else share) > 0
    return int(has_gpus and not get_gpu_tag(wildcards))


def get_audit_gpu(wildcards, attempt):
    """GPUs that it asks for: in its first attempt only."""
    return get_audit_gpu_tag(wildcards) if attempt == 1 else 0


def get_audit_group_gpu(wildcards, attempt):
    """GPUs for it before it is clustered, as get_group_gpu says."""
    return 0 if workflow.local_exec else get_audit_gpu(wildcards, attempt)


def get_clustering_env(wildcards):
    """Where a shard runs with conda, in all its attempts: for GPUs there is more in it."""
    kind = "cpu"
    if get_gpu_tag(wildcards):
        kind = {"cupy": "gpu", "cuml": "cuml"}[config["cluster"]["gpu_engine"]]
    return f"../../envs/cluster_{kind}.yaml"
