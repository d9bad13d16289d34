"""Reelbow from another folder, from a clone that nobody may write, and as a module."""

import json
import os
import shutil
import subprocess

import pytest
import yaml

from projects import COLORS, NO_PICTURES, ONE_PICTURE, SNAKEMAKE, Project, write_colors

CAN_MOUNT = shutil.which("unshare") is not None and (
    subprocess.run(["unshare", "--mount", "true"], check=False).returncode == 0
)


@pytest.fixture
def elsewhere(tmp_path, code) -> Project:
    """An empty folder with a film in it."""
    (tmp_path / "elsewhere").mkdir()
    write_colors(tmp_path / "elsewhere/colors.mp4", COLORS[:2])
    return Project(tmp_path / "elsewhere", code)


def make(project: Project, *arguments: str) -> None:
    """Run Snakemake on the clone from the folder above the project's own."""
    above = Project(project.folder.parent, project.code)
    above.make("--directory", project.folder.name, *arguments)


def test_a_folder_without_a_configuration_has_the_defaults(elsewhere):
    make(elsewhere, "--config", "films=colors.mp4", "barcodes={kinds: []}")
    elsewhere.check_colors(COLORS[:2])
    ((settings,),) = elsewhere.query(
        "SELECT value FROM metadata WHERE key = 'settings'"
    )
    assert json.loads(settings)["cluster.n_colors"] == 8


def test_a_folder_has_its_own_configuration(elsewhere):
    config = {"films": "colors.mp4", "sampling": {"every": 0.5}, **NO_PICTURES}
    (elsewhere.folder / "config").mkdir()
    (elsewhere.folder / "config/config.yaml").write_text(yaml.safe_dump(config))
    make(elsewhere)
    elsewhere.check_colors([COLORS[0], COLORS[0], COLORS[1], COLORS[1]])


def test_a_folder_without_a_sheet_has_the_demo(elsewhere):
    assert elsewhere.run("--dry-run").counts["make_demo_film"] == 1


@pytest.mark.skipif(not CAN_MOUNT, reason="wants root, to mount a folder read-only")
def test_nothing_is_written_into_a_clone_that_is_read_only(elsewhere):
    code = elsewhere.code
    guarded = [
        *["unshare", "--mount", "sh", "-c"],
        f"mount --bind {code} {code} && mount -o remount,ro,bind {code} && "
        f"! touch {code}/x 2>/dev/null && "
        f"exec {SNAKEMAKE} --snakefile {code}/Snakefile --cores 2 --directory "
        f"{elsewhere.folder} --config films=colors.mp4 'barcodes={{kinds: [mean]}}'",
    ]
    done = subprocess.run(guarded, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    elsewhere.check_colors(COLORS[:2])
    assert (elsewhere.folder / "results/colors/barcodes/mean.png").exists()


def test_two_modules_of_different_settings_run_in_one_workflow(elsewhere):
    modules = "".join(
        f"""
module {name}:
    snakefile: "{elsewhere.code}/workflow/Snakefile"
    config: config["{name}"]
    prefix: "{name}"

use rule * from {name} as {name}_*
"""
        for name in ["colors", "few"]
    )
    (elsewhere.folder / "Snakefile").write_text(
        f"""{modules}
rule all:
    default_target: True
    input: rules.colors_all.input, rules.few_all.input
"""
    )
    # Of the same name as the other's film.
    (elsewhere.folder / "few.tsv").write_text("film\tsource\ndemo\tcolors.mp4\n")
    config = {
        # The demo, to its end.
        "colors": {"sampling": {"every": 10}, **ONE_PICTURE},
        "few": {"films": "few.tsv", "cluster": {"n_colors": 1}, **NO_PICTURES},
    }
    importer = Project(elsewhere.folder, elsewhere.folder)
    importer.make(**config)

    colors = Project(elsewhere.folder / "colors", elsewhere.code)
    ((n_frames,),) = colors.query("SELECT count(*) FROM frames")
    assert n_frames == 6
    assert (colors.folder / "results/demo/barcodes/mean.png").exists()
    few = Project(elsewhere.folder / "few", elsewhere.code)
    assert few.query("SELECT max(rank) FROM palettes") == [(0,)]
    few.check_colors(COLORS[:2])
    importer.make("--report", "report.html", **config)
    page = (elsewhere.folder / "report.html").read_text()
    assert "colors/results/demo/barcodes/mean.png" in page
    importer.make("--", "colors_profile_run", **config)
    assert "cluster_shard" in (colors.folder / "results/profile.tsv").read_text()
    # Nothing beside the two folders.
    assert not (elsewhere.folder / "results").exists()
    # Each knows its own films, also when an older file comes in the place of one.
    assert "Nothing to be done" in importer.run("--dry-run", **config).stdout
    film = write_colors(elsewhere.folder / "colors.mp4", COLORS[3:5])
    os.utime(film, (1e9, 1e9))
    result = importer.run("--dry-run", **config)
    assert "few_plan_shards" in result.stdout
    assert "colors_plan_shards" not in result.stdout
