"""Damaged JPEGs: which are kept, by what libjpeg says and what of them is right."""

import io
import struct
import time
from typing import Any

import numpy as np
import pytest
import simplejpeg
from numpy.typing import NDArray
from PIL import ExifTags, Image
from sklearn.datasets import load_sample_image

from reelbow.errors import ReelbowError
from reelbow.pictures.image_files import decode_image
from reelbow.pictures.jpeg_damage import find_damage

PHOTOGRAPH = load_sample_image("china.jpg")
FLOWER = load_sample_image("flower.jpg")
RESTART = b"\xff\xd0"


TURNED = Image.Exif()
TURNED[ExifTags.Base.Orientation] = 6


def encode(
    mode: str = "RGB", picture: NDArray[np.uint8] = PHOTOGRAPH, **how: Any
) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture).convert(mode).save(stream, "JPEG", quality=85, **how)
    return stream.getvalue()


def overwrite(data: bytes, part: float, with_: bytes) -> bytes:
    """Write over what is at a part of the file's length."""
    at = int(part * len(data))
    return data[:at] + with_ + data[at + len(with_) :]


def turned(data: bytes) -> bytes:
    segment = TURNED.tobytes()
    return (
        data[:2]
        + b"\xff\xe1"
        + struct.pack(">H", 2 + len(segment))
        + segment
        + data[2:]
    )


def means(data: bytes) -> NDArray[np.float64]:
    return np.asarray(decode_image(data).picture.mean(axis=(0, 1)))


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK", "turned"])
@pytest.mark.parametrize("height", [None, 40])
def test_a_picture_that_is_gray_from_the_middle_on_is_refused(
    mode: str, height: int | None
) -> None:
    data = encode("RGB" if mode == "turned" else mode)
    if mode == "turned":
        data = turned(data)
    assert decode_image(data, height=height).picture.shape[2] == 3
    # A marker that means nothing to a decoder which has a scan to read.
    damaged = overwrite(data, 0.5, b"\xff" * 5000 + b"\xc9")
    with pytest.raises(ReelbowError, match=r"damaged \(|does not decode"):
        decode_image(damaged, height=height)
    damaged = overwrite(data, 0.5, b"\xff" * 5000 + b"\xe9\x00\x02")
    with pytest.raises(ReelbowError, match=r"damaged \(.*premature end of data"):
        decode_image(damaged, height=height)


def test_a_turned_and_a_gray_jpeg_have_the_pixels_that_pillow_gives() -> None:
    for data in (turned(encode()), encode("L")):
        with Image.open(io.BytesIO(data)) as image:
            gray = image.mode == "L"
            expected = np.asarray(image.convert("RGB"))
        expected = expected if gray else np.rot90(expected, -1)
        assert np.array_equal(decode_image(data).picture, expected)


@pytest.mark.parametrize("n", [1, 10, 300])
def test_zeros_behind_the_scan_are_no_damage(n: int) -> None:
    data = encode()
    padded = data[:-2] + bytes(n) + data[-2:]
    assert np.array_equal(decode_image(padded).picture, decode_image(data).picture)
    with pytest.raises(ReelbowError, match=r"damaged .* extraneous bytes"):
        decode_image(data[:-2] + b"\x5a" * (n + 10) + data[-2:])


@pytest.mark.parametrize("trailer", [b"\xff\xd9", b"SEFT" * 50, bytes(9)])
def test_what_follows_the_image_does_not_count(trailer: bytes) -> None:
    data = encode()
    assert np.array_equal(
        decode_image(data + trailer).picture, decode_image(data).picture
    )


@pytest.mark.parametrize(("part", "kept"), [(0.1, False), (0.6, True), (0.9, True)])
def test_a_progressive_jpeg_counts_by_the_scans_that_make_its_means(
    part: float, kept: bool
) -> None:
    data = encode(progressive=True)
    damaged = overwrite(data, part, bytes(200))
    if not kept:
        with pytest.raises(ReelbowError, match=r"damaged \("):
            decode_image(damaged)
        return
    assert np.abs(means(damaged) - means(data)).max() < 2


@pytest.mark.parametrize(
    "how", [{"restart_marker_rows": 1}, {"restart_marker_blocks": 7}]
)
def test_of_a_jpeg_with_restarts_some_parts_may_be_damaged(how: dict[str, int]) -> None:
    data = encode(**how)
    damaged = overwrite(data, 0.5, bytes(20))
    assert np.abs(means(damaged) - means(data)).max() < 2
    with pytest.raises(ReelbowError, match=r"damaged \("):
        decode_image(overwrite(data, 0.2, bytes(len(data) // 2)))
    # One restart is gone.
    at = data.index(RESTART, data.index(b"\xff\xda"))
    with pytest.raises(ReelbowError, match=r"damaged \("):
        decode_image(data[:at] + b"\x11\x11" + data[at + 2 :])
    # At another marker libjpeg leaves the scan.
    with pytest.raises(ReelbowError, match=r"damaged \("):
        decode_image(overwrite(data, 0.5, b"\xff\xe7\x00\x02"))


def step(
    size: int, row: int, column: int, picture: NDArray[np.uint8] = FLOWER
) -> NDArray[np.uint8]:
    """Brighten a picture from one MCU on, as if its mean were damaged."""
    picture = picture.astype(int)
    picture[16 * row :, 16 * column :] += size
    picture[16 * (row + 1) :, : 16 * column] += size
    return picture.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("size", [-40, 15, 60])
@pytest.mark.parametrize(("row", "column"), [(1, 4), (12, 20), (20, 36)])
@pytest.mark.parametrize("how", [{}, {"progressive": True}, {"exif": TURNED}])
def test_a_step_from_a_block_on_is_damage(
    size: int, row: int, column: int, how: dict[str, Any]
) -> None:
    data = encode(picture=step(size, row, column), **how)
    simplejpeg.decode_jpeg(data)
    with pytest.raises(ReelbowError, match="from one block on all is too bright or da"):
        decode_image(data)


def test_what_is_no_such_step_is_kept() -> None:
    box, line = FLOWER.copy(), FLOWER.copy()
    box[160:320, 320:] += 40
    line[160:] //= 2
    # Where it shifts the mean by little, drawn in flat colors, and off the MCUs.
    late = step(30, 25, 20)
    flat = step(60, 12, 20, np.full_like(FLOWER, 100))
    beside = np.roll(step(60, 12, 20), (8, 8), (0, 1))
    for picture in (FLOWER, PHOTOGRAPH, box, line, late, flat, beside):
        decode_image(encode(picture=picture))


def test_of_bits_that_shift_all_that_follows_most_are_found() -> None:
    data = encode(picture=FLOWER)
    right = means(data)
    rng = np.random.default_rng(0)
    n_far = n_found = 0
    while n_far < 10:
        at = rng.integers(data.index(b"\xff\xda") + 14, len(data) - 2)
        flipped = bytes([data[at] ^ 1 << rng.integers(8)])
        damaged = data[:at] + flipped + data[at + 1 :]
        try:
            pixels = simplejpeg.decode_jpeg(damaged)
        except ValueError:
            continue
        if np.abs(pixels.mean(axis=(0, 1)) - right).max() > 8:
            n_far += 1
            try:
                decode_image(damaged)
            except ReelbowError:
                n_found += 1
    assert n_found >= 6


def test_what_is_unusual_is_no_damage() -> None:
    data = encode()
    assert data[6:12] == b"JFIF\0\x01"
    unusual = data[:11] + b"\x07" + data[12:]
    assert np.array_equal(decode_image(unusual).picture, decode_image(data).picture)


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xe0\x00\x02" * 3_000_000,
        b"\xff\xda\x00\x02" * 3_000_000,
        b"\xff\xdd\x00\x04\x00\x01" + b"\xff\xd0" * 3_000_000,
    ],
)
def test_what_is_made_to_keep_us_does_not(body: bytes) -> None:
    data = encode()
    start = time.monotonic()
    said = "Corrupt JPEG data: bad Huffman code"
    assert find_damage(data[:2] + body + data[2:], said) == f"damaged ({said})"
    assert time.monotonic() - start < 5
