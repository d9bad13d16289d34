import io
import re

import cv2
import numpy as np
import pytest
from PIL import Image

from databases import change
from mosaics import write_film
from reelbow.errors import ReelbowError
from reelbow.mosaic import features
from reelbow.mosaic.cells import read_mosaic, write_mosaic
from reelbow.mosaic.maps import save_maps
from reelbow.mosaic.planning import find_want, plan_mosaic
from reelbow.mosaic.rendering import draw_mosaic, find_cell_size
from reelbow.mosaic.target import read_target
from reelbow.pictures.png import write_png
from reelbow.runs.mosaics import describe_mosaics
from reelbow.shards import previews
from reelbow.shards.previews import read_sheet

COLORS = [0xC02020, 0x20A020, 0x2020C0, 0x808080, 0xE0E0E0, 0x101010]
USUAL = {"apart": 0, "max_use": None, "mirror": True, "details": "none", "seed": 0}


@pytest.fixture
def target(tmp_path):
    """A target of 4x4 cells: each a frame of the film, every second one mirrored."""
    pixels = np.zeros((4, 9, 4, 16, 3), np.uint8)
    for cell in range(16):
        cut = pixels[cell // 4, :, cell % 4]
        cut[:] = list(COLORS[cell % 6].to_bytes(3, "big"))
        cut[:, 8:] //= 2
        if cell % 2:
            cut[:] = cut[:, ::-1].copy()
    path = tmp_path / "target.png"
    cv2.imwrite(str(path), pixels.reshape(36, 64, 3)[:, :, ::-1])
    return read_target(path, 4, (16, 9), 10**9)


def configure(**mosaics):
    """The configuration, as far as it is asked for."""
    filled = {name: {"width": 128} | about for name, about in mosaics.items()}
    return {"mosaics": filled, "tiles": {"aspect": [16, 9]}}


def draw(mosaic, target, folder, **how):
    sheets = {
        (path.parents[1].name, path.stem): path for path in folder.glob("*/previews/*")
    }
    settings = {"cell_size": (18, 32), "aspect": (16, 9), "tint": 0.0, "room": folder}
    return np.concatenate(
        list(draw_mosaic(mosaic, target.parts, sheets, **(settings | how)))
    )


def test_frames_are_where_the_target_looks_like_them(tmp_path, target, monkeypatch):
    films = write_film(tmp_path, COLORS, per_shard=2)
    mosaic = plan_mosaic(target, films, **USUAL)
    assert [cell.frame for cell in mosaic.cells] == [i % 6 for i in range(16)]
    assert [cell.mirrored for cell in mosaic.cells] == [i % 2 for i in range(16)]
    assert [cell.time_s for cell in mosaic.cells] == [i % 6 / 2 for i in range(16)]
    assert [cell[:2] for cell in mosaic.cells] == [divmod(i, 4) for i in range(16)]
    assert max(cell.difference for cell in mosaic.cells) < 0.02
    assert mosaic.about == {
        "titles": {"demo": "Demo"},
        "n_tiles": 6,
        "n_views": 1,
        "n_groups": 6,
        "n_repeats": 0,
    }
    monkeypatch.setattr(features, "MOST_DETAILED", 5)
    few = plan_mosaic(target, films, **(USUAL | {"details": "auto"}))
    assert few.about["n_views"] == 1
    write_mosaic(tmp_path / "x.sqlite", mosaic)
    assert read_mosaic(tmp_path / "x.sqlite") == mosaic
    pixels = draw(mosaic, target, tmp_path)
    assert pixels.shape == (4 * 18, 4 * 32, 3)
    wanted = cv2.resize(
        target.parts.reshape(4, 4, 4, 4, 3).swapaxes(1, 2).reshape(16, 16, 3),
        (128, 72),
        interpolation=cv2.INTER_NEAREST,
    )
    # But for where the halves meet.
    assert np.median(np.abs(pixels - wanted)) < 3
    save_maps(mosaic, tmp_path / "maps.png", (16, 9))
    with Image.open(tmp_path / "maps.png") as image:
        assert image.width > 1000


def test_a_detail_is_drawn_where_the_target_looks_like_it(tmp_path, target):
    films = write_film(tmp_path, COLORS)
    # Of a target that is plain within each cell: no whole frame is.
    plain = target._replace(parts=target.parts[:, :, :1].repeat(4, axis=2))
    mosaic = plan_mosaic(plain, films, **(USUAL | {"details": "auto"}))
    assert mosaic.about["n_views"] == 10
    assert [cell.frame for cell in mosaic.cells] == [i % 6 for i in range(16)]
    # On the left of their frames, or on the right, which is darker.
    assert [cell.view % 3 for cell in mosaic.cells] == [1, 0] * 8
    pixels = draw(mosaic, plain, tmp_path).reshape(4, 18, 4, 32, 3)
    for cell, parts in zip(mosaic.cells, plain.parts, strict=True):
        drawn = pixels[cell.row, :, cell.column]
        # But for what the code of previews does beside an edge.
        assert np.median(np.abs(drawn - parts[0, 0])) < 3


def test_any_shards_give_the_same_plan_and_picture(tmp_path, target, monkeypatch):
    plans, pictures = [], []
    # The last one of more frames than a sheet of previews has in full size.
    for name, n, most in [("a", 6, 6), ("b", 1, 6), ("c", 6, 4)]:
        monkeypatch.setattr(previews, "MAX_PIXELS", most * 80 * 128)
        plan = plan_mosaic(
            target, write_film(tmp_path / name, COLORS, per_shard=n), **USUAL
        )
        plans.append(
            [cell._replace(shard="", place=0, difference=0) for cell in plan.cells]
        )
        pictures.append(draw(plan, target, tmp_path / name))
    large = read_sheet(tmp_path / "c/demo/previews/00000.jpg")
    assert large.cell_height < 72
    assert plans[0] == plans[1] == plans[2]
    assert (pictures[0] == pictures[1]).all()
    assert (pictures[0] == pictures[2]).all()


def test_tint_brings_tiles_to_the_color_of_their_cells(tmp_path, target):
    films = write_film(tmp_path, [0x606060, 0x707070])
    mosaic = plan_mosaic(target, films, **USUAL)
    red = [draw(mosaic, target, tmp_path, tint=tint)[9, 9] for tint in (0, 0.5, 1)]
    # Of the first cell, whose left half is red.
    steps = [int(pixel[0]) - int(pixel[1]) for pixel in red]
    assert abs(steps[0]) < 4
    assert steps[1] == pytest.approx(steps[2] / 2, abs=3)
    assert steps[2] > 80


def test_tint_brings_each_part_to_its_cell(tmp_path, target):
    films = write_film(tmp_path, [0x606060])
    mosaic = plan_mosaic(target, films, **USUAL)
    # The first cell is red on its left, and half as bright on its right.
    as_it_is, tinted = (
        draw(mosaic, target, tmp_path, tint=tint)[:18, :32].astype(int)
        for tint in (0, 1)
    )
    left, right = COLORS[0].to_bytes(3, "big"), [96, 16, 16]
    for column, wanted in ((3, left), (28, right)):
        assert np.abs(tinted[9, column] - list(wanted)).max() <= 3
        assert np.ptp(as_it_is[9, column]) <= 3
    # The second one is the other way round, and so is its tile.
    assert mosaic.cells[1].mirrored
    both = draw(mosaic, target, tmp_path, tint=1)[9, [32 + 28, 32 + 3]].astype(int)
    wanted = [list(COLORS[1].to_bytes(3, "big")), [16, 80, 16]]
    assert np.abs(both - wanted).max() <= 3
    # Up to the middle of the second part nothing changes.
    assert np.ptp(tinted[9, :12], axis=0).max() <= 1


def test_tiles_of_another_aspect_are_cut_and_small_ones_enlarged(tmp_path, target):
    films = write_film(tmp_path, COLORS, size=(16, 32))
    mosaic = plan_mosaic(target, films, **USUAL)
    pixels = draw(mosaic, target, tmp_path, cell_size=(90, 160))
    assert pixels.shape == (360, 640, 3)


def test_cells_that_have_a_shot_beside_them_are_counted_and_told(tmp_path, target):
    films = write_film(tmp_path, COLORS[:2])
    mosaic = plan_mosaic(target, films, **(USUAL | {"apart": 1}))
    assert mosaic.about["n_repeats"] == 16
    (tmp_path / "mosaics").mkdir()
    write_mosaic(tmp_path / "mosaics/x.sqlite", mosaic)
    asked = configure(x={"apart": 1}, not_made={"apart": 1})
    assert list(describe_mosaics(tmp_path, asked)) == [
        "mosaic x: 16 cells of 16 have a shot again within 1, since there are only 2 "
        "shots; give more films, or a smaller apart"
    ]
    (tmp_path / "mosaics/x.sqlite").unlink()
    write_mosaic(tmp_path / "mosaics/x.sqlite", plan_mosaic(target, films, **USUAL))
    assert not list(describe_mosaics(tmp_path, asked))


@pytest.mark.parametrize(
    ("details", "width", "told"),
    [
        ("none", 4 * 192, None),
        ("none", 4 * 208, (117, 72)),
        ("all", 4 * 96, None),
        ("all", 4 * 112, (63, 36)),
    ],
)
def test_tiles_that_are_made_much_larger_are_told(
    tmp_path, target, details, width, told
):
    mosaic = plan_mosaic(
        target._replace(parts=target.parts[:, :, :1].repeat(4, axis=2)),
        write_film(tmp_path, COLORS, size=(72, 160)),
        **(USUAL | {"details": details}),
    )
    (tmp_path / "mosaics").mkdir()
    write_mosaic(tmp_path / "mosaics/x.sqlite", mosaic)
    found = list(describe_mosaics(tmp_path, configure(x={"width": width})))
    assert len(found) == bool(told)
    for sentence in found:
        assert re.match(
            rf"mosaic x: tiles are {told[0]} rows high, \d+ of 16 are made of far "
            rf"fewer rows of a preview, some of {told[1]}; for sharp ones set previews",
            sentence,
        )
        assert sentence.endswith("details to none") == (details == "all")
    # Of sheets that are gone or damaged, and of an earlier version, nothing is known.
    for path in tmp_path.glob("demo/previews/*"):
        path.write_bytes(b"")
    assert not list(describe_mosaics(tmp_path, configure(x={"width": width})))
    database = tmp_path / "mosaics/x.sqlite"
    change(database, "ALTER TABLE cells DROP COLUMN view")
    change(database, "DELETE FROM metadata WHERE key = 'n_views'")
    assert not list(describe_mosaics(tmp_path, configure(x={"width": width})))


@pytest.mark.parametrize(
    ("columns", "width", "aspect", "size"),
    [
        (128, 8192, (16, 9), (36, 64)),
        (100, 8192, (16, 9), (46, 81)),
        (1000, 64, (16, 9), (4, 4)),
    ],
)
def test_all_cells_are_of_one_size(columns, width, aspect, size):
    assert find_cell_size(columns, width, aspect) == size


def test_too_few_tiles_are_told_with_the_columns_that_would_fit(tmp_path, target):
    assert find_want(100, 10, 25, None) is None
    assert find_want(100, 10, 25, 4) is None
    assert find_want(100, 10, 0, None) == (
        "there are no frames to make it of; give films of which some can be read"
    )
    films = write_film(tmp_path, COLORS)
    with pytest.raises(ReelbowError) as caught:
        plan_mosaic(target, films, **(USUAL | {"max_use": 1}))
    assert str(caught.value) == (
        "16 cells in 4 columns, but 6 frames for them, each used at most 1 time; give "
        "at most 2 columns, a larger max_use, or more frames"
    )


def test_a_png_of_strips_is_the_picture_with_its_profile():
    pixels = np.random.default_rng(0).integers(0, 256, (37, 11, 3), np.uint8)
    file = io.BytesIO()
    strips = (pixels[first : first + 10] for first in range(0, 37, 10))
    write_png(file, strips, (11, 37), texts={"Title": "Größe", "Software": "x"})
    with Image.open(file) as image:
        assert (np.asarray(image) == pixels).all()
        assert image.text == {"Title": "Größe", "Software": "x"}
        assert image.info["icc_profile"]
        assert "dpi" not in image.info
