# in:  a video and its plan
# out: results/{film}/frames/{shard}.tar


rule extract_frames:
    input:
        video=get_source,
        plan="results/{film}/plan.json",
    output:
        frames=keep_if(config["extract"]["keep"], "results/{film}/frames/{shard}.tar"),
    log:
        "logs/extract_frames/{film}/{shard}.log",
    benchmark:
        "logs/extract_frames/{film}/{shard}.tsv"
    priority: rank("extract_frames")
    group:
        "shard"
    conda:
        "../../envs/decode.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("extract_frames"),
        runtime=ask_minutes("extract_frames"),
        gpu=get_group_gpu,
        disk_mb=ask_room("extract_frames", keep=config["extract"]["keep"]),
        # No param: what is done without a failure stays.
        go_on=int(config["errors"]["missing_shards"] == "skip"),
        # No param: switched on or off, it must not run finished shards again.
        profile=int(config["profile"]),
    params:
        settings=gather(
            height=config["extract"]["height"],
            quality=config["extract"]["quality"],
            strip_rows=config["downsample"]["height"],
            mean_space=config["mean"]["space"],
            stream=lookup_film("stream"),
            max_pixels=config["limits"]["pixels"],
        ),
        code=get_code("extract_frames"),
    script:
        "../scripts/extract_frames.py"
