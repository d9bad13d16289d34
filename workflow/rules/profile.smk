# in:  logs/ of the last run
# out: results/profile.tsv, results/profile.png
import time


# What jobs leave in logs/ is no input here: Snakemake would run them for it.
rule profile_run:
    output:
        table="results/profile.tsv",
        figure="results/profile.png",
    log:
        "logs/profile_run.log",
    benchmark:
        "logs/profile_run.tsv"
    # Prints the table, so it belongs beside the user.
    localrule: True
    conda:
        "../../envs/render.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("profile_run"),
        runtime=ask_minutes("profile_run"),
    params:
        settings=gather(
            films=list(FILMS),
            kinds=LINE_KINDS,
            # Never the same, so that it runs whenever it is asked for.
            asked_at_s=time.time(),
        ),
        code=get_code("profile_run"),
    script:
        "../scripts/profile_run.py"
