"""What is committed: pins, hosts, paths."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

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


@pytest.mark.parametrize("env", ENVS, ids=lambda env: env.stem)
def test_the_environments_have_the_pins_of_the_project(env, pyproject):
    packages = yaml.safe_load(env.read_text())["dependencies"][-1]["pip"]
    assert packages
    assert set(packages) <= set(pyproject["project"]["dependencies"])


def test_the_minimal_snakemake_is_that_of_the_pins(pyproject):
    (minimal,) = re.findall(r'min_version\("(.*)"\)', (ROOT / "Snakefile").read_text())
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
