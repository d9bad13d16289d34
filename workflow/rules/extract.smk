# in:  a film, or its file that is a shard
# out: results/{film}/frames/{shard}.tar, if frames are to be kept or are asked for


rule extract_frames:
    input:
        source=get_shard_source,
        plan=get_plan_of_shard,
    output:
        frames="results/{film}/frames/{shard}.tar",
    log:
        "logs/extract_frames/{film}/{shard}.log",
    benchmark:
        "logs/extract_frames/{film}/{shard}.tsv"
    priority: rank("extract_frames")
    conda:
        "../../envs/decode.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("extract_frames"),
        runtime=ask_minutes("extract_frames"),
        # No param: what is done without a failure stays.
        go_on=int(config["errors"]["missing_shards"] == "skip"),
        # No param: switched on or off, it must not run finished shards again.
        profile=int(config["profile"]),
    params:
        settings=gather(
            shaping=get_shaping(config["extract"]["height"]),
            quality=config["extract"]["quality"],
            source_state=get_source_state,
        ),
        code=get_shard_code("extract_frames"),
    script:
        "../scripts/extract_frames.py"
