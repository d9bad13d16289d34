# in:  a film, or its file that is a shard
# out: results/{film}/sums.npz, defects.sqlite, .csv, .png, defects_worst.png, and
#      results/{film}/repaired/{shard}/, if hot pixels are looked for


rule sum_pixels:
    input:
        source=get_shard_source,
        plan=get_plan_of_shard,
    output:
        # As large as a photo's pixels eight times over.
        sums=temp("results/{film}/sums/{shard}.npz"),
    log:
        "logs/sum_pixels/{film}/{shard}.log",
    benchmark:
        "logs/sum_pixels/{film}/{shard}.tsv"
    priority: rank("sum_pixels")
    conda:
        "../../envs/decode.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("sum_pixels"),
        runtime=ask_minutes("sum_pixels"),
        # No params: what is done without a failure stays, profiled or not.
        go_on=int(config["errors"]["missing_shards"] == "skip"),
        profile=int(config["profile"]),
    params:
        settings=gather(
            max_pixels=config["limits"]["pixels"],
            source_state=get_source_state,
        ),
        code=get_shard_code("sum_pixels"),
    script:
        "../scripts/sum_pixels.py"


rule merge_sums:
    input:
        shards=collect("results/{{film}}/sums/{shard}.npz", shard=get_shards),
    output:
        sums="results/{film}/sums.npz",
    log:
        "logs/merge_sums/{film}.log",
    benchmark:
        "logs/merge_sums/{film}.tsv"
    priority: rank("merge_sums")
    conda:
        "../../envs/decode.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("merge_sums"),
        runtime=ask_minutes("merge_sums"),
        go_on=int(config["errors"]["missing_shards"] == "skip"),
    params:
        # In the order of the film, in which the first of two sensors is chosen.
        settings=gather(shards=get_shards, lost=get_lost),
        code=get_code("merge_sums"),
    script:
        "../scripts/merge_sums.py"


rule find_defects:
    input:
        sums="results/{film}/sums.npz",
    output:
        database="results/{film}/defects.sqlite",
        table="results/{film}/defects.csv",
        map=report(
            "results/{film}/defects.png",
            caption="../report/defects.rst",
            category="{film}",
            labels={"kind": "hot pixels", "picture": "map of the sensor"},
        ),
        worst=report(
            "results/{film}/defects_worst.png",
            caption="../report/defects.rst",
            category="{film}",
            labels={"kind": "hot pixels", "picture": "the worst"},
        ),
    log:
        "logs/find_defects/{film}.log",
    benchmark:
        "logs/find_defects/{film}.tsv"
    priority: rank("find_defects")
    conda:
        "../../envs/render.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("find_defects"),
        runtime=ask_minutes("find_defects"),
    params:
        settings=gather(threshold=config["hot_pixels"]["threshold"]),
        code=get_code("find_defects"),
    script:
        "../scripts/find_defects.py"


rule repair_photos:
    input:
        source=get_shard_source,
        plan=get_plan_of_shard,
        defects="results/{film}/defects.sqlite",
    output:
        copies=directory("results/{film}/repaired/{shard}"),
    log:
        "logs/repair_photos/{film}/{shard}.log",
    benchmark:
        "logs/repair_photos/{film}/{shard}.tsv"
    priority: rank("repair_photos")
    conda:
        "../../envs/decode.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("repair_photos"),
        runtime=ask_minutes("repair_photos"),
        go_on=int(config["errors"]["missing_shards"] == "skip"),
        profile=int(config["profile"]),
    params:
        settings=gather(
            max_pixels=config["limits"]["pixels"],
            source_state=get_source_state,
        ),
        code=get_shard_code("repair_photos"),
    script:
        "../scripts/repair_photos.py"
