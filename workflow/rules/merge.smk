# in:  results/{film}/palettes/{shard}.sqlite and, for shots, cuts/{shard}.npz of all
#      shards, then of all films
# out: results/{film}/palettes.sqlite, results/palettes.sqlite


rule merge_film:
    input:
        shards=collect("results/{{film}}/palettes/{shard}.sqlite", shard=get_shards),
        plan="results/{film}/plan.json",
        cuts=get_cut_scores,
    output:
        # Replaced in one step: readers always find one (see kept_output).
        palettes=update("results/{film}/palettes.sqlite"),
    log:
        "logs/merge_film/{film}.log",
    benchmark:
        "logs/merge_film/{film}.tsv"
    priority: rank("merge_film")
    conda:
        "../../envs/cluster_cpu.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("merge_film"),
        runtime=ask_minutes("merge_film"),
        # No params: they change no database.
        keep=int(config["downsample"]["keep"]),
        previews=int(config["previews"]["height"] is not None),
        go_on=int(config["errors"]["missing_shards"] == "skip"),
    params:
        settings=gather(
            title=lookup_film("title"),
            source=lookup_film("source"),
            # The sheet's further columns, which Reelbow only hands on.
            own=lookup_film("own"),
            fps=lookup_film("fps"),
            lost=get_lost,
            n_colors=MOST_COLORS,
            palette=get_film_palette(),
            shots=get_shot_finding(),
        ),
        code=get_code("merge_film", "kmeans.engine_numba"),
    script:
        "../scripts/merge_film.py"


rule merge_films:
    input:
        films=collect("results/{film}/palettes.sqlite", film=FILMS),
    output:
        palettes=update("results/palettes.sqlite"),
    log:
        "logs/merge_films.log",
    benchmark:
        "logs/merge_films.tsv"
    conda:
        "../../envs/cluster_cpu.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("merge_films"),
        runtime=ask_minutes("merge_films"),
    params:
        # The films too: Snakemake sees which inputs there are, and not their order.
        settings=gather(
            films=list(FILMS),
            others=OTHERS,
            # Which of the others belong here depends on them.
            settings=get_corpus_settings() if OTHERS else "{}",
            n_colors=MOST_COLORS,
        ),
        code=get_code("merge_films"),
    script:
        "../scripts/merge_films.py"
