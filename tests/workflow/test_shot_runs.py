"""Runs that look for shots, and what another wish makes again."""

from films import solid, write_film
from projects import NO_PICTURES, Project, name_jobs, name_merges

COLORS = (0xC02020, 0x206040, 0xE0E0F0)
CONFIG = {"films": "colors.mp4", "shards": {"frames": 2}, **NO_PICTURES}
SQL = "SELECT first_frame, last_frame, start_s, end_s FROM shots ORDER BY shot"


def test_shots_are_found_shard_by_shard_and_by_another_wish_anew(project: Project):
    # Two seconds each, a frame a second, two frames a shard.
    frames = (solid(color) for color in COLORS for _ in range(20))
    write_film(project.folder / "colors.mp4", frames, rate=10)
    shots = {"detector": "content"}
    made = project.make(**CONFIG, shots=shots)
    shards = ("00000", "00001", "00002")
    scored = name_jobs(["score_cuts"], "colors", *shards)
    assert scored <= made.jobs
    expected = [(0, 1, 0.0, 2.0), (2, 3, 2.0, 4.0), (4, 5, 4.0, 6.0)]
    assert project.query(SQL) == expected
    palettes = project.query("SELECT shot, rank, share FROM shot_palettes")
    assert palettes == [(0, 0, 1.0), (1, 0, 1.0), (2, 0, 1.0)]

    # Nothing is scored again for another threshold, or a detector that scores alike.
    again = project.make(**CONFIG, shots={"detector": "adaptive", "threshold": 2})
    assert name_merges("colors") <= again.jobs
    assert not scored & again.jobs
    hashed = project.make(**CONFIG, shots={"detector": "hash"})
    assert scored <= hashed.jobs

    # Without them, and of another plan: the scores would be of other shards.
    project.make(**CONFIG | {"shards": {"frames": 6}})
    assert project.query("SELECT count(*) FROM shots") == [(0,)]
    assert not list((project.folder / "results/colors/cuts").glob("*"))
