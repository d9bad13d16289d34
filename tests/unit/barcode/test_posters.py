import base64
import io
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pypdf
import pytest
from fontTools.ttLib import TTFont
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.font_manager import findfont
from PIL import Image, ImageCms

from databases import write_shard
from reelbow.barcode import draw_barcode
from reelbow.barcode.figure import _measure
from reelbow.barcode.film_record import read_film
from reelbow.barcode.fonts import describe_missing
from reelbow.barcode.paper import parse_paper
from reelbow.barcode.picture_files import KINDS
from reelbow.barcode.poster import Box, draw_picture, plan_poster, spread
from reelbow.barcode.poster_files import save_poster
from reelbow.errors import ReelbowError
from reelbow.runs.config import check_config

N_FRAMES = 7
BLACK, WHITE = (0, 0, 0), (255, 255, 255)


def set_up(**settings):
    return check_config({"posters": {"wall": settings}})["posters"]["wall"]


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Frames whose strips are two rows, each row of another color."""
    path = tmp_path_factory.mktemp("film") / "palettes.sqlite"
    return write_shard(path, range(N_FRAMES))


def save(film, path, *, kind="stacked", size="A7", dpi=100, **settings):
    settings = set_up(kind=kind, size=size, dpi=dpi, **settings)
    page = plan_poster(settings, read_film(film))
    pixels = draw_picture(page, film, kind, n_places=N_FRAMES)
    save_poster(page, pixels, path)
    return page


def draw(film, page, kind="stacked"):
    box = page.picture
    return draw_barcode(film, kind, height=box.height, width=box.width)


def cut(pixels, box):
    return pixels[box.top : box.bottom, box.left : box.left + box.width]


@pytest.mark.parametrize(
    ("size", "orientation", "sides"),
    [
        ("A4", "auto", (297, 210)),
        ("A4", "portrait", (210, 297)),
        ("A1", "landscape", (841, 594)),
        ("A10", "portrait", (26, 37)),
        ("b2", "portrait", (500, 707)),
        ("24x36in", "auto", (609.6, 914.4)),
        ("24x36in", "landscape", (914.4, 609.6)),
        ("500x700mm", "auto", (500, 700)),
        ("70x50cm", "portrait", (500, 700)),
    ],
)
def test_sizes_are_read_as_people_write_them(size, orientation, sides):
    paper = parse_paper(set_up(size=size, orientation=orientation))
    assert (paper.width, paper.height) == pytest.approx(sides)


def test_a_column_has_a_width_alone():
    paper = parse_paper(set_up(size="85mm"))
    assert (paper.width, paper.height, paper.left) == (85, None, 0)


def test_margins_are_those_of_css():
    def read(margins):
        paper = parse_paper(set_up(margins=margins))
        return paper.top, paper.right, paper.bottom, paper.left

    assert read("1in") == (25.4,) * 4
    assert read("10mm 2cm") == (10, 20, 10, 20)
    assert read("1mm 2mm 3mm 4mm") == (1, 2, 3, 4)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"size": "A22"}, "size is 'A22', should be A0 to A10 or B0 to B10, a width"),
        ({"size": "3x4m"}, "size is '3x4m', should be A0 to A10"),
        ({"size": "1x1mm"}, "size is '1x1mm', should have sides of 20 to 5080 mm"),
        ({"size": "85mm", "orientation": "portrait"}, "orientation is 'portrait', but"),
        ({"margins": "1mm 2mm 3mm"}, "margins is '1mm 2mm 3mm', should be one length"),
        ({"margins": "-3mm"}, "margins is '-3mm', should be one length"),
        ({"margins": "250mm"}, "takes more than half of 594 x 420 mm; give smaller"),
        ({"size": "A0", "dpi": 1200}, "makes 56,173 pixels of 1189 x 841 mm, more"),
        ({"background": "red"}, "background is 'red', should be white, black, transp"),
        ({"kinds": "mean"}, "unknown key 'posters.wall.kinds'; did you mean 'kind'?"),
        ({"kind": "contact"}, "posters.wall.kind is 'contact', should be one of mean"),
        (
            {"kind": "sorted", "axis": True},
            "axis is true, but in a poster of kind",
        ),
        ({"formats": []}, "posters.wall.formats is [], should be not empty"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(settings, sentence):
    with pytest.raises(ReelbowError, match=re.escape(sentence)) as told:
        set_up(**settings)
    assert "posters.wall" in str(told.value)


@pytest.mark.parametrize("name", ["a/b", "", ".hidden", "-x", "a b"])
def test_a_poster_has_the_name_of_a_file(name):
    with pytest.raises(ReelbowError, match="should be posters by their names, of let"):
        check_config({"posters": {name: {}}})


def test_posters_whose_files_would_be_one_are_refused():
    with pytest.raises(ReelbowError, match="'wall' and 'Wall', which differ only in"):
        check_config({"posters": {"wall": {}, "Wall": {}}})


def test_what_the_command_line_says_as_texts_is_read():
    given = {"wall": {"dpi": "150", "axis": "true", "title": "1984", "margins": "1in"}}
    wall = check_config({"posters": given})["posters"]["wall"]
    assert (wall["dpi"], wall["axis"], wall["title"]) == (150, True, "1984")


@pytest.mark.parametrize("font", ["no/such.ttf", "No Such Family"])
def test_a_font_that_is_not_there_is_told(film, font):
    with pytest.raises(ReelbowError, match=f"font is '{font}', "):
        plan_poster(set_up(font=font), read_film(film))


def test_a_file_that_is_no_font_is_told(film, tmp_path):
    path = tmp_path / "x.ttf"
    path.write_text("no font")
    with pytest.raises(ReelbowError, match="which is no font that can be read"):
        plan_poster(set_up(font=str(path)), read_film(film))


def test_texts_without_room_are_told(film):
    with pytest.raises(ReelbowError, match="size is '40x40mm', on which margins and t"):
        plan_poster(set_up(size="40x40mm", title="word " * 90), read_film(film))


@pytest.mark.parametrize("kind", KINDS)
def test_a_png_has_its_size_dpi_profile_and_exactly_the_barcode(film, tmp_path, kind):
    page = save(film, tmp_path / "wall.png", kind=kind, margins="10mm")
    with Image.open(tmp_path / "wall.png") as image:
        pixels = np.asarray(image)
        assert image.mode == "RGB"
        assert image.size == (page.width, page.height) == (413, 291)
        assert image.info["dpi"] == pytest.approx((100, 100), abs=0.01)
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        assert "sRGB" in ImageCms.getProfileName(profile)
        assert image.info["Title"] == "The Demo"
    box = page.picture
    assert (box.left, box.top, box.width) == (39, 39, 413 - 2 * 39)
    assert (cut(pixels, box) == draw(film, page, kind)).all()
    # All around it is paper, but what is written below.
    assert (pixels[: box.top] == 255).all()
    assert (pixels[: box.bottom, : box.left] == 255).all()
    assert (pixels[: box.bottom, box.left + box.width :] == 255).all()
    assert (pixels[box.bottom :] < 100).any()


def test_a_column_of_what_is_sorted_has_no_times(film):
    pages = [
        plan_poster(set_up(kind=kind, size="85mm"), read_film(film))
        for kind in ("mean", "sorted")
    ]
    assert [len(page.ticks) > 1 for page in pages] == [True, False]


def test_drawing_twice_gives_the_same_bytes(film, tmp_path):
    for suffix in ("png", "pdf", "svg"):
        files = [tmp_path / f"{name}.{suffix}" for name in "ab"]
        for file in files:
            save(film, file)
        assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize(
    ("background", "paper", "is_dark"),
    [("black", BLACK, False), ("#f4efe6", (244, 239, 230), True)],
)
def test_ink_stands_out_from_its_paper(film, tmp_path, background, paper, is_dark):
    page = save(film, tmp_path / "a.png", background=background)
    with Image.open(tmp_path / "a.png") as image:
        pixels = np.asarray(image).astype(int)
    assert tuple(pixels[0, 0]) == paper
    written = pixels[page.picture.bottom :]
    assert written.min() < 60 if is_dark else written.max() > 200


def test_a_transparent_poster_is_clear_around_the_barcode_and_its_letters(
    film, tmp_path
):
    page = save(film, tmp_path / "a.png", background="transparent")
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "RGBA"
        pixels = np.asarray(image)
    inside = cut(pixels, page.picture)
    assert (inside[..., :3] == draw(film, page)).all()
    assert (inside[..., 3] == 255).all()
    assert (pixels[: page.picture.top, :, 3] == 0).all()
    below = pixels[page.picture.bottom :]
    assert (below[..., 3] == 0).mean() > 0.8
    assert (below[below[..., 3] == 255][:, :3] < 130).all()
    assert (below[..., 3] == 255).any()


def test_a_pdf_has_its_size_text_fonts_profile_and_exactly_the_barcode(film, tmp_path):
    path = tmp_path / "wall.pdf"
    page = save(
        film, path, credits="© Some Foundation\nCC BY 3.0", title="Zwölf Boxkämpfer"
    )
    pdf = pypdf.PdfReader(path, strict=True)
    (sheet,) = pdf.pages
    size_mm = [float(side) / 72 * 25.4 for side in sheet.mediabox[2:]]
    assert size_mm == pytest.approx([105, 74], abs=0.2)
    lines = sheet.extract_text().splitlines()
    assert lines[0] == "Zwölf Boxkämpfer"
    assert lines[-2:] == ["© Some Foundation", "CC BY 3.0"]
    for font in sheet["/Resources"]["/Font"].values():
        (inner,) = font["/DescendantFonts"]
        assert inner.get_object()["/Subtype"] == "/CIDFontType2"
        assert "/FontFile2" in inner.get_object()["/FontDescriptor"]
    (intent,) = pdf.root_object["/OutputIntents"]
    profile = intent.get_object()["/DestOutputProfile"].get_object().get_data()
    assert "sRGB" in ImageCms.getProfileName(
        ImageCms.ImageCmsProfile(io.BytesIO(profile))
    )
    (picture,) = sheet["/Resources"]["/XObject"].values()
    assert picture["/ColorSpace"][0] == "/ICCBased"
    data = np.frombuffer(picture.get_object().get_data(), np.uint8)
    box = page.picture
    assert (data.reshape(box.height, box.width, 3) == draw(film, page)).all()
    # And the right way up: from the lower left corner, with sides above 0.
    drawn = re.sub(rb"\s+", b" ", sheet.get_contents().get_data())
    zero = rb"-?0"
    corner = re.search(
        rb"1 0 Z 1 (\S+) (\S+) cm (\S+) Z Z (\S+) Z Z cm /I\d+ Do".replace(b"Z", zero),
        drawn,
    )
    assert corner, drawn
    points = [float(value) * 100 / 72 for value in corner.groups()]
    bottom = page.height - box.bottom
    assert points == pytest.approx([box.left, bottom, box.width, box.height], abs=0.1)


def test_an_svg_has_its_size_text_fonts_and_exactly_the_barcode(film, tmp_path):
    path = tmp_path / "wall.svg"
    page = save(film, path, title="<Zwölf> & co.")
    tree = ElementTree.parse(path).getroot()
    names = "{http://www.w3.org/2000/svg}"
    assert float(tree.get("width").removesuffix("pt")) == pytest.approx(
        page.width * 0.72, abs=0.1
    )
    assert tree.find(f".//{names}text").text == "<Zwölf> & co."
    style = tree.find(f".//{names}style").text
    assert "@font-face{font-family:'STIXGeneral'" in style
    assert "font/woff;base64" in style
    image = tree.find(f".//{names}image")
    box = page.picture
    places = [float(image.get(name)) for name in ("x", "y", "width", "height")]
    assert places == pytest.approx(
        [part * 0.72 for part in (box.left, box.top, box.width, box.height)], rel=1e-4
    )
    _, _, data = image.get("{http://www.w3.org/1999/xlink}href").partition("base64,")
    with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
        assert (np.asarray(picture) == draw(film, page)).all()


def test_a_font_s_name_is_no_markup(film, tmp_path):
    name = "x'}</style><script>alert(1)</script>"
    with TTFont(findfont("DejaVu Sans")) as font:
        for number in (1, 16):
            font["name"].setName(name, number, 3, 1, 0x409)
            font["name"].setName(name, number, 1, 0, 0)
        font.save(tmp_path / "x.ttf")
    save(film, tmp_path / "wall.svg", title="A", font=str(tmp_path / "x.ttf"))
    tree = ElementTree.parse(tmp_path / "wall.svg").getroot()
    names = "{http://www.w3.org/2000/svg}"
    assert not tree.findall(f".//{names}script")
    style = tree.find(f".//{names}style").text
    assert r"font-family:'x\27 \7d \3c \2f style\3e \3c script" in style


def test_a_damaged_font_is_told(film, tmp_path):
    data = bytearray(Path(findfont("DejaVu Sans")).read_bytes())
    # Its table of glyphs is shorter than the one of their places says.
    place = data.index(b"glyf") + 12
    data[place : place + 4] = (400_000).to_bytes(4)
    (tmp_path / "x.ttf").write_bytes(data)
    with pytest.raises(ReelbowError, match=r"x\.ttf is damaged .*; choose another"):
        save(film, tmp_path / "wall.svg", title="A", font=str(tmp_path / "x.ttf"))


def test_outlines_need_no_fonts(film, tmp_path):
    for suffix in ("pdf", "svg"):
        save(film, tmp_path / f"a.{suffix}", text="outlines")
    assert "<text" not in (tmp_path / "a.svg").read_text()
    (sheet,) = pypdf.PdfReader(tmp_path / "a.pdf").pages
    assert sheet.extract_text() == ""
    assert not sheet["/Resources"]["/Font"]


def test_letters_without_a_font_are_told_at_the_foot(film):
    page = plan_poster(set_up(title="A \U0001fae8"), read_film(film))
    assert page.complaint == describe_missing("\U0001fae8")
    assert page.complaint.startswith(page.lines[-1].text[:20])


def test_a_column_has_times_that_can_be_read_and_stand_apart(film):
    page = plan_poster(set_up(size="85mm", dpi=600), read_film(film))
    assert page.width == round(85 / 25.4 * 600)
    labels = [line.text for line in page.lines]
    assert labels[0] == "0:00.0"
    ends = []
    for line in page.lines:
        assert line.font.get_size_in_points() >= 7
        width = _measure(line.text, line.font)
        part = {"left": 0, "center": 0.5, "right": 1}[line.align]
        ends += [line.left - part * width, line.left + (1 - part) * width]
    assert ends == sorted(ends)
    assert ends[0] >= 0
    assert ends[-1] <= 85 / 25.4


def test_a_column_may_have_a_title_too(film):
    page = plan_poster(set_up(size="85mm", title="Fig. 1"), read_film(film))
    assert page.lines[-1].text == "Fig. 1"
    assert page.lines[-1].baseline < page.height / page.dpi


@pytest.mark.parametrize("orientation", ["portrait", "landscape"])
@pytest.mark.parametrize("title", ["Up", "word " * 60, "w" * 300])
def test_all_that_is_written_stays_on_the_paper(film, orientation, title):
    settings = set_up(size="A2", dpi=36, orientation=orientation, title=title)
    page = plan_poster(settings, read_film(film))
    right = (page.picture.left + page.picture.width) / page.dpi
    for line in page.lines:
        assert line.left + _measure(line.text, line.font) <= right + 1e-6
        assert page.picture.bottom < line.baseline * page.dpi < page.height


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 9), st.integers(0, 9))
def test_a_picture_is_spread_over_its_box(height, width, more_rows, more_columns):
    pixels = np.arange(height * width * 3, dtype=np.uint8).reshape(height, width, 3)
    box = Box(0, 0, width + more_columns, height + more_rows)
    parts = [spread(pixels, box, range(row, row + 1)) for row in range(box.height)]
    whole = spread(pixels, box, range(box.height))
    assert (np.concatenate(parts) == whole).all()
    down = np.arange(box.height) * height // box.height
    across = np.arange(box.width) * width // box.width
    assert (whole == pixels[down][:, across]).all()
