import csv
import json

import cv2
import numpy as np
import pytest

from courses import grade, make_course, write_course
from reelbow.analysis import course
from reelbow.analysis.comparison import compare_films
from reelbow.analysis.comparison_files import lay_out, write_matrix, write_pair
from reelbow.analysis.course import part_into_columns, read_means
from reelbow.errors import ReelbowError

FILM = make_course(200)


@pytest.fixture
def write(tmp_path):
    return lambda film, colors, **how: write_course(tmp_path, film, colors, **how)


def test_a_film_against_a_copy_of_itself_has_no_difference(write):
    about = compare_films(write("a", FILM), write("b", FILM)).about
    assert about["films"] == ["a", "b"]
    assert about["palettes"] == {
        "earth_movers_distance": 0,
        "minimum_color_difference": 0,
    }
    found = about["frames"]
    assert (found["shift_s"], found["agreement"], found["column_s"]) == (0, 1, 1)
    for name in ("with_band", "without_band"):
        assert found[name]["mean_difference"] == 0
        assert found[name]["columns"] == 200
    assert all(
        value == pytest.approx(1)
        for values in about["barcodes"].values()
        for value in values.values()
    )


@pytest.mark.parametrize("step_s", [0.5, 1.0])
def test_a_version_that_starts_later_has_its_shift(write, step_s):
    first = write("a", FILM, step_s=step_s)
    second = write("b", FILM[round(5 / step_s) :], step_s=step_s)
    found = compare_films(first, second).about
    assert found["frames"]["shift_s"] == 5
    assert found["frames"]["best"] == "with_band"
    assert found["frames"]["with_band"]["difference_of_95_percent"] == 0
    assert found["barcodes"]["aligned"]["ssim_similarity"] == 1
    assert found["barcodes"]["as_they_are"]["ssim_similarity"] < 0.9
    assert compare_films(second, first).about["frames"]["shift_s"] == -5


def test_films_sampled_at_other_rates_are_compared_in_columns_of_the_rarer(write):
    first = write("a", FILM.repeat(4, axis=0), step_s=0.25)
    found = compare_films(first, write("b", FILM[20:])).about["frames"]
    assert found["column_s"] == 1
    assert (found["shift_s"], found["with_band"]["mean_difference"]) == (20, 0)


def test_a_grading_differs_by_what_it_does_to_colors(write):
    graded = compare_films(write("a", FILM), write("b", grade(FILM)[12:])).about
    assert graded["frames"]["shift_s"] == 12
    assert graded["frames"]["agreement"] > 0.9
    assert 3 < graded["frames"]["with_band"]["mean_difference"] < 12
    # But for what it does to all colors alike it is the same film.
    assert graded["frames"]["with_band"]["ungraded_difference"] < 0.5
    # And yet less than another film does.
    other = compare_films(write("c", FILM), write("d", make_course(200, 3))).about
    for kind in ("with_band", "without_band"):
        assert other["frames"][kind]["mean_difference"] > 14
        assert other["frames"][kind]["ungraded_difference"] > 5
    assert (
        graded["palettes"]["earth_movers_distance"]
        < other["palettes"]["earth_movers_distance"]
    )


def test_a_film_of_another_pace_is_best_aligned_without_a_band(write):
    fast = FILM[np.arange(0, 200, 25 / 24).astype(int)]
    found = compare_films(write("a", FILM), write("b", fast)).about["frames"]
    assert found["best"] == "without_band"
    assert found["without_band"]["mean_difference"] < 1


def test_films_without_times_are_compared_by_frames(write):
    first = write("a", FILM, step_s=None)
    found = compare_films(first, write("b", FILM[7:])).about["frames"]
    assert (found["shift_frames"], found["column_frames"]) == (7, 1)
    assert "shift_s" not in found


def test_gaps_are_left_out_and_told(write, tmp_path):
    gap = tuple(range(50, 90))
    comparison = compare_films(
        write("a", FILM, missing=gap), write("b", FILM[10:], missing=(0, 150))
    )
    found = comparison.about["frames"]
    assert found["missing_columns"] == [40, 2]
    assert (found["shift_s"], found["with_band"]["mean_difference"]) == (10, 0)
    assert found["with_band"]["columns"] == 190 - 42
    write_pair(comparison, tmp_path / "a--b.json", tmp_path / "a--b.png")
    assert json.loads((tmp_path / "a--b.json").read_text()) == comparison.about


def test_a_film_without_frames_is_refused_in_a_sentence(write):
    first = write("a", FILM[:3], missing=(0, 1, 2))
    with pytest.raises(ReelbowError, match=r"^film a has no frame that could be read"):
        compare_films(first, write("b", FILM))


def test_films_that_have_no_frames_at_the_same_times_are_refused(write):
    every_tenth = [frame for frame in range(31) if frame % 10 != 1]
    first = write("a", FILM[:31], missing=tuple(every_tenth))
    second = write("b", FILM[:4], step_s=10.0)
    with pytest.raises(ReelbowError, match="films a and b have no frames at the same"):
        compare_films(first, second)


@pytest.mark.parametrize("n", [1, 2])
def test_films_of_a_frame_or_two_are_compared(write, tmp_path, n):
    comparison = compare_films(write("a", FILM[:n]), write("b", FILM))
    write_pair(comparison, tmp_path / "a--b.json", tmp_path / "a--b.png")
    assert comparison.about["frames"]["with_band"]["columns"] >= 1


def test_long_films_have_several_frames_in_a_column(write, monkeypatch):
    monkeypatch.setattr(course, "MOST_COLUMNS", 50)
    films = [read_means(write(*each)) for each in [("a", FILM), ("b", FILM[100:])]]
    one, two, step = part_into_columns(*films)
    assert (len(one.colors), len(two.colors), step) == (50, 25, 4)
    assert one.colors == pytest.approx(FILM.reshape(50, 4, 3).mean(axis=1), abs=1)
    assert two.positions.tolist() == [4 * column for column in range(25)]


def test_what_only_one_film_has_stands_beside_nothing(write):
    comparison = compare_films(write("a", FILM), write("b", FILM[20:150]))
    (first, second), differences = lay_out(comparison)
    assert first.tolist() == list(range(200))
    assert second.tolist() == [-1] * 20 + list(range(130)) + [-1] * 50
    assert np.isnan(differences).sum() == 70


def test_of_a_long_film_no_more_is_laid_out_than_of_its_part(write):
    comparison = compare_films(write("a", FILM), write("b", FILM[100:120]))
    (first, second), _ = lay_out(comparison)
    assert first.tolist() == list(range(80, 140))
    assert (second >= 0).sum() == 20


def test_the_figure_shows_both_films_and_what_differs(write, tmp_path):
    comparison = compare_films(write("a", FILM), write("b", FILM[100:180]))
    once, twice = tmp_path / "once.png", tmp_path / "twice.png"
    for figure in (once, twice):
        write_pair(comparison, tmp_path / "a.json", figure)
    assert once.read_bytes() == twice.read_bytes()
    page = cv2.imread(str(once))[..., ::-1]
    height, width = page.shape[:2]
    assert width == 3300
    # Within the margins, and some of the film's own colors.
    assert (page[:, :200] > 250).mean() > 0.97
    middle = page[height // 4, width // 2]
    assert (np.abs(FILM - middle).max(axis=1) <= 2).any()


def merge_of(tmp_path, films):
    from reelbow.database.merging import merge_films

    paths = [write_course(tmp_path, film, colors) for film, colors in films.items()]
    merge_films(paths, tmp_path / "palettes.sqlite", n_colors=3)
    return tmp_path / "palettes.sqlite"


def compare_all(tmp_path, films, names):
    write_matrix(
        merge_of(tmp_path, films),
        names,
        data=tmp_path / "matrix.json",
        table=tmp_path / "matrix.csv",
        matrix=tmp_path / "matrix.png",
        map_of_films=tmp_path / "map.png",
    )
    return json.loads((tmp_path / "matrix.json").read_text())


def test_the_matrix_joins_what_is_nearest(tmp_path):
    reds = np.tile([200.0, 20, 20], (5, 1))
    films = {"red": reds, "blue": reds[:, ::-1], "pink": reds + np.array([0, 40, 40])}
    about = compare_all(tmp_path, films, list(films))
    distances = np.array(about["earth_movers_distance"])
    assert (distances == distances.T).all()
    assert not distances.diagonal().any()
    assert distances[0, 2] < distances[0, 1]
    # Red and pink first.
    assert sorted(about["tree"][0][:2]) == [0, 2]
    places = np.array(about["map"])
    assert np.linalg.norm(places[0] - places[2]) < np.linalg.norm(places[0] - places[1])
    with (tmp_path / "matrix.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["film_a"], row["film_b"]) for row in rows] == [
        ("red", "blue"),
        ("red", "pink"),
        ("blue", "pink"),
    ]
    assert float(rows[0]["earth_movers_distance"]) == distances[0, 1]
    assert cv2.imread(str(tmp_path / "matrix.png")) is not None
    assert cv2.imread(str(tmp_path / "map.png")) is not None


def test_two_films_alike_have_a_matrix_too(tmp_path):
    about = compare_all(tmp_path, {"a": FILM, "b": FILM}, ["a", "b"])
    assert about["earth_movers_distance"] == [[0, 0], [0, 0]]


def test_films_whose_distances_fit_in_no_plane_have_a_map(tmp_path):
    grays = {"black": 0.0, "gray": 119.0, "white": 255.0}
    films = {name: np.full((5, 3), level) for name, level in grays.items()}
    about = compare_all(tmp_path, films, list(films))
    distances = np.array(about["earth_movers_distance"])
    assert distances[0, 2] > distances[0, 1] + distances[1, 2]
    assert np.isfinite(about["map"]).all()
    assert about["map"][0] != about["map"][2]


def test_films_without_frames_are_left_out_and_told(tmp_path, capsys):
    films = {"a": FILM, "b": FILM[:50]}
    about = compare_all(tmp_path, films, ["a", "gone", "b"])
    assert (about["films"], about["left_out"]) == (["a", "b"], ["gone"])
    assert "left out, without frames: gone" in capsys.readouterr().err


def test_one_film_alone_has_no_matrix(tmp_path):
    with pytest.raises(ReelbowError, match="has 1 film with frames"):
        compare_all(tmp_path, {"a": FILM}, ["a", "gone"])
