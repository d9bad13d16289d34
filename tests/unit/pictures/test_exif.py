"""What photos tell of their camera and their time."""

import io
from datetime import UTC, datetime, timedelta, timezone

import pytest

from photos import make_photo
from reelbow.pictures.exif import Exif, read_exif

TIME = "2024:02:29 23:59:58"
TAKEN = datetime(2024, 2, 29, 23, 59, 58)


@pytest.mark.parametrize("suffix", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
def test_a_photo_tells_its_camera_and_its_time(suffix):
    photo = make_photo(
        suffix,
        Make="NIKON CORPORATION ",
        Model="NIKON D750",
        own={
            "DateTimeOriginal": TIME,
            "SubsecTimeOriginal": "07",
            "OffsetTimeOriginal": "-03:30",
            "BodySerialNumber": "6001234\0",
        },
    )
    zone = timezone(-timedelta(hours=3, minutes=30))
    assert read_exif(io.BytesIO(photo)) == Exif(
        taken=TAKEN.replace(microsecond=70_000, tzinfo=zone),
        make="NIKON CORPORATION",
        model="NIKON D750",
        serial="6001234",
    )


@pytest.mark.parametrize(
    ("own", "taken"),
    [
        ({"DateTimeOriginal": TIME}, TAKEN),
        ({"DateTimeDigitized": TIME}, TAKEN),
        ({"DateTimeOriginal": TIME, "DateTimeDigitized": "2025:01:01 00:00:00"}, TAKEN),
        ({"DateTimeOriginal": "0000:00:00 00:00:00", "DateTimeDigitized": TIME}, TAKEN),
        ({"DateTimeOriginal": "yesterday"}, None),
        ({}, None),
    ],
)
def test_the_time_is_that_when_it_was_taken(own, taken):
    photo = make_photo(own=own, DateTime="2025:01:01 00:00:00")
    assert read_exif(io.BytesIO(photo)).taken == taken


@pytest.mark.parametrize(
    ("digits", "microsecond"), [("5", 500_000), ("1234567", 123_456), ("?", 0)]
)
def test_parts_of_a_second_are_decimals(digits, microsecond):
    own = {"DateTimeOriginal": TIME, "SubsecTimeOriginal": digits}
    assert read_exif(io.BytesIO(make_photo(own=own))).taken.microsecond == microsecond


@pytest.mark.parametrize(
    ("offset", "zone"), [("Z", UTC), ("+99:00", None), ("  :  ", None), ("2", None)]
)
def test_time_zones_that_are_none_are_passed_over(offset, zone):
    own = {"DateTimeOriginal": TIME, "OffsetTimeOriginal": offset}
    assert read_exif(io.BytesIO(make_photo(own=own))).taken == TAKEN.replace(
        tzinfo=zone
    )


@pytest.mark.parametrize("cut", [0, 1, 20, 60])
def test_what_cannot_be_read_tells_nothing(cut):
    whole = make_photo(own={"DateTimeOriginal": TIME})
    assert read_exif(io.BytesIO(whole[:cut])) == Exif()
