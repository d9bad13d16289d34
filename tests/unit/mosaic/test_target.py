import tracemalloc

import cv2
import numpy as np
import pytest

from reelbow.errors import ReelbowError
from reelbow.mosaic.target import check_size, find_target_size, read_target

MANY = 10**9


def write(path, pixels):
    assert cv2.imwrite(str(path), pixels[:, :, ::-1])
    return path


def test_a_target_is_cut_into_cells_of_16_parts(tmp_path):
    pixels = np.zeros((36, 128, 3), np.uint8)
    # The second cell of the second row, and one part of the first cell.
    pixels[18:, 32:64] = [200, 100, 50]
    pixels[:9, :16] = [0, 0, 240]
    path = write(tmp_path / "x.png", pixels)
    target = read_target(path, 4, (16, 9), MANY)
    assert (target.rows, target.columns) == (2, 4)
    assert target.parts.shape == (8, 4, 4, 3)
    assert target.parts[4 + 1] == pytest.approx(
        np.broadcast_to([200, 100, 50], (4, 4, 3)), abs=0.1
    )
    lit = target.parts[0].any(axis=-1)
    assert lit.tolist() == [[True, True, False, False]] * 2 + [[False] * 4] * 2
    assert not target.parts[[1, 2, 3, 4, 6, 7]].any()


def test_what_is_over_is_cut_off_evenly(tmp_path):
    pixels = np.full((100, 160, 3), 255, np.uint8)
    # One row of 16:9 takes 90 of the 100 rows.
    pixels[5:95] = 0
    target = read_target(write(tmp_path / "x.png", pixels), 1, (16, 9), MANY)
    assert target.rows == 1
    assert not target.parts.any()


def test_16_bits_are_read_as_8(tmp_path):
    pixels = np.full((36, 64, 3), 100 * 257, np.uint16)
    target = read_target(write(tmp_path / "x.png", pixels), 2, (16, 9), MANY)
    assert target.parts == pytest.approx(np.full((4, 4, 4, 3), 100), abs=0.1)


def test_too_many_columns_are_refused_with_how_many_would_do(tmp_path):
    path = write(tmp_path / "x.png", np.zeros((45, 80, 3), np.uint8))
    assert find_target_size(path, MANY) == (45, 80)
    with pytest.raises(ReelbowError) as caught:
        check_size(path, (45, 80), 30, (16, 9))
    assert str(caught.value) == (
        f"{path} is 80x45 pixels, too small for 30 columns, since each cell takes 4 "
        "pixels to the sides and down; give 11 columns or fewer, or a larger picture"
    )
    assert check_size(path, (45, 80), 11, (16, 9)) == 11


def test_what_is_too_small_for_any_column_has_no_advice_of_columns(tmp_path):
    with pytest.raises(ReelbowError, match=r"sides and down; give a larger picture$"):
        check_size(tmp_path / "x.png", (5, 3), 10, (16, 9))


def test_a_large_target_takes_little_memory(tmp_path):
    path = write(tmp_path / "x.png", np.zeros((3000, 5000, 3), np.uint8))
    tracemalloc.start()
    read_target(path, 100, (16, 9), MANY)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Its pixels are 45 MB, which may be there twice.
    assert peak < 150e6


@pytest.mark.parametrize(
    ("data", "sentence"),
    [(None, "cannot be read: No such file"), (b"no picture", "not an image")],
)
def test_what_is_no_image_is_told_with_its_name(tmp_path, data, sentence):
    path = tmp_path / "x.png"
    if data:
        path.write_bytes(data)
    for read in (
        lambda: find_target_size(path, MANY),
        lambda: read_target(path, 4, (16, 9), MANY),
    ):
        with pytest.raises(ReelbowError, match=sentence) as caught:
            read()
        assert str(caught.value).startswith(f"{path}: ")
