# in:  results/{film}/palettes.sqlite
# out: results/{film}/posters/{name}.png and in other formats


rule render_posters:
    input:
        database="results/{film}/palettes.sqlite",
        fonts=POSTER_FONTS,
    output:
        # Of no poster at all there is a rule, too, which nobody asks for.
        name_posters() or "results/{film}/posters/none",
    log:
        "logs/render_posters/{film}.log",
    benchmark:
        "logs/render_posters/{film}.tsv"
    priority: rank("render_posters")
    conda:
        "../../envs/render.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("render_posters"),
        runtime=ask_minutes("render_posters"),
        # No param: it changes no picture.
        go_on=int(config["errors"]["missing_shards"] == "skip"),
    params:
        drawing=get_poster_drawing(),
        code=get_code("render_posters", "kmeans.engine_numba"),
    script:
        "../scripts/render_posters.py"
