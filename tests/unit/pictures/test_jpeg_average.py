import io
import tracemalloc
from typing import Any

import numba
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin
from sklearn.datasets import load_sample_image

from reelbow.errors import ReelbowError
from reelbow.pictures import image_files as pictures
from reelbow.pictures.averages import average_image
from reelbow.pictures.geometry import Crop
from reelbow.pictures.jpeg_average import MIN_CELL, average_jpeg
from reelbow.pictures.jpeg_coefficients import (
    BASIS,
    Coefficients,
    decode_mcu,
    open_scan,
    read_header,
)
from shared_films import FOLDER

RNG = np.random.default_rng(5)
SAMPLINGS = {"4:4:4": 0, "4:2:2": 1, "4:2:0": 2}


def draw(height: int, width: int, colors: str = "soft") -> NDArray[np.uint8]:
    """A picture whose colors change slowly, and whose luma is as rough as it gets."""
    y, x = np.mgrid[:height, :width]
    base = np.stack([90 + 60 * np.sin(x / 41), 120 + 60 * np.cos(y / 37), 0 * x + 120])
    base = base.transpose(1, 2, 0)
    if colors == "extreme":
        # What a JPEG cannot say without going beyond 0 and 255.
        base = np.where(
            (x // 23 + y // 19)[..., None] % 2, [0, 255, 4], [255, 250, 255]
        )
    rough = RNG.normal(0, 25, (height, width, 1))
    return (base + rough).clip(0, 255).astype(np.uint8)


def encode(picture: NDArray[np.uint8], **how: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", **({"quality": 85} | how))
    return file.getvalue()


def average(
    data: bytes, size: tuple[int, int], crop: tuple[int, int, int, int] | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.float64]] | None:
    header = read_header(data)
    if header is None:
        return None
    return average_jpeg(
        data, header, crop=crop or (0, 0, header.width, header.height), size=size
    )


def average_pixels(
    data: bytes, size: tuple[int, int], crop: tuple[int, int, int, int] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Decode by libjpeg, and average."""
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), np.float64)
    x, y, width, height = crop or (0, 0, pixels.shape[1], pixels.shape[0])
    return average_all(pixels[y : y + height, x : x + width], size)


def average_all(
    pixels: NDArray[np.float64], size: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Average with a matrix a side: as plain as can be."""
    height, width, _ = pixels.shape

    def parts(n: int, cells: int) -> NDArray[np.float64]:
        edges = np.arange(cells + 1) * n / cells
        begin = np.maximum(edges[:-1, None], np.arange(n))
        return (np.minimum(edges[1:, None], np.arange(n) + 1) - begin).clip(0)

    down, across = parts(height, size[0]), parts(width, size[1])
    sums = np.einsum("ry,cx,yxi->rci", down, across, pixels, optimize=True)
    return sums * (size[0] * size[1] / (height * width)), pixels.mean(axis=1)


def assert_alike(
    data: bytes,
    size: tuple[int, int],
    crop: tuple[int, int, int, int] | None = None,
) -> None:
    """Hold it against libjpeg's pixels, made of rounded samples, and rounded again."""
    found = average(data, size, crop)
    assert found is not None
    small, means = average_pixels(data, size, crop)
    assert found[0].shape == small.shape
    assert found[1].shape == means.shape
    assert_allclose(found[0], small, atol=2.5)
    assert_allclose(found[1], means, atol=1.5)
    assert_allclose(found[1].mean(axis=0), means.mean(axis=0), atol=0.2)


@numba.njit
def decode_blocks(jpeg: Coefficients, n_mcus: int) -> NDArray[np.float32]:
    n_blocks = jpeg.n_luma + 2
    blocks = np.empty((n_mcus, n_blocks, 64), np.float32)
    swings = np.empty(n_blocks, np.float32)
    for mcu in range(n_mcus):
        if not decode_mcu(jpeg, blocks[mcu].reshape(-1), np.uint64(0), swings):
            raise ValueError("damaged")
    return blocks


def decode_floats(data: bytes) -> NDArray[np.float64]:
    """Decode all pixels, (h, w, 3), and round nothing."""
    header = read_header(data)
    assert header is not None
    jpeg = open_scan(data, header)
    assert jpeg is not None
    rows, columns = header.shape
    blocks = decode_blocks(jpeg, rows * columns).reshape(rows, columns, -1, 8, 8)
    # (across, down) to (y, x).
    samples = np.einsum("rcbuv,vy,ux->rcbyx", blocks, BASIS, BASIS, optimize=True)
    down, across = header.down, header.across
    luma = samples[:, :, :-2].reshape(rows, columns, down, across, 8, 8)
    planes = [luma.transpose(0, 2, 4, 1, 3, 5).reshape(rows * down * 8, -1)]
    for chroma in samples[:, :, -2], samples[:, :, -1]:
        plane = chroma.transpose(0, 2, 1, 3).reshape(rows * 8, -1)
        planes.append(plane.repeat(down, axis=0).repeat(across, axis=1))
    y, cb, cr = (
        plane.clip(-128, 127)[: header.height, : header.width] for plane in planes
    )
    green = y - (0.114 * 1.772 * cb + 0.299 * 1.402 * cr) / 0.587
    colors = np.stack([y + 1.402 * cr, green, y + 1.772 * cb], axis=2)
    return (colors + 128).clip(0, 255)


def assert_exact(data: bytes, size: tuple[int, int]) -> None:
    """Hold it against the exact averages of what the JPEG says."""
    found = average(data, size)
    assert found is not None
    small, means = average_all(decode_floats(data), size)
    assert_allclose(found[0], small, atol=0.51)
    assert_allclose(found[1], means, atol=0.01)


@pytest.mark.parametrize("name", ["china.jpg", "flower.jpg"])
@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_averages_of_photographs_are_exact(name: str, sampling: str) -> None:
    data = encode(load_sample_image(name), subsampling=SAMPLINGS[sampling])
    assert_exact(data, (50, 75))


@pytest.mark.shared
def test_averages_of_more_photographs_are_exact() -> None:
    n_tried = 0
    for path in sorted((FOLDER / "photos").glob("*.jpg")):
        data = path.read_bytes()
        header = read_header(data)
        if header is None:
            continue
        n_tried += 1
        assert_exact(data, (header.height // 9, header.width // 13))
    if not n_tried:
        pytest.skip("no photographs are there")


@pytest.mark.parametrize("colors", ["soft", "extreme"])
@pytest.mark.parametrize("quality", [10, 85, 100])
@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_averages_of_all_colors_are_exact(
    colors: str, quality: int, sampling: str
) -> None:
    how = {"quality": quality, "subsampling": SAMPLINGS[sampling]}
    assert_exact(encode(draw(243, 322, colors), **how), (27, 36))


@pytest.mark.parametrize("colors", ["soft", "extreme"])
@pytest.mark.parametrize("quality", [40, 85, 100])
def test_it_averages_what_libjpeg_decodes(colors: str, quality: int) -> None:
    data = encode(draw(243, 322, colors), quality=quality, subsampling=0)
    assert_alike(data, (27, 36))


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("shape", [(64, 64), (65, 79), (243, 322)])
def test_any_sampling_and_size(sampling: str, shape: tuple[int, int]) -> None:
    data = encode(draw(*shape), subsampling=SAMPLINGS[sampling])
    assert_alike(data, (shape[0] // 12, shape[1] // 12))


def test_chroma_that_is_halved_down_only() -> None:
    turned = Image.open(io.BytesIO(encode(draw(128, 208), subsampling=1)))
    assert JpegImagePlugin.get_sampling(turned) == 1
    import cv2

    how = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440]
    data = cv2.imencode(".jpg", draw(128, 208)[..., ::-1], how)[1].tobytes()
    header = read_header(data)
    assert header is not None
    assert (header.down, header.across) == (2, 1)
    assert_alike(data, (12, 20))


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_extreme_colors_are_no_farther_off_than_decoded_ones(sampling: str) -> None:
    # At edges like these libjpeg smoothes chroma, so it may be held against the picture
    # alone.
    stripes = np.arange(320) // 32 % 2
    picture = np.where(stripes[:, np.newaxis], [0, 0, 255], [255, 255, 0])
    rough = RNG.integers(-60, 60, (160, 320, 1))
    picture = (picture + rough).clip(0, 255).astype(np.uint8)
    data = encode(picture, subsampling=SAMPLINGS[sampling], quality=70)
    found = average(data, (20, 40))
    assert found is not None
    truth = picture.reshape(20, 8, 40, 8, 3).mean(axis=(1, 3))
    error = abs(found[0] - truth).mean()
    assert error <= abs(average_pixels(data, (20, 40))[0] - truth).mean() + 0.1
    assert_allclose(found[1].mean(axis=0), picture.mean(axis=(0, 1)), atol=1)


@pytest.mark.parametrize(
    "cells", [(8, 8), (20, 40), (19, 33), (1, 1), (7, 40), (20, 3)]
)
def test_any_grid(cells: tuple[int, int]) -> None:
    assert_alike(encode(draw(163, 325), subsampling=0), cells)


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("crop", [(3, 5, 176, 112), (8, 4, 80, 80)])
def test_cells_as_small_as_they_may_be(
    crop: tuple[int, int, int, int], sampling: str
) -> None:
    # Where chroma is halved, blocks lie in three of them.
    data = encode(draw(163, 325), subsampling=SAMPLINGS[sampling])
    assert_alike(data, (crop[3] // MIN_CELL, crop[2] // MIN_CELL), crop)


@pytest.mark.parametrize(
    "crop", [(0, 0, 325, 163), (7, 5, 300, 150), (16, 32, 64, 64), (1, 99, 324, 64)]
)
@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:0"])
def test_any_crop(crop: tuple[int, int, int, int], sampling: str) -> None:
    data = encode(draw(163, 325), subsampling=SAMPLINGS[sampling])
    assert_alike(data, (crop[3] // 9, crop[2] // 11), crop)


# Of 104 MCUs.
@pytest.mark.parametrize("blocks", [1, 3, 100, 104, 65535])
def test_restarts(blocks: int) -> None:
    picture = draw(120, 200)
    data = encode(picture, restart_marker_blocks=blocks)
    header = read_header(data)
    assert header is not None
    assert header.interval == blocks
    expected = average(encode(picture), (12, 20))
    found = average(data, (12, 20))
    assert expected is not None
    assert found is not None
    assert_array_equal(found[0], expected[0])
    assert_array_equal(found[1], expected[1])


def test_codes_of_its_own() -> None:
    # Longer codes than the usual tables', and none for what does not occur.
    data = encode(draw(160, 320), optimize=True, quality=95)
    assert_alike(data, (16, 32))


@pytest.mark.parametrize("level", [0, 1, 128, 254, 255])
def test_flat_pictures_are_exact(level: int) -> None:
    picture = np.full((64, 96, 3), level, np.uint8)
    found = average(encode(picture, quality=100), (4, 6))
    assert found is not None
    assert_array_equal(found[0], np.full((4, 6, 3), level))


def test_the_same_bits_again() -> None:
    data = encode(draw(160, 320, "extreme"))
    one, two = average(data, (16, 32)), average(data, (16, 32))
    assert one is not None
    assert two is not None
    assert_array_equal(one[0], two[0])
    assert_array_equal(one[1], two[1])


def save(mode: str, **how: Any) -> bytes:
    file = io.BytesIO()
    Image.new(mode, (64, 64)).save(file, "JPEG", **how)
    return file.getvalue()


RARE = {
    "progressive": save("RGB", progressive=True),
    "gray": save("L"),
    "CMYK": save("CMYK"),
    "kept as RGB": save("RGB", keep_rgb=True),
}


@pytest.mark.parametrize("kind", RARE)
def test_rarer_kinds_are_left_to_others(kind: str) -> None:
    assert read_header(RARE[kind]) is None


@pytest.mark.parametrize("n", [0, 2, 3, 4, 20, 160, 300, 600])
def test_headers_cut_off_are_none(n: int) -> None:
    assert read_header(encode(draw(64, 64))[:n]) is None


def test_what_is_cut_off_or_goes_on_is_refused() -> None:
    data = encode(draw(64, 64))
    header = read_header(data)
    assert header is not None
    for cut in range(header.scan, len(data) - 1, 7):
        assert average(data[:cut], (4, 4)) is None
        assert average(data[:cut] + b"\xff\xd9", (4, 4)) is None
    assert average(data[:-2] + b"\0\0\0" + data[-2:], (4, 4)) is None
    assert average(data[:-2] + b"\xff\xd0" + data[-2:], (4, 4)) is None
    # Behind its end anything may stand.
    assert average(data + b"anything", (4, 4)) is not None


def test_damage_ends_in_a_result_or_none() -> None:
    data = encode(draw(96, 128, "extreme"), restart_marker_blocks=5, optimize=True)
    refused = 0
    for _ in range(1500):
        damaged = bytearray(data)
        for _ in range(RNG.integers(1, 4)):
            damaged[RNG.integers(2, len(data))] = RNG.integers(256)
        header = read_header(bytes(damaged))
        if header is None or (header.height, header.width) != (96, 128):
            refused += 1
            continue
        found = average(bytes(damaged), (9, 12))
        refused += found is None
        assert found is None or np.isfinite(found[1]).all()
    assert 100 < refused < 1500


@pytest.mark.parametrize("place", [5, 7])
def test_a_side_of_nothing_is_refused(place: int) -> None:
    data = bytearray(encode(draw(64, 64)))
    at = data.index(b"\xff\xc0") + place
    data[at : at + 2] = b"\0\0"
    assert read_header(bytes(data)) is None


def test_an_interval_of_more_bytes_is_refused() -> None:
    data = encode(draw(64, 64))
    long = b"\xff\xdd\0\x10" + b"\xff" * 14
    assert read_header(data[:2] + long + data[2:]) is None


@pytest.mark.parametrize("blocks", [0, 1])
def test_a_small_file_that_claims_much_takes_little(blocks: int) -> None:
    data = bytearray(encode(draw(64, 64), restart_marker_blocks=blocks))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    average(encode(draw(64, 64)), (4, 4))
    tracemalloc.start()
    assert average(bytes(data), (4, 4), (0, 0, 64, 64)) is None
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 30e6


def put_in(data: bytes, part: bytes) -> bytes:
    """Put a part of the header right behind its start."""
    return data[:2] + part + data[2:]


def without(data: bytes, kind: int) -> bytes:
    """Leave out the first part of this kind."""
    at = data.index(bytes([0xFF, kind]))
    return data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4]) :]


JFIF = b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
ADOBE = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0"


def test_what_says_that_colors_are_y_cb_cr() -> None:
    bare = without(encode(draw(64, 64)), 0xE0)
    # With the numbers 1, 2 and 3 they are taken to be, as libjpeg does.
    assert read_header(bare) is not None
    assert read_header(put_in(bare, JFIF)) is not None
    assert read_header(put_in(bare, ADOBE + b"\1")) is not None
    assert read_header(put_in(bare, ADOBE + b"\0")) is None
    assert read_header(put_in(bare, ADOBE + b"\2")) is None
    # Who writes both means JFIF.
    assert read_header(put_in(bare, JFIF + ADOBE + b"\0")) is not None
    rgb = save("RGB", keep_rgb=True)
    short = b"\xff\xe0\0\x09JFIF\0\1\1"
    assert read_header(put_in(rgb, short)) is None


def test_numbers_of_components_that_do_not_fit_are_refused() -> None:
    data = encode(draw(64, 64))
    for marker, place in ((b"\xff\xc0", 9), (b"\xff\xda", 4)):
        damaged = bytearray(data)
        damaged[data.index(marker) + place] = 2
        assert read_header(bytes(damaged)) is None


def test_a_code_of_all_ones_is_refused() -> None:
    data = bytearray(encode(draw(64, 64)))
    # The first table of the means' codes has one of 9 bits: a second would be all ones.
    at = data.index(b"\xff\xc4")
    assert data[at + 5 + 8] == 1
    data[at + 5 + 8] = 2
    data[at + 3] += 1
    data.insert(at + 5 + 16 + 12, 0)
    assert read_header(bytes(data)) is not None
    assert average(bytes(data), (4, 4)) is None


def test_tables_may_stand_anywhere_and_the_last_counts() -> None:
    data = encode(draw(64, 64))
    at = data.index(b"\xff\xdb")
    tables = data[at : at + 2 + int.from_bytes(data[at + 2 : at + 4])]
    scan = data.index(b"\xff\xda")
    # Behind the frame, and before it others that are not used.
    other = tables[:5] + b"\xff" * 64 + tables[69:]
    moved = without(data[:scan] + tables + data[scan:], 0xDB)
    moved = put_in(moved, other)
    expected, found = average(data, (4, 4)), average(moved, (4, 4))
    assert expected is not None
    assert found is not None
    assert_array_equal(found[0], expected[0])


# How pictures.average_image chooses.


def refuse(*_: Any, **__: Any) -> None:
    raise AssertionError("decoded to pixels")


def test_an_ordinary_jpeg_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode(draw(180, 320, "extreme"), subsampling=0)
    expected = pictures.decode_image(data).picture
    monkeypatch.setattr(pictures, "decode_image", refuse)
    small, averages = average_image(data, height=18)
    assert small.shape == (18, 32, 3)
    assert averages.strip.shape == (18, 3)
    assert_allclose(averages.mean, expected.mean(axis=(0, 1)), atol=0.1)
    strip = expected.reshape(18, 10, 320, 3).mean(axis=(1, 2))
    assert_allclose(averages.strip, strip, atol=0.3)


def test_the_crop_is_that_of_pictures_of_its_size() -> None:
    data = encode(draw(200, 320))
    crop = Crop(320, 160, 0, 20)
    kept, _ = average_image(data, height=16, crop=crop, crop_of=(200, 320))
    assert kept.shape == (16, 32, 3)
    whole, _ = average_image(data, height=16, crop=crop, crop_of=(400, 640))
    assert whole.shape == (16, 26, 3)


@pytest.mark.parametrize(
    "how",
    [
        {"height": 180 // MIN_CELL + 1},
        {"height": None},
        {"height": 18, "space": "linear"},
        {"height": 18, "exact": False},
    ],
)
def test_all_else_is_decoded(how: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "decode_image", refuse)
    with pytest.raises(AssertionError, match="decoded to pixels"):
        average_image(encode(draw(180, 320)), **how)


def test_orientation_by_xmp_counts_as_well() -> None:
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/'
        b'1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:tiff="http://ns.adobe.com/'
        b'tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
    )
    part = b"http://ns.adobe.com/xap/1.0/\0" + xmp
    length = (len(part) + 2).to_bytes(2)
    data = encode(draw(160, 320))
    small, _ = average_image(put_in(data, b"\xff\xe1" + length + part), height=16)
    assert small.shape == (16, 8, 3)


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_turned_jpeg_is_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(draw(160, 320), exif=exif)
    small, _ = average_image(data, height=16)
    assert small.shape == ((16, 32, 3) if orientation == 1 else (16, 8, 3))


def test_a_damaged_jpeg_is_told() -> None:
    data = encode(draw(160, 320))
    with pytest.raises(ReelbowError, match="damaged"):
        average_image(data[: len(data) // 2], height=16)
    with pytest.raises(
        ReelbowError, match=r"320x160 pixels, allowed by limits\.pixels"
    ):
        average_image(data, height=16, max_pixels=1000)
