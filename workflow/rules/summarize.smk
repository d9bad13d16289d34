# in:  results/palettes.sqlite
# out: results/films.tsv, results/skipped.tsv


rule summarize_films:
    input:
        database="results/palettes.sqlite",
    output:
        films=report(
            "results/films.tsv",
            caption="../report/films.rst",
            category="Tables",
            labels={"table": "films"},
        ),
        skipped=report(
            "results/skipped.tsv",
            caption="../report/skipped.rst",
            category="Tables",
            labels={"table": "skipped pictures"},
        ),
    log:
        "logs/summarize_films.log",
    benchmark:
        "logs/summarize_films.tsv"
    # Less work than its way through a cluster's queue.
    localrule: True
    conda:
        "../../envs/cluster_cpu.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("summarize_films"),
        runtime=ask_minutes("summarize_films"),
    params:
        code=get_code("summarize_films"),
    script:
        "../scripts/summarize_films.py"
