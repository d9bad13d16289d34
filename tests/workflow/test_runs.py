import json
import os
import re
import shutil
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from projects import (
    COLORS,
    FINISHED,
    NO_PAGES,
    NO_PICTURES,
    ONE_PICTURE,
    ROOT,
    close_to,
    copy_code,
    make_project,
    name_jobs,
    name_merges,
    write_colors,
    write_tarball,
)
from reelbow.jobs.file_digest import digest_file
from reelbow.shards.names import STAGES
from reelbow.shards.previews import read_sheet

END = {"merge_films": 1, "summarize_films": 1, "all": 1}
TAIL = {"merge_film": 1, "plan_shards": 1, **END}


# Dry runs


def test_the_demo_makes_its_film_and_four_barcodes(project):
    result = project.make("--dry-run")
    more = ["make_demo_film", "render_barcodes", "write_explorer", "write_index"]
    jobs = {**TAIL, **dict.fromkeys([*more, "index_colors"], 1), "total": 10}
    assert result.counts == jobs
    assert project.results() == set()


def test_two_films_and_one_kind(project):
    for name in ["a.mp4", "b.mp4"]:
        write_colors(project.folder / name, COLORS[:1])
    result = project.run(
        "--dry-run", films=["a.mp4", "b.mp4"], barcodes={"kinds": ["mean"]}
    )
    two = ["merge_film", "plan_shards", "render_barcodes", "write_explorer"]
    one = ["write_index", "index_colors"]
    jobs = {**TAIL, **dict.fromkeys(two, 2), **dict.fromkeys(one, 1), "total": 13}
    assert result.counts == jobs


def test_tarballs_are_one_film(project):
    for number in range(3):
        write_tarball(project.folder / f"tars/{number}.tar", {"0.jpg": 0x808080})
    result = project.run("--dry-run", films="tars/*.tar", **NO_PICTURES)
    assert result.counts == {**TAIL, "total": 5}


# End to end

# What the film says of its colors, and that nothing was assumed.
CODING = ("bt709", "limited", "sdr", "bt709", None)


def test_every_frame_has_its_color_and_time(finished):
    rows = finished.query(
        """SELECT frame, time_s, mean_color, color, share
        FROM frames JOIN palettes USING (film_id, frame) WHERE rank = 0"""
    )
    assert [row[:2] for row in rows] == [(i, float(i)) for i in range(len(COLORS))]
    for (_, _, mean, color, share), truth in zip(rows, COLORS, strict=True):
        assert close_to(mean, truth)
        assert close_to(color, truth)
        assert share > 0.9
    strips = finished.query("SELECT strip FROM frames ORDER BY frame")
    for (strip,), truth in zip(strips, COLORS, strict=True):
        for red, green, blue in zip(*[iter(strip)] * 3, strict=True):
            assert close_to(red << 16 | green << 8 | blue, truth)
    columns = "film, title, source, width, height, duration_s, crop"
    coding = "matrix, color_range, transfer, primaries, assumed"
    assert finished.query(f"SELECT {columns}, {coding} FROM films") == [
        ("colors", "colors", "colors.mp4", 64, 48, 6.0, None, *CODING)
    ]
    asked = "start_s, end_s, stream, sampling, every, crop_asked"
    assert finished.query(f"SELECT {asked}, n_frames, n_pictures FROM films") == [
        (0.0, None, None, "interval", 1.0, "auto", 6, 72)
    ]
    ((digest, path),) = finished.query(
        "SELECT DISTINCT films.digest, path FROM frames "
        "JOIN shards USING (film_id, shard) JOIN films USING (film_id)"
    )
    assert path == "colors.mp4"
    assert digest == digest_file(finished.folder / path)


@pytest.mark.parametrize("kind", ["mean", "stacked"])
def test_the_pictures_are_of_the_size_and_colors(finished, kind):
    barcodes = finished.folder / "results/colors/barcodes"
    with Image.open(barcodes / f"{kind}.png") as image:
        pixels = np.asarray(image)
    assert pixels.shape == (40, len(COLORS), 3)
    for column, truth in enumerate(COLORS):
        red, green, blue = (int(channel) for channel in pixels[-1, column])
        assert close_to(red << 16 | green << 8 | blue, truth)
    assert (barcodes / f"{kind}_figure.png").stat().st_size > 1000


def test_the_database_says_what_made_it(finished):
    metadata = dict(finished.query("SELECT key, value FROM metadata"))
    assert '"cluster.n_colors"' in metadata["settings"]
    assert metadata["version/numpy"]
    # Of downsample_frames and cluster_shard.
    assert re.fullmatch(r"[0-9a-f]{16} [0-9a-f]{16}", metadata["digest"])


def test_what_is_left_is_what_was_asked_for(finished):
    assert finished.results() == {
        "palettes.sqlite",
        "films.tsv",
        "skipped.tsv",
        "colors/plan.json",
        "colors/palettes.sqlite",
        *[f"colors/palettes/{shard:05d}.sqlite" for shard in range(3)],
        *[f"colors/previews/{shard:05d}.jpg" for shard in range(3)],
        *[
            f"colors/barcodes/{kind}{ending}.png"
            for kind in ["mean", "stacked"]
            for ending in ["", "_figure"]
        ],
    }


@pytest.mark.parametrize(
    ("page", "n"), [("README.md", 1), ("docs/palettes.md", 6), ("docs/gpu.md", 1)]
)
def test_the_queries_of_the_documents_run(finished, page, n):
    queries = re.findall(r"```sql\n(.*?)```", (ROOT / page).read_text(), re.S)
    assert len(queries) == n
    for sql in queries:
        # There are no accents in these databases.
        assert finished.query(sql) or "WHERE accent" in sql, sql


def test_where_all_is_done_no_job_is_looked_at(copied):
    first = copied.make(**FINISHED)
    assert first.jobs == set()
    assert "Nothing to be done" in first.stdout + first.stderr
    assert "results/colors/barcodes/mean.png" in first.stderr
    # It tells what it keeps, which nobody found in the jobs.
    record = copied.folder / ".snakemake/finished/results.json"
    kept = json.loads(record.read_text())
    record.write_text(json.dumps(kept | {"targets": ["results/films.tsv"]}))
    again = copied.make(**FINISHED)
    assert "results/films.tsv" in again.stderr
    assert "mean.png" not in again.stderr
    # Who wants something else is heard.
    assert copied.run("--dry-run", "--forceall", **FINISHED).counts["merge_film"] == 1
    wanted = copied.run("--dry-run", "--force", "results/films.tsv", **FINISHED)
    assert wanted.counts == {"summarize_films": 1, "total": 1}
    other = copied.run("--dry-run", **FINISHED, cluster={"seed": 7})
    assert other.counts["cluster_shard"] == 3
    # Of a job that was killed Snakemake has left a mark.
    mark = copied.folder / ".snakemake/incomplete/bWVyZ2Vk"
    mark.touch()
    assert "mean.png" in copied.make(**FINISHED).stderr
    mark.unlink()
    # A run that had to look at all jobs, and found nothing to do, keeps that, too.
    record.unlink()
    assert copied.make(**FINISHED).jobs == set()
    assert "results/films.tsv" in json.loads(record.read_text())["targets"]
    # A run that begins lets the next one look again, however it ends.
    (copied.folder / "colors.mp4").write_bytes(b"no film")
    assert copied.run(**FINISHED).status != 0
    assert not record.exists()


def test_a_deleted_shard_runs_its_own_chain_only(copied, finished):
    (copied.folder / "results/colors/palettes/00001.sqlite").unlink()
    result = copied.make(**FINISHED)
    assert result.jobs == {
        *name_jobs(STAGES, "colors", "00001"),
        *name_merges("colors"),
        "render_barcodes/colors",
    }
    assert copied.rows() == finished.rows()


def read_previews(project, film="colors"):
    """Read the color in the middle of each frame's preview, by frames."""
    colors = {}
    for path in (project.folder / "results" / film / "previews").glob("*.jpg"):
        sheet = read_sheet(path)
        with Image.open(path) as image:
            pixels = image.convert("RGB")
        for cell, frame in enumerate(sheet.frames.tolist()):
            x, y, width, height = sheet.locate(cell)
            red, green, blue = pixels.getpixel((x + width // 2, y + height // 2))
            colors[frame] = red << 16 | green << 8 | blue
    return colors


def test_every_frame_has_a_preview(finished):
    colors = read_previews(finished)
    assert sorted(colors) == list(range(len(COLORS)))
    assert all(close_to(colors[i], color) for i, color in enumerate(COLORS))


def test_a_missing_sheet_of_previews_is_made_again_with_its_shard(copied, finished):
    sheet = Path("results/colors/previews/00001.jpg")
    # As an earlier version left it.
    old = (copied.folder / sheet).rename((copied.folder / sheet).with_suffix(".webp"))
    result = copied.make(**FINISHED)
    assert result.jobs == {
        *name_jobs(STAGES, "colors", "00001"),
        *name_merges("colors"),
        "render_barcodes/colors",
    }
    assert copied.rows() == finished.rows()
    assert not old.exists()
    again, before = (each.folder / sheet for each in (copied, finished))
    assert again.read_bytes() == before.read_bytes()


def test_other_previews_make_the_shards_again_and_none_leave_what_is_there(copied):
    config = {**FINISHED, **NO_PICTURES}
    shards = ["00000", "00001", "00002"]
    result = copied.make(**config, previews={"height": 24})
    assert name_jobs(["downsample_frames"], "colors", *shards) <= result.jobs
    sheets = copied.folder / "results/colors/previews"
    assert {read_sheet(path).cell_height for path in sheets.iterdir()} == {24}
    # Cut into other shards, without previews: those of the old ones go.
    copied.make(**config | {"shards": {"frames": 3}}, previews={"height": None})
    assert not any(sheets.iterdir())


def test_a_deleted_film_is_merged_again(copied):
    (copied.folder / "results/colors/palettes.sqlite").unlink()
    result = copied.run("--dry-run", **FINISHED)
    again = {"merge_film": 1, "render_barcodes": 1, **END}
    assert result.counts == {**again, "total": 5}


def test_any_shards_and_cores_give_the_same_rows(copied, finished):
    # On top of the other run, whose shards must not be taken for these.
    config = {**FINISHED, "shards": {"frames": 50}, **NO_PICTURES}
    result = copied.make(cores=1, **config)
    clustered = {job for job in result.jobs if job.startswith("cluster_shard")}
    assert clustered == {"cluster_shard/colors/00000"}
    assert copied.rows() == finished.rows()
    left = {path for path in copied.results() if path.startswith("colors/palettes/")}
    assert left == {"colors/palettes/00000.sqlite"}


def test_a_changed_module_runs_what_uses_it_again(copied, finished, tmp_path):
    copied.code = copy_code(tmp_path / "code", finished.code)
    figure = copied.code / "workflow/scripts/reelbow/barcode/figure.py"
    figure.write_text(figure.read_text() + "# changed\n")
    result = copied.run("--dry-run", **FINISHED)
    assert result.counts == {"render_barcodes": 1, "all": 1, "total": 2}


@pytest.mark.parametrize(
    "barcodes",
    [
        {"height": 41},
        {"width": 3},
        {"width": "frames"},
        {"skip_black": True},
        {"gap_color": "#000000"},
    ],
)
def test_another_setting_draws_all_barcodes_and_does_nothing_else(finished, barcodes):
    barcodes = {**FINISHED["barcodes"], **barcodes}
    result = finished.run("--dry-run", **{**FINISHED, "barcodes": barcodes})
    assert result.counts == {"render_barcodes": 1, "all": 1, "total": 2}


def test_a_contact_sheet_is_made_of_previews_and_draws_nothing_else(copied):
    barcodes = {**FINISHED["barcodes"], "kinds": ["mean", "stacked", "contact"]}
    result = copied.make(**{**FINISHED, "barcodes": barcodes})
    assert result.jobs == {"render_contact/colors"}
    folder = copied.folder / "results/colors/barcodes"
    assert (folder / "contact_figure.png").exists()
    with Image.open(folder / "contact.png") as image:
        first = image.getpixel((5, 5))
        last = image.getpixel((5, image.height - 5))
    assert close_to(COLORS[0], int.from_bytes(bytes(first)), by=12)
    assert last != first


def test_another_order_leaves_the_figures_of_other_kinds(copied):
    def number_figures():
        folder = copied.folder / "results/colors/barcodes"
        return {path.stem: path.stat().st_ino for path in folder.glob("*.svg")}

    config = {**FINISHED, "barcodes": {"kinds": ["mean", "stacked"]}}
    copied.make(**config)
    before = number_figures()
    config["barcodes"]["order"] = "hue"
    assert copied.make(**config).jobs == {"render_barcodes/colors"}
    after = number_figures()
    assert after["mean"] == before["mean"]
    assert after["stacked"] != before["stacked"]
    assert "Nothing to be done" in copied.make("--dry-run", **config).stderr


@pytest.mark.parametrize(
    "config",
    [
        {"cluster": {"gpu_share": 0.5, "gpu_wait_min": 5}},
        {"profile": True},
    ],
)
def test_what_changes_no_result_runs_nothing_again(finished, config):
    result = finished.make("--dry-run", **FINISHED, **config)
    assert "Nothing to be done" in result.stderr


# Tarballs


def test_a_tarball_that_is_cut_off_fails_alone_and_runs_alone_when_mended(project):
    for name, colors in {"a": COLORS[:2], "b": COLORS[2:4], "c": COLORS[4:]}.items():
        write_tarball(project.folder / f"tars/{name}.tar", colors)
    cut = project.folder / "tars/b.tar"
    whole = cut.read_bytes()
    cut.write_bytes(whole[:1800])
    config = {"films": "tars/*.tar", **ONE_PICTURE}

    result = project.run("--retries", "1", **config)
    assert result.status != 0
    assert "tars/b.tar: cut off" in result.stderr
    assert "copy or pack it again" in result.stderr
    for word in ["Traceback", "CalledProcessError", "WorkflowError"]:
        assert word not in result.stderr
    assert project.results() == {
        "failed.tsv",
        "tars/plan.json",
        "tars/palettes/a.sqlite",
        "tars/palettes/c.sqlite",
        "tars/previews/a.jpg",
        "tars/previews/c.jpg",
    }
    (row,) = project.failures()
    assert row.pop("ended").startswith("tars/b.tar: cut off")
    assert row == {
        "film": "tars",
        "shard": "b",
        "stage": "downsample_frames",
        "attempts": "2",
        "log": "logs/downsample_frames/tars/b.log",
    }

    cut.write_bytes(whole)
    result = project.make(**config)
    assert result.jobs == {
        *name_jobs(STAGES, "tars", "b"),
        *name_merges("tars"),
        "render_barcodes/tars",
    }
    assert not (project.folder / "results/failed.tsv").exists()
    project.check_colors(COLORS)


def test_a_tarball_that_comes_or_goes_runs_itself_and_the_merges_only(project):
    for name, color in zip("acd", [COLORS[0], *COLORS[2:4]], strict=True):
        write_tarball(project.folder / f"tars/{name}.tar", {"0.jpg": color})
    config = {"films": "tars/*.tar", **ONE_PICTURE}
    project.make(**config)
    merges = {"plan_shards/tars", *name_merges("tars"), "render_barcodes/tars"}

    write_tarball(project.folder / "tars/b.tar", {"0.jpg": COLORS[1]})
    result = project.make(**config)
    assert result.jobs == merges | name_jobs(STAGES, "tars", "b")
    project.check_colors(COLORS[:4])

    (project.folder / "tars/c.tar").unlink()
    # What is not Reelbow's own stays.
    mine = project.folder / "results/tars/palettes/notes.sqlite"
    mine.write_text("mine")
    result = project.make(**config)
    assert result.jobs == merges
    project.check_colors([*COLORS[:2], COLORS[3]])
    assert mine.read_text() == "mine"
    left = [*project.results(), *project._logs()]
    assert not [name for name in left if Path(name).stem == "c"]
    assert {Path(name).stem for name in left} >= set("abd")


def test_frames_that_are_kept_are_decoded_for_themselves(copied, finished):
    config = {**FINISHED, "extract": {"keep": True, "height": 32}}
    shards = ["00000", "00001", "00002"]
    result = copied.make(**config)
    assert result.jobs == name_jobs(["extract_frames"], "colors", *shards)
    kept = sorted((copied.folder / "results/colors/frames").iterdir())
    assert [path.stem for path in kept] == shards
    with tarfile.open(kept[1]) as tar:
        names = tar.getnames()
    assert names == [f"{i:08d}{end}" for i in (2, 3) for end in (".jpg", ".json")]
    assert copied.rows() == finished.rows()
    assert copied.run(**config).jobs == set()
    # They are not asked for any more, and not taken away either.
    assert copied.run(**FINISHED).jobs == set()
    assert all(path.exists() for path in kept)


def test_other_colors_of_kept_thumbnails_decode_nothing(copied, finished):
    config = {**FINISHED, **NO_PICTURES, "downsample": {"keep": True}}
    shards = ["00000", "00001", "00002"]
    # What is done stays so; only what is made from then on is kept.
    others = {"cluster": {"auto_colors": [2, 9]}}
    assert copied.run(**config, **others).jobs == set()
    (copied.folder / "results/colors/palettes/00001.sqlite").unlink()
    copied.run(**config)
    kept = copied.folder / "results/colors/thumbnails"
    assert {path.name for path in kept.iterdir()} == {"00001.npz"}

    first = name_jobs(STAGES[:-1], "colors", "00000", "00002")
    clustered = name_jobs(STAGES[-1:], "colors", *shards) | name_merges("colors")
    for cluster, decoded in [
        ({"n_colors": 3, "color_space": "oklab"}, first),
        ({"n_colors": 8}, set()),
    ]:
        result = copied.make(**config, cluster=cluster)
        assert result.jobs == {*decoded, *clustered}
    assert copied.rows() == finished.rows()

    # No longer kept: they go as soon as they are used.
    config = {**FINISHED, **NO_PICTURES, "cluster": {"n_colors": 2}}
    assert copied.run(**config).jobs == clustered
    assert not any(kept.glob("*"))


def test_frames_have_as_many_colors_as_they_need(project):
    gray = np.full((48, 64, 3), 128)
    two = np.where(np.arange(64)[:, None] < 32, [200, 60, 40], gray)
    blocks = np.random.default_rng(0).integers(0, 256, (6, 8, 3))
    many = blocks.repeat(8, axis=0).repeat(8, axis=1)
    noise = np.random.default_rng(1).normal(0, 2, gray.shape)
    pictures = {
        f"{i}.png": cv2.imencode(".png", (picture + noise).clip(0, 255))[1].tobytes()
        for i, picture in enumerate([gray, two, many])
    }
    write_tarball(project.folder / "film.tar", pictures)
    barcodes = {"kinds": ["stacked"], "formats": ["png"], "height": 60}
    config = {"films": "film.tar", **NO_PAGES, "barcodes": barcodes}
    bounds = {"n_colors": "auto", "auto_colors": [1, 6]}
    project.make(**config, cluster=bounds)
    numbers = project.query("SELECT count(*) FROM palettes GROUP BY frame")
    assert numbers == [(1,), (2,), (6,)]
    # The view has columns for the most, in a film's database and in that of all.
    for database in ["palettes.sqlite", "film/palettes/film.sqlite"]:
        sql = "SELECT color0 IS NULL, color2 IS NULL, color5 IS NULL FROM images"
        assert project.query(sql, database) == [(0, 1, 1), (0, 1, 1), (0, 0, 0)]
        names = project.query("SELECT name FROM pragma_table_info('images')", database)
        assert ("color6",) not in names
    metadata = dict(project.query("SELECT key, value FROM metadata"))
    about = json.loads(metadata["settings"])
    assert (about["cluster.n_colors"], about["cluster.auto_colors"]) == ("auto", [1, 6])
    with Image.open(project.folder / "results/film/barcodes/stacked.png") as image:
        columns = np.asarray(image).swapaxes(0, 1)
    assert [len(np.unique(column, axis=0)) for column in columns] == [1, 2, 6]
    others = {**bounds, "auto_colors": [1, 5]}
    counts = project.make("--dry-run", **config, cluster=others).counts
    assert counts["cluster_shard"] == counts["merge_film"] == 1


def test_one_shard_can_be_asked_for_before_there_is_a_plan(project):
    for name in "ab":
        write_tarball(project.folder / f"tars/{name}.tar", {"0.jpg": COLORS[0]})
    write_colors(project.folder / "colors.mp4", COLORS[:3])
    films = {"films": ["colors.mp4", "tars/*.tar"], "shards": {"frames": 1}}
    for shard in ["tars/palettes/b", "colors/palettes/00001"]:
        target = f"results/{shard}.sqlite"
        result = project.make("--dry-run", target, **films)
        assert "Traceback" not in result.stderr
        project.make("--keep-going", target, **films)
        made = {path for path in project.results() if "/palettes/" in path}
        assert f"{shard}.sqlite" in made
    assert len(made) == 2
    result = project.run("--keep-going", "results/tars/palettes/c.sqlite", **films)
    assert result.status != 0
    assert "film tars has no shard c" in result.stderr


def test_films_are_finished_one_after_the_other(project):
    films = ["a.mp4", "b.mp4"]
    for film in films:
        write_colors(project.folder / film, COLORS[:2])
    project.make(cores=1, films=films, shards={"frames": 1}, **ONE_PICTURE)
    # A film has its picture before the next one is even planned.
    results = project.folder / "results"
    times = [
        (results / name / file).stat().st_mtime_ns
        for name in "ab"
        for file in ["plan.json", "barcodes/mean.png"]
    ]
    assert times == sorted(times)
    # Also with plans to come, nothing piles up.
    assert not [path for path in project.results() if path.endswith((".tar", ".npz"))]


def test_another_sampling_is_none_of_a_tarball_s_business(project):
    write_tarball(project.folder / "a.tar", {"0.jpg": COLORS[0]})
    project.make(films="a.tar", **NO_PICTURES)
    sampling = {"mode": "frames", "every": 2}
    result = project.make(films="a.tar", sampling=sampling, **NO_PICTURES)
    assert result.jobs == set()


# Going on without


@pytest.fixture(scope="module")
def gone_on(tmp_path_factory, code):
    """Films of which two have damaged parts, and two cannot be read at all.

    They failed, and then the run went on without.
    """
    project = make_project(tmp_path_factory.mktemp("gone_on") / "project", code)
    folder = project.folder
    write_colors(folder / "good.mp4", COLORS[:2])
    for name, colors in {"a": COLORS[:1], "b": COLORS[1:], "c": COLORS[:2]}.items():
        write_tarball(folder / f"tars/{name}.tar", colors)
    whole = (folder / "tars/b.tar").read_bytes()
    (folder / "whole.tar").write_bytes(whole)
    # A header and two blocks for each picture: two are whole, and the third is not.
    (folder / "tars/b.tar").write_bytes(whole[: 7 * 512 + 100])
    for name in ["tars/c.tar", "dead.tar", "bad.mp4"]:
        (folder / name).write_bytes(b"neither a tarball nor a film")
    sources = ["tars/*.tar", "dead.tar", "bad.mp4", "good.mp4"]
    rows = [f"{name}\t{source}" for name, source in zip(DAMAGED, sources, strict=True)]
    (folder / "films.tsv").write_text("\n".join(["film\tsource", *rows]) + "\n")
    failed = project.run(**MEAN)
    assert failed.status != 0
    assert len(project.failures()) == 4
    # From fail to skip.
    return project, project.make(**GO_ON)


@pytest.fixture
def damaged(gone_on, tmp_path):
    """A copy of them, after that."""
    return gone_on[0].copy(tmp_path / "project")


DAMAGED = ["tars", "dead", "bad", "good"]
MEAN = {"films": "films.tsv", **ONE_PICTURE}
GO_ON = {**MEAN, "errors": {"missing_shards": "skip"}}


def test_what_cannot_be_read_is_left_out_told_and_tried_again(damaged, gone_on):
    # What failed, and what needs it.
    _, result = gone_on
    left_out = {"plan_shards/dead", "merge_film/dead", "plan_shards/bad"}
    tars = {*name_jobs(STAGES, "tars", *"bc"), "render_barcodes/tars"}
    assert result.jobs == left_out | name_merges("bad") | tars | name_merges("tars")
    assert "film tars: 2 shards could not be read whole (b: tars/b.tar" in result.stderr
    for name in ["dead", "bad"]:
        assert f"film {name} is left out: {name}." in result.stderr
    assert not damaged.failures()

    assert damaged.query("SELECT film FROM films ORDER BY film_id") == [
        (name,) for name in DAMAGED
    ]
    lost = "SELECT shard FROM shards WHERE lost IS NOT NULL ORDER BY shard"
    assert damaged.query(lost) == [("b",), ("c",)]
    skipped = damaged.query("SELECT film_id, shard, name FROM skipped ORDER BY rowid")
    assert skipped == [
        (1, "b", "2.jpg"),
        (1, "b", "b.tar"),
        (1, "c", "c.tar"),
        (2, "", "dead.tar"),
        (3, "", "bad.mp4"),
    ]
    salvaged = damaged.query(
        "SELECT color FROM palettes WHERE film_id = 1 AND rank = 0 ORDER BY frame"
    )
    assert len(salvaged) == 3
    assert all(map(close_to, (color for (color,) in salvaged), COLORS))
    # A film without shards takes no part in what the others agree on.
    assert damaged.query("SELECT value FROM metadata WHERE key = 'version/numpy'")
    pictures = {path for path in damaged.results() if path.endswith(".png")}
    assert pictures == {"tars/barcodes/mean.png", "good/barcodes/mean.png"}
    assert damaged.run(**GO_ON).jobs == set()

    # Mended ones are read; what is still bad is no reason to try it again.
    shutil.copy(damaged.folder / "whole.tar", damaged.folder / "tars/b.tar")
    shutil.copy(damaged.folder / "whole.tar", damaged.folder / "dead.tar")
    result = damaged.make(**GO_ON)
    assert {"downsample_frames/tars/b", "render_barcodes/dead"} < result.jobs
    assert not {"downsample_frames/tars/c", "plan_shards/bad"} & result.jobs
    assert damaged.query(lost) == [("c",)]
    assert damaged.run(**GO_ON).jobs == set()


def test_what_was_left_out_fails_if_nothing_may_be_missing_any_more(damaged):
    result = damaged.run(**MEAN)
    assert result.status != 0
    told = {(row["film"], row["stage"]): row["ended"] for row in damaged.failures()}
    # Shards that are taken back are tried in this run if another plan comes after that.
    assert told.keys() - {("tars", "downsample_frames")} == {
        ("tars", "merge_film"),
        ("dead", "downsample_frames"),
        ("bad", "plan_shards"),
    }
    assert "shard b was left out by an earlier run" in told["tars", "merge_film"]
    for name in ["tars/b.tar", "tars/c.tar", "dead.tar"]:
        shutil.copy(damaged.folder / "whole.tar", damaged.folder / name)
    shutil.copy(damaged.folder / "good.mp4", damaged.folder / "bad.mp4")
    damaged.make(**MEAN)
    assert damaged.query("SELECT * FROM skipped") == []
    assert damaged.run(**MEAN).jobs == set()


def test_a_film_without_a_picture_is_a_gap_and_is_told_of_in_each_run(project):
    # Only pictures that are all there count, and there are none.
    for name in "ab":
        path = write_tarball(project.folder / f"tars/{name}.tar", COLORS[:2])
        with tarfile.open(path, "a") as tarball:
            tarball.addfile(tarfile.TarInfo("2.jpg"))
    (project.folder / "films").mkdir()
    write_colors(project.folder / "films/good.mp4", COLORS[:1])
    (project.folder / "films/empty.mp4").touch()
    errors = {"missing_shards": "skip", "missing_frames": "fail"}
    config = {**MEAN, "films": ["tars/*.tar", "films"], "errors": errors}
    result = project.make(**config)
    assert "film tars: 2 shards could not be read whole" in result.stderr
    with Image.open(project.folder / "results/tars/barcodes/mean.png") as image:
        assert image.getcolors() == [(image.width * image.height, (0xD9,) * 3)]

    # An empty film takes nobody's place, and nor does it when it is there.
    assert project.run(**config).jobs == set()
    write_colors(project.folder / "films/empty.mp4", COLORS[:1])
    result = project.make("--dry-run", **config)
    assert result.counts["plan_shards"] == 1


def test_a_node_writes_the_plan_that_it_was_asked_for(project):
    tarball = project.folder / "tars/0.tar"
    write_tarball(tarball, {"0.jpg": COLORS[0]})
    config = {"films": "tars/*.tar", **NO_PICTURES}
    plan = project.folder / "results/tars/plan.json"
    project.make("--", "results/tars/plan.json", **config)
    before = plan.read_bytes()
    # Newer, which is no reason for another plan of a film that has one.
    os.utime(tarball)
    # As a job of a cluster is run, but here.
    remote = ["--mode", "remote", "--shared-fs-usage", "input-output", "persistence"]
    job = ["--force", "--nolock", "--target-jobs", "plan_shards:film=tars"]
    project.make(*remote, *job, **config)
    assert plan.read_bytes() == before


# Failures


def test_a_locked_folder_is_told_in_one_sentence(copied):
    locks = copied.folder / ".snakemake/locks"
    locks.mkdir(parents=True, exist_ok=True)
    (locks / "0.output.lock").write_text("results/palettes.sqlite\n")
    result = copied.run(**FINISHED)
    assert result.status != 0
    assert (
        "Reelbow: another run is going on in this folder, or one was" in result.stderr
    )
    assert "LockException" not in result.stderr
    copied.make("--unlock", **FINISHED)
    copied.make("--dry-run", **FINISHED)


def test_frames_at_full_size_need_no_thumbnails(project):
    write_colors(project.folder / "colors.mkv")
    full = {"films": "colors.mkv", "downsample": {"height": None}, **NO_PICTURES}
    result = project.make(**full)
    assert all(map(close_to, read_previews(project).values(), COLORS))
    assert len(read_previews(project)) == len(COLORS)
    assert not any(job.startswith("downsample_frames") for job in result.jobs)
    sizes = project.query("SELECT DISTINCT length(strip) FROM frames")
    ((height,),) = project.query("SELECT height FROM films")
    assert sizes == [(3 * height,)]
    assert project.run(**full).jobs == set()


def test_the_scheduler_goes_no_more_rounds_than_there_are_jobs(project):
    for number in range(5):
        write_tarball(project.folder / f"tars/{number}.tar", {"0.jpg": COLORS[0]})
    config = {"films": "tars/*.tar", **NO_PICTURES}
    result = project.make("--verbose", cores=1, **config)
    rounds = len(re.findall(r"Ready jobs: \d+", result.stderr))
    assert 0 < rounds <= 2 * len(result.jobs)


def test_measures_are_drawn_where_they_are_asked_for(project):
    write_colors(project.folder / "film.mp4", COLORS[:3])
    config = {"films": "film.mp4", **NO_PAGES}
    none = {"barcodes": {"kinds": [], "formats": ["png"]}}
    project.make(**config, **none)
    assert not (project.folder / "results/film/barcodes").exists()
    # By them alone: nothing of the film is made again.
    asked = {**config, **none, "measures": ["lightness", "chroma"]}
    assert project.make(**asked).counts == {"render_barcodes": 1, "all": 1, "total": 2}
    figure = project.folder / "results/film/barcodes/measures.png"
    assert [path.name for path in figure.parent.iterdir()] == ["measures.png"]
    size = figure.stat().st_size
    again = {**asked, "measures": ["lightness"]}
    assert project.make(**again).counts["render_barcodes"] == 1
    assert figure.stat().st_size < size
    assert project.make(**again).counts == {}
