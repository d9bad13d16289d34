"""What cameras write into their photos: when each was taken, and by which camera."""

import datetime
import re
import warnings
from collections.abc import Mapping
from typing import IO, Any, NamedTuple

from PIL import ExifTags, Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from reelbow.pictures.image_files import find_formats

# What a file begins with, which tells its format.
MARK_BYTES = 32

# Read of the text of a tag: no camera has a longer name.
MOST_TEXT = 100

# The time when the picture was taken, before that when it was digitized; of a scan they
# differ. When the file was changed says nothing of the picture.
_TIMES = (
    (
        ExifTags.Base.DateTimeOriginal,
        ExifTags.Base.SubsecTimeOriginal,
        ExifTags.Base.OffsetTimeOriginal,
    ),
    (
        ExifTags.Base.DateTimeDigitized,
        ExifTags.Base.SubsecTimeDigitized,
        ExifTags.Base.OffsetTimeDigitized,
    ),
)
_TIME = "%Y:%m:%d %H:%M:%S"
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)|Z")


class Exif(NamedTuple):
    """What a photo tells of itself; a text is empty where it tells none.

    Attributes
    ----------
    taken : by the camera's clock, with its part of a second; with a time zone if it is
        told; None: not told
    make, model, serial : of the camera
    """

    taken: datetime.datetime | None = None
    make: str = ""
    model: str = ""
    serial: str = ""


def read_exif(file: IO[bytes]) -> Exif:
    """Read the EXIF of an image file, of which no pixel is decoded.

    What cannot be read tells nothing: whoever decodes the picture says why.

    References
    ----------
    CIPA DC-008 (Exif 2.32), sections 4.6.4 to 4.6.6.
    """
    mark = file.read(MARK_BYTES)
    file.seek(0)
    try:
        with (
            warnings.catch_warnings(action="ignore"),
            Image.open(file, formats=find_formats(mark)) as image,
        ):
            # Of a PNG without one Pillow would decode all to look behind its pixels.
            if image.format == "PNG" and "exif" not in image.info:
                return Exif()
            tags = image.getexif()
            # By tags.get_ifd() Pillow would make all of them values, which takes longer
            # than all else.
            own = ImageFileDirectory_v2(tags.head)
            if ExifTags.IFD.Exif in tags:
                tags.fp.seek(tags[ExifTags.IFD.Exif])
                own.load(tags.fp)
            return Exif(
                taken=_read_time(own),
                make=_read_text(tags, ExifTags.Base.Make),
                model=_read_text(tags, ExifTags.Base.Model),
                serial=_read_text(own, ExifTags.Base.BodySerialNumber),
            )
    # Damaged bytes raise whatever comes of them.
    except Exception:
        return Exif()


def _read_text(tags: Mapping[int, Any], tag: int) -> str:
    value = tags.get(tag, "")
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    # Cameras fill up with blanks and zeros.
    return " ".join(str(value).replace("\0", " ").split())[:MOST_TEXT]


def _read_time(tags: Mapping[int, Any]) -> datetime.datetime | None:
    for time, part, offset in _TIMES:
        try:
            taken = datetime.datetime.strptime(_read_text(tags, time), _TIME)
        except ValueError:
            # A clock that was never set says 0000:00:00 00:00:00.
            continue
        digits = _read_text(tags, part)
        if digits.isascii() and digits.isdigit():
            taken = taken.replace(microsecond=int(f"{digits:0<6.6}"))
        return taken.replace(tzinfo=_read_zone(_read_text(tags, offset)))
    return None


def _read_zone(text: str) -> datetime.timezone | None:
    match = _OFFSET.fullmatch(text)
    if not match:
        return None
    if text == "Z":
        return datetime.UTC
    sign = -1 if match[1] == "-" else 1
    minutes = sign * (60 * int(match[2]) + int(match[3]))
    # Further from Greenwich there is no time zone.
    if abs(minutes) > 14 * 60:
        return None
    return datetime.timezone(datetime.timedelta(minutes=minutes))
