"""What is left out at a film's ends, of letters and of films whose truth is known."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blank_films import END_S, NAMES, START_S, draw_scene, write_blank_ends
from films import solid, write_film
from plans import plan_film
from reelbow.pictures.blanks import BLACK, DIM, TEXT
from reelbow.sources.trim import MOST_S, STEP_S, BlankEnd, find_blank_ends

# Letters stand for samples: black, text, dim, and a picture of the film.
NAME_OF = {"b": BLACK, "t": TEXT, "d": DIM, "p": None}


def search(film, step_s=1.0, **ends):
    """Search a film of letters; the ends found, and how many were looked at."""
    looked = []

    def judge(places):
        assert list(places) == sorted(set(places))
        looked.extend(places)
        return [NAME_OF[film[place]] for place in places]

    times_s = [step_s * place for place in range(len(film))]
    ends = {"at_start": True, "at_end": True, **ends}
    start, end = find_blank_ends(times_s, judge, **ends)
    return start, end, looked


def found(film, step_s=1.0):
    start, end, _ = search(film, step_s)
    return start.n, end.n


@pytest.mark.parametrize(
    ("film", "ends"),
    [
        ("p" * 20, (0, 0)),
        ("b" + "p" * 20, (1, 0)),
        ("p" * 20 + "b", (0, 1)),
        ("bbbtttt" + "p" * 20 + "ttttbb", (7, 6)),
        ("b" * 8 + "p" * 20 + "t" * 9, (8, 9)),
        # A title fades: one sample of it is too dark to tell.
        ("bbdttdbb" + "p" * 20, (8, 0)),
        # A dark scene is none.
        ("bbdddd" + "p" * 20, (2, 0)),
        ("bbddddbb" + "p" * 20, (2, 0)),
        ("dd" + "p" * 20, (0, 0)),
        # A scene behind the credits, or before the title, keeps them in.
        ("p" * 20 + "ttttttpp", (0, 0)),
        ("pptttttt" + "p" * 20, (0, 0)),
    ],
)
def test_blank_samples_are_found_to_a_sample(film, ends):
    assert found(film) == ends


def test_what_is_left_out_is_named_in_the_order_of_the_film():
    start, end, _ = search("bttb" + "p" * 20 + "tttbb")
    assert (start.names, end.names) == ((BLACK, TEXT), (TEXT, BLACK))


@pytest.mark.parametrize("film", ["b", "bbb", "t" * 40, "b" * 15 + "p" * 25])
def test_what_goes_on_for_a_third_of_the_film_is_kept(film):
    start, _, _ = search(film)
    assert start == BlankEnd(is_endless=True)


def test_no_more_than_a_quarter_of_an_hour_is_left_out():
    n = int(MOST_S)
    assert found("b" * (n - 5) + "p" * 9000) == (n - 5, 0)
    assert found("b" * (n + 5) + "p" * 9000) == (0, 0)


def test_an_end_that_is_not_asked_for_is_not_looked_at():
    film = "bb" + "p" * 20 + "bb"
    start, end, looked = search(film, at_start=False)
    assert (start.n, end.n) == (0, 2)
    assert min(looked) > 15
    start, end, looked = search(film, at_end=False)
    assert (start.n, end.n) == (2, 0)


@given(
    ends=st.tuples(st.integers(0, 30), st.integers(0, 30)),
    rate=st.sampled_from([1, 2, 5, 24]),
    names=st.sampled_from(["b", "t", "bt"]),
)
def test_any_ends_are_found_and_few_samples_looked_at(ends, rate, names):
    # The film itself is a hundred seconds, and no third of it is blank.
    blank = itertools.cycle(names)
    before, after = ("".join(itertools.islice(blank, n * rate)) for n in ends)
    film = before + "p" * (100 * rate) + after
    start, end, looked = search(film, 1 / rate)
    assert (start.n, end.n) == (len(before), len(after))
    # And those decoded with the last one, and the two seconds in between.
    steps = sum(n / STEP_S + 8 + STEP_S * rate for n in ends)
    assert len(looked) <= steps + 8


@given(film=st.text("btdp", min_size=1, max_size=60))
def test_something_is_always_left(film):
    start, end, _ = search(film)
    assert start.n + end.n < len(film)
    for n, blank in ((start.n, film), (end.n, film[::-1])):
        assert n == 0 or NAME_OF[blank[n - 1]] in (BLACK, TEXT)


CODINGS = {
    "low": {"options": {"crf": "40"}, "gop": 250, "bframes": 3},
    "bars": {"bars": 24, "color_range": "full"},
    "10bit": {"pix_fmt": "yuv420p10le"},
    "mpeg2": {"codec": "mpeg2video", "options": {"qmin": "12", "qmax": "12"}},
    "vp9": {"codec": "libvpx-vp9", "options": {"crf": "50", "cpu-used": "8"}},
}


@pytest.fixture(scope="module", params=CODINGS)
def film(request, tmp_path_factory):
    suffix = {"mpeg2": "mkv", "vp9": "webm"}.get(request.param, "mp4")
    path = tmp_path_factory.mktemp("films") / f"{request.param}.{suffix}"
    return write_blank_ends(path, **CODINGS[request.param])


def test_a_film_s_ends_are_found_and_its_crop_is_the_same_as_without(film):
    planned = plan_film(film, every=0.25, trim="auto")
    assert planned["crop"] == plan_film(film, every=0.25)["crop"]
    assert (planned["crop"] == "320:180:0:24") == (film.stem == "bars")
    assert planned["start_s"] == START_S
    assert planned["end_s"] == END_S
    assert (planned["trimmed_start"], planned["trimmed_end"]) == NAMES
    assert planned["trim_asked"] == "auto"
    assert planned["n_frames"] == 80


@pytest.fixture(scope="module")
def plain_film(tmp_path_factory):
    return write_blank_ends(tmp_path_factory.mktemp("film") / "film.mp4", gop=12)


def list_samples(planned):
    return [pts for shard in planned["shards"] for pts in shard["pts"]]


@pytest.mark.parametrize(
    ("mode", "every"),
    [("interval", 0.3), ("interval", 1.0), ("frames", 5), ("keyframes", 1)],
)
def test_start_s_and_end_s_of_a_trimmed_film_give_the_same_samples(
    plain_film, mode, every
):
    whole = plan_film(plain_film, mode=mode, every=every)
    trimmed = plan_film(plain_film, mode=mode, every=every, trim="auto")
    assert trimmed["trimmed_start"]
    assert trimmed["trimmed_end"]
    samples = list_samples(trimmed)
    assert trimmed["n_frames"] == len(samples)
    everywhere = list_samples(whole)
    first = everywhere.index(samples[0])
    assert everywhere[first : first + len(samples)] == samples
    ends = {"start_s": trimmed["start_s"], "end_s": trimmed["end_s"]}
    assert (
        list_samples(plan_film(plain_film, mode=mode, every=every, **ends)) == samples
    )


def test_an_end_that_the_user_sets_stays(plain_film):
    planned = plan_film(plain_film, start_s=1.0, trim="auto")
    assert (planned["start_s"], planned["trimmed_start"]) == (1.0, None)
    assert planned["end_s"] == END_S
    planned = plan_film(plain_film, end_s=36.0, trim="auto")
    assert (planned["end_s"], planned["trimmed_end"]) == (36.0, None)
    assert planned["start_s"] == START_S


def test_without_trim_nothing_is_left_out(plain_film):
    planned = plan_film(plain_film)
    assert (planned["trim_asked"], planned["n_frames"]) == ("none", 148)
    assert planned["trimmed_start"] is None
    assert planned["trimmed_end"] is None
    assert (planned["start_s"], planned["end_s"]) == (0.0, None)


def test_a_black_film_stays(tmp_path, capfd):
    path = write_film(tmp_path / "film.mp4", [solid(0)] * 48)
    planned = plan_film(path, trim="auto")
    assert planned["n_frames"] == 8
    assert "all is kept at the start" in capfd.readouterr().err


def test_of_a_film_without_such_ends_nothing_is_left_out(tmp_path):
    path = write_film(tmp_path / "film.mp4", (draw_scene(i) for i in range(48)))
    planned = plan_film(path, trim="auto")
    assert (planned["n_frames"], planned["trimmed_start"]) == (8, None)
    assert planned["end_s"] is None
