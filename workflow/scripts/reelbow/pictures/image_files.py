"""Image files: opened, refused or decoded to sRGB, and written as JPEG."""

import contextlib
import importlib.util
import io
import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from reelbow.errors import ReelbowError
from reelbow.pictures.color_profiles import ColorTransform, find_transform
from reelbow.pictures.geometry import (
    MAX_PIXELS,
    Crop,
    Levels,
    check_room,
    round_to_bytes,
)
from reelbow.pictures.jpeg_damage import (
    BROKEN_PROFILE,
    cut_out_profile,
    find_damage,
    find_silent_damage,
)

# Only these decoders of Pillow and of pillow-heif ever see foreign bytes.
IMAGE_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "PPM", "GIF", "AVIF", "JPEG2000")

# Pillow's names of a JPEG; of one with others behind it the first is read.
JPEG_FORMATS = ("JPEG", "MPO")

# And these, where the file says that it is one: HEIF's decoder is loaded only then, and
# Pillow takes anything for a TGA.
BOX_MARK, TGA_MARK = b"ftyp", b"TRUEVISION-XFILE.\0"
JXL_MARKS = b"\xff\n", b"\0\0\0\fJXL "
AVIF_BRANDS = (b"avif", b"avis")

# TIFF's NewSubfileType: another page is the same picture made smaller, or its mask.
NEW_SUBFILE_TYPE, SAME_PICTURE = 254, 0b101
MOST_PAGES = 32

# While it is decoded, at most: WebP, whose canvas is of four channels and there twice.
MOST_BYTES_PER_PIXEL = 24

# `max_pixels` stands for it.
Image.MAX_IMAGE_PIXELS = None

# EXIF orientations whose rows are the viewer's columns, and those whose columns or rows
# then stand in reverse.
TURNED = frozenset({5, 6, 7, 8})
REVERSED_COLUMNS, REVERSED_ROWS = frozenset({2, 3, 6, 7}), frozenset({3, 4, 7, 8})

# The orientation that turns back what another one has turned.
_BACK = {each: each for each in range(1, 9)} | {6: 8, 8: 6}

# TIFF's tags, and what they say: white is 0; alpha is already in the colors.
BITS_PER_SAMPLE, PHOTOMETRIC, EXTRA_SAMPLES = 258, 262, 338
WHITE_IS_ZERO, PREMULTIPLIED = 0, (1,)

# Pillow says what is wrong with an image, in one sentence.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


class DecodedImage(NamedTuple):
    """An image file's pixels, and what is to be kept of them.

    Attributes
    ----------
    picture : (h, w, 3) uint8 sRGB, or uint16 of the same range where the file has 16
        bits; upright by its EXIF orientation, on white where it is transparent
    full : (height, width) of the whole image; `picture` may be reduced
    crop : in pixels of `full`; None: all
    profile_fault : why its color profile was passed over, as if it had none; None: it
        was not, or there is none
    """

    picture: Levels
    full: tuple[int, int]
    crop: Crop | None
    profile_fault: str | None = None


def decode_image(
    data: bytes,
    *,
    height: int | None = None,
    crop: Crop | None = None,
    crop_of: tuple[int, int] | None = None,
    max_pixels: int = MAX_PIXELS,
    as_stored: bool = False,
    room: NDArray[np.uint8] | None = None,
) -> DecodedImage:
    """Decode an image file, a JPEG at a reduced scale where `height` allows it.

    The reduced picture has at least twice the wanted rows, so that it makes nearly the
    same thumbnail. For exact averages leave `height` out: libjpeg's reduced scales are
    off by up to 2.5 levels in the mean and 10 in a row of the strip.

    Parameters
    ----------
    height : rows that will be wanted of it; None: all
    crop : what to keep of an image of the size `crop_of` (height, width); one of
        another size is another picture, of whose bars nothing is known
    max_pixels : what is larger is refused before it is decoded
    as_stored : whether a pixel is to be where the sensor has it, and to have the
        levels that the file has: not turned, and not brought to sRGB
    room : (h, w, 3), for a JPEG of that size as it is stored: to write to memory that
        was used before takes less time

    Raises
    ------
    ReelbowError
        If it cannot be decoded whole; it says why, the caller knows where.
    """
    with _open_image(data, max_pixels) as (image, full):
        orientation = _find_orientation(image)
        if as_stored:
            picture = _decode(data, image, 0, 1, None, room)
            # Decoders of TIFFs turn them at once, and those of HEIF tell no turn.
            if image.format == "TIFF":
                back = _BACK.get(orientation, 1)
                picture = np.ascontiguousarray(_turn(picture, back))
            return DecodedImage(picture, picture.shape[:2], None)
        kept = crop if full == crop_of else None
        rows = 0
        if height is not None:
            rows = 2 * height * full[0] // (kept.height if kept else full[0])
        transform, fault = _judge_profile(image)
        picture = _decode(data, image, rows, orientation, transform)
        return DecodedImage(picture, full, kept, fault)


def _decode(
    data: bytes,
    image: Image.Image,
    rows: int,
    orientation: int,
    transform: ColorTransform | None,
    room: NDArray[np.uint8] | None = None,
) -> Levels:
    """Decode an opened image, turned and in other colors if that is asked for.

    rows, room : as of `_decode_jpeg`
    """
    picture: Levels | None = None
    if image.format in JPEG_FORMATS and image.mode in ("RGB", "L", "CMYK"):
        picture = _decode_jpeg(data, image, rows, orientation, room)
        if picture is not None and transform is not None:
            picture = transform.apply(Image.fromarray(picture))
    elif _is_deep(data, image):
        picture = _decode_deep(data, image, orientation, transform)
    if picture is None:
        if rows:
            image.draft("RGB", (rows, rows))
        if orientation != 1:
            ImageOps.exif_transpose(image, in_place=True)
        picture = _to_rgb(image, transform)
    return picture


def find_size(
    data: bytes, *, max_pixels: int = MAX_PIXELS, as_stored: bool = False
) -> tuple[int, int]:
    """Find the (height, width) of an image file, without decoding it.

    as_stored : whether before it is turned upright, and not as seen

    Raises
    ------
    ReelbowError
        If it is no image, or larger than `max_pixels`.
    """
    with _open_image(data, max_pixels) as (image, full):
        if as_stored and _find_orientation(image) in TURNED:
            return full[::-1]
        return full


@contextlib.contextmanager
def _open_image(
    data: bytes, max_pixels: int
) -> Iterator[tuple[Image.Image, tuple[int, int]]]:
    """Open an image file: the image, and its (height, width) as seen.

    What goes wrong with it is told in a sentence. A want of memory is no fault of the
    image's, and stays a `MemoryError`.
    """
    n_pixels = _count_webp_pixels(data)
    try:
        with (
            warnings.catch_warnings(action="ignore"),
            Image.open(io.BytesIO(data), formats=find_formats(data)) as image,
        ):
            n_pixels = image.width * image.height
            if n_pixels > max_pixels:
                raise ReelbowError(
                    f"{image.width}x{image.height} pixels, allowed by limits.pixels "
                    f"are {max_pixels}"
                )
            _refuse_what_is_ambiguous(image)
            # Pillow tells the size of a TIFF as it is upright, of others as stored.
            turned = image.format != "TIFF" and _find_orientation(image) in TURNED
            yield image, (image.width, image.height) if turned else image.size[::-1]
    except UnidentifiedImageError:
        raise ReelbowError(
            "not an image, a damaged one, or of a kind that is not read; save it as PNG"
        ) from None
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError from None
        raise ReelbowError(f"the image does not decode ({error.err})") from None
    except (
        EOFError,
        OSError,
        RuntimeError,
        SyntaxError,
        SystemError,
        ValueError,
        struct.error,
        zlib.error,
    ) as error:
        check_room(min(n_pixels, max_pixels) * MOST_BYTES_PER_PIXEL)
        # Some end their sentence with the end of a line.
        reason = " ".join(str(error).split())
        raise ReelbowError(f"the image does not decode ({reason})") from None


def find_formats(data: bytes) -> tuple[str, ...]:
    """Find the formats of which a file may be."""
    # Both would take a thread for each core.
    if data[4:8] == BOX_MARK and data[8:12] in AVIF_BRANDS:
        from PIL import AvifImagePlugin

        AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    elif data[4:8] == BOX_MARK:
        import pillow_heif

        pillow_heif.register_heif_opener(thumbnails=False, decode_threads=1)
        return (*IMAGE_FORMATS, "HEIF")
    if data.startswith(JXL_MARKS) and importlib.util.find_spec("pillow_jxl"):
        # Optional: it registers itself.
        import pillow_jxl  # noqa: F401

        return (*IMAGE_FORMATS, "JXL")
    if data.endswith(TGA_MARK):
        return (*IMAGE_FORMATS, "TGA")
    return IMAGE_FORMATS


def _find_orientation(image: Image.Image) -> int:
    """Find the EXIF orientation of an opened image; 1: it stands as it is stored."""
    return image.getexif().get(ExifTags.Base.Orientation, 1)  # type: ignore[no-any-return]


def _refuse_what_is_ambiguous(image: Image.Image) -> None:
    """Refuse an image file that may be read in several ways, with different colors."""
    if _holds_several(image):
        raise ReelbowError(
            "several pictures in one file (pages, or an animation); give each a file "
            "of its own"
        )
    # Pillow makes 16 bits of gray an I too, but of a PGM only.
    if image.mode == "F" or (image.mode == "I" and image.format != "PPM"):
        raise ReelbowError(
            "pixels of 32 bits, of which nobody knows what is white; save it with 8 or "
            "16 bits"
        )
    if (
        image.mode == "CMYK"
        and image.format in JPEG_FORMATS
        and "adobe" not in image.info
    ):
        raise ReelbowError(
            "a CMYK JPEG without Adobe's marker, of which nobody knows whether 0 is "
            "ink or none; save it as RGB"
        )


def _holds_several(image: Image.Image) -> bool:
    """Whether an image file holds more than one picture."""
    # What stands behind a phone's JPEG is a map of its depth or light, or another eye.
    if not getattr(image, "is_animated", False) or image.format == "MPO":
        return False
    if image.format != "TIFF":
        return True
    try:
        for page in range(1, MOST_PAGES):
            image.seek(page)
            if not image.tag_v2.get(NEW_SUBFILE_TYPE, 0) & SAME_PICTURE:  # type: ignore[attr-defined]
                return True
    except EOFError:
        pass
    except (IndexError, KeyError, TypeError) as error:
        raise SyntaxError(f"its page {page + 1}: {error}") from None
    finally:
        image.seek(0)
    return False


def _count_webp_pixels(data: bytes) -> int:
    """Count the pixels of a WebP by its header; of anything else 0.

    Pillow makes room for all of them before it tells how many they are.

    References
    ----------
    RFC 9649, sections 2.5 to 2.7 and 3.4; RFC 6386, section 9.1.
    """
    if data[8:12] != b"WEBP":
        return 0

    def read(start: int, end: int) -> int:
        return int.from_bytes(data[start:end], "little")

    match data[12:16]:
        case b"VP8X":
            return (read(24, 27) + 1) * (read(27, 30) + 1)
        case b"VP8L":
            sides = read(21, 25)
            return ((sides & 0x3FFF) + 1) * ((sides >> 14 & 0x3FFF) + 1)
    return (read(26, 28) & 0x3FFF) * (read(28, 30) & 0x3FFF)


def _judge_profile(image: Image.Image) -> tuple[ColorTransform | None, str | None]:
    """Find what brings an image to sRGB, and what is wrong with its color profile."""
    if "icc_profile" not in image.info:
        return None, None
    mode = image.mode if image.mode in ("CMYK", "LAB") else "RGB"
    if image.mode in ("1", "L", "LA") or image.mode.startswith("I"):
        mode = "L"
    try:
        # Pillow gives None for one that is broken in the file.
        return find_transform(image.info["icc_profile"] or b"", mode), None
    except ReelbowError as error:
        return None, str(error)


def _decode_jpeg(
    data: bytes,
    image: Image.Image,
    rows: int,
    orientation: int,
    room: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8] | None:
    """Decode a JPEG, opened as `image`, to at least so many rows; 0: to all it has.

    If it has the size of `room`, it is decoded into that.

    The same pixels as Pillow's, of the same libjpeg, in a quarter of the time. None
    where it is of inks or unusual, or where what is damaged is little: then Pillow,
    which tells none of libjpeg's words, decodes.
    """
    import simplejpeg

    colors = "GRAY" if image.mode == "L" else image.mode
    size = (image.height, image.width, 3)
    fits = colors == "RGB" and room is not None and room.shape == size
    try:
        pixels = simplejpeg.decode_jpeg(
            data,
            colors,
            # Of inks only libjpeg's words are wanted.
            min_height=rows if colors != "CMYK" else 1,
            min_width=rows if orientation != 1 and colors != "CMYK" else 0,
            buffer=room if fits else None,
        )
    except ValueError as error:
        if "Insufficient memory" in str(error):
            raise MemoryError from None
        if BROKEN_PROFILE in str(error):
            # libjpeg tells its first word only, and this is not about the picture.
            without = cut_out_profile(data)
            if without == data:
                return None
            return _decode_jpeg(without, image, rows, orientation)
        damage = find_damage(data, str(error))
        if damage:
            raise ReelbowError(damage) from None
        return None
    if colors == "CMYK":
        return None
    damage = find_silent_damage(data, pixels)
    if damage:
        raise ReelbowError(damage)
    if colors == "GRAY":
        pixels = pixels.repeat(3, axis=2)
    if orientation == 1:
        return np.asarray(pixels, np.uint8)
    return np.ascontiguousarray(_turn(pixels, orientation), np.uint8)


def _is_deep(data: bytes, image: Image.Image) -> bool:
    """Whether an image has colors of 16 bits, which Pillow would cut to 8."""
    if image.mode not in ("RGB", "RGBA"):
        return False
    if image.format == "PNG":
        return data[24] == 16
    return image.format == "TIFF" and 16 in image.tag_v2.get(BITS_PER_SAMPLE, ())  # type: ignore[attr-defined]


def _decode_deep(
    data: bytes,
    image: Image.Image,
    orientation: int,
    transform: ColorTransform | None,
) -> Levels | None:
    """Decode a PNG or TIFF of 16 bits: (h, w, 3) uint16, or uint8 by a profile.

    None where OpenCV does not: then Pillow does, or says what is wrong with it.
    """
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None or decoded.dtype != np.uint16 or decoded.ndim != 3:
        check_room(image.width * image.height * MOST_BYTES_PER_PIXEL)
        return None
    pixels: Levels = np.asarray(decoded, np.uint16)
    # OpenCV turns TIFFs only.
    if image.format == "PNG":
        pixels = np.ascontiguousarray(_turn(pixels, orientation))
    colors: Levels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint16)
    # TIFF's fourth channel may be anything else.
    is_transparent = image.has_transparency_data and pixels.shape[2] == 4
    if is_transparent and image.format == "TIFF":
        tags = image.tag_v2  # type: ignore[attr-defined]
        if tags.get(EXTRA_SAMPLES) == PREMULTIPLIED:
            share = cv2.cvtColor(pixels[..., 3], cv2.COLOR_GRAY2RGB)
            colors = np.asarray(cv2.divide(colors, share, scale=65_535), np.uint16)
    if transform is not None:
        # Pillow hands no more than 8 bits to LittleCMS.
        colors = transform.apply(Image.fromarray(round_to_bytes(colors)))
        pixels = round_to_bytes(pixels)
    return _put_on_white(colors, pixels[..., 3]) if is_transparent else colors


def _turn(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn an (h, w, channels) picture upright by its EXIF orientation."""
    if orientation in TURNED:
        pixels = pixels.swapaxes(0, 1)
    if orientation in REVERSED_COLUMNS:
        pixels = pixels[:, ::-1]
    return pixels[::-1] if orientation in REVERSED_ROWS else pixels


def _to_rgb(image: Image.Image, transform: ColorTransform | None) -> Levels:
    """Decode an opened image: (h, w, 3) uint8, or uint16 if it is gray of 16 bits."""
    if image.mode.startswith("I"):
        gray = _read_deep_gray(image)
        if "transparency" in image.info:
            # PNG's one value that stands for it.
            gray[gray == image.info["transparency"]] = 65_535
        if transform is not None:
            return transform.apply(Image.fromarray(round_to_bytes(gray)))
        return np.asarray(cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB), np.uint16)
    colors = image.convert("RGB") if transform is None else transform.apply(image)
    if not image.has_transparency_data:
        return np.asarray(colors)
    alpha = np.asarray(image.convert("RGBA").getchannel("A"))
    return _put_on_white(np.asarray(colors), alpha)


def _read_deep_gray(image: Image.Image) -> NDArray[np.uint16]:
    """Read gray of 16 bits, which Pillow would clip rather than scale: (h, w)."""
    gray: NDArray[np.uint16] = np.asarray(image).clip(0, 65_535).astype(np.uint16)
    if image.format == "TIFF":
        tags = image.tag_v2  # type: ignore[attr-defined]
        if tags.get(BITS_PER_SAMPLE) == (12,):
            gray = np.asarray(gray << 4 | gray >> 8, np.uint16)
        if tags.get(PHOTOMETRIC) == WHITE_IS_ZERO:
            gray = ~gray
    return gray


def _put_on_white(colors: Levels, alpha: Levels) -> Levels:
    """Compose a picture (h, w, 3) with straight alpha (h, w) on white, in sRGB."""
    share = cv2.cvtColor(alpha, cv2.COLOR_GRAY2RGB)
    part = cv2.multiply(colors, share, scale=1 / np.iinfo(colors.dtype).max)
    return np.asarray(cv2.add(part, cv2.bitwise_not(share)), colors.dtype)


def encode_jpeg(picture: NDArray[np.uint8], *, quality: int) -> bytes:
    """Encode an (h, w, 3) uint8 sRGB picture; quality in [1, 100]."""
    return encode_image(
        ".jpg",
        cv2.cvtColor(picture, cv2.COLOR_RGB2BGR),
        [cv2.IMWRITE_JPEG_QUALITY, quality],
    )


def encode_image(suffix: str, picture: Any, settings: Sequence[int]) -> bytes:
    """Encode a picture (h, w) or (h, w, 3) BGR by OpenCV's settings.

    Raises `MemoryError` where OpenCV only says that it failed, and gives what it has.
    """
    is_whole, data = cv2.imencode(suffix, picture, settings)
    if not is_whole:
        raise MemoryError
    return data.tobytes()
