# in:  a film, or its file that is a shard
# out: results/{film}/cuts/{shard}.npz, of which merge_film finds the shots


rule score_cuts:
    input:
        source=get_shard_source,
        plan=get_plan_of_shard,
    output:
        scores="results/{film}/cuts/{shard}.npz",
    log:
        "logs/score_cuts/{film}/{shard}.log",
    benchmark:
        "logs/score_cuts/{film}/{shard}.tsv"
    priority: rank("score_cuts")
    conda:
        "../../envs/decode.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("score_cuts"),
        runtime=ask_minutes("score_cuts"),
        # No param: what is done without a failure stays.
        go_on=int(config["errors"]["missing_shards"] == "skip"),
        # No param: switched on or off, it must not run finished shards again.
        profile=int(config["profile"]),
    params:
        settings=gather(
            # Two detectors have one: changed to the other, only the film is merged anew.
            metric="hash" if config["shots"]["detector"] == "hash" else "content",
            max_pixels=config["limits"]["pixels"],
            source_state=get_source_state,
        ),
        code=get_shard_code("score_cuts"),
    script:
        "../scripts/score_cuts.py"
