"""Every rule has what every rule should have, and the linters are content."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from projects import Project, write_colors

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


def run(command: list, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, with nothing written beside the sources."""
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


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
        r'resources:\n        mem_mb=ask_mb\("{rule}"\),\n        runtime=',
        r'script:\n        "\.\./scripts/{rule}\.py"',
        r"code=get_(\w+_)?code\b",
    ],
)
def test_every_rule_has_its_entries(rule, entry):
    if rule in ("verify", "audit") and entry.startswith("benchmark"):
        pytest.skip("Snakemake would take it for an output that is there")
    assert re.search(entry.replace("{rule}", rule), RULES[rule])


def test_the_rules_of_a_shard_are_one_job_on_a_cluster():
    group = {
        rule for rule, body in RULES.items() if '    group:\n        "shard"\n' in body
    }
    assert group == {"downsample_frames", "cluster_shard"}
    # By default Snakemake asks for disk by the size of the input, which may be a link
    # to a lost node.
    assert all("        disk_mb=" in RULES[rule] for rule in group)
    # Slurm is asked for the GPU of all of them.
    gpus = {rule: re.findall(r" gpu=(\w+),", RULES[rule]) for rule in group}
    assert gpus.pop("cluster_shard") == ["get_gpu"]
    assert list(gpus.values()) == [["get_group_gpu"]]


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


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """What Snakemake itself would keep of the params of a job of each rule."""
    folder = tmp_path_factory.mktemp("recorded")
    for film in ("colors", "other"):
        write_colors(folder / f"{film}.mp4")
    cv2.imwrite(str(folder / "x.png"), np.zeros((20, 32, 3), np.uint8))
    # What a shard's jobs are is known of plans that are there.
    films = ("--config", "films=[colors.mp4, other.mp4]")
    plans = [f"results/{film}/plan.json" for film in ("colors", "other")]
    Project(folder, ROOT).make(*films, "--", *plans)
    told = run([sys.executable, "-c", READ_PARAMS, ROOT / "Snakefile"], folder)
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout.splitlines()[-1])


# These make nothing: one fails, the others run each time.
@pytest.mark.parametrize("rule", sorted({*RULES} - {"find_source", "verify", "audit"}))
def test_two_settings_that_change_places_run_a_rule_again(rule, recorded):
    assert recorded[rule] == []


# Makes a job of each rule, swaps any two values of its params, and asks Snakemake
# whether it sees a difference.
READ_PARAMS = """
import contextlib, copy, itertools, json, sys
from pathlib import Path
from snakemake.api import SnakemakeApi
from snakemake.exceptions import WorkflowError
from snakemake.settings.types import (
    ConfigSettings, DAGSettings, OutputSettings, ResourceSettings,
)

class Job:
    def __init__(self, params):
        self.non_derived_params = list(params.values())

def swap(params, one, other):
    swapped = copy.deepcopy(params)
    places = []
    for path in (one, other):
        place = swapped
        for name in path[:-1]:
            place = place[name]
        places.append((place, path[-1]))
    (first, a), (second, b) = places
    first[a], second[b] = second[b], first[a]
    return swapped

config = {"films": ["colors.mp4", "other.mp4"]}
config["barcodes"] = {"kinds": ["mean", "contact"], "formats": []}
config["extract"] = {"keep": True}
config["posters"] = {"wall": {"size": "A7", "dpi": 36}}
config["provenance"] = True
config["tables"] = {"formats": ["csv"]}
config["shots"] = {"detector": "adaptive"}
config["hot_pixels"] = {"find": True}
config["compare"] = "all"
targets = {"all", "profile_run", "results/demo/film.mp4"}
targets.add("results/comparisons/colors--other.json")
# Nobody asks for that of a video.
targets.add("results/colors/sketches/average.png")
targets.add("results/colors/repaired/00000")
config["mosaics"] = {"x": {"target": "x.png", "columns": 4}}
found = {}
with SnakemakeApi(OutputSettings(quiet={"all"})) as api:
    flow = api.workflow(
        resource_settings=ResourceSettings(cores=2),
        config_settings=ConfigSettings(config=config),
        snakefile=Path(sys.argv[1]),
    )
    dag = flow.dag(dag_settings=DAGSettings(targets=targets))
    # The table of a run may be asked for before there is anything to tell.
    with contextlib.suppress(WorkflowError):
        dag.execute_workflow(executor="dryrun")
    workflow = flow._workflow
    record = lambda params: set(workflow.persistence._params(Job(params)))
    for job in workflow.dag.jobs:
        params = dict(job.params.items())
        paths = [
            (name, key) if key else (name,)
            for name, value in params.items()
            for key in (value if isinstance(value, dict) else [None])
        ]
        found[job.rule.name] = [
            pair
            for pair in itertools.combinations(paths, 2)
            if swap(params, *pair) != params
            and record(swap(params, *pair)) == record(params)
        ]
print()
print(json.dumps(found))
"""


def test_snakemake_finds_nothing_to_lint(tmp_path):
    (tmp_path / "config").symlink_to(ROOT / "config")
    command = [BIN / "snakemake", "--snakefile", ROOT / "Snakefile", "--lint"]
    linted = run(command, tmp_path)
    assert linted.returncode == 0, linted.stderr
    assert "Congratulations" in linted.stdout + linted.stderr


def test_snakefmt_would_change_nothing():
    places = ["Snakefile", "workflow/Snakefile", "workflow/rules"]
    checked = run([BIN / "snakefmt", "--check", *places], ROOT)
    assert checked.returncode == 0, checked.stderr
