# in:  a film, or its file that is a shard
# out: results/{film}/thumbnails/{shard}.npz, results/{film}/previews/{shard}.jpg


rule downsample_frames:
    input:
        source=get_shard_source,
        plan=get_plan_of_shard,
    output:
        thumbnails=keep_if(
            config["downsample"]["keep"], "results/{film}/thumbnails/{shard}.npz"
        ),
        previews=name_previews("downsample_frames"),
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
        # No param: what is done without a failure stays.
        go_on=int(config["errors"]["missing_shards"] == "skip"),
        # No param: switched on or off, it must not run finished shards again.
        profile=int(config["profile"]),
    params:
        settings=gather(
            shaping=get_shaping(config["downsample"]["height"]),
            previews=get_previewing("downsample_frames"),
            source_state=get_source_state,
        ),
        code=get_shard_code("downsample_frames"),
    script:
        "../scripts/downsample_frames.py"
