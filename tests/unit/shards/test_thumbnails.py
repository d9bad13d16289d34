"""Thumbnails come back as they went in, in batches that fit the memory."""

import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from reelbow.errors import DamagedError
from reelbow.pictures.averages import Averages
from reelbow.pictures.measures import measure_pictures
from reelbow.shards import batches as batch_module
from reelbow.shards.batches import ShardFrame
from reelbow.shards.thumbnails import Thumbnails, ThumbnailWriter

Rows = list[tuple[int, float | None, str, NDArray[np.uint8]]]


def average(pixels: NDArray[np.uint8]) -> Averages:
    """Give a picture averages of its own that its pixels do not have."""
    seed = int(pixels.sum(dtype=np.int64))
    rng = np.random.default_rng(seed)
    strip = rng.uniform(0, 255, (pixels.shape[0] // 2 + 1, 3))
    return Averages(rng.uniform(0, 255, 3), strip, float(rng.uniform(0, 255)))


def picture(seed: int, size: tuple[int, int] = (4, 6)) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (*size, 3)).astype(np.uint8)


def write(path: Path, rows: Rows, skipped: list[tuple[str, str]] | None = None) -> Path:
    with ThumbnailWriter(path) as writer:
        for row in rows:
            writer.add(ShardFrame(*row, average(row[3])))
        for name, reason in skipped or []:
            writer.skipped.append((name, reason))
    return path


def is_same(path: Path, rows: Rows) -> list[int]:
    """See that a file holds these rows; return the sizes of its batches."""
    sizes = []
    with Thumbnails(path) as found:
        assert len(found) == len(rows)
        expected = iter(rows)
        for batch in found.batches():
            sizes.append(len(batch.frames))
            assert len(batch.names) == len(batch.times_s) == len(batch.pixels)
            assert batch.told == []
            parts = (part for part in batch if part is not batch.told)
            for frame, time_s, name, pixels, *averages in zip(*parts, strict=True):
                row = next(expected)
                assert frame == row[0]
                assert np.isnan(time_s) if row[1] is None else time_s == row[1]
                assert name == row[2]
                assert_array_equal(pixels, row[3], strict=True)
                mean, luma, strip, measures = averages
                assert_array_equal(mean, average(row[3]).mean, strict=True)
                assert_array_equal(strip, average(row[3]).strip, strict=True)
                # The same as if no other frame had been in the batch.
                alone = measure_pictures(row[3][np.newaxis], strip[np.newaxis])[0]
                assert_array_equal(measures, alone, strict=True)
                assert luma == average(row[3]).luma
        assert next(expected, None) is None
    return sizes


def test_frames_come_back_in_several_batches_of_several_sizes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_module, "BATCH_BYTES", 3 * 4 * 6 * 3)
    sizes = [(4, 6)] * 7 + [(6, 4)] * 2 + [(4, 6)] + [(40, 60)] * 2
    rows: Rows = [
        (100 + i, None if i == 3 else i / 3, f"bär/{i}.jpg", picture(i, size))
        for i, size in enumerate(sizes)
    ]
    path = write(tmp_path / "t.npz", rows)
    # at most three small ones; another size begins another batch
    assert is_same(path, rows) == [3, 3, 1, 2, 1, 1, 1]


@settings(max_examples=25, deadline=None)
@given(
    heights=st.lists(st.sampled_from([1, 2, 3]), max_size=12),
    limit=st.integers(1, 60),
)
def test_a_batch_is_never_larger_than_the_limit_or_one_frame(
    tmp_path_factory: pytest.TempPathFactory, heights: list[int], limit: int
) -> None:
    rows: Rows = [
        (i, float(i), str(i), picture(i, (height, 2)))
        for i, height in enumerate(heights)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch_module, "BATCH_BYTES", limit)
        path = write(tmp_path_factory.mktemp("t") / "t.npz", rows)
    is_same(path, rows)
    with Thumbnails(path) as found:
        for batch in found.batches():
            assert len(batch.pixels) == 1 or batch.pixels.nbytes <= limit


def test_strips_of_other_rows_begin_another_batch(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    with ThumbnailWriter(path) as writer:
        for i, rows in enumerate([2, 2, 3]):
            averages = average(picture(i))._replace(strip=np.full((rows, 3), i * 1.0))
            writer.add(ShardFrame(i, 0.0, "", picture(i), averages))
    with Thumbnails(path) as found:
        shapes = [batch.strips.shape for batch in found.batches()]
    assert shapes == [(2, 2, 3), (1, 3, 3)]


def test_the_writer_holds_no_more_than_a_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_module, "BATCH_BYTES", 10 * 4 * 6 * 3)
    with ThumbnailWriter(tmp_path / "t.npz") as writer:
        for i in range(95):
            writer.add(ShardFrame(i, 0.0, "", picture(i), average(picture(i))))
            assert len(writer._builder._frames) <= 10


def test_batches_are_read_one_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_module, "BATCH_BYTES", 1)
    path = write(tmp_path / "t.npz", [(i, 0.0, "", picture(i)) for i in range(3)])
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("pixels_000002.npy")
    data = bytearray(path.read_bytes())
    # damage in the last batch is not met before the last batch
    start = info.header_offset + len(info.filename) + 30
    data[start + info.file_size - 5] ^= 1
    path.write_bytes(data)
    with Thumbnails(path) as found:
        batches = found.batches()
        assert_array_equal(next(batches).pixels[0], picture(0))
        assert_array_equal(next(batches).pixels[0], picture(1))


def test_skipped_pictures_come_back_with_their_reasons(tmp_path: Path) -> None:
    skipped = [("a.jpg", "not an image"), ("bär,\t'2'.jpg", "cut off; \N{BLACK STAR}")]
    path = write(tmp_path / "t.npz", [(0, 0.0, "x", picture(0))], skipped)
    with Thumbnails(path) as found:
        assert found.skipped == skipped
    assert is_same(path, [(0, 0.0, "x", picture(0))]) == [1]


def test_what_is_told_of_frames_comes_back_with_them(tmp_path: Path) -> None:
    pictures = [picture(0), picture(1), picture(2, (8, 2))]
    told = [{"word": word, "n": i} for i, word in enumerate(("bär", "\u732b", None))]
    with ThumbnailWriter(tmp_path / "t.npz") as writer:
        for i, pixels in enumerate(pictures):
            frame = ShardFrame(i, None, "x", pixels, average(pixels), told[i])
            writer.add(frame)
    with Thumbnails(tmp_path / "t.npz") as found:
        assert [batch.told for batch in found.batches()] == [told[:2], told[2:]]


def test_a_shard_with_no_picture_is_empty_and_not_broken(tmp_path: Path) -> None:
    path = write(tmp_path / "t.npz", [], [("a.jpg", "lost")])
    assert is_same(path, []) == []
    with Thumbnails(path) as found:
        assert found.skipped == [("a.jpg", "lost")]


def test_the_same_frames_give_the_same_arrays_and_plain_numpy_reads_them(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "t.npz", [(7, 0.5, "x", picture(0))])
    with np.load(path, allow_pickle=False) as arrays:
        assert_array_equal(arrays["pixels_000000"], picture(0)[np.newaxis])
        assert arrays["frames"].tolist() == [7]
        assert arrays["names"].tolist() == ["x"]


class Trap:
    """What would run on unpickling."""

    sprung = False

    @classmethod
    def spring(cls) -> None:
        cls.sprung = True

    def __reduce__(self) -> tuple[object, tuple[()]]:
        return (Trap.spring, ())


@pytest.mark.parametrize(
    "key",
    [
        *["names", "frames", "batch_starts", "skipped"],
        *["pixels_000000", "means_000000", "lumas_000000", "strips_000000"],
    ],
)
def test_no_pickle_is_ever_loaded(tmp_path: Path, key: str) -> None:
    good = write(tmp_path / "t.npz", [(0, 0.0, "x", picture(0))])
    with np.load(good) as file:
        arrays = dict(file)
    bad = tmp_path / "bad.npz"
    np.savez(bad, **{**arrays, key: np.array([Trap()], object)})
    with pytest.raises(DamagedError, match="damaged"), Thumbnails(bad) as found:
        list(found.batches())
    assert not Trap.sprung


def test_a_bare_pickle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(DamagedError, match="damaged"):
        Thumbnails(path)
    assert not Trap.sprung


@pytest.mark.parametrize("share", [0, 0.001, 0.5, 0.99])
@pytest.mark.parametrize("rest", [b"", b"\0"])
def test_what_a_power_cut_left_of_a_file_is_told_as_damaged(
    tmp_path: Path, share: float, rest: bytes
) -> None:
    path = write(tmp_path / "t.npz", [(0, 0.0, "x", picture(0))])
    whole = path.read_bytes()
    n_bytes = int(share * len(whole))
    path.write_bytes(whole[:n_bytes] + rest * (len(whole) - n_bytes))
    with pytest.raises(DamagedError) as error, Thumbnails(path) as found:
        list(found.batches())
    assert str(error.value) == (
        f"{path}: damaged; give the same command again, which makes it anew"
    )


def test_an_error_while_writing_writes_no_end(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    writer = ThumbnailWriter(path)
    writer.add(ShardFrame(0, 0.0, "x", picture(0), average(picture(0))))
    writer.__exit__(RuntimeError, RuntimeError(), None)
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == []


@pytest.mark.parametrize("what", ["cut off", "a bit", "no npz", "a header", "other"])
def test_damaged_thumbnails_are_told_as_such(what, tmp_path):
    path = tmp_path / "00000.npz"
    write(path, [(0, None, "a", picture(0)), (1, None, "b", picture(1))])
    data = bytearray(path.read_bytes())
    if what == "cut off":
        del data[-30:]
    elif what == "no npz":
        data = bytearray(b"thumbnails")
    elif what == "other":
        data = data.replace(b"times_s.npy", b"times_m.npy")
    else:
        place = data.index(b"\x93NUMPY")
        data[place + (20 if what == "a header" else 140)] ^= 255
    path.write_bytes(data)
    with (
        pytest.raises(DamagedError, match=r"00000\.npz: damaged; give the same"),
        Thumbnails(path) as thumbnails,
    ):
        list(thumbnails.batches())


def test_thumbnails_that_may_not_be_read_are_not_called_damaged(tmp_path):
    with pytest.raises(FileNotFoundError):
        Thumbnails(tmp_path / "00000.npz")
