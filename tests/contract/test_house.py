"""What is committed: pins, hosts, paths."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from reelbow import __version__
from reelbow.kmeans.palettes import COMMANDS

ROOT = Path(__file__).parents[2]
ENVS = sorted((ROOT / "envs").glob("*.yaml"))


def git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def grep(pattern: str) -> list[str]:
    """Find lines of tracked files, this one aside."""
    found = git("grep", "-nIiE", pattern, "--", ".", ":!tests/contract/test_house.py")
    return found.splitlines()


@pytest.fixture(scope="module")
def pyproject():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_direct_dependencies_are_pinned(pyproject):
    groups = [
        pyproject["project"]["dependencies"],
        *pyproject["project"].get("optional-dependencies", {}).values(),
        *pyproject["dependency-groups"].values(),
    ]
    for pin in [pin for group in groups for pin in group]:
        assert re.fullmatch(r"[\w.-]+(\[\w+\])?==[\w.]+( *;.*)?", pin), pin


def list_packages(env: Path) -> set[str]:
    # Of conda only what every channel has; CI resolves the rest by uv.
    python, pip, packages = yaml.safe_load(env.read_text())["dependencies"]
    assert (python, pip) == ("python=3.12", "pip")
    return set(packages["pip"])


@pytest.mark.parametrize("env", ENVS, ids=lambda env: env.stem)
def test_the_environments_have_the_pins_of_the_project(env, pyproject):
    project = set(pyproject["project"]["dependencies"])
    allowed = project | set(pyproject["project"]["optional-dependencies"]["gpu"])
    packages = list_packages(env)
    if env.stem == "cluster_cuml":
        # The one that cannot be installed beside the others.
        numba, cuml = sorted(packages - allowed, reverse=True)
        assert re.fullmatch(r"numba==[\d.]+", numba)
        assert cuml in COMMANDS["cuml"]
        packages -= {numba, cuml}
    assert packages
    assert packages <= allowed


def test_the_environments_for_gpus_have_all_that_the_cpu_s_has():
    cpu, gpu, cuml = (
        {re.split(r"[=[]", package)[0] for package in list_packages(env)}
        for env in (
            ROOT / f"envs/cluster_{kind}.yaml" for kind in ("cpu", "gpu", "cuml")
        )
    )
    assert gpu - cpu == {"cupy-cuda12x"}
    assert cuml - gpu == {"cuml-cu12"}
    assert cpu < gpu < cuml


def test_the_image_has_the_python_of_the_environments_and_copies_what_there_is():
    recipe = (ROOT / "Containerfile").read_text()
    assert re.search(r"^ARG BASE=docker\.io/library/python:3\.12-", recipe, re.M)
    copied = re.findall(r"^COPY (.*) \S+$", recipe, re.M)
    assert "pyproject.toml README.md" in copied
    for paths in copied:
        for path in paths.split():
            assert (ROOT / path).exists()
    assert re.search(r"uv==[\d.]+ ", recipe)
    assert 'container: "reelbow.sif"\n' in (ROOT / "workflow/Snakefile").read_text()


def test_the_extras_are_of_one_version(pyproject):
    extras = pyproject["project"]["optional-dependencies"]
    gpu = {extras[name][0].partition("==")[2] for name in ("gpu", "gpu-cuda13")}
    assert len(gpu) == 1
    assert set(extras["photos"]) < set(pyproject["dependency-groups"]["dev"])
    for command in COMMANDS.values():
        for extra in re.findall(r"--extra (\S+)", command):
            assert extra in extras


def test_the_minimal_snakemake_is_that_of_the_pins(pyproject):
    (minimal,) = re.findall(
        r'min_version\("(.*)"\)', (ROOT / "workflow/Snakefile").read_text()
    )
    pins = pyproject["project"]["dependencies"]
    (pinned,) = [pin for pin in pins if pin.startswith("snakemake==")]
    assert pinned.removeprefix("snakemake==").startswith(minimal)


def test_no_file_names_a_host_of_packages():
    assert grep(r"files\.pythonhosted|pypi\.org|/simple/|index-url|artifactory") == []


def test_no_file_has_a_path_of_this_machine():
    assert grep(r"(^|[^a-z.])/(work|root|home/[a-z]+|Users)/") == []


def test_what_tools_and_runs_make_is_not_tracked():
    tracked = git("ls-files").splitlines()
    assert "Snakefile" in tracked
    made = r"uv\.lock|(results|logs|\.snakemake|\.venv)/.*|.*\.(pyc|sqlite|mp4)"
    assert [path for path in tracked if re.fullmatch(made, path)] == []


def test_no_link_is_tracked_that_a_zip_would_break():
    modes = [line.split()[0] for line in git("ls-files", "--stage").splitlines()]
    assert "120000" not in modes


def test_the_two_profiles_for_slurm_say_the_same():
    profiles = []
    for folder in [ROOT / "slurm", ROOT / "profiles/slurm"]:
        profile = yaml.safe_load((folder / "config.yaml").read_text())
        partitions = folder / profile.pop("slurm-partition-config")
        profiles.append((profile, partitions.resolve()))
    assert profiles[0] == profiles[1]
    assert profiles[0][1].exists()


def test_the_version_is_one_and_has_its_date(pyproject):
    version = pyproject["project"]["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert version == __version__ == citation["version"]
    heading = f"## {version} - {citation['date-released']}\n"
    assert heading in (ROOT / "CHANGELOG.md").read_text()
