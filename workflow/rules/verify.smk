# in:  all results and films; for an audit some shards, made anew
# out: results/verified.tsv, results/audit.tsv


# Neither has an output, nor a benchmark: so they run each time.
rule verify:
    log:
        "logs/verify.log",
    conda:
        "../../envs/cluster_cpu.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("verify"),
        runtime=ask_minutes("verify"),
    params:
        settings=gather(
            results=str(RESULTS),
            table=str(RESULTS / "verified.tsv"),
            films=[*FILMS, *UNREADABLE],
        ),
        code=get_code("verify"),
    script:
        "../scripts/verify.py"


# What an audit makes anew lies beside its film until it is compared.
use rule downsample_frames as audit_frames with:
    output:
        thumbnails=temp("results/{film}/audit/{shard}.npz"),
        previews=[],
    log:
        "logs/audit_frames/{film}/{shard}.log",
    benchmark:
        "logs/audit_frames/{film}/{shard}.tsv"
    resources:
        mem_mb=ask_mb("downsample_frames"),
        runtime=ask_minutes("downsample_frames"),
        gpu=get_audit_group_gpu,
        disk_mb=0,
        go_on=int(config["errors"]["missing_shards"] == "skip"),
        profile=0,


use rule cluster_shard as audit_palettes with:
    input:
        frames=branch(
            config["downsample"]["height"] is not None,
            then="results/{film}/audit/{shard}.npz",
            # At full size.
            otherwise=get_shard_source,
        ),
        plan=ancient("results/{film}/plan.json"),
    output:
        palettes=temp("results/{film}/audit/{shard}.sqlite"),
        previews=[],
    log:
        "logs/audit_palettes/{film}/{shard}.log",
    benchmark:
        "logs/audit_palettes/{film}/{shard}.tsv"
    resources:
        mem_mb=ask_mb("cluster_shard"),
        runtime=ask_minutes("cluster_shard"),
        gpu=get_audit_gpu,
        gpu_tag=get_audit_gpu_tag,
        gpu_engine=config["cluster"]["gpu_engine"],
        disk_mb=0,
        used_up=0,
        go_on=int(config["errors"]["missing_shards"] == "skip"),
        profile=0,


rule audit:
    input:
        shards=get_audited,
        anew=get_audits,
    log:
        "logs/audit.log",
    conda:
        "../../envs/cluster_cpu.yaml"
    threads: 1
    resources:
        mem_mb=ask_mb("audit"),
        runtime=ask_minutes("audit"),
    params:
        settings=gather(table=str(RESULTS / "audit.tsv")),
        code=get_code("audit"),
    script:
        "../scripts/audit.py"
