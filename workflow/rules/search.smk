# in:  results/palettes.sqlite
# out: results/colors.sqlite


rule index_colors:
    input:
        database="results/palettes.sqlite",
    output:
        # Films are appended to it, and readers always find one (see kept_output).
        index=update("results/colors.sqlite"),
    log:
        "logs/index_colors.log",
    benchmark:
        "logs/index_colors.tsv"
    conda:
        "../../envs/cluster_cpu.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("index_colors"),
        runtime=ask_minutes("index_colors"),
    params:
        code=get_code("index_colors"),
    script:
        "../scripts/index_colors.py"
