import shutil
from pathlib import Path

import numpy
import pytest

import reelbow
from reelbow.machine import versions
from reelbow.runs import code

SCRIPTS = code.LIBRARY.parent

# What scripts load by its name.
BY_NAME = {
    "cluster_shard": ["kmeans.engine_numba"],
    "downsample_frames": ["shards.video"],
    "plan_shards": ["sources.video"],
}


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A copy of the scripts and the library that may be changed."""
    copy = tmp_path / "scripts"
    shutil.copytree(SCRIPTS, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(code, "LIBRARY", copy / code.PACKAGE)
    return copy / code.PACKAGE


def change(library: Path, module: str) -> None:
    path = library.joinpath(*module.split(".")).with_suffix(".py")
    path.write_text(path.read_text() + "\n# changed\n")


def digest(library: Path, script: str) -> str:
    by_name = BY_NAME.get(script, [])
    return code.digest_code(library.parent / f"{script}.py", *by_name)


def test_the_digest_of_the_same_code_is_the_same(library):
    first = digest(library, "cluster_shard")
    assert len(first) == 16
    assert digest(library, "cluster_shard") == first


@pytest.mark.parametrize(
    ("script", "module"),
    [
        ("cluster_shard", "kmeans.palettes"),  # by the face of its room
        ("cluster_shard", "shards.batches"),  # from reelbow.shards.batches import ...
        ("cluster_shard", "kmeans.engine_numba"),  # an engine, loaded by its name
        ("plan_shards", "film.probe"),  # through a kind of source, loaded by its name
        ("plan_shards", "film.timeline"),
        ("downsample_frames", "film.decoding"),
        ("make_demo_film", "sources.demo"),  # in a function
        ("render_barcodes", "barcode.figure"),  # in a function
        ("merge_film", "database.merging"),
        ("merge_film", "kmeans.palettes"),  # in a function of a module
        ("write_index", "explorer.filling"),
    ],
)
def test_it_changes_with_a_module_that_the_script_uses(library, script, module):
    before = digest(library, script)
    change(library, module)
    assert digest(library, script) != before


@pytest.mark.parametrize(
    ("script", "module"),
    [
        ("cluster_shard", "errors"),
        ("cluster_shard", "jobs.job"),
        ("cluster_shard", "kmeans.engine_sklearn"),
        ("cluster_shard", "barcode.figure"),
        ("merge_film", "film.decoding"),
        ("downsample_frames", "sources.video"),
        ("downsample_frames", "shards.tarballs"),
    ],
)
def test_it_does_not_change_with_any_other(library, script, module):
    before = digest(library, script)
    change(library, module)
    assert digest(library, script) == before


@pytest.mark.parametrize("part", ["index.html", "index.css", "base.css", "index.js"])
def test_it_changes_with_the_parts_of_a_page(library, part):
    before, other = digest(library, "write_index"), digest(library, "merge_film")
    with (library / "explorer" / part).open("a") as file:
        file.write("\n")
    assert digest(library, "write_index") != before
    assert digest(library, "merge_film") == other


def test_every_way_to_import_counts(library, tmp_path):
    script = tmp_path / "script.py"
    digests = set()
    for text in [
        "",
        "from reelbow.database import tables",
        "from reelbow.film import read_frames",
        "from reelbow.shards.plan import read_plan",
        "from reelbow.runs import progress as p",
        "def f():\n    from reelbow.shards import thumbnails",
    ]:
        script.write_text(text)
        digests.add(code.digest_code(script))
    assert len(digests) == 6


def test_modules_that_use_each_other_are_no_trap(library):
    (library / "film/ping.py").write_text("from reelbow.film import pong\n")
    (library / "film/pong.py").write_text("from reelbow.film.ping import x\n")
    (library.parent / "play.py").write_text("from reelbow.film import ping\n")
    before = digest(library, "play")
    change(library, "film.pong")
    assert digest(library, "play") != before


def test_a_process_is_described_by_its_own_versions(monkeypatch):
    about = versions.describe_versions()
    assert about["version/numpy"] == numpy.__version__
    assert about["version/reelbow"] == reelbow.__version__
    # As in an environment of conda that only draws.
    monkeypatch.setattr(versions, "PACKAGES", ("numpy", "not-installed-here"))
    assert versions.describe_versions().keys() == {"version/numpy", "version/reelbow"}
