"""What killed runs and earlier shards left goes when a film is merged."""

import os

import pytest

from reelbow.runs.leftovers import remove_leftovers


def write_files(folder, names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("anything")


def list_files(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)) for path in files}


@pytest.mark.parametrize("keep", [False, True])
def test_what_killed_runs_left_goes_and_what_is_kept_or_not_ours_stays(tmp_path, keep):
    film, logs = tmp_path / "results/film", tmp_path / "logs"
    ours = ["frames/00000.tar", "frames/00001.tar", "thumbnails/00000.npz"]
    killed = ["frames/.00000.71.tar", "thumbnails/.00001.72.npz"]
    killed += ["palettes/.00000.73.sqlite"]
    mine = ["thumbnails/mine.npz", "frames/.mine.tar", "palettes/00000.sqlite"]
    # Jobs that no merge waits for are writing them.
    mine += ["frames/.00001.74.tar", "tiles/.00000.75.npz"]
    write_files(film, [*ours, *killed, *mine])
    # Of an earlier plan, and so perhaps other frames.
    for name in ("frames/00001.tar", "frames/.00000.71.tar"):
        os.utime(film / name, (0, 0))
    remove_leftovers(
        film, logs, ["00000", "00001"], planned_at=1_000_000_000, keep=keep
    )
    left = list_files(film)
    mine += ["frames/00000.tar"]
    assert left == {*mine, *(["thumbnails/00000.npz"] if keep else [])}


@pytest.mark.parametrize("has_previews", [False, True])
def test_previews_stay_but_those_of_an_earlier_plan_if_none_are_made(
    tmp_path, has_previews
):
    film, logs = tmp_path / "results/film", tmp_path / "logs"
    stays = ["previews/00000.jpg", "previews/storyboard.vtt", "previews/mine.jpg"]
    stays += ["previews/mine.webp"]
    stays += ["repaired/00001/1.jpg", "repaired/mine/00007.jpg"]
    goes = ["previews/.00000.71.jpg", "previews/00007.jpg"]
    goes += ["sums/00007.npz", "repaired/00007/1.jpg"]
    # Of earlier versions, also of shards that are planned.
    goes += ["previews/00000.webp", "previews/00007.webp", "previews/.00000.71.webp"]
    write_files(film, [*stays, *goes, "previews/00001.jpg"])
    # What tells that shard 00007 was Reelbow's.
    write_files(logs, ["downsample_frames/film/00007.log"])
    os.utime(film / "previews/00001.jpg", (0, 0))
    shards = ["00000", "00001"]
    remove_leftovers(
        film, logs, shards, planned_at=1_000_000_000, has_previews=has_previews
    )
    # Of tarballs they may be older, and are those of this plan.
    assert list_files(film) == {
        *stays,
        *(["previews/00001.jpg"] if has_previews else []),
    }
