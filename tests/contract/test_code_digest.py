import shutil
from pathlib import Path

import numpy
import pytest

import reelbow
from reelbow.runs import code

SCRIPTS = code.LIBRARY.parent


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A copy of the scripts and the library that may be changed."""
    copy = tmp_path / "scripts"
    shutil.copytree(SCRIPTS, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(code, "LIBRARY", copy / code.PACKAGE)
    return copy / code.PACKAGE


def change(path: Path) -> None:
    path.write_text(path.read_text() + "\n# changed\n")


def digest(library: Path, script: str, *engines: str) -> str:
    return code.digest_code(library.parent / f"{script}.py", *engines)


def test_the_digest_of_the_same_code_is_the_same(library):
    first = digest(library, "cluster_shard", "kmeans.engine_numba")
    assert len(first) == 16
    assert digest(library, "cluster_shard", "kmeans.engine_numba") == first


@pytest.mark.parametrize(
    ("script", "module"),
    [
        ("cluster_shard", "kmeans"),  # from reelbow.kmeans import find_palettes
        ("cluster_shard", "pictures"),  # from reelbow import database, pictures
        ("cluster_shard", "kmeans.engine_numba"),  # an engine, loaded by its name
        ("plan_shards", "film"),  # through planning
        ("plan_shards", "timeline"),  # from .timeline import exact, naming, ...
        ("make_demo_film", "demo"),  # in a function
        ("render_barcode", "figure"),  # in a function
        ("merge_film", "database"),
    ],
)
def test_it_changes_with_a_module_that_the_script_uses(library, script, module):
    engines = ["kmeans.engine_numba"] if script == "cluster_shard" else []
    before = digest(library, script, *engines)
    change(library / f"{module}.py")
    assert digest(library, script, *engines) != before


@pytest.mark.parametrize(
    ("script", "module"),
    [
        ("cluster_shard", "errors"),
        ("cluster_shard", "job"),
        ("cluster_shard", "kmeans_sklearn"),
        ("cluster_shard", "figure"),
        ("merge_film", "kmeans"),
        ("extract_frames", "planning"),
    ],
)
def test_it_does_not_change_with_any_other(library, script, module):
    engines = ["kmeans.engine_numba"] if script == "cluster_shard" else []
    before = digest(library, script, *engines)
    change(library / f"{module}.py")
    assert digest(library, script, *engines) == before


def test_every_way_to_import_counts(library, tmp_path):
    script = tmp_path / "script.py"
    digests = set()
    for text in [
        "",
        "from reelbow import colors",
        "from reelbow.film import probe_film",
        "import reelbow.plan",
        "import reelbow.progress as p",
        "def f():\n    from reelbow import thumbnails",
    ]:
        script.write_text(text)
        digests.add(code.digest_code(script))
    assert len(digests) == 6


def test_modules_that_use_each_other_are_no_trap(library):
    (library / "ping.py").write_text("from . import pong\n")
    (library / "pong.py").write_text("from .ping import x\n")
    (library.parent / "play.py").write_text("from reelbow import ping\n")
    before = digest(library, "play")
    change(library / "pong.py")
    assert digest(library, "play") != before


def test_a_process_is_described_by_its_own_versions(monkeypatch):
    about = code.describe_versions()
    assert about["version/numpy"] == numpy.__version__
    assert about["version/reelbow"] == reelbow.__version__
    # As in an environment of conda that only draws.
    monkeypatch.setattr(code, "PACKAGES", ("numpy", "not-installed-here"))
    assert code.describe_versions().keys() == {"version/numpy", "version/reelbow"}
