"""What killed runs and earlier shards left goes when a film is merged."""

import os

import pytest

from reelbow.runs.leftovers import remove_leftovers


@pytest.mark.parametrize("keep", [False, True])
def test_what_killed_runs_left_goes_and_what_is_kept_or_not_ours_stays(tmp_path, keep):
    film, logs = tmp_path / "results/film", tmp_path / "logs"
    ours = ["frames/00000.tar", "frames/00001.tar", "thumbnails/00000.npz"]
    killed = ["frames/.00000.71.tar", "thumbnails/.00001.72.npz"]
    killed += ["palettes/.00000.73.sqlite"]
    mine = ["thumbnails/mine.npz", "frames/.mine.tar", "palettes/00000.sqlite"]
    for name in [*ours, *killed, *mine]:
        (film / name).parent.mkdir(parents=True, exist_ok=True)
        (film / name).write_text("anything")
    # Of an earlier plan, and so perhaps other frames.
    os.utime(film / "frames/00001.tar", (0, 0))
    remove_leftovers(
        film, logs, ["00000", "00001"], planned_at=1_000_000_000, keep=keep
    )
    left = {str(path.relative_to(film)) for path in film.rglob("*") if path.is_file()}
    mine += ["frames/00000.tar"]
    assert left == {*mine, *(["thumbnails/00000.npz"] if keep else [])}
