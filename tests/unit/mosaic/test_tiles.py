import numpy as np
import pytest

from databases import change
from mosaics import write_film
from reelbow.color.spaces import srgb_to_oklab
from reelbow.errors import DamagedError, ReelbowError
from reelbow.mosaic.tiles import (
    count_tiles,
    locate_tile,
    measure_tiles,
    read_shard_tiles,
    read_tiles,
    save_tiles,
)
from reelbow.shards import previews
from reelbow.shards.previews import PreviewWriter
from reelbow.shards.sheets import open_previews

COLORS = [0xC02020] * 3 + [0x2020C0] * 4 + [0x808080] * 2


@pytest.mark.parametrize(
    ("size", "aspect", "left"),
    [
        ((72, 128), (16, 9), (72, 128)),
        ((72, 172), (16, 9), (72, 128)),
        ((96, 128), (16, 9), (72, 128)),
        ((72, 128), (1, 1), (72, 72)),
        ((72, 128), (1, 1000), (72, 1)),
    ],
)
def test_the_middle_of_a_preview_is_a_tile(size, aspect, left):
    pixels = np.zeros((2, *size, 3), np.uint8)
    rows, columns = (
        slice((whole - kept) // 2, (whole + kept) // 2)
        for whole, kept in zip(size, left, strict=True)
    )
    pixels[:, rows, columns] = 1
    down, across = locate_tile(size, size[::-1], aspect)
    cut = pixels[:, down, across]
    assert cut.shape == (2, *left, 3)
    assert cut.all()


@pytest.mark.parametrize("shape", [(90, 60), (90, 540), (90, 51), (90, 640), (30, 50)])
def test_a_tile_has_nothing_of_what_is_around_a_picture(tmp_path, shape):
    path = tmp_path / "a.jpg"
    with PreviewWriter(path, height=72, quality=60, usual=(90, 160)) as writer:
        writer.add(np.full((*shape, 3), (230, 0, 0), np.uint8), 0)
    shown = open_previews(path)
    (preview,), (size,) = shown.read([0]), shown.sizes
    for aspect in [(16, 9), (1, 1)]:
        tile = preview[locate_tile((72, 128), size, aspect)]
        # Beside the dark, 73 to 86 of red are off.
        assert 230 - tile[..., 0].min() < 60
        assert tile.shape[1] / tile.shape[0] == pytest.approx(
            aspect[0] / aspect[1], rel=0.07
        )


def test_of_a_picture_too_small_for_a_tile_all_of_the_preview_is():
    box = locate_tile((72, 128), (128, 6), (16, 9))
    assert box == (slice(0, 72), slice(0, 128))


def test_tiles_are_measured_as_their_previews_look(tmp_path):
    write_film(tmp_path, COLORS)
    frames, features = measure_tiles(tmp_path / "demo/previews/00000.jpg", (16, 9))
    assert frames.tolist() == list(range(9))
    red = srgb_to_oklab([192.0, 32, 32])[0] * 255
    dark = srgb_to_oklab([96.0, 16, 16])[0] * 255
    # Half as far again from their mean.
    red, dark = red + (red - dark) / 4, dark - (red - dark) / 4
    first = features[0, 0].astype(float)
    # The left half of each row of parts, and the right one, which is darker.
    assert first[:16].reshape(4, 4)[:, :2] == pytest.approx(np.full((4, 2), red), abs=4)
    assert first[:16].reshape(4, 4)[:, 2:] == pytest.approx(
        np.full((4, 2), dark), abs=4
    )
    assert features[0, 0, 16] > 150
    assert np.abs(features[-1, 0, 16:].astype(int) - 128).max() < 4


def test_frames_alike_are_one_group_and_any_shards_give_the_same(tmp_path):
    found = [
        read_tiles(write_film(tmp_path / str(n), COLORS, per_shard=n), 10)
        for n in (100, 2)
    ]
    for tiles in found:
        assert tiles.groups.tolist() == [0] * 3 + [1] * 4 + [2] * 2
        assert tiles.frames.tolist() == list(range(9))
    assert found[1].shards.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4]
    assert found[1].places.tolist() == [0, 1] * 4 + [0]


@pytest.mark.parametrize("size", [(72, 128), (61, 77)])
def test_any_shards_give_the_same_features(tmp_path, size, monkeypatch):
    colors = np.random.default_rng(0).integers(0, 1 << 24, 23).tolist()
    found = [
        read_tiles(write_film(tmp_path / str(n), colors, per_shard=n, size=size), 10)
        for n in (100, 7, 1)
    ]
    # One of more frames than a sheet of previews has in full size.
    monkeypatch.setattr(previews, "MAX_PIXELS", 9 * 80 * 128)
    monkeypatch.setattr(previews, "FULL_PIXELS", 4 * 80 * 128)
    found.append(read_tiles(write_film(tmp_path / "large", colors, size=size), 10))
    for tiles in found[1:]:
        assert np.array_equal(tiles.features, found[0].features)
        assert np.array_equal(tiles.groups, found[0].groups)


def test_where_shots_are_known_they_are_the_groups(tmp_path):
    films = write_film(tmp_path, COLORS)
    (database,) = films
    change(database, "INSERT INTO metadata VALUES ('shots', '{}')")
    for shot, (first, last) in enumerate([(0, 1), (None, None), (2, 8)]):
        first, last = ("NULL" if each is None else str(each) for each in (first, last))
        change(
            database,
            f"INSERT INTO shots VALUES (1, {shot}, {first}, {last}, 0, 1)",
        )
    assert read_tiles(films, 1).groups.tolist() == [0 + 1] * 2 + [2] * 7


def test_films_follow_one_another_and_files_that_are_shards_count_on(tmp_path):
    films = write_film(tmp_path, COLORS[:4], film="a") | write_film(
        tmp_path, COLORS[:5], film="b", per_shard=2, counts_from_0=True
    )
    tiles = read_tiles(films, 1)
    assert tiles.frames.tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 4]
    assert tiles.shards.tolist() == [0, 0, 0, 0, 1, 1, 2, 2, 3]
    assert tiles.groups.tolist() == [0, 0, 0, 1, 2, 2, 2, 3, 3]


def test_tiles_of_other_frames_than_the_database_has_are_told(tmp_path):
    films = write_film(tmp_path, COLORS)
    (database,) = films
    change(database, "DELETE FROM frames WHERE frame > 6")
    with pytest.raises(ReelbowError, match=r"00000.npz is not of the frames that"):
        read_tiles(films, 1)


def test_previews_too_small_for_a_tile_are_refused(tmp_path):
    write_film(tmp_path, COLORS, size=(8, 16))
    sheet = tmp_path / "demo/previews/00000.jpg"
    with pytest.raises(
        ReelbowError, match=r"16x8 pixels are too small for tiles of 1:9"
    ):
        measure_tiles(sheet, (1, 9))


def test_a_sheet_that_cannot_be_decoded_is_told(tmp_path):
    write_film(tmp_path, COLORS)
    sheet = tmp_path / "demo/previews/00000.jpg"
    data = bytearray(sheet.read_bytes())
    # What is decoded, and not the headers.
    start = data.index(b"\xff\xda") + 40
    data[start : start + 140] = bytes(140)
    sheet.write_bytes(data)
    with pytest.raises(ReelbowError, match=r"is damaged; delete it and run again"):
        measure_tiles(sheet, (16, 9))


def test_damaged_tiles_are_told_as_such(tmp_path):
    path = tmp_path / "00000.npz"
    save_tiles(path, np.arange(3), np.zeros((3, 5), np.uint8))
    whole, told = path.read_bytes(), r"00000\.npz: damaged; delete it"
    assert count_tiles({tmp_path: [path, path]}) == 6
    for content in (whole, whole[:-9], b""):
        path.write_bytes(content)
        with pytest.raises(DamagedError, match=told):
            read_shard_tiles(path)
    with pytest.raises(DamagedError, match=told):
        count_tiles({tmp_path: [path]})
