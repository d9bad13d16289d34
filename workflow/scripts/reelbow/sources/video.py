"""Plans a video: probes it, chooses its samples, cuts them into shards."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from reelbow.errors import ReelbowError
from reelbow.film.coding import Coding, find_coding, find_usual
from reelbow.film.decoding import decode_pictures
from reelbow.film.demuxing import AS_PLAYERS, ReadOptions
from reelbow.film.probe import Probe, probe_film
from reelbow.film.timeline import (
    exact,
    naming,
    sample_frames,
    sample_interval,
    scan_timeline,
)
from reelbow.film.view import develop_frame, show_frame
from reelbow.jobs.file_digest import digest_file
from reelbow.pictures.blanks import ROWS, name_blank
from reelbow.pictures.geometry import Crop, shape_picture
from reelbow.pictures.letterbox import find_letterbox
from reelbow.shards.plan import Plan
from reelbow.sources.crop import (
    LETTERBOX_KEYFRAMES,
    LETTERBOX_LINES,
    enlarge_crop,
    read_crop,
    spread_evenly,
)
from reelbow.sources.trim import Stretch, find_blank_ends, trim_stretch

# Those looked at for the coding of colors alone.
CODING_FRAMES = 4


def make_plan(
    files: Sequence[Path],
    *,
    stream: int | None,
    max_pixels: int,
    go_on: bool = False,
    **how: Any,
) -> Plan:
    """Plan a film of one video; the rest is as `plan_video` takes it.

    go_on : changes nothing here
    """
    (path,) = files
    return plan_video(path, reading=ReadOptions(stream, max_pixels), **how)


def plan_video(
    path: Path,
    *,
    mode: str,
    every: float,
    start_s: float,
    end_s: float | None,
    per_shard: int,
    crop: str,
    trim: str = "none",
    reading: ReadOptions = AS_PLAYERS,
) -> Plan:
    """Probe a video, choose its samples and cut them into shards.

    Parameters
    ----------
    mode, every : interval (seconds), frames or keyframes (every nth)
    start_s, end_s : seconds from the first picture; end_s None: to the end
    per_shard : samples in a shard
    crop : auto (black bars are found), none, or w:h:x:y
    trim : auto (black, and text on black, is left out at each end that neither
        `start_s` nor `end_s` sets), or none

    Raises
    ------
    ReelbowError
        If the file is no film, or nothing of it is in the chosen stretch.
    """
    timeline = scan_timeline(path, reading)
    reading = reading._replace(cut=timeline.cut)
    probe = probe_film(path, reading)
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
    kept = read_crop(crop, path, probe.width, probe.height)
    stretch = [k for k in keyframes if present[0] <= k <= present[-1]]
    some = spread_evenly(stretch if len(stretch) >= LETTERBOX_KEYFRAMES else present)
    if crop != "auto":
        some = spread_evenly(some, CODING_FRAMES)
    codings: list[Coding] = []

    def show_some() -> Iterator[NDArray[np.uint8]]:
        for decoded in decode_pictures(path, starts, some, reading):
            if decoded.frame is not None:
                codings.append(find_coding(decoded.frame, probe.coding))
                # Large ones are looked at smaller: their lines are fine enough even so.
                yield show_frame(decoded.frame, probe, height=LETTERBOX_LINES)

    shown = show_some()
    if crop == "auto":
        kept = find_letterbox(shown, most=len(some))
        kept = kept and enlarge_crop(kept, probe.width, probe.height)
    else:
        for _ in shown:
            pass
    if codings:
        probe = probe._replace(coding=find_usual(codings))
    sampled = Stretch(0, len(samples), start_s, end_s)
    if trim == "auto":

        def judge(places: Sequence[int]) -> Iterator[str | None]:
            wanted = [present[place] for place in places]
            for decoded in decode_pictures(path, starts, wanted, reading):
                frame = decoded.frame
                yield None if frame is None else name_blank(_shrink(frame, probe, kept))

        def find_time(sample: int) -> Fraction:
            if mode == "interval":
                return start + sample * exact(every)
            pts = samples[sample]
            assert pts is not None
            return timeline.time_s(pts)

        times_s = [float(timeline.time_s(pts)) for pts in present]
        ends = find_blank_ends(times_s, judge, at_start=not start, at_end=end is None)
        sampled = trim_stretch(samples, ends, find_time, sampled)
    samples = samples[sampled.first : sampled.stop]
    return {
        "video": probe.to_json(),
        "path": str(path),
        "digest": digest_file(path),
        "start_s": sampled.start_s,
        "end_s": sampled.end_s,
        "stream": reading.stream,
        "sampling": {"mode": mode, "every": every},
        "width": probe.width,
        "height": probe.height,
        "duration_s": duration_s,
        "crop": kept and str(kept),
        "crop_asked": crop,
        "trim_asked": trim,
        "trimmed_start": sampled.before,
        "trimmed_end": sampled.after,
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


def _shrink(frame: av.VideoFrame, probe: Probe, crop: Crop | None) -> NDArray[np.uint8]:
    """Show what the crop keeps of a frame, small."""
    full = (probe.height, probe.width)
    return shape_picture(develop_frame(frame, probe), full=full, crop=crop, height=ROWS)
