"""Rings, spirals and rows of barcodes whose colors are known."""

import tracemalloc
from itertools import islice

import numpy as np
import pytest
from PIL import Image

from reelbow.barcode import bend_barcode, shapes
from reelbow.barcode.picture_files import save_bare
from reelbow.barcode.shapes import SHAPES, Shape, bend_strips
from reelbow.errors import ReelbowError

RED, GREEN, BLUE, YELLOW = [200, 30, 30], [30, 180, 30], [30, 30, 200], [220, 200, 40]
WHITE = [255] * 3
BENT = SHAPES[1:]


def draw_line(*colors, width=400, height=20):
    columns = np.repeat(np.array(colors, np.uint8), width // len(colors), axis=0)
    return np.tile(columns, (height, 1, 1))


def draw_noise(width=700, height=50):
    return np.random.default_rng(4).integers(0, 256, (height, width, 3), np.uint8)


def test_a_ring_reads_clockwise_from_the_top():
    ring = bend_barcode(draw_line(RED, GREEN, BLUE, YELLOW), "ring", side=200)
    middle = 100
    # At 12, 3, 6 and 9 o'clock each color begins, clockwise.
    assert ring[25, middle + 1].tolist() == RED
    assert ring[25, middle - 2].tolist() == YELLOW
    assert ring[middle + 1, 175].tolist() == GREEN
    assert ring[middle - 2, 175].tolist() == RED
    assert ring[175, middle - 2].tolist() == BLUE
    assert ring[175, middle + 1].tolist() == GREEN
    assert ring[middle - 2, 25].tolist() == YELLOW
    assert ring[middle + 1, 25].tolist() == BLUE
    assert ring[middle, middle].tolist() == ring[2, 2].tolist() == WHITE


def test_the_upper_edge_of_a_barcode_is_outside():
    line = draw_line(RED)
    line[:10] = BLUE
    ring = bend_barcode(line, "ring", side=200)
    assert ring[5, 100].tolist() == BLUE
    assert ring[45, 100].tolist() == RED
    spiral = bend_barcode(line, "spiral", side=500, minutes=1)
    # Just right of the top, three turns of a pitch of 50, from a hole of that radius.
    column = spiral[:250, 251][::-1]
    assert column[40].tolist() == WHITE
    for turn in range(3):
        assert column[50 * turn + 60].tolist() == RED
        assert column[50 * turn + 90].tolist() == BLUE
        assert column[50 * turn + 98].tolist() == WHITE
    assert column[210].tolist() == WHITE
    rows = bend_barcode(line, "rows", side=100, minutes=2)
    assert rows[2, 50].tolist() == rows[55, 50].tolist() == BLUE
    assert rows[45, 50].tolist() == rows[98, 50].tolist() == RED


def test_every_minute_of_a_spiral_is_as_long():
    # Alike in area, too, but for the slant of the ribbon and where its radius counts.
    line = draw_line(RED, GREEN, BLUE, YELLOW, width=4000)
    spiral = bend_barcode(line, "spiral", side=1000, minutes=60)
    areas = [
        (spiral == color).all(axis=2).sum() for color in (RED, GREEN, BLUE, YELLOW)
    ]
    assert max(areas) < 1.02 * min(areas)


def test_rows_read_like_a_text():
    rows = bend_barcode(
        draw_line(RED, GREEN, BLUE, YELLOW), "rows", side=101, minutes=2
    )
    # A gap of 3 pixels between two rows of 49.
    assert [WHITE if (row == 255).all() else row[0].tolist() for row in rows] == (
        [RED] * 49 + [WHITE] * 3 + [BLUE] * 49
    )
    for line, (left, right) in ((20, (RED, GREEN)), (80, (BLUE, YELLOW))):
        assert rows[line, :50].tolist() == [left] * 50
        assert rows[line, 51:].tolist() == [right] * 50


def test_rows_and_turns_come_of_the_length():
    assert [Shape("rows", side=800, minutes=m).rows for m in (0, 0.4, 9.6, 300)] == (
        [1, 1, 10, 100]
    )
    assert [Shape("spiral", side=800, minutes=m).turns for m in (0, 30, 95, 600)] == (
        [3, 3, 10, 12]
    )


@pytest.mark.parametrize("background", ["white", "transparent"])
@pytest.mark.parametrize("shape", BENT)
def test_any_strips_have_the_same_bits(shape, background):
    line = draw_noise()
    whole = bend_barcode(line, shape, side=90, minutes=4, background=background)
    assert whole.shape == (90, 90, 3 if background == "white" else 4)
    bent = Shape(shape, side=90, minutes=4, background=background)
    for strip in (1, 7, 90):
        parts = list(bend_strips(line, bent, strip=strip))
        assert len(parts[0]) == strip
        np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("shape", BENT)
def test_edges_are_smooth(shape):
    line = draw_line(RED, GREEN, BLUE, YELLOW)
    bent = Shape(shape, side=150, minutes=3)
    drawn, exact = (
        np.concatenate(list(bend_strips(line, bent, samples=samples))).astype(float)
        for samples in (shapes.SAMPLES, 8)
    )
    # A point of each pixel alone has four times this error.
    assert np.sqrt(((drawn - exact) ** 2).mean()) < 3
    assert np.abs(drawn - exact).max() <= 48


@pytest.mark.parametrize("shape", BENT)
def test_columns_that_are_too_many_are_averaged(shape):
    line = draw_line(*([[0, 0, 0], [200, 200, 200]] * 8_000), width=16_000, height=3)
    bent = bend_barcode(line, shape, side=64, minutes=1, background="transparent")
    inner = bent[bent[..., 3] == 255][:, :3].astype(int)
    assert np.abs(inner - 100).max() <= 6


@pytest.mark.parametrize("shape", BENT)
def test_a_large_picture_needs_no_more_memory_than_a_strip_of_it(shape):
    line = draw_noise()
    bent = Shape(shape, side=20_000, minutes=90)
    tracemalloc.start()
    try:
        # All of it would be 1,200 MB.
        shown = sum(strip.size for strip in islice(bend_strips(line, bent), 4))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert shown == 4 * 3 * 20_000 * 3
    assert peak < 120e6


def test_what_is_opaque_is_the_part_of_a_pixel_that_is_covered():
    ring = bend_barcode(draw_line(RED), "ring", side=300, background="transparent")
    covered = ring[..., 3].astype(float).sum() / 255
    assert covered == pytest.approx(np.pi * (150**2 - 75**2), rel=1e-3)
    # What is half covered has the color, too, not a darker one.
    assert (ring[ring[..., 3] > 0][:, :3] == RED).all()


@pytest.mark.parametrize("background", ["white", "transparent"])
def test_a_file_has_the_pixels_of_the_picture(tmp_path, background):
    line, path = draw_noise(), tmp_path / "mean.png"
    shape = Shape("spiral", side=333, minutes=40, background=background)
    save_bare(line, path, shape=shape, figures="abc")
    with Image.open(path) as image:
        assert image.info == {"Software": "Reelbow", "Figures": "abc"}
        np.testing.assert_array_equal(
            np.asarray(image),
            bend_barcode(line, "spiral", side=333, minutes=40, background=background),
        )


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"shape": "line"}, "shape of barcode 'line': it is one of ring, spiral, rows"),
        ({"side": 15}, "A shape's side must be 16 to 32768, not 15"),
        ({"background": "black"}, "'black': it is one of white, transparent"),
    ],
)
def test_what_cannot_be_bent_is_refused(changed, sentence):
    how = {"shape": "ring", "side": 20} | changed
    with pytest.raises(ReelbowError, match=sentence):
        bend_barcode(draw_line(RED), **how)
