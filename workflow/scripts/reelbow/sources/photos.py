"""Plans a film of photos: lists them, finds when each was taken, cuts them into shards.

Of the files only headers are read, and some whole ones for the letterbox.
"""

import contextlib
import io
import os
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from reelbow.errors import PASSING, ReelbowError
from reelbow.jobs.file_digest import digest_files
from reelbow.pictures.exif import read_exif
from reelbow.shards.image_names import (
    choose_images,
    is_litter,
    natural_key,
    show_name,
)
from reelbow.shards.members import DecodedPicture, take_picture
from reelbow.shards.photos import DAMAGED, MAX_BYTES, open_zip, read_member
from reelbow.shards.plan import Plan
from reelbow.sources.crop import spread_evenly
from reelbow.sources.images import look_at_images

# Of a member of a ZIP, where cameras write when it was taken.
HEAD_BYTES = 1 << 17
JPEG_MARK = b"\xff\xd8"


class Photo(NamedTuple):
    """A file, or a member of a ZIP."""

    file: Path
    member: str | None = None


def make_plan(
    files: Sequence[Path],
    *,
    order: str,
    per_shard: int,
    crop: str,
    max_pixels: int,
    go_on: bool = False,
) -> Plan:
    """Plan a film of which each frame is a photo.

    Parameters
    ----------
    files : images and ZIPs of images, in the natural order of their names
    order : name; or time, when they were taken: those that do not tell it come last,
        and are missing
    per_shard : photos in a shard
    go_on : whether photos that could be read another time are no matter; of those
        that are ordered by time they are

    Raises
    ------
    ReelbowError
        If no photo can be read, or none tells its time where that is asked for.
    """
    folder = str(files[0])
    if len(files) > 1:
        folder = os.path.commonpath([path.parent for path in files]) or "."
    photos = list(_list_photos(files, folder))
    times_s: list[float | None] = []
    origin = None
    if order == "time":
        photos, times_s, origin = _order_by_time(photos, folder)
    found = look_at_images(
        _read_some(photos, go_on=go_on), crop, Path(folder), max_pixels
    )
    return {
        # Every photo counts.
        **dict.fromkeys(("video", "start_s", "end_s", "stream", "sampling")),
        "path": folder,
        "digest": digest_files(files, go_on=go_on),
        "photos": {"folder": folder, "order": order},
        "origin": origin,
        **found._asdict(),
        "duration_s": None,
        "crop_asked": crop,
        "n_pictures": len(photos),
        "n_frames": len(photos),
        "shards": [
            _describe_shard(number, first, photos, times_s, per_shard)
            for number, first in enumerate(range(0, len(photos), per_shard))
        ],
    }


def _describe_shard(
    number: int,
    first: int,
    photos: Sequence[Photo],
    times_s: Sequence[float | None],
    per_shard: int,
) -> Plan:
    some = photos[first : first + per_shard]
    part: Plan = {"shard": f"{number:05d}", "first_frame": first, "n_frames": len(some)}
    part["files"] = list(dict.fromkeys(str(photo.file) for photo in some))
    if any(photo.member for photo in some):
        places = {file: place for place, file in enumerate(part["files"])}
        part["members"] = [[places[str(file)], member] for file, member in some]
    if times_s:
        part["times_s"] = times_s[first : first + per_shard]
    return part


def _list_photos(files: Sequence[Path], folder: str) -> Iterator[Photo]:
    """List all photos, those in ZIPs in the natural order of their names."""
    names = [str(path) for path in files if path.suffix.lower() != ".zip"]
    read, unread = choose_images(names)
    counted = {*read, *unread}
    n_read, reason = len(read), next(iter(unread.items()), None)
    for path in files:
        if path.suffix.lower() != ".zip":
            # Else it is there as a JPEG, too.
            if str(path) in counted:
                yield Photo(path)
            continue
        with open_zip(path) as archive:
            names = [
                each.filename
                for each in archive.infolist()
                # A damaged ZIP may have names that are none.
                if each.filename and not each.is_dir() and not is_litter(each.filename)
            ]
        inside, unread = choose_images(dict.fromkeys(names))
        n_read += len(inside)
        reason = reason or next(iter(unread.items()), None)
        for name in sorted([*inside, *unread], key=natural_key):
            yield Photo(path, name)
    if not n_read:
        why = f"the first is {show_name(reason[0])} ({reason[1]})" if reason else ""
        raise ReelbowError(
            f"{folder}: has no photo that can be read"
            f"{', ' + why if why else '; give JPEGs, PNGs, TIFFs or the like'}"
        )


def _order_by_time(
    photos: Sequence[Photo], folder: str
) -> tuple[list[Photo], list[float | None], str]:
    """Order photos by when they were taken, which is told in seconds from the first."""
    found = list(zip(photos, _read_times(photos), strict=True))
    timed = [(taken, photo) for photo, taken in found if taken is not None]
    if not timed:
        raise ReelbowError(
            f"{folder}: none of its {len(photos)} photos tells in its EXIF when it was "
            "taken; set photos.order to name"
        )
    if any(taken.tzinfo is None for taken, _ in timed):
        # What some clocks leave open is taken for the same place with all.
        timed = [(taken.replace(tzinfo=None), photo) for taken, photo in timed]
    # Stable: of the same moment by name.
    timed.sort(key=lambda each: each[0])
    first = timed[0][0]
    times_s: list[float | None] = [
        (taken - first).total_seconds() for taken, _ in timed
    ]
    others = [photo for photo, taken in found if taken is None]
    ordered = [*(photo for _, photo in timed), *others]
    return ordered, times_s + [None] * len(others), first.isoformat()


def _read_times(photos: Sequence[Photo]) -> Iterator[datetime | None]:
    for file, group in groupby(photos, key=lambda photo: photo.file):
        inside = list(group)
        if inside[0].member is None:
            try:
                with file.open("rb") as stream:
                    yield read_exif(stream).taken
            except OSError as error:
                if error.errno in PASSING:
                    raise
                # The job that reads it tells.
                yield None
            continue
        with open_zip(file) as archive:
            for _, member in inside:
                assert member is not None
                yield _read_zipped_time(archive, member)


def _read_zipped_time(archive: zipfile.ZipFile, member: str) -> datetime | None:
    # Never by seeking, for which it would be unpacked again and again.
    try:
        with archive.open(member) as stream:
            data = stream.read(HEAD_BYTES)
            taken = read_exif(io.BytesIO(data)).taken
            # Of a JPEG it stands before all else.
            is_jpeg = data.startswith(JPEG_MARK)
            if taken is None and len(data) == HEAD_BYTES and not is_jpeg:
                data += stream.read(MAX_BYTES)
                taken = read_exif(io.BytesIO(data)).taken
    except DAMAGED:
        return None
    return taken


def _read_some(
    photos: Sequence[Photo], *, go_on: bool
) -> Iterator[bytes | DecodedPicture]:
    """Read some photos, spread over the film, as far as they can be read."""
    archives: dict[Path, zipfile.ZipFile] = {}
    with contextlib.ExitStack() as opened:
        for file, member in spread_evenly(photos):
            try:
                if choose_images([member or str(file)])[1]:
                    continue
                if member is None:
                    data = file.read_bytes()
                else:
                    if file not in archives:
                        archives[file] = opened.enter_context(open_zip(file))
                    data = read_member(archives[file], member)
                picture = take_picture(member or file.name, data)
            except ReelbowError:
                continue
            except OSError as error:
                if error.errno in PASSING and not go_on:
                    raise
                continue
            yield picture
