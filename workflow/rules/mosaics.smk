# in:  previews of shards, results/{film}/palettes.sqlite, a target for each mosaic
# out: results/{film}/tiles/{shard}.npz; results/mosaics/{mosaic}.sqlite, .png, .html


rule make_tiles:
    input:
        previews="results/{film}/previews/{shard}.jpg",
    output:
        tiles="results/{film}/tiles/{shard}.npz",
    log:
        "logs/make_tiles/{film}/{shard}.log",
    benchmark:
        "logs/make_tiles/{film}/{shard}.tsv"
    priority: rank("make_tiles")
    conda:
        "../../envs/render.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("make_tiles"),
        runtime=ask_minutes("make_tiles"),
    params:
        settings=gather(aspect=config["tiles"]["aspect"]),
        code=get_code("make_tiles"),
    script:
        "../scripts/make_tiles.py"


rule assign_tiles:
    input:
        target=get_target,
        tiles=get_tiles,
        databases=get_tiled_films,
    output:
        mosaic="results/mosaics/{mosaic}.sqlite",
    log:
        "logs/assign_tiles/{mosaic}.log",
    benchmark:
        "logs/assign_tiles/{mosaic}.tsv"
    conda:
        "../../envs/render.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("assign_tiles"),
        runtime=ask_minutes("assign_tiles"),
    params:
        settings=get_assigning,
        code=get_code("assign_tiles"),
    script:
        "../scripts/assign_tiles.py"


rule render_mosaic:
    input:
        target=get_target,
        mosaic="results/mosaics/{mosaic}.sqlite",
        previews=get_tiled_previews,
    output:
        # In no report, which would be as large.
        picture="results/mosaics/{mosaic}.png",
        maps=report(
            "results/mosaics/{mosaic}_maps.png",
            caption="../report/mosaic.rst",
            category="Mosaics",
            labels={"mosaic": "{mosaic}"},
        ),
        page="results/mosaics/{mosaic}.html" if config["explorer"]["page"] else [],
    log:
        "logs/render_mosaic/{mosaic}.log",
    benchmark:
        "logs/render_mosaic/{mosaic}.tsv"
    conda:
        "../../envs/render.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("render_mosaic"),
        runtime=ask_minutes("render_mosaic"),
    params:
        settings=get_mosaic_drawing,
        code=get_code("render_mosaic"),
    script:
        "../scripts/render_mosaic.py"
