"""Contact sheets: which frames are on them, and where."""

import numpy as np
import pytest

from reelbow.barcode.contact import ASPECT, GAP, draw_contact, lay_out
from reelbow.errors import ReelbowError
from reelbow.shards.previews import BACKGROUND, PreviewWriter
from reelbow.shards.sheets import open_previews

GRAY = "#d9d9d9"


def tell_apart(frame):
    """Three levels that JPEG keeps apart, of each of 64 frames."""
    return np.array([frame % 4, frame // 4 % 4, frame // 16 % 4]) * 60 + 30


def write_sheets(folder, *shards, shape=(16, 32)):
    """Write sheets of previews, each of one color; of each shard its frames."""
    sheets = {}
    for number, frames in enumerate(shards):
        path = folder / f"{number:05d}.jpg"
        with PreviewWriter(path, height=shape[0], quality=90) as writer:
            for frame in frames:
                picture = np.empty((*shape, 3), np.uint8)
                picture[:] = tell_apart(frame)
                writer.add(picture, frame)
        sheets[path] = open_previews(path)
    return sheets


def read_frames(contact, layout):
    """Find which frame each picture of a sheet shows; -1: a gap."""
    found = []
    levels = np.array([tell_apart(frame) for frame in range(64)])
    for cell in range(contact.n_cells):
        x, y, width, height = layout.locate(cell)
        color = contact.pixels[y : y + height, x : x + width].mean(axis=(0, 1))
        off = np.abs(levels - color).max(axis=1)
        is_gap = np.abs(color - 0xD9).max() < 1
        found.append(-1 if is_gap else int(off.argmin()))
        assert is_gap or off.min() < 12
    return found


def test_all_frames_are_on_a_sheet_that_has_room(tmp_path):
    sheets = write_sheets(tmp_path, range(4), range(4, 7))
    contact = draw_contact(sheets, np.arange(7), width=None, gap_color=GRAY)
    layout = lay_out(7, (16, 32), None)
    assert (layout.columns, layout.rows) == (3, 3)
    # Previews in their size, and white between and after them.
    assert contact.pixels.shape == (3 * 16 + 2 * GAP, 3 * 32 + 2 * GAP, 3)
    assert (contact.pixels[16 : 16 + GAP] == 255).all()
    assert (contact.pixels[-16:, 32:] == 255).all()
    assert read_frames(contact, layout) == list(range(7))
    assert [place for place, _ in contact.row_starts] == [0, 3, 6]
    assert [middle for _, middle in contact.row_starts] == pytest.approx(
        [1 / 6, 1 / 2, 5 / 6]
    )


@pytest.mark.parametrize("width", [100, 101, 137])
def test_of_many_frames_some_fill_a_sheet_as_wide_as_asked_for(tmp_path, width):
    n = 61
    sheets = write_sheets(tmp_path, range(40), range(40, n))
    contact = draw_contact(sheets, np.arange(n), width=width, gap_color=GRAY)
    layout = lay_out(n, (16, 32), width)
    n_cells = layout.columns * layout.rows
    assert n_cells == contact.n_cells < n
    height = contact.pixels.shape[0]
    assert contact.pixels.shape[1] == width
    assert height == pytest.approx(width / ASPECT, abs=(16 + GAP) / 1.5)
    # The middles of stretches as long.
    stretches = [(i * n // n_cells, (i + 1) * n // n_cells) for i in range(n_cells)]
    assert read_frames(contact, layout) == [(a + b - 1) // 2 for a, b in stretches]


def test_a_frame_without_a_preview_leaves_its_place_to_the_nearest_one(tmp_path):
    # Of 60 frames on 12 pictures: the second sheet has every fourth frame only.
    sheets = write_sheets(tmp_path, [*range(20), *range(25, 30)], range(30, 60, 4))
    contact = draw_contact(sheets, np.arange(60), width=100, gap_color=GRAY)
    layout = lay_out(60, (16, 32), 100)
    assert contact.n_cells == 12
    assert contact.n_gaps == 1
    shown = [2, 7, 12, 17, -1, 27, *[30, 38, 42, 46, 50, 58]]
    assert read_frames(contact, layout) == shown


def test_what_is_left_out_is_on_no_sheet(tmp_path):
    sheets = write_sheets(tmp_path, range(6))
    kept = np.array([1, 2, 5])
    contact = draw_contact(sheets, kept, width=None, gap_color=GRAY)
    assert read_frames(contact, lay_out(3, (16, 32), None)) == [1, 2, 5]


def test_a_preview_of_another_shape_is_whole_in_the_dark(tmp_path):
    sheets = write_sheets(tmp_path, range(3))
    narrow = tmp_path / "00009.jpg"
    with PreviewWriter(narrow, height=16, quality=90) as writer:
        writer.add(np.full((16, 16, 3), 200, np.uint8), 3)
    sheets[narrow] = open_previews(narrow)
    contact = draw_contact(sheets, np.arange(4), width=None, gap_color=GRAY)
    x, y, width, height = lay_out(4, (16, 32), None).locate(3)
    picture = contact.pixels[y : y + height, x : x + width].astype(int)
    assert (picture[:, [0, 7, 24, 31]] == BACKGROUND).all()
    assert np.abs(picture[:, 8:24] - 200).max() < 4


def test_a_film_without_any_preview_is_all_gaps(tmp_path):
    contact = draw_contact({}, np.arange(3), width=None, gap_color="#102030")
    assert contact.n_gaps == contact.n_cells == 3
    assert contact.pixels[0, 0].tolist() == [0x10, 0x20, 0x30]


def test_a_damaged_sheet_is_told(tmp_path):
    (path, sheet), *_ = write_sheets(tmp_path, range(3)).items()
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(
        ReelbowError, match=r"00000\.jpg: is no sheet of previews, or is damaged"
    ):
        draw_contact({path: sheet}, np.arange(3), width=None, gap_color=GRAY)
