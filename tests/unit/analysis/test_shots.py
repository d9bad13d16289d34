"""Shots of films whose cuts are known, however sharded, and of what is not whole."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain import plan_files
from films import find_packets, overwrite, solid, write_film
from reelbow.analysis.cut_scores import METRICS, CutScores, load_scores
from reelbow.analysis.shots import find_shots
from reelbow.errors import DamagedError, ReelbowError
from reelbow.pictures.geometry import MAX_PIXELS
from reelbow.pictures.image_files import encode_jpeg
from reelbow.shards.plan import read_plan
from reelbow.shards.tarballs import TarballWriter
from score_cuts import score_cuts
from shared_films import shared_film

DETECTORS = ("adaptive", "content", "hash")
RATE = 24
# Frames of the shots of the film below.
LENGTHS = (40, 30, 17, 60, 53)
CUTS = tuple(itertools.accumulate(LENGTHS[:-1]))


def draw_shot(number, n_frames, size=(96, 64)):
    """Draw a shot: soft blobs of its own colors that drift slowly."""
    rng = np.random.default_rng(number)
    small = rng.integers(20, 236, (4, 6, 3)).astype(np.uint8)
    large = np.kron(small, np.ones((size[1] // 4, size[0] // 6, 1))).astype(np.uint8)
    for frame in range(n_frames):
        yield np.roll(large, frame // 6, axis=1)


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    frames = (
        frame
        for number, length in enumerate(LENGTHS)
        for frame in draw_shot(number, length)
    )
    path = tmp_path_factory.mktemp("film") / "shots.mp4"
    return write_film(path, frames, rate=RATE, gop=25, bframes=2)


def score(files, folder, detector, *, go_on=False, **plan):
    """Score the shards of a film one by one, as their jobs do."""
    planned = folder / "plan.json"
    plan_files(files, planned, go_on=go_on, **plan)
    parts = read_plan(planned)["shards"]
    for place, part in enumerate(parts):
        score_cuts(
            files[place if len(files) > 1 else 0],
            planned,
            folder / f"{part['shard']}.npz",
            shard=part["shard"],
            metric=METRICS[detector],
            max_pixels=MAX_PIXELS,
            go_on=go_on,
        )
    return [CutScores.load(folder / f"{part['shard']}.npz") for part in parts]


def find(files, folder, detector, *, fps=None, threshold=None, **plan):
    return find_shots(
        score(files, folder, detector, **plan),
        detector=detector,
        threshold=threshold,
        min_length_s=0.6,
        fps=fps,
    )


@pytest.mark.parametrize("detector", DETECTORS)
def test_cuts_are_found_at_their_very_pictures(film, tmp_path, detector):
    shots = find([film], tmp_path, detector)
    assert [shot.first for shot in shots] == [0, *CUTS]
    assert [shot.end for shot in shots] == [*CUTS, sum(LENGTHS)]
    bounds_s = [shot.start_s for shot in shots] + [shots[-1].end_s]
    expected_s = [place / RATE for place in (0, *CUTS, sum(LENGTHS))]
    assert bounds_s == pytest.approx(expected_s)
    assert all(one.end_s == other.start_s for one, other in itertools.pairwise(shots))


@pytest.mark.parametrize("detector", ["content", "hash"])
@settings(max_examples=4, deadline=None)
@given(
    every=st.sampled_from([1, 0.1, 0.25, 1.7]),
    per_shard=st.integers(1, 9),
)
def test_any_sharding_finds_the_same(
    film, tmp_path_factory, detector, every, per_shard
):
    folder = tmp_path_factory.mktemp("sharded")
    whole = find([film], folder, detector)
    sharded = find([film], folder, detector, every=every, per_shard=per_shard)
    assert sharded == whole


@pytest.mark.parametrize("how", [{"start_s": 1.0}, {"start_s": 0.5, "end_s": 4.2}])
def test_only_the_stretch_that_was_chosen_has_shots(film, tmp_path, how):
    shots = find([film], tmp_path, "content", per_shard=2, **how)
    first, last = how["start_s"] * RATE, how.get("end_s", 1000) * RATE
    inside = [cut for cut in CUTS if first < cut < last]
    starts = [shot.start_s * RATE for shot in shots]
    assert starts == pytest.approx([first, *inside])
    assert shots[-1].end_s * RATE == pytest.approx(min(sum(LENGTHS), np.ceil(last)))


def test_no_shot_is_shorter_than_asked(film, tmp_path):
    scores = score([film], tmp_path, "content")
    about = {"detector": "content", "threshold": None}
    # The third has 17 pictures, 0.71 s.
    long = find_shots(scores, min_length_s=0.8, **about)
    assert len(long) == len(LENGTHS) - 1
    assert find_shots(scores, min_length_s=0.0, **about)[2].first == CUTS[1]


def test_another_threshold_needs_no_other_scores(film, tmp_path):
    scores = score([film], tmp_path, "adaptive")
    about = {"detector": "adaptive", "min_length_s": 0.6}
    assert len(find_shots(scores, threshold=3.0, **about)) == len(LENGTHS)
    (shot,) = find_shots(scores, **about | {"detector": "content"}, threshold=250.0)
    assert (shot.first, shot.end) == (0, sum(LENGTHS))


@pytest.mark.parametrize("detector", DETECTORS)
def test_a_damaged_picture_is_no_cut(film, tmp_path, capsys, detector):
    # A picture in the middle of the fourth shot, and what leans on it.
    packet = find_packets(film)[CUTS[2] + 20]
    data = b"\xff" * (packet.size - 9)
    path = overwrite(film, packet.position + 9, data, tmp_path / "a.mp4")
    shots = find([path], tmp_path, detector, per_shard=3)
    assert [shot.start_s for shot in shots] == pytest.approx(
        [place / RATE for place in (0, *CUTS)]
    )
    assert "cannot be read" in capsys.readouterr().err


def encode(color, size=(64, 48)):
    return encode_jpeg(solid(color, size), quality=90)


def write_tarballs(folder, *tarballs, sizes=None):
    """Write a tarball of flat images for each list of their colors."""
    for number, colors in enumerate(tarballs):
        size = sizes[number] if sizes else (64, 48)
        with TarballWriter(folder / f"{number}.tar") as writer:
            for place, color in enumerate(colors):
                writer.add(f"{place:03}", encode(color, size), {})
    return sorted(folder.glob("*.tar"))


RED, BLUE, GREEN = 0xC02020, 0x2030C0, 0x20A040


def test_tarballs_have_cuts_between_and_within_them(tmp_path):
    files = write_tarballs(tmp_path, [RED] * 5, [RED] * 3 + [BLUE] * 4, [GREEN] * 6)
    shots = find(files, tmp_path, "content")
    assert [(shot.first, shot.end) for shot in shots] == [(0, 8), (8, 12), (12, 18)]
    # Nobody knows when they are shown, unless they have a rate.
    assert {shot.start_s for shot in shots} == {None}
    timed = find(files, tmp_path, "content", fps=2.0)
    assert [shot.start_s for shot in timed] == [0, 4, 6]
    assert timed[-1].end_s == 9


def test_pictures_of_another_size_are_compared_all_the_same(tmp_path):
    files = write_tarballs(tmp_path, [RED] * 5, [RED] * 5, sizes=[(64, 48), (80, 80)])
    assert len(find(files, tmp_path, "content")) == 1
    with TarballWriter(files[0]) as writer:
        for place in range(12):
            color = BLUE if place >= 6 else RED
            writer.add(f"{place:03}", encode(color, (64 + place, 48)), {})
    for metric in ("content", "hash"):
        shots = find(files[:1], tmp_path, metric)
        # Of flat pictures all hashes are the same.
        assert len(shots) == (2 if metric == "content" else 1)


def test_an_image_that_cannot_be_read_is_passed_over_and_told(tmp_path, capsys):
    files = write_tarballs(tmp_path, [RED] * 3, [BLUE] * 3)
    with TarballWriter(files[0]) as writer:
        for place in range(3):
            data = encode(RED) if place != 1 else b"no picture"
            writer.add(f"{place:03}", data, {})
    shots = find(files, tmp_path, "content")
    assert [(shot.first, shot.end) for shot in shots] == [(0, 3), (3, 6)]
    told = capsys.readouterr().err
    assert "0.tar: no cut is found at 1 picture that cannot be read" in told


def test_a_shard_that_cannot_be_read_fails_or_has_no_cuts(tmp_path, capsys):
    files = write_tarballs(tmp_path, [RED] * 3, [RED] * 3, [BLUE] * 3)
    plan_files(files, tmp_path / "plan.json")
    files[1].write_bytes(b"no tarball")
    about = {"shard": "1", "metric": "content", "max_pixels": MAX_PIXELS}
    scores = tmp_path / "1.npz"
    with pytest.raises(ReelbowError, match="no tarball"):
        score_cuts(files[1], tmp_path / "plan.json", scores, **about)
    assert not scores.exists()
    score_cuts(files[1], tmp_path / "plan.json", scores, **about, go_on=True)
    assert "no tarball" in capsys.readouterr().err
    assert len(CutScores.load(scores).scores) == 0
    # A run that wants all of it makes it again.
    assert len(list(load_scores([scores], go_on=True))) == 1
    with pytest.raises(ReelbowError, match="left out a part"):
        list(load_scores([scores], go_on=False))
    assert not scores.exists()


def test_scores_are_always_the_same_bytes(film, tmp_path):
    paths = []
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        score([film], folder, "content")
        paths.append(folder / "00000.npz")
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_times_of_a_rate_are_those_of_the_frames(tmp_path):
    colors = [color for color in (RED, BLUE) * 2 for _ in range(20)]
    files = write_tarballs(tmp_path, colors[:30], colors[30:])
    shots = find(files, tmp_path, "content", fps=29.97)
    # As the database computes them.
    times_s = [frame * 100 * 1.0 / 2997 for frame in range(len(colors))]
    assert [shot.start_s for shot in shots] == times_s[::20]


def test_a_film_ends_where_it_ends_whatever_was_asked(film, tmp_path):
    scores = score([film], tmp_path, "content")
    about = {"detector": "content", "threshold": None, "min_length_s": 0.6}
    shots = find_shots(scores, end_s=1000.0, **about)
    assert shots[-1].end_s == pytest.approx(sum(LENGTHS) / RATE)


def test_a_damaged_file_of_scores_is_told_as_such(film, tmp_path):
    score([film], tmp_path, "content")
    path = tmp_path / "00000.npz"
    for content in (b"", path.read_bytes()[:-40]):
        path.write_bytes(content)
        with pytest.raises(DamagedError, match=r"00000.npz: damaged"):
            CutScores.load(path)


@pytest.mark.shared
@pytest.mark.parametrize("detector", DETECTORS)
def test_shots_are_those_of_pyscenedetect_itself(tmp_path, detector):
    import scenedetect

    # More films: benchmarks/shots.py.
    path = shared_film("bbb_480p_24fps_h264_bframes.mp4")
    makers = {
        "adaptive": scenedetect.AdaptiveDetector,
        "content": scenedetect.ContentDetector,
        "hash": scenedetect.HashDetector,
    }
    video = scenedetect.open_video(str(path))
    own = makers[detector](min_scene_len=round(0.6 * float(video.frame_rate)))
    scenes = scenedetect.detect(str(path), own, start_in_scene=True)
    shots = find([path], tmp_path, detector, per_shard=8)
    expected_s = [scene[0].seconds for scene in scenes]
    assert [shot.start_s for shot in shots] == pytest.approx(expected_s, abs=2e-3)
