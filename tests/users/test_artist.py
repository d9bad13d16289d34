"""A data artist: one film, a picture tonight, then the same in another order."""

import numpy as np
from PIL import Image

from projects import COLORS, close_to, write_colors


def read_size(path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def draw(desk, *arguments: str):
    result = desk.run("--config", "films=film.mp4", *arguments)
    assert result.status == 0, result.stderr
    return result


def test_a_poster_is_drawn_turned_ordered_and_drawn_again(desk):
    write_colors(desk.folder / "film.mp4")
    barcodes = desk.folder / "results/film/barcodes"
    stacked = barcodes / "stacked.png"

    title, kinds = "title=夜のパリ", "kinds: [strip, stacked]"
    draw(desk, title, f"barcodes={{{kinds}, height: 496, width: 701}}")
    assert read_size(stacked) == (701, 496)
    # Portrait: the two numbers change places.
    turned = f"{kinds}, height: 701, width: 496"
    draw(desk, title, f"barcodes={{{turned}}}")
    assert read_size(stacked) == (496, 701)

    # Another order redraws the pictures and does nothing else.
    ordered = f"barcodes={{{turned}, order: track}}"
    result = draw(desk, title, ordered)
    assert result.jobs == {"render_barcodes/film"}
    assert desk.query("SELECT title FROM films") == [("夜のパリ",)]

    # One picture by its name, and no other; then nothing is drawn again.
    for path in barcodes.glob("strip*"):
        path.unlink()
    result = draw(desk, title, ordered, "--", "results/film/barcodes/strip.png")
    assert result.jobs == {"render_barcode/film/strip"}
    assert (barcodes / "strip.svg").exists()
    assert draw(desk, title, ordered).jobs == set()


def test_a_stretch_of_the_film_is_given_on_the_command_line(desk):
    write_colors(desk.folder / "film.mp4")
    draw(desk, "start_s=0:02", "end_s=0:04", "barcodes={kinds: [mean]}")
    assert desk.query("SELECT start_s, end_s, n_frames FROM films") == [(2.0, 4.0, 2)]
    with Image.open(desk.folder / "results/film/barcodes/mean.png") as image:
        pixels = np.asarray(image)
    for column, color in zip(pixels[0], COLORS[2:4], strict=True):
        assert close_to(int.from_bytes(column.tobytes()), color)


def test_what_is_mistyped_is_told_in_one_sentence(desk):
    write_colors(desk.folder / "film.mp4", COLORS[:1])
    for argument, sentence in {
        "barcodes.order=track": "order: track",
        "barcodes={order: rainbow}": "barcodes.order is 'rainbow', should be one of",
        "films=flim.mp4": "no such film flim.mp4",
    }.items():
        result = desk.run("--config", "films=film.mp4", argument)
        assert result.status != 0
        assert sentence in result.stderr
        assert "Traceback" not in result.stderr
        assert desk.results() == set()
