# in:  nothing
# out: the demo film


rule make_demo_film:
    output:
        film=str(DEMO_FILM),
    log:
        "logs/make_demo_film.log",
    benchmark:
        "logs/make_demo_film.tsv"
    conda:
        "../../envs/decode.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("make_demo_film"),
        runtime=ask_minutes("make_demo_film"),
    params:
        code=get_code("make_demo_film"),
    script:
        "../scripts/make_demo_film.py"
