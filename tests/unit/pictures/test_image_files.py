"""Crop, area average and image files, against arrays done by hand."""

import contextlib
import functools
import io
import struct
import zlib
from typing import Any

import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from PIL import Image, ImageOps, TiffImagePlugin

from deep_images import deep_png, tiff
from memory import LINUX_ONLY, little_memory
from reelbow.errors import ReelbowError
from reelbow.pictures import image_files as pictures
from reelbow.pictures.averages import shape_and_average
from reelbow.pictures.geometry import Crop, shape_picture
from reelbow.pictures.image_files import decode_image, find_size

Picture = NDArray[np.uint8]


def gray(rows: list[list[int]]) -> Picture:
    return np.repeat(np.array(rows, np.uint8)[..., np.newaxis], 3, axis=2)


@functools.cache
def photo(height: int = 240, width: int = 320) -> Picture:
    """Draw something like a photograph: large shapes, soft light, fine texture."""
    y, x = np.mgrid[:height, :width] / height
    rng = np.random.default_rng(7)
    texture = rng.normal(0, 8, (height, width, 3))
    layers = [
        128 + 100 * np.sin(5 * x + 3 * y),
        128 + 100 * np.cos(4 * y * x + 1),
        np.where((x - 0.6) ** 2 + (y - 0.5) ** 2 < 0.1, 220, 60) + 20 * y,
    ]
    picture = (np.stack(layers, axis=-1) + texture).clip(0, 255).astype(np.uint8)
    picture.flags.writeable = False
    return picture


def encode(picture: Picture, kind: str = "PNG", **how: Any) -> bytes:
    return encode_image(Image.fromarray(picture), kind, **how)


def encode_image(image: Image.Image, kind: str, **how: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **how)
    return stream.getvalue()


@functools.cache
def deep_photo(channels: int = 3) -> NDArray[np.uint16]:
    """Make a photograph of 16 bits, whose low bits are noise; the last may be alpha."""
    rng = np.random.default_rng(3)
    levels = np.dstack([photo(48, 64), photo(48, 64)[..., :1]])[..., :channels]
    return np.asarray(
        256 * levels.astype(int) + rng.integers(0, 256, levels.shape), np.uint16
    )


def load_image(data: bytes, *, height: int | None = None, **how: Any) -> Picture:
    """Decode an image file and bring it to its shape, as a shard's job does."""
    image = decode_image(data, height=height, **how)
    return shape_picture(image.picture, full=image.full, crop=image.crop, height=height)


# --- shape ----------------------------------------------------------------------------


def test_each_result_pixel_is_the_average_of_its_area() -> None:
    picture = gray([[0, 10, 20, 30], [40, 50, 60, 70], [1, 1, 9, 9], [3, 3, 3, 3]])
    small = shape_picture(picture, height=2)
    assert_array_equal(small[..., 0], [[25, 45], [2, 6]])


def test_areas_that_cut_through_pixels_weigh_them_by_their_part() -> None:
    # 3 rows into 2: one and a half each
    picture = gray([[0] * 3, [90] * 3, [240] * 3])
    assert_array_equal(shape_picture(picture, height=2)[:, 0, 0], [30, 190])


def test_the_width_follows_the_height_and_is_at_least_1() -> None:
    assert shape_picture(photo(90, 160), height=45).shape == (45, 80, 3)
    assert shape_picture(photo(90, 3), height=10).shape == (10, 1, 3)


def test_a_picture_is_never_made_larger() -> None:
    picture = photo(20, 30)
    assert_array_equal(shape_picture(picture, height=99), picture)
    assert_array_equal(shape_picture(picture), picture)
    assert shape_picture(picture, crop=Crop(10, 5, 0, 0), height=9).shape == (5, 10, 3)


def test_a_crop_keeps_exactly_its_pixels() -> None:
    picture = photo(20, 30)
    kept = shape_picture(picture, crop=Crop(width=10, height=6, x=3, y=2))
    assert_array_equal(kept, picture[2:8, 3:13])
    assert kept.flags.c_contiguous


def test_a_crop_of_the_full_size_is_scaled_to_a_reduced_picture() -> None:
    picture = photo(20, 30)
    kept = shape_picture(picture, full=(40, 60), crop=Crop(20, 12, 6, 4), height=6)
    assert_array_equal(kept, picture[2:8, 3:13])


def test_pixels_that_are_not_square_become_square() -> None:
    # seen twice as wide as stored
    picture = gray([[0, 100], [0, 100]])
    seen = shape_picture(picture, full=(2, 4))
    assert seen.shape == (2, 4, 3)
    assert seen.mean() == 50
    assert_array_equal(shape_picture(picture, full=(2, 1))[..., 0], [[50], [50]])


def test_where_one_side_grows_the_other_is_still_averaged_over_its_area() -> None:
    picture = np.zeros((9, 8, 3), np.uint8)
    picture[4] = 180
    small = shape_picture(picture, full=(9, 32), height=3)
    assert small.shape == (3, 11, 3)
    assert_array_equal(small[:, 0, 0], [0, 60, 0])
    turned = shape_picture(picture.transpose(1, 0, 2), full=(24, 9), height=12)
    assert turned.shape == (12, 4, 3)
    assert abs(turned.mean() - 20) < 1


@settings(max_examples=30)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40))
def test_the_average_of_a_picture_stays(rows: int, columns: int, height: int) -> None:
    picture = photo(rows, columns)
    small = shape_picture(picture, height=height)
    assert small.shape[0] == min(rows, height)
    # width is rounded, so pixels are cut unevenly; still every one counts the same
    assert np.abs(small.mean((0, 1)) - picture.mean((0, 1))).max() <= 1


def test_strips_and_means_are_plain_averages() -> None:
    how: dict[str, Any] = {"full": (2, 2), "crop": None}
    pixels = gray([[0, 10], [20, 40]])
    _, averages = shape_and_average(pixels, **how, height=2, space="srgb")
    mean, strip, luma = averages
    assert_array_equal(strip[..., 0], [5, 30])
    assert_array_equal(mean, [17.5] * 3)
    assert luma == pytest.approx(17.5)
    white = gray([[255] * 2] * 2)
    _, averages = shape_and_average(white, **how, height=1, space="srgb")
    mean, strip, luma = averages
    assert_array_equal(strip, [[255] * 3])
    assert_array_equal(mean, [255] * 3)
    assert luma == pytest.approx(255)


def test_a_very_tall_picture_is_averaged_as_any_other() -> None:
    tall = np.full((140_000, 1, 3), 200, np.uint8)
    tall[70_000:] = 100
    how: dict[str, Any] = {"full": tall.shape[:2], "crop": None}
    small, averages = shape_and_average(tall, **how, height=2, space="srgb")
    assert_array_equal(small[:, 0, 0], [200, 100])
    assert_array_equal(averages.mean, 150)
    small, averages = shape_and_average(tall, **how, height=None, space="srgb")
    assert_array_equal(small, tall)
    assert_array_equal(averages.mean, 150)


def test_a_crop_is_written_as_ffmpeg_writes_it() -> None:
    crop = Crop(width=640, height=268, x=0, y=46)
    assert str(crop) == "640:268:0:46"
    assert Crop.parse("640:268:0:46") == crop
    for wrong in ("640:268:0", "640:268:0:-1", "a:b:c:d", "640:268:0:46\n", ""):
        with pytest.raises(ReelbowError, match="w:h:x:y"):
            Crop.parse(wrong)


# --- image files ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_lossless_images_come_as_they_are(kind: str) -> None:
    assert_array_equal(load_image(encode(photo(), kind)), photo())


def test_a_webp_is_read() -> None:
    data = encode(photo(), "WEBP", lossless=True)
    assert_array_equal(load_image(data), photo())


@pytest.mark.parametrize("subsampling", [0, 2])
@pytest.mark.parametrize("height", [13, 30, 60, 90, 119, 120, 200])
@pytest.mark.parametrize("crop", [None, Crop(640, 268, 0, 106)])
def test_a_jpeg_at_a_reduced_scale_is_the_area_average_of_the_whole(
    height: int, subsampling: int, crop: Crop | None
) -> None:
    data = encode(photo(480, 640), "JPEG", quality=90, subsampling=subsampling)
    with Image.open(io.BytesIO(data)) as image:
        whole = np.asarray(image.convert("RGB"))
    expected = shape_picture(whole, crop=crop, height=height)
    small = load_image(data, height=height, crop=crop, crop_of=(480, 640))
    assert small.shape == expected.shape
    assert np.abs(small.astype(int) - expected).mean() < 1.5
    assert np.abs(small.mean((0, 1)) - expected.mean((0, 1))).max() < 1


def test_a_reduced_scale_is_used() -> None:
    data = encode(photo(480, 640), "JPEG")

    def size(**how: Any) -> tuple[int, ...]:
        return decode_image(data, **how).picture.shape[:2]

    sizes = [size(height=height) for height in (60, 61, 240, None)]
    # libjpeg scales by eighths.
    assert sizes == [(120, 160), (180, 240), (480, 640), (480, 640)]
    # twice the rows of what the crop leaves, not of the whole
    crop = Crop(640, 268, 0, 106)
    assert size(height=60, crop=crop, crop_of=(480, 640)) == (240, 320)


def test_a_crop_is_for_images_of_its_own_size_only() -> None:
    crop = Crop(20, 10, 5, 5)
    data = encode(photo(40, 60))
    assert load_image(data, crop=crop, crop_of=(40, 60)).shape == (10, 20, 3)
    assert load_image(data, crop=crop, crop_of=(80, 60)).shape == (40, 60, 3)


@pytest.mark.parametrize("height", [None, 10])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_come_upright(orientation: int, kind: str, height: int | None) -> None:
    # red, green over blue, white; as EXIF says how it is stored
    upright = np.zeros((40, 80, 3), np.uint8)
    upright[:20, :40], upright[:20, 40:] = (250, 0, 0), (0, 250, 0)
    upright[20:, :40], upright[20:, 40:] = (0, 0, 250), (250, 250, 250)
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    how: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    data = encode(np.ascontiguousarray(stored), kind, exif=exif, **how)
    loaded = load_image(data, height=height)
    rows, columns = (40, 80) if height is None else (10, 20)
    assert loaded.shape == (rows, columns, 3)
    for y in (0, 1):
        for x in (0, 1):
            half = (slice(y * rows // 2, (y + 1) * rows // 2), slice(
                x * columns // 2, (x + 1) * columns // 2))  # fmt: skip
            middle = upright[10 + 20 * y, 20 + 40 * x].astype(float)
            assert np.abs(loaded[half].mean((0, 1)) - middle).max() < 12
    own = decode_image(data, as_stored=True).picture
    assert find_size(data, as_stored=True) == own.shape[:2] == stored.shape[:2]
    assert find_size(data) == upright.shape[:2]
    assert np.median(np.abs(own.astype(int) - stored)) < 3


def test_orientation_by_xmp_counts_as_well() -> None:
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/'
        b'1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:tiff="http://ns.adobe.com/'
        b'tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
    )
    data = encode(photo(40, 80), "JPEG", xmp=xmp)
    assert load_image(data, height=16).shape == (16, 8, 3)


def test_gray_becomes_three_equal_channels() -> None:
    flat = photo()[..., 0]
    loaded = load_image(encode(flat))
    assert_array_equal(loaded, np.repeat(flat[..., np.newaxis], 3, axis=2))
    assert load_image(encode(flat, "JPEG"), height=30).shape == (30, 40, 3)


def test_16_bits_of_gray_stay() -> None:
    deep = np.array([[0, 128, 129], [32768, 65280, 65535]], np.uint16)
    for data in (encode(deep), encode(deep, "TIFF"), deep_png(deep), tiff(deep)):
        picture = decode_image(data).picture
        assert_array_equal(picture, np.repeat(deep[..., np.newaxis], 3, axis=2))
        # 65535 is 255.
        assert_array_equal(load_image(data)[..., 1], [[0, 0, 1], [128, 254, 255]])


@pytest.mark.parametrize("part", [0.05, 0.5, 0.9])
def test_a_truncated_image_of_16_bits_is_refused(part: float) -> None:
    for data in (deep_png(deep_photo()), tiff(deep_photo())):
        with pytest.raises(ReelbowError, match=r"not an image|does not decode"):
            decode_image(data[: int(len(data) * part)])


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 1, exclude_max=True), st.integers(0, 255))
def test_damage_of_an_image_of_16_bits_is_an_error_or_a_picture(
    where: float, value: int
) -> None:
    gray = deep_photo(4)[..., 0]
    for file in (deep_png(deep_photo(4)), tiff(deep_photo(4)), tiff(gray)):
        data = bytearray(file)
        data[int(where * len(data))] = value
        with contextlib.suppress(ReelbowError):
            assert load_image(bytes(data), height=8).shape[2] == 3


@LINUX_ONLY
def test_too_little_memory_for_16_bits_is_told_as_such() -> None:
    deep = np.tile(deep_photo(), (40, 40, 1))
    for data in (deep_png(deep), tiff(deep)):
        expected = decode_image(data).picture
        for megabytes in (1, 10, 20, 30, 40, 60, 80):
            with contextlib.suppress(MemoryError), little_memory(megabytes << 20):
                assert_array_equal(decode_image(data).picture, expected)


def test_gray_of_a_tiff_may_be_of_12_bits_or_have_0_as_white() -> None:
    deep = np.array([[0, 1000], [32768, 65535]], np.uint16)
    picture = decode_image(tiff(deep, photometric=0)).picture
    assert_array_equal(picture[..., 0], 65_535 - deep)
    # Two values in three bytes: 0xFFF and 0x800.
    data = tiff(np.array([[0xFF, 0xF8, 0x00]], np.uint8), bits=12)
    data = data.replace(
        struct.pack("<HHLL", 256, 4, 1, 3), struct.pack("<HHLL", 256, 4, 1, 2)
    )
    assert_array_equal(decode_image(data).picture[..., 0], [[0xFFFF, 0x8008]])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bits_of_color_stay_and_come_upright(kind: str, orientation: int) -> None:
    deep = deep_photo()
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = tiff(deep, orientation=orientation)
    if kind == "PNG":
        data = deep_png(deep, (b"eXIf", exif.tobytes()[6:]))
    image = decode_image(data)
    assert image.picture.dtype == np.uint16
    assert image.full == image.picture.shape[:2]
    turned = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    assert_array_equal(image.picture >> 8, np.asarray(turned))
    assert_array_equal(decode_image(data, as_stored=True).picture, deep)


@pytest.mark.parametrize("space", ["srgb", "linear"])
@pytest.mark.parametrize("height", [None, 12, 7])
def test_16_bits_are_averaged_before_they_are_rounded(
    height: int | None, space: str
) -> None:
    # All are rounded to 100, and the mean is 100.4.
    deep = np.full((24, 32, 3), round(100.4 * 257), np.uint16)
    small, averages = shape_and_average(
        decode_image(deep_png(deep)).picture,
        full=(24, 32),
        crop=None,
        height=height,
        space=space,
    )
    assert small.dtype == np.uint8
    assert (small == 100).all()
    assert averages.mean == pytest.approx([round(100.4 * 257) / 257] * 3)
    assert averages.strip == pytest.approx(averages.strip * 0 + averages.mean)
    assert averages.luma == pytest.approx(averages.mean[0])


def test_transparent_pictures_are_composed_on_white() -> None:
    alpha = np.linspace(0, 255, 320).astype(np.uint8)[np.newaxis].repeat(240, axis=0)
    share = alpha[..., np.newaxis] / 255
    expected = photo() * share + 255 * (1 - share)
    rgba = np.dstack([photo(), alpha])
    for kind, how in (
        ("PNG", {}),
        ("TIFF", {}),
        ("WEBP", {"lossless": True, "exact": True}),
    ):
        assert_allclose(load_image(encode(rgba, kind, **how)), expected, atol=0.51)
    gray = np.ascontiguousarray(rgba[..., [0, 3]])
    assert_allclose(load_image(encode(gray))[..., 0], expected[..., 0], atol=0.51)


def test_opaque_pictures_stay_as_they_are() -> None:
    rgba = np.dstack([photo(), np.full((240, 320), 255, np.uint8)])
    assert_array_equal(load_image(encode(rgba)), photo())


@pytest.mark.parametrize("premultiplied", [False, True])
def test_alpha_of_16_bits_keeps_them(premultiplied: bool) -> None:
    rgba = deep_photo(4)
    colors, share = rgba[..., :3].astype(float), rgba[..., 3:] / 65_535
    if premultiplied:
        colors *= share
    files = [
        tiff(np.dstack([np.rint(colors).astype(np.uint16), rgba[..., 3]]), extra=1)
    ]
    if not premultiplied:
        files = [tiff(rgba), deep_png(rgba)]
        colors *= share
    for data in files:
        picture = decode_image(data).picture
        assert picture.dtype == np.uint16
        assert_allclose(picture, colors + 65_535 * (1 - share), atol=1.01)


def test_gray_of_16_bits_may_be_transparent() -> None:
    deep = deep_photo(2)
    picture = decode_image(deep_png(deep)).picture
    share = deep[..., 1] / 65_535
    expected = deep[..., 0] * share + 65_535 * (1 - share)
    assert_allclose(picture[..., 1], expected, atol=1.01)
    # One value alone is transparent.
    gray = deep[..., 0]
    data = deep_png(gray, (b"tRNS", struct.pack(">H", gray[3, 4])))
    expected = np.where(gray == gray[3, 4], 65_535, gray)
    assert_array_equal(decode_image(data).picture[..., 1], expected)


def test_one_color_of_16_bits_may_be_transparent() -> None:
    deep = deep_photo()
    data = deep_png(deep, (b"tRNS", struct.pack(">3H", *deep[3, 4].tolist())))
    expected = deep.copy()
    expected[(deep == deep[3, 4]).all(axis=2)] = 65_535
    assert_array_equal(decode_image(data).picture, expected)


def test_a_fourth_channel_that_is_no_alpha_is_left_out() -> None:
    rgba = deep_photo(4)
    assert_array_equal(decode_image(tiff(rgba, extra=0)).picture, rgba[..., :3])


def test_palette_images_are_read_with_and_without_transparency() -> None:
    indexed = Image.fromarray(photo(24, 32)).quantize(16)
    expected = np.asarray(indexed.convert("RGB")).astype(float)
    indices = np.asarray(indexed)[..., np.newaxis]
    for how, alphas in (
        ({}, {}),
        ({"transparency": b"\x00\x80\xff"}, {0: 0, 1: 128}),
        ({"transparency": 3}, {3: 0}),
    ):
        composed = expected
        for index, alpha in alphas.items():
            part = expected * alpha / 255 + 255 - alpha
            composed = np.where(indices == index, part, composed)
        data = encode_image(indexed, "PNG", **how)
        assert_allclose(load_image(data), composed, atol=0.51)
    assert_allclose(load_image(encode_image(indexed, "GIF", transparency=3)), composed)


def test_black_and_white_images_are_read() -> None:
    bits = photo(8, 8)[..., 0] > 128
    loaded = load_image(encode(bits))
    assert_array_equal(loaded[..., 2], np.where(bits, 255, 0))


def test_cmyk_jpegs_have_the_colors_of_their_inks() -> None:
    stream = io.BytesIO()
    inks = Image.new("CMYK", (64, 64), (0, 255, 255, 0))
    inks.save(stream, "JPEG", quality=95)
    for height in (None, 8):
        loaded = load_image(stream.getvalue(), height=height)
        assert np.abs(loaded.mean((0, 1)) - [255, 0, 0]).max() < 4


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("height", [None, 30, 60])
def test_jpegs_have_the_pixels_that_pillow_gives(
    subsampling: int, progressive: bool, height: int | None
) -> None:
    how = {"subsampling": subsampling, "progressive": progressive, "quality": 85}
    data = encode(photo(), "JPEG", **how)
    image = Image.open(io.BytesIO(data))
    if height is not None:
        image.draft("RGB", (2 * height, 2 * height))
    assert_array_equal(decode_image(data, height=height).picture, np.asarray(image))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "PPM"])
@pytest.mark.parametrize("part", [0.05, 0.5, 0.9])
def test_a_truncated_image_is_refused_not_filled_with_gray(
    kind: str, part: float
) -> None:
    data = encode(photo(), kind)
    with pytest.raises(ReelbowError) as caught:
        load_image(data[: int(len(data) * part)], height=30)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", bytes(5000)]
)
def test_what_is_no_image_is_refused(data: bytes) -> None:
    with pytest.raises(ReelbowError, match=r"not an image|does not decode"):
        load_image(data)


def test_formats_not_meant_are_not_tried() -> None:
    for kind in ("EPS", "PCX", "ICO"):
        with pytest.raises(ReelbowError, match="of a kind that is not read"):
            load_image(encode(photo(8, 8), kind))


def test_a_huge_declared_size_is_refused_before_it_is_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(pictures, "_to_rgb", refuse)
    data = bytearray(encode(photo(8, 8)))
    data[16:24] = struct.pack(">II", 100_000, 100_000)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    with pytest.raises(
        ReelbowError,
        match=r"100000x100000 pixels, allowed by limits\.pixels are 200000000",
    ):
        load_image(bytes(data))


@LINUX_ONLY
@pytest.mark.parametrize(
    ("kind", "how"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {"compress_level": 1}),
        ("WEBP", {"method": 0}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("BMP", {}),
    ],
)
def test_too_little_memory_is_never_told_as_a_fault_of_the_image(
    kind: str, how: dict[str, Any]
) -> None:
    data = encode(np.tile(photo(), (8, 8, 1)), kind, **how)
    expected = decode_image(data, height=1900).picture
    for megabytes in (1, 10, 20, 30, 40, 60, 80):
        with contextlib.suppress(MemoryError), little_memory(megabytes << 20):
            assert_array_equal(decode_image(data, height=1900).picture, expected)


@LINUX_ONLY
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "PPM"])
def test_a_damaged_image_is_one_though_memory_is_scarce(kind: str) -> None:
    data = encode(photo(), kind)
    with little_memory(30 << 20), pytest.raises(ReelbowError):
        decode_image(data[: len(data) // 2])


@pytest.mark.parametrize(
    ("mode", "how"), [("RGB", {}), ("RGB", {"lossless": True}), ("RGBA", {})]
)
def test_pixels_of_a_webp_are_counted_by_its_header(
    mode: str, how: dict[str, Any]
) -> None:
    stream = io.BytesIO()
    Image.new(mode, (301, 77)).save(stream, "WEBP", **how)
    assert pictures._count_webp_pixels(stream.getvalue()) == 301 * 77


def test_broken_metadata_does_not_cost_the_picture() -> None:
    exif = b"Exif\0\0MM\0*\0\0\0\x08\x00\x09garbage"
    data = encode(photo(), "JPEG", exif=exif)
    assert load_image(data, height=60).shape == (60, 80, 3)


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(["JPEG", "PNG", "WEBP", "BMP", "PPM"]),
    edits=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=4
    ),
    keep=st.floats(0, 1),
)
def test_damage_is_an_error_or_a_picture_never_anything_else(
    kind: str, edits: list[tuple[float, int]], keep: float
) -> None:
    data = bytearray(encode(photo(24, 32), kind))
    for where, value in edits:
        data[int(where * len(data))] = value
    try:
        loaded = load_image(bytes(data[: int(len(data) * keep)]), height=8)
    except ReelbowError:
        return
    assert loaded.ndim == 3
    assert loaded.shape[2] == 3


def test_an_encoded_jpeg_has_the_colors_that_went_in() -> None:
    picture = np.full((16, 16, 3), (200, 100, 50), np.uint8)
    loaded = load_image(pictures.encode_jpeg(picture, quality=95))
    assert np.abs(loaded.astype(int) - (200, 100, 50)).max() <= 2
    low, high = (len(pictures.encode_jpeg(photo(), quality=q)) for q in (20, 95))
    assert low < high


@pytest.mark.parametrize(
    ("kind", "how", "off"),
    [
        ("GIF", {}, 8),
        ("AVIF", {"quality": 95}, 8),
        ("JPEG2000", {}, 0),
        ("HEIF", {"quality": 95}, 8),
        ("TGA", {}, 0),
        ("MPO", {"save_all": True, "append_images": [Image.new("RGB", (9, 9))]}, 8),
    ],
)
def test_rarer_kinds_are_read_and_damaged_ones_refused(
    kind: str, how: dict[str, Any], off: float
) -> None:
    pillow_heif.register_heif_opener()
    smooth = shape_picture(np.ascontiguousarray(photo()), height=60)
    data = encode(smooth, kind, **how)
    loaded = load_image(data)
    assert loaded.shape == smooth.shape
    assert np.abs(loaded.mean((0, 1)) - smooth.mean((0, 1))).max() <= off / 4
    assert np.abs(loaded.astype(float) - smooth).mean() <= off
    for part in (0.05, 0.5):
        with pytest.raises(ReelbowError):
            load_image(data[: int(len(data) * part)])


def test_a_heic_of_a_phone_is_upright() -> None:
    pillow_heif.register_heif_opener()
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encode(photo(), "HEIF", exif=exif.tobytes(), quality=95)
    loaded = load_image(data)
    assert np.abs(loaded.astype(float) - np.rot90(photo(), -1)).mean() < 8
    assert pictures.find_size(data) == (320, 240)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF", "TIFF", "HEIF"])
def test_several_pictures_in_one_file_are_refused(kind: str) -> None:
    pillow_heif.register_heif_opener()
    other = Image.fromarray(255 - photo(48, 64))
    data = encode(photo(48, 64), kind, save_all=True, append_images=[other])
    with pytest.raises(ReelbowError, match="several pictures in one file"):
        load_image(data)
    load_image(encode(photo(48, 64), kind, save_all=True))


def test_a_smaller_copy_behind_the_picture_of_a_tiff_is_passed_over() -> None:
    stream = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(stream, True) as writer:
        Image.fromarray(photo()).save(writer, "TIFF")
        writer.newFrame()
        small = Image.fromarray(photo()).resize((32, 24))
        small.save(writer, "TIFF", tiffinfo={254: 1})
    assert_array_equal(load_image(stream.getvalue()), photo())


@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.uint32, np.int16])
def test_pixels_whose_white_is_unknown_are_refused(dtype: type) -> None:
    values = np.linspace(0, 1, 48).reshape(6, 8)
    scale = 1 if dtype is np.float32 else np.iinfo(dtype).max
    image = tiff(np.asarray(values * scale, dtype))
    with pytest.raises(ReelbowError, match="of which nobody knows what is white"):
        load_image(image)


def test_16_bit_gray_of_a_pgm_is_scaled() -> None:
    deep = np.array([[0, 255, 256], [32768, 65280, 65535]], ">u2")
    data = b"P5 3 2 65535\n" + deep.tobytes()
    assert_array_equal(load_image(data)[..., 1], [[0, 1, 1], [128, 254, 255]])


def test_cmyk_of_which_nobody_knows_what_0_means_is_refused() -> None:
    stream = io.BytesIO()
    Image.fromarray(photo()).convert("CMYK").save(stream, "JPEG", quality=95)
    data = stream.getvalue()
    assert np.abs(load_image(data).astype(float) - photo()).mean() < 8
    at = data.index(b"\xff\xee")
    size = int.from_bytes(data[at + 2 : at + 4], "big")
    with pytest.raises(ReelbowError, match="CMYK JPEG without Adobe's marker"):
        load_image(data[:at] + data[at + 2 + size :])


def test_a_picture_that_opencv_coded_by_half_is_none(monkeypatch):
    half = np.zeros(9, np.uint8)
    monkeypatch.setattr(pictures.cv2, "imencode", lambda *_: (False, half))
    with pytest.raises(MemoryError):
        pictures.encode_jpeg(np.zeros((8, 8, 3), np.uint8), quality=90)
