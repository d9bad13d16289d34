"""Writes copies of photos, with the defects of their sensor mended."""

import sys
from pathlib import Path

from reelbow.analysis.defect_files import SensorDefects
from reelbow.analysis.hot_pixels import CHANNELS, LOW_GAIN, Defect
from reelbow.analysis.photo_sums import decode_stored, find_sensor, is_of_a_video
from reelbow.errors import ReelbowError
from reelbow.jobs.files import atomic_write
from reelbow.pictures.mending import Spot, mend_file, name_copy
from reelbow.shards.members import Members
from reelbow.text import count


def repair_shard(
    members: Members, about: SensorDefects, folder: Path, *, max_pixels: int
) -> None:
    """Mend the photos of a shard that the sensor took; others are told, and not copied.

    Parameters
    ----------
    folder : for the copies, under the names of the originals

    Raises
    ------
    ReelbowError
        If its pictures are no image files.
    """
    spots = [describe_spot(defect) for defect in about.defects]
    folder.mkdir(parents=True, exist_ok=True)
    n_mended = n_others = 0
    for member in members.read():
        if is_of_a_video(member):
            raise ReelbowError(
                "its pictures are no image files, of which there could be repaired "
                "copies; set hot_pixels.repair to false"
            )
        data = member.data
        is_wanted = find_sensor(member, max_pixels) == about.sensor
        if not is_wanted or not isinstance(data, bytes):
            n_others += 1
            continue
        try:
            picture = decode_stored(member, max_pixels)
        except ReelbowError:
            n_others += 1
            continue
        mended, suffix = mend_file(data, picture, spots)
        path = folder / name_copy(member.name, suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as temporary:
            temporary.write_bytes(mended)
        n_mended += 1
    print(
        f"{count(n_mended, 'photo')} mended at {count(len(spots), 'defect')}; "
        f"{count(n_others, 'other')} left out, see the table left_out of its defects",
        file=sys.stderr,
    )


def describe_spot(defect: Defect) -> Spot:
    """Say what is to be mended of a defect."""
    gain = max(defect.mean / max(defect.usual_mean, 1.0), 0.1)
    return Spot(
        *(defect.y, defect.x),
        *(defect.first_y, defect.first_x, defect.last_y, defect.last_x),
        channel=CHANNELS.index(defect.channel),
        gain=gain if defect.kind == LOW_GAIN else None,
    )
