"""Markers of shots for programs that edit, annotate and play films.

Each file begins with the film's first picture. Where no times are known there are none
of shots either, and the file says so.
"""

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from reelbow.jobs.files import atomic_write
from reelbow.text import clean_text, count, write_cue_time

# Pictures a second that timecodes of SMPTE know, exactly.
_STANDARD_RATES = (
    *(24000 / 1001, 24.0, 25.0, 30000 / 1001, 30.0),
    *(48000 / 1001, 48.0, 50.0, 60000 / 1001, 60.0),
)

# Of television in colors, whose timecodes leave out numbers, so that they keep time.
_DROP_RATES = (30000 / 1001, 60000 / 1001)

# Where the film's own rate is unknown, or that of no film.
_USUAL_RATE = 25.0
_SLOWEST_RATE = 15.0

# A rate that is farther off, as a part of itself, is none of the standard ones.
_RATE_TOLERANCE = 2e-3

# Timelines of DaVinci Resolve, and of tapes, begin at 01:00:00:00.
_START_H = 1
_DAY_S = 24 * 3600

_NO_TIMES = "No times are known of this film's shots."


@dataclass(frozen=True)
class Marker:
    """A shot that begins at a time.

    Attributes
    ----------
    name : such as `shot 12`
    start_s, end_s : from the film's first picture
    colors : its palette in a line
    """

    name: str
    start_s: float
    end_s: float
    colors: str


@dataclass(frozen=True)
class MarkedFilm:
    """What files of markers say of the film.

    Attributes
    ----------
    media : the film's file as seen from the folder of the markers; None: it is none
    duration_s : None: nobody knows
    rate : pictures a second, of timecodes
    made_at : when its database was made, UTC
    rate_note : what `find_rate` complains of
    """

    title: str
    media: Path | None
    duration_s: float | None
    rate: float
    made_at: str | None
    rate_note: str = ""


def find_rate(n_pictures: int | None, duration_s: float | None) -> tuple[float, str]:
    """Find the standard rate nearest to a film's pictures a second.

    Returns
    -------
    rate, and what to complain of in a sentence; empty: nothing
    """
    rate = n_pictures / duration_s if n_pictures and duration_s else 0.0
    if rate < _SLOWEST_RATE:
        nearest = _USUAL_RATE
        known = f"{rate:.3g} pictures a second" if rate else "no known rate"
    else:
        nearest = min(_STANDARD_RATES, key=lambda each: abs(each - rate))
        if abs(nearest - rate) <= _RATE_TOLERANCE * rate:
            return nearest, ""
        known = f"{rate:.3f} pictures a second"
    return nearest, (
        f"the film has {known}, for which there is no timecode; timecodes of its shots "
        f"are those of {nearest:.5g} pictures a second"
    )


def find_media(source: str, folder: Path) -> Path:
    """Find the way from a folder to the film's file, or its name if it is elsewhere.

    Parameters
    ----------
    source : as databases have it, as seen from the working folder
    """
    path = Path(source)
    if path.is_file() and path.resolve().is_relative_to(Path.cwd().resolve()):
        return Path(os.path.relpath(path, folder))
    return Path(path.name)


def save_markers(
    folder: Path, film: MarkedFilm, markers: Sequence[Marker]
) -> list[str]:
    """Write shots.edl, .otio, .vtt and .eaf into a folder.

    Returns
    -------
    what could not be told in them, in a sentence each
    """
    complaints = []
    for suffix, save in _SAVERS.items():
        with atomic_write(folder / f"shots.{suffix}") as temporary:
            complaints.append(save(temporary, film, markers))
    return [complaint for complaint in complaints if complaint]


def _save_edl(path: Path, film: MarkedFilm, markers: Sequence[Marker]) -> str:
    """Write CMX 3600 with markers as DaVinci Resolve writes and reads them."""
    from opentimelineio.opentime import RationalTime

    def write(frame: int) -> str:
        code = RationalTime(start + frame, film.rate).to_timecode(film.rate)
        return str(code)

    is_drop = film.rate in _DROP_RATES
    sign = ";" if is_drop else ":"
    first = f"{_START_H:02}:00:00{sign}00"
    last = f"23:59:59{sign}{round(film.rate) - 1}"
    start = RationalTime.from_timecode(first, film.rate).value
    # OpenTimelineIO also begins anew after a day of real time, which timecodes that
    # count 48 pictures for 47.952 do not.
    day = min(
        RationalTime.from_timecode(last, film.rate).value + 1,
        math.floor(_DAY_S * film.rate),
    )
    end = day - start
    told = [marker for marker in markers if round(marker.start_s * film.rate) < end]
    lines = [f"TITLE: {clean_text(film.title)}"]
    lines += [f"FCM: {'DROP FRAME' if is_drop else 'NON-DROP FRAME'}", ""]
    for number, marker in enumerate(told, 1):
        frame = round(marker.start_s * film.rate)
        times = f"{write(frame)} {write(frame + 1)}"
        lines += [
            f"{number:03}  001      V     C        {times} {times}  ",
            f" |C:ResolveColorBlue |M:{marker.name} |D:1",
            "",
        ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    n_left = len(markers) - len(told)
    return (
        f"{count(n_left, 'shot')} after the 23rd hour have no marker in shots.edl, "
        "since timecodes end with the day"
        if n_left
        else ""
    )


def _save_otio(path: Path, film: MarkedFilm, markers: Sequence[Marker]) -> str:
    """Write a timeline of OpenTimelineIO with a clip for each shot."""
    import opentimelineio as otio

    def to_time(time_s: float) -> Any:
        return otio.opentime.RationalTime(round(time_s * film.rate), film.rate)

    def to_range(start_s: float, end_s: float) -> Any:
        return otio.opentime.range_from_start_end_time(to_time(start_s), to_time(end_s))

    timeline = otio.schema.Timeline(film.title)
    if note := film.rate_note if markers else _NO_TIMES:
        timeline.metadata["reelbow"] = {"note": note}
    track = otio.schema.Track("shots", kind=otio.schema.TrackKind.Video)
    timeline.tracks.append(track)
    whole = None
    if film.duration_s is not None:
        whole = to_range(0, film.duration_s)
    for marker in markers:
        media: Any = otio.schema.MissingReference()
        if film.media is not None:
            address = quote(film.media.as_posix())
            media = otio.schema.ExternalReference(address, available_range=whole)
        clip = otio.schema.Clip(
            marker.name, media, to_range(marker.start_s, marker.end_s)
        )
        clip.metadata["reelbow"] = {"colors": marker.colors}
        track.append(clip)
    # Its own writer says nothing of a full disk.
    text = otio.adapters.write_to_string(timeline, "otio_json")
    path.write_text(text, encoding="utf-8", newline="\n")
    return ""


def _save_vtt(path: Path, film: MarkedFilm, markers: Sequence[Marker]) -> str:
    """Write chapters of WebVTT, as players show them."""
    lines = ["WEBVTT", ""]
    if not markers:
        lines += [f"NOTE {_NO_TIMES}", ""]
    for marker in markers:
        start, end = (_to_ms(time_s) for time_s in (marker.start_s, marker.end_s))
        # A cue that ends as it begins is none.
        if start < end:
            times = f"{write_cue_time(start)} --> {write_cue_time(end)}"
            lines += [marker.name.replace(" ", "-"), times, marker.name, ""]
    path.write_text("\n".join(lines), encoding="utf-8", newline="\n")
    return ""


def _save_eaf(path: Path, film: MarkedFilm, markers: Sequence[Marker]) -> str:
    """Write ELAN's annotations: the shots, and below them their colors."""
    from pympi import Elan

    eaf = Elan.Eaf(author="Reelbow")
    # Written twice, it is the same bytes.
    if film.made_at:
        eaf.adocument["DATE"] = film.made_at
    eaf.remove_tier("default")
    for tier in ("shots", "colors"):
        eaf.add_tier(tier)
    if film.media is not None:
        # As ELAN itself writes it; what it does not find it looks for beside its file.
        name = clean_text(film.media.as_posix())
        name = name if name.startswith("../") else f"./{name}"
        eaf.add_linked_file(name, relpath=name, mimetype=_guess_type(film.media))
    if not markers:
        eaf.add_property("note", _NO_TIMES)
    for marker in markers:
        start, end = (_to_ms(time_s) for time_s in (marker.start_s, marker.end_s))
        if start < end:
            eaf.add_annotation("shots", start, end, marker.name)
            eaf.add_annotation("colors", start, end, marker.colors)
    eaf.to_file(str(path))
    return ""


_SAVERS: dict[str, Callable[[Path, MarkedFilm, Sequence[Marker]], str]] = {
    "edl": _save_edl,
    "otio": _save_otio,
    "vtt": _save_vtt,
    "eaf": _save_eaf,
}


def _guess_type(path: Path) -> str:
    import mimetypes

    return mimetypes.guess_type(path.name)[0] or "video/unknown"


def _to_ms(time_s: float) -> int:
    return round(time_s * 1000)
