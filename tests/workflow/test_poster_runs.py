"""Posters in whole runs."""

import pypdf
from PIL import Image

from projects import COLORS, NO_PICTURES, write_colors, write_tarball

SMALL = {"size": "A7", "dpi": 72, "kind": "mean"}


def test_the_command_line_alone_makes_a_poster_of_a_film(project):
    write_colors(project.folder / "x.mp4")
    told = project.make(
        *["--config", "films=x.mp4", "title=1984: ein Film", "start_s=1", "end_s=0:04"],
        *["posters={wall: {size: A7, dpi: 72, formats: [png, pdf]}}"],
        *["barcodes={kinds: [], formats: []}", "explorer={page: false}"],
        *["tables={formats: []}", "search={index: false}"],
    )
    assert "render_posters/x" in told.jobs
    folder = project.folder / "results/x/posters"
    assert {path.name for path in folder.iterdir()} == {"wall.png", "wall.pdf"}
    (page,) = pypdf.PdfReader(folder / "wall.pdf").pages
    assert page.extract_text().splitlines()[0] == "1984: ein Film"
    assert "3 of 72 frames · from 0:01 to 0:04" in page.extract_text()
    # The second to the fourth color, from left to right.
    with Image.open(folder / "wall.png") as image:
        row = [image.getpixel((x, 60)) for x in (40, 149, 250)]
    for pixel, color in zip(row, COLORS[1:4], strict=True):
        expected = color >> 16, color >> 8 & 255, color & 255
        assert max(abs(a - b) for a, b in zip(pixel, expected, strict=True)) < 12


def test_posters_cost_nothing_unless_asked_for_and_are_drawn_again_alone(project):
    write_tarball(project.folder / "x.tar", COLORS[:2])
    asked = {"films": "x.tar", **NO_PICTURES}
    assert "render_posters/x" not in project.make(**asked).jobs
    first = {"posters": {"wall": SMALL, "other": SMALL}}
    assert project.make(**asked, **first).jobs == {"render_posters/x"}
    assert project.make(**asked, **first).jobs == set()
    second = {"posters": {"wall": {**SMALL, "background": "black"}}}
    assert project.make(**asked, **second).jobs == {"render_posters/x"}
    # What is no longer asked for does not stay beside what is.
    folder = project.folder / "results/x/posters"
    assert [path.name for path in folder.iterdir()] == ["wall.png"]


def test_a_poster_that_cannot_be_is_refused_before_any_job(project):
    write_tarball(project.folder / "x.tar", COLORS[:1])
    for poster, sentence in [
        ({"size": "A22"}, "config: posters.wall.size is 'A22', should be A0 to A10"),
        ({"font": "no.ttf"}, "config: posters.wall.font is 'no.ttf', but there is no"),
        ({"font": "No Such"}, "config: posters.wall.font is 'No Such', which this"),
    ]:
        result = project.run(films="x.tar", posters={"wall": poster})
        assert result.status != 0
        assert sentence in result.stderr
        assert result.jobs == set()
