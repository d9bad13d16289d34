# Reelbow: from films to palettes and movie barcodes.
from snakemake.logging import logger
from snakemake.utils import min_version

min_version("9.27")


configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/demo.smk"
include: "workflow/rules/plan.smk"
include: "workflow/rules/extract.smk"
include: "workflow/rules/downsample.smk"
include: "workflow/rules/cluster.smk"
include: "workflow/rules/merge.smk"
include: "workflow/rules/render.smk"
include: "workflow/rules/profile.smk"


rule all:
    default_target: True
    input:
        "results/palettes.sqlite",
        # Asked for, so that Snakemake makes a deleted one again.
        expand("results/{film}/palettes.sqlite", film=FILMS),
        get_all_shards,
        get_all_barcodes,


# Not called in a dry run, nor in the jobs on a cluster's nodes.
onstart:
    PROGRESS.start()


onsuccess:
    PROGRESS.tell_success(FILMS)


onerror:
    PROGRESS.tell_failure(FILMS)
