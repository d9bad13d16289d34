"""Image files: opened, refused or decoded to sRGB, and written as JPEG."""

import contextlib
import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from reelbow.errors import ReelbowError
from reelbow.pictures.geometry import Crop
from reelbow.pictures.jpeg_damage import find_damage, find_silent_damage

# Only these decoders of Pillow and of pillow-heif ever see foreign bytes.
IMAGE_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "PPM", "GIF", "AVIF", "JPEG2000")

# Pillow's names of a JPEG; of one with others behind it the first is read.
JPEG_FORMATS = ("JPEG", "MPO")

# And these, where the file says that it is one: HEIF's decoder is loaded only then, and
# Pillow takes anything for a TGA.
BOX_MARK, TGA_MARK = b"ftyp", b"TRUEVISION-XFILE.\0"
AVIF_BRANDS = (b"avif", b"avis")

# TIFF's NewSubfileType: another page is the same picture made smaller, or its mask.
NEW_SUBFILE_TYPE, SAME_PICTURE = 254, 0b101
MOST_PAGES = 32

# While it is decoded, at most: WebP, whose canvas is of four channels and there twice.
MOST_BYTES_PER_PIXEL = 24

# A picture this large is refused before a byte of it is decoded.
MAX_PIXELS = 200_000_000
Image.MAX_IMAGE_PIXELS = None

# EXIF orientations whose rows are the viewer's columns.
TURNED = frozenset({5, 6, 7, 8})


class DecodedImage(NamedTuple):
    """An image file's pixels, and what is to be kept of them.

    Attributes
    ----------
    picture : (h, w, 3) uint8 sRGB, upright by its EXIF orientation
    full : (height, width) of the whole image; `picture` may be reduced
    crop : in pixels of `full`; None: all
    """

    picture: NDArray[np.uint8]
    full: tuple[int, int]
    crop: Crop | None


def decode_image(
    data: bytes,
    *,
    height: int | None = None,
    crop: Crop | None = None,
    crop_of: tuple[int, int] | None = None,
    max_pixels: int = MAX_PIXELS,
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

    Raises
    ------
    ReelbowError
        If it cannot be decoded whole; it says why, the caller knows where.
    """
    with _open_image(data, max_pixels) as (image, full):
        kept = crop if full == crop_of else None
        rows = 0
        if height is not None:
            rows = 2 * height * full[0] // (kept.height if kept else full[0])
        picture = None
        if image.format in JPEG_FORMATS and image.mode in ("RGB", "L", "CMYK"):
            picture = _decode_jpeg(data, image, rows)
        if picture is None:
            if rows:
                image.draft("RGB", (rows, rows))
            ImageOps.exif_transpose(image, in_place=True)
            picture = _to_rgb(image)
        return DecodedImage(picture, full, kept)


def find_size(data: bytes, *, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Find the (height, width) of an image file as seen, without decoding it.

    Raises
    ------
    ReelbowError
        If it is no image, or larger than `max_pixels`.
    """
    with _open_image(data, max_pixels) as (_, full):
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
            Image.open(io.BytesIO(data), formats=_find_formats(data)) as image,
        ):
            n_pixels = image.width * image.height
            if n_pixels > max_pixels:
                raise ReelbowError(
                    f"{image.width}x{image.height} pixels, allowed by limits.pixels "
                    f"are {max_pixels}"
                )
            _refuse_what_is_ambiguous(image)
            # Pillow tells the size of a TIFF as it is upright, of others as stored.
            turned = (
                image.format != "TIFF"
                and image.getexif().get(ExifTags.Base.Orientation, 1) in TURNED
            )
            yield image, (image.width, image.height) if turned else image.size[::-1]
    except UnidentifiedImageError:
        raise ReelbowError(
            "not an image, a damaged one, or of a kind that is not read; save it as PNG"
        ) from None
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


def _find_formats(data: bytes) -> tuple[str, ...]:
    """Find the formats of which a file may be."""
    # Both would take a thread for each core.
    if data[4:8] == BOX_MARK and data[8:12] in AVIF_BRANDS:
        from PIL import AvifImagePlugin

        AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    elif data[4:8] == BOX_MARK:
        import pillow_heif

        pillow_heif.register_heif_opener(thumbnails=False, decode_threads=1)
        return (*IMAGE_FORMATS, "HEIF")
    if data.endswith(TGA_MARK):
        return (*IMAGE_FORMATS, "TGA")
    return IMAGE_FORMATS


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


def check_room(n_bytes: int) -> None:
    """Raise a `MemoryError` if there is no room for so many bytes.

    Many decoders tell only that they failed, as if what they decode were damaged.
    """
    np.empty(n_bytes, np.uint8)


def _decode_jpeg(
    data: bytes, image: Image.Image, rows: int
) -> NDArray[np.uint8] | None:
    """Decode a JPEG, opened as `image`, to at least so many rows; 0: to all it has.

    The same pixels as Pillow's, of the same libjpeg, in a quarter of the time. None
    where it is of inks or unusual, or where what is damaged is little: then Pillow,
    which tells none of libjpeg's words, decodes.
    """
    import simplejpeg

    colors = "GRAY" if image.mode == "L" else image.mode
    orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    try:
        pixels = simplejpeg.decode_jpeg(
            data,
            colors,
            # Of inks only libjpeg's words are wanted.
            min_height=rows if colors != "CMYK" else 1,
            min_width=rows if orientation != 1 and colors != "CMYK" else 0,
        )
    except ValueError as error:
        if "Insufficient memory" in str(error):
            raise MemoryError from None
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
    turned = Image.fromarray(pixels)
    turned.getexif()[ExifTags.Base.Orientation] = orientation
    return np.asarray(ImageOps.exif_transpose(turned))


def _to_rgb(image: Image.Image) -> NDArray[np.uint8]:
    """Decode an opened image: (h, w, 3) uint8."""
    if image.mode.startswith("I"):
        # 16 bits of gray, which Pillow would clip rather than scale.
        gray = (np.asarray(image) >> 8).clip(0, 255).astype(np.uint8)
        return np.repeat(gray[..., np.newaxis], 3, axis=2)
    return np.asarray(image.convert("RGB"))


def encode_jpeg(picture: NDArray[np.uint8], *, quality: int) -> bytes:
    """Encode an (h, w, 3) uint8 sRGB picture; quality in [1, 100]."""
    _, data = cv2.imencode(
        ".jpg",
        cv2.cvtColor(picture, cv2.COLOR_RGB2BGR),
        [cv2.IMWRITE_JPEG_QUALITY, quality],
    )
    return data.tobytes()
