# in:  thumbnails of a shard; or at full size what its pictures are in
# out: results/{film}/palettes/{shard}.sqlite; at full size its previews too


rule cluster_shard:
    input:
        frames=branch(
            config["downsample"]["height"] is not None,
            then="results/{film}/thumbnails/{shard}.npz",
            # At full size.
            otherwise=get_shard_source,
        ),
        plan=branch(
            config["downsample"]["height"] is not None,
            # Older than the thumbnails or not: a new one that matters comes through them.
            then=ancient("results/{film}/plan.json"),
            otherwise=get_plan_of_shard,
        ),
    output:
        palettes="results/{film}/palettes/{shard}.sqlite",
        previews=name_previews("cluster_shard"),
    log:
        "logs/cluster_shard/{film}/{shard}.log",
    benchmark:
        "logs/cluster_shard/{film}/{shard}.tsv"
    priority: rank("cluster_shard")
    group:
        "shard"
    conda:
        get_clustering_env
    threads: 1
    resources:
        mem_mb=ask_mb("cluster_shard"),
        runtime=ask_minutes("cluster_shard"),
        gpu=get_gpu,
        # Tells the job that it was to have one; no request to a cluster.
        gpu_tag=get_gpu_tag,
        # No param either: which shards run on a GPU may change, finished ones stay.
        gpu_engine=config["cluster"]["gpu_engine"],
        # Snakemake would look at its input, which may be a link of a lost node.
        disk_mb=100,
        used_up=are_thumbnails_used_up,
        # No param: what is done without a failure stays.
        go_on=int(config["errors"]["missing_shards"] == "skip"),
        # No param: switched on or off, it must not run finished shards again.
        profile=int(config["profile"]),
    params:
        settings=gather(
            source=lookup_film("source"),
            n_colors=config["cluster"]["n_colors"],
            auto_colors=config["cluster"]["auto_colors"] if CHOOSES_N_COLORS else [],
            n_accents=config["cluster"]["accents"],
            color_space=config["cluster"]["color_space"],
            n_init=config["cluster"]["n_init"],
            seed=config["cluster"]["seed"],
            engine=config["cluster"]["cpu_engine"],
            metadata=get_metadata,
            # Runs again what others made; stored are those of the job's own process.
            versions=describe_versions(),
            shaping=get_shaping(config["downsample"]["height"]),
            previews=get_previewing("cluster_shard"),
            source_state=get_source_state,
        ),
        code=get_clustering_code,
    script:
        "../scripts/cluster_shard.py"
