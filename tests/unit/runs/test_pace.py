import heapq
import random
from types import SimpleNamespace

import pytest

from films import numbered, write_film
from reelbow.runs.pace import Expected, Pace, expect_films
from reelbow.runs.resources import NEEDS
from reelbow.shards.kinds import TARBALLS, VIDEO
from reelbow.shards.names import STAGES

FILM_RULES = ["plan_shards", *STAGES, "merge_film", "render_barcodes"]

# Seconds of a job on some machine: unlike what Pace takes for usual, and uneven.
TAKES_S = {
    "plan_shards": 1.5,
    "downsample_frames": 1.3,
    "cluster_shard": 1.0,
    "merge_film": 0.8,
    "merge_films": 2.0,
    "render_barcodes": 5.0,
}
# Of a shard of so many frames, and what Pace is told of it.
FRAME_S = {"downsample_frames": 0.024, "cluster_shard": 0.006}
WEIGHED_S = {"downsample_frames": 0.011, "cluster_shard": 0.002}
COMPILING_S = 15
STALL_S = 120
N_CORES = 2


def simulate(films: dict[str, list[int]], one_by_one: bool, stalls: int):
    """Run jobs as Snakemake would: when, what is told to be left, and what is.

    films : the frames of each film's shards
    stalls : of so many jobs, the machine stands still during one
    """
    dice = random.Random(1)
    begun: set[tuple[str, ...]] = set()

    def count_frames(job):
        return films[job[1]][int(job[2])] if job[0] in STAGES else 0

    def weigh(job):
        work_s = WEIGHED_S.get(job[0], 0) * count_frames(job)
        return NEEDS[job[0]].start_s + work_s

    def take_s(job):
        work_s = FRAME_S.get(job[0], 0) * count_frames(job)
        # k-means is compiled once.
        is_first = job[0] == STAGES[-1] and not any(
            STAGES[-1] in name for name in begun
        )
        begun.add(job)
        taken_s = (TAKES_S[job[0]] + work_s) * dice.lognormvariate(0, 0.3)
        stalls_now = stalls and len(begun) % stalls < N_CORES
        return taken_s + COMPILING_S * is_first + STALL_S * stalls_now

    def rank(job):
        if job[0] == "plan_shards" and not one_by_one:
            return (-1,)
        stage = FILM_RULES.index(job[0]) if job[0] in FILM_RULES else 9
        return (job[1:2], -stage) if one_by_one else (0, dice.random())

    pace, now_s, told = Pace(weigh), 0.0, []
    left = {("merge_films",)}
    for film in films:
        left |= {(rule, film) for rule in ("plan_shards", *FILM_RULES[-2:])}
    unplanned, ready = set(films), [("plan_shards", film) for film in films]
    running: list[tuple[float, tuple[str, ...]]] = []
    while left:
        ready.sort(key=rank)
        while ready and len(running) < N_CORES:
            job = ready.pop(0)
            pace.begin(job, now_s)
            heapq.heappush(running, (now_s + take_s(job), job))
        now_s, job = heapq.heappop(running)
        pace.end(job, now_s, is_done=True)
        left.remove(job)
        rule, *names = job
        if rule == "plan_shards":
            unplanned.remove(names[0])
            shards = [f"{shard:05d}" for shard in range(len(films[names[0]]))]
            left |= {(rule, names[0], shard) for rule in STAGES for shard in shards}
            ready += [(STAGES[0], names[0], shard) for shard in shards]
        elif rule in STAGES[:-1]:
            ready.append((STAGES[STAGES.index(rule) + 1], *names))
        elif rule == STAGES[-1]:
            if not any(job[0] == STAGES[-1] and job[1] == names[0] for job in left):
                ready.append(("merge_film", names[0]))
        elif rule == "merge_film":
            ready.append(("render_barcodes", names[0]))
            if not any(job[0] == "merge_film" for job in left):
                ready.append(("merge_films",))
        n_to_come = sum(len(films[film]) for film in unplanned)
        told.append((now_s, pace.estimate_left_s(left, n_to_come, now_s)))
    return [(at_s, left_s, now_s - at_s) for at_s, left_s in told]


SHAPES = {
    "8 films": {
        f"film{film}": [600] * shards + [250]
        for film, shards in enumerate([12, 2, 5, 20, 1, 9, 3, 14])
    },
    "300 films": {f"film{film:03d}": [5 + film % 20] for film in range(300)},
}


@pytest.mark.parametrize(
    ("shape", "one_by_one", "stalls"),
    [
        ("8 films", False, 0),
        ("8 films", True, 0),
        ("300 films", False, 0),
        ("300 films", True, 0),
        # A machine that stood still is not taken for a slow one.
        ("300 films", True, 1000),
    ],
)
def test_from_a_quarter_of_the_run_on_the_time_left_is_right_by_half(
    shape, one_by_one, stalls
):
    told = simulate(SHAPES[shape], one_by_one, stalls)
    whole_s = told[-1][0]
    for at_s, left_s, came_s in told:
        # Of the last jobs one or the other takes its own time.
        if at_s >= whole_s / 4 and abs(left_s - came_s) > 10:
            assert came_s / 1.5 <= left_s <= came_s * 1.5, at_s / whole_s


def test_nothing_is_told_before_anything_is_known():
    pace = Pace(lambda job: 1)
    assert pace.estimate_left_s([("merge_film", "a")], 0, 0) is None
    pace.begin(("plan_shards", "a"), 0)
    pace.end(("plan_shards", "a"), 1, is_done=True)
    assert pace.estimate_left_s([("merge_film", "a")], 0, 1) is not None
    # Of shards to come nothing is known before there is one.
    assert pace.estimate_left_s([("merge_film", "a")], 3, 1) is None


def make_film(name, *paths, **about):
    row = {"kind": VIDEO, "start_s": 0.0, "end_s": None, "fault": None, "shards": []}
    return SimpleNamespace(film=name, files=paths, **row | about)


@pytest.mark.parametrize(
    ("sampling", "n_frames"),
    [
        ({"mode": "interval", "every": 0.5}, 8),
        ({"mode": "frames", "every": 6}, 8),
        # Of which no header tells.
        ({"mode": "keyframes", "every": 1}, 0.8),
    ],
)
def test_headers_tell_of_shards(tmp_path, sampling, n_frames):
    path = write_film(tmp_path / "a.mp4", map(numbered, range(48)), rate=12)
    (tmp_path / "bad.mp4").write_text("no film")
    films = [
        make_film("whole", path),
        make_film("half", path, start_s=1.0, end_s=3.0),
        make_film("bad", tmp_path / "bad.mp4"),
        make_film("tars", kind=TARBALLS, shards=["a", "b"]),
    ]
    expected = expect_films(films, **sampling, per_shard=5)
    assert expected["whole"].n_frames == pytest.approx(n_frames)
    assert expected["whole"].n_shards == (2 if n_frames > 5 else 1)
    assert expected["half"].n_frames == pytest.approx(n_frames / 2)
    assert "bad" not in expected
    assert expected["tars"] == Expected(0, 2)


def test_of_many_films_some_headers_tell_of_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr("reelbow.runs.pace.MOST_HEADERS", 2)
    path = write_film(tmp_path / "a.mp4", map(numbered, range(48)), rate=12)
    films = [make_film(str(number), path) for number in range(5)]
    expected = expect_films(films, mode="interval", every=0.5, per_shard=5)
    assert {film.n_frames for film in expected.values()} == {8}
    assert len(expected) == 5
