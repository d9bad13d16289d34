import itertools
import re
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from reelbow.barcode import fonts
from reelbow.barcode.figure import _bin_values, save_figures
from reelbow.barcode.ticks import find_frame_ticks, find_time_ticks
from reelbow.errors import ReelbowError


@pytest.fixture
def draw(tmp_path):
    def draw(*names, **changed):
        arguments = {
            "pixels": np.arange(36, dtype=np.uint8).reshape(2, 6, 3) * 7,
            "title": "Metropolis",
            "subtitle": "Palette of a frame every second · 6 of 144 frames",
            "note": "source: metropolis.mkv · Reelbow 0.2.0",
            "frames": np.arange(6),
            "times_s": np.arange(6.0),
        }
        arguments |= changed
        paths = [tmp_path / name for name in names]
        complaint = save_figures(paths=paths, **arguments)
        return paths[0] if complaint is None else (paths[0], complaint)

    return draw


@pytest.mark.parametrize(("suffix", "start"), [("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_drawing_twice_gives_the_same_bytes(draw, suffix, start):
    once, twice = draw(f"a.{suffix}"), draw(f"b.{suffix}")
    assert once.read_bytes() == twice.read_bytes()
    assert once.read_bytes().startswith(start)


def test_pages_drawn_together_are_as_each_alone(draw, tmp_path):
    draw("all.pdf", "all.svg", "all.png")
    for suffix in ("pdf", "svg", "png"):
        alone = draw(f"alone.{suffix}").read_bytes()
        assert (tmp_path / f"all.{suffix}").read_bytes() == alone


def test_another_suffix_is_refused(draw):
    with pytest.raises(ReelbowError, match=r"\.png, \.svg or \.pdf"):
        draw("figure.gif")


def test_an_svg_holds_title_and_captions_as_they_are(draw):
    text = draw("figure.svg", title="Cash $5 & $6").read_text()
    assert "<!-- Cash $5 &amp; $6 -->" in text
    assert "<!-- Palette of a frame every second · 6 of 144 frames -->" in text
    assert "<!-- source: metropolis.mkv · Reelbow 0.2.0 -->" in text
    assert "missing" not in text


def test_the_legend_of_a_gap_has_its_color(draw):
    text = draw("figure.svg", gap_color="#d9d8d7").read_text()
    assert "<!-- missing -->" in text
    assert "fill: #d9d8d7" in text
    page = cv2.imread(str(draw("figure.png", gap_color="#d9d8d7")))[..., ::-1]
    # A square at the foot, below the barcode.
    rows, columns = np.nonzero((page == [0xD9, 0xD8, 0xD7]).all(axis=2))
    assert rows.min() > 0.8 * page.shape[0]
    assert columns.min() > 0.8 * page.shape[1]
    assert np.ptp(rows) == pytest.approx(np.ptp(columns), abs=2)


@pytest.mark.parametrize("part", ["subtitle", "note"])
def test_a_long_caption_takes_several_lines(draw, part):
    text = draw("figure.svg", **{part: "word " * 80}).read_text()
    lines = re.findall("<!-- (.*word.*) -->", text)
    assert len(lines) > 1
    assert " ".join(lines) == " ".join(["word"] * 80)


# Curves


def find_steps(path, color):
    """Find the curves of a color in an SVG, each as steps (x, y) in points."""
    steps = []
    for d, style in re.findall(
        r'<path d="([^"]*)"[^>]*style="([^"]*)"', path.read_text()
    ):
        if f"stroke: {color}" in style and "fill: none" in style:
            numbers = np.array(re.findall(r"-?[\d.]+", d), float).reshape(-1, 2)
            steps.append([row for row, _ in itertools.groupby(numbers.tolist())])
    return steps


def test_a_curve_has_a_step_for_each_frame_and_a_gap_for_a_missing_one(draw):
    values = np.array([0.0, 3.0, np.nan, 1.0, np.nan, 2.0])
    path = draw("figure.svg", curves=[("colorfulness", values), ("none", values * 0)])
    text = path.read_text()
    assert text.index("<!-- colorfulness -->") < text.index("<!-- none -->")
    first, second = find_steps(path, "#1a1a1a")
    # The barcode's left and right edges, in points.
    left, right = 1.25 * 72, (1.25 + 14) * 72
    x, y = np.array(first).T
    frames = (x - left) / (right - left) * 6
    expected = [0, 1, 1, 2, 3, 4, 5, 6]
    assert frames == pytest.approx(expected, abs=0.02)
    heights = (y[0] - y) / (y[0] - y.min()) * 3
    assert heights == pytest.approx([0, 0, 3, 3, 1, 1, 2, 2], abs=0.01)
    # The next lies below, flat.
    assert min(row[1] for row in second) > max(y)
    assert np.ptp([row[1] for row in second]) == 0
    # One axis of time, below all.
    assert text.count("<!-- 0:05.0 -->") == 1


def test_a_page_with_curves_has_the_barcode_s_exact_pixels(draw):
    plain, more = (
        cv2.imread(str(draw(f"{len(curves)}.png", curves=curves)))
        for curves in ([], [("a", np.arange(6.0)), ("b", np.full(6, np.nan))])
    )
    assert more.shape[1] == plain.shape[1]
    assert more.shape[0] > 1.3 * plain.shape[0]
    # All down to the barcode's end, which is 4.2 inches high.
    rows, columns = np.nonzero((plain != 255).any(axis=2))
    dpi = plain.shape[1] / 16.5
    middle = plain.shape[1] // 2
    barcode = rows[(columns == middle) & (rows > 1.5 * dpi)]
    end = barcode[0] + round(4 * dpi)
    np.testing.assert_array_equal(more[:end], plain[:end])


@pytest.mark.parametrize("n", [0, 1, 5, 1400, 1401, 4007])
def test_frames_that_share_a_point_are_averaged(n):
    values = np.random.default_rng(n).uniform(0, 9, n)
    values[::7] = np.nan
    edges, (means, least, most) = _bin_values(values)
    assert len(means) == min(n, 1400)
    assert len(edges) == len(means) + 1
    assert (edges[0], edges[-1]) == (0, n)
    for i in range(len(means)):
        run = values[int(edges[i]) : int(edges[i + 1])]
        there = run[~np.isnan(run)]
        if len(there):
            found = means[i], least[i], most[i]
            assert found == pytest.approx((there.mean(), there.min(), there.max()))
        else:
            assert np.isnan([means[i], least[i], most[i]]).all()


def test_the_band_of_frames_that_share_a_point_is_drawn(draw):
    values = np.arange(3000) % 2 * 1.0
    how = {"frames": np.arange(3000), "times_s": np.arange(3000.0)}
    for curves, drawn in ([("a", values)], True), ([("a", values[::3])], False):
        n = len(curves[0][1])
        path = draw("figure.svg", curves=curves, **{k: v[:n] for k, v in how.items()})
        assert ("fill: #dcdcdc" in path.read_text()) == drawn


# Letters


def test_control_characters_leave_an_svg_well_formed(draw):
    wild = "Film \x01\x0b -- <b>\x7f & ]]> \n\t two"
    path = draw("figure.svg", title=wild, subtitle=wild, note=wild)
    parsed = ElementTree.parse(path)
    title = parsed.find(".//{http://purl.org/dc/elements/1.1/}title")
    assert title.text == "Film -- <b> & ]]> two"
    for suffix in ("png", "pdf"):
        assert draw(f"figure.{suffix}", title=wild).exists()


def can_draw(letters):
    """Whether the fonts of this machine have them."""
    return not fonts.find_families(letters)[1]


def test_letters_that_no_font_has_are_told(draw):
    # Of Unicode's for private use; no font here has them all.
    path, complaint = draw("figure.svg", title="Film \U0010fff0 and \U0010fff1")
    assert complaint.startswith("no font of this machine has U+10FFF0, U+10FFF1: inst")
    assert "<!-- no font of this machine has U+10FFF0, U+10FFF1:" in path.read_text()
    # As boxes, of the same size on paper.
    for suffix in ("png", "pdf"):
        _, again = draw(f"figure.{suffix}", title="Film \U0010fff0 and \U0010fff1")
        assert again == complaint


def test_without_a_font_of_this_machine_letters_are_named(draw, monkeypatch):
    monkeypatch.setattr(fonts, "_list_installed", lambda: ())
    _, complaint = draw("figure.svg", title="七人の侍 🎬")
    assert complaint == (
        "no font of this machine has cjk unified ideograph-4e03, cjk unified "
        "ideograph-4eba and 2 more: install one, such as Noto, delete this picture and "
        "run again"
    )


@pytest.mark.parametrize("title", ["七人の侍", "दिल से", "기생충", "Émile 🎬 東京 दिल"])
@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_letters_are_taken_from_a_font_that_has_them(draw, title, suffix):
    if not can_draw(title):
        pytest.skip("no font of this machine has these letters")
    path = draw(f"figure.{suffix}", title=title)
    assert path.exists()


def test_marks_without_a_shape_need_no_font():
    assert can_draw("a\u200d\ufe0f b\u00a0c")


@pytest.mark.parametrize("title", ["word " * 40, "word" * 40])
def test_a_long_title_takes_several_lines(draw, title):
    text = draw("figure.svg", title=title).read_text()
    lines = re.findall("<!-- (.*word.*) -->", text)
    assert len(lines) > 1
    assert "".join(lines).replace(" ", "") == "word" * 40


def test_pixels_of_a_figure_are_exact_rectangles(draw):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (9, 35, 3), np.uint8)
    page = cv2.imread(str(draw("figure.png", pixels=pixels)))[..., ::-1]
    # 35 columns of 120 pixels (4200 in all) by 9 rows of 140: 300 pixels an inch.
    expected = pixels.repeat(120, axis=1).repeat(140, axis=0)
    left = 375
    column = np.flatnonzero((page[:, left] == expected[0, 0]).all(axis=1))[0]
    np.testing.assert_array_equal(
        page[column : column + 1260, left : left + 4200], expected
    )


def test_frames_without_times_are_numbered(draw):
    assert "<!-- frame 0 -->" in draw("figure.svg", times_s=None).read_text()


def test_times_that_run_backward_are_not_drawn_as_an_axis_of_time(draw):
    times_s = np.array([3.0, 4.0, 5.0, 0.0, 1.0, 2.0])
    assert "<!-- frame 0 -->" in draw("figure.svg", times_s=times_s).read_text()


def test_one_frame_makes_a_figure(draw):
    text = draw(
        "figure.svg",
        pixels=np.zeros((1, 1, 3), np.uint8),
        times_s=np.zeros(1),
        frames=np.zeros(1, int),
    ).read_text()
    assert "<!-- 0:00.0 -->" in text


def test_even_times_have_even_ticks():
    ticks = find_time_ticks(np.arange(0.0, 60, 1))
    assert ticks == [
        *((0.0, "0:00"), (10.0, "0:10"), (20.0, "0:20")),
        *((30.0, "0:30"), (40.0, "0:40"), (50.0, "0:50")),
    ]


def test_uneven_times_put_a_tick_where_its_time_falls():
    # Steps of 10 s. 10 s is frame 1; 20 s lies 3/4 from frame 2 (14 s) to 3 (22 s);
    # 30 s is frame 4; 40 s lies 1/3 from frame 5 (37 s) to 6 (46 s).
    times_s = np.array([0.0, 10.0, 14.0, 22.0, 30.0, 37.0, 46.0, 61.0])
    ticks = find_time_ticks(times_s)
    positions, labels = zip(*ticks, strict=True)
    assert labels == ("0:00", "0:10", "0:20", "0:30", "0:40", "0:50", "1:00")
    assert positions == pytest.approx(
        [0, 1, 2.75, 4, 5 + 1 / 3, 6 + 4 / 15, 6 + 14 / 15]
    )


def test_ticks_of_a_gap_do_not_crowd():
    # 100 frames, then 1000 s without any: all ticks of the gap would fall on frame 99.
    times_s = np.concatenate([np.arange(100.0), 1100 + np.arange(100.0)])
    positions = [position for position, _ in find_time_ticks(times_s)]
    assert positions[0] == 0
    assert np.diff(positions).min() >= 10


def test_a_stretch_of_a_film_keeps_its_times():
    ticks = find_time_ticks(np.arange(95.0, 125, 1))
    assert ticks == [
        *((0.0, "1:35"), (5.0, "1:40"), (10.0, "1:45")),
        *((15.0, "1:50"), (20.0, "1:55"), (25.0, "2:00")),
    ]


def test_days_are_told_as_days():
    ticks = find_time_ticks(np.arange(0.0, 20_000, 1000) * 86_400)
    assert [label for _, label in ticks] == [
        f"{2 * n},000 d" if n else "0 d" for n in range(10)
    ]


def test_from_an_hour_on_labels_have_hours():
    labels = [label for _, label in find_time_ticks(np.arange(0.0, 7000, 1))]
    assert labels[:3] == ["0:00:00", "0:15:00", "0:30:00"]
    assert labels[-1] == "1:45:00"


def test_below_a_second_labels_have_tenths():
    ticks = find_time_ticks(np.arange(6) / 25 + 59.9)
    assert ticks == [
        (pytest.approx(0.0), "0:59.9"),
        (pytest.approx(2.5), "1:00.0"),
        (pytest.approx(5.0), "1:00.1"),
    ]


def test_frame_ticks_stand_in_the_middle_of_their_frames():
    ticks = find_frame_ticks(np.arange(4))
    assert ticks == [(0.5, "frame 0"), (1.5, "1"), (2.5, "2"), (3.5, "3")]


def test_a_missing_frame_has_no_tick():
    # Steps of 5, and no frame 5.
    ticks = find_frame_ticks(np.array([0, 1, 2, 3, 4, 6, 8, 10, 20, 30]))
    assert [label for _, label in ticks] == ["frame 0", "10", "20", "30"]
    assert [position for position, _ in ticks] == [0.5, 7.5, 8.5, 9.5]


def test_large_frame_numbers_are_grouped():
    labels = [label for _, label in find_frame_ticks(np.arange(6000))]
    assert labels[:3] == ["frame 0", "1,000", "2,000"]
