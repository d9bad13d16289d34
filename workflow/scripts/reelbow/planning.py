"""Makes the plan of a film: probes it, chooses the samples, cuts them into shards."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from . import film, pictures
from .errors import ReelbowError
from .plan import Plan
from .tarball import FrameTarball

# Frames looked at for letterbox bars, spread over the film: keyframes, which cost
# least, unless there are too few to tell bars from one dark scene.
LETTERBOX_FRAMES = 32
LETTERBOX_KEYFRAMES = 8

T = TypeVar("T")


def plan_video(
    path: Path,
    *,
    mode: str,
    every: float,
    start_s: float,
    end_s: float | None,
    per_shard: int,
    letterbox: str,
) -> Plan:
    """Probe a video, choose its samples and cut them into shards.

    Parameters
    ----------
    mode, every : interval (seconds), frames or keyframes (every nth)
    start_s, end_s : seconds from the first picture; end_s None: to the end
    per_shard : samples in a shard
    letterbox : auto or none

    Raises
    ------
    ReelbowError
        If the file is no film, or nothing of it is in the chosen stretch.
    """
    timeline = film.scan_timeline(path)
    probe = film.probe_film(path)
    start, end = film.exact(start_s), None if end_s is None else film.exact(end_s)
    if mode == "interval":
        samples = film.sample_interval(
            timeline, every=film.exact(every), start=start, end=end
        )
    else:
        pts = timeline.keyframes if mode == "keyframes" else timeline.pts
        samples = film.sample_frames(
            timeline, pts, nth=int(every), start=start, end=end
        )
    duration_s = float(timeline.time_s(timeline.end))
    if not samples:
        raise ReelbowError(
            f"{path}: nothing to sample between {start_s:g} s and "
            f"{'the end' if end_s is None else f'{end_s:g} s'} of a film of "
            f"{duration_s:.3f} s; choose another stretch"
        )
    keyframes = timeline.keyframes.tolist()
    crop = None
    if letterbox == "auto":
        stretch = [k for k in keyframes if samples[0] <= k <= samples[-1]]
        enough = len(stretch) >= LETTERBOX_KEYFRAMES
        some = _spread(stretch if enough else list(dict.fromkeys(samples)))
        crop = pictures.find_letterbox(
            film.show_frame(decoded.frame, probe)
            for decoded in film.decode_pictures(path, keyframes, some)
            if decoded.frame is not None
        )
    return {
        "video": probe.to_json(),
        "width": probe.width,
        "height": probe.height,
        "duration_s": duration_s,
        "crop": crop and str(crop),
        "time_base": str(timeline.time_base),
        "first_pts": int(timeline.pts[0]),
        "n_pictures": len(timeline.pts),
        "keyframes": keyframes,
        "n_frames": len(samples),
        "shards": [
            {
                "shard": _name_shard(number),
                "first_frame": first,
                "n_frames": len(samples[first : first + per_shard]),
                "pts": samples[first : first + per_shard],
            }
            for number, first in enumerate(range(0, len(samples), per_shard))
        ],
    }


def plan_tarballs(tarballs: Sequence[Path], *, letterbox: str) -> Plan:
    """Plan a film of frame tarballs, each a shard as it stands.

    Only a few images are read, for the size and the letterbox: how many there are is
    known when the shards are done, and a damaged tarball fails its own shard only.
    """
    sizes: set[tuple[int, ...]] = set()
    crop = pictures.find_letterbox(_look_into(tarballs, sizes))
    if letterbox != "auto":
        crop = None
    # Images of several sizes have none in common, and no common bars.
    height, width = sizes.pop() if len(sizes) == 1 else (None, None)
    return {
        "video": None,
        "width": width,
        "height": height,
        "duration_s": None,
        "crop": crop and str(crop),
        "n_frames": None,
        "shards": [
            {"shard": _name_shard(number), "n_frames": None, "tarball": str(tarball)}
            for number, tarball in enumerate(tarballs)
        ],
    }


def _name_shard(number: int) -> str:
    return f"{number:05d}"


def _look_into(
    tarballs: Sequence[Path], sizes: set[tuple[int, ...]]
) -> Iterator[NDArray[np.uint8]]:
    """Decode some images, spread over the tarballs that can be read; note sizes."""
    some = _spread(tarballs)
    for path in some:
        try:
            with FrameTarball(path) as tarball:
                each = _spread(range(len(tarball)), LETTERBOX_FRAMES // len(some))
                for member in tarball.read(each):
                    # What cannot be read, its own shard will say.
                    with contextlib.suppress(ReelbowError):
                        if member.data is not None:
                            image = pictures.load_image(member.data)
                            sizes.add(image.shape[:2])
                            yield image
        except ReelbowError:
            continue


def _spread(items: Sequence[T], n: int = LETTERBOX_FRAMES) -> list[T]:
    """Choose at most n items, evenly spread."""
    if len(items) <= n:
        return list(items)
    return [items[i * len(items) // n] for i in range(n)]
