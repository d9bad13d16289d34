"""Color profiles, written by hand, against the colors that a color library finds."""

import io
import zlib
from typing import Any

import numpy as np
import pillow_heif
import pytest
import simplejpeg
from coloraide import Color
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from PIL import Image, ImageCms

from deep_images import deep_png, tiff
from icc_profiles import (
    SRGB_CURVE,
    cmyk_profile,
    gamma,
    gray_profile,
    parametric,
    rgb_profile,
    sampled,
)
from reelbow.errors import ReelbowError
from reelbow.pictures.color_profiles import find_transform
from reelbow.pictures.image_files import decode_image

Picture = NDArray[np.uint8]


def colorants(space: str) -> list[list[float]]:
    """Find the XYZ of a space's red, green and blue under D50."""
    return [
        Color(space, list(rgb)).convert("xyz-d50").coords()
        for rgb in ((1, 0, 0), (0, 1, 0), (0, 0, 1))
    ]


def prophoto_curve(x: float) -> float:
    return x / 16 if x < 1 / 32 else x**1.8


def srgb_curve(x: float) -> float:
    return x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4


PROFILES = {
    "display-p3": rgb_profile(colorants("display-p3"), parametric(SRGB_CURVE)),
    "a98-rgb": rgb_profile(colorants("a98-rgb"), gamma(563 / 256), version=2),
    "prophoto-rgb": rgb_profile(colorants("prophoto-rgb"), sampled(prophoto_curve)),
}
SRGB_PROFILE = rgb_profile(colorants("srgb"), parametric(SRGB_CURVE))

STEPS = (0, 1, 7, 20, 64, 128, 191, 240, 255)
PATCHES = np.stack(np.meshgrid(STEPS, STEPS, STEPS), axis=-1).reshape(27, 27, 3)
PATCHES = PATCHES.astype(np.uint8)


def to_srgb(color: Color) -> NDArray[np.float64]:
    """Bring a color to sRGB; what that lacks is clipped, channel by channel."""
    return 255 * np.clip(color.convert("srgb").coords(), 0, 1)


def expect(space: str, picture: Picture) -> NDArray[np.float64]:
    colors = (picture.reshape(-1, 3) / 255).tolist()
    return np.reshape([to_srgb(Color(space, c)) for c in colors], picture.shape)


def encode(image: Image.Image | Picture, kind: str = "PNG", **how: Any) -> bytes:
    stream = io.BytesIO()
    if not isinstance(image, Image.Image):
        image = Image.fromarray(image)
    image.save(stream, kind, **how)
    return stream.getvalue()


@pytest.mark.parametrize("space", PROFILES)
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_wide_gamuts_come_to_srgb(space: str, kind: str) -> None:
    data = encode(PATCHES, kind, icc_profile=PROFILES[space])
    image = decode_image(data)
    assert image.profile_fault is None
    assert_allclose(image.picture, expect(space, PATCHES), atol=1)
    assert_array_equal(decode_image(data, as_stored=True).picture, PATCHES)


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bits_go_through_a_profile_in_8(kind: str, channels: int) -> None:
    deep = 257 * np.dstack([PATCHES, PATCHES[..., :1]])[..., :channels].astype(
        np.uint16
    )
    for profile in (PROFILES["a98-rgb"], SRGB_PROFILE):
        data = deep_png(deep, (b"iCCP", b"icc\0\0" + zlib.compress(profile)))
        if kind == "TIFF":
            data = tiff(deep, profile=profile)
        image = decode_image(data)
        assert image.profile_fault is None
        same = profile is SRGB_PROFILE
        assert image.picture.dtype == (np.uint16 if same else np.uint8)
        expected = expect("srgb" if same else "a98-rgb", PATCHES)
        if channels == 4:
            share = deep[..., 3:] / 65_535
            expected = expected * share + 255 * (1 - share)
        assert_allclose(image.picture / (257 if same else 1), expected, atol=1.01)


def test_premultiplied_colors_are_made_straight_before_their_profile() -> None:
    color, alpha = np.array([0.9, 0.4, 0.2]), 0.6
    deep = np.empty((4, 4, 4), np.uint16)
    deep[...] = np.rint(65_535 * np.append(color * alpha, alpha))
    data = tiff(deep, extra=1, profile=PROFILES["display-p3"])
    expected = alpha * to_srgb(Color("display-p3", color.tolist())) + 255 * (1 - alpha)
    picture = decode_image(data).picture
    assert_allclose(picture, np.broadcast_to(expected, picture.shape), atol=1.5)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "AVIF", "HEIF", "GIF"])
def test_an_image_without_a_profile_has_no_fault(kind: str) -> None:
    pillow_heif.register_heif_opener()
    assert decode_image(encode(PATCHES, kind)).profile_fault is None


@pytest.mark.parametrize("height", [None, 10])
@pytest.mark.parametrize("orientation", [1, 6])
def test_profiles_of_jpegs_count_at_any_scale(
    orientation: int, height: int | None
) -> None:
    flat = np.full((80, 160, 3), (40, 200, 90), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    how = {"quality": 100, "subsampling": 0, "icc_profile": PROFILES["display-p3"]}
    picture = decode_image(
        encode(flat, "JPEG", exif=exif, **how), height=height
    ).picture
    assert (picture.shape[0] > picture.shape[1]) == (orientation == 6)
    expected = to_srgb(Color("display-p3", [40 / 255, 200 / 255, 90 / 255]))
    # A JPEG's own rounding is a level.
    assert_allclose(picture, np.broadcast_to(expected, picture.shape), atol=2.5)


@pytest.mark.parametrize("kind", ["WEBP", "AVIF", "HEIF"])
def test_other_kinds_have_profiles_too(kind: str) -> None:
    pillow_heif.register_heif_opener()
    flat = np.full((64, 64, 3), (90, 160, 120), np.uint8)
    data = encode(flat, kind, quality=100, icc_profile=PROFILES["a98-rgb"])
    expected = to_srgb(Color("a98-rgb", [90 / 255, 160 / 255, 120 / 255]))
    assert np.abs(decode_image(data).picture.mean((0, 1)) - expected).max() < 3


def test_palettes_and_transparent_pictures_have_profiles_too() -> None:
    profile = PROFILES["display-p3"]
    indexed = Image.fromarray(PATCHES).quantize(32)
    picture = decode_image(encode(indexed, icc_profile=profile)).picture
    expected = expect("display-p3", np.asarray(indexed.convert("RGB")))
    assert_allclose(picture, expected, atol=1)
    # First by the profile, then on white.
    half = np.dstack([PATCHES, np.full((27, 27), 51, np.uint8)])
    picture = decode_image(encode(half, icc_profile=profile)).picture
    expected = 0.2 * expect("display-p3", PATCHES) + 0.8 * 255
    assert_allclose(picture, expected, atol=1)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_gray_has_the_light_that_its_curve_says(kind: str) -> None:
    levels = np.repeat(np.arange(256, dtype=np.uint8), 64).reshape(128, 128)
    how = {"quality": 100} if kind == "JPEG" else {}
    data = encode(levels, kind, icc_profile=gray_profile(gamma(1.0)), **how)
    with Image.open(io.BytesIO(data)) as image:
        light = np.asarray(image) / 255
    gray = np.where(
        light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055
    )
    expected = np.repeat(255 * gray[..., np.newaxis], 3, axis=2)
    assert_allclose(decode_image(data).picture, expected, atol=1)


def test_gray_with_alpha_or_of_16_bits_has_a_curve_too() -> None:
    profile = gray_profile(gamma(1.0))
    # Light of 0.2140 is level 127.5.
    flat = np.full((4, 4), 0.2140 * 255, np.uint8)
    opaque = np.dstack([flat, np.full_like(flat, 255)])
    deep = np.full((4, 4), 0.2140 * 65_535, np.uint16)
    for pixels in (flat, opaque, deep):
        image = decode_image(encode(pixels, icc_profile=profile))
        assert image.profile_fault is None
        assert_allclose(image.picture, 127.5, atol=1.1)


def test_gray_may_have_the_profile_of_colors() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    image = decode_image(encode(levels, icc_profile=PROFILES["a98-rgb"]))
    assert image.profile_fault is None
    expected = expect("a98-rgb", np.repeat(levels[..., np.newaxis], 3, axis=2))
    assert_allclose(image.picture, expected, atol=1)


def find_lab(cyan: float, magenta: float, yellow: float, black: float) -> list[float]:
    """Make up soft inks, whose colors sRGB has."""
    light = 1 - black
    lightness = 100 - 14 * cyan - 12 * magenta - 4 * yellow
    a, b = 14 * magenta - 10 * cyan, 16 * yellow - 12 * cyan
    return [light * lightness, light * a, light * b]


INKS = np.array(
    [[[255 * (i >> bit & 1) for bit in (3, 2, 1, 0)] for i in range(16)]], np.uint8
)


def expect_inks() -> NDArray[np.float64]:
    labs = [find_lab(*ink) for ink in (INKS[0] / 255).tolist()]
    # D50's, as profiles have it
    colors = [Color("lab", lab) for lab in labs]
    return np.array([[to_srgb(color) for color in colors]])


def test_inks_of_a_tiff_come_by_their_profile() -> None:
    image = Image.frombytes("CMYK", (16, 1), INKS.tobytes())
    found = decode_image(encode(image, "TIFF", icc_profile=cmyk_profile(find_lab)))
    assert found.profile_fault is None
    assert_allclose(found.picture, expect_inks(), atol=1)


def test_lab_tiffs_have_their_colors() -> None:
    labs = [(50, 0, 0), (80, 20, -10), (30, -10, 20), (100, 0, 0)]
    stored = np.array([[(round(2.55 * v), a % 256, b % 256) for v, a, b in labs]])
    image = Image.frombytes("LAB", (4, 1), stored.astype(np.uint8).tobytes())
    for profile in (None, PROFILES["a98-rgb"]):
        found = decode_image(encode(image, "TIFF", icc_profile=profile))
        assert (found.profile_fault is None) == (profile is None)
        expected = [to_srgb(Color("lab", list(lab))) for lab in labs]
        assert_allclose(found.picture[0], expected, atol=1.5)


def encode_inks(inks: NDArray[np.uint8], coding: str) -> bytes:
    """Write a JPEG as Adobe's programs do: what is stored is 255 less the ink."""
    if coding == "YCCK":
        data = simplejpeg.encode_jpeg(255 - inks, 100, "CMYK", "444")
        assert isinstance(data, bytes)
        return data
    image = Image.frombytes("CMYK", inks.shape[1::-1], inks.tobytes())
    return encode(image, "JPEG", quality=100)


@pytest.mark.parametrize("coding", ["CMYK", "YCCK"])
@pytest.mark.parametrize("height", [None, 8])
def test_inks_of_a_jpeg_come_the_right_way_up(coding: str, height: int | None) -> None:
    inks = np.ascontiguousarray(INKS.repeat(16, axis=0).repeat(16, axis=1))
    data = encode_inks(inks, coding)
    with Image.open(io.BytesIO(data)) as image:
        assert image.info["adobe_transform"] == {"CMYK": 0, "YCCK": 2}[coding]
    cyan, magenta, yellow, black = np.moveaxis(INKS / 255, -1, 0)
    plain = np.stack([(1 - ink) * (1 - black) for ink in (cyan, magenta, yellow)], -1)
    profile = b"ICC_PROFILE\0\1\1" + cmyk_profile(find_lab)
    marker = b"\xff\xe2" + (len(profile) + 2).to_bytes(2, "big") + profile
    for file, expected in (
        (data, 255 * plain),
        (data[:2] + marker + data[2:], expect_inks()),
    ):
        image = decode_image(file, height=height)
        assert image.profile_fault is None
        middles = image.picture[8 * len(image.picture) // 16, 8::16]
        assert_allclose(middles, expected[0], atol=3)


@pytest.mark.parametrize(
    "profile",
    [
        SRGB_PROFILE,
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        rgb_profile(colorants("srgb"), sampled(srgb_curve), version=2),
    ],
)
def test_the_profile_of_srgb_changes_nothing(profile: bytes) -> None:
    assert find_transform(profile, "RGB") is None
    assert find_transform(profile, "L") is None
    assert_array_equal(
        decode_image(encode(PATCHES, icc_profile=profile)).picture, PATCHES
    )


def test_a_gray_profile_with_the_curve_of_srgb_changes_nothing() -> None:
    assert find_transform(gray_profile(parametric(SRGB_CURVE)), "L") is None


@pytest.mark.parametrize("space", PROFILES)
def test_profiles_near_to_srgb_are_not_taken_for_it(space: str) -> None:
    assert find_transform(PROFILES[space], "RGB") is not None
    power = rgb_profile(colorants("srgb"), gamma(2.2))
    assert find_transform(power, "RGB") is not None


@pytest.mark.parametrize(
    ("profile", "fault"),
    [
        (b"garbage" * 50, "it is broken"),
        (PROFILES["display-p3"][:100], "it is broken"),
        (PROFILES["display-p3"][:250], "it is broken"),
        (PROFILES["a98-rgb"][:-30], "it is broken"),
        (gray_profile(gamma(2.2)), "it is for GRAY, the picture is RGB"),
        (cmyk_profile(find_lab), "it is for CMYK, the picture is RGB"),
        (
            PROFILES["a98-rgb"].replace(b"RGB ", b"Lab "),
            "it is for Lab, the picture is",
        ),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_a_profile_that_cannot_be_is_passed_over_and_told(
    profile: bytes, fault: str, kind: str
) -> None:
    image = decode_image(encode(PATCHES, kind, icc_profile=profile))
    assert image.profile_fault is not None
    assert image.profile_fault.startswith(fault)
    assert_array_equal(image.picture, decode_image(encode(PATCHES, kind)).picture)


def test_a_profile_that_the_file_breaks_is_told() -> None:
    data = encode(PATCHES, "JPEG", icc_profile=PROFILES["display-p3"])
    # The first of two parts, of which there is no other.
    lost = data.replace(b"ICC_PROFILE\0\1\1", b"ICC_PROFILE\0\1\2")
    image = decode_image(lost)
    assert image.profile_fault == "it is broken"
    assert_array_equal(image.picture, decode_image(encode(PATCHES, "JPEG")).picture)
    # It hides no damage of the picture.
    with pytest.raises(ReelbowError, match="damaged"):
        decode_image(lost[:-200] + b"\xff\xd9")


@settings(max_examples=100, deadline=None)
@given(
    space=st.sampled_from(list(PROFILES)),
    edits=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1
    ),
    keep=st.floats(0, 1),
)
def test_damage_of_a_profile_never_costs_the_picture(
    space: str, edits: list[tuple[float, int]], keep: float
) -> None:
    profile = bytearray(PROFILES[space])
    for where, value in edits:
        profile[int(where * len(profile))] = value
    kept = bytes(profile[: 1 + int(len(profile) * keep)])
    image = decode_image(encode(PATCHES, icc_profile=kept))
    assert image.picture.shape == PATCHES.shape
