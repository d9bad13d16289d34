"""Plans a film of tarballs: looks into some of them; each is a shard.

Their frames get numbers and times when all of them are read: the `time_s` beside an
image (`shards.members`), or by `fps` where the film is merged (`database.merging`).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from reelbow.errors import PASSING, ReelbowError
from reelbow.jobs.stored_files import LocalCopy
from reelbow.pictures.geometry import MAX_PIXELS
from reelbow.pictures.image_files import decode_image
from reelbow.shards.members import DecodedPicture, Member
from reelbow.shards.plan import Plan
from reelbow.shards.tarballs import FrameTarball
from reelbow.sources.crop import LETTERBOX_FRAMES, spread_evenly
from reelbow.sources.images import look_at_images


def make_plan(
    files: Sequence[Path],
    *,
    shards: Sequence[str],
    crop: str,
    max_pixels: int = MAX_PIXELS,
    go_on: bool = False,
) -> Plan:
    """Plan a film of frame tarballs, each a shard as it stands.

    Only a few images are read, for the size and the letterbox: how many there are is
    known when the shards are done, and a damaged tarball fails its own shard only.

    Parameters
    ----------
    files : the tarballs, in the film's order; of those in a store some are here
    shards : the names of their shards
    go_on : whether damaged tarballs are salvaged

    Raises
    ------
    ReelbowError
        With `go_on`, if there is no picture in any of them.
    """
    here = [file for file in files if not isinstance(file, LocalCopy) or file.exists()]
    images = _look_into(here, go_on=go_on)
    found = look_at_images(images, crop, files[0], max_pixels)
    has_pictures = found.usual_size is not None
    if go_on and not has_pictures and len(here) == len(files):
        _refuse_without_pictures(files, max_pixels)
        has_pictures = True
    return {
        "video": None,
        # Those of each tarball stand with its shard.
        **dict.fromkeys(("path", "digest")),
        # Every image counts.
        **dict.fromkeys(("start_s", "end_s", "stream", "sampling")),
        **found._asdict(),
        "duration_s": None,
        "crop_asked": crop,
        "n_pictures": None,
        "has_pictures": has_pictures,
        "n_frames": None,
        "shards": [
            {"shard": shard, "n_frames": None, "tarball": str(tarball)}
            for shard, tarball in zip(shards, files, strict=True)
        ],
    }


def _look_into(
    tarballs: Sequence[Path], *, go_on: bool
) -> Iterator[bytes | DecodedPicture]:
    """Read some images, spread over the tarballs that can be read.

    What cannot be read, its own shard will say; but if that may be read by then, a plan
    without it would be wrong.
    """
    some = spread_evenly(tarballs)
    for path in some:
        try:
            with FrameTarball(path, salvage=go_on) as tarball:
                each = spread_evenly(range(len(tarball)), LETTERBOX_FRAMES // len(some))
                for member in tarball.read(each):
                    if member.data is not None:
                        yield member.data
        except ReelbowError:
            continue
        except OSError as error:
            if error.errno in PASSING and not go_on:
                raise


def _refuse_without_pictures(tarballs: Sequence[Path], max_pixels: int) -> None:
    """Look into all tarballs for a picture, and raise the first one's error."""
    first: ReelbowError | None = None
    for path in tarballs:
        try:
            with FrameTarball(path, salvage=True) as tarball:
                for member in tarball.read():
                    if _can_be_shown(member, max_pixels):
                        return
                raise ReelbowError(tarball.damage or f"{path}: no picture decodes")
        except ReelbowError as error:
            first = first or error
    assert first is not None
    raise first


def _can_be_shown(member: Member, max_pixels: int) -> bool:
    if member.data is None:
        return False
    try:
        if isinstance(member.data, bytes):
            decode_image(member.data, max_pixels=max_pixels)
        else:
            member.data.to_bgr()
    except ReelbowError:
        return False
    return True
