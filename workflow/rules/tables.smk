# in:  results/{film}/palettes.sqlite; results/palettes.sqlite
# out: results/{film}/tables/, results/tables/


rule export_tables:
    input:
        database="results/{film}/palettes.sqlite",
    output:
        tables=expand(
            "results/{{film}}/tables/{name}.{suffix}",
            name=["frames", "palettes", *SHOT_TABLES],
            suffix=config["tables"]["formats"],
        ),
        about="results/{film}/tables/film.json",
        swatches=expand(
            "results/{{film}}/tables/film.{suffix}",
            suffix=SWATCHES,
        ),
        shots=expand(
            "results/{{film}}/tables/shots.{suffix}",
            suffix=SHOT_SUFFIXES,
        ),
    log:
        "logs/export_tables/{film}.log",
    benchmark:
        "logs/export_tables/{film}.tsv"
    priority: rank("export_tables")
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("export_tables"),
        runtime=ask_minutes("export_tables"),
    params:
        settings=gather(formats=config["tables"]["formats"], shots=FINDS_SHOTS),
        code=get_code("export_tables"),
    script:
        "../scripts/export_tables.py"


rule export_films:
    input:
        database="results/palettes.sqlite",
    output:
        tables=expand(
            "results/tables/films.{suffix}",
            # Of no format at all there is a rule, too, which nobody asks for.
            suffix=config["tables"]["formats"] or ["none"],
        ),
    log:
        "logs/export_films.log",
    benchmark:
        "logs/export_films.tsv"
    conda:
        "../../envs/tables.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("export_films"),
        runtime=ask_minutes("export_films"),
    params:
        settings=gather(formats=config["tables"]["formats"]),
        code=get_code("export_films"),
    script:
        "../scripts/export_films.py"
