# in:  results/{film}/palettes.sqlite of all films
# out: results/index.html


rule write_index:
    input:
        films=collect("results/{film}/palettes.sqlite", film=FILMS),
    output:
        # What is said of unchanged films stays; readers always find one.
        page=update("results/index.html"),
    log:
        "logs/write_index.log",
    benchmark:
        "logs/write_index.tsv"
    conda:
        "../../envs/render.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("write_index"),
        runtime=ask_minutes("write_index"),
    params:
        settings=gather(
            films=list(FILMS),
            others=OTHERS,
            faults=UNREADABLE,
            drawing=get_wall_drawing(),
        ),
        code=get_code("write_index", "kmeans.engine_numba"),
    script:
        "../scripts/write_index.py"
