# in:  results/{film}/palettes.sqlite
# out: results/{film}/barcodes/{kind}.png and its figures


rule render_barcode:
    input:
        database="results/{film}/palettes.sqlite",
    output:
        barcode=report(
            "results/{film}/barcodes/{kind}.png",
            caption="../report/barcode.rst",
            category="{film}",
            labels={"kind": "{kind}", "picture": "bare"},
        ),
        figures=[
            report(
                f"results/{{film}}/barcodes/{{kind}}{ending}",
                caption="../report/figure.rst",
                category="{film}",
                labels={"kind": "{kind}", "picture": f"figure, {ending[-3:].upper()}"},
            )
            for ending in FIGURE_ENDINGS
        ],
    log:
        "logs/render_barcode/{film}/{kind}.log",
    benchmark:
        "logs/render_barcode/{film}/{kind}.tsv"
    priority: rank("render_barcode")
    conda:
        "../../envs/render.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("render_barcode"),
        runtime=ask_minutes("render_barcode"),
        # No param: it changes no picture.
        go_on=int(config["errors"]["missing_shards"] == "skip"),
    params:
        drawing=get_drawing,
        code=get_code("render_barcode", "kmeans.engine_numba"),
    script:
        "../scripts/render_barcode.py"
