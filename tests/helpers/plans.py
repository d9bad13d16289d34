"""Plans of videos by usual settings, and what their samples show."""

from pathlib import Path
from typing import Any

from films import frame_number
from reelbow.film.decoding import decode_samples
from reelbow.film.demuxing import AS_PLAYERS, ReadOptions
from reelbow.film.probe import Probe
from reelbow.film.view import show_frame
from reelbow.shards.plan import Plan
from reelbow.sources.video import plan_video

USUAL: dict[str, Any] = {
    "mode": "interval",
    "every": 0.25,
    "start_s": 0.0,
    "end_s": None,
    "per_shard": 9999,
    "crop": "auto",
}


def plan_film(path: Path, reading: ReadOptions = AS_PLAYERS, **how: Any) -> Plan:
    """Plan a video by the usual settings, but for these."""
    return plan_video(path, **(USUAL | how), reading=reading)


def read_numbers(
    path: Path, reading: ReadOptions = AS_PLAYERS, **how: Any
) -> list[int | str]:
    """Read the number of each sample of a plan, or why it has no picture."""
    planned = plan_film(path, reading, **how)
    probe = Probe.from_json(planned["video"])
    (shard,) = planned["shards"]
    samples = decode_samples(path, planned["keyframes"], shard["pts"], reading)
    return [
        decoded.reason
        if decoded.frame is None
        else frame_number(show_frame(decoded.frame, probe))
        for _, decoded in samples
    ]
