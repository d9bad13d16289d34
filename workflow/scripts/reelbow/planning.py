"""Makes the plan of a film: probes it, chooses the samples, cuts them into shards."""

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from . import colors, film, pictures
from .decoding import decode_pictures
from .demuxing import AS_PLAYERS, Reading
from .errors import ReelbowError
from .file_digest import digest_file
from .letterbox import find_letterbox
from .plan import Plan
from .tarball import FrameTarball, Member
from .timeline import exact, naming, sample_frames, sample_interval, scan_timeline

# Frames looked at for letterbox bars, spread over the film: keyframes, which cost
# least, unless there are too few to tell bars from one dark scene.
LETTERBOX_FRAMES = 32
LETTERBOX_KEYFRAMES = 8
LETTERBOX_LINES = 1080

# Those looked at for the coding of colors alone.
CODING_FRAMES = 4

T = TypeVar("T")


def plan_video(
    path: Path,
    *,
    mode: str,
    every: float,
    start_s: float,
    end_s: float | None,
    per_shard: int,
    crop: str,
    reading: Reading = AS_PLAYERS,
) -> Plan:
    """Probe a video, choose its samples and cut them into shards.

    Parameters
    ----------
    mode, every : interval (seconds), frames or keyframes (every nth)
    start_s, end_s : seconds from the first picture; end_s None: to the end
    per_shard : samples in a shard
    crop : auto (black bars are found), none, or w:h:x:y

    Raises
    ------
    ReelbowError
        If the file is no film, or nothing of it is in the chosen stretch.
    """
    timeline = scan_timeline(path, reading)
    reading = reading._replace(cut=timeline.cut)
    probe = film.probe_film(path, reading)
    start, end = exact(start_s), None if end_s is None else exact(end_s)
    with naming(path):
        if mode == "interval":
            samples = sample_interval(
                timeline, every=exact(every), start=start, end=end
            )
        else:
            pts = timeline.keyframes if mode == "keyframes" else timeline.pts
            samples = sample_frames(timeline, pts, nth=int(every), start=start, end=end)
    duration_s = float(timeline.time_s(timeline.end))
    present = [pts for pts in dict.fromkeys(samples) if pts is not None]
    if not present:
        raise ReelbowError(
            f"{path}: nothing to sample between {start_s:g} s and "
            f"{'the end' if end_s is None else f'{end_s:g} s'} of a film of "
            f"{duration_s:.3f} s; choose another stretch"
        )
    keyframes, starts = timeline.keyframes.tolist(), timeline.starts.tolist()
    kept = _read_crop(crop, path, probe.width, probe.height)
    stretch = [k for k in keyframes if present[0] <= k <= present[-1]]
    some = _spread(stretch if len(stretch) >= LETTERBOX_KEYFRAMES else present)
    if crop != "auto":
        some = _spread(some, CODING_FRAMES)
    codings: list[colors.Coding] = []

    def show_some() -> Iterator[NDArray[np.uint8]]:
        for decoded in decode_pictures(path, starts, some, reading):
            if decoded.frame is not None:
                codings.append(colors.find_coding(decoded.frame, probe.coding))
                # Large ones are looked at smaller: their lines are fine enough even so.
                yield film.show_frame(decoded.frame, probe, height=LETTERBOX_LINES)

    shown = show_some()
    if crop == "auto":
        kept = find_letterbox(shown, most=len(some))
        kept = kept and _enlarge(kept, probe.width, probe.height)
    else:
        for _ in shown:
            pass
    if codings:
        probe = probe._replace(coding=colors.find_usual(codings))
    return {
        "video": probe.to_json(),
        "path": str(path),
        "digest": digest_file(path),
        "start_s": start_s,
        "end_s": end_s,
        "stream": reading.stream,
        "sampling": {"mode": mode, "every": every},
        "width": probe.width,
        "height": probe.height,
        "duration_s": duration_s,
        "crop": kept and str(kept),
        "crop_asked": crop,
        "time_base": str(timeline.time_base),
        "start_pts": timeline.start,
        "cut_pts": timeline.cut,
        "n_pictures": len(timeline.pts),
        "holes_s": [
            [float(timeline.time_s(start)), float(timeline.time_s(end))]
            for start, end in timeline.holes
        ],
        "keyframes": starts,
        "n_frames": len(samples),
        "shards": [
            {
                "shard": f"{number:05d}",
                "first_frame": first,
                "n_frames": len(samples[first : first + per_shard]),
                "pts": samples[first : first + per_shard],
            }
            for number, first in enumerate(range(0, len(samples), per_shard))
        ],
    }


def plan_nothing(error: str, *, crop: str) -> Plan:
    """Plan a film that cannot be read, so that others can go on without it."""
    return {
        "error": error,
        "video": None,
        **dict.fromkeys(("path", "digest", "start_s", "end_s", "stream", "sampling")),
        **dict.fromkeys(("width", "height", "duration_s", "crop", "n_pictures")),
        "crop_asked": crop,
        "n_frames": 0,
        "shards": [],
    }


def plan_tarballs(
    shards: Mapping[str, Path],
    *,
    crop: str,
    max_pixels: int = pictures.MAX_PIXELS,
    go_on: bool = False,
) -> Plan:
    """Plan a film of frame tarballs, each a shard as it stands.

    Only a few images are read, for the size and the letterbox: how many there are is
    known when the shards are done, and a damaged tarball fails its own shard only.

    Parameters
    ----------
    shards : the tarballs by the names of their shards, in the film's order
    go_on : whether damaged tarballs are salvaged

    Raises
    ------
    ReelbowError
        With `go_on`, if there is no picture in any of them.
    """
    tarballs = list(shards.values())
    sizes: set[tuple[int, ...]] = set()
    images = _look_into(tarballs, go_on=go_on)

    def show_images() -> Iterator[NDArray[np.uint8]]:
        for data in images:
            with contextlib.suppress(ReelbowError):
                image = pictures.decode_image(data, max_pixels=max_pixels)
                sizes.add(image.full)
                yield pictures.shape_picture(image.picture, height=LETTERBOX_LINES)

    found = None
    if crop == "auto":
        found = find_letterbox(show_images(), most=LETTERBOX_FRAMES)
    # `images` goes on where the search stopped. The size of these is enough, but where
    # it is another one: damaged images have none.
    for data in images:
        with contextlib.suppress(ReelbowError):
            if pictures.find_size(data, max_pixels=max_pixels) not in sizes:
                image = pictures.decode_image(data, max_pixels=max_pixels)
                sizes.add(image.full)
    if go_on and not sizes:
        _refuse_without_pictures(tarballs, max_pixels)
    has_pictures = go_on or bool(sizes)
    # Images of several sizes have none in common, and no common bars.
    height, width = sizes.pop() if len(sizes) == 1 else (None, None)
    kept = None
    if crop != "auto":
        kept = _read_crop(crop, tarballs[0], width, height)
    elif height is not None and width is not None:
        kept = found and _enlarge(found, width, height)
    return {
        "video": None,
        # Those of each tarball stand with its shard.
        **dict.fromkeys(("path", "digest")),
        # Every image counts.
        **dict.fromkeys(("start_s", "end_s", "stream", "sampling")),
        "width": width,
        "height": height,
        "duration_s": None,
        "crop": kept and str(kept),
        "crop_asked": crop,
        "n_pictures": None,
        "has_pictures": has_pictures,
        "n_frames": None,
        "shards": [
            {"shard": shard, "n_frames": None, "tarball": str(tarball)}
            for shard, tarball in shards.items()
        ],
    }


def _read_crop(
    crop: str, source: Path, width: int | None, height: int | None
) -> pictures.Crop | None:
    """Read w:h:x:y and hold it against the picture's size."""
    if crop in ("auto", "none"):
        return None
    kept = pictures.Crop.parse(crop)
    if width is None or height is None:
        raise ReelbowError(
            f"{source}: its images are of several sizes, so that crop {crop} fits none "
            "for sure; use auto or none"
        )
    if (
        not kept.width
        or not kept.height
        or kept.x + kept.width > width
        or kept.y + kept.height > height
    ):
        raise ReelbowError(
            f"{source}: crop {crop} reaches beyond the picture of {width}x{height} "
            "pixels; give w:h:x:y within it"
        )
    return kept


def _enlarge(crop: pictures.Crop, width: int, height: int) -> pictures.Crop:
    """Bring a crop of a picture of at most `LETTERBOX_LINES` to its full size."""
    factor = max(1.0, height / LETTERBOX_LINES)
    x, y = math.ceil(crop.x * factor), math.ceil(crop.y * factor)
    right = min(width, math.floor((crop.x + crop.width) * factor))
    bottom = min(height, math.floor((crop.y + crop.height) * factor))
    return pictures.Crop(right - x, bottom - y, x, y)


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
    try:
        if member.data is not None:
            pictures.decode_image(member.data, max_pixels=max_pixels)
    except ReelbowError:
        return False
    return member.data is not None


def _look_into(tarballs: Sequence[Path], *, go_on: bool) -> Iterator[bytes]:
    """Read some images, spread over the tarballs that can be read.

    What cannot be read, its own shard will say.
    """
    some = _spread(tarballs)
    for path in some:
        # One that may not be read is an OSError.
        with (
            contextlib.suppress(ReelbowError, OSError),
            FrameTarball(path, salvage=go_on) as tarball,
        ):
            each = _spread(range(len(tarball)), LETTERBOX_FRAMES // len(some))
            for member in tarball.read(each):
                if member.data is not None:
                    yield member.data


def _spread(items: Sequence[T], n: int = LETTERBOX_FRAMES) -> list[T]:
    """Choose at most n items, evenly spread."""
    if len(items) <= n:
        return list(items)
    return [items[i * len(items) // n] for i in range(n)]
