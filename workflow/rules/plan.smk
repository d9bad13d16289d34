# in:  a film
# out: results/{film}/plan.json


checkpoint plan_shards:
    input:
        video=get_video,
    output:
        plan="results/{film}/plan.json",
    log:
        "logs/plan_shards/{film}.log",
    benchmark:
        "logs/plan_shards/{film}.tsv"
    # Before all else: Snakemake removes no temporary file while a checkpoint is open.
    priority: 10
    conda:
        "../../envs/decode.yaml"
    threads: 1
    resources:
        mem_mb=ask_more(2000),
        runtime=get_planning_minutes,
    params:
        tarballs=get_tarballs,
        fault=lookup_film("fault"),
        start_s=lookup_film("start_s"),
        end_s=lookup_film("end_s"),
        mode=config["sampling"]["mode"],
        every=config["sampling"]["every"],
        per_shard=config["shards"]["frames"],
        crop=get_wanted_crop,
        stream=lookup_film("stream"),
        max_pixels=config["limits"]["pixels"],
        code=get_code("plan_shards"),
    script:
        "../scripts/plan_shards.py"
