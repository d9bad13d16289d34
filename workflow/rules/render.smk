# in:  results/{film}/palettes.sqlite; of contact sheets also the previews
# out: results/{film}/barcodes/{kind}.png, or .tif of wide ones, and its figures, measures.png, shots.png
#      results/{film}/sketches/average.png


rule render_barcodes:
    input:
        database="results/{film}/palettes.sqlite",
    output:
        name_pictures(LINE_KINDS),
        # Of no kind at all there is a rule, too, which nobody asks for.
        name_figures_alone() or name_pictures([] if LINE_KINDS else ["none"]),
    log:
        "logs/render_barcodes/{film}.log",
    benchmark:
        "logs/render_barcodes/{film}.tsv"
    priority: rank("render_barcodes")
    conda:
        "../../envs/render.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("render_barcodes"),
        runtime=ask_minutes("render_barcodes"),
        # No param: it changes no picture.
        go_on=int(config["errors"]["missing_shards"] == "skip"),
    params:
        # The same for one kind and for all: whichever drew a picture, it stays.
        drawing=get_drawing(),
        code=get_code("render_barcodes", "kmeans.engine_numba"),
    script:
        "../scripts/render_barcodes.py"


# For who asks for pictures by their names.
use rule render_barcodes as render_barcode with:
    output:
        name_pictures(["{kind}"]),
    log:
        "logs/render_barcode/{film}/{kind}.log",
    benchmark:
        "logs/render_barcode/{film}/{kind}.tsv"
    priority: rank("render_barcode")
    resources:
        mem_mb=ask_mb("render_barcode"),
        runtime=ask_minutes("render_barcode"),
        go_on=int(config["errors"]["missing_shards"] == "skip"),


ruleorder: render_barcodes > render_barcode


# Alone, since barcodes need no previews.
rule render_contact:
    input:
        database="results/{film}/palettes.sqlite",
        previews=get_film_previews,
    output:
        name_pictures(["contact"]),
    log:
        "logs/render_contact/{film}.log",
    benchmark:
        "logs/render_contact/{film}.tsv"
    priority: rank("render_contact")
    conda:
        "../../envs/render.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("render_contact"),
        runtime=ask_minutes("render_contact"),
    params:
        drawing=get_contact_drawing(),
        code=get_code("render_contact"),
    script:
        "../scripts/render_contact.py"


# From the database alone, of what its jobs have added up.
rule render_averages:
    input:
        database="results/{film}/palettes.sqlite",
    output:
        picture=report(
            "results/{film}/sketches/average.png",
            caption="../report/average.rst",
            category="{film}",
            labels={"kind": "average", "picture": "figure, PNG"},
        ),
    log:
        "logs/render_averages/{film}.log",
    benchmark:
        "logs/render_averages/{film}.tsv"
    priority: rank("render_averages")
    conda:
        "../../envs/render.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("render_averages"),
        runtime=ask_minutes("render_averages"),
    params:
        code=get_code("render_averages"),
    script:
        "../scripts/render_averages.py"
