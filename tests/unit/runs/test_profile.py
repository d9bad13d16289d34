import csv
import errno
import json
import os
from pathlib import Path

import pytest

from databases import write_shard
from reelbow.runs import profile as run_profile
from reelbow.runs.profile import Job
from reelbow.shards.names import SHARD_RULES


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "results").mkdir()
    return tmp_path


def plan_film(folder, film, n_frames, *, video=True):
    """Plan a film of shards of so many frames each."""
    plan = {
        "video": {} if video else None,
        "shards": [
            {"shard": f"{number:05d}", "n_frames": count}
            for number, count in enumerate(n_frames)
        ],
    }
    path = folder / "results" / film / "plan.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(plan))


def leave(folder, name, used="USED: 2.500 CPU s, at most 100.5 MB\n"):
    """Leave a job's log and benchmark."""
    log = folder / "logs" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(f"some warning\n{used}")
    # What Snakemake 9 writes; a short job has NA for each sample.
    log.with_suffix(".tsv").write_text("s\th:m:s\tmax_rss\n4.00\t0:00:04\tNA\n")


def find(folder, *films, kinds=("mean",)):
    return list(
        run_profile.find_jobs(
            films, kinds, logs=folder / "logs", results=folder / "results"
        )
    )


def test_a_job_is_found_with_what_it_used(folder):
    plan_film(folder, "a", [3, 2])
    leave(folder, "cluster_shard/a/00001")
    (job,) = find(folder, "a")
    assert job == Job("cluster_shard", {"a/00001": 2}, 2.5, 4.0, 100.5)


def test_every_stage_is_found_in_the_order_of_the_data(folder):
    plan_film(folder, "a", [1])
    plan_film(folder, "b", [1])
    for name in [
        *(
            "write_provenance",
            "write_index",
            "index_colors",
            "compare_all",
            "compare_films/a--b",
            "render_mosaic/cat",
            "assign_tiles/cat",
            "export_films",
            "summarize_films",
            "merge_films",
            "merge_film/a",
            "plan_shards/a",
            "write_explorer/a",
            "export_tables/a",
            "find_defects/a",
            "merge_sums/a",
            "render_posters/a",
            "render_averages/a",
            "render_contact/a",
            "render_barcodes/a",
            "render_barcode/a/mean",
        ),
        *(f"{rule}/a/00000" for rule in SHARD_RULES),
    ]:
        leave(folder, name)
    stages = run_profile.sum_stages(find(folder, "a", "b"))
    assert [stage.stage for stage in stages] == list(run_profile.STAGES)


def test_what_is_of_another_run_is_left_out(folder):
    plan_film(folder, "a", [1])
    plan_film(folder, "tars", [1], video=False)
    plan_film(folder, "gone", [1])
    for name in [
        "cluster_shard/a/00001",
        *("plan_shards/gone", "render_barcode/a/strip", "make_demo_film"),
    ]:
        leave(folder, name)
    assert find(folder, "a", "tars", "without_plan") == []


def test_a_picture_that_was_drawn_again_with_all_others_is_left_out(folder):
    plan_film(folder, "a", [1])
    leave(folder, "render_barcode/a/mean")
    leave(folder, "render_barcodes/a")
    assert [job.stage for job in find(folder, "a")] == ["render_barcodes"]
    leave(folder, "render_barcode/a/mean")
    drawn = ["render_barcodes", "render_barcode"]
    assert [job.stage for job in find(folder, "a")] == drawn


def test_a_job_that_failed_is_left_out(folder):
    plan_film(folder, "a", [1])
    leave(folder, "plan_shards/a", used="ERROR: a.mkv: cut off\n")
    leave(folder, "merge_film/a")
    (folder / "logs/merge_film/a.tsv").unlink()
    leave(folder, "merge_films")
    (folder / "logs/merge_films.tsv").write_text("")
    assert find(folder, "a") == []


def test_frames_of_tarballs_are_counted_in_their_databases(folder):
    plan_film(folder, "tars", [None, None], video=False)
    path = folder / "results/tars/palettes/00001.sqlite"
    path.parent.mkdir()
    write_shard(path, range(3), skipped=[("3.jpg", "cut off")])
    leave(folder, "plan_shards/tars")
    (job,) = find(folder, "tars")
    assert job.frames == {"tars/00000": 0, "tars/00001": 4}


JOBS = [
    Job("render_barcodes", {"a/0": 10, "a/1": 20}, 1.0, 2.0, 50.0),
    Job("extract_frames", {"a/0": 10}, 4.0, 5.0, 300.0),
    Job("extract_frames", {"a/1": 20}, 2.0, 9.0, 200.0),
    Job("render_barcodes", {"a/0": 10, "a/1": 20}, 3.0, 4.0, 70.0),
]


def test_stages_are_summed_and_frames_counted_once():
    extracted, rendered = run_profile.sum_stages(JOBS)
    assert extracted == ("extract_frames", 2, 30, 6.0, 14.0, 300.0, 5.0, 0.6)
    assert rendered == ("render_barcodes", 2, 30, 4.0, 6.0, 70.0, 7.5, 0.4)
    whole = run_profile.sum_all(JOBS)
    assert whole == ("all", 4, 30, 10.0, 20.0, 300.0, 3.0, 1.0)


def test_without_frames_or_time_there_is_no_rate():
    (stage,) = run_profile.sum_stages([Job("plan_shards", {}, 1.0, 1.0, 1.0)])
    assert stage.frames_per_cpu_s is None
    (stage,) = run_profile.sum_stages([Job("plan_shards", {"a": 1}, 0.0, 1.0, 1.0)])
    assert stage.frames_per_cpu_s is None
    assert stage.cpu_share == 0


def test_the_file_has_a_row_for_each_stage(tmp_path):
    path = tmp_path / "profile.tsv"
    nothing = run_profile.sum_stages([Job("plan_shards", {}, 1.0, 1.0, 1.0)])
    run_profile.write_table([*run_profile.sum_stages(JOBS), *nothing], path)
    with path.open(newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    assert rows[0] == {
        "stage": "extract_frames",
        "jobs": "2",
        "frames": "30",
        "cpu_s": "6.000",
        "wall_s": "14.00",
        "peak_mb": "300.0",
        "frames_per_cpu_s": "5.00",
        "cpu_share": "0.6000",
    }
    assert rows[2]["frames_per_cpu_s"] == ""


def test_the_text_is_aligned_and_ends_with_the_sum():
    text = run_profile.format_table(
        run_profile.sum_stages(JOBS), run_profile.sum_all(JOBS)
    )
    lines = text.splitlines()
    assert len({len(line) for line in lines}) == 1
    cells = " ".join(lines[1].split())
    assert cells == "extract_frames 2 30 6.00 14.00 300 5 60.0%"
    assert lines[-1].startswith("all ")


def test_a_log_that_cannot_be_read_is_no_job_less(folder, monkeypatch):
    def fail(*_):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    leave(folder, "merge_films")
    assert len(find(folder)) == 1
    monkeypatch.setattr(Path, "read_bytes", fail)
    with pytest.raises(OSError, match="open files"):
        find(folder)
