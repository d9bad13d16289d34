# in:  results/{film}/palettes.sqlite of two films; results/palettes.sqlite
# out: results/comparisons/{film}--{film}.json and .png; matrix.json, .csv, .png, map.png


rule compare_films:
    input:
        first=get_compared(0),
        second=get_compared(1),
    output:
        comparison="results/comparisons/{pair}.json",
        figure=report(
            "results/comparisons/{pair}.png",
            caption="../report/comparison.rst",
            category="Comparisons",
            labels={"films": "{pair}"},
        ),
    log:
        "logs/compare_films/{pair}.log",
    benchmark:
        "logs/compare_films/{pair}.tsv"
    wildcard_constraints:
        pair="[^/]+--[^/]+",
    conda:
        "../../envs/compare.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("compare_films"),
        runtime=ask_minutes("compare_films"),
    params:
        code=get_code("compare_films"),
    script:
        "../scripts/compare_films.py"


# One job for all pairs: of 40 films there are 780, and each takes less than a job's start.
rule compare_all:
    input:
        database="results/palettes.sqlite",
    output:
        comparison="results/comparisons/matrix.json",
        table="results/comparisons/matrix.csv",
        matrix=report(
            "results/comparisons/matrix.png",
            caption="../report/matrix.rst",
            category="Comparisons",
            labels={"films": "all, as a matrix"},
        ),
        map_of_films=report(
            "results/comparisons/map.png",
            caption="../report/map.rst",
            category="Comparisons",
            labels={"films": "all, as a map"},
        ),
    log:
        "logs/compare_all.log",
    benchmark:
        "logs/compare_all.tsv"
    conda:
        "../../envs/compare.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("compare_all"),
        runtime=get_comparing_minutes,
    params:
        settings=gather(films=list(FILMS)),
        code=get_code("compare_all"),
    script:
        "../scripts/compare_all.py"
