# in:  frames of a shard, extracted here or the user's own tarball
# out: results/{film}/thumbnails/{shard}.npz


rule downsample_frames:
    input:
        tarball=get_tarball,
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
    conda:
        "../../envs/decode.yaml"
    threads: 1
    resources:
        mem_mb=1000,
    params:
        height=config["downsample"]["height"],
        crop=get_crop,
        mean_space=config["mean"]["space"],
        exact_mean=config["mean"]["exact"],
        max_pixels=config["limits"]["pixels"],
        missing_frames=config["errors"]["missing_frames"],
        code=get_code("downsample_frames"),
    script:
        "../scripts/downsample_frames.py"
