# in:  a film
# out: results/{film}/plan.json; nothing of one that was there and cannot be read any more


checkpoint plan_shards:
    input:
        source=get_source,
    output:
        # There until it is replaced: a node, too, looks into it (see find_state).
        plan=update("results/{film}/plan.json"),
    log:
        "logs/plan_shards/{film}.log",
    benchmark:
        "logs/plan_shards/{film}.tsv"
    priority: rank("plan_shards")
    conda:
        "../../envs/decode.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("plan_shards"),
        runtime=get_planning_minutes,
        # No param: what is done without a failure stays.
        go_on=int(config["errors"]["missing_shards"] == "skip"),
    params:
        settings=get_plan_settings,
        code=get_code("plan_shards", *(f"sources.{kind}" for kind in KINDS)),
    script:
        "../scripts/plan_shards.py"


rule find_source:
    output:
        source="results/{film}/source",
    log:
        "logs/find_source/{film}.log",
    benchmark:
        "logs/find_source/{film}.tsv"
    wildcard_constraints:
        film="|".join(map(re.escape, UNREADABLE)) or "none",
    localrule: True
    conda:
        "../../envs/decode.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("find_source"),
        runtime=ask_minutes("find_source"),
    params:
        settings=gather(fault=get_fault),
        code=get_code("find_source"),
    script:
        "../scripts/find_source.py"
