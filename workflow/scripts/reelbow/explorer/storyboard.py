"""A film's previews as a WebVTT storyboard, which video players show along the film."""

import itertools
import os
import statistics
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote

from reelbow.shards.previews import PreviewSheet
from reelbow.text import write_cue_time

# Seconds of the only preview of a film whose end nobody knows.
ONLY_CUE_S = 1.0


def write_storyboard(
    path: Path,
    sheets: Iterable[tuple[Path, PreviewSheet]],
    times_s: Mapping[int, float | None],
    end_s: float | None,
) -> None:
    """Write a storyboard: a cue for each preview, from its time to that of the next.

    A frame without a time has no cue, nor has one that would show for less than a
    millisecond, which is WebVTT's step.

    Parameters
    ----------
    path : sheets are named as seen from its folder
    sheets : each with its file; their frames are counted in the film
    times_s : of each frame, in seconds from 0; None: nobody knows
    end_s : of the film; None, or before the last preview: that one shows as long as
        they do in the median
    """
    at_ms: dict[int, str] = {}
    for file, sheet in sheets:
        url = quote(Path(os.path.relpath(file, path.parent)).as_posix())
        for cell, frame in enumerate(sheet.frames.tolist()):
            time_s = times_s.get(frame)
            if time_s is not None:
                place = ",".join(map(str, sheet.locate(cell)))
                at_ms.setdefault(round(time_s * 1000), f"{url}#xywh={place}")
    starts = sorted(at_ms)
    lines = ["WEBVTT", ""]
    for start, end in zip(starts, _find_ends(starts, end_s), strict=True):
        lines += [
            f"{write_cue_time(start)} --> {write_cue_time(end)}",
            at_ms[start],
            "",
        ]
    path.write_text("\n".join(lines), encoding="utf-8", newline="\n")


def _find_ends(starts: list[int], end_s: float | None) -> list[int]:
    """Find where cues end, in milliseconds: where the next begins."""
    if not starts:
        return []
    steps = [after - before for before, after in itertools.pairwise(starts)]
    end = round(end_s * 1000) if end_s is not None else 0
    if end <= starts[-1]:
        usual = statistics.median_high(steps) if steps else round(ONLY_CUE_S * 1000)
        end = starts[-1] + usual
    return [*starts[1:], end]
