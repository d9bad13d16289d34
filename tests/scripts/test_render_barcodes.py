import os
import re
import shutil
import sqlite3
from contextlib import closing

import numpy as np
import pytest
from PIL import Image

from databases import merge, write_shard
from reelbow.barcode import bend_barcode, draw_barcode
from reelbow.barcode.film_record import read_film, read_measures
from reelbow.barcode.picture_files import KINDS, drop_pictures
from reelbow.database.frames import add_frames
from reelbow.database.opening import open_new
from reelbow.database.schema import ONLY_FILM, FilmRow
from reelbow.database.shots import Shot
from reelbow.database.writing import add_film, finish
from reelbow.errors import ReelbowError
from render_barcodes import render_barcodes

COLORS = [0xC02020, 0x20C020, 0x2020C0]


@pytest.fixture
def film(tmp_path):
    """A film of three frames, each of one color; the second is said to be black."""
    path = tmp_path / "palettes.sqlite"
    colors = np.array([[c >> 16, c >> 8 & 255, c & 255] for c in COLORS], float)
    row = FilmRow(
        *["demo", "Demo", "demo.mkv"], duration_s=3.0, sampling="frames", every=1.0
    )
    with open_new(path) as connection:
        add_film(connection, ONLY_FILM, row)
        add_frames(
            connection,
            "00000",
            frames=np.arange(3),
            times_s=np.arange(3.0),
            names=["0", "1", "2"],
            mean_colors=colors,
            lumas=np.array([9.0, 0.0, 9.0]),
            strips=np.repeat(colors[:, np.newaxis], 6, axis=1),
            measures=np.arange(30.0).reshape(3, 10),
            colors=colors[:, np.newaxis],
            shares=np.ones((3, 1)),
        )
        finish(connection, {}, n_colors=1)
    return path


DRAWING = {"height": 20, "width": None, "skip_black": False, "gap_color": "#d9d9d9"}


def render(film, folder, *, kind="mean", endings=(), **drawing):
    pictures = [folder / f"{kind}{ending}" for ending in (".png", *endings)]
    render_barcodes(film, pictures, drawing=DRAWING | drawing)


@pytest.mark.parametrize("kind", ["mean", "stacked"])
def test_a_film_that_is_left_out_is_one_gap_if_that_may_be(tmp_path, kind):
    path = tmp_path / "palettes.sqlite"
    row = FilmRow("lost", "Lost", "lost.mkv", n_frames=5)
    with open_new(path) as connection:
        add_film(connection, ONLY_FILM, row)
        finish(connection, {}, n_colors=1)
    pictures = [tmp_path / f"{kind}.png", tmp_path / f"{kind}_figure.png"]
    with pytest.raises(ReelbowError, match="no frames of the film 'lost'"):
        render_barcodes(path, pictures, drawing=DRAWING)
    render_barcodes(path, pictures, drawing=DRAWING, go_on=True)
    assert (load(pictures[0]) == np.full((20, 5, 3), 0xD9)).all()
    assert pictures[1].exists()


def load(path):
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.mark.parametrize("kind", KINDS)
def test_the_bare_barcode_has_the_exact_pixels(film, tmp_path, kind):
    render(film, tmp_path / "out", kind=kind)
    pixels = load(tmp_path / "out" / f"{kind}.png")
    assert pixels.shape == (20, 3, 3)
    packed = pixels.astype(int) @ [0x10000, 0x100, 1]
    assert packed.tolist() == [COLORS] * 20


def test_all_kinds_are_drawn_as_each_alone(film, tmp_path):
    names = [f"{kind}{ending}" for kind in KINDS for ending in (".png", ".svg")]
    render_barcodes(film, [tmp_path / "all" / name for name in names], drawing=DRAWING)
    for kind in KINDS:
        render(film, tmp_path / "alone", kind=kind, endings=[".svg"])
    for name in names:
        together, alone = (tmp_path / folder / name for folder in ("all", "alone"))
        assert together.read_bytes() == alone.read_bytes()


def test_the_width_is_as_asked(film, tmp_path):
    render(film, tmp_path, width=50)
    assert load(tmp_path / "mean.png").shape == (20, 50, 3)


@pytest.mark.parametrize(("width", "columns"), [("frames", 3), (40_000, 40_000)])
def test_a_wide_barcode_is_a_tiff_and_has_figures(
    film, tmp_path, width, columns, capsys
):
    render(film, tmp_path, endings=[".svg"])
    pictures = [tmp_path / "mean.tif", tmp_path / "mean.svg"]
    drawing = DRAWING | {"width": width}
    render_barcodes(film, pictures, drawing=drawing)
    pixels = load(pictures[0])
    assert pixels.shape == (20, columns, 3)
    packed = pixels.astype(int) @ [0x10000, 0x100, 1]
    assert packed[:, [0, columns // 2, -1]].tolist() == [COLORS] * 20
    # What was drawn before does not stay beside it, and goes when palettes are new.
    assert f"{tmp_path / 'mean.png'}: deleted" in capsys.readouterr().err
    seen = pictures[1].stat().st_ino
    render_barcodes(film, pictures, drawing=drawing)
    assert pictures[1].stat().st_ino == seen
    render(film, tmp_path, endings=[".svg"])
    assert not pictures[0].exists()
    render_barcodes(film, pictures, drawing=drawing)
    assert drop_pictures(tmp_path) == [*pictures]


def test_a_figure_is_written_by_its_suffix(film, tmp_path):
    out = tmp_path / "out"
    render(film, out, endings=["_figure.png", ".svg", ".pdf"])
    assert {path.name for path in out.iterdir()} == {
        *["mean.png", "mean_figure.png", "mean.svg", "mean.pdf"],
    }
    assert (out / "mean_figure.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (out / "mean.svg").read_bytes()
    assert (out / "mean.pdf").read_bytes().startswith(b"%PDF")


def draw_svg(film, folder, kind="mean", **drawing):
    """Read what stands in a figure, line by line."""
    render(film, folder, kind=kind, endings=[".svg"], **drawing)
    text = (folder / f"{kind}.svg").read_text()
    return [line for line in re.findall("<!-- (.*) -->", text) if line]


def test_the_axis_leaves_out_what_is_black(film, tmp_path):
    lines = draw_svg(film, tmp_path, skip_black=True)
    with Image.open(tmp_path / "mean.png") as picture:
        assert picture.size == (2, 20)
    # Frames 0 and 2, of 0 s and 2 s.
    assert {"0:00.0", "0:01.0", "0:02.0"} <= set(lines)
    assert "Mean color of every frame · 3 frames · 1 black frame left out" in lines
    assert "missing" not in lines


def test_a_gap_is_drawn_and_told(film, tmp_path):
    with closing(sqlite3.connect(film)) as connection, connection:
        connection.execute("DELETE FROM frames WHERE frame = 1")
        connection.execute("UPDATE films SET n_frames = 5")
    lines = draw_svg(film, tmp_path, gap_color="#0000ff")
    assert "Mean color of every frame · 2 frames · 3 of 5 frames missing" in lines
    assert "missing" in lines
    # Frames that are missing at the end have their time too.
    assert [line for line in lines if line.endswith(".0")] == [
        f"0:0{second}.0" for second in range(5)
    ]
    packed = load(tmp_path / "mean.png")[0].astype(int) @ [0x10000, 0x100, 1]
    assert packed.tolist() == [COLORS[0], 0xFF, COLORS[2], 0xFF, 0xFF]


def test_letters_without_a_font_are_told_in_the_log(film, tmp_path, capsys):
    with closing(sqlite3.connect(film)) as connection, connection:
        connection.execute("UPDATE films SET title = ?", ("\U0010fff0",))
    lines = draw_svg(film, tmp_path)
    said = "no font of this machine has U+10FFF0: install one"
    assert f"WARNING: {tmp_path / 'mean.svg'}: {said}" in capsys.readouterr().err
    assert any(said in line for line in lines)


def test_figures_of_other_formats_go_and_nothing_else_does(film, tmp_path, capsys):
    endings = [".svg", ".pdf", "_figure.png"]
    for kind in ("mean", "strip"):
        render(film, tmp_path, kind=kind, endings=endings)
    # The user's own, some of them with a name of ours.
    (tmp_path / "mean.pdf").write_bytes(b"%PDF-1.4 by Inkscape")
    for name in ("mean_a.svg", "mean.txt", "poster.png"):
        shutil.copy(tmp_path / "mean.svg", tmp_path / name)
    render(film, tmp_path, endings=["_figure.png"])
    left = {path.name for path in tmp_path.iterdir()} - {film.name}
    strips = {"strip.png", *(f"strip{ending}" for ending in endings)}
    own = {"mean.pdf", "mean_a.svg", "mean.txt", "poster.png"}
    assert left == {"mean.png", "mean_figure.png", *strips, *own}
    assert f"{tmp_path / 'mean.svg'}: deleted" in capsys.readouterr().err


def render_measures(film, folder, measures, endings, **drawing):
    """Draw the figure of measures alone."""
    render_barcodes(
        film,
        [folder / f"measures{ending}" for ending in endings],
        drawing=DRAWING | drawing,
        measures=measures,
    )


def test_measures_are_drawn_below_the_barcode(film, tmp_path):
    out = tmp_path / "out"
    render_measures(film, out, ["colorfulness", "lightness"], [".png", ".svg", ".pdf"])
    names = {"measures.png", "measures.svg", "measures.pdf"}
    assert {path.name for path in out.iterdir()} == names
    text = (out / "measures.svg").read_text()
    lines = re.findall("<!-- (.*) -->", text)
    assert "Palette and measures of every frame · 3 frames" in lines
    order = [lines.index(each) for each in ("colorfulness M3", "mean lightness L*")]
    assert order == sorted(order)
    # The barcode is the stacked one, a column a frame, whatever else is drawn.
    pixels = load(out / "measures.png")
    column = pixels[:, pixels.shape[1] // 2].astype(int) @ [0x10000, 0x100, 1]
    assert (column == COLORS[1]).sum() > 1000


def test_what_measures_are_read(film):
    record = read_film(film)
    found = read_measures(film, record, ["strip_sharpness", "lightness"])
    # As the fixture numbers them.
    np.testing.assert_array_equal(found, [[9.0, 19.0, 29.0], [0.0, 10.0, 20.0]])
    without_black = read_film(film, skip_black=True)
    found = read_measures(film, without_black, ["lightness"])
    np.testing.assert_array_equal(found, [[0.0, 20.0]])
    with closing(sqlite3.connect(film)) as connection, connection:
        connection.execute("DELETE FROM frames WHERE frame = 1")
        connection.execute("UPDATE films SET n_frames = 4")
    found = read_measures(film, read_film(film), ["lightness", "palette_entropy"])
    gap = np.nan
    np.testing.assert_array_equal(found, [[0, gap, 20, gap], [0, gap, 0, gap]])


def test_of_an_older_database_measures_are_refused_in_a_sentence(film):
    record = read_film(film)
    with closing(sqlite3.connect(film)) as connection, connection:
        connection.execute("PRAGMA user_version = 3")
    with pytest.raises(ReelbowError, match=r"older Reelbow .*delete it and run again"):
        read_measures(film, record, ["lightness"])


def test_figures_of_measures_go_when_none_is_asked_for(film, tmp_path, capsys):
    out = tmp_path / "out"
    render_measures(film, out, ["chroma"], [".png", ".svg"])
    # One kind alone, in a run that asks for measures.
    pictures = [out / "mean.png"]
    render_barcodes(film, pictures, drawing=DRAWING, measures=["chroma"])
    assert (out / "measures.svg").exists()
    render_measures(film, out, ["chroma"], [".png"])
    assert not (out / "measures.svg").exists()
    render_barcodes(film, pictures, drawing=DRAWING)
    assert {path.name for path in out.iterdir()} == {"mean.png"}
    assert f"{out / 'measures.png'}: deleted" in capsys.readouterr().err
    render_measures(film, out, ["chroma"], [".png"])
    drop_pictures(out)
    assert not list(out.iterdir())


def test_pictures_of_other_palettes_go_and_nothing_else_does(film, tmp_path):
    endings = [".svg", ".pdf", "_figure.png"]
    render(film, tmp_path, kind="stacked", endings=endings)
    render(film, tmp_path, kind="mean")
    (tmp_path / "strip.png").write_bytes(b"a picture of the user's own")
    (tmp_path / "poster.png").write_bytes((tmp_path / "mean.png").read_bytes())
    drop_pictures(tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {film.name, "strip.png", "poster.png"}
    assert drop_pictures(tmp_path / "nowhere") == []


def test_a_failure_leaves_no_half_of_a_picture(film, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise ReelbowError("no room")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", fail)
    out = tmp_path / "out"
    with pytest.raises(ReelbowError, match="no room"):
        render(film, out, endings=["_figure.png", ".svg"])
    assert {path.name for path in out.iterdir()} == {"mean.png"}


# Drawn again


def draw_all(film, folder, *, code="1", **drawing):
    """Draw all kinds; return which figures were written, by their files' numbers."""
    paths = [
        folder / f"{kind}{ending}" for kind in KINDS for ending in (".png", ".svg")
    ]
    before = {path: path.stat().st_ino for path in paths if path.exists()}
    # So that no new file gets the number of an old one.
    for number, path in enumerate(before):
        (folder / f"old{number}").unlink(missing_ok=True)
        (folder / f"old{number}").hardlink_to(path)
    drawing = DRAWING | {"order": "share"} | drawing
    render_barcodes(film, paths, drawing=drawing, code=code)
    return {
        path.stem
        for path in paths
        if path.suffix == ".svg" and path.stat().st_ino != before.get(path)
    }


def test_figures_that_would_come_out_the_same_stay_and_are_new(film, tmp_path):
    assert draw_all(film, tmp_path) == set(KINDS)
    figure = tmp_path / "mean.svg"
    os.utime(figure, (0, 0))
    assert draw_all(film, tmp_path) == set()
    assert figure.stat().st_mtime > film.stat().st_mtime


def test_another_order_draws_what_is_stacked(film, tmp_path):
    draw_all(film, tmp_path)
    assert draw_all(film, tmp_path, order="hue") == {"stacked", "equal"}
    assert "order hue" in (tmp_path / "stacked.svg").read_text()


def test_another_size_or_other_code_draws_all(film, tmp_path):
    draw_all(film, tmp_path)
    assert draw_all(film, tmp_path, height=21) == set(KINDS)
    assert draw_all(film, tmp_path, height=21, code="2") == set(KINDS)


@pytest.mark.parametrize("name", ["mean.svg", "mean.png"])
@pytest.mark.parametrize("is_there", [True, False])
def test_what_is_missing_or_changed_is_drawn_again(film, tmp_path, name, is_there):
    draw_all(film, tmp_path)
    drawn = (tmp_path / name).read_bytes()
    (tmp_path / name).unlink()
    if is_there:
        (tmp_path / name).write_bytes(drawn[:50])
    assert draw_all(film, tmp_path) == {"mean"}
    assert (tmp_path / name).read_bytes() == drawn


def test_what_lacks_a_letter_is_drawn_and_told_each_time(film, tmp_path, capsys):
    with closing(sqlite3.connect(film)) as connection, connection:
        connection.execute("UPDATE films SET title = 'Demo \U0010fff0'")
    for _ in range(2):
        assert draw_all(film, tmp_path) == set(KINDS)
        assert capsys.readouterr().err.count("no font of this machine has") == len(
            KINDS
        )


def test_shots_are_drawn_if_they_are_asked_for(tmp_path):
    shard = write_shard(tmp_path / "0.sqlite", range(4), times_s=[0.0, 1.0, 2.0, 3.0])
    shots = [Shot(0, 50, 0.0, 2.0), Shot(50, 100, 2.0, 4.0)]
    about = {"shots": "{}"}
    film = merge([shard], [4], tmp_path / "film.sqlite", shots=shots, about=about)
    out = tmp_path / "out"
    pictures = [out / name for name in ["mean.png", "mean.svg", "shots.svg"]]
    render_barcodes(film, pictures, drawing=DRAWING, shots=True)
    texts = [picture.read_text() for picture in pictures[1:]]
    assert all(" · 2 shots -->" in text for text in texts)
    assert [text.count("number of shots") for text in texts] == [0, 1]
    # They stay if they would come out the same, and else do not.
    seen = pictures[1].stat().st_ino
    render_barcodes(film, pictures, drawing=DRAWING, shots=True)
    assert pictures[1].stat().st_ino == seen
    render_barcodes(film, pictures[:2], drawing=DRAWING)
    assert not pictures[2].exists()
    assert "shots" not in pictures[1].read_text()


def test_a_shape_is_of_the_bare_picture_and_its_figures(film, tmp_path):
    shape = {"name": "ring", "side": 60, "background": "transparent"}
    pictures = [tmp_path / name for name in ("mean.png", "mean_figure.png", "mean.svg")]
    render_barcodes(film, pictures, drawing=DRAWING, shape=shape)
    ring = load(pictures[0])
    line = draw_barcode(film, "mean", height=20)
    np.testing.assert_array_equal(
        ring, bend_barcode(line, "ring", side=60, background="transparent")
    )
    page = load(pictures[1])
    assert page.shape[0] > page.shape[1] > 2800
    colors = {tuple(color) for color in page[::40, ::40].reshape(-1, 3).tolist()}
    assert {tuple(color) for color in line[0].tolist()} < colors
    lines = re.findall("<!-- (.*) -->", pictures[2].read_text())
    assert {"0:00.0", "0:01.0"} <= set(lines)
    # What would come out the same stays; another shape is another picture.
    before = [path.stat().st_ino for path in pictures[1:]]
    render_barcodes(film, pictures, drawing=DRAWING, shape=shape)
    assert [path.stat().st_ino for path in pictures[1:]] == before
    pictures, shape["name"] = pictures[::2], "rows"
    render_barcodes(film, pictures, drawing=DRAWING, shape=shape)
    assert pictures[1].stat().st_ino != before[1]


def test_what_is_sorted_has_no_axis_of_time(film, tmp_path):
    assert "0:01.0" not in draw_svg(film, tmp_path, kind="sorted", sort_by="lightness")
    lines = draw_svg(film, tmp_path, kind="sorted", sort_by="lightness")
    assert any(line.endswith("sorted by lightness") for line in lines)
    with Image.open(tmp_path / "sorted.png") as picture:
        assert picture.size == (3, 20)


def test_columns_are_blended_if_asked_for(film, tmp_path):
    pictures = [tmp_path / "mean.png", tmp_path / "mean.svg"]
    render_barcodes(film, pictures, drawing=DRAWING, smooth=3.0)
    assert "· blended within 3 s -->" in pictures[1].read_text()
    blended = load(pictures[0])
    assert len(np.unique(blended[0], axis=0)) == 3
    assert (blended[0] != draw_barcode(film, "mean", height=1)[0]).any(axis=1).all()
