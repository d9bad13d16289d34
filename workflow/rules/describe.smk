# in:  results/palettes.sqlite, and all that is made of the films
# out: results/methods.md, CITATION.bib and ro-crate-metadata.json; a README of each film


rule write_provenance:
    input:
        database="results/palettes.sqlite",
        # Described as they lie there.
        others=get_described,
    output:
        methods="results/methods.md",
        bibliography="results/CITATION.bib",
        crate="results/ro-crate-metadata.json",
        readmes=collect("results/{film}/README.md", film=FILMS),
    log:
        "logs/write_provenance.log",
    benchmark:
        "logs/write_provenance.tsv"
    # Less work than its way through a cluster's queue.
    localrule: True
    conda:
        "../../envs/describe.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("write_provenance"),
        runtime=ask_minutes("write_provenance"),
    params:
        settings=gather(films=list(FILMS), compared=COMPARED),
        code=get_code("write_provenance"),
    script:
        "../scripts/write_provenance.py"
