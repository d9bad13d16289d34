"""Frames by color: as a scan of all colors finds them, whatever the index went through.

The scan is in NumPy, of the database's rows alone.
"""

import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpora import CHANNELS, index, make_corpus, merge, write_random_film
from databases import ROW, change, query, write_shard
from reelbow.color.spaces import srgb_to_oklab
from reelbow.database import color_index, search
from reelbow.database.color_index import write_index
from reelbow.database.search import ColorSearch, OutdatedError, find_frames, parse_color
from reelbow.errors import ReelbowError


def scan(database, color, *, radius, least_share=0.0, limit=50, together=False):
    """Find frames by looking at every color."""
    rows = np.array(
        query(database, "SELECT film_id, frame, rank, color, share FROM palettes"),
        dtype="i8, i8, i8, i8, f8",
    )
    film_ids, frames, _, colors, shares = (rows[name] for name in rows.dtype.names)
    rgb = np.stack([colors >> 16, colors >> 8 & 255, colors & 255], axis=-1)
    center = srgb_to_oklab([color >> 16, color >> 8 & 255, color & 255])
    near = np.sqrt(((srgb_to_oklab(rgb) - center) ** 2).sum(axis=-1)) <= radius
    found: dict[tuple[int, int], list[tuple[float, int]]] = {}
    for film_id, frame, hex_, share in zip(
        film_ids[near], frames[near], colors[near], shares[near], strict=True
    ):
        found.setdefault((int(film_id), int(frame)), []).append(
            (-float(share), int(hex_))
        )
    films = dict(query(database, "SELECT film_id, film FROM films"))
    best = []
    for (film_id, frame), some in found.items():
        share, hex_ = min(some)
        if together:
            # As documented, so that no order of summing matters.
            parts = sum(round(-share * 2**30) for share, _ in some)
            share = -(parts + 2**9 >> 10) / 2**20
        least = round(least_share * 2**20) / 2**20 if together else least_share
        if -share >= least and share:
            best.append((share, film_id, frame, hex_))
    best.sort()
    return [
        (films[film_id], frame, None if together else hex_, -share)
        for share, film_id, frame, hex_ in best[:limit]
    ]


def find(database, color, *, together=False, **how):
    found = find_frames(database, color, together=together, **how)
    return [
        (each.film, each.frame, None if together else each.color, each.share)
        for each in found
    ]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    database = make_corpus(
        folder, {"b": (70, 1), "a": (40, 2), "none": (0, 3), "c": (9, 4)}
    )
    assert index(database) == 4
    return database


colors = st.one_of(
    st.integers(0, 0xFFFFFF),
    st.tuples(*[st.sampled_from(CHANNELS)] * 3).map(
        lambda rgb: rgb[0] << 16 | rgb[1] << 8 | rgb[2]
    ),
)


@given(
    color=colors,
    radius=st.one_of(st.floats(0, 0.3), st.sampled_from([0.0, 1.0, 10.0, 1e300])),
    least_share=st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.25, 0.5, 1.0])),
    limit=st.integers(1, 200),
    together=st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_it_finds_what_a_scan_finds(
    corpus, color, radius, least_share, limit, together
):
    how = {
        "radius": radius,
        "least_share": least_share,
        "limit": limit,
        "together": together,
    }
    assert find(corpus, color, **how) == scan(corpus, color, **how)


@given(ones=st.lists(colors, min_size=2, max_size=2), other=colors)
@settings(max_examples=200, deadline=None)
def test_a_radius_that_ends_at_a_color_has_it(corpus, ones, other):
    """Where packed coordinates cannot tell, the colors themselves are asked."""
    there = np.array(query(corpus, "SELECT DISTINCT color FROM palettes")).ravel()
    ball = search._Ball(other, 0.0)
    distances = ball.measure(there)
    for place in {one % len(there) for one in ones}:
        for radius in (distances[place], math.nextafter(distances[place], 0)):
            how = {"radius": float(radius), "limit": 10_000}
            assert find(corpus, other, **how) == scan(corpus, other, **how)


@given(
    steps=st.lists(
        st.dictionaries(
            st.sampled_from("abcd"),
            st.one_of(st.just((0, 0)), st.tuples(st.integers(1, 8), st.integers(0, 2))),
        ),
        min_size=2,
        max_size=4,
    ),
    color=colors,
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_an_index_that_is_kept_up_finds_what_a_new_one_finds(
    tmp_path_factory, steps, color
):
    """Whatever films come, change and go."""
    folder = tmp_path_factory.mktemp("steps")
    before: dict = {}
    for films in steps:
        database = make_corpus(folder, films)
        changed = {film for film in films if films[film] != before.get(film)}
        assert index(database) == len(changed)
        before = films
        for together in (False, True):
            how = {"radius": 0.2, "together": together, "limit": 500}
            assert find(database, color, **how) == scan(database, color, **how)


def test_chunks_are_filled_before_new_ones_begin(tmp_path, monkeypatch):
    monkeypatch.setattr(color_index, "CHUNK", 4)
    monkeypatch.setattr(color_index, "BATCH", 7)
    black = {frame: [((0, 0, 0), 1.0)] for frame in range(10)}
    paths = [
        write_shard(
            tmp_path / f"{film}.sqlite",
            range(10),
            palettes=black,
            row=ROW._replace(film=film),
        )
        for film in "xy"
    ]
    database = tmp_path / "palettes.sqlite"
    for some in (paths[:1], paths):
        merge(some, database)
        assert index(database) == 1
    sizes = query(
        tmp_path / "colors.sqlite", "SELECT length(shares) / 8 FROM chunks ORDER BY 1"
    )
    assert [size for (size,) in sizes] == [4] * 5
    found = find_frames(database, 0, limit=100)
    assert [(each.film, each.frame) for each in found] == [
        (film, frame) for film in "xy" for frame in range(10)
    ]


def test_what_is_found_is_described(corpus):
    best = find_frames(corpus, "#ff0000", radius=0.1, limit=1)[0]
    wanted = scan(corpus, 0xFF0000, radius=0.1, limit=1)[0]
    assert (best.film, best.frame, best.color, best.share) == wanted
    assert best.title == f"Film {best.film}"
    assert best.time_s == best.frame / 2
    assert best.shard == "00000"
    off = srgb_to_oklab([255, 0, 0]) - srgb_to_oklab(
        [*bytes.fromhex(f"{best.color:06x}")]
    )
    assert best.distance == pytest.approx(np.sqrt((off**2).sum()))


def test_colors_together_say_which_is_the_largest(tmp_path):
    grays = [((100, 100, 100), 0.3), ((101, 101, 101), 0.3), ((255, 0, 0), 0.4)]
    write_shard(tmp_path / "x.sqlite", [0], palettes={0: grays})
    merge([tmp_path / "x.sqlite"], tmp_path / "palettes.sqlite")
    index(tmp_path / "palettes.sqlite")
    how = {"radius": 0.02, "least_share": 0.6}
    assert find_frames(tmp_path / "palettes.sqlite", 0x646464, **how) == []
    (found,) = find_frames(tmp_path / "palettes.sqlite", 0x646464, together=True, **how)
    assert (found.share, found.color) == (pytest.approx(0.6), 0x646464)


@pytest.mark.parametrize("text", ["c02020", "#C02020", " #c02020 "])
def test_a_color_is_taken_as_it_is_written(text):
    assert parse_color(text) == 0xC02020


@pytest.mark.parametrize("text", ["teal", "Teal", " te-al "])
def test_a_color_is_taken_by_its_name(text):
    assert parse_color(text) == 0x029386


@pytest.mark.parametrize("text", ["#12345", "", "x" * 10_000])
def test_what_is_no_color_is_refused_in_a_short_sentence(text):
    with pytest.raises(ReelbowError, match="names like it are") as caught:
        parse_color(text)
    assert len(str(caught.value)) < 200


def test_a_short_color_is_taken():
    assert parse_color("#f0a") == 0xFF00AA


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            {"color": "tael"},
            "color must be as #c02020 or a name, not 'tael'; names like it are teal, "
            "tea, hazel.",
        ),
        ({"color": 1 << 24}, "color must be 0 to 16777215, not 16777216."),
        ({"color": 1.5}, "color must be a whole number, 0 to 16777215, not 1.5."),
        ({"radius": -0.1}, "radius must be a number, 0 or more, not -0.1."),
        ({"radius": math.nan}, "radius must be a number, 0 or more, not nan."),
        ({"radius": "1"}, "radius must be a number, 0 or more, not '1'."),
        ({"least_share": 2}, "least_share must be a number, 0 to 1, not 2."),
        ({"limit": 0}, "limit must be 1 to 10000, not 0."),
        ({"limit": True}, "limit must be a whole number, 1 to 10000, not True."),
    ],
)
def test_a_wrong_argument_is_refused(corpus, arguments, sentence):
    with pytest.raises(ReelbowError) as caught:
        find_frames(corpus, **{"color": 0, **arguments})
    assert str(caught.value) == sentence


def copy(corpus: Path, folder: Path) -> Path:
    for name in ("palettes.sqlite", "colors.sqlite"):
        shutil.copy2(corpus.with_name(name), folder)
    return folder / "palettes.sqlite"


def test_a_missing_index_is_told(corpus, tmp_path):
    database = copy(corpus, tmp_path)
    (tmp_path / "colors.sqlite").unlink()
    with pytest.raises(ReelbowError, match=r"There is no index .*run the workflow"):
        find_frames(database, 0)
    database.unlink()
    with pytest.raises(ReelbowError, match=r"There is no database "):
        find_frames(database, 0)


@pytest.mark.parametrize("which", ["palettes.sqlite", "colors.sqlite"])
def test_what_is_no_database_is_told(corpus, tmp_path, which):
    database = copy(corpus, tmp_path)
    (tmp_path / which).write_bytes(b"no database" * 1000)
    with pytest.raises(
        ReelbowError, match=rf"{which}.* (damaged|not a Reelbow)"
    ) as told:
        find_frames(database, 0)
    assert "\n" not in str(told.value)


def test_a_database_of_another_program_is_no_index(corpus, tmp_path):
    database = copy(corpus, tmp_path)
    shutil.copy2(database, tmp_path / "colors.sqlite")
    with pytest.raises(ReelbowError, match=r"is not an index of colors; give the"):
        find_frames(database, 0)


def test_an_index_of_another_format_is_told_and_made_anew(corpus, tmp_path):
    database = copy(corpus, tmp_path)
    change(tmp_path / "colors.sqlite", "PRAGMA user_version = 9")
    with pytest.raises(ReelbowError, match=r"its format is 9, this one reads 2"):
        find_frames(database, 0)
    assert index(database) == 4
    assert find_frames(database, 0)


def test_an_index_of_another_state_is_told(corpus, tmp_path):
    database = copy(corpus, tmp_path)
    for film, (n_frames, seed) in {"b": (70, 1), "a": (40, 9), "c": (9, 4)}.items():
        write_random_film(tmp_path / f"{film}.sqlite", n_frames, seed)
    merge([tmp_path / f"{film}.sqlite" for film in "bac"], database)
    with pytest.raises(OutdatedError) as caught:
        find_frames(database, 0)
    assert str(caught.value) == (
        f"{tmp_path / 'colors.sqlite'}: the index is not of this {database}: film a "
        "and 1 more changed; run the workflow again, which makes it anew"
    )


def test_an_index_with_a_film_of_a_strange_name_is_told(corpus, tmp_path):
    database = copy(corpus, tmp_path)
    strange = "UPDATE films SET film = char(27, 10) WHERE rowid = 1"
    change(tmp_path / "colors.sqlite", strange)
    with pytest.raises(
        OutdatedError, match="changed; run the workflow again"
    ) as caught:
        find_frames(database, 0)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "sql", ["DELETE FROM summary", "UPDATE summary SET counts = x'00'"]
)
def test_an_index_whose_summary_is_not_whole_is_told(corpus, tmp_path, sql):
    database = copy(corpus, tmp_path)
    change(tmp_path / "colors.sqlite", sql)
    with pytest.raises(ReelbowError, match=r"is damaged \(its summary is not whole\)"):
        find_frames(database, 0)


def test_the_order_of_films_is_the_database_s(corpus, tmp_path):
    """It may change without a change of the index."""
    database = copy(corpus, tmp_path)
    paths = [
        write_random_film(tmp_path / f"{film}.sqlite", n_frames, seed)
        for film, (n_frames, seed) in {
            "c": (9, 4),
            "none": (0, 3),
            "b": (70, 1),
            "a": (40, 2),
        }.items()
    ]
    merge(paths, database)
    how = {"radius": 10.0, "limit": 300}
    assert find(database, 0, **how) == scan(database, 0, **how)
    assert index(database) == 0


def test_a_film_s_own_database_has_no_index(corpus, tmp_path):
    film = write_random_film(tmp_path / "x.sqlite", 3, 1)
    with pytest.raises(ReelbowError, match="is not the database of all films"):
        write_index(film, tmp_path / "colors.sqlite")


def test_a_damaged_index_of_before_is_left_alone(corpus, tmp_path):
    database = copy(corpus, tmp_path)
    path = tmp_path / "colors.sqlite"
    data = bytearray(path.read_bytes())
    data[5000:20000] = bytes(15000)
    path.write_bytes(data)
    assert index(database) == 4


def test_an_index_that_is_damaged_inside_is_told(corpus, tmp_path):
    database = copy(corpus, tmp_path)
    change(tmp_path / "colors.sqlite", "DROP TABLE chunks")
    with pytest.raises(ReelbowError, match=r"colors\.sqlite: the index is damaged"):
        find_frames(database, 0)


def test_frames_of_an_index_that_are_nowhere_are_told(corpus):
    opened = ColorSearch.open(corpus)
    opened._begins = opened._begins + 10**6
    with pytest.raises(ReelbowError, match=r"the index is damaged .* frames that the"):
        opened.find_frames(0, radius=1.0)
    opened.close()


def test_a_search_ends_in_time(corpus):
    opened = ColorSearch.open(corpus)
    with pytest.raises(search.TooLongError, match="ask for less"):
        opened.find_frames(0, radius=1.0, most_s=0.0)
    assert opened.find_frames(0, radius=1.0, most_s=60.0)
    opened.close()


def test_positions_of_films_that_went_are_used_again(tmp_path, monkeypatch):
    for n in range(4):
        database = make_corpus(tmp_path, {"x": (5, n)})
        index(database)
    path = tmp_path / "colors.sqlite"
    assert query(path, "SELECT first, n FROM films") == [(0, 5)]
    assert query(path, "SELECT max(length(positions)) FROM chunks") != [(None,)]


def test_positions_do_not_grow_with_every_change(tmp_path, monkeypatch):
    monkeypatch.setattr(color_index, "FEW_POSITIONS", 0)
    for n in range(6):
        database = make_corpus(tmp_path, {"x": (5, n), "y": (5, n // 2)})
        index(database)
        (end,) = query(tmp_path / "colors.sqlite", "SELECT max(first + n) FROM films")[
            0
        ]
        assert end <= 20
        how = {"radius": 0.3, "limit": 500}
        assert find(database, 0x808080, **how) == scan(database, 0x808080, **how)
