"""What Reelbow changes in Snakemake itself, in runs of other workflows."""

import os

import pytest

from warm_snakemake import get_warm

# Of each film a plan, then shards by what is planned, and what is made of these.
SNAKEFILE = """
import sys
sys.path.append({scripts!r})
from reelbow.runs import snakemake_inside

FILMS = [f"film{{i}}" for i in range(8)]

rule all:
    input: expand("{{film}}.merged", film=FILMS)

def get_shards(wildcards):
    plan = checkpoints.plan.get(film=wildcards.film).output[0]
    shards = open(plan).read().split()
    return [f"{{wildcards.film}}.{{shard}}.made" for shard in shards]

checkpoint plan:
    output: "{{film}}.plan"
    shell: "{plan}"

rule make:
    input: "{{film}}.plan"
    output: "{{film}}.{{shard}}.made"
    shell: "touch {{output}}"

rule merge:
    input: get_shards
    output: "{{film}}.merged"
    shell: "echo {{input}} > {{output}}"

onstart:
    {before}
    snakemake_inside.renew_seldom(workflow)
"""


@pytest.fixture
def snakemake(tmp_path, pytestconfig):
    """A function that runs it, and gives what it told; and what is merged of films."""

    def run(plan, *, cores, before="pass"):
        scripts = str(pytestconfig.rootpath / "workflow" / "scripts")
        snakefile = SNAKEFILE.format(scripts=scripts, plan=plan, before=before)
        (tmp_path / "Snakefile").write_text(snakefile)
        command = ["snakemake", "--cores", str(cores), "--keep-going"]
        told = tmp_path / "told"
        with told.open("w") as stream:
            output = stream, stream
            status = get_warm().run(command, tmp_path, dict(os.environ), output)
        merged = tmp_path.glob("*.merged")
        return (
            status,
            told.read_text(),
            {path.stem: path.read_text() for path in merged},
        )

    return run


def merge(*films):
    return {film: f"{film}.0.made {film}.1.made\n" for film in films}


@pytest.mark.parametrize("cores", [1, 2])
def test_what_waits_for_checkpoints_is_renewed_for_many_at_once(snakemake, cores):
    # After the first of them not before there is nothing else to do.
    before = "snakemake_inside.RENEWING_RESTS = 1e6"
    status, told, merged = snakemake("echo 0 1 > {output}", cores=cores, before=before)
    assert status == 0, told
    assert told.count("Updating checkpoint dependencies") == 2
    assert merged == merge(*(f"film{i}" for i in range(8)))


def test_a_checkpoint_that_fails_keeps_no_other_from_what_waits_for_it(snakemake):
    plan = "test {wildcards.film} != film3 && echo 0 1 > {output}"
    before = "snakemake_inside.RENEWING_RESTS = 1e6"
    status, told, merged = snakemake(plan, cores=1, before=before)
    assert status != 0, told
    assert merged == merge(*(f"film{i}" for i in range(8) if i != 3))


def test_no_core_rests_for_long_because_another_plan_takes_its_time(snakemake):
    # One plan is not made before all else is, for which it waits a minute at most.
    films = " ".join(f"film{i}.merged" for i in range(7))
    waiting = f"for i in $(seq 600); do ls {films} && break || sleep 0.1; done"
    plan = f"if test {{wildcards.film}} = film7; then {waiting}; ls {films}; fi"
    plan += " && echo 0 1 > {output}"
    # Long enough for all others to end, but not a minute.
    before = "snakemake_inside.RENEWING_RESTS = 300"
    status, told, merged = snakemake(plan, cores=2, before=before)
    assert status == 0, told
    assert merged == merge(*(f"film{i}" for i in range(8)))
