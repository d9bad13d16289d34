# What jobs ask for: memory, minutes, room on a node, GPUs, and their order.


RULES_OF_A_FILM = [
    "plan_shards",
    *STAGES,
    "merge_film",
    "render_barcode",
]

PLACES = {film: place for place, film in enumerate(FILMS)}


def rank(rule):
    """A priority: film by film, and within a film what is nearest to its end."""
    place_in_film = RULES_OF_A_FILM.index(rule)

    def get_rank(wildcards):
        n_later = len(PLACES) - PLACES[wildcards.film]
        return n_later * len(RULES_OF_A_FILM) + place_in_film

    return get_rank


def are_frames_used_up(wildcards):
    """Whether a shard's tarball is to go when it is read: 0 or 1."""
    return int(is_local() and is_extracted(wildcards) and not config["extract"]["keep"])


def are_clustered_used_up(wildcards):
    """Whether what is clustered is to go then: 0 or 1."""
    if config["downsample"]["height"] is None:
        return are_frames_used_up(wildcards)
    return int(is_local() and not config["downsample"]["keep"])


def is_local():
    """Whether jobs run here; what runs one on a node looks for its files afterwards."""
    return workflow.is_main_process and workflow.local_exec


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


def get_clustering_env(wildcards):
    """Where a shard runs with conda, in all its attempts: for GPUs there is more in it."""
    kind = "cpu"
    if get_gpu_tag(wildcards):
        kind = {"cupy": "gpu", "cuml": "cuml"}[config["cluster"]["gpu_engine"]]
    return f"../../envs/cluster_{kind}.yaml"


def get_planning_minutes(wildcards, attempt):
    """Minutes for reading the film once, or the tarballs that are looked into."""
    files = get_film(wildcards).files[: needs.TARBALLS_LOOKED_INTO]
    return needs.ask_minutes(count_bytes(files) / needs.READ_BYTES_S, attempt)


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
    if planned["n_frames"] is not None:
        return planned["n_frames"]
    return needs.estimate_frames(planned, count_bytes(FILMS[film].files))


def ask_more(least):
    """A resources function: as much more with each attempt, MB or minutes."""
    return lambda wildcards, attempt: attempt * least
