"""What a user reads in the terminal, from the first command on."""

import re
from pathlib import Path

import pytest

from projects import (
    COLORS,
    FINISHED,
    NO_PICTURES,
    ONE_PICTURE,
    Project,
    write_colors,
)

# Words of Snakemake's and of Python's that say nothing to a newcomer.
NOISE = [
    "Traceback",
    "Error:",
    "temporary output",
    "is extended by",
    "Conda environments",
    "provenance",
    "Complete log",
]


# What is wrong before any Snakefile is read.
@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("nosuch.yaml", None, ": No such file or directory; give the path of a "),
        ("bad.yaml", b"a: [1\nb: 2\n", " line 2: expected ',' or ']', but got ':'"),
        ("tab.yaml", b"a:\n\tb: 2\n", " line 2: found character '\\t' that cannot"),
        ("list.yaml", b"- a\n- b\n", ": no keys in it; write `key: value`"),
        ("latin.yaml", b"films: caf\xe9.mp4\n", ": not UTF-8; save the file as UTF-8"),
        ("config/config.yaml", b"a: [1\nb: 2\n", " line 2: expected ','"),
    ],
)
def test_a_broken_file_is_told_in_one_sentence(project, name, data, sentence):
    if data is not None:
        (project.folder / name).write_bytes(data)
    own = [] if name.startswith("config") else ["--configfile", name]
    result = project.run("--dry-run", *own)
    assert result.status == 1
    (line,) = result.told
    assert line.startswith(f"Reelbow: {name}{sentence}")


@pytest.mark.parametrize(
    ("given", "right"),
    [
        ("barcodes.order=track", "'barcodes={order: track}'"),
        ("films", "'key=value', as in 'films=movie.mkv'"),
    ],
)
def test_a_broken_value_is_told_in_one_sentence(project, given, right):
    result = project.run("--config", given)
    assert result.status == 1
    assert result.told == [f"Reelbow: --config {given}: write --config {right}"]


def test_a_dry_run_tells_the_films_and_about_how_many_shards(project):
    write_colors(project.folder / "a.mp4")
    write_colors(project.folder / "b.mp4", COLORS[:1])
    result = project.run(
        "--dry-run", films=["a.mp4", "b.mp4"], shards={"frames": 2}, **NO_PICTURES
    )
    told = result.stderr
    assert "Reelbow: 2 films, about 4 shards to do:" in told
    assert "  a  a.mp4  about 3 shards" in told
    assert "  b  b.mp4  about 1 shard" in told
    assert told.endswith(
        "there will be:\n  palettes  results/palettes.sqlite\n"
        "  tables    results/films.tsv, skipped.tsv\n"
    )
    for words in NOISE:
        assert words not in told


def test_a_second_run_does_nothing_and_tells_where_the_results_are(finished):
    result = finished.make(**FINISHED)
    assert result.jobs == set()
    told = result.stderr
    assert "Nothing to be done" in told
    barcodes = "results/colors/barcodes"
    assert f"  barcodes  {barcodes}/mean.png, stacked.png\n" in told
    assert f"  figures   {barcodes}/mean_figure.png, stacked_figure.png\n" in told
    assert "  palettes  results/palettes.sqlite\n" in told
    for words in NOISE:
        assert words not in told


def test_only_what_was_asked_for_is_announced_and_where_it_is(copied, tmp_path):
    plan = "results/colors/plan.json"
    (copied.folder / plan).unlink()
    elsewhere = Project(tmp_path / "elsewhere", copied.code)
    elsewhere.folder.mkdir()
    config = ("--config", "films=colors.mp4", "shards={frames: 2}")
    result = elsewhere.make("--directory", str(copied.folder), plan, *config)
    assert f"Reelbow: done:\n  others    {copied.folder / plan}\n" in result.stderr
    assert "barcodes" not in result.stderr


def test_ctrl_c_is_one_sentence_and_the_same_command_goes_on(project):
    # 12 shards, of which each takes a second or more.
    write_colors(project.folder / "long.mp4", COLORS * 4)
    config = {"films": "long.mp4", "shards": {"frames": 2}, **NO_PICTURES}
    palettes = project.folder / "results/long/palettes"
    status, told = project.interrupt(
        # The last of them may be of a job that is still about to end.
        lambda: len(list(palettes.glob("0*.sqlite"))) >= 4,
        # By the terminal, and by uv.
        times=2,
        cores=2,
        **config,
    )
    assert status == 1
    tail = told[told.index("Reelbow: stopping") :].rstrip()
    assert re.fullmatch(
        r"Reelbow: stopping \(Ctrl-C\): [^\n]+goes on from there\.", tail
    )
    assert not list((project.folder / ".snakemake/locks").glob("*"))
    assert project.failures() == []
    # Whole files only: finished shards are taken, and nothing is left half there.
    done = {path: path.stat().st_mtime_ns for path in palettes.glob("0*.sqlite")}
    assert 0 < len(done) < 12
    assert not [path for path in project.results() if "tmp" in Path(path).name]
    project.make(**config)
    assert len(project.query("SELECT * FROM frames")) == 24
    assert all(path.stat().st_mtime_ns == when for path, when in done.items())


def test_ctrl_c_ends_another_workflow_as_snakemake_does(tmp_path):
    (tmp_path / "Snakefile").write_text(
        'rule all:\n    output: "a"\n    shell: "touch begun && sleep 60"\n'
    )
    has_begun = (tmp_path / "begun").exists
    other = Project(tmp_path, tmp_path)
    status, told = other.interrupt(has_begun, "--logger", "reelbow", cores=1)
    assert status == 1
    assert "before anything was done" not in told
    assert not list((tmp_path / ".snakemake/locks").glob("*"))


def test_a_report_after_a_run_is_of_all_that_the_run_makes(copied):
    picture = copied.folder / "results/colors/barcodes/mean.png"
    picture.unlink()
    report = ["--report", "report.html", "--report-after-run"]
    copied.make(*report, **FINISHED)
    assert picture.exists()
    assert "barcodes/mean.png" in (copied.folder / "report.html").read_text()


def test_the_report_has_figures_captions_tables_and_what_failed(copied):
    head = "film\tshard\tstage\tended\tattempts\tlog\n"
    (copied.folder / "results/failed.tsv").write_text(
        f"{head}lost_\t00001\textract_frames\tlost_*.mkv: `cut` off\t1\tx.log\n"
    )
    # As of a film that failed.
    for name in ["mean.png", "mean_figure.png"]:
        (copied.folder / "results/colors/barcodes" / name).unlink()
    copied.make("--report", "report.html", **FINISHED)
    page = (copied.folder / "report.html").read_text()
    assert "system-message" not in page
    for part in [
        "made a palette of every sampled frame",
        "as a figure for print",
        "results/films.tsv",
        "results/skipped.tsv",
        "stacked_figure.png",
        "lost_*.mkv:",
    ]:
        assert part in page, part


def test_a_run_with_a_failure_tells_what_is_there_and_reports(project):
    (project.folder / "films").mkdir()
    write_colors(project.folder / "films/good.mp4", COLORS[:2])
    (project.folder / "films/empty.mp4").touch()
    config = {"films": "films/*", **ONE_PICTURE}
    told = project.run("--dry-run", **config).stderr
    assert "  empty  films/empty.mp4  films/empty.mp4 is empty; copy or" in told
    result = project.run(**config)
    assert result.status == 1
    told = result.stderr
    assert "empty: attempt 1 failed in plan_shards: films/empty.mp4 is empty" in told
    done = told[told.index("Reelbow: done:") : told.index("Reelbow: 1 failed:")]
    assert "  barcodes  results/good/barcodes/mean.png\n" in done
    assert "  palettes  results/palettes.sqlite\n" in done
    assert "  tables    results/films.tsv, skipped.tsv\n" in done
    for words in NOISE:
        assert words not in told
    project.make("--report", "report.html", **config)
    page = (project.folder / "report.html").read_text()
    assert "films/empty.mp4 is empty" in page
    assert "results/good/barcodes/mean.png" in page
