# in:  results/{film}/palettes.sqlite, previews of its shards; databases of all films
# out: results/{film}/explorer.html and a storyboard; results/index.html


rule write_explorer:
    input:
        database="results/{film}/palettes.sqlite",
        previews=get_film_previews,
    output:
        page="results/{film}/explorer.html",
        storyboard=(
            "results/{film}/previews/storyboard.vtt"
            if config["previews"]["height"]
            else []
        ),
    log:
        "logs/write_explorer/{film}.log",
    benchmark:
        "logs/write_explorer/{film}.tsv"
    priority: rank("write_explorer")
    conda:
        "../../envs/render.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("write_explorer"),
        runtime=ask_minutes("write_explorer"),
    params:
        settings=gather(
            showing=get_showing(),
            films_at=config["explorer"]["films_at"],
            # Databases do not say where it lies.
            source=lookup_film("source"),
        ),
        code=get_code("write_explorer"),
    script:
        "../scripts/write_explorer.py"


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
