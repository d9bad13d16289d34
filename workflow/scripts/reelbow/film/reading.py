"""Films as a viewer sees them: upright, in shape, in sRGB, read at regular times."""

import dataclasses
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reelbow.arguments import check_path, check_seconds, check_whole
from reelbow.errors import ReelbowError
from reelbow.film.decoding import decode_samples
from reelbow.film.demuxing import ReadOptions
from reelbow.film.probe import probe_film
from reelbow.film.timeline import naming, sample_interval, scan_timeline
from reelbow.film.view import show_frame


@dataclasses.dataclass(frozen=True, slots=True)
class Frame:
    """One sampled picture of a film."""

    index: int  # from 0
    time_s: float  # presentation time from the film's first picture
    pixels: NDArray[np.uint8]  # (h, w, 3) sRGB


def read_frames(
    source: Path | str,
    *,
    every: float | Fraction,
    start_s: float | Fraction = 0,
    end_s: float | Fraction | None = None,
    height: int | None = None,
) -> Iterator[Frame]:
    """Read a film's pictures at regular times.

    Sample i is the picture on screen `start_s + i * every` seconds after the film's
    first one. A picture that does not decode is left out; `index` shows the gap.

    Parameters
    ----------
    source : a video file
    every, start_s, end_s : seconds
    height : rows of each picture, made smaller by area; None: as in the film

    Raises
    ------
    ReelbowError
        If the file is no film, or nothing of it is in the chosen stretch.
    """
    step = check_seconds("every", every, above=True)
    start = check_seconds("start_s", start_s)
    end = None if end_s is None else check_seconds("end_s", end_s)
    if end is not None and end <= start:
        raise ReelbowError(f"end_s must be more than start_s={start_s}, not {end_s}.")
    if height is not None:
        check_whole("height", height, 1)
    path = check_path("source", source)
    return _read_frames(path, step, start, end, height)


def _read_frames(
    path: Path,
    every: Fraction,
    start: Fraction,
    end: Fraction | None,
    height: int | None,
) -> Iterator[Frame]:
    timeline = scan_timeline(path)
    with naming(path):
        samples = sample_interval(timeline, every=every, start=start, end=end)
    if not any(pts is not None for pts in samples):
        raise ReelbowError(
            f"{path}: there is no picture between start_s={float(start):g} and "
            f"{'its end' if end is None else f'end_s={float(end):g}'}, of "
            f"{float(timeline.time_s(timeline.end)):.3f} s; choose another stretch"
        )
    probe = probe_film(path)
    reading = ReadOptions(cut=timeline.cut)
    starts = timeline.starts.tolist()
    for index, decoded in decode_samples(path, starts, samples, reading):
        if decoded.frame is not None and decoded.pts is not None:
            time_s = float(timeline.time_s(decoded.pts))
            yield Frame(index, time_s, show_frame(decoded.frame, probe, height=height))
