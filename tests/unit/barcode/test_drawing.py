import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelbow.barcode import draw_barcode, draw_palettes, sorting
from reelbow.barcode import drawing as barcode
from reelbow.barcode.bands import ORDERS, stack_colors
from reelbow.barcode.drawing import draw_parts
from reelbow.barcode.film_record import BLACK_LUMA, read_film
from reelbow.barcode.picture_files import KINDS
from reelbow.barcode.tracks import _match, _Tracks, follow_colors
from reelbow.color.spaces import srgb_to_oklab
from reelbow.database.frames import add_frames
from reelbow.database.opening import open_new
from reelbow.database.schema import ONLY_FILM, TABLES, FilmRow
from reelbow.database.writing import add_film, finish
from reelbow.errors import ReelbowError
from reelbow.kmeans import Palettes, find_palettes
from reelbow.pictures.measure_names import MEASURES

BLACK, GREY, WHITE = 0x000000, 0x808080, 0xFFFFFF
RED, GREEN, BLUE = 0xFF0000, 0x00FF00, 0x0000FF
KINDS_IN_TIME = [kind for kind in KINDS if kind != "sorted"]


def write_film(
    database: Path,
    *,
    film: str = "film",
    means=None,
    strips=None,
    palettes=None,
    times_s=None,
    lumas=None,
) -> Path:
    """Add a film; each frame's part not given is black, but the luma is 255."""
    given = means or strips or palettes or []
    with closing(sqlite3.connect(database)) as connection, connection:
        if not connection.execute("SELECT * FROM sqlite_schema").fetchall():
            connection.executescript(TABLES)
        film_id = connection.execute(
            "INSERT INTO films (film, title, source) VALUES (?, ?, ?)",
            (film, film.title(), f"films/{film}.mkv"),
        ).lastrowid
        for frame in range(len(given)):
            connection.execute(
                f"""INSERT INTO frames
                VALUES (?, ?, ?, ?, '00000', ?, ?, ?{", 0" * len(MEASURES)})""",
                (
                    film_id,
                    frame,
                    times_s[frame] if times_s else None,
                    f"{frame}",
                    means[frame] if means else BLACK,
                    lumas[frame] if lumas else 255.0,
                    bytes(strips[frame]) if strips else bytes(3),
                ),
            )
            palette = palettes[frame] if palettes else [(BLACK, 1.0)]
            connection.executemany(
                "INSERT INTO palettes VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (film_id, frame, rank, *row, *[0] * (3 - len(row)))
                    for rank, row in enumerate(palette)
                ],
            )
    return database


@pytest.fixture
def database(tmp_path):
    return tmp_path / "palettes.sqlite"


def to_hex(pixels):
    return [f"{red:02x}{green:02x}{blue:02x}" for red, green, blue in pixels]


def test_mean_has_one_column_a_frame(database):
    write_film(database, means=[0x010203, 0xFFFE00])
    pixels = draw_barcode(database, "mean", height=2)
    assert pixels.dtype == np.uint8
    assert pixels.tolist() == [[[1, 2, 3], [255, 254, 0]]] * 2


def test_mean_of_frames_in_one_column_is_their_average(database):
    # 5 frames in 2 columns: frames 0, 1, 2 and 3, 4.
    write_film(database, means=[0x000000, 0x060000, 0x0C0000, 0x00000A, 0x000014])
    pixels = draw_barcode(database, "mean", height=1, width=2)
    assert pixels.tolist() == [[[6, 0, 0], [0, 0, 15]]]


@pytest.mark.parametrize("kind", KINDS)
def test_more_columns_than_frames_repeat_each_frame(database, kind):
    colors = [RED, GREEN, BLUE]
    write_film(
        database,
        means=colors,
        strips=[color.to_bytes(3, "big") for color in colors],
        palettes=[[(color, 1.0)] for color in colors],
    )
    pixels = draw_barcode(database, kind, height=2, width=5)
    # floor(c * 3 / 5) for c = 0 to 4: 0, 0, 1, 1, 2.
    expected = ["ff0000", "ff0000", "00ff00", "00ff00", "0000ff"]
    assert to_hex(pixels[0]) == to_hex(pixels[1]) == expected


def test_strip_is_drawn_as_it_is_at_its_own_height(database):
    write_film(database, strips=[range(9), range(9, 18)])
    pixels = draw_barcode(database, "strip", height=3)
    assert pixels[:, 0].tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert pixels[:, 1].tolist() == [[9, 10, 11], [12, 13, 14], [15, 16, 17]]


def test_strip_shrinks_by_area(database):
    # 3 rows into 2: row 0 is all of the first and half of the second.
    write_film(database, strips=[[0] * 3 + [90] * 3 + [240] * 3])
    pixels = draw_barcode(database, "strip", height=2)
    assert pixels[:, 0, 0].tolist() == [30, 190]


def test_strip_grows_linearly(database):
    # Centers of 4 rows in 2: -0.25 (the edge holds), 0.25, 0.75, 1.25.
    write_film(database, strips=[[0] * 3 + [100] * 3])
    pixels = draw_barcode(database, "strip", height=4)
    assert pixels[:, 0, 0].tolist() == [0, 25, 75, 100]


def test_strips_of_different_lengths_average_in_one_column(database):
    write_film(database, strips=[[10] * 3 + [30] * 3, [50] * 3, [60] * 3, [80] * 12])
    pixels = draw_barcode(database, "strip", height=2, width=2)
    assert pixels[:, 0].tolist() == [[30] * 3, [40] * 3]
    assert pixels[:, 1].tolist() == [[70] * 3, [70] * 3]


def test_stacked_has_the_darkest_color_at_the_bottom_if_no_order_is_given(database):
    write_film(database, palettes=[[(RED, 0.5), (GREEN, 0.25), (BLUE, 0.25)]])
    pixels = draw_barcode(database, "stacked", height=4)
    assert to_hex(pixels[:, 0]) == ["00ff00", "ff0000", "ff0000", "0000ff"]
    pixels = draw_barcode(database, "stacked", height=4, order="share")
    assert to_hex(pixels[:, 0]) == ["0000ff", "00ff00", "ff0000", "ff0000"]


def test_frames_with_fewer_colors_have_fewer_bands(database):
    write_film(database, palettes=[[(RED, 0.5), (GREEN, 0.5)], [(BLUE, 1.0)]])
    pixels = draw_barcode(database, "stacked", height=2)
    assert to_hex(pixels[:, 0]) == ["00ff00", "ff0000"]
    assert to_hex(pixels[:, 1]) == ["0000ff", "0000ff"]


def test_equal_palettes_in_one_column_are_that_palette(database):
    palette = [(RED, 0.5), (BLUE, 0.3), (WHITE, 0.2)]
    write_film(database, palettes=[palette] * 4)
    one = draw_barcode(database, "stacked", height=10, width=4)
    combined = draw_barcode(database, "stacked", height=10, width=1)
    np.testing.assert_array_equal(combined, one[:, :1])


def test_palettes_in_one_column_are_combined_and_not_thinned_out(database):
    # Blue is no frame's first color but the first of both together: 0.4 against 0.3.
    write_film(
        database,
        palettes=[
            [(RED, 0.6), (BLUE, 0.4)],
            [(GREEN, 0.6), (BLUE, 0.4)],
            [(WHITE, 0.5), (BLACK, 0.3), (RED, 0.2)],
            [(WHITE, 0.5), (BLACK, 0.3), (RED, 0.2)],
        ],
    )
    dominant = draw_barcode(database, "dominant", height=1, width=2)
    assert to_hex(dominant[0]) == ["0000ff", "ffffff"]
    stacked = draw_barcode(database, "stacked", height=10, width=2, order="share")
    assert to_hex(stacked[:, 0]).count("0000ff") == 4
    assert to_hex(stacked[:, 1]) == ["ff0000"] * 2 + ["000000"] * 3 + ["ffffff"] * 5


@pytest.mark.parametrize("width", [None, 1, 7, 512, 513, 1300, 1536])
@pytest.mark.parametrize("n_frames", [1, 7, 1300])
def test_parts_are_the_barcode(database, n_frames, width):
    frames = range(0, 3 * n_frames, 3)
    palettes = [[((i * 40503) & 0xFFFFFF, 0.75), (BLUE, 0.25)] for i in frames]
    write_film(database, palettes=palettes)
    for kind in ("mean", "stacked"):
        parts = list(draw_parts(database, kind, height=4, width=width))
        assert {part.shape[1] for part in parts[:-1]} <= {512}
        pixels = np.concatenate(parts, axis=1)
        assert pixels.shape[1] == (width or n_frames)
        one_each = draw_barcode(database, kind, height=4)
        if pixels.shape[1] >= n_frames:
            shown = np.arange(pixels.shape[1]) * n_frames // pixels.shape[1]
            np.testing.assert_array_equal(pixels, one_each[:, shown])
        np.testing.assert_array_equal(
            pixels, draw_barcode(database, kind, height=4, width=width)
        )


def test_parts_may_be_wider_than_a_picture_can_be(database):
    write_film(database, palettes=[[(RED, 1.0)], [(BLUE, 1.0)]])
    parts = list(draw_parts(database, "dominant", height=1, width=40_000))
    pixels = np.concatenate(parts, axis=1)[0]
    assert len(pixels) == 40_000
    assert to_hex(pixels[[0, 19_999, 20_000, -1]]) == ["ff0000"] * 2 + ["0000ff"] * 2


def test_luminance_stacks_from_dark_to_light():
    # Linear light: red 0.2126, green 0.7152, blue 0.0722, grey 0.2159.
    colors = np.array([[0, 255, 0], [128] * 3, [255, 0, 0], [0, 0, 255]], np.uint8)
    column = stack_colors(colors, np.full(4, 0.25), height=4, order="luminance")
    assert to_hex(column) == ["00ff00", "808080", "ff0000", "0000ff"]


def test_hue_stacks_greys_first_and_then_by_angle():
    colors = np.array(
        [
            [0, 0, 255],  # 240 degrees
            [200, 190, 195],  # chroma 10: grey, light
            [255, 0, 128],  # 330 degrees
            [255, 255, 0],  # 60 degrees
            [20, 0, 3],  # chroma 20: grey, dark
            [255, 0, 0],  # 0 degrees
            [0, 255, 0],  # 120 degrees
        ],
        np.uint8,
    )
    column = stack_colors(colors, np.full(7, 1 / 7), height=7, order="hue")
    assert to_hex(column[::-1]) == [
        *("140003", "c8bec3"),
        *("ff0000", "ffff00", "00ff00", "0000ff", "ff0080"),
    ]


def test_awkward_shares_round_where_bands_meet():
    # Edges at 3.333 and 6.667 of 10 rows.
    colors = np.array([[1] * 3, [2] * 3, [3] * 3], np.uint8)
    shares = np.full(3, 1 / 3, np.float32)
    column = stack_colors(colors, shares, height=10)
    assert column[::-1, 0].tolist() == [1] * 3 + [2] * 4 + [3] * 3


@given(
    shares=st.lists(st.floats(2**-20, 1, width=32), min_size=1, max_size=16),
    height=st.integers(1, 400),
    order=st.sampled_from(ORDERS),
)
def test_any_shares_fill_the_column(shares, height, order):
    shares = np.array(shares, np.float32)
    colors = np.repeat(np.arange(len(shares), dtype=np.uint8)[:, np.newaxis], 3, 1)
    column = stack_colors(colors, shares, height=height, order=order)
    assert column.shape == (height, 3)
    heights = np.bincount(column[:, 0], minlength=len(shares))
    expected = shares.astype(np.float64) / shares.sum(dtype=np.float64) * height
    assert np.all(np.abs(heights - expected) <= 1 + 1e-9)


# Tracks


def unpack(palette):
    """A palette of colors 0xRRGGBB and shares, as `follow_colors` takes it."""
    colors = [list(color.to_bytes(3, "big")) for color, _ in palette]
    return np.array(colors, np.uint8), np.array([s for _, s in palette], np.float32)


def follow(*palettes):
    """The colors of each column in hexadecimal, from the bottom up."""
    return [to_hex(colors) for colors, _ in follow_colors(map(unpack, palettes))]


def test_bands_stand_still_where_shares_waver():
    one = [(RED, 0.36), (BLUE, 0.34), (GREEN, 0.3)]
    other = [(BLUE, 0.36), (RED, 0.33), (GREEN, 0.31)]
    third = [(GREEN, 0.34), (RED, 0.33), (BLUE, 0.33)]
    # Red has 1.35 of all four columns, blue 1.38, green 1.27.
    assert follow(one, other, other, third) == [["0000ff", "ff0000", "00ff00"]] * 4


def test_a_band_follows_its_color_as_it_changes():
    # From red over orange to yellow, no step above 0.1 in OKLab, while shares cross.
    hues = [0xFF0000 + (green << 8) for green in range(0, 256, 15)]
    shares = np.linspace(0.46, 0.36, len(hues))
    palettes = [
        sorted([(hue, share), (BLUE, 0.4), (WHITE, 0.6 - share)], key=lambda c: -c[1])
        for hue, share in zip(hues, shares.tolist(), strict=True)
    ]
    columns = follow(*palettes)
    # 0.41 on average, so it stays below blue also where it is less than blue.
    assert [column[0] for column in columns] == [f"{hue:06x}" for hue in hues]
    assert {column[1] for column in columns} == {"0000ff"}


def test_a_cut_begins_new_tracks():
    before = [(RED, 0.6), (BLUE, 0.4)]
    after = [(GREEN, 0.55), (RED, 0.45)]
    assert follow(before, before, after, after) == [
        *[["ff0000", "0000ff"]] * 2,
        *[["00ff00", "ff0000"]] * 2,
    ]


def test_within_a_shot_the_mean_share_counts_and_not_the_first():
    # Red is first in the first column only; half of the height changes at the cut.
    shares = [0.5, 0.42, 0.34, 0.3]
    columns = follow(*([(RED, s), (BLUE, 0.45), (WHITE, 0.55 - s)] for s in shares))
    assert columns == [["0000ff", "ff0000", "ffffff"]] * 4


def test_a_color_that_is_missing_for_a_while_comes_back_to_its_place():
    full = [(RED, 0.5), (BLUE, 0.3), (WHITE, 0.2)]
    without = [(RED, 0.65), (WHITE, 0.35)]
    columns = follow(full, without, full, full)
    assert columns[0] == columns[2] == columns[3] == ["ff0000", "0000ff", "ffffff"]
    assert columns[1] == ["ff0000", "ffffff"]


def test_a_color_like_none_gets_a_place_of_its_own():
    # Green comes as blue goes, too little for a cut; it is no continuation of blue.
    with_blue = [(RED, 0.5), (WHITE, 0.26), (BLUE, 0.24)]
    with_green = [(RED, 0.5), (WHITE, 0.26), (GREEN, 0.24)]
    tracks = _Tracks()
    for palette in (with_blue, with_green, with_blue):
        assert tracks.add(*unpack(palette))
    given = [column.tolist() for column in tracks.given]
    assert given == [[0, 1, 2], [0, 1, 3], [0, 1, 2]]


def test_tracks_follow_shares_that_grow_and_shrink():
    shares = np.arange(0.92, 0.1, -0.1).tolist()
    columns = follow(*([(RED, share), (BLUE, 1 - share)] for share in shares))
    # No step of them is a cut, and red has 0.52 on average.
    assert columns == [["ff0000", "0000ff"]] * 9


def test_a_color_takes_up_the_track_of_the_column_before_first():
    # The last grey is nearer to the one that went, but this is no reason to leave a
    # track and take up another.
    tracks = _Tracks()
    for palette in (
        [(RED, 0.5), (0x646464, 0.25), (0x8C8C8C, 0.25)],
        [(RED, 0.75), (0x646464, 0.25)],
        [(RED, 0.75), (0x7D7D7D, 0.25)],
    ):
        assert tracks.add(*unpack(palette))
    assert [given.tolist() for given in tracks.given] == [[0, 1, 2], [0, 1], [0, 1]]


def test_a_color_of_no_share_has_no_track():
    colors, shares = unpack([(RED, 1.0), (BLACK, 0.0)])
    ((colors, shares),) = follow_colors([(colors, shares)])
    assert colors.tolist() == [[255, 0, 0]]
    assert shares.tolist() == [1]


def test_a_match_costs_the_height_that_changes_its_color():
    one = srgb_to_oklab([[100, 100, 100], [255, 0, 0]])
    other = srgb_to_oklab([[0, 0, 255], [110, 110, 110]])
    grey = np.linalg.norm(one[0] - other[1])
    rows, columns, distances, cost = _match(
        one, np.array([0.6, 0.4]), other, np.array([0.3, 0.7])
    )
    assert dict(zip(rows.tolist(), columns.tolist(), strict=True)) == {0: 1, 1: 0}
    np.testing.assert_allclose(distances[0], grey)
    # 0.6 of grey moves a little and 0.1 comes; 0.3 of red turns blue and 0.1 goes.
    np.testing.assert_allclose(
        cost, 0.6 * grey + 0.15 * 0.1 + 0.2 * 0.3 + 0.15 * 0.1, rtol=1e-12
    )
    # A color alone costs its share.
    _, _, _, cost = _match(one, np.array([0.6, 0.4]), one[:1], np.array([0.6]))
    np.testing.assert_allclose(cost, 0.15 * 0.4)


palettes_of_columns = st.lists(
    st.lists(
        st.tuples(st.integers(0, 0xFFFFFF), st.floats(0, 1, width=32)),
        min_size=1,
        max_size=6,
        unique_by=lambda pair: pair[0],
    ).filter(lambda palette: sum(share for _, share in palette) > 1e-3),
    max_size=8,
)


@given(palettes=palettes_of_columns)
def test_tracks_only_change_the_order(palettes):
    followed = list(follow_colors(map(unpack, palettes)))
    assert len(followed) == len(palettes)
    for (colors, shares), palette in zip(followed, palettes, strict=True):
        packed = [int(color, 16) for color in to_hex(colors)]
        assert sorted(zip(packed, shares.tolist(), strict=True)) == sorted(
            pair for pair in palette if pair[1] > 0
        )


def test_tracks_are_drawn_from_a_database(database):
    write_film(
        database,
        palettes=[
            [(RED, 0.5), (BLUE, 0.3), (WHITE, 0.2)],
            [(BLUE, 0.4), (RED, 0.4), (WHITE, 0.2)],
            [(BLACK, 1.0)],
        ],
    )
    pixels = draw_barcode(database, "stacked", height=10, order="track")
    columns = [to_hex(column) for column in pixels.transpose(1, 0, 2)]
    assert columns == [
        ["ffffff"] * 2 + ["0000ff"] * 3 + ["ff0000"] * 5,
        ["ffffff"] * 2 + ["0000ff"] * 4 + ["ff0000"] * 4,
        ["000000"] * 10,
    ]


def test_tracks_go_through_columns_of_several_frames(database):
    one = [(RED, 0.36), (BLUE, 0.34), (GREEN, 0.3)]
    other = [(BLUE, 0.36), (RED, 0.35), (GREEN, 0.29)]
    write_film(database, palettes=[one, one, other, other, one, one])
    pixels = draw_barcode(database, "stacked", height=5, width=3, order="track")
    for column in pixels.transpose(1, 0, 2):
        assert to_hex(column)[::2] == ["00ff00", "0000ff", "ff0000"]


# Black frames


def test_black_frames_are_left_out(database):
    write_film(
        database,
        means=[BLACK, RED, BLACK, GREEN, BLUE, BLACK],
        strips=[bytes(3), b"\xff\0\0", bytes(3), b"\0\xff\0", b"\0\0\xff", bytes(3)],
        palettes=[[(c, 1.0)] for c in (BLACK, RED, BLACK, GREEN, BLUE, BLACK)],
        lumas=[0.0, 54.2, BLACK_LUMA - 0.01, BLACK_LUMA, 18.4, 1.5],
        times_s=[0.0, 1.0, 2.0, 3.0, 4.0, 5.0],
    )
    for kind in barcode.KINDS:
        pixels = draw_barcode(database, kind, height=1, skip_black=True)
        assert to_hex(pixels[0]) == ["ff0000", "00ff00", "0000ff"]
    assert draw_barcode(database, "mean", height=1).shape == (1, 6, 3)
    # In fewer columns and in more, they are as if they had never been.
    pixels = draw_barcode(database, "mean", height=1, width=2, skip_black=True)
    assert to_hex(pixels[0]) == ["808000", "0000ff"]
    pixels = draw_barcode(database, "mean", height=1, width=6, skip_black=True)
    assert to_hex(pixels[0]) == ["ff0000"] * 2 + ["00ff00"] * 2 + ["0000ff"] * 2
    film = read_film(database, skip_black=True)
    assert film.frames.tolist() == [1, 3, 4]
    assert film.times_s.tolist() == [1.0, 3.0, 4.0]


def test_only_the_film_drawn_is_searched_for_black(database):
    write_film(database, film="a", means=[BLACK, RED], lumas=[0.0, 54.2])
    write_film(database, film="b", means=[GREEN, BLACK], lumas=[182.0, 0.0])
    pixels = draw_barcode(database, "mean", height=1, film="b", skip_black=True)
    assert to_hex(pixels[0]) == ["00ff00"]


def test_a_black_film_without_its_black_frames_is_told(database):
    write_film(database, means=[BLACK, BLACK], lumas=[0.0, 1.0])
    with pytest.raises(ReelbowError, match=r"Every frame of the film 'film' .* black"):
        draw_barcode(database, "mean", height=1, skip_black=True)


def test_a_database_without_luma_is_told(database):
    write_film(database, means=[RED])
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("ALTER TABLE frames DROP COLUMN luma")
    assert draw_barcode(database, "mean", height=1).shape == (1, 1, 3)
    for draw in (draw_barcode, read_film):
        given = {"kind": "mean", "height": 1} if draw is draw_barcode else {}
        with pytest.raises(ReelbowError, match="luma"):
            draw(database, **given, skip_black=True)


def test_one_film_of_several_is_drawn(database):
    write_film(database, film="b", means=[RED])
    write_film(database, film="a", means=[BLUE, GREEN])
    assert to_hex(draw_barcode(database, "mean", height=1, film="b")[0]) == ["ff0000"]
    with pytest.raises(ReelbowError, match=r"holds 2 films; .*: a, b\."):
        draw_barcode(database, "mean", height=1)
    with pytest.raises(ReelbowError, match=r"no film 'c': it holds a, b\."):
        draw_barcode(database, "mean", height=1, film="c")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"kind": "median"}, "kind .*'median': .* mean, strip, dominant, stacked"),
        ({"order": "name"}, "order .*'name': .* luminance, hue, track"),
        ({"height": 0}, "height must be 1 to 32768, not 0"),
        ({"height": -3}, "height must be 1 to 32768, not -3"),
        ({"height": 1.5}, "height must be a whole number, 1 to 32768, not 1.5"),
        ({"width": 0}, "width must be 1 to 32768, not 0"),
        ({"width": 10**10}, "width must be 1 to 32768, not 10000000000"),
        ({"gap_color": "grey"}, "gap_color must be a color like '#.*', not 'grey'"),
    ],
)
def test_a_wrong_argument_is_told_with_what_is_right(database, arguments, sentence):
    write_film(database, means=[RED])
    arguments = {"kind": "mean", "height": 1, **arguments}
    with pytest.raises(ReelbowError, match=sentence):
        draw_barcode(database, **arguments)


def test_a_film_without_frames_is_told(database):
    write_film(database)
    with pytest.raises(ReelbowError, match="no frames of the film 'film'"):
        draw_barcode(database, "mean", height=1)


def test_a_frame_without_a_palette_is_told(database):
    write_film(database, palettes=[[(RED, 1.0)], []])
    with pytest.raises(ReelbowError, match="no palette for frame 1"):
        draw_barcode(database, "stacked", height=1)


def test_accents_of_frames_in_one_column_stay_apart(database):
    light, dark, coat = 0xC0C0C0, 0x404040, 0xC81E1E
    write_film(
        database,
        palettes=[
            [(light, 0.625), (dark, 0.25), (coat, 0.125, 1)],
            # A red that is nearly the same is one with it; a blue is not.
            [(light, 0.5), (dark, 0.25), (0xC4221A, 0.125, 1), (BLUE, 0.125, 1)],
        ],
    )
    pixels = draw_barcode(database, "stacked", height=16, width=1, order="share")
    column = ["c0c0c0"] * 9 + ["404040"] * 4 + ["c6201c"] * 2 + ["0000ff"]
    assert to_hex(pixels[::-1, 0]) == column
    dominant = draw_barcode(database, "dominant", height=1, width=1)
    assert to_hex(dominant[0]) == ["c0c0c0"]


def test_a_column_of_nothing_but_accents_is_drawn(database):
    write_film(database, palettes=[[(RED, 1.0, 1)], [(BLUE, 1.0, 1)]])
    pixels = draw_barcode(database, "stacked", height=2, width=1)
    assert set(to_hex(pixels[:, 0])) == {"ff0000", "0000ff"}


# From memory


def test_equal_bands_are_as_high_whatever_their_shares(database):
    write_film(
        database, palettes=[[(RED, 0.9), (BLUE, 0.08), (GREEN, 0.02)], [(WHITE, 1.0)]]
    )
    pixels = draw_barcode(database, "equal", height=6, order="share")
    assert to_hex(pixels[:, 0]) == ["00ff00"] * 2 + ["0000ff"] * 2 + ["ff0000"] * 2
    assert to_hex(pixels[:, 1]) == ["ffffff"] * 6
    # By luminance: blue is the darkest, green the brightest.
    pixels = draw_barcode(database, "equal", height=3)
    assert to_hex(pixels[:, 0]) == ["00ff00", "ff0000", "0000ff"]


def test_equal_bands_are_of_colors_that_have_a_share():
    colors = np.array([[[255, 0, 0], [0, 0, 255], [0, 0, 0]]], np.float32)
    shares = np.array([[0.75, 0.25, 0.0]], np.float32)
    for order in ORDERS:
        pixels = draw_palettes(Palettes(colors, shares), "equal", height=4, order=order)
        assert sorted(to_hex(pixels[:, 0])) == ["0000ff"] * 2 + ["ff0000"] * 2
    pixels = draw_palettes(Palettes(colors, shares), "rarest", height=1)
    assert to_hex(pixels[0]) == ["0000ff"]


def test_rarest_is_the_least_frequent_color_of_a_column(database):
    write_film(
        database,
        palettes=[[(RED, 0.6), (BLUE, 0.4)], [(RED, 0.7), (BLUE, 0.3)], [(RED, 1.0)]],
    )
    pixels = draw_barcode(database, "rarest", height=1)
    assert to_hex(pixels[0]) == ["0000ff", "0000ff", "ff0000"]
    # Frames that share a column: the rarest of them all together.
    pixels = draw_barcode(database, "rarest", height=1, width=1)
    assert to_hex(pixels[0]) == ["0000ff"]


@pytest.mark.parametrize(
    ("sort_by", "expected"),
    [
        ("hue", [BLACK, GREY, WHITE, RED, GREEN, BLUE]),
        ("lightness", [BLACK, BLUE, GREY, RED, GREEN, WHITE]),
    ],
)
def test_sorted_has_all_frames_in_the_order_of_their_colors(
    database, sort_by, expected
):
    write_film(database, means=[WHITE, BLUE, GREY, RED, BLACK, GREEN])
    with closing(sqlite3.connect(database)) as connection, connection:
        # A frame that is missing has no color to be sorted by.
        connection.execute("UPDATE frames SET frame = 9 WHERE frame = 5")
    pixels = draw_barcode(database, "sorted", height=2, sort_by=sort_by)
    assert to_hex(pixels[0]) == [f"{color:06x}" for color in expected]
    halves = draw_barcode(database, "sorted", height=1, width=2, sort_by=sort_by)
    wanted = pixels[0].astype(float).reshape(2, 3, 3).mean(axis=1)
    assert np.abs(halves[0] - wanted).max() <= 0.5


def test_a_hilbert_curve_passes_by_every_cell_next_to_the_last_one(monkeypatch):
    monkeypatch.setattr(sorting, "_BITS", 3)
    cells = np.stack(np.meshgrid(*[np.arange(8)] * 3), axis=-1).reshape(-1, 3)
    oklab = (cells + 0.5) / 8 * [1, 0.8, 0.8] - [0, 0.4, 0.4]
    index = sorting._follow_curve(oklab)
    assert sorted(index) == list(range(512))
    steps = np.abs(np.diff(cells[np.argsort(index)], axis=0)).sum(axis=1)
    assert (steps == 1).all()


@pytest.mark.parametrize("kind", ["dominant", "stacked", "equal", "rarest"])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("width", [None, 3, 20])
def test_palettes_from_memory_are_drawn_as_from_a_database(
    tmp_path, kind, order, width
):
    rng = np.random.default_rng(7)
    frames = rng.integers(0, 256, (7, 6, 8, 3), np.uint8)
    # Fewer colors than asked for, and some that are the same in 24 bits.
    frames[2] = 30
    frames[4, :, :4], frames[4, :, 4:] = [200, 10, 10], [200, 10, 12]
    palettes = find_palettes(frames, n_colors=4)
    path = tmp_path / "palettes.sqlite"
    with open_new(path) as connection:
        add_film(connection, ONLY_FILM, FilmRow("film", "film", "film"))
        add_frames(
            connection,
            "00000",
            frames=np.arange(7),
            times_s=np.arange(7.0),
            names=["name"] * 7,
            mean_colors=np.zeros((7, 3)),
            lumas=np.full(7, 9.0),
            strips=np.zeros((7, 1, 3)),
            measures=np.zeros((7, 10)),
            colors=palettes.colors,
            shares=palettes.shares,
        )
        finish(connection, {}, n_colors=4)
    how = {"height": 40, "width": width, "order": order}
    np.testing.assert_array_equal(
        draw_palettes(palettes, kind, **how), draw_barcode(str(path), kind, **how)
    )


TWO_COLORS = Palettes(
    np.array([[[255, 0, 0], [0, 0, 255]]], np.float32), np.array([[0.75, 0.25]])
)


def test_palettes_from_memory_pixel_by_pixel():
    pixels = draw_palettes(TWO_COLORS, "stacked", height=4)
    assert to_hex(pixels[:, 0]) == ["ff0000", "ff0000", "ff0000", "0000ff"]
    pixels = draw_palettes(TWO_COLORS, "stacked", height=4, order="share")
    assert to_hex(pixels[:, 0]) == ["0000ff", "ff0000", "ff0000", "ff0000"]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"kind": "mean"},
            "'mean' is drawn of frames, .*draw one of dominant, stacked",
        ),
        ({"kind": "strip"}, "'strip' is drawn of frames"),
        ({"kind": "median"}, "kind .*'median': it is one of dominant, stacked"),
        ({"order": "name"}, "order of barcode 'name'"),
        ({"height": 1.5}, "height must be a whole number"),
        ({"palettes": None}, "those of find_palettes: .*, not NoneType"),
        ({"palettes": [[1, 2], ["red"]]}, "those of find_palettes: .*, not list"),
        ({"palettes": (np.zeros((2, 3)), np.ones(2))}, r"not \(2, 3\) and \(2,\)"),
        ({"palettes": (np.zeros((0, 1, 3)), np.ones((0, 1)))}, "these are of none"),
        (
            {"palettes": (np.full((1, 1, 3), np.nan), np.ones((1, 1)))},
            "must be 0 to 255",
        ),
        ({"palettes": (np.full((1, 1, 3), 256), np.ones((1, 1)))}, "must be 0 to 255"),
        ({"palettes": (np.zeros((1, 1, 3)), np.full((1, 1), np.nan))}, "Shares"),
        ({"palettes": (np.zeros((1, 1, 3)), np.zeros((1, 1)))}, "Shares"),
        ({"palettes": (np.zeros((1, 1, 3)), -np.ones((1, 1)))}, "Shares"),
    ],
)
def test_what_cannot_be_drawn_from_memory_is_told(changed, sentence):
    how = {"palettes": TWO_COLORS, "kind": "stacked", "height": 4} | changed
    with pytest.raises(ReelbowError, match=sentence):
        draw_palettes(how.pop("palettes"), how.pop("kind"), **how)


# Gaps


def cut(database, frames, *, n_frames=None, skipped=()):
    """Take frames out of a film, as if they had not been read."""
    with closing(sqlite3.connect(database)) as connection, connection:
        for table in ("frames", "palettes"):
            connection.executemany(
                f"DELETE FROM {table} WHERE frame = ?", [(frame,) for frame in frames]
            )
        connection.executemany(
            "INSERT INTO skipped (film_id, shard, name, reason) VALUES (1, '0', ?, '')",
            [(f"{name}",) for name in skipped],
        )
        connection.execute("UPDATE films SET n_frames = ?", (n_frames,))


COLORS = [0x110000, 0x220000, 0x330000, 0x440000, 0x550000, 0x660000, 0x770000]
GAP = "d9d9d9"


@pytest.fixture
def colored(database):
    """A film of seven frames, each of one color, one a second."""
    return write_film(
        database,
        means=COLORS,
        strips=[color.to_bytes(3, "big") for color in COLORS],
        palettes=[[(color, 1.0)] for color in COLORS],
        times_s=[float(second) for second in range(7)],
    )


@pytest.mark.parametrize("kind", KINDS_IN_TIME)
def test_missing_frames_leave_a_gap(colored, kind):
    cut(colored, [0, 3, 4, 6], n_frames=9)
    pixels = draw_barcode(colored, kind, height=2)
    expected = [GAP, "220000", "330000", GAP, GAP, "660000", GAP, GAP, GAP]
    assert to_hex(pixels[0]) == to_hex(pixels[1]) == expected
    pixels = draw_barcode(colored, kind, height=1, gap_color="#0A0bff")
    assert to_hex(pixels[0])[:2] == ["0a0bff", "220000"]


@pytest.mark.parametrize("kind", KINDS_IN_TIME)
def test_a_gap_is_as_wide_as_its_time_in_any_width(colored, kind):
    cut(colored, [2, 3], n_frames=7)
    # floor(c * 7 / 14): each frame twice.
    pixels = draw_barcode(colored, kind, height=1, width=14)
    expected = ["110000", "220000", GAP, GAP, "550000", "660000", "770000"]
    assert to_hex(pixels[0]) == [color for color in expected for _ in range(2)]
    # Frames 0 1 2 | 3 4 | 5 6: a column with any frame is drawn of those it has.
    pixels = draw_barcode(colored, kind, height=1, width=3)
    assert GAP not in to_hex(pixels[0])
    if kind == "mean":
        # (0x11 + 0x22) / 2 = 25.5, to even
        assert to_hex(pixels[0]) == ["1a0000", "550000", "6e0000"]
    # Frames 0 1 | 2 3 | 4 5 | 6 in four columns have one of nothing.
    cut(colored, [], n_frames=8)
    pixels = draw_barcode(colored, kind, height=1, width=4)
    assert [color == GAP for color in to_hex(pixels[0])] == [False, True, False, False]


def test_tracks_go_on_across_a_gap(database):
    one = [(RED, 0.36), (BLUE, 0.34), (GREEN, 0.3)]
    other = [(BLUE, 0.36), (RED, 0.35), (GREEN, 0.29)]
    write_film(database, palettes=[one, one, other, other, one, [(BLACK, 1.0)]])
    cut(database, [1, 2])
    pixels = draw_barcode(database, "stacked", height=5, order="track")
    columns = [to_hex(column)[::2] for column in pixels.transpose(1, 0, 2)]
    shot = ["00ff00", "0000ff", "ff0000"]
    assert columns == [shot, [GAP] * 3, [GAP] * 3, shot, shot, ["000000"] * 3]


def test_black_frames_are_closed_up_and_missing_ones_are_not(database):
    write_film(
        database,
        means=[BLACK, RED, BLACK, GREEN, BLUE, BLACK, WHITE],
        lumas=[0.0, 54.2, 0.0, 182.0, 18.4, 0.0, 255.0],
        times_s=[float(second) for second in range(7)],
    )
    cut(database, [4], n_frames=8)
    pixels = draw_barcode(database, "mean", height=1, skip_black=True)
    assert to_hex(pixels[0]) == ["ff0000", "00ff00", GAP, "ffffff", GAP]
    film = read_film(database, skip_black=True)
    assert film.frames.tolist() == [1, 3, 4, 6, 7]
    assert film.times_s.tolist() == [1.0, 3.0, 4.0, 6.0, 7.0]
    assert (film.n_missing, film.n_black) == (2, 3)


def test_missing_frames_have_the_times_of_their_places(colored):
    cut(colored, [0, 3, 4, 6], n_frames=9)
    film = read_film(str(colored))
    assert film.frames.tolist() == list(range(9))
    assert film.times_s.tolist() == [float(second) for second in range(9)]
    assert (film.n_missing, film.n_black) == (6, 0)


def test_an_older_database_has_its_missing_frames_in_skipped(colored):
    cut(colored, [2, 6], skipped=[2, 6])
    with closing(sqlite3.connect(colored)) as connection, connection:
        connection.execute("ALTER TABLE films DROP COLUMN n_frames")
    pixels = draw_barcode(colored, "mean", height=1)
    assert [color == GAP for color in to_hex(pixels[0])] == [
        *[False, False, True, False, False, False, True]
    ]
    assert read_film(colored).n_missing == 2


def test_what_is_no_database_is_told(tmp_path):
    with pytest.raises(ReelbowError, match="There is no database"):
        draw_barcode(tmp_path / "gone.sqlite", "mean", height=1)
    text = tmp_path / "text.sqlite"
    text.write_text("not a database at all, though it is long enough to be one")
    with pytest.raises(ReelbowError, match="not a Reelbow database"):
        draw_barcode(text, "mean", height=1)
    other = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    with pytest.raises(ReelbowError, match="not a Reelbow database"):
        draw_barcode(other, "mean", height=1)


def test_a_film_is_read_with_its_times(database):
    write_film(database, film="nosferatu", means=[RED, BLUE], times_s=[0.0, 2.5])
    film = read_film(database)
    assert (film.film, film.title) == ("nosferatu", "Nosferatu")
    assert film.source == "films/nosferatu.mkv"
    assert film.frames.tolist() == [0, 1]
    assert film.times_s.tolist() == [0.0, 2.5]


def test_a_film_with_a_frame_without_time_has_no_times(database):
    write_film(database, means=[RED, BLUE], times_s=[0.0, None])
    assert read_film(database).times_s is None
