"""Adds up the photos of a shard, by the sensors that took them."""

import contextlib
import io
from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from reelbow.analysis.sensor_sums import MOST_SENSORS, Photos, Sensor, ShardSums
from reelbow.errors import ReelbowError
from reelbow.pictures.exif import read_exif
from reelbow.pictures.geometry import round_to_bytes
from reelbow.pictures.image_files import decode_image, find_size
from reelbow.pictures.pixel_sums import PixelSums
from reelbow.shards.members import Member
from reelbow.shards.raw_photos import RawPhoto


def sum_photos(read: Callable[[], Iterable[Member]], *, max_pixels: int) -> ShardSums:
    """Add up the photos of a shard, by their sensors.

    Of more than `MOST_SENSORS` those with the fewest photos are named, and not added.

    Parameters
    ----------
    read : reads the shard's pictures from the first, each time it is called
    max_pixels : of the largest image that is read
    """
    # glibc hands free memory back to the system, and takes it anew for each photo, but
    # for twice as much as the largest piece that was ever freed: here that is its most.
    np.empty(31 << 20, np.uint8)
    # Read once: of few sensors all are kept, whatever comes.
    found = _add_up(read(), max_pixels, frozenset())
    if found is None:
        found = _add_up(read(), max_pixels, _choose_sensors(read(), max_pixels))
    assert found is not None
    return found


def _add_up(
    members: Iterable[Member], max_pixels: int, kept: frozenset[Sensor]
) -> ShardSums | None:
    """Add up the photos of some sensors.

    kept : them; none: all, and if they are more than `MOST_SENSORS` there is no result
    """
    seen: set[Sensor] = set()
    photos: dict[Sensor, Photos] = {}
    left_out: list[tuple[str, str]] = []
    lost = ""
    try:
        for member in members:
            sensor = find_sensor(member, max_pixels)
            if sensor is not None:
                seen.add(sensor)
            if not kept and len(seen) > MOST_SENSORS:
                return None
            if kept and sensor is not None and sensor not in kept:
                photos.setdefault(sensor, Photos([], None)).names.append(member.name)
                continue
            try:
                known = photos.get(sensor) if sensor else None
                room = known.sums.take_room() if known and known.sums else None
                picture = decode_stored(member, max_pixels, room)
            except ReelbowError as error:
                left_out.append((member.name, str(error)))
                continue
            height, width, _ = picture.shape
            sensor = (sensor or Sensor("", "", "", 0, 0))._replace(
                width=width, height=height
            )
            if sensor not in photos:
                n_kept = sum(each.sums is not None for each in photos.values())
                sums = PixelSums(height, width) if n_kept < MOST_SENSORS else None
                photos[sensor] = Photos([], sums)
            own = photos[sensor]
            own.names.append(member.name)
            if own.sums is not None:
                own.sums.add(picture)
    except ReelbowError as error:
        lost = str(error)
    for each in photos.values():
        if each.sums is not None:
            each.sums.finish()
    return ShardSums(photos, left_out, lost)


def _choose_sensors(members: Iterable[Member], max_pixels: int) -> frozenset[Sensor]:
    """Choose the sensors with the most photos by headers; of as many the first ones."""
    counts: Counter[Sensor] = Counter()
    # What cannot be read is told when the pictures are.
    with contextlib.suppress(ReelbowError):
        counts.update(filter(None, (find_sensor(each, max_pixels) for each in members)))
    return frozenset(sensor for sensor, _ in counts.most_common(MOST_SENSORS))


def is_of_a_video(member: Member) -> bool:
    """Whether a picture comes decoded, and so is of no file of its own."""
    return not isinstance(member.data, bytes | RawPhoto | None)


def find_sensor(member: Member, max_pixels: int) -> Sensor | None:
    """Find the sensor of an image file by its header; None: it cannot be read."""
    data = member.data
    if not isinstance(data, bytes):
        return None
    try:
        height, width = find_size(data, max_pixels=max_pixels, as_stored=True)
    except ReelbowError:
        return None
    about = read_exif(io.BytesIO(data))
    return Sensor(about.make, about.model, about.serial, width, height)


def decode_stored(
    member: Member, max_pixels: int, room: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """Decode a picture as its sensor has it: (h, w, 3) uint8 RGB, not turned.

    room : as `decode_image` takes it

    Raises
    ------
    ReelbowError
        If it is missing or cannot be read.
    """
    if member.data is None:
        raise ReelbowError(member.reason)
    if isinstance(member.data, RawPhoto):
        raise ReelbowError(
            "a raw photo, of which only what is developed and turned can be read; give "
            "JPEGs of the camera"
        )
    if not isinstance(member.data, bytes):
        return np.ascontiguousarray(member.data.to_bgr()[:, :, ::-1])
    image = decode_image(member.data, max_pixels=max_pixels, as_stored=True, room=room)
    levels = image.picture
    return levels if levels.dtype == np.uint8 else round_to_bytes(levels)
