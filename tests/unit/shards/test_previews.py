"""Previews of a shard: where they are in their sheet, and what they look like."""

import itertools
import json
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from reelbow.errors import ReelbowError
from reelbow.shards import previews
from reelbow.shards.previews import (
    ALIGNMENT,
    BACKGROUND,
    MAX_SIDE,
    PreviewOptions,
    PreviewSheet,
    PreviewWriter,
    find_usual_shape,
    read_sheet,
    write_previews,
)
from reelbow.shards.sheets import open_previews, read_cells

Picture = NDArray[np.uint8]


def solid(color: tuple[int, int, int], size: tuple[int, int] = (90, 160)) -> Picture:
    return np.full((*size, 3), color, np.uint8)


def waves(seed: int, size: tuple[int, int] = (90, 160)) -> Picture:
    """Draw something soft, as pictures are, that is another for each seed."""
    rows, columns = size
    y, x = np.mgrid[:rows, :columns]
    phase = np.random.default_rng(seed).uniform(0, 6, (3, 1, 1))
    levels = np.sin(6 * y / rows + phase) * np.cos(8 * x / columns - 2 * phase)
    return np.rint(127 + 120 * levels).astype(np.uint8).transpose(1, 2, 0)


def write(
    path: Path,
    pictures: list[Picture],
    frames: list[int] | None = None,
    *,
    height: int = 72,
    quality: int = 70,
    usual: tuple[int, int] | None = None,
) -> PreviewSheet:
    with PreviewWriter(path, height=height, quality=quality, usual=usual) as writer:
        for frame, picture in zip(
            frames or range(len(pictures)), pictures, strict=True
        ):
            writer.add(picture, frame)
    return read_sheet(path)


def cut_out(path: Path, sheet: PreviewSheet) -> list[Picture]:
    """Decode a sheet and cut out its cells; see that it is what others read, too."""
    with Image.open(path) as image:
        assert (image.format, image.size) == ("JPEG", (sheet.width, sheet.height))
        assert json.loads(image.info["comment"])["format"] == "reelbow previews 1"
    return list(read_cells(path, sheet, range(len(sheet.frames))))


def noise(seed: int, size: tuple[int, int] = (90, 160)) -> Picture:
    return np.random.default_rng(seed).integers(0, 256, (*size, 3)).astype(np.uint8)


def shrink_exactly(picture: Picture, size: tuple[int, int]) -> NDArray[np.float64]:
    """Average over areas, by matrices of how much of each line is in each."""

    def weigh(n: int, m: int) -> NDArray[np.float64]:
        edges = np.arange(m + 1) * n / m
        low = np.maximum(edges[:-1, None], np.arange(n))
        high = np.minimum(edges[1:, None], np.arange(n) + 1)
        return np.maximum(high - low, 0) * m / n

    down, across = weigh(picture.shape[0], size[0]), weigh(picture.shape[1], size[1])
    return np.moveaxis(down @ np.moveaxis(picture, 2, 0) @ across.T, 0, 2)


def test_cells_are_in_the_order_of_frames_and_start_at_whole_blocks(tmp_path):
    frames = [7, 8, 9, 12, 13, 20]
    sheet = write(tmp_path / "a.jpg", [waves(i) for i in range(6)], frames)
    assert sheet.frames.tolist() == frames
    assert sheet.frames.dtype == np.int64
    assert (sheet.cell_width, sheet.cell_height) == (128, 72)
    assert (sheet.pitch_x, sheet.pitch_y) == (128, 80)
    # About square: 2 x 128 by 3 x 80.
    assert sheet[:2] == (256, 240)
    assert sheet.columns == 2
    assert sheet.locate(5) == (128, 160, 128, 72)


@pytest.mark.parametrize(
    "size", [(90, 160), (90, 216), (90, 87), (720, 1280), (160, 90)]
)
def test_pixels_are_averages_as_exact_as_the_code_is(tmp_path, size):
    pictures = [waves(i, size) for i in range(11)]
    sheet = write(tmp_path / "a.jpg", pictures, quality=95)
    assert sheet.pitch_x % ALIGNMENT == sheet.pitch_y % ALIGNMENT == 0
    assert sheet.cell_width == round(size[1] * 72 / size[0])
    for picture, cell in zip(pictures, cut_out(tmp_path / "a.jpg", sheet), strict=True):
        exact = shrink_exactly(picture, cell.shape[:2])
        # Color is of four pixels each.
        rows, columns = (length // 2 for length in cell.shape[:2])
        apart = (cell - exact)[: 2 * rows, : 2 * columns]
        apart = apart.reshape(rows, 2, columns, 2, 3).mean(axis=(1, 3))
        assert np.abs(apart).mean() < 2
        assert np.abs(apart).max() < 16


# Cells of whole blocks in both directions, in none, and in one.
@pytest.mark.parametrize("size", [(64, 112), (72, 128), (61, 77), (72, 121), (64, 99)])
@pytest.mark.parametrize("quality", [10, 60, 100])
def test_a_preview_s_pixels_do_not_depend_on_those_beside_it(tmp_path, size, quality):
    pictures = [
        *(noise(i, size) for i in range(7)),
        *(waves(i, size) for i in range(5)),
        *(solid(color, size) for color in [(255, 0, 0), (0, 0, 255), (255,) * 3]),
    ]
    whole = write(tmp_path / "whole.jpg", pictures, quality=quality)
    expected = cut_out(tmp_path / "whole.jpg", whole)
    for order in (range(0, 1), range(3, 10), range(14, -1, -1), range(14, 1, -3)):
        part = write(
            tmp_path / "part.jpg", [pictures[i] for i in order], quality=quality
        )
        assert part.columns != whole.columns or len(order) == len(pictures)
        cells = cut_out(tmp_path / "part.jpg", part)
        for i, cell in zip(order, cells, strict=True):
            assert np.array_equal(cell, expected[i])


@pytest.mark.parametrize("size", [(90, 160), (90, 155), (85, 160), (61, 77)])
def test_of_a_neighbor_browsers_show_color_in_the_outermost_line_at_most(
    tmp_path, size
):
    colors = [(255, 0, 0), (0, 0, 255), (0, 0, 0), (255, 255, 255), (0, 255, 0)]
    dice = np.random.default_rng(0)
    told = [colors[i] for i in dice.integers(0, len(colors), 90)]
    sheet = write(tmp_path / "a.jpg", [solid(color, size) for color in told])
    with Image.open(tmp_path / "a.jpg") as image:
        pixels = np.array(image).astype(int)
    for place, color in enumerate(told):
        x, y, width, height = sheet.locate(place)
        apart = pixels[y : y + height, x : x + width] - color
        assert np.abs(apart[1:-1, 1:-1]).max() <= 4
        # A quarter of the neighbor's color at most; its light not at all.
        assert np.abs(apart @ [0.299, 0.587, 0.114]).max() <= 45


def test_pictures_of_other_shapes_are_whole_in_the_middle_on_dark_gray(tmp_path):
    wide = [solid((200, 180, 20))] * 3
    sheet = write(
        tmp_path / "a.jpg",
        [solid((0, 200, 0), (90, 45)), *wide, solid((200, 0, 0), (20, 160))],
        quality=90,
    )
    tall_cell, *_, flat_cell = cut_out(tmp_path / "a.jpg", sheet)
    assert (sheet.cell_width, sheet.cell_height) == (128, 72)

    def is_like(pixels: Picture, color: tuple[int, int, int]) -> bool:
        return bool(np.abs(pixels.astype(int) - color).max() <= 16)

    gray = (BACKGROUND,) * 3
    # 36 of 128 columns; each side has 46.
    assert is_like(tall_cell[4:-4, 48:80], (0, 200, 0))
    assert is_like(tall_cell[4:-4, 4:42], gray)
    assert is_like(tall_cell[4:-4, 86:-4], gray)
    # 16 of 72 rows.
    assert is_like(flat_cell[30:42, 4:-4], (200, 0, 0))
    assert is_like(flat_cell[4:24, 4:-4], gray)
    assert is_like(flat_cell[48:-4, 4:-4], gray)


def test_nothing_is_made_larger(tmp_path):
    sheet = write(tmp_path / "a.jpg", [waves(0, (30, 40))] * 3)
    assert (sheet.cell_width, sheet.cell_height) == (40, 30)
    small = write(tmp_path / "b.jpg", [*[waves(0)] * 2, waves(1, (9, 16))])
    assert (small.cell_width, small.cell_height) == (128, 72)
    *_, last = cut_out(tmp_path / "b.jpg", small)
    # 9 rows and 16 columns in the middle.
    assert np.abs(last[:28].astype(int) - BACKGROUND).max() <= 24
    assert np.ptp(last[31:41, 56:72]) > 50


def test_one_frame_is_a_sheet(tmp_path):
    sheet = write(tmp_path / "a.jpg", [waves(3)], [41])
    assert sheet[:2] == (128, 80)
    assert sheet.frames.tolist() == [41]


def test_a_shard_without_frames_has_a_sheet_without_cells(tmp_path):
    sheet = write(tmp_path / "a.jpg", [])
    assert sheet.frames.tolist() == []
    assert cut_out(tmp_path / "a.jpg", sheet) == []


def test_too_many_frames_get_smaller_previews(tmp_path, monkeypatch):
    monkeypatch.setattr(previews, "MAX_PIXELS", 40 * 128 * 80)
    for n_frames, rows in [(40, 72), (41, 64), (51, 48), (200, 32), (1600, 8)]:
        sheet = write(tmp_path / "a.jpg", [waves(i % 9) for i in range(n_frames)])
        assert sheet.frames.tolist() == list(range(n_frames))
        assert sheet.cell_height == rows
        assert sheet.width * sheet.height <= 1.1 * previews.MAX_PIXELS
        cells = cut_out(tmp_path / "a.jpg", sheet)
        for i in (0, n_frames // 2, n_frames - 1):
            luma = cells[i][1:-1, 1:-1].mean(axis=2)
            exact = shrink_exactly(waves(i % 9), cells[i].shape[:2])[1:-1, 1:-1]
            assert np.abs(luma - exact.mean(axis=2)).mean() < 10


def test_behind_smaller_previews_are_all_in_full_size(tmp_path, monkeypatch):
    monkeypatch.setattr(previews, "MAX_PIXELS", 40 * 128 * 80)
    monkeypatch.setattr(previews, "FULL_PIXELS", 16 * 128 * 80)
    pictures = [waves(i) for i in range(9)]
    few = tmp_path / "few.jpg"
    wanted = cut_out(few, write(few, pictures))
    assert len(read_sheets_of(few)) == 1
    path = tmp_path / "many.jpg"
    for n_frames in (41, 48, 200, 1600):
        frames = list(range(5, 5 + 2 * n_frames, 2))
        sheet = write(path, [pictures[i % 9] for i in range(n_frames)], frames)
        assert sheet.cell_height < 72
        assert len(read_sheets_of(path)) == 1 + -(-n_frames // 16)
        shown = open_previews(path)
        assert shown.shape == (72, 128)
        assert shown.frames.tolist() == frames
        assert shown.number_from(7).frames.tolist() == [2 + each for each in frames]
        for place, picture in enumerate(shown.read(range(n_frames))):
            assert (picture == wanted[place % 9]).all()
        some = [0, 15, 16, n_frames - 1]
        for place, picture in zip(some, shown.read(some), strict=True):
            assert (picture == wanted[place % 9]).all()
    # As whatever shows a picture sees it: the first sheet alone.
    alone = tmp_path / "alone.jpg"
    alone.write_bytes(path.read_bytes()[: sheet.n_bytes])
    with Image.open(alone) as one, Image.open(path) as other:
        assert one.size == other.size == sheet[:2]
        assert (np.asarray(one) == np.asarray(other)).all()
    assert sorted(tmp_path.iterdir()) == [alone, few, path]


def read_sheets_of(path: Path) -> list[PreviewSheet]:
    """Read all sheets of a file, and see that they lie one behind the other."""
    first, *behind = sheets = previews.read_sheets(path)
    assert first.start == 0
    end = first.n_bytes
    for each in behind:
        assert each.start == end
        assert each.width * each.height <= 1.3 * previews.FULL_PIXELS
        end += each.n_bytes
    assert end == path.stat().st_size
    return sheets


def test_cells_in_full_size_are_of_one_shape_in_all_sheets(tmp_path, monkeypatch):
    monkeypatch.setattr(previews, "MAX_PIXELS", 20 * 128 * 80)
    monkeypatch.setattr(previews, "FULL_PIXELS", 8 * 128 * 80)
    path, high = tmp_path / "a.jpg", (90, 60)
    pictures = [waves(i) for i in range(21)] + [waves(i, high) for i in range(30)]
    for usual in (None, (90, 160)):
        write(path, pictures, usual=usual)
        shown = open_previews(path)
        assert {picture.shape[:2] for picture in shown.read(range(51))} == {(72, 128)}
        assert shown.frames.tolist() == list(range(51))


def test_without_a_preview_in_full_size_a_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(previews, "MAX_PIXELS", 20 * 128 * 80)
    path = tmp_path / "a.jpg"
    sheet = write(path, [waves(i) for i in range(30)])
    data = path.read_bytes()
    for wrong in (data[: sheet.n_bytes], data[:-3], data[:-3] + b"abc"):
        path.write_bytes(wrong)
        with pytest.raises(ReelbowError, match=r"a\.jpg: is no sheet of previews"):
            read_sheet(path)


@settings(max_examples=40, deadline=None)
@given(
    shapes=st.lists(
        st.tuples(st.integers(1, 120), st.integers(1, 500)), min_size=1, max_size=9
    ),
    usual=st.none() | st.tuples(st.integers(1, 120), st.integers(1, 500)),
)
@example(shapes=[(90, 68)], usual=None)
@example(shapes=[(90, 1020)], usual=None)
def test_a_preview_is_the_same_in_a_shard_of_any_size(tmp_path_factory, shapes, usual):
    folder = tmp_path_factory.mktemp("sheets")
    # Only pictures of one shape are their own usual one.
    shapes = shapes if usual else shapes[:1]
    pictures = [waves(i, shape) for i, shape in enumerate(shapes)] * (30 // len(shapes))
    wanted = []
    for place, picture in enumerate(pictures[: len(shapes)]):
        path = folder / f"{place}.jpg"
        wanted += cut_out(path, write(path, [picture], usual=usual))
    path = folder / "all.jpg"
    with patch.multiple(previews, MAX_PIXELS=1 << 12, FULL_PIXELS=1 << 11):
        write(path, pictures, usual=usual)
    for place, picture in enumerate(open_previews(path).read(range(len(pictures)))):
        assert np.array_equal(picture, wanted[place % len(shapes)])


def test_pictures_of_another_shape_are_where_the_sheet_says(tmp_path, monkeypatch):
    shapes = [(90, 160), (90, 60), (90, 60), (90, 640), (4, 7), (90, 160)]
    pictures = [solid((250, 250, 250), shape) for shape in shapes]
    path, usual = tmp_path / "a.jpg", (90, 160)
    sizes = [[128, 72], [48, 72], [48, 72], [128, 18], [7, 4], [128, 72]]
    for most in (previews.MAX_PIXELS, 1 << 15):
        monkeypatch.setattr(previews, "MAX_PIXELS", most)
        monkeypatch.setattr(previews, "FULL_PIXELS", 1 << 15)
        write(path, pictures, usual=usual)
        shown = open_previews(path)
        assert shown.sizes.tolist() == sizes
        for cell, (width, height) in zip(shown.read(range(6)), sizes, strict=True):
            top, left = (72 - height) // 2, (128 - width) // 2
            is_light = cell.mean(axis=2) > 140
            assert is_light[top : top + height, left : left + width].mean() > 0.95
            assert is_light.sum() == pytest.approx(width * height, abs=50, rel=0.1)
    write(path, pictures[:1])
    assert read_sheet(path).sizes is None
    assert open_previews(path).sizes.tolist() == [[128, 72]]


def test_of_many_places_those_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(previews, "MAX_PIXELS", 1 << 12)
    monkeypatch.setattr(previews, "FULL_PIXELS", 1 << 11)
    path = tmp_path / "a.jpg"
    write(path, [solid((i, i, i), (8, 8)) for i in range(250)])
    places = [0, 7, 8, 9, 100, 249]
    levels = [picture.mean() for picture in open_previews(path).read(places)]
    assert levels == pytest.approx(places, abs=2)


def test_the_highest_previews_have_room(tmp_path):
    panoramas = [np.full((2880, 11_520, 3), 9, np.uint8)] * 2
    sheet = write(tmp_path / "a.jpg", panoramas, height=2880)
    assert max(sheet[:2]) <= MAX_SIDE
    assert sheet.frames.tolist() == [0, 1]
    for full in previews.read_sheets(tmp_path / "a.jpg")[1:]:
        assert full.width * full.height <= previews.MAX_PIXELS
    assert open_previews(tmp_path / "a.jpg").shape == (2880, 11_520)


@pytest.mark.parametrize("wrong", ["cells", "order", "other", "fewer"])
def test_sheets_that_do_not_fit_each_other_are_refused(tmp_path, monkeypatch, wrong):
    monkeypatch.setattr(previews, "MAX_PIXELS", 2 * 16 * 16)
    monkeypatch.setattr(previews, "FULL_PIXELS", 2 * 16 * 16)
    path, picture = tmp_path / "a.jpg", solid((9, 9, 9), (16, 16))
    write(path, [picture] * 6)
    sheets = previews.read_sheets(path)
    parts = [path.read_bytes()[s.start : s.start + s.n_bytes] for s in sheets]
    if wrong == "cells":
        parts[2] = parts[2].replace(b'"cell": [16, 16]', b'"cell": [15, 16]')
    elif wrong == "order":
        parts[2] = parts[2].replace(b"[[2, 3]]", b"[[7, 8]]")
    elif wrong == "other":
        parts[1] = parts[1].replace(b"[[0, 1]]", b"[[1, 1]]")
    else:
        behind = f'"behind": [{", ".join(str(len(part)) for part in parts[1:])}]'
        less = f'"behind": [{", ".join(str(len(part)) for part in parts[2:])}]'
        parts[0] = parts[0].replace(behind.encode(), less.encode().ljust(len(behind)))
    path.write_bytes(b"".join(parts))
    with pytest.raises(ReelbowError, match=r"a\.jpg: is no sheet of previews"):
        read_sheet(path)


def test_one_panorama_makes_no_sheet_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(previews, "MAX_PIXELS", 60 * 128 * 80)
    panorama = np.full((90, 3000, 3), 90, np.uint8)
    pictures = [panorama, panorama, *(waves(i) for i in range(38))]
    sheet = write(tmp_path / "a.jpg", pictures)
    assert sheet.frames.tolist() == list(range(40))
    assert sheet.width * sheet.height <= 1.1 * previews.MAX_PIXELS
    cell = cut_out(tmp_path / "a.jpg", sheet)[0]
    assert abs(cell[sheet.cell_height // 2].mean() - 90) < 6


def test_of_far_too_many_frames_each_second_or_fourth_has_a_preview(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(previews, "MAX_PIXELS", 30 * 16 * 16)
    sheet = write(tmp_path / "a.jpg", [solid((i, i, i)) for i in range(100)])
    assert sheet.frames.tolist() == list(range(0, 100, 4))
    assert sheet.cell_height == 8
    for i, cell in enumerate(cut_out(tmp_path / "a.jpg", sheet)):
        assert abs(cell.mean() - 4 * i) < 6


@pytest.mark.parametrize("size", [(1, 30_000), (90, 30_000), (30_000, 1), (1, 1)])
def test_strange_shapes_are_previews_too(tmp_path, size):
    sheet = write(tmp_path / "a.jpg", [np.full((*size, 3), 90, np.uint8)] * 5)
    assert max(sheet[:2]) <= MAX_SIDE
    for cell in cut_out(tmp_path / "a.jpg", sheet):
        assert abs(cell.mean() - 90) < 4


@settings(max_examples=60, deadline=None)
@given(
    n_frames=st.integers(0, 60_000),
    size=st.tuples(st.integers(1, 300), st.integers(1, 300)),
)
def test_all_cells_have_room_whatever_their_number_and_shape(n_frames, size):
    cells = previews._Cells(300, None)
    cell = np.zeros((*size, 3), np.uint8)
    pixels = -(-size[0] // 16) * -(-size[1] // 16) * 256
    n_frames = min(n_frames, previews.MAX_PIXELS // pixels)
    cells.cells = [(i, size, cell) for i in range(n_frames)]
    sheet = cells._lay_out()
    assert 1 <= max(sheet[:2]) <= MAX_SIDE
    assert sheet.width * sheet.height <= previews.MAX_PIXELS + (1 << 22)
    places = {sheet.locate(i)[:2] for i in range(n_frames)}
    assert len(places) == n_frames
    assert all(
        x + sheet.pitch_x <= sheet.width and y + sheet.pitch_y <= sheet.height
        for x, y in places
    )


@given(st.sets(st.integers(0, 300)))
def test_frames_come_back_from_their_runs(frames):
    told = np.array(sorted(frames), np.int64)
    runs = previews.find_runs(told)
    assert previews._list_frames(runs).tolist() == told.tolist()
    assert all(after[0] > before[1] + 1 for before, after in itertools.pairwise(runs))


def test_frames_are_counted_on_through_the_film(tmp_path):
    sheet = write(tmp_path / "a.jpg", [waves(i) for i in range(3)], [2, 3, 7])
    assert sheet.number_from(102).frames.tolist() == [102, 103, 107]
    assert write(tmp_path / "b.jpg", []).number_from(5).frames.tolist() == []


def test_the_same_frames_give_the_same_bytes(tmp_path):
    for name in ("a.jpg", "b.jpg"):
        write(tmp_path / name, [waves(i) for i in range(20)])
    assert (tmp_path / "a.jpg").read_bytes() == (tmp_path / "b.jpg").read_bytes()


def test_a_lower_quality_takes_fewer_bytes(tmp_path):
    noise = np.random.default_rng(0).normal(0, 12, (90, 160, 3))
    pictures = [(waves(i) + noise).clip(0, 255).astype(np.uint8) for i in range(5)]
    write(tmp_path / "a.jpg", pictures, quality=90)
    write(tmp_path / "b.jpg", pictures, quality=30)
    sizes = [(tmp_path / name).stat().st_size for name in ("a.jpg", "b.jpg")]
    assert sizes[0] > 2 * sizes[1]


def test_a_sheet_tells_of_as_many_runs_as_there_are(tmp_path, monkeypatch):
    # Each frame a run of its own, and more to tell than a segment of a JPEG has.
    frames = list(range(10**9, 10**9 + 12_000, 2))
    path, pictures = tmp_path / "a.jpg", [waves(0, (8, 8))] * len(frames)
    sheet = write(path, pictures, frames)
    assert path.read_bytes().count(b"\xff\xfe\xfd\xea") == 2
    assert sheet.frames.tolist() == frames
    assert len(list(read_cells(path, sheet, [0, 5999]))) == 2
    monkeypatch.setattr(previews, "MAX_COMMENT_BYTES", 100_000)
    with pytest.raises(ReelbowError, match=r"a\.jpg: is no sheet of previews"):
        read_sheet(path)


def test_reading_a_sheet_reads_no_pixels(tmp_path):
    pictures = [waves(i) for i in range(200)]
    sheet = write(tmp_path / "a.jpg", pictures)
    data = bytearray((tmp_path / "a.jpg").read_bytes())
    start = data.index(b"\xff\xda") + 100
    # Damage that no decoder would pass over.
    data[start : start + 5000] = bytes(5000)
    (tmp_path / "a.jpg").write_bytes(data)
    again = read_sheet(tmp_path / "a.jpg")
    assert again._replace(frames=None) == sheet._replace(frames=None)
    assert again.frames.tolist() == sheet.frames.tolist()
    with pytest.raises(ReelbowError, match=r"a\.jpg: is no sheet of previews"):
        list(read_cells(tmp_path / "a.jpg", sheet, [0]))


@pytest.mark.parametrize(
    "kind", ["empty", "cut", "headers", "plain", "foreign", "png", "webp", "other"]
)
def test_what_is_no_sheet_is_refused_in_a_sentence(tmp_path, kind):
    path = tmp_path / "a.jpg"
    write(path, [waves(0)])
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "cut":
        path.write_bytes(path.read_bytes()[:-30])
    elif kind == "headers":
        path.write_bytes(path.read_bytes()[:30])
    else:
        told = {"foreign": "A photograph", "other": '{"format": "x 2"}'}
        form = kind.upper() if kind in ("png", "webp") else "JPEG"
        image = Image.fromarray(waves(0))
        image.save(path, form, comment=told.get(kind, ""))
    with pytest.raises(ReelbowError, match=r"a\.jpg: is no sheet of previews"):
        read_sheet(path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"frames": [[0, 10**12]]},
        {"frames": [[0, 10**400]]},
        {"frames": [[5, 3]]},
        {"frames": 7},
        {"frames": [[0, 1]]},
        {"columns": 0},
        {"columns": 10**9},
        {"cell": [0, 8]},
        {"cell": ["8", 8]},
        {"cell": [129, 72]},
        {"pitch": [1.5, 8]},
        {"pitch": [128, 72]},
        {"sizes": []},
        {"sizes": [[2, 8, 8]]},
        {"sizes": [[1, 8, 80]]},
        {"sizes": [[1, 0, 8]]},
        {"sizes": [[1, 8]]},
        {"sizes": [[1, 8, 8, 8, 8]]},
        {"sizes": [[1, "8", 8]]},
        {"behind": [10**400]},
        {"behind": [-3]},
        {"behind": [-(2**44)]},
        {"behind": [1]},
        {"behind": ["9"]},
        {"behind": [40]},
    ],
)
def test_cells_that_cannot_be_in_a_sheet_are_refused(wrong, tmp_path):
    path = tmp_path / "a.jpg"
    write(path, [waves(0)])
    data = path.read_bytes()
    start = data.index(b"\xff\xfe")
    end = start + 2 + int.from_bytes(data[start + 2 : start + 4], "big")
    about = json.dumps(json.loads(data[start + 4 : end]) | wrong).encode()
    told = b"\xff\xfe" + (2 + len(about)).to_bytes(2, "big") + about
    path.write_bytes(data[:start] + told + data[end:])
    with pytest.raises(ReelbowError, match=r"a\.jpg: is no sheet of previews"):
        read_sheet(path)


def test_a_sheet_larger_than_any_is_refused_before_it_is_decoded(tmp_path):
    path = tmp_path / "a.jpg"
    write(path, [waves(0)])
    data = bytearray(path.read_bytes())
    place = data.index(b"\xff\xc0") + 5
    data[place : place + 4] = b"\xff\xf0" * 2
    path.write_bytes(data)
    with pytest.raises(ReelbowError, match=r"a\.jpg: is no sheet of previews"):
        read_sheet(path)


def test_a_sheet_gets_its_name_when_it_is_whole(tmp_path):
    path, options = tmp_path / "previews" / "a.jpg", PreviewOptions(72, 70)
    with write_previews(path, options) as writer:
        assert writer is not None
        writer.add(waves(0), 0)
        assert not path.exists()
    assert read_sheet(path).frames.tolist() == [0]
    path.unlink()
    with pytest.raises(AttributeError), write_previews(path, options) as writer:
        writer.add(None, 0)
    assert list(path.parent.iterdir()) == []


def test_without_a_name_nothing_is_made(tmp_path):
    with write_previews(None, PreviewOptions(72, 70)) as writer:
        assert writer is None


def test_all_shards_of_photos_have_cells_of_the_usual_shape(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide, high = (90, 160), (90, 60)
    pictures = [waves(i, size) for i, size in enumerate([wide, high, high, wide])]
    usual = find_usual_shape({"usual_size": [3200, 1800]}, 90)
    assert usual == wide
    path = tmp_path / "all.jpg"
    wanted = cut_out(path, write(path, pictures, usual=usual))
    for first in (0, 2):
        some = tmp_path / f"{first}.jpg"
        sheet = write(some, pictures[first : first + 2], usual=usual)
        assert (sheet.cell_height, sheet.cell_width) == (72, 128)
        for one, other in zip(cut_out(some, sheet), wanted[first:], strict=False):
            assert (one == other).all()
    # A shard that has none of it, and one whose others are wider: these take no room.
    for shape in (high, (90, 400)):
        sheet = write(path, [waves(i, shape) for i in range(3)], usual=usual)
        assert (sheet.cell_height, sheet.cell_width) == (72, 128)
    monkeypatch.setattr(previews, "MAX_PIXELS", 4 * 80 * 128)
    sheet = write(path, [waves(0, (90, 400)), *pictures[1:]], usual=usual)
    assert (sheet.cell_height, sheet.cell_width) == (72, 128)
    sheet = write(path, [*pictures, pictures[0]], usual=usual)
    assert (sheet.cell_height, sheet.cell_width) == (64, 114)
    assert find_usual_shape({}, 90) is None
    assert find_usual_shape({"usual_size": [8, 6]}, 90) == (6, 8)
