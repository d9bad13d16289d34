"""Every rule has what every rule should have, and the linters are content."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
SCRIPTS = sorted(path.stem for path in (ROOT / "workflow/scripts").glob("*.py"))
RULES = {
    name: body
    for path in sorted((ROOT / "workflow/rules").glob("*.smk"))
    for name, body in re.findall(
        r"^(?:rule|checkpoint) (\w+):\n(.*?)(?=^\S|\Z)", path.read_text(), re.M | re.S
    )
}


def test_every_script_has_a_rule_of_its_name_and_every_rule_a_script():
    assert sorted(RULES) == SCRIPTS


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    "entry",
    [
        r'log:\n        "logs/{rule}(/|\.)',
        r'benchmark:\n        "logs/{rule}(/|\.)',
        r'conda:\n        ("\.\./\.\./envs/\w+\.yaml"|get_\w+)\n',
        r"threads: \d+\n",
        # Without them a cluster would give a job what it pleases.
        r"resources:\n        mem_mb=(\d+|(get|ask)_\w+(\(\d+\))?),\n        runtime=",
        r'script:\n        "\.\./scripts/{rule}\.py"',
        r"code=get_code\(",
    ],
)
def test_every_rule_has_its_entries(rule, entry):
    assert re.search(entry.replace("{rule}", rule), RULES[rule])


def test_the_rules_of_a_shard_are_one_job_on_a_cluster():
    group = {
        rule for rule, body in RULES.items() if '    group:\n        "shard"\n' in body
    }
    assert group == {"extract_frames", "downsample_frames", "cluster_shard"}
    # By default Snakemake asks for disk by the size of the input, which may be a link
    # to a lost node.
    assert all("        disk_mb=" in RULES[rule] for rule in group)
    # Slurm is asked for the GPU of all of them.
    gpus = {rule: re.findall(r" gpu=(\w+),", RULES[rule]) for rule in group}
    assert gpus.pop("cluster_shard") == ["get_gpu"]
    assert list(gpus.values()) == [["get_group_gpu"]] * 2


@pytest.mark.parametrize("rule", RULES)
def test_no_rule_has_code_of_its_own(rule):
    for word in ["run:", "message:", "shell:", "lambda"]:
        assert word not in RULES[rule]


@pytest.mark.parametrize("rule", RULES)
def test_the_environment_of_a_rule_is_there(rule):
    names = re.findall(r"envs/(\w+)\.yaml", RULES[rule])
    if rule == "cluster_shard":
        names = ["cluster_cpu", "cluster_gpu", "cluster_cuml"]
    assert names
    assert all((ROOT / "envs" / f"{name}.yaml").exists() for name in names)


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_loads_and_its_rule_knows_what_it_asks(script):
    text = (ROOT / "workflow/scripts" / f"{script}.py").read_text()
    assert text.startswith(f'"""Rule {script}: ')
    assert len(re.findall(r"^def \w+", text, re.M)) == 1
    assert f"\ndef {script}(" in text
    for section, name in re.findall(r"snakemake\.(input|output|params)\.(\w+)", text):
        body = re.search(
            rf"    {section}:\n(.*?)(?=^    \w|\Z)", RULES[script], re.M | re.S
        )
        assert body, f"{script} has no {section}"
        assert re.search(rf"^        {name}=", body[1], re.M), f"{section}.{name}"


def test_snakemake_finds_nothing_to_lint(tmp_path):
    linted = snakemake("--lint", "--directory", tmp_path)
    assert linted.returncode == 0, linted.stderr
    assert "Congratulations" in linted.stdout + linted.stderr


def test_snakefmt_would_change_nothing():
    checked = subprocess.run(
        [
            BIN / "snakefmt",
            "--check",
            "Snakefile",
            "workflow/Snakefile",
            "workflow/rules",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr


def snakemake(*arguments):
    """Run Snakemake on this Snakefile, with nothing written beside it."""
    config = Path(arguments[-1]) / "config"
    config.symlink_to(ROOT / "config")
    return subprocess.run(
        [BIN / "snakemake", "--snakefile", ROOT / "Snakefile", *arguments],
        cwd=arguments[-1],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
