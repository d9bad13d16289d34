"""Pictures in memory: crop, area average, image files."""

import contextlib
import io
import re
import struct
import warnings
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Self

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from .color_spaces import SPACES
from .errors import ReelbowError

# Jobs run side by side; a job of several threads would only get in their way.
cv2.setNumThreads(1)

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

# Rec. ITU-R BT.709's, of red, green and blue.
LUMA_WEIGHTS = np.array([0.2126, 0.7152, 0.0722])

# Light of an sRGB value, to look up.
_DECODED = SPACES["linear"].from_srgb(np.arange(256))

# EXIF orientations whose rows are the viewer's columns.
TURNED = frozenset({5, 6, 7, 8})


class Crop(NamedTuple):
    """The part of a picture that is kept, in pixels."""

    width: int
    height: int
    x: int
    y: int

    def __str__(self) -> str:
        """Write it as FFmpeg's crop filter does: w:h:x:y."""
        return f"{self.width}:{self.height}:{self.x}:{self.y}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read w:h:x:y."""
        if not re.fullmatch(r"\d+:\d+:\d+:\d+", text):
            raise ReelbowError(f"crop {text!r}: should be w:h:x:y in pixels")
        return cls(*map(int, text.split(":")))


class Averages(NamedTuple):
    """A picture averaged over its pixels, before anything rounds or compresses them.

    Attributes
    ----------
    mean : (3,) float64, sRGB, [0, 255]
    strip : (rows, 3) float64, sRGB, [0, 255]; each row averaged over the width
    luma : mean luma by Rec. 709 weights on sRGB values, [0, 255]
    """

    mean: NDArray[np.float64]
    strip: NDArray[np.float64]
    luma: float

    @classmethod
    def of_rows(cls, means: NDArray[np.float64], *, rows: int) -> Self:
        """Average the means of a picture's rows, (h, 3), and make a strip of `rows`."""
        strip = means
        if rows != len(means):
            column = cv2.resize(means[:, None], (1, rows), interpolation=cv2.INTER_AREA)
            strip = np.asarray(column, np.float64)[:, 0]
        mean = means.mean(axis=0)
        return cls(mean, strip, float(mean @ LUMA_WEIGHTS))

    def to_json(self) -> dict[str, Any]:
        """Write them for the JSON beside a frame, to a hundredth of a level."""
        return {
            "mean_color": self.mean.round(4).tolist(),
            "luma": round(self.luma, 4),
            "strip": self.strip.round(2).tolist(),
        }

    @classmethod
    def from_json(cls, about: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(
            np.array(about["mean_color"], np.float64),
            np.array(about["strip"], np.float64),
            float(about["luma"]),
        )


def shape_picture(
    picture: NDArray[np.uint8],
    *,
    full: tuple[int, int] | None = None,
    crop: Crop | None = None,
    height: int | None = None,
) -> NDArray[np.uint8]:
    """Crop a picture and make it smaller, every result pixel an average over its area.

    Parameters
    ----------
    picture : (h, w, 3) uint8, upright
    full : (height, width) of the whole picture as seen, where pixels are not square or
        `picture` is already reduced
    crop : in pixels of `full`
    height : rows of the result, at most those of the cropped picture; None: all

    Returns
    -------
    (height, width, 3) uint8, in the shape of the cropped `full`
    """
    shape = full or (picture.shape[0], picture.shape[1])
    kept = _cut(picture, shape, crop)
    return _shrink(kept, (crop.height, crop.width) if crop else shape, height)


def shape_and_average(
    picture: NDArray[np.uint8],
    *,
    full: tuple[int, int],
    crop: Crop | None,
    height: int | None,
    strip_rows: int | None,
    space: str,
) -> tuple[NDArray[np.uint8], Averages]:
    """Do as `shape_picture`, and average all pixels that are kept.

    Parameters
    ----------
    strip_rows : rows of the strip, at most those of the result; None: as many
    space : srgb or linear, where the average is taken
    """
    # Imported here, since it costs much: only what averages needs it.
    from .area_average import MAX_LINES, average_areas, average_rows

    kept = np.ascontiguousarray(_cut(picture, full, crop))
    shape = (crop.height, crop.width) if crop else full
    size = find_shape(shape, height)
    rows, columns = kept.shape[:2]
    if size == (rows, columns):
        small, means = kept, average_rows(kept)
    elif size[0] <= rows <= MAX_LINES * size[0] and size[1] <= columns:
        small, means = average_areas(kept, size)
    else:
        # Pixels that are not square: one side may grow.
        small, means = _shrink(kept, shape, height), average_rows(kept)
    averages = Averages.of_rows(means, rows=min(strip_rows or size[0], size[0]))
    if space == "linear":
        averages = _average_light(kept, averages)
    return small, averages


def _cut(
    picture: NDArray[np.uint8], full: tuple[int, int], crop: Crop | None
) -> NDArray[np.uint8]:
    """Crop a picture of which `crop`, in pixels of `full`, is to be kept."""
    if crop is None:
        return picture
    x, y, width, height = scale_crop(crop, full, picture.shape[:2])
    return picture[y : y + height, x : x + width]


def scale_crop(
    crop: Crop, full: tuple[int, int], stored: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Bring a crop from pixels as seen to those stored: x, y, width and height.

    Parameters
    ----------
    full, stored : (height, width) as seen and as stored
    """
    y0, y1 = _scale(crop.y, crop.y + crop.height, stored[0] / full[0])
    x0, x1 = _scale(crop.x, crop.x + crop.width, stored[1] / full[1])
    return x0, y0, x1 - x0, y1 - y0


def find_shape(shape: tuple[int, int], height: int | None) -> tuple[int, int]:
    """Find the (height, width) of a picture seen as `shape`, made smaller."""
    rows = min(height or shape[0], shape[0])
    return rows, max(1, round(shape[1] * rows / shape[0]))


def _scale(start: int, end: int, factor: float) -> tuple[int, int]:
    """Scale a stretch of pixels; at least one remains."""
    first = round(start * factor)
    return first, max(first + 1, round(end * factor))


def _shrink(
    picture: NDArray[np.uint8], shape: tuple[int, int], height: int | None
) -> NDArray[np.uint8]:
    """Make a picture that is seen in the shape (height, width) smaller."""
    height, width = find_shape(shape, height)
    # OpenCV averages over areas only where neither side grows: first what shrinks.
    rows, columns = picture.shape[:2]
    for size in ((min(width, columns), min(height, rows)), (width, height)):
        if size != (picture.shape[1], picture.shape[0]):
            resized = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
            picture = np.asarray(resized, np.uint8)
    return np.ascontiguousarray(picture)


def _average_light(picture: NDArray[np.uint8], averages: Averages) -> Averages:
    """Average again in linear light, but for the luma."""
    sums = cv2.reduce(_DECODED[picture], 1, cv2.REDUCE_SUM, dtype=cv2.CV_64F)
    means = np.asarray(sums, np.float64)[:, 0] / picture.shape[1]
    light = Averages.of_rows(means, rows=len(averages.strip))
    to_srgb = SPACES["linear"].to_srgb
    return Averages(to_srgb(light.mean), to_srgb(light.strip), averages.luma)


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
    off by up to 2 levels in the mean and 10 in a row of the strip.

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
    with _opening(data, max_pixels) as (image, full):
        kept = _choose_crop(crop, crop_of, full)
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


def _choose_crop(
    crop: Crop | None, crop_of: tuple[int, int] | None, full: tuple[int, int]
) -> Crop | None:
    """Choose what to keep of a picture of size `full`."""
    return crop if full == crop_of else None


def find_size(data: bytes, *, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Find the (height, width) of an image file as seen, without decoding it.

    Raises
    ------
    ReelbowError
        If it is no image, or larger than `max_pixels`.
    """
    with _opening(data, max_pixels) as (_, full):
        return full


@contextlib.contextmanager
def _opening(
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


def average_image(
    data: bytes,
    *,
    height: int | None,
    crop: Crop | None = None,
    crop_of: tuple[int, int] | None = None,
    max_pixels: int = MAX_PIXELS,
    space: str = "srgb",
    exact: bool = True,
) -> tuple[NDArray[np.uint8], Averages]:
    """Make an image file small and average all pixels that are kept.

    As `decode_image` and `shape_and_average` do, whose parameters these are, but an
    ordinary JPEG that is made much smaller is not decoded to pixels.

    Parameters
    ----------
    exact : whether the averages are of all pixels, or of a JPEG at a reduced scale

    Returns
    -------
    (height, width, 3) uint8 sRGB, and the averages, with a strip of as many rows

    Raises
    ------
    ReelbowError
        If it cannot be decoded whole; it says why, the caller knows where.
    """
    if exact and height is not None and space == "srgb":
        found = _average_jpeg(data, height, crop, crop_of, max_pixels)
        if found is not None:
            small, means = found
            return small, Averages.of_rows(means, rows=len(small))
    image = decode_image(
        data,
        height=None if exact else height,
        crop=crop,
        crop_of=crop_of,
        max_pixels=max_pixels,
    )
    return shape_and_average(
        image.picture,
        full=image.full,
        crop=image.crop,
        height=height,
        strip_rows=None,
        space=space,
    )


def _average_jpeg(
    data: bytes,
    height: int,
    crop: Crop | None,
    crop_of: tuple[int, int] | None,
    max_pixels: int,
) -> tuple[NDArray[np.uint8], NDArray[np.float64]] | None:
    """Make a JPEG small from its coefficients, and average its rows.

    None where it is no ordinary one, damaged, turned, too large, or not made much
    smaller.
    """
    if not data.startswith(b"\xff\xd8\xff"):
        return None
    # Imported here, since it costs much: only what averages needs it.
    from .jpeg_average import MIN_CELL, average_jpeg
    from .jpeg_coefficients import read_header

    header = read_header(data)
    if header is None or header.width * header.height > max_pixels:
        return None
    full = (header.height, header.width)
    kept = _choose_crop(crop, crop_of, full) or Crop(full[1], full[0], 0, 0)
    size = find_shape((kept.height, kept.width), height)
    if size[0] * MIN_CELL > kept.height or size[1] * MIN_CELL > kept.width:
        return None
    if header.is_described and not _is_upright(data, max_pixels):
        return None
    return average_jpeg(
        data, header, crop=(kept.x, kept.y, kept.width, kept.height), size=size
    )


def _is_upright(data: bytes, max_pixels: int) -> bool:
    """Whether a JPEG says that it is, or nothing; False also where it is damaged."""
    try:
        with _opening(data, max_pixels) as (image, _):
            return bool(image.getexif().get(ExifTags.Base.Orientation, 1) == 1)
    except ReelbowError:
        return False


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
        from .jpeg_damage import find_damage

        damage = find_damage(data, str(error))
        if damage:
            raise ReelbowError(damage) from None
        return None
    if colors == "CMYK":
        return None
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
