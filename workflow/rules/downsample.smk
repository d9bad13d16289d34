# in:  frames of a shard, extracted here or in the user's own file
# out: results/{film}/thumbnails/{shard}.npz


rule downsample_frames:
    input:
        frames=branch(
            is_extracted,
            then="results/{film}/frames/{shard}.tar",
            otherwise=get_own_file,
        ),
        # Older than the frames or not: a new plan that matters comes through them.
        plan=ancient("results/{film}/plan.json"),
    output:
        thumbnails=keep_if(
            config["downsample"]["keep"], "results/{film}/thumbnails/{shard}.npz"
        ),
    log:
        "logs/downsample_frames/{film}/{shard}.log",
    benchmark:
        "logs/downsample_frames/{film}/{shard}.tsv"
    priority: rank("downsample_frames")
    group:
        "shard"
    conda:
        "../../envs/decode.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("downsample_frames"),
        runtime=ask_minutes("downsample_frames"),
        gpu=get_group_gpu,
        disk_mb=ask_room("downsample_frames", keep=config["downsample"]["keep"]),
        used_up=are_frames_used_up,
        # No param: what is done without a failure stays.
        go_on=int(config["errors"]["missing_shards"] == "skip"),
        # No param: switched on or off, it must not run finished shards again.
        profile=int(config["profile"]),
    params:
        settings=gather(shaping=get_shaping, source_state=get_source_state),
        code=get_code("downsample_frames"),
    script:
        "../scripts/downsample_frames.py"
